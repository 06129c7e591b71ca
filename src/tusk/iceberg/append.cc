#include "tusk/iceberg/append.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/base/uuid.h"
#include "tusk/iceberg/conversion.h"
#include "tusk/iceberg/location.h"
#include "tusk/iceberg/parquet_file.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// Rows that are converted and written in one step.
constexpr int64_t kStepRows = 64 << 10;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t RandomSnapshotId() {
  const auto uuid = RandomUuid();
  // The bytes at 0..7 of a version 4 UUID have fixed bits in the 7th; mixing in the others frees
  // them.
  uint64_t high = 0;
  uint64_t low = 0;
  std::memcpy(&high, uuid.data(), sizeof(high));
  std::memcpy(&low, uuid.data() + sizeof(high), sizeof(low));
  const auto id = static_cast<int64_t>((high ^ (low << 16 | low >> 48)) >> 1);
  return id == 0 ? 1 : id;
}

/// Removes files that an operation wrote, unless it came to its end.
class WrittenFiles {
 public:
  WrittenFiles(io::ObjectStore* store, const OperationContext& context)
      : store_(store), context_(context) {}
  WrittenFiles(const WrittenFiles&) = delete;
  WrittenFiles& operator=(const WrittenFiles&) = delete;
  ~WrittenFiles() {
    // Cleaning up must also work for an operation that was stopped. What cannot be removed is
    // garbage that nothing refers to.
    OperationContext context = context_;
    context.stop = {};
    for (const std::string& path : paths_) (void)store_->Delete(path, context);
  }
  void Add(std::string path) { paths_.push_back(std::move(path)); }
  void Keep() { paths_.clear(); }

 private:
  io::ObjectStore* store_;
  const OperationContext& context_;
  std::vector<std::string> paths_;
};

/// How one column of the data becomes a column of the table.
struct ColumnPlan {
  int source = 0;                        ///< index in the data
  std::shared_ptr<arrow::Field> target;  ///< with its field id
};

/// True if `given` and `kept` are the same stored type, names included, whatever the ids.
bool SameStoredType(const arrow::DataType& given, const arrow::DataType& kept) {
  if (given.id() != kept.id()) return false;
  if (given.num_fields() == 0) return given.Equals(kept);
  if (given.num_fields() != kept.num_fields()) return false;
  for (int i = 0; i < given.num_fields(); ++i) {
    const bool is_struct = given.id() == arrow::Type::STRUCT;
    if (is_struct && given.field(i)->name() != kept.field(i)->name()) return false;
    if (!SameStoredType(*given.field(i)->type(), *kept.field(i)->type())) return false;
  }
  return true;
}

bool HasForeignType(const arrow::Field& field) {
  if (field.metadata() != nullptr && field.metadata()->Contains(kIcebergTypeKey)) return true;
  return std::ranges::any_of(field.type()->fields(),
                             [](const auto& child) { return HasForeignType(*child); });
}

/// Matches the columns of the data to those of the table by name.
Result<std::vector<ColumnPlan>> MatchColumns(const arrow::Schema& given,
                                             const arrow::Schema& stored,
                                             const arrow::Schema& table) {
  std::vector<ColumnPlan> plan;
  for (const auto& target : table.fields()) {
    const auto indices = stored.GetAllFieldIndices(target->name());
    if (indices.size() != 1) {
      return InvalidArgument("cannot append: the table's column '", target->name(), "' (",
                             target->type()->ToString(), ") is ",
                             indices.empty() ? "not in the data" : "in the data twice");
    }
    const auto& column = stored.field(indices.front());
    if (!SameStoredType(*column->type(), *target->type())) {
      return InvalidArgument("cannot append: column '", target->name(), "' of type ",
                             given.field(indices.front())->type()->ToString(), " is kept as ",
                             column->type()->ToString(), ", but the table has ",
                             target->type()->ToString());
    }
    if (HasForeignType(*target)) {
      return Unsupported("cannot append: column '", target->name(),
                         "' has the Iceberg type uuid, which is not written yet");
    }
    plan.push_back({.source = indices.front(), .target = target});
  }
  for (const std::string& name : stored.field_names()) {
    if (table.GetFieldIndex(name) < 0) {
      return InvalidArgument("cannot append: the table has no column '", name, "'");
    }
  }
  return plan;
}

