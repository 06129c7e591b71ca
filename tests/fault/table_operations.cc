#include "table_operations.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <arrow/api.h>
#include <arrow/pretty_print.h>
#include <gtest/gtest.h>

#include "tusk/expr/filter.h"
#include "tusk/lance/change_columns.h"
#include "tusk/lance/cleanup.h"
#include "tusk/lance/compact.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/lance/join_columns.h"
#include "tusk/lance/merge_insert.h"
#include "tusk/lance/refs.h"
#include "tusk/lance/table/commit.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/transactions.h"
#include "tusk/lance/update_values.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using Work = TableOperation::Work;

const OperationContext kContext;

io::StorePath CloneOf(const io::StorePath& table) {
  return {.store = table.store, .path = table.path + "-clone"};
}

std::shared_ptr<const expr::Filter> Where(std::string_view sql) {
  return expr::Filter::FromSql(sql).ValueOrDie();
}

Status Write(const io::StorePath& table, int64_t begin, int64_t end, WriteOptions options) {
  options.max_rows_per_file = 20;
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, options, kContext).status();
}

Status Append(const io::StorePath& table) {
  return Write(table, 50, 90, {.mode = WriteMode::kAppend});
}

Status Delete(const io::StorePath& table, std::string_view where) {
  return DeleteRows(table, Where(where), {}, kContext).status();
}

Status Commit(const io::StorePath& table, const std::string& operation) {
  return CommitTransaction(table, R"({"operation": )" + operation + "}", nullptr, {}, kContext)
      .status();
}

/// Rows 3 to 50 in three fragments, the first with a deletion file: versions 1 and 2.
Work Table(WriteOptions options = {}) {
  return [options](const io::StorePath& table) {
    ARROW_RETURN_NOT_OK(Write(table, 0, 50, options));
    return Delete(table, "id < 3");
  };
}

Status TableWithTag(const io::StorePath& table) {
  ARROW_RETURN_NOT_OK(Table()(table));
  return CreateTag(table, "first", {.version = 1}, kContext);
}

Status MakeBranch(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, kContext));
  return CreateBranch(*dataset, "side", kContext).status();
}

Status TableWithBranch(const io::StorePath& table) {
  ARROW_RETURN_NOT_OK(Table()(table));
  ARROW_RETURN_NOT_OK(MakeBranch(table));
  ARROW_ASSIGN_OR_RAISE(const io::StorePath branch, BranchLocation(table, "side"));
  return Write(branch, 90, 100, {.mode = WriteMode::kAppend});
}

/// A table that cleans itself up: of each version only what is newest stays.
Status TidyTable(const io::StorePath& table) {
  const WriteOptions options{.config = {{"lance.auto_cleanup.interval", "1"},
                                        {"lance.auto_cleanup.retain_versions", "1"}}};
  return Write(table, 0, 50, options);
}

/// Rows with the columns of NumberedRows, in which 10 to 30 have other values than the table's.
std::shared_ptr<arrow::RecordBatchReader> OtherRows() {
  const auto rows = NumberedRows(10, 60);
  auto columns = rows->columns();
  columns[3] = NumberedRows(110, 160)->column(3);
  const auto batch = arrow::RecordBatch::Make(rows->schema(), rows->num_rows(), columns);
  return arrow::RecordBatchReader::Make({batch->Slice(0, 20), batch->Slice(20)}, batch->schema())
      .ValueOrDie();
}

MergeInsertOptions Upsert() {
  MergeInsertOptions options;
  options.on = {"id"};
  options.when_matched = WhenMatched::kUpdate;
  options.insert_not_matched = true;
  options.delete_not_matched_by_source = true;
  options.delete_condition = Where("id > 5");
  return options;
}

Work Merge(int64_t source_bytes_in_memory) {
  return [source_bytes_in_memory](const io::StorePath& table) {
    MergeInsertOptions options = Upsert();
    options.source_bytes_in_memory = source_bytes_in_memory;
    return MergeInsert(OtherRows().get(), table, options, kContext).status();
  };
}

