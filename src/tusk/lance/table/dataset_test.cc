#include "tusk/lance/dataset.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <random>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <arrow/util/iterator.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

std::vector<int64_t> Range(int64_t begin, int64_t end) {
  std::vector<int64_t> ids(std::max<int64_t>(0, end - begin));
  std::iota(ids.begin(), ids.end(), begin);
  return ids;
}

/// Tables keep their promises on every store; the parameter says whether it is the local one.
class DatasetTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      table_ = {.store = io::MakeLocalStore({.durable = false}), .path = folder_ / "table"};
    } else {
      table_ = {.store = io::MakeMemoryStore(), .path = "table"};
    }
  }

  Result<std::shared_ptr<const Dataset>> Write(std::shared_ptr<arrow::RecordBatchReader> data,
                                               WriteOptions options = {}) {
    return WriteDataset(data.get(), table_, options, context_);
  }
  /// Rows [begin, end) in files of `file_rows`.
  Result<std::shared_ptr<const Dataset>> Write(int64_t begin, int64_t end, WriteMode mode,
                                               int64_t file_rows = 1 << 20) {
    return Write(NumberedReader(begin, end), {.mode = mode, .max_rows_per_file = file_rows});
  }
  std::shared_ptr<const Dataset> Open(OpenOptions options = {}) {
    return Dataset::Open(table_, options, context_).ValueOrDie();
  }
  std::shared_ptr<arrow::Table> Scan(const Dataset& dataset, const ScanOptions& options = {}) {
    return dataset.Scan(options, context_).ValueOrDie()->ToTable().ValueOrDie();
  }
  size_t CountObjects() { return table_.store->List(table_.path, context_)->size(); }

  TemporaryFolder folder_;
  io::StorePath table_;
  OperationContext context_;
};

/// `table` has the rows with these ids, in this order, and all their values.
void ExpectRows(const arrow::Table& table, const std::vector<int64_t>& ids) {
  const auto expected = arrow::Table::FromRecordBatches({NumberedRows(ids)}).ValueOrDie();
  ASSERT_EQ(table.num_rows(), expected->num_rows());
  for (const auto& field : table.schema()->fields()) {
    const auto column = expected->GetColumnByName(field->name());
    ASSERT_NE(column, nullptr) << field->name();
    EXPECT_TRUE(table.GetColumnByName(field->name())->Equals(*column)) << field->name();
  }
}

TEST_P(DatasetTest, ReadsBackWhatWasWritten) {
  for (const int64_t rows : {0, 1, 299, 300, 301, 5000}) {
    ASSERT_OK_AND_ASSIGN(const auto written, Write(0, rows, WriteMode::kOverwrite, 300));
    EXPECT_EQ(written->num_fragments(), (rows + 299) / 300);
    const auto dataset = Open();
    EXPECT_EQ(dataset->version(), written->version());
    EXPECT_TRUE(dataset->schema()->Equals(*NumberedSchema()));
    ASSERT_OK_AND_ASSIGN(const int64_t count, dataset->CountRows(nullptr, context_));
    EXPECT_EQ(count, rows);
    ExpectRows(*Scan(*dataset), Range(0, rows));
  }
}

TEST_P(DatasetTest, WritesSlicesOfArrays) {
  const auto slice = NumberedRows(0, 1000)->Slice(123, 457);
  ASSERT_OK_AND_ASSIGN(auto reader, arrow::RecordBatchReader::Make({slice}));
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(reader, {.max_rows_per_file = 100}));
  ExpectRows(*Scan(*dataset), Range(123, 580));
}