/// The table that an append starts from, seen alike whether it is there already or not.
struct Target {
  std::string location;  ///< without a slash at its end; what is written begins with it
  std::string folder;    ///< the same as a path of the store
  std::shared_ptr<arrow::Schema> schema;
  int32_t schema_id = 0;
  std::string schema_json;
  std::map<std::string, std::string> properties;
  std::vector<ColumnPlan> columns;
  const Table::State* base = nullptr;  ///< null for a new table

  std::string Location(std::string_view name) const { return io::JoinPath(location, name); }
  std::string Path(std::string_view name) const { return io::JoinPath(folder, name); }
};

Status CheckBase(const Table::State& base) {
  if (base.metadata.format_version != 2) {
    return Unsupported("cannot append to the table at '", base.folder, "': format version ",
                       base.metadata.format_version, " is read only, 2 is written");
  }
  if (base.metadata.is_partitioned) {
    return Unsupported("cannot append to the table at '", base.folder,
                       "': partitioned tables are not supported yet");
  }
  return Status::OK();
}

/// InvalidArgument if a fixed-size list comes with another length than the table was made with.
Status CheckTypeProperties(const std::map<std::string, std::string>& given, const Target& target) {
  for (const auto& [key, value] : given) {
    const auto kept = target.properties.find(key);
    if (!key.starts_with(kFixedSizeListProperty) || kept == target.properties.end()) continue;
    if (kept->second != value) {
      return InvalidArgument("cannot append: a fixed-size list of length ", value,
                             ", but the table has length ", kept->second, " (property ", key, ")");
    }
  }
  return Status::OK();
}

Result<Target> ResolveTarget(const arrow::Schema& data, std::string_view location,
                             const Table* base, const AppendOptions& options) {
  Target target;
  target.location = location;
  ARROW_ASSIGN_OR_RAISE(target.folder, LocationToPath(location));
  if (target.location.ends_with('/')) target.location.pop_back();
  ARROW_ASSIGN_OR_RAISE(const auto stored, StoredSchema(data));
  if (base == nullptr) {
    target.schema = stored;
    // What the types say wins over what a caller may have copied from another table.
    target.properties = TypeProperties(data, *stored);
    target.properties.insert(options.properties.begin(), options.properties.end());
  } else {
    target.base = &base->state();
    const TableMetadata& metadata = target.base->metadata;
    ARROW_RETURN_NOT_OK(CheckBase(*target.base));
    if (target.folder != target.base->folder) {
      return InvalidArgument("the table lies at '", target.base->folder, "', not at '", location,
                             "'");
    }
    target.schema = metadata.schema();
    target.schema_id = metadata.current_schema_id;
    target.properties = metadata.properties;
  }
  ARROW_ASSIGN_OR_RAISE(target.columns, MatchColumns(data, *stored, *target.schema));
  if (base != nullptr) {
    // Properties go by field id, so the data's are looked up under the table's ids.
    arrow::FieldVector given;
    for (const ColumnPlan& column : target.columns) given.push_back(data.field(column.source));
    ARROW_RETURN_NOT_OK(
        CheckTypeProperties(TypeProperties(arrow::Schema(given), *target.schema), target));
  }
  ARROW_ASSIGN_OR_RAISE(target.schema_json,
                        FormatSchema({.schema_id = target.schema_id, .fields = target.schema}));
  return target;
}

Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch,
                                                    const Target& target,
                                                    const OperationContext& context) {
  arrow::ArrayVector columns;
  for (const ColumnPlan& column : target.columns) {
    ARROW_ASSIGN_OR_RAISE(auto converted, ConvertArray(batch.column(column.source), *column.target,
                                                       /*by_id=*/false, context));
    columns.push_back(std::move(converted));
  }
  return arrow::RecordBatch::Make(target.schema, batch.num_rows(), std::move(columns));
}

/// Writes data files one after the other, each up to the target size.
class DataFileSequence {
 public:
  DataFileSequence(const Target& target, int64_t target_file_bytes, io::ObjectStore* store,
                   WrittenFiles* written, const OperationContext& context)
      : target_(target),
        target_file_bytes_(target_file_bytes),
        store_(store),
        written_(written),
        context_(context) {}

