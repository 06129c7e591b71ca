#include "tusk/lance/join_columns.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/delete_rows.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using Notes = std::map<int64_t, std::optional<std::string>>;

/// Data with the columns `key` and `note`, for these keys.
std::shared_ptr<arrow::RecordBatchReader> Data(const std::vector<int64_t>& ids,
                                               const std::string& note) {
  arrow::Int64Builder keys;
  arrow::StringBuilder notes;
  for (const int64_t id : ids) {
    EXPECT_OK(keys.Append(id));
    EXPECT_OK(notes.Append(note + std::to_string(id)));
  }
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("key", arrow::int64()), arrow::field("note", arrow::utf8())}),
      std::ssize(ids), {*keys.Finish(), *notes.Finish()});
  if (ids.empty()) return *arrow::RecordBatchReader::Make({}, batch->schema());
  return *arrow::RecordBatchReader::Make({batch->Slice(0, 3), batch->Slice(3)}, batch->schema());
}

Status Write(const io::StorePath& table) {
  const auto reader = NumberedReader(0, 50);
  ARROW_RETURN_NOT_OK(WriteDataset(reader.get(), table,
                                   {.mode = WriteMode::kOverwrite, .max_rows_per_file = 20}, {})
                          .status());
  return DeleteRows(table, *expr::Filter::FromSql("id = 4 or id = 21"), {}, {}).status();
}

/// The notes by id; none if there is no such column.
std::optional<Notes> Read(const io::StorePath& table) {
  const OperationContext context;
  const auto dataset = *Dataset::Open(table, {}, context);
  const auto batch = *(*(*dataset->Scan({}, context))->ToTable())->CombineChunksToBatch();
  EXPECT_EQ(batch->num_rows(), 48);
  const auto column = batch->GetColumnByName("note");
  if (column == nullptr) return std::nullopt;
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("id"));
  Notes notes;
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    notes[ids.Value(i)];
    if (column->IsValid(i)) {
      notes[ids.Value(i)] = static_cast<const arrow::StringArray&>(*column).GetString(i);
    }
  }
  return notes;
}

Notes Expected(const std::vector<int64_t>& ids, const std::string& note) {
  Notes notes;
  for (int64_t id = 0; id < 50; ++id) {
    if (id != 4 && id != 21) notes[id];
  }
  for (const int64_t id : ids) {
    if (notes.contains(id)) notes[id] = note + std::to_string(id);
  }
  return notes;
}

const std::vector<int64_t> kIds = {30, 4, 5, 99, 49, 0, 22};

TEST(JoinColumnsTest, GivesEachRowItsMatchAndKeepsTheFiles) {
  for (const int64_t memory : {int64_t{0}, int64_t{1} << 20}) {
    const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
    ASSERT_OK(Write(table));
    const size_t files = table.store->List("t/data", {})->size();
    JoinColumnsOptions options;
    options.source_bytes_in_memory = memory;
    ASSERT_OK_AND_ASSIGN(const auto dataset,
                         JoinColumns(Data(kIds, "n").get(), table, "id", "key", options, {}));
    EXPECT_EQ(dataset->version(), 3);
    EXPECT_EQ(Read(table), Expected(kIds, "n"));
    // One more for each fragment, and none of the data's own.
    EXPECT_EQ(table.store->List("t/data", {})->size(), files + 3);
    // By address, into a table that has the column already.
    EXPECT_THAT(JoinColumns(Data(kIds, "n").get(), table, "id", "key", options, {}),
                FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_EQ(table.store->List("t/data", {})->size(), files + 3);
  }
}

TEST(JoinColumnsTest, JoinsAnewIfOthersChangedRows) {
  const auto memory = io::MakeMemoryStore();
  const io::StorePath table{.store = memory, .path = "t"};
  for (int64_t n = 0;; ++n) {
    ASSERT_OK(Write(table));
    const auto racing = std::make_shared<FaultyStore>(memory);
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      EXPECT_OK(DeleteRows(table, *expr::Filter::FromSql("id = 30"), {}, {}));
    });
    ASSERT_OK_AND_ASSIGN(
        const auto dataset,
        JoinColumns(Data(kIds, "n").get(), {.store = racing, .path = "t"}, "id", "key", {}, {}));
    if (!called) break;
    const auto latest = *Dataset::Open(table, {}, {});
    const auto count = [&](const char* filter) {
      return *latest->CountRows(*expr::Filter::FromSql(filter), {});
    };
    EXPECT_EQ(count("true"), 47) << n;
    EXPECT_EQ(count("note is not null"), 4) << n;
    EXPECT_EQ(count("note = 'n49'"), 1) << n;
  }
}

TEST(JoinColumnsTest, RefusesWhatDoesNotFit) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto refuses = [&](const std::shared_ptr<arrow::RecordBatchReader>& data,
                           const std::string& left, const std::string& right, ErrorCode code) {
    EXPECT_THAT(JoinColumns(data.get(), table, left, right, {}, {}), FailsWith(code));
  };
  refuses(Data(kIds, "n"), "id", "key", ErrorCode::kNotFound);
  ASSERT_OK(Write(table));
  const size_t files = table.store->List("t", {})->size();
  refuses(Data(kIds, "n"), "none", "key", ErrorCode::kInvalidArgument);
  refuses(Data(kIds, "n"), "id", "none", ErrorCode::kInvalidArgument);
  refuses(Data(kIds, "n"), "score", "key", ErrorCode::kInvalidArgument);
  refuses(Data({}, "n"), "id", "key", ErrorCode::kInvalidArgument);
  refuses(NumberedReader(0, 3), "id", "id", ErrorCode::kInvalidArgument);
  EXPECT_EQ(table.store->List("t", {})->size(), files);
}

}  // namespace
}  // namespace tusk::lance