TEST_P(DatasetTest, KeepsEveryVersion) {
  ASSERT_OK(Write(0, 100, WriteMode::kCreate));
  ASSERT_OK(Write(100, 150, WriteMode::kAppend));
  ASSERT_OK(Write(500, 510, WriteMode::kOverwrite));
  ASSERT_OK(Write(510, 520, WriteMode::kAppend));
  ExpectRows(*Scan(*Open({.version = 1})), Range(0, 100));
  ExpectRows(*Scan(*Open({.version = 2})), Range(0, 150));
  ExpectRows(*Scan(*Open({.version = 3})), Range(500, 510));
  const auto latest = Open();
  EXPECT_EQ(latest->version(), 4);
  ExpectRows(*Scan(*latest), Range(500, 520));
  EXPECT_THAT(Dataset::Open(table_, {.version = 5}, context_), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto versions, latest->ListVersions(context_));
  ASSERT_EQ(versions.size(), 4);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(versions[i].version, i + 1);
    EXPECT_GT(versions[i].timestamp_us, 1'700'000'000'000'000);
  }
  EXPECT_EQ(versions[1].metadata.at("total_rows"), "150");
  EXPECT_EQ(versions[1].metadata.at("total_fragments"), "2");
  ASSERT_OK_AND_ASSIGN(const uint64_t newest, Open({.version = 1})->LatestVersion(context_));
  EXPECT_EQ(newest, 4);
}

TEST_P(DatasetTest, RefusesColumnNamesThatReadersCannotRead) {
  for (const char* name : {"_rowid", "_rowaddr", "_rowoffset", "_row_created_at_version",
                           "_row_last_updated_at_version", "a.b", ".", "a."}) {
    ASSERT_OK_AND_ASSIGN(auto reader,
                         arrow::RecordBatchReader::MakeFromIterator(
                             arrow::MakeEmptyIterator<std::shared_ptr<arrow::RecordBatch>>(),
                             arrow::schema({arrow::field(name, arrow::int64())})));
    EXPECT_THAT(Write(reader, {}), FailsWith(ErrorCode::kInvalidArgument)) << name;
  }
  EXPECT_EQ(CountObjects(), 0);
}

