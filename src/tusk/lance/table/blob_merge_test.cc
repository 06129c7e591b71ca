#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/blob.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/merge_insert.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

/// Of these values one is inline, one shares a file and one has a file of its own.
const std::string kSmall(5, 's');
const std::string kMiddle(50, 'm');
const std::string kLarge(200, 'l');

std::shared_ptr<arrow::Schema> Columns() {
  const auto type = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  return arrow::schema({arrow::field("id", arrow::int64()),
                        arrow::field("b", type)->WithMetadata(arrow::key_value_metadata(
                            {{"ARROW:extension:name", "lance.blob.v2"},
                             {"lance-encoding:blob-inline-size-threshold", "10"},
                             {"lance-encoding:blob-dedicated-size-threshold", "100"}}))});
}

/// Rows from `first_id` on, in batches of one row.
std::shared_ptr<arrow::RecordBatchReader> Rows(int64_t first_id,
                                               const std::vector<std::string>& values) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const std::string& value : values) {
    arrow::Int64Builder id;
    arrow::LargeBinaryBuilder data;
    arrow::StringBuilder uri;
    EXPECT_OK(id.Append(first_id++));
    EXPECT_OK(data.Append(value));
    EXPECT_OK(uri.AppendNull());
    const auto blob = std::make_shared<arrow::StructArray>(
        Columns()->field(1)->type(), 1, arrow::ArrayVector{*data.Finish(), *uri.Finish()});
    batches.push_back(
        arrow::RecordBatch::Make(Columns(), 1, arrow::ArrayVector{*id.Finish(), blob}));
  }
  return *arrow::RecordBatchReader::Make(batches, Columns());
}

std::shared_ptr<arrow::RecordBatchReader> WithNumber(
    const std::shared_ptr<arrow::RecordBatchReader>& rows) {
  const auto table = *rows->ToTable();
  arrow::Int64Builder numbers;
  for (int64_t row = 0; row < table->num_rows(); ++row) EXPECT_OK(numbers.Append(row));
  const auto column = std::make_shared<arrow::ChunkedArray>(*numbers.Finish());
  const auto with_number = *table->AddColumn(2, arrow::field("n", arrow::int64()), column);
  return *arrow::RecordBatchReader::Make({*with_number->CombineChunksToBatch()});
}

std::vector<std::string> Read(const Dataset& dataset) {
  std::vector<uint64_t> rows;
  for (int64_t row = 0; row < *dataset.CountRows(nullptr, {}); ++row) rows.push_back(row);
  std::vector<std::string> values;
  for (const FoundBlob& found : *FindBlobs(dataset, "b", RowNumbers::kPositions, rows, {})) {
    values.push_back((*found.blob->Read({0, found.blob->size()}, {}))->ToString());
  }
  return values;
}

TEST(BlobMergeTest, TakesBlobsOutOfASourceThatIsPutAside) {
  for (const int64_t memory : {int64_t{0}, int64_t{1} << 20}) {
    const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
    ASSERT_OK(WriteDataset(Rows(0, {kSmall, kMiddle, kLarge}).get(), table, {}, {}).status());
    const MergeInsertOptions options{.on = {"id"},
                                     .when_matched = WhenMatched::kUpdate,
                                     .insert_not_matched = true,
                                     .source_bytes_in_memory = memory};
    const auto source = Rows(1, {kLarge, kSmall, kMiddle});
    const auto merged = MergeInsert(source.get(), table, options, {});
    ASSERT_OK(merged.status());
    EXPECT_EQ(merged->num_updated_rows, 2);
    EXPECT_EQ(merged->num_inserted_rows, 1);
    EXPECT_THAT(Read(*merged->dataset), ElementsAre(kSmall, kLarge, kSmall, kMiddle));
    // What was put aside is gone: there are two data files, and two files beside each.
    EXPECT_EQ(table.store->List("t/data", {})->size(), 6U) << memory;
  }
}

TEST(BlobMergeTest, WritesColumnsAnewFromASourceThatIsPutAside) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto numbered = WithNumber(Rows(0, {kSmall, kMiddle, kLarge}));
  ASSERT_OK(WriteDataset(numbered.get(), table, {}, {}).status());
  const MergeInsertOptions options{.on = {"id"},
                                   .when_matched = WhenMatched::kUpdate,
                                   .write_mode = MergeWriteMode::kRewriteColumns,
                                   .source_bytes_in_memory = 0};
  const auto source = Rows(1, {kLarge, kSmall, kMiddle});
  const auto merged = MergeInsert(source.get(), table, options, {});
  ASSERT_OK(merged.status());
  EXPECT_EQ(merged->num_updated_rows, 2);
  EXPECT_THAT(Read(*merged->dataset), ElementsAre(kSmall, kLarge, kSmall));
  // The new file has one file beside it.
  EXPECT_EQ(table.store->List("t/data", {})->size(), 5U);
}

}  // namespace
}  // namespace tusk::lance
