#include "tusk/iceberg/append.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/table_state.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;
using TablePtr = std::shared_ptr<const Table>;

constexpr char kLocation[] = "/lake/t";

const std::shared_ptr<arrow::Schema>& PointSchema() {
  static const auto* schema = new std::shared_ptr<arrow::Schema>(arrow::schema(
      {arrow::field("id", arrow::int64(), /*nullable=*/false), arrow::field("name", arrow::utf8()),
       arrow::field("v", arrow::fixed_size_list(arrow::float32(), 2))}));
  return *schema;
}

/// The same columns as a table gives them back.
std::shared_ptr<arrow::Schema> PointSchemaReadBack() {
  return arrow::schema({PointSchema()->field(0), PointSchema()->field(1),
                        arrow::field("v", arrow::list(arrow::field("element", arrow::float32())))});
}

std::shared_ptr<arrow::RecordBatch> Batch(const std::shared_ptr<arrow::Schema>& schema,
                                          std::string_view json) {
  const auto rows =
      arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows).ValueOrDie()->ReplaceSchemaMetadata(nullptr);
}

std::shared_ptr<arrow::RecordBatch> Points(std::string_view json) {
  return Batch(PointSchema(), json);
}

class AppendTest : public testing::Test {
 protected:
  Result<StagedMetadata> Stage(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                               const TablePtr& base, const AppendOptions& options = {},
                               std::shared_ptr<arrow::Schema> schema = PointSchema()) {
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make(batches, std::move(schema)));
    return StageAppend(reader.get(), store_, kLocation, base, options, context_);
  }

  /// Appends and opens the result.
  TablePtr Append(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                  const TablePtr& base, const AppendOptions& options = {}) {
    auto staged = Stage(batches, base, options);
    EXPECT_OK(staged);
    auto table = Table::Open(store_, staged->metadata_location, context_);
    EXPECT_OK(table);
    return *table;
  }

  Result<std::shared_ptr<arrow::Table>> Scan(const Table& table, const ScanOptions& options = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, table.Scan(options, context_));
    return reader->ToTable();
  }

  void PutFilesIntoPartition(const Table& table, const std::string& day);

  /// Ids of the rows of `table`, in the order of the scan.
  std::vector<int64_t> Ids(const Table& table, const ScanOptions& options = {}) {
    std::vector<int64_t> ids;
    const auto rows = Scan(table, options);
    EXPECT_OK(rows);
    if (!rows.ok()) return ids;
    const auto column = (*rows)->GetColumnByName("id");
    for (int64_t i = 0; i < column->length(); ++i) {
      ids.push_back(
          static_cast<const arrow::Int64Scalar&>(*column->GetScalar(i).ValueOrDie()).value);
    }
    return ids;
  }

  std::set<std::string> StoredPaths() {
    std::set<std::string> paths;
    const auto objects = store_->List("/", context_);
    for (const auto& object : objects.ValueOrDie()) paths.insert(object.path);
    return paths;
  }

  /// Puts a changed copy of the metadata of `table` beside it and gives its location.
  template <typename Change>
  std::string ChangeMetadata(const Table& table, Change change) {
    const auto bytes = store_->Get(table.metadata_location(), context_).ValueOrDie();
    Json document = Json::parse(std::string_view(*bytes));
    change(document);
    const std::string path = std::string(kLocation) + "/metadata/changed.metadata.json";
    EXPECT_OK(store_->Put(path, document.dump(), context_));
    return path;
  }

  OperationContext context_;
  std::shared_ptr<FaultyStore> store_ = std::make_shared<FaultyStore>(io::MakeMemoryStore());
};