  Status Write(const arrow::RecordBatch& batch) {
    if (writer_ == nullptr) ARROW_RETURN_NOT_OK(Begin());
    ARROW_RETURN_NOT_OK(writer_->Write(batch));
    return writer_->EstimatedBytes() < target_file_bytes_ ? Status::OK() : End();
  }

  Result<std::vector<DataFile>> Finish() {
    if (writer_ != nullptr) ARROW_RETURN_NOT_OK(End());
    return std::move(files_);
  }

 private:
  Status Begin() {
    char number[16];
    std::snprintf(number, sizeof(number), "%05zu", files_.size());
    name_ = "data/" + std::string(number) + "-" + RandomUuidString() + ".parquet";
    written_->Add(target_.Path(name_));
    return CreateParquet(store_, target_.Path(name_), target_.schema, target_.schema_json, context_)
        .Value(&writer_);
  }

  Status End() {
    ARROW_ASSIGN_OR_RAISE(DataFile file, writer_->Finish());
    file.path = target_.Location(name_);
    files_.push_back(std::move(file));
    writer_.reset();
    return Status::OK();
  }

  const Target& target_;
  const int64_t target_file_bytes_;
  io::ObjectStore* store_;
  WrittenFiles* written_;
  const OperationContext& context_;
  std::string name_;
  std::unique_ptr<ParquetWriter> writer_;
  std::vector<DataFile> files_;
};

Result<std::vector<DataFile>> WriteDataFiles(arrow::RecordBatchReader* data, const Target& target,
                                             int64_t target_file_bytes, io::ObjectStore* store,
                                             WrittenFiles* written,
                                             const OperationContext& context) {
  DataFileSequence files(target, target_file_bytes, store, written, context);
  int64_t rows = 0;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(data->ReadNext(&batch));
    if (batch == nullptr) return files.Finish();
    for (int64_t begin = 0; begin < batch->num_rows(); begin += kStepRows) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      const auto step = batch->Slice(begin, kStepRows);
      ARROW_ASSIGN_OR_RAISE(const auto converted, Convert(*step, target, context));
      ARROW_RETURN_NOT_OK(files.Write(*converted));
      rows += step->num_rows();
      if (context.progress != nullptr) context.progress->Report("rows", rows, -1);
    }
  }
}

std::optional<int64_t> SummaryNumber(const std::map<std::string, std::string>& summary,
                                     const std::string& key) {
  const auto entry = summary.find(key);
  if (entry == summary.end()) return std::nullopt;
  int64_t value = 0;
  const char* end = entry->second.data() + entry->second.size();
  const auto [parsed, error] = std::from_chars(entry->second.data(), end, value);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return value;
}

/// The summary of a snapshot that adds `files`, without totals.
std::map<std::string, std::string> Summarize(const std::vector<DataFile>& files,
                                             const AppendOptions& options) {
  int64_t records = 0;
  int64_t bytes = 0;
  for (const DataFile& file : files) {
    records += file.record_count;
    bytes += file.size_bytes;
  }
  std::map<std::string, std::string> summary = options.summary;
  summary["operation"] = "append";
  const auto add = [&](const std::string& key, int64_t value) {
    if (value > 0) summary[key] = std::to_string(value);
  };
  add("added-data-files", std::ssize(files));
  add("added-records", records);
  add("added-files-size", bytes);
  return summary;
}

/// Sets the totals of `summary`, which has what was added, to those after `parent` (null: after
/// nothing).
void SetTotals(std::map<std::string, std::string>* summary, const MetadataSnapshot* parent) {
  for (const std::string what : {"data-files", "records", "files-size", "delete-files",
                                 "position-deletes", "equality-deletes"}) {
    const std::string key = "total-" + what;
    const int64_t added = SummaryNumber(*summary, "added-" + what).value_or(0);
    const auto before = parent == nullptr ? 0 : SummaryNumber(parent->info.summary, key);
    // A parent that does not tell its total leaves ours unknown.
    if (before.has_value()) {
      (*summary)[key] = std::to_string(*before + added);
    } else {
      summary->erase(key);
    }
  }
}

/// The manifests of `parent`; Unsupported if it has delete files.
Result<std::vector<ManifestFile>> ParentManifests(const Table::State& base,
                                                  const MetadataSnapshot& parent,
                                                  const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto manifests, ReadManifestList(base, parent, context));
  for (const ManifestFile& manifest : manifests) {
    if (manifest.content != FileContent::kData && MayHaveLiveFiles(manifest)) {
      return Unsupported("cannot append to the table at '", base.folder,
                         "': its current snapshot has delete files, which are not supported yet");
    }
  }
  return manifests;
}