TEST_P(DatasetTest, RefusesTheWrongMode) {
  EXPECT_THAT(Write(0, 1, WriteMode::kAppend), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Dataset::Open(table_, {}, context_), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK(Write(0, 1, WriteMode::kCreate));
  const size_t objects = CountObjects();
  EXPECT_THAT(Write(0, 1, WriteMode::kCreate), FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_THAT(Write(NumberedReader(0, 1), {.mode = WriteMode::kAppend, .config = {{"k", "v"}}}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(
      Write(NumberedReader(0, 1), {.mode = WriteMode::kAppend, .enable_stable_row_ids = true}),
      FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(
      Write(NumberedReader(0, 1), {.mode = WriteMode::kAppend, .data_storage_version = "2.3"}),
      FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Write(NumberedReader(0, 1), {.mode = WriteMode::kAppend, .max_rows_per_file = 0}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(CountObjects(), objects);
}

TEST_P(DatasetTest, AppendsByName) {
  ASSERT_OK(Write(0, 10, WriteMode::kCreate));
  const auto rows = NumberedRows(10, 20);
  ASSERT_OK_AND_ASSIGN(const auto reordered, rows->SelectColumns({4, 2, 0, 1, 3}));
  ASSERT_OK_AND_ASSIGN(auto reader, arrow::RecordBatchReader::Make({reordered}));
  ASSERT_OK_AND_ASSIGN(auto dataset, Write(reader, {.mode = WriteMode::kAppend}));
  ExpectRows(*Scan(*dataset), Range(0, 20));

  ASSERT_OK_AND_ASSIGN(const auto part, NumberedRows(20, 30)->SelectColumns({0, 3}));
  ASSERT_OK_AND_ASSIGN(reader, arrow::RecordBatchReader::Make({part}));
  ASSERT_OK_AND_ASSIGN(dataset, Write(reader, {.mode = WriteMode::kAppend}));
  const auto table = Scan(*dataset);
  ExpectRows(*table->SelectColumns({0, 3}).ValueOrDie(), Range(0, 30));
  EXPECT_EQ(table->GetColumnByName("vector")->Slice(20)->null_count(), 10);
  EXPECT_EQ(table->GetColumnByName("name")->Slice(20)->null_count(), 10);
}

TEST_P(DatasetTest, RefusesToAppendWhatDoesNotFit) {
  ASSERT_OK(Write(0, 10, WriteMode::kCreate));
  const size_t objects = CountObjects();
  const auto append = [&](std::shared_ptr<arrow::RecordBatch> batch) {
    auto reader = arrow::RecordBatchReader::Make({std::move(batch)}).ValueOrDie();
    return Write(reader, {.mode = WriteMode::kAppend}).status();
  };
  const auto rows = NumberedRows(10, 20);
  EXPECT_THAT(append(rows->RemoveColumn(0).ValueOrDie()), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(append(rows->AddColumn(1, "other", rows->column(0)).ValueOrDie()),
              FailsWith(ErrorCode::kInvalidArgument));
  const Status type = append(
      rows->SetColumn(3, arrow::field("score", arrow::int64()), rows->column(0)).ValueOrDie());
  EXPECT_THAT(type, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(type.message(), HasSubstr("'score' should have type double but has type int64"));
  arrow::Int64Builder ids;
  ASSERT_OK(ids.AppendNulls(10));
  const Status nulls =
      append(rows->SetColumn(0, arrow::field("id", arrow::int64()), ids.Finish().ValueOrDie())
                 .ValueOrDie());
  EXPECT_THAT(nulls, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(nulls.message(), HasSubstr("'id' must not be null"));
  EXPECT_EQ(CountObjects(), objects);
}

TEST_P(DatasetTest, OverwritesWithAnotherSchema) {
  ASSERT_OK(Write(0, 10, WriteMode::kCreate));
  ASSERT_OK_AND_ASSIGN(const auto batch, NumberedRows(0, 5)->SelectColumns({3}));
  ASSERT_OK_AND_ASSIGN(auto reader, arrow::RecordBatchReader::Make({batch}));
  ASSERT_OK(Write(reader, {.mode = WriteMode::kOverwrite, .config = {{"tusk.lake", "x"}}}));
  const auto dataset = Open();
  EXPECT_EQ(dataset->schema()->num_fields(), 1);
  EXPECT_EQ(dataset->config().at("tusk.lake"), "x");
  ExpectRows(*Scan(*dataset), Range(0, 5));
  ExpectRows(*Scan(*Open({.version = 1})), Range(0, 10));
}

TEST_P(DatasetTest, ScansAnyWindowInAnyBatchSize) {
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(0, 1000, WriteMode::kCreate, 170));
  for (const int64_t offset : {0, 1, 169, 170, 171, 500, 999, 1000, 2000}) {
    for (const int64_t limit : {0, 1, 170, 333, 5000}) {
      for (const int64_t batch_rows : {1, 64, 170, 10'000}) {
        if (batch_rows == 1 && limit > 200) continue;
        ScanOptions options;
        options.limit = limit;
        options.offset = offset;
        options.batch_rows = batch_rows;
        ASSERT_OK_AND_ASSIGN(auto reader, dataset->Scan(options, context_));
        ASSERT_OK_AND_ASSIGN(const auto batches, reader->ToRecordBatches());
        for (const auto& batch : batches) {
          EXPECT_GT(batch->num_rows(), 0);
          EXPECT_LE(batch->num_rows(), batch_rows);
        }
        ASSERT_OK_AND_ASSIGN(const auto table,
                             arrow::Table::FromRecordBatches(dataset->schema(), batches));
        ExpectRows(*table, Range(offset, std::min<int64_t>(1000, offset + limit)));
      }
    }
  }
}

TEST_P(DatasetTest, CutsBatchesByBytes) {
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(0, 2000, WriteMode::kCreate));
  ScanOptions options;
  options.batch_bytes = 1000;
  ASSERT_OK_AND_ASSIGN(auto reader, dataset->Scan(options, context_));
  ASSERT_OK_AND_ASSIGN(const auto batches, reader->ToRecordBatches());
  EXPECT_GT(batches.size(), 20);
  ASSERT_OK_AND_ASSIGN(const auto table, arrow::Table::FromRecordBatches(batches));
  ExpectRows(*table, Range(0, 2000));
}

TEST_P(DatasetTest, ScansChosenColumnsInTheOrderAsked) {
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(0, 100, WriteMode::kCreate, 30));
  ScanOptions options;
  options.columns = {"vector", "id"};
  const auto table = Scan(*dataset, options);
  EXPECT_EQ(table->schema()->field_names(), *options.columns);
  ExpectRows(*table, Range(0, 100));
  options.columns = std::vector<std::string>();
  EXPECT_EQ(Scan(*dataset, options)->num_rows(), 100);
  options.columns = {"id", "nothing"};
  EXPECT_THAT(dataset->Scan(options, context_), FailsWith(ErrorCode::kNotFound));
  options.columns = {"id", "id"};
  EXPECT_THAT(dataset->Scan(options, context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_P(DatasetTest, FiltersLikeAPlainLoop) {
  namespace cp = arrow::compute;
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(0, 1000, WriteMode::kCreate, 130));
  struct Case {
    cp::Expression expression;
    std::function<bool(int64_t)> keeps;
  };
  const Case cases[] = {
      {cp::less(cp::field_ref("id"), cp::literal(int64_t{77})), [](int64_t id) { return id < 77; }},
      {cp::field_ref("flag"), [](int64_t id) { return id % 3 != 0 && id % 2 == 0; }},
      {cp::is_null(cp::field_ref("name")), [](int64_t id) { return id % 5 == 0; }},
      {cp::and_(cp::greater(cp::field_ref("score"), cp::literal(100.0)),
                cp::equal(cp::field_ref("name"), cp::literal("row 777"))),
       [](int64_t id) { return id == 777; }},
      {cp::greater_equal(cp::field_ref("id"), cp::literal(int64_t{0})),
       [](int64_t) { return true; }},
      {cp::less(cp::field_ref("id"), cp::literal(int64_t{0})), [](int64_t) { return false; }}};
  for (const Case& one : cases) {
    std::vector<int64_t> kept;
    for (int64_t id = 0; id < 1000; ++id) {
      if (one.keeps(id)) kept.push_back(id);
    }
    ScanOptions options;
    options.filter = expr::Filter::FromArrow(one.expression);
    options.batch_rows = 64;
    ExpectRows(*Scan(*dataset, options), kept);
    ASSERT_OK_AND_ASSIGN(const int64_t count, dataset->CountRows(options.filter, context_));
    EXPECT_EQ(count, std::ssize(kept));
    options.columns = {"vector"};
    options.offset = 3;
    options.limit = 20;
    const size_t begin = std::min<size_t>(3, kept.size());
    const size_t end = std::min<size_t>(23, kept.size());
    ExpectRows(*Scan(*dataset, options), {kept.begin() + begin, kept.begin() + end});
  }
  ScanOptions options;
  options.filter = expr::Filter::FromArrow(cp::is_null(cp::field_ref("nothing")));
  EXPECT_THAT(dataset->Scan(options, context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_P(DatasetTest, TakesRowsInTheOrderAsked) {
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(0, 1000, WriteMode::kCreate, 130));
  std::mt19937 random(3);
  for (const size_t count : {0, 1, 2, 50, 3000}) {
    std::vector<int64_t> rows(count);
    for (int64_t& row : rows) row = static_cast<int64_t>(random() % 1000);
    ASSERT_OK_AND_ASSIGN(const auto table, dataset->Take(rows, {}, context_));
    ExpectRows(*table, rows);
  }
  const std::vector<int64_t> rows = {999, 0, 999, 130, 129, 0};
  ASSERT_OK_AND_ASSIGN(
      const auto table,
      dataset->Take(rows, {.columns = std::vector<std::string>{"name"}}, context_));
  EXPECT_EQ(table->num_columns(), 1);
  ExpectRows(*table, rows);
  ASSERT_OK_AND_ASSIGN(const auto no_columns,
                       dataset->Take(rows, {.columns = std::vector<std::string>{}}, context_));
  EXPECT_EQ(no_columns->num_columns(), 0);
  EXPECT_EQ(no_columns->num_rows(), 6);
  for (const int64_t bad : {int64_t{-1}, int64_t{1000}}) {
    EXPECT_THAT(dataset->Take({{bad}}, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
}

std::vector<uint64_t> UInt64Column(const arrow::Table& table, const std::string& name) {
  std::vector<uint64_t> values;
  for (const auto& chunk : table.GetColumnByName(name)->chunks()) {
    const auto& array = static_cast<const arrow::UInt64Array&>(*chunk);
    for (int64_t i = 0; i < array.length(); ++i) values.push_back(array.Value(i));
  }
  return values;
}

TEST_P(DatasetTest, TellsRowIdsAndAddresses) {
  for (const bool stable : {false, true}) {
    table_.path += "-again";
    ASSERT_OK(
        Write(NumberedReader(0, 5), {.max_rows_per_file = 3, .enable_stable_row_ids = stable}));
    ASSERT_OK_AND_ASSIGN(const auto dataset, Write(5, 7, WriteMode::kAppend));
    EXPECT_EQ(dataset->has_stable_row_ids(), stable);
    ScanOptions options;
    options.with_row_id = true;
    options.with_row_address = true;
    const auto table = Scan(*dataset, options);
    EXPECT_EQ(table->num_columns(), NumberedSchema()->num_fields() + 2);
    constexpr uint64_t kFragment = uint64_t{1} << 32;
    const std::vector<uint64_t> addresses = {
        0, 1, 2, kFragment, kFragment + 1, 2 * kFragment, 2 * kFragment + 1};
    EXPECT_EQ(UInt64Column(*table, "_rowaddr"), addresses);
    EXPECT_EQ(UInt64Column(*table, "_rowid"),
              stable ? std::vector<uint64_t>({0, 1, 2, 3, 4, 5, 6}) : addresses);
    const std::vector<int64_t> rows = {6, 2, 3};
    ASSERT_OK_AND_ASSIGN(
        const auto taken,
        dataset->Take(rows, {.columns = std::vector<std::string>{"_rowid", "id"}}, context_));
    EXPECT_EQ(UInt64Column(*taken, "_rowid"),
              stable ? std::vector<uint64_t>({6, 2, 3})
                     : std::vector<uint64_t>({2 * kFragment + 1, 2, kFragment}));
  }
}

TEST_P(DatasetTest, LeavesOutDeletedRows) {
  // A deletion file of pylance: those below 10,000, every third and every seventh row are gone.
  ASSERT_OK(Write(0, 20'000, WriteMode::kCreate));
  std::ifstream file(TUSK_CORPUS_DIR "/lance_table/pylance_deletions.bin", std::ios::binary);
  const std::string deletions(std::istreambuf_iterator<char>(file), {});
  std::vector<int64_t> live;
  for (int64_t id = 10'000; id < 20'000; ++id) {
    if (id % 3 != 0 && id % 7 != 0) live.push_back(id);
  }
  ASSERT_OK_AND_ASSIGN(Manifest manifest,
                       ReadManifest(table_, ManifestPath(1, ManifestNaming::kV2), context_));
  manifest.version = 2;
  manifest.reader_flags |= kFlagDeletionFiles;
  manifest.writer_flags |= kFlagDeletionFiles;
  manifest.fragments[0].deletion_file.emplace();
  manifest.fragments[0].deletion_file->type = DeletionFile::Type::kBitmap;
  manifest.fragments[0].deletion_file->read_version = 1;
  manifest.fragments[0].deletion_file->id = 9;
  manifest.fragments[0].deletion_file->num_deleted_rows = 20'000 - live.size();
  ASSERT_OK(table_.store->Put(table_.path + "/_deletions/0-1-9.bin", deletions, context_));
  ASSERT_OK(table_.store->Put(io::JoinPath(table_.path, ManifestPath(2, ManifestNaming::kV2)),
                              SerializeManifestFile(&manifest, "", ""), context_));
  // Rows that are appended stand behind them.
  ASSERT_OK_AND_ASSIGN(const auto dataset, Write(20'000, 20'100, WriteMode::kAppend));
  for (const int64_t id : Range(20'000, 20'100)) live.push_back(id);

  ASSERT_OK_AND_ASSIGN(const int64_t count, dataset->CountRows(nullptr, context_));
  EXPECT_EQ(count, std::ssize(live));
  ExpectRows(*Scan(*dataset), live);
  ScanOptions options;
  options.offset = 100;
  options.limit = 333;
  options.batch_rows = 50;
  ExpectRows(*Scan(*dataset, options), {live.begin() + 100, live.begin() + 433});
  const std::vector<int64_t> rows = {0, 5000, 1, 1, std::ssize(live) - 1};
  std::vector<int64_t> taken;
  for (const int64_t row : rows) taken.push_back(live[row]);
  ASSERT_OK_AND_ASSIGN(const auto table, dataset->Take(rows, {}, context_));
  ExpectRows(*table, taken);
  EXPECT_THAT(dataset->Take({{std::ssize(live)}}, {}, context_),
              FailsWith(ErrorCode::kInvalidArgument));
  // A row keeps the address that it had.
  options = {};
  options.columns = {"_rowid", "id"};
  namespace cp = arrow::compute;
  options.filter =
      expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(int64_t{10'010})));
  EXPECT_EQ(UInt64Column(*Scan(*dataset, options), "_rowid"),
            (std::vector<uint64_t>{10'000, 10'001, 10'004, 10'006, 10'007, 10'009}));
}

TEST_P(DatasetTest, KeepsSchemaMetadata) {
  const auto metadata = arrow::key_value_metadata({"who"}, {"me"});
  const auto batch = NumberedRows(0, 3)->ReplaceSchemaMetadata(metadata);
  ASSERT_OK_AND_ASSIGN(auto reader, arrow::RecordBatchReader::Make({batch}));
  ASSERT_OK(Write(reader));
  ASSERT_OK(Write(3, 5, WriteMode::kAppend));
  EXPECT_TRUE(Open()->schema()->Equals(*batch->schema(), /*check_metadata=*/true));
}

TEST_P(DatasetTest, StopsAndLeavesTheTableAsItWas) {
  ASSERT_OK(Write(0, 10, WriteMode::kCreate));
  const size_t objects = CountObjects();
  std::stop_source stop;
  stop.request_stop();
  OperationContext stopped = context_;
  stopped.stop = stop.get_token();
  const auto reader = NumberedReader(10, 20);
  EXPECT_THAT(WriteDataset(reader.get(), table_, {.mode = WriteMode::kAppend}, stopped),
              FailsWith(ErrorCode::kCancelled));
  EXPECT_EQ(CountObjects(), objects);
  ASSERT_OK_AND_ASSIGN(auto scan, Open()->Scan({}, stopped));
  EXPECT_THAT(scan->Next(), FailsWith(ErrorCode::kCancelled));
}

/// Gives some batches and then an error, as a user's generator may.
class FailingReader final : public arrow::RecordBatchReader {
 public:
  std::shared_ptr<arrow::Schema> schema() const override { return NumberedSchema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (calls_++ == 3) return arrow::Status::UnknownError("the source broke");
    *batch = NumberedRows(0, 1000);
    return arrow::Status::OK();
  }

 private:
  int calls_ = 0;
};

TEST_P(DatasetTest, LeavesNothingWhenTheSourceBreaks) {
  FailingReader reader;
  const auto written = WriteDataset(&reader, table_, {.max_rows_per_file = 700}, context_);
  EXPECT_THAT(written.status().message(), HasSubstr("the source broke"));
  EXPECT_EQ(CountObjects(), 0);
}

TEST_P(DatasetTest, NamesTheDataFileThatIsMissingOrOfAnotherTable) {
  ASSERT_OK(Write(0, 10, WriteMode::kCreate));
  ASSERT_OK_AND_ASSIGN(const auto objects,
                       table_.store->List(io::JoinPath(table_.path, "data"), context_));
  ASSERT_EQ(objects.size(), 1);
  ASSERT_OK_AND_ASSIGN(const auto bytes, table_.store->Get(objects[0].path, context_));
  ASSERT_OK(table_.store->Delete(objects[0].path, context_));
  ASSERT_OK_AND_ASSIGN(auto scan, Open()->Scan({}, context_));
  const Status missing = scan->Next().status();
  EXPECT_THAT(missing, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(missing.message(), HasSubstr(objects[0].path));

  ASSERT_OK(Write(0, 11, WriteMode::kOverwrite));
  ASSERT_OK_AND_ASSIGN(const auto others,
                       table_.store->List(io::JoinPath(table_.path, "data"), context_));
  ASSERT_EQ(others.size(), 1);
  ASSERT_OK(table_.store->Put(others[0].path, std::string_view(*bytes), context_));
  ASSERT_OK_AND_ASSIGN(scan, Open()->Scan({}, context_));
  EXPECT_THAT(scan->Next(), FailsWith(ErrorCode::kCorrupt));
}

INSTANTIATE_TEST_SUITE_P(, DatasetTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Local" : "Memory"; });

}  // namespace
}  // namespace tusk::lance