TEST_F(AppendTest, MakesATableThatReadsBack) {
  const auto points =
      Points(R"([{"id": 1, "name": "a", "v": [0.5, 1]}, {"id": 2, "name": null, "v": null}])");
  ASSERT_OK_AND_ASSIGN(
      const StagedMetadata staged,
      Stage({points}, nullptr, {.summary = {{"who", "test"}}, .properties = {{"k", "v"}}}));
  EXPECT_THAT(staged.metadata_location,
              testing::MatchesRegex("/lake/t/metadata/00000-[0-9a-f-]{36}\\.metadata\\.json"));
  EXPECT_EQ(staged.previous_metadata_location, "");
  ASSERT_OK_AND_ASSIGN(const auto table, Table::Open(store_, staged.metadata_location, context_));
  EXPECT_EQ(table->uuid(), staged.table_uuid);
  EXPECT_EQ(table->location(), kLocation);
  EXPECT_EQ(table->current_snapshot_id(), staged.snapshot_id);
  EXPECT_EQ(table->properties().at("k"), "v");
  EXPECT_EQ(table->properties().at("tusk.fixed-size-list.3"), "2");
  ASSERT_EQ(table->snapshots().size(), 1U);
  const SnapshotInfo& snapshot = table->snapshots().front();
  EXPECT_EQ(snapshot.sequence_number, 1);
  EXPECT_GT(snapshot.snapshot_id, 0);
  EXPECT_EQ(snapshot.summary.at("operation"), "append");
  EXPECT_EQ(snapshot.summary.at("added-records"), "2");
  EXPECT_EQ(snapshot.summary.at("total-records"), "2");
  EXPECT_EQ(snapshot.summary.at("who"), "test");

  ASSERT_OK_AND_ASSIGN(const auto rows, Scan(*table));
  ASSERT_OK(rows->ValidateFull());
  ASSERT_OK_AND_ASSIGN(
      const auto expected,
      arrow::Table::FromRecordBatches({Batch(
          PointSchemaReadBack(),
          R"([{"id": 1, "name": "a", "v": [0.5, 1]}, {"id": 2, "name": null, "v": null}])")}));
  EXPECT_TRUE(rows->Equals(*expected)) << rows->ToString();
  ASSERT_OK_AND_ASSIGN(const int64_t count, table->CountRows(nullptr, {}, context_));
  EXPECT_EQ(count, 2);
}

TEST_F(AppendTest, AddsSnapshotsThatStayReadable) {
  const auto first = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  const auto second = Append({Points(R"([{"id": 2, "name": "b", "v": null}])"),
                              Points(R"([{"id": 3, "name": "c", "v": null}])")},
                             first);
  const auto third = Append({}, second);  // no rows, but a snapshot
  EXPECT_THAT(Ids(*third), testing::UnorderedElementsAre(1, 2, 3));
  ASSERT_EQ(third->snapshots().size(), 3U);
  const auto& snapshots = third->snapshots();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(snapshots[i].sequence_number, static_cast<int64_t>(i) + 1);
    if (i > 0) {
      EXPECT_EQ(snapshots[i].parent_snapshot_id, snapshots[i - 1].snapshot_id);
      EXPECT_GT(snapshots[i].timestamp_ms, snapshots[i - 1].timestamp_ms);
    }
  }
  EXPECT_EQ(snapshots[1].summary.at("added-records"), "2");
  EXPECT_EQ(snapshots[1].summary.at("total-records"), "3");
  EXPECT_FALSE(snapshots[2].summary.contains("added-records"));
  EXPECT_EQ(snapshots[2].summary.at("total-records"), "3");
  ScanOptions then;
  then.snapshot.snapshot_id = snapshots[0].snapshot_id;
  EXPECT_THAT(Ids(*third, then), ElementsAre(1));
  then.snapshot.snapshot_id = snapshots[1].snapshot_id;
  EXPECT_THAT(Ids(*third, then), testing::UnorderedElementsAre(1, 2, 3));
  then.snapshot.snapshot_id = 4711;
  EXPECT_THAT(Scan(*third, then), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(
      const int64_t count,
      third->CountRows(nullptr, {.snapshot_id = snapshots[0].snapshot_id}, context_));
  EXPECT_EQ(count, 1);
  // The file of the first state is as it was.
  EXPECT_THAT(Ids(*first), ElementsAre(1));
  EXPECT_THAT(third->metadata_location(), HasSubstr("/metadata/00002-"));
}

TEST_F(AppendTest, MakesATableWithoutRowsWithoutASnapshot) {
  const auto empty = Append({}, nullptr);
  EXPECT_EQ(empty->current_snapshot_id(), std::nullopt);
  ASSERT_OK_AND_ASSIGN(const auto rows, Scan(*empty));
  EXPECT_EQ(rows->num_rows(), 0);
  EXPECT_EQ(rows->num_columns(), 3);
  ASSERT_OK_AND_ASSIGN(const int64_t count, empty->CountRows(nullptr, {}, context_));
  EXPECT_EQ(count, 0);
  const auto filled = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, empty);
  EXPECT_THAT(Ids(*filled), ElementsAre(1));
  EXPECT_EQ(filled->snapshots().front().parent_snapshot_id, std::nullopt);
}