Status PutNew(io::ObjectStore* store, const std::string& path, std::string_view bytes,
              WrittenFiles* written, const OperationContext& context) {
  written->Add(path);
  return store->PutIfAbsent(path, bytes, context);
}

/// Writes the manifest of `files`, none if there are none.
Result<std::vector<ManifestFile>> WriteManifest(const Target& target,
                                                const std::vector<DataFile>& files,
                                                const SnapshotInfo& snapshot,
                                                io::ObjectStore* store, WrittenFiles* written,
                                                const OperationContext& context) {
  std::vector<ManifestFile> manifests;
  if (files.empty()) return manifests;
  const std::string name = "metadata/" + RandomUuidString() + "-m0.avro";
  ARROW_ASSIGN_OR_RAISE(
      const std::string bytes,
      FormatDataManifest(files, snapshot.snapshot_id, target.schema_json, target.schema_id));
  ARROW_RETURN_NOT_OK(PutNew(store, target.Path(name), bytes, written, context));
  int64_t rows = 0;
  for (const DataFile& file : files) rows += file.record_count;
  manifests.push_back({.path = target.Location(name),
                       .length = std::ssize(bytes),
                       .sequence_number = snapshot.sequence_number,
                       .min_sequence_number = snapshot.sequence_number,
                       .added_snapshot_id = snapshot.snapshot_id,
                       .added_files = std::ssize(files),
                       .existing_files = 0,
                       .deleted_files = 0,
                       .added_rows = rows,
                       .existing_rows = 0,
                       .deleted_rows = 0});
  return manifests;
}

/// Writes the manifest list of a snapshot: `added`, then what `parent` (may be null) has. Gives its
/// location.
Result<std::string> WriteManifestList(const Target& target, std::vector<ManifestFile> added,
                                      const SnapshotInfo& snapshot, const MetadataSnapshot* parent,
                                      io::ObjectStore* store, WrittenFiles* written,
                                      const OperationContext& context) {
  std::vector<ManifestFile> manifests = std::move(added);
  if (parent != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto kept, ParentManifests(*target.base, *parent, context));
    std::ranges::move(kept, std::back_inserter(manifests));
  }
  const std::string name = "metadata/snap-" + std::to_string(snapshot.snapshot_id) + "-1-" +
                           RandomUuidString() + ".avro";
  ARROW_ASSIGN_OR_RAISE(const std::string bytes,
                        FormatManifestList(manifests, snapshot.snapshot_id,
                                           snapshot.parent_snapshot_id, snapshot.sequence_number));
  ARROW_RETURN_NOT_OK(PutNew(store, target.Path(name), bytes, written, context));
  return target.Location(name);
}

