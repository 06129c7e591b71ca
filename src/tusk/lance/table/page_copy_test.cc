// Compactions that copy pages.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/change_columns.h"
#include "tusk/lance/compact.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/lance/file.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr CompactionMode kTry = CompactionMode::kTryCopy;
constexpr CompactionMode kForce = CompactionMode::kForceCopy;

class PageCopyTest : public testing::Test {
 protected:
  void Write(std::shared_ptr<arrow::RecordBatchReader> rows, const WriteOptions& options) {
    ASSERT_OK(WriteDataset(rows.get(), table_, options, context_));
  }
  /// Appends the rows, in one fragment, and makes the table if there is none.
  void Append(int64_t begin, int64_t end, const std::string& version = "2.2") {
    const bool is_new = table_.store->List("t", context_)->empty();
    Write(NumberedReader(begin, end), {.mode = is_new ? WriteMode::kCreate : WriteMode::kAppend,
                                       .data_storage_version = version});
  }
  Status Delete(int64_t below) {
    const auto filter = expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(below)));
    return DeleteRows(table_, filter, {}, context_).status();
  }
  std::shared_ptr<const Dataset> Open() { return *Dataset::Open(table_, {}, context_); }
  std::shared_ptr<arrow::Table> Rows() { return *(*(*Open()).Scan({}, context_))->ToTable(); }
  /// The only data file of the newest version.
  io::StorePath File() {
    const auto dataset = Open();
    const Fragment& fragment = dataset->state().manifest.fragments.at(0);
    return *dataset->state().Locate(fragment, fragment.files.at(0));
  }
  std::vector<int64_t> RowsOfPages(size_t column) {
    const auto file = *lance::File::Open(File(), context_);
    std::vector<int64_t> rows;
    const FileDescription description = *file->Describe(context_);
    for (const PageDescription& page : description.columns.at(column).pages) {
      rows.push_back(page.num_rows);
    }
    return rows;
  }
  std::vector<int64_t> RowsOfFragments() {
    std::vector<int64_t> rows;
    for (const FragmentInfo& fragment : Open()->ListFragments()) rows.push_back(fragment.num_rows);
    return rows;
  }
  /// Expects the rows to be those before `compact`, and the new file to have the right checksums.
  void ExpectSameRows(const CompactionOptions& options) {
    const auto before = Rows();
    ASSERT_OK(Compact(table_, options, context_));
    EXPECT_TRUE(Rows()->Equals(*before));
    const auto verified = *(*lance::File::Open(File(), context_))->Verify(context_);
    EXPECT_TRUE(verified.has_checksums);
    EXPECT_THAT(verified.damages, IsEmpty());
  }
  int64_t CountFiles() { return std::ssize(*table_.store->List("t/data", context_)); }

  const io::StorePath table_ = {.store = io::MakeMemoryStore(), .path = "t"};
  const OperationContext context_;
};

TEST_F(PageCopyTest, PutsPagesBehindEachOther) {
  Append(0, 30);
  Append(30, 35);
  Append(35, 75);
  ExpectSameRows({.mode = kForce});
  EXPECT_THAT(RowsOfFragments(), ElementsAre(75));
  EXPECT_THAT(RowsOfPages(0), ElementsAre(30, 5, 40));
  // Copies can be copied, and read and written anew.
  Append(75, 80);
  ExpectSameRows({.mode = kForce});
  EXPECT_THAT(RowsOfPages(0), ElementsAre(30, 5, 40, 5));
  Append(80, 90);
  ExpectSameRows({});
  EXPECT_THAT(RowsOfPages(0), ElementsAre(90));
}

TEST_F(PageCopyTest, KeepsWhatIsKnownOfPages) {
  Append(0, 5000);
  Append(5000, 10000);
  ExpectSameRows({.mode = kForce});
  ScanOptions scan{.filter = expr::Filter::FromArrow(
                       cp::greater_equal(cp::field_ref("id"), cp::literal(int64_t{9000}))),
                   .statistics = std::make_shared<ScanStatistics>()};
  ASSERT_OK_AND_ASSIGN(const auto reader, Open()->Scan(scan, context_));
  ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
  EXPECT_EQ(rows->num_rows(), 1000);
}

TEST_F(PageCopyTest, FilesEndWithAFragment) {
  for (int64_t i = 0; i < 7; ++i) Append(10 * i, 10 * i + 10);
  const auto before = Rows();
  ASSERT_OK(Compact(table_, {.target_rows_per_fragment = 25, .mode = kForce}, context_));
  EXPECT_THAT(RowsOfFragments(), ElementsAre(30, 40));
  EXPECT_TRUE(Rows()->Equals(*before));
}

TEST_F(PageCopyTest, ReadsPagesOneByOneIfThatIsAskedFor) {
  Append(0, 30);
  Append(30, 60);
  ExpectSameRows({.mode = kForce, .copy_read_bytes = 0});
  EXPECT_THAT(Compact(table_, {.copy_read_bytes = -1}, context_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PageCopyTest, TakesEachColumnFromTheFileThatHasIt) {
  Append(0, 30);
  Append(30, 60);
  ASSERT_OK(AddColumns(table_, {{.name = "double", .expression = "id * 2"}}, {}, context_));
  ASSERT_OK(DropColumns(table_, {"score"}, {}, context_));
  ExpectSameRows({.mode = kForce});
  EXPECT_EQ(Open()->state().manifest.fragments[0].files.size(), 1U);
}

TEST_F(PageCopyTest, SaysWhyPagesCannotStandInOneFile) {
  const auto expect_reason = [&](const std::string& reason) {
    const int64_t files = CountFiles();
    const auto refused = Compact(table_, {.mode = kForce}, context_);
    EXPECT_THAT(refused, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(refused.status().message(), HasSubstr(reason));
    EXPECT_EQ(CountFiles(), files);
    ExpectSameRows({.mode = kTry});
  };
  Append(0, 30);
  Append(30, 60);
  ASSERT_OK(Delete(3));
  expect_reason("fragment 0 has deleted rows");
  Append(60, 70, "2.1");
  expect_reason("data version");
  ASSERT_OK(AddColumns(table_, {{.name = "double", .expression = "id * 2"}}, {}, context_));
  Append(70, 80);
  expect_reason("column 'double'");
}

TEST_F(PageCopyTest, NoticesDamagedPages) {
  Append(0, 100);
  const io::StorePath damaged = File();
  const FileDescription file = *(*lance::File::Open(damaged, context_))->Describe(context_);
  Append(100, 200);
  ASSERT_OK_AND_ASSIGN(const auto bytes, damaged.store->Get(damaged.path, context_));
  int noticed = 0;
  for (const ColumnDescription& column : file.columns) {
    for (const io::ByteRange& buffer : column.pages.at(0).buffers) {
      if (buffer.length == 0) continue;
      std::string changed{std::string_view(*bytes)};
      changed[buffer.offset + buffer.length / 2] ^= 4;
      ASSERT_OK(damaged.store->Put(damaged.path, changed, context_));
      for (const CompactionMode mode : {kTry, kForce}) {
        EXPECT_THAT(Compact(table_, {.mode = mode}, context_), FailsWith(ErrorCode::kCorrupt));
      }
      EXPECT_EQ(CountFiles(), 2);
      ++noticed;
    }
  }
  EXPECT_GE(noticed, 8);
  ASSERT_OK(damaged.store->Put(damaged.path, std::string_view(*bytes), context_));
  ExpectSameRows({.mode = kForce});
}

}  // namespace
}  // namespace tusk::lance