TEST_F(AppendTest, CutsFilesAtTheTargetSize) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < 20; ++i) {
    batches.push_back(
        Points(R"([{"id": )" + std::to_string(i) + R"(, "name": "some text", "v": [1, 2]}])"));
    ids.push_back(i);
  }
  AppendOptions options;
  options.target_file_bytes = 1;
  const auto table = Append(batches, nullptr, options);
  EXPECT_THAT(Ids(*table), testing::ElementsAreArray(ids));
  EXPECT_EQ(table->snapshots().front().summary.at("added-data-files"), "20");
  ScanOptions limited;
  limited.limit = 7;
  EXPECT_EQ(Ids(*table, limited).size(), 7U);
  limited.limit = 0;
  EXPECT_TRUE(Ids(*table, limited).empty());
}

TEST_F(AppendTest, ScansChosenColumnsInTheOrderAsked) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null},
                                        {"id": 2, "name": "b", "v": [1, 2]},
                                        {"id": 3, "name": null, "v": null}])")},
                            nullptr);
  ScanOptions options;
  options.columns = {"name", "id"};
  ASSERT_OK_AND_ASSIGN(auto rows, Scan(*table, options));
  EXPECT_THAT(rows->ColumnNames(), ElementsAre("name", "id"));
  options.columns = std::vector<std::string>{};
  ASSERT_OK_AND_ASSIGN(rows, Scan(*table, options));
  EXPECT_EQ(rows->num_rows(), 3);
  EXPECT_EQ(rows->num_columns(), 0);
  options.columns = {"nothing"};
  const auto unknown = Scan(*table, options);
  EXPECT_THAT(unknown, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(unknown.status().message(), HasSubstr("id, name, v"));
  options.columns = {"id", "id"};
  EXPECT_THAT(Scan(*table, options), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(AppendTest, AppliesFiltersOnColumnsThatAreNotGivenOut) {
  namespace cp = arrow::compute;
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null},
                                        {"id": 2, "name": "b", "v": null},
                                        {"id": 3, "name": null, "v": null},
                                        {"id": 4, "name": "b", "v": null}])")},
                            nullptr);
  ScanOptions options;
  options.filter = expr::Filter::FromArrow(cp::equal(cp::field_ref("name"), cp::literal("b")));
  options.columns = {"id"};
  EXPECT_THAT(Ids(*table, options), ElementsAre(2, 4));
  options.limit = 1;
  EXPECT_THAT(Ids(*table, options), ElementsAre(2));
  ASSERT_OK_AND_ASSIGN(const int64_t count, table->CountRows(options.filter, {}, context_));
  EXPECT_EQ(count, 2);
  options.filter = expr::Filter::FromArrow(cp::equal(cp::field_ref("no"), cp::literal("b")));
  EXPECT_THAT(Scan(*table, options), FailsWith(ErrorCode::kNotFound));
}

TEST_F(AppendTest, MatchesColumnsByName) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  // Another order, and types that are kept alike.
  const auto turned =
      arrow::schema({arrow::field("v", arrow::large_list(arrow::float16())),
                     arrow::field("name", arrow::dictionary(arrow::int8(), arrow::utf8())),
                     arrow::field("id", arrow::uint32())});
  ASSERT_OK_AND_ASSIGN(
      const auto staged,
      Stage({Batch(turned, R"([{"v": [1.5, 2.5], "name": "x", "id": 9}])")}, table, {}, turned));
  ASSERT_OK_AND_ASSIGN(const auto opened, Table::Open(store_, staged.metadata_location, context_));
  EXPECT_THAT(Ids(*opened), testing::UnorderedElementsAre(1, 9));
}

