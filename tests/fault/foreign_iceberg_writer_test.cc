#include <functional>

#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "tusk/lake/lake.h"
#include "tusk/testing/foreign_writers.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

/// Rows that let another client commit while an append to the lake is reading them: by then the
/// append has chosen what it is based on.
class CommittingReader final : public arrow::RecordBatchReader {
 public:
  CommittingReader(std::shared_ptr<arrow::RecordBatchReader> rows, std::function<void()> commit)
      : rows_(std::move(rows)), commit_(std::move(commit)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (commit_ != nullptr) commit_();
    commit_ = nullptr;
    return rows_->ReadNext(batch);
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> rows_;
  std::function<void()> commit_;
};

TEST(ForeignIcebergWriterTest, ItsCommitIsSeenAndTheNextAppendGoesOnTop) {
  const OperationContext context;
  TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  ASSERT_OK_AND_ASSIGN(const auto lake, Lake::Init(folder / "lake", context));
  ASSERT_OK(AppendIds(*lake, Range(0, 5), context));
  AppendToIcebergAlone(*lake, Range(100, 3), context);

  ASSERT_OK_AND_ASSIGN(const Ids newest, IcebergIds(*lake, context));
  EXPECT_EQ(newest, Union(Range(0, 5), Range(100, 3)));
  EXPECT_TRUE(lake->Tables(context)->at(1).drifted);
  ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(folder / "lake", 1, context));
  ASSERT_OK_AND_ASSIGN(const Ids at_one, IcebergIds(*at, context));
  EXPECT_EQ(at_one, Range(0, 5));

  ASSERT_OK(AppendIds(*lake, Range(5, 5), context));
  ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*lake, context));
  EXPECT_EQ(iceberg, Union(Range(0, 10), Range(100, 3)));
  ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*lake, context));
  EXPECT_EQ(lance, Range(0, 10));
  EXPECT_FALSE(lake->Tables(context)->at(1).drifted);
}

TEST(ForeignIcebergWriterTest, ItsCommitInTheMiddleOfAnAppendLosesNothing) {
  const OperationContext context;
  TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  ASSERT_OK_AND_ASSIGN(const auto lake, Lake::Init(folder / "lake", context));
  ASSERT_OK(AppendIds(*lake, Range(0, 5), context));

  std::vector<TableAppend> appends(2);
  appends[0].name = LanceName();
  appends[0].data = Rows(Range(5, 5));
  appends[1].name = IcebergName();
  appends[1].kind = catalog::TableKind::kIceberg;
  appends[1].data = std::make_shared<CommittingReader>(
      Rows(Range(5, 5)), [&] { AppendToIcebergAlone(*lake, Range(100, 3), context); });
  ASSERT_OK(lake->Append(std::move(appends), {}, context));

  ASSERT_OK_AND_ASSIGN(const auto table, lake->OpenIceberg(IcebergName(), context));
  ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*lake, context));
  EXPECT_EQ(iceberg, Union(Range(0, 10), Range(100, 3)));
  ASSERT_OK_AND_ASSIGN(const int64_t count, table->CountRows(nullptr, {}, context));
  EXPECT_EQ(count, 13);
  ASSERT_EQ(table->snapshots().size(), 3u);
  EXPECT_EQ(table->snapshots().back().sequence_number, 3);
  EXPECT_EQ(table->snapshots().back().parent_snapshot_id, table->snapshots().at(1).snapshot_id);
  EXPECT_EQ(table->snapshots().back().summary.at("total-records"), "13");
  EXPECT_EQ(table->snapshots().back().summary.at("added-records"), "5");
  ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*lake, context));
  EXPECT_EQ(lance, Range(0, 10));
}

}  // namespace
}  // namespace tusk::lake