/// The number in front of a metadata file's name, plus one; 0 for a new table.
int64_t NextMetadataNumber(const Table::State* base) {
  if (base == nullptr) return 0;
  std::string_view name = base->metadata_location;
  name.remove_prefix(name.rfind('/') + 1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool has_number = error == std::errc() && number >= 0 && end != name.data() + name.size();
  return has_number && number < 1'000'000'000'000 ? number + 1 : 1;
}

std::string MetadataName(const Table::State* base) {
  char number[32];
  std::snprintf(number, sizeof(number), "%05lld", static_cast<long long>(NextMetadataNumber(base)));
  return "metadata/" + std::string(number) + "-" + RandomUuidString() + ".metadata.json";
}

/// Makes a snapshot the next one of `base`.
void PutAfter(const TableMetadata& base, SnapshotInfo* snapshot) {
  snapshot->parent_snapshot_id = base.current_snapshot_id;
  snapshot->sequence_number = base.last_sequence_number + 1;
  // Clocks of writers differ; the history of one table does not run backwards.
  snapshot->timestamp_ms = std::max(NowMs(), base.last_updated_ms + 1);
}

/// The snapshot that adds `files`, its manifests written.
Result<MetadataSnapshot> WriteSnapshot(const Target& target, const std::vector<DataFile>& files,
                                       const AppendOptions& options, io::ObjectStore* store,
                                       WrittenFiles* written, const OperationContext& context) {
  MetadataSnapshot snapshot;
  snapshot.schema_id = target.schema_id;
  SnapshotInfo& info = snapshot.info;
  const MetadataSnapshot* parent = nullptr;
  info.snapshot_id = RandomSnapshotId();
  info.sequence_number = 1;
  info.timestamp_ms = NowMs();
  if (target.base != nullptr) {
    const TableMetadata& base = target.base->metadata;
    ARROW_ASSIGN_OR_RAISE(parent, ChooseSnapshot(*target.base, std::nullopt));
    while (base.FindSnapshot(info.snapshot_id) != nullptr) info.snapshot_id = RandomSnapshotId();
    PutAfter(base, &info);
  }
  info.summary = Summarize(files, options);
  SetTotals(&info.summary, parent);
  ARROW_ASSIGN_OR_RAISE(auto added, WriteManifest(target, files, info, store, written, context));
  ARROW_ASSIGN_OR_RAISE(snapshot.manifest_list, WriteManifestList(target, std::move(added), info,
                                                                  parent, store, written, context));
  return snapshot;
}

Result<std::string> FormatMetadata(const Target& target, const std::string& uuid,
                                   std::optional<MetadataSnapshot> snapshot) {
  if (target.base != nullptr && snapshot.has_value()) {
    return FormatWithSnapshot(target.base->metadata, target.base->metadata_location, *snapshot);
  }
  const int64_t time = snapshot.has_value() ? snapshot->info.timestamp_ms : NowMs();
  return FormatNewTable({.uuid = uuid,
                         .location = target.location,
                         .schema = target.schema,
                         .properties = target.properties,
                         .timestamp_ms = time,
                         .snapshot = std::move(snapshot)});
}

}  // namespace

Result<StagedMetadata> StageAppend(arrow::RecordBatchReader* data,
                                   const std::shared_ptr<io::ObjectStore>& store,
                                   std::string_view location,
                                   const std::shared_ptr<const Table>& base,
                                   const AppendOptions& options, const OperationContext& context) {
  if (options.target_file_bytes < 1) {
    return InvalidArgument("target_file_bytes is ", options.target_file_bytes);
  }
  ARROW_ASSIGN_OR_RAISE(const Target target,
                        ResolveTarget(*data->schema(), location, base.get(), options));
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(const auto files, WriteDataFiles(data, target, options.target_file_bytes,
                                                         store.get(), &written, context));
  StagedMetadata staged;
  staged.table_uuid = base == nullptr ? RandomUuidString() : base->uuid();
  std::optional<MetadataSnapshot> snapshot;
  // A new table without rows has no snapshot, as everywhere; an append always leaves one.
  if (!files.empty() || base != nullptr) {
    ARROW_ASSIGN_OR_RAISE(snapshot,
                          WriteSnapshot(target, files, options, store.get(), &written, context));
    staged.snapshot_id = snapshot->info.snapshot_id;
  }
  ARROW_ASSIGN_OR_RAISE(const std::string document,
                        FormatMetadata(target, staged.table_uuid, std::move(snapshot)));
  const std::string name = MetadataName(target.base);
  ARROW_RETURN_NOT_OK(PutNew(store.get(), target.Path(name), document, &written, context));
  written.Keep();
  staged.metadata_location = target.Location(name);
  if (base != nullptr) staged.previous_metadata_location = base->metadata_location();
  return staged;
}

namespace {

/// CommitConflict unless files written for `first` are right for `base` too.
Status CheckSameShape(const Table::State& first, const Table::State& base) {
  const TableMetadata& then = first.metadata;
  const TableMetadata& now = base.metadata;
  const auto conflict = [&](std::string_view what) {
    return CommitConflict("cannot append to the table at '", base.folder, "': another writer ",
                          what, " in the meantime; append again");
  };
  if (then.uuid != now.uuid) return conflict("has put another table in its place");
  if (then.current_schema_id != now.current_schema_id || !then.schema()->Equals(*now.schema())) {
    return conflict("has changed its schema");
  }
  if (then.default_spec_id != now.default_spec_id) return conflict("has changed its partitioning");
  return CheckBase(base);
}

/// The manifests that `snapshot` of `table` added itself.
Result<std::vector<ManifestFile>> AddedManifests(const Table::State& table,
                                                 const MetadataSnapshot& snapshot,
                                                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto manifests, ReadManifestList(table, snapshot, context));
  std::erase_if(manifests, [&](const ManifestFile& manifest) {
    return manifest.added_snapshot_id != snapshot.info.snapshot_id;
  });
  return manifests;
}

}  // namespace