TEST_F(AppendTest, RefusesDataOfAnotherShape) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  const auto id = PointSchema()->field(0);
  const auto name = PointSchema()->field(1);
  const auto v = PointSchema()->field(2);
  const auto paths = StoredPaths();
  for (const arrow::FieldVector& fields :
       {arrow::FieldVector{id, name}, arrow::FieldVector{id, name, v, id->WithName("more")},
        arrow::FieldVector{id->WithType(arrow::int32()), name, v},
        arrow::FieldVector{id, name->WithType(arrow::binary()), v},
        arrow::FieldVector{id, name, v->WithType(arrow::fixed_size_list(arrow::float32(), 3))},
        arrow::FieldVector{id, name, v->WithType(arrow::list(arrow::float64()))}}) {
    const auto schema = arrow::schema(fields);
    EXPECT_THAT(Stage({}, table, {}, schema), FailsWith(ErrorCode::kInvalidArgument))
        << schema->ToString();
  }
  // A null in a required column shows only in the data: what was written is taken back.
  const auto loose = arrow::schema({id->WithNullable(true), name, v});
  EXPECT_THAT(Stage({Batch(loose, R"([{"id": null, "name": "a", "v": null}])")}, table, {}, loose),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(StoredPaths(), paths);
}

TEST_F(AppendTest, LeavesTheBaseReadableWhateverRequestFails) {
  const auto base = Append({Points(R"([{"id": 1, "name": "a", "v": [1, 2]}])")}, nullptr);
  const auto paths = StoredPaths();
  const auto more = Points(R"([{"id": 2, "name": "b", "v": [3, 4]}])");
  for (const bool and_all_after : {false, true}) {
    for (int64_t n = 0;; ++n) {
      store_->FailRequest(n, and_all_after);
      const auto staged = Stage({more}, base);
      const bool has_failed = store_->has_failed();
      store_->Reset();
      if (!has_failed) {
        ASSERT_OK(staged);
        ASSERT_GT(n, 5);  // a data file, a manifest, its list and the metadata were in the loop
        ASSERT_OK(AbortStaged(store_, *staged, context_));
        break;
      }
      EXPECT_THAT(staged, FailsWith(ErrorCode::kIo)) << n;
      EXPECT_THAT(Ids(*base), ElementsAre(1));
      ASSERT_OK_AND_ASSIGN(const auto again,
                           Table::Open(store_, base->metadata_location(), context_));
      EXPECT_THAT(Ids(*again), ElementsAre(1));
      // One failure is cleaned up after; with the store gone for good, leftovers stay.
      if (!and_all_after) {
        EXPECT_EQ(StoredPaths(), paths) << n;
      }
    }
  }
}

TEST_F(AppendTest, AbortRemovesAllThatWasStaged) {
  const auto base = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  const auto paths = StoredPaths();
  ASSERT_OK_AND_ASSIGN(const auto staged,
                       Stage({Points(R"([{"id": 2, "name": "b", "v": null}])")}, base));
  EXPECT_GT(StoredPaths().size(), paths.size());
  // A failure in between leaves enough to try again.
  store_->FailRequest(4);
  EXPECT_FALSE(AbortStaged(store_, staged, context_).ok());
  store_->Reset();
  EXPECT_OK(AbortStaged(store_, staged, context_));
  EXPECT_EQ(StoredPaths(), paths);
  EXPECT_OK(AbortStaged(store_, staged, context_));
  EXPECT_THAT(Ids(*base), ElementsAre(1));
}

TEST_F(AppendTest, RestagesOnTopOfALaterState) {
  const auto base = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  ASSERT_OK_AND_ASSIGN(const auto staged,
                       Stage({Points(R"([{"id": 2, "name": "b", "v": null}])")}, base));
  const auto winner = Append({Points(R"([{"id": 3, "name": "c", "v": null}])")}, base);
  ASSERT_OK_AND_ASSIGN(const auto again, Restage(store_, staged, winner, context_));
  EXPECT_EQ(again.previous_metadata_location, winner->metadata_location());
  ASSERT_OK_AND_ASSIGN(const auto table, Table::Open(store_, again.metadata_location, context_));
  EXPECT_THAT(Ids(*table), testing::UnorderedElementsAre(1, 2, 3));
  ASSERT_EQ(table->snapshots().size(), 3U);
  EXPECT_EQ(table->snapshots().back().parent_snapshot_id, winner->current_snapshot_id());
  EXPECT_EQ(table->snapshots().back().sequence_number, 3);
  EXPECT_EQ(table->snapshots().back().summary.at("total-records"), "3");
}