/// Writes one column anew, in the two fragments with matches.
Status MergeIntoColumns(const io::StorePath& table) {
  const auto rows = NumberedRows(10, 30);
  const auto scores = NumberedRows(110, 130)->column(3);
  const auto schema = arrow::schema({rows->schema()->field(0), rows->schema()->field(3)});
  const auto batch = arrow::RecordBatch::Make(schema, 20, {rows->column(0), scores});
  ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::RecordBatchReader::Make({batch}));
  MergeInsertOptions options;
  options.on = {"id"};
  options.when_matched = WhenMatched::kUpdate;
  options.write_mode = MergeWriteMode::kRewriteColumns;
  return MergeInsert(reader.get(), table, options, kContext).status();
}

Status MergeInTwoSteps(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(const auto prepared,
                        PrepareMergeInsert(OtherRows().get(), table, Upsert(), kContext));
  return CommitTransaction(table, prepared.transaction, nullptr, {}, kContext).status();
}

std::shared_ptr<arrow::RecordBatch> Numbers(const std::string& name, int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) EXPECT_OK(builder.Append(i * i));
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, arrow::int64())}), count,
                                  {builder.Finish().ValueOrDie()});
}

Work Join(int64_t source_bytes_in_memory) {
  return [source_bytes_in_memory](const io::StorePath& table) -> Status {
    const auto ids = NumberedRows(5, 25);
    const auto schema = arrow::schema({ids->schema()->field(0), arrow::field("n", arrow::int64())});
    const auto batch =
        arrow::RecordBatch::Make(schema, 20, {ids->column(0), Numbers("n", 20)->column(0)});
    ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::RecordBatchReader::Make({batch}));
    JoinColumnsOptions options;
    options.source_bytes_in_memory = source_bytes_in_memory;
    return JoinColumns(reader.get(), table, "id", "id", options, kContext).status();
  };
}

Status AddGivenColumns(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(const auto base, Dataset::Open(table, {}, kContext));
  ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::RecordBatchReader::Make({Numbers("n", 47)}));
  return AddColumnsFrom(*base, reader.get(), {}, kContext).status();
}

Status Alter(const io::StorePath& table) {
  const ColumnAlteration change{
      .path = "id", .name = "number", .nullable = {}, .type = arrow::int32()};
  return AlterColumns(table, {change}, {}, kContext).status();
}

Status CompactInThreeSteps(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(const auto base, Dataset::Open(table, {}, kContext));
  ARROW_ASSIGN_OR_RAISE(const auto tasks, PlanCompaction(*base, {}, kContext));
  std::vector<CompactedFragments> done;
  for (const CompactionTask& task : tasks) {
    ARROW_ASSIGN_OR_RAISE(done.emplace_back(), ExecuteCompaction(*base, task, {}, kContext));
  }
  return CommitCompaction(table, done, {}, kContext).status();
}

/// A table with an index, of which no file is needed here.
Status TableWithIndex(const io::StorePath& table) {
  ARROW_RETURN_NOT_OK(Table()(table));
  return Commit(table, R"({"type": "create_index", "removed_indices": [], "new_indices": [{
      "uuid": "0123456789abcdef0123456789abcdef", "name": "id_idx", "fields": [0],
      "dataset_version": 2, "fragment_ranges": [[0, 3]], "files": [], "covering_fields": [],
      "index_version": 0, "created_at_ms": null, "base_id": null,
      "details_type": "/lance.table.BTreeIndexDetails", "details": []}]})");
}

Status CompactKeepingAccount(const io::StorePath& table) {
  return Compact(table, {.defer_index_remap = true}, kContext).status();
}

Status RemoveOldVersions(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, kContext));
  const CleanupOptions options{.older_than_ms = {}, .keep_last = 1, .delete_unverified = true};
  ARROW_ASSIGN_OR_RAISE(const auto report, CleanUp(*dataset, options, kContext));
  return report.failed_deletes == 0 ? Status::OK() : IoError(report.first_failure);
}

Status AppendToBranch(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath branch, BranchLocation(table, "side"));
  return Append(branch);
}

