#include "tusk/iceberg/overwrite.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/iceberg/metadata_change.h"
#include "tusk/iceberg/update.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

namespace cp = arrow::compute;
using testing::ElementsAre;
using TablePtr = std::shared_ptr<const Table>;

constexpr char kLocation[] = "/lake/t";

/// A table of the columns a and b (int64), partitioned by a, with rows (1, 1), (1, 2), (2, 3).
class OverwriteTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = Rows(R"([{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 3}])");
    AppendOptions options;
    options.partition_by = {"a"};
    base_ = Open(StageAppend(data.get(), store_, kLocation, nullptr, options, context_));
  }

  static std::shared_ptr<arrow::RecordBatchReader> Rows(std::string_view json) {
    const auto schema =
        arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64())});
    const auto rows =
        arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
    const auto batch =
        arrow::RecordBatch::FromStructArray(rows).ValueOrDie()->ReplaceSchemaMetadata(nullptr);
    return arrow::RecordBatchReader::Make({batch}, schema).ValueOrDie();
  }

  TablePtr Open(const Result<StagedMetadata>& staged) {
    EXPECT_OK(staged);
    return Table::Open(store_, staged->metadata_location, context_).ValueOrDie();
  }

  static Overwrite Delete(const char* column, int64_t value) {
    return {.filter =
                expr::Filter::FromArrow(cp::equal(cp::field_ref(column), cp::literal(value)))};
  }

  /// Column b of all rows, ascending.
  std::vector<int64_t> Values(const Table& table) {
    const auto rows = table.Scan({}, context_).ValueOrDie()->ToTable().ValueOrDie();
    const auto column = rows->GetColumnByName("b");
    std::multiset<int64_t> values;
    for (int64_t i = 0; i < column->length(); ++i) {
      values.insert(
          static_cast<const arrow::Int64Scalar&>(*column->GetScalar(i).ValueOrDie()).value);
    }
    return {values.begin(), values.end()};
  }

  std::set<std::string> StoredPaths() {
    std::set<std::string> paths;
    const auto objects = store_->List("/", context_).ValueOrDie();
    for (const auto& object : objects) paths.insert(object.path);
    return paths;
  }

  OperationContext context_;
  std::shared_ptr<FaultyStore> store_ = std::make_shared<FaultyStore>(io::MakeMemoryStore());
  TablePtr base_;
};

TEST_F(OverwriteTest, KeepsTheSequenceNumbersOfFilesThatStay) {
  const auto table = Open(StageOverwrite(store_, base_, Delete("b", 1), context_));
  EXPECT_THAT(Values(*table), ElementsAre(2, 3));
  ASSERT_OK_AND_ASSIGN(const auto manifests,
                       table->ReadMetadata(MetadataTable::kManifests, {}, context_));
  // The file that was written anew, and the manifest of before with a deleted and a kept file.
  EXPECT_EQ(manifests->num_rows(), 2);
  const auto next = Open(
      StageAppend(Rows(R"([{"a": 1, "b": 9}])").get(), store_, kLocation, table, {}, context_));
  EXPECT_THAT(Values(*next), ElementsAre(2, 3, 9));
  EXPECT_THAT(Values(*base_), ElementsAre(1, 2, 3));
}

TEST_F(OverwriteTest, LeavesTheBaseReadableWhateverRequestFails) {
  const auto paths = StoredPaths();
  for (int64_t n = 0;; ++n) {
    Overwrite overwrite = Delete("b", 1);
    overwrite.data = Rows(R"([{"a": 3, "b": 4}])");
    store_->FailRequest(n);
    const auto staged = StageOverwrite(store_, base_, overwrite, context_);
    const bool has_failed = store_->has_failed();
    store_->Reset();
    if (!has_failed) {
      ASSERT_GT(n, 7);
      EXPECT_THAT(Values(*Open(staged)), ElementsAre(2, 3, 4));
      ASSERT_OK(AbortStaged(store_, *staged, context_));
      break;
    }
    EXPECT_THAT(staged, FailsWith(ErrorCode::kIo)) << n;
    EXPECT_EQ(StoredPaths(), paths) << n;
  }
  EXPECT_EQ(StoredPaths(), paths);
  EXPECT_THAT(Values(*base_), ElementsAre(1, 2, 3));
}

TEST_F(OverwriteTest, AnUpdateThatFailsLeavesNothing) {
  const auto paths = StoredPaths();
  TableUpdate update;
  update.schema.push_back({.kind = SchemaChange::Kind::kAdd, .column = "c", .type = arrow::utf8()});
  for (int64_t n = 0;; ++n) {
    store_->FailRequest(n);
    const auto staged = StageUpdate(store_, base_, update, context_);
    const bool has_failed = store_->has_failed();
    store_->Reset();
    if (!has_failed) {
      EXPECT_EQ(Open(staged)->schema()->num_fields(), 3);
      ASSERT_OK(AbortStaged(store_, *staged, context_));
      break;
    }
    EXPECT_THAT(staged, FailsWith(ErrorCode::kIo)) << n;
  }
  EXPECT_EQ(StoredPaths(), paths);
}

TEST_F(OverwriteTest, AChangeOfMetadataThatIsGivenUpTakesItsOwnFileOnly) {
  const auto later = Open(StageOverwrite(store_, base_, Delete("a", 1), context_));
  const auto paths = StoredPaths();
  const auto restored = StageRestore(store_, later, *base_, context_);
  EXPECT_THAT(Values(*Open(restored)), ElementsAre(1, 2, 3));
  ASSERT_OK(AbortStaged(store_, *restored, context_));
  const auto expired = StageExpire(store_, later, {}, context_);
  EXPECT_EQ(Open(expired)->snapshots().size(), 1U);
  ASSERT_OK(AbortStaged(store_, *expired, context_));
  EXPECT_EQ(StoredPaths(), paths);
  EXPECT_THAT(Values(*base_), ElementsAre(1, 2, 3));
}

TEST_F(OverwriteTest, RefusesFiltersThatDoNotFitTheTable) {
  EXPECT_THAT(StageOverwrite(store_, base_, Delete("c", 1), context_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(OverwriteTest, StopsWhenAsked) {
  const auto paths = StoredPaths();
  std::stop_source stop;
  stop.request_stop();
  OperationContext context;
  context.stop = stop.get_token();
  EXPECT_THAT(StageOverwrite(store_, base_, Delete("b", 1), context),
              FailsWith(ErrorCode::kCancelled));
  EXPECT_EQ(StoredPaths(), paths);
}

TEST_F(OverwriteTest, DoesNotTakeAStaleAppendOverAnotherSpec) {
  const auto staged =
      StageAppend(Rows(R"([{"a": 5, "b": 5}])").get(), store_, kLocation, base_, {}, context_);
  ASSERT_OK(staged);
  TableUpdate update;
  update.remove_partition_fields = {"a"};
  const auto other = Open(StageUpdate(store_, base_, update, context_));
  EXPECT_THAT(Restage(store_, *staged, other, context_), FailsWith(ErrorCode::kCommitConflict));
  // On another snapshot of the same shape it goes.
  const auto later = Open(StageOverwrite(store_, base_, Delete("a", 1), context_));
  const auto again = Open(Restage(store_, *staged, later, context_));
  EXPECT_THAT(Values(*again), ElementsAre(3, 5));
}

}  // namespace
}  // namespace tusk::iceberg