TEST_F(AppendTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  context_.stop = stop.get_token();
  EXPECT_THAT(Stage({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr),
              FailsWith(ErrorCode::kCancelled));
  context_.stop = {};
  EXPECT_TRUE(StoredPaths().empty());
}

TEST_F(AppendTest, DoesNotReadOutsideTheTable) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  const auto set_list = [](const std::string& path) {
    return [path](Json& document) { document["snapshots"][0]["manifest-list"] = path; };
  };
  for (const std::string path : {"/etc/passwd", "/lake/t2/metadata/x.avro", "/lake/t/../x.avro",
                                 "s3://bucket/x.avro", "relative.avro"}) {
    ASSERT_OK_AND_ASSIGN(const auto changed,
                         Table::Open(store_, ChangeMetadata(*table, set_list(path)), context_));
    const auto code = GetErrorCode(Scan(*changed).status());
    EXPECT_TRUE(code == ErrorCode::kUnsupported || code == ErrorCode::kInvalidArgument) << path;
  }
  // A table that claims to lie elsewhere.
  const auto moved = ChangeMetadata(*table, [](Json& document) { document["location"] = "/"; });
  EXPECT_FALSE(Table::Open(store_, moved, context_).ok());
}

/// Writes a manifest list, metadata/partitioned-list.avro, in which the data files of `table` are
/// in the partition `day` of spec 1.
void AppendTest::PutFilesIntoPartition(const Table& table, const std::string& day) {
  const Table::State& state = table.state();
  ASSERT_OK_AND_ASSIGN(const auto manifests,
                       ReadManifestList(state, state.metadata.snapshots.back(), context_));
  ASSERT_OK_AND_ASSIGN(auto entries, ReadManifest(state, manifests.front(), context_));
  ManifestBuilder builder(
      {.schema_json = "{}",
       .spec = {.spec_id = 1,
                .fields = {{.source_id = 9, .field_id = 1000, .name = "day", .transform = {}}}},
       .partition_fields = {WithFieldId(arrow::field("day", arrow::int32()), 1000)}});
  for (ManifestEntry& entry : entries) {
    entry.file.partition[1000] = day;
    ASSERT_OK(builder.Append(entry));
  }
  ManifestFile listed = manifests.front();
  listed.path = "/lake/t/metadata/partitioned.avro";
  ASSERT_OK_AND_ASSIGN(const std::string manifest, builder.Finish(1, &listed));
  ASSERT_OK(store_->Put(listed.path, manifest, context_));
  ASSERT_OK_AND_ASSIGN(const std::string list, FormatManifestList({listed}, 1, std::nullopt, 1));
  ASSERT_OK(store_->Put("/lake/t/metadata/partitioned-list.avro", list, context_));
}

TEST_F(AppendTest, TakesAMissingColumnFromThePartition) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  // A column that no file has, in a table that is partitioned by it or is not.
  const auto add_column = [](Json& document) {
    document["schemas"][0]["fields"].push_back(
        Json{{"id", 9}, {"name", "day"}, {"required", false}, {"type", "int"}});
  };
  ASSERT_OK_AND_ASSIGN(const auto widened,
                       Table::Open(store_, ChangeMetadata(*table, add_column), context_));
  ASSERT_OK_AND_ASSIGN(const auto rows, Scan(*widened));
  EXPECT_EQ(rows->GetColumnByName("day")->null_count(), 1);
  const auto partition_by_it = [&](Json& document) {
    add_column(document);
    document["partition-specs"].push_back(Json{
        {"spec-id", 1},
        {"fields",
         Json::array({Json{
             {"name", "day"}, {"transform", "identity"}, {"source-id", 9}, {"field-id", 1000}}})}});
    document["snapshots"][0]["manifest-list"] = "/lake/t/metadata/partitioned-list.avro";
  };
  PutFilesIntoPartition(*table, "\7\0\0\0"s);
  ASSERT_OK_AND_ASSIGN(const auto partitioned,
                       Table::Open(store_, ChangeMetadata(*table, partition_by_it), context_));
  ASSERT_OK_AND_ASSIGN(const auto told, Scan(*partitioned));
  const auto expected = arrow::json::ArrayFromJSONString(arrow::int32(), "[7]").ValueOrDie();
  EXPECT_TRUE(told->GetColumnByName("day")->chunk(0)->Equals(*expected));
  ScanOptions others;
  others.columns = {"id"};
  EXPECT_THAT(Ids(*partitioned, others), ElementsAre(1));
}

