#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/lance/refs.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;
using testing::IsEmpty;

class CloneDatasetTest : public testing::Test {
 protected:
  /// Fragments of 17 and 20 rows, of which the first has a deletion file, and of 10.
  void SetUp() override {
    const auto rows = NumberedReader(0, 50);
    ASSERT_OK(WriteDataset(rows.get(), Place("t"), {.max_rows_per_file = 20}, context_));
    const auto filter = expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(3)));
    ASSERT_OK(DeleteRows(Place("t"), filter, {}, context_));
    ASSERT_OK_AND_ASSIGN(source_, Dataset::Open(Place("t"), {}, context_));
  }
  io::StorePath Place(std::string path) const { return {.store = store_, .path = std::move(path)}; }
  Status Copy(const std::shared_ptr<io::ObjectStore>& store) const {
    return CloneDataset(*source_, {.store = store, .path = "copy"}, {.shallow = false}, context_)
        .status();
  }
  int64_t CountFiles(const std::string& folder) const {
    return std::ssize(*store_->List(folder, context_));
  }
  void ExpectWholeCopy() const {
    ASSERT_OK_AND_ASSIGN(const auto copy, Dataset::Open(Place("copy"), {}, context_));
    ASSERT_OK_AND_ASSIGN(const auto reader, copy->Scan({}, context_));
    ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
    ASSERT_OK_AND_ASSIGN(const auto before, source_->Scan({}, context_));
    ASSERT_OK_AND_ASSIGN(const auto expected, before->ToTable());
    EXPECT_TRUE(rows->Equals(*expected));
    EXPECT_EQ(CountFiles("copy/data"), 3);
    EXPECT_EQ(CountFiles("copy/_deletions"), 1);
    EXPECT_EQ(CountFiles("copy/_transactions"), 1);
  }

  const std::shared_ptr<io::ObjectStore> store_ = io::MakeMemoryStore();
  const OperationContext context_;
  std::shared_ptr<const Dataset> source_;
};

TEST_F(CloneDatasetTest, LeavesNothingIfItFails) {
  const auto broken = std::make_shared<FaultyStore>(store_);
  int64_t n = 0;
  for (;; ++n) {
    ASSERT_LT(n, 100);
    broken->FailRequest(n);
    const Status status = Copy(broken);
    if (status.ok()) break;
    EXPECT_THAT(status, FailsWith(ErrorCode::kIo));
    EXPECT_THAT(*store_->List("copy", context_), IsEmpty()) << n;
  }
  EXPECT_GE(n, 10);
  ExpectWholeCopy();
}

TEST_F(CloneDatasetTest, LeavesAnotherCloneToTheSamePlaceAlone) {
  int64_t met = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_LT(n, 100);
    const auto racing = std::make_shared<FaultyStore>(store_);
    std::optional<Status> other;
    racing->CallAtRequest(n, [&] { other = Copy(store_); });
    const Status status = Copy(racing);
    ExpectWholeCopy();
    for (const io::ObjectInfo& file : *store_->List("copy", context_)) {
      ASSERT_OK(store_->Delete(file.path, context_));
    }
    if (!other) break;
    EXPECT_NE(status.ok(), other->ok()) << n;
    EXPECT_THAT(status.ok() ? *other : status, FailsWith(ErrorCode::kAlreadyExists)) << n;
    met += status.ok() ? 0 : 1;
  }
  EXPECT_GE(met, 10);
}

}  // namespace
}  // namespace tusk::lance