Work Clone(bool shallow) {
  return [shallow](const io::StorePath& table) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto source, Dataset::Open(table, {}, kContext));
    return CloneDataset(*source, CloneOf(table), {.shallow = shallow}, kContext).status();
  };
}

/// What a lake does: the version is whole before anybody takes it for one.
Status StageAndPublish(const io::StorePath& table) {
  ARROW_ASSIGN_OR_RAISE(
      const Transaction transaction,
      ParseTransactionJson(R"({"operation": {"type": "restore", "version": 1}})", nullptr));
  const auto handler = MakePutIfAbsentHandler();
  ARROW_ASSIGN_OR_RAISE(const StagedManifest staged,
                        StageTransaction(table, transaction, handler.get(), kContext));
  ARROW_RETURN_NOT_OK(handler->Publish(table, staged, kContext));
  // What stays of it is a cleanup's.
  (void)handler->Abort(table, staged, kContext);
  return Status::OK();
}

/// All values of a version, with its config and the schema's metadata.
void DescribeVersion(const io::StorePath& table, uint64_t version, std::ostream& out) {
  const auto dataset = Dataset::Open(table, {.version = version}, kContext);
  ASSERT_OK(dataset);
  const auto reader = (*dataset)->Scan({}, kContext);
  ASSERT_OK(reader);
  const auto rows = (*reader)->ToTable();
  ASSERT_OK(rows);
  arrow::PrettyPrintOptions all;
  all.window = all.container_window = 1 << 20;
  out << (*dataset)->schema()->ToString(/*show_metadata=*/true) << "\n";
  for (const auto& [key, value] : (*dataset)->config()) out << key << ": " << value << "\n";
  ASSERT_OK(arrow::PrettyPrint(*(*rows)->CombineChunks().ValueOrDie(), all, &out));
}

void DescribeVersions(const io::StorePath& table, bool only_newest, std::ostream& out) {
  const auto versions = ListManifests(table, kContext);
  ASSERT_OK(versions);
  for (const ManifestLocation& version : *versions) {
    std::ostringstream text;
    text << table.path << ", version " << version.version << "\n";
    DescribeVersion(table, version.version, text);
    const bool is_newest = version.version == versions->back().version;
    if (!only_newest || is_newest) out << text.str();
  }
}

void DescribeRefs(const io::StorePath& table, bool only_newest, std::ostream& out) {
  const auto tags = ListTags(table, kContext);
  ASSERT_OK(tags);
  for (const auto& [name, tag] : *tags) {
    out << "tag " << name << " of " << tag.branch.value_or("main") << " " << tag.version << "\n";
    for (const auto& [key, value] : tag.metadata) out << key << ": " << value << "\n";
  }
  const auto branches = ListBranches(table, kContext);
  ASSERT_OK(branches);
  for (const auto& [name, branch] : *branches) {
    out << "branch " << name << " of version " << branch.parent_version << "\n";
    DescribeVersions(*BranchLocation(table, name), only_newest, out);
  }
}

/// A file's name without what is drawn anew each time.
std::string WithoutRandom(const std::string& path) {
  if (path.find("_deletions/") != std::string::npos) {
    // <fragment>-<version>-<a random number>.<kind>
    return path.substr(0, path.rfind('-')) + path.substr(path.rfind('.'));
  }
  if (path.find("_versions/") != std::string::npos) return path;
  // Longer than any word of the format.
  constexpr size_t kLongest = 16;
  std::string text;
  std::string run;
  const auto end_run = [&] {
    text += run.size() > kLongest ? "*" : run;
    run.clear();
  };
  for (const char c : path) {
    const bool is_random = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
    if (is_random) {
      run += c;
    } else {
      end_run();
      text += c;
    }
  }
  end_run();
  return text;
}

}  // namespace

std::string DescribeAll(const io::StorePath& table, bool only_newest) {
  std::ostringstream text;
  DescribeVersions(table, only_newest, text);
  DescribeRefs(table, only_newest, text);
  DescribeVersions(CloneOf(table), only_newest, text);
  return text.str();
}