TEST_F(AppendTest, NamesWhatItDoesNotCoverYet) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": null}])")}, nullptr);
  const auto partitioned = ChangeMetadata(*table, [](Json& document) {
    document["partition-specs"][0]["fields"] = Json::array(
        {Json{{"name", "id"}, {"transform", "zigzag"}, {"source-id", 1}, {"field-id", 1000}}});
  });
  ASSERT_OK_AND_ASSIGN(const auto base, Table::Open(store_, partitioned, context_));
  EXPECT_THAT(Ids(*base), ElementsAre(1));
  const auto refused = Stage({Points("[]")}, base);
  EXPECT_THAT(refused, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(refused.status().message(), HasSubstr("zigzag"));

  EXPECT_THAT(Table::Open(store_, "/lake/t/metadata/1.gz.metadata.json", context_),
              FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Table::Open(store_, "/lake/t/metadata/none.metadata.json", context_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(AppendTest, ReportsDamagedDataFiles) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": [1, 2]}])")}, nullptr);
  std::string data_path;
  for (const std::string& path : StoredPaths()) {
    if (path.ends_with(".parquet")) data_path = path;
  }
  const auto whole = store_->Get(data_path, context_).ValueOrDie()->ToString();
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_OK(store_->Put(data_path, whole.substr(0, size), context_));
    const auto rows = Scan(*table);
    EXPECT_THAT(rows, FailsWith(ErrorCode::kCorrupt)) << size;
    EXPECT_THAT(rows.status().message(), HasSubstr(data_path)) << size;
  }
}

TEST_F(AppendTest, NamesAManifestThatWasCutShort) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": [1, 2]}])")}, nullptr);
  const auto plan = [&]() -> Result<std::shared_ptr<arrow::Table>> {
    ARROW_ASSIGN_OR_RAISE(const auto files, table->PlanFiles({}, context_));
    return files->ToTable();
  };
  // Of a list nobody says how long it is: where it ends between two blocks it may be whole.
  for (const std::string& path : StoredPaths()) {
    if (!path.ends_with("-m0.avro")) continue;
    const auto whole = store_->Get(path, context_).ValueOrDie()->ToString();
    for (size_t size = 0; size < whole.size(); ++size) {
      ASSERT_OK(store_->Put(path, whole.substr(0, size), context_));
      for (const Status& error :
           {Scan(*table).status(), plan().status(),
            table->ReadMetadata(MetadataTable::kFiles, {}, context_).status()}) {
        EXPECT_THAT(error, FailsWith(ErrorCode::kCorrupt)) << size;
        EXPECT_THAT(error.message(), HasSubstr(path)) << size;
      }
    }
    ASSERT_OK(store_->Put(path, whole, context_));
  }
}

TEST_F(AppendTest, SurvivesFlippedBytes) {
  const auto table = Append({Points(R"([{"id": 1, "name": "a", "v": [1, 2]},
                                        {"id": 2, "name": null, "v": null}])")},
                            nullptr);
  for (const std::string& path : StoredPaths()) {
    const auto whole = store_->Get(path, context_).ValueOrDie()->ToString();
    for (size_t i = 0; i < whole.size(); i += 3) {
      constexpr char kMasks[] = {'\x01', '\x40', '\xFF'};
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ kMasks[i / 3 % 3]);
      ASSERT_OK(store_->Put(path, damaged, context_));
      // An answer of the declared types or an error; what a damaged value says nobody can check.
      const auto opened = Table::Open(store_, table->metadata_location(), context_);
      if (!opened.ok()) continue;
      const auto rows = Scan(**opened);
      if (rows.ok()) {
        EXPECT_OK((*rows)->ValidateFull()) << path << " " << i;
      }
    }
    ASSERT_OK(store_->Put(path, whole, context_));
  }
}

}  // namespace
}  // namespace tusk::iceberg