Result<StagedMetadata> Restage(const std::shared_ptr<io::ObjectStore>& store,
                               const StagedMetadata& staged,
                               const std::shared_ptr<const Table>& base,
                               const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto opened, Table::Open(store, staged.metadata_location, context));
  const Table::State& first = opened->state();
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* before, ChooseSnapshot(first, staged.snapshot_id));
  if (before == nullptr) {
    return InvalidArgument("'", staged.metadata_location, "' has no snapshot to stage again");
  }
  ARROW_RETURN_NOT_OK(CheckSameShape(first, base->state()));
  Target target;
  target.base = &base->state();
  target.location = base->location();
  if (target.location.ends_with('/')) target.location.pop_back();
  target.folder = target.base->folder;

  // The id stays, since the kept manifest says that this snapshot added it.
  MetadataSnapshot snapshot = *before;
  PutAfter(target.base->metadata, &snapshot.info);
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* parent, ChooseSnapshot(*target.base, std::nullopt));
  SetTotals(&snapshot.info.summary, parent);
  ARROW_ASSIGN_OR_RAISE(auto added, AddedManifests(first, *before, context));
  for (ManifestFile& manifest : added) {
    manifest.sequence_number = snapshot.info.sequence_number;
    manifest.min_sequence_number = snapshot.info.sequence_number;
  }
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(snapshot.manifest_list,
                        WriteManifestList(target, std::move(added), snapshot.info, parent,
                                          store.get(), &written, context));
  ARROW_ASSIGN_OR_RAISE(
      const std::string document,
      FormatWithSnapshot(target.base->metadata, target.base->metadata_location, snapshot));
  StagedMetadata again = staged;
  const std::string name = MetadataName(target.base);
  ARROW_RETURN_NOT_OK(PutNew(store.get(), target.Path(name), document, &written, context));
  written.Keep();
  again.metadata_location = target.Location(name);
  again.previous_metadata_location = base->metadata_location();
  // What cannot be removed is garbage that nothing refers to.
  for (const std::string& old : {staged.metadata_location, before->manifest_list}) {
    const auto path = FileInTable(old, first.folder);
    if (path.ok()) (void)store->Delete(*path, context);
  }
  return again;
}

Status AbortStaged(const std::shared_ptr<io::ObjectStore>& store, const StagedMetadata& staged,
                   const OperationContext& context) {
  auto opened = Table::Open(store, staged.metadata_location, context);
  if (GetErrorCode(opened.status()) == ErrorCode::kNotFound) return Status::OK();
  ARROW_RETURN_NOT_OK(opened.status());
  const Table::State& table = (*opened)->state();
  std::vector<std::string> locations;
  // Ids are positive: 0 finds nothing.
  const int64_t snapshot_id = staged.snapshot_id.value_or(0);
  const MetadataSnapshot* snapshot = table.metadata.FindSnapshot(snapshot_id);
  if (snapshot != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadManifestList(table, *snapshot, context));
    for (const ManifestFile& manifest : manifests) {
      if (manifest.added_snapshot_id != snapshot_id) continue;
      ARROW_ASSIGN_OR_RAISE(const auto entries, ReadManifest(table, manifest, context));
      for (const ManifestEntry& entry : entries) {
        if (entry.change == ManifestEntry::Change::kAdded &&
            entry.snapshot_id.value_or(manifest.added_snapshot_id) == snapshot_id) {
          locations.push_back(entry.file.path);
        }
      }
      locations.push_back(manifest.path);
    }
    locations.push_back(snapshot->manifest_list);
  }
  // The metadata file goes last: as long as it is there, a second try finds the others.
  locations.push_back(staged.metadata_location);
  for (const std::string& file : locations) {
    ARROW_ASSIGN_OR_RAISE(const std::string path, FileInTable(file, table.folder));
    ARROW_RETURN_NOT_OK(store->Delete(path, context));
  }
  return Status::OK();
}

}  // namespace tusk::iceberg