std::string DescribeFiles(const io::StorePath& table) {
  std::vector<std::string> names;
  for (const std::string& folder : {table.path, CloneOf(table).path}) {
    const auto files = table.store->List(folder, kContext);
    EXPECT_OK(files);
    const auto unfinished = table.store->ListUnfinished(folder, kContext);
    EXPECT_OK(unfinished);
    for (const io::ObjectInfo& file : *files) {
      // Nobody relies on the hint, and it is not always written.
      if (!file.path.ends_with("hint.json")) names.push_back(WithoutRandom(file.path));
    }
    for (const io::ObjectInfo& file : *unfinished) {
      names.push_back("unfinished " + WithoutRandom(file.path));
    }
  }
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

std::vector<TableOperation> AllTableOperations() {
  const auto nothing = [](const io::StorePath& /*table*/) { return Status::OK(); };
  const auto create = [](const io::StorePath& table) { return Write(table, 0, 50, {}); };
  const auto overwrite = [](const io::StorePath& table) {
    return Write(table, 50, 90, {.mode = WriteMode::kOverwrite});
  };
  const auto remove = [](const io::StorePath& table) { return Delete(table, "id < 25"); };
  const auto update = [](const io::StorePath& table) {
    return UpdateValues(table, {{"score", "score + 1"}}, Where("id < 25"), {}, kContext).status();
  };
  const auto compact = [](const io::StorePath& table) {
    return Compact(table, {}, kContext).status();
  };
  const auto whole = [](const io::StorePath& table) {
    return Write(table, 0, 50, {.max_rows_per_file = 20});
  };
  const auto compact_copying = [](const io::StorePath& table) {
    return Compact(table, {.mode = CompactionMode::kForceCopy}, kContext).status();
  };
  const auto add = [](const io::StorePath& table) {
    return AddColumns(table, {{"double", "id * 2"}}, {}, kContext).status();
  };
  const auto add_nulls = [](const io::StorePath& table) {
    const auto schema = arrow::schema({arrow::field("nothing", arrow::utf8())});
    return AddNullColumns(table, schema, {}, kContext).status();
  };
  const auto drop = [](const io::StorePath& table) {
    return DropColumns(table, {"vector"}, {}, kContext).status();
  };
  const auto reorder = [](const io::StorePath& table) {
    return ReorderColumns(table, {"vector", "id", "flag", "name", "score"}, {}, kContext).status();
  };
  const auto restore = [](const io::StorePath& table) {
    return Commit(table, R"({"type": "restore", "version": 1})");
  };
  const auto configure = [](const io::StorePath& table) {
    return Commit(table, R"({"type": "update_config",
        "config_updates": {"updates": {"a": "b"}, "replace": false},
        "schema_metadata_updates": {"updates": {"c": "d"}, "replace": false}})");
  };
  const auto reserve = [](const io::StorePath& table) {
    return Commit(table, R"({"type": "reserve_fragments", "num_fragments": 3})");
  };
  const auto migrate = [](const io::StorePath& table) {
    return MigrateManifestPaths(table, kContext);
  };
  const auto tag = [](const io::StorePath& table) {
    return CreateTag(table, "second", {.version = 2}, kContext);
  };
  const auto move_tag = [](const io::StorePath& table) {
    return UpdateTag(table, "first", {.version = 2}, kContext);
  };
  const auto describe_tag = [](const io::StorePath& table) {
    return ReplaceTagMetadata(table, "first", {{"a", "b"}}, kContext);
  };
  const auto untag = [](const io::StorePath& table) { return DeleteTag(table, "first", kContext); };
  const auto describe_branch = [](const io::StorePath& table) {
    return ReplaceBranchMetadata(table, "side", {{"a", "b"}}, kContext);
  };
  const auto remove_branch = [](const io::StorePath& table) {
    return DeleteBranch(table, "side", /*force=*/false, kContext);
  };
  const auto clear_branch = [](const io::StorePath& table) {
    return DeleteBranch(table, "side", /*force=*/true, kContext);
  };
  const WriteOptions stable{.enable_stable_row_ids = true};
  const WriteOptions v1{.enable_v2_manifest_paths = false};
  return {
      {.name = "create", .prepare = nothing, .act = create},
      {.name = "append", .prepare = Table(), .act = Append},
      {.name = "append with stable row ids", .prepare = Table(stable), .act = Append},
      {.name = "append to a table of the old naming", .prepare = Table(v1), .act = Append},
      {.name = "overwrite", .prepare = Table(), .act = overwrite},
      {.name = "delete", .prepare = Table(), .act = remove},
      {.name = "update", .prepare = Table(), .act = update},
      {.name = "update with stable row ids", .prepare = Table(stable), .act = update},
      {.name = "merge_insert", .prepare = Table(), .act = Merge(1 << 20)},
      {.name = "merge_insert of a source in files", .prepare = Table(), .act = Merge(0)},
      {.name = "merge_insert in two steps",
       .prepare = Table(stable),
       .act = MergeInTwoSteps,
       .keeps_files = true},
      {.name = "merge_insert into columns", .prepare = Table(), .act = MergeIntoColumns},
      {.name = "merge", .prepare = Table(), .act = Join(1 << 20)},
      {.name = "merge of a source in files", .prepare = Table(), .act = Join(0)},
      {.name = "add columns by SQL", .prepare = Table(), .act = add},
      {.name = "add columns of nulls", .prepare = Table(), .act = add_nulls},
      {.name = "add columns of data", .prepare = Table(), .act = AddGivenColumns},
      {.name = "drop columns", .prepare = Table(), .act = drop},
      {.name = "alter columns", .prepare = Table(), .act = Alter},
      {.name = "reorder columns", .prepare = Table(), .act = reorder},
      {.name = "compact", .prepare = Table(), .act = compact},
      {.name = "compact with stable row ids", .prepare = Table(stable), .act = compact},
      {.name = "compact by copying pages", .prepare = whole, .act = compact_copying},
      {.name = "compact what an index covers",
       .prepare = TableWithIndex,
       .act = CompactKeepingAccount},
      {.name = "compact in three steps",
       .prepare = Table(),
       .act = CompactInThreeSteps,
       .keeps_files = true},
      {.name = "clean up",
       .prepare = Table(),
       .act = RemoveOldVersions,
       .finish = RemoveOldVersions,
       .is_gradual = true},
      {.name = "append and clean up by itself",
       .prepare = TidyTable,
       .act = Append,
       .finish = RemoveOldVersions,
       .is_gradual = true},
      {.name = "restore", .prepare = Table(), .act = restore},
      {.name = "update the config", .prepare = Table(), .act = configure},
      {.name = "reserve fragments", .prepare = Table(), .act = reserve},
      {.name = "stage and publish",
       .prepare = Table(),
       .act = StageAndPublish,
       .keeps_files = true},
      {.name = "migrate manifest paths", .prepare = Table(v1), .act = migrate, .is_gradual = true},
      {.name = "create a tag", .prepare = TableWithTag, .act = tag},
      {.name = "move a tag", .prepare = TableWithTag, .act = move_tag},
      {.name = "describe a tag", .prepare = TableWithTag, .act = describe_tag},
      {.name = "delete a tag", .prepare = TableWithTag, .act = untag},
      {.name = "create a branch", .prepare = Table(), .act = MakeBranch, .undo = clear_branch},
      {.name = "append to a branch", .prepare = TableWithBranch, .act = AppendToBranch},
      {.name = "describe a branch", .prepare = TableWithBranch, .act = describe_branch},
      {.name = "delete a branch",
       .prepare = TableWithBranch,
       .act = remove_branch,
       .finish = clear_branch},
      {.name = "clone without files", .prepare = Table(), .act = Clone(true), .is_elsewhere = true},
      {.name = "clone with files", .prepare = Table(), .act = Clone(false), .is_elsewhere = true},
  };
}

}  // namespace tusk::lance
