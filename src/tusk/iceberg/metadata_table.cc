#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/metadata_edit.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"
#include "tusk/iceberg/table_state.h"
#include "tusk/iceberg/transform.h"

// The tables have the names and columns that other Iceberg readers give them.
namespace tusk::iceberg {
namespace {

using BatchBuilder = std::unique_ptr<arrow::RecordBatchBuilder>;

std::shared_ptr<arrow::Field> Required(std::string name, std::shared_ptr<arrow::DataType> type) {
  return arrow::field(std::move(name), std::move(type), /*nullable=*/false);
}

std::shared_ptr<arrow::DataType> TimeType() { return arrow::timestamp(arrow::TimeUnit::MILLI); }

Result<std::shared_ptr<arrow::Table>> Finish(arrow::RecordBatchBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(auto batch, builder->Flush());
  return arrow::Table::FromRecordBatches(builder->schema(), {std::move(batch)});
}

template <typename Builder, typename Value>
Status Put(arrow::RecordBatchBuilder* builder, int column, const Value& value) {
  return builder->GetFieldAs<Builder>(column)->Append(value);
}

template <typename Builder, typename Value>
Status PutOptional(arrow::ArrayBuilder* builder, const std::optional<Value>& value) {
  if (!value.has_value()) return builder->AppendNull();
  return static_cast<Builder*>(builder)->Append(*value);
}

Result<std::shared_ptr<arrow::Table>> Snapshots(const TableMetadata& metadata,
                                                const OperationContext& context) {
  const auto schema = arrow::schema({
      Required("committed_at", TimeType()),
      Required("snapshot_id", arrow::int64()),
      arrow::field("parent_id", arrow::int64()),
      arrow::field("operation", arrow::utf8()),
      Required("manifest_list", arrow::utf8()),
      arrow::field("summary", arrow::map(arrow::utf8(), arrow::utf8())),
  });
  ARROW_ASSIGN_OR_RAISE(BatchBuilder builder,
                        arrow::RecordBatchBuilder::Make(schema, context.pool));
  for (const MetadataSnapshot& snapshot : metadata.snapshots) {
    const SnapshotInfo& info = snapshot.info;
    ARROW_RETURN_NOT_OK(Put<arrow::TimestampBuilder>(builder.get(), 0, info.timestamp_ms));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder.get(), 1, info.snapshot_id));
    ARROW_RETURN_NOT_OK(
        PutOptional<arrow::Int64Builder>(builder->GetField(2), info.parent_snapshot_id));
    std::optional<std::string> operation;
    auto* summary = builder->GetFieldAs<arrow::MapBuilder>(5);
    ARROW_RETURN_NOT_OK(summary->Append());
    for (const auto& [key, value] : info.summary) {
      if (key == "operation") {
        operation = value;
        continue;
      }
      ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder*>(summary->key_builder())->Append(key));
      ARROW_RETURN_NOT_OK(
          static_cast<arrow::StringBuilder*>(summary->item_builder())->Append(value));
    }
    ARROW_RETURN_NOT_OK(PutOptional<arrow::StringBuilder>(builder->GetField(3), operation));
    ARROW_RETURN_NOT_OK(Put<arrow::StringBuilder>(builder.get(), 4, snapshot.manifest_list));
  }
  return Finish(builder.get());
}

/// The current snapshot and those that it came from.
std::set<int64_t> CurrentAncestors(const TableMetadata& metadata) {
  std::set<int64_t> ids;
  const auto find = [&](const std::optional<int64_t>& id) {
    return id.has_value() ? metadata.FindSnapshot(*id) : nullptr;
  };
  const MetadataSnapshot* snapshot = find(metadata.current_snapshot_id);
  while (snapshot != nullptr && ids.insert(snapshot->info.snapshot_id).second) {
    snapshot = find(snapshot->info.parent_snapshot_id);
  }
  return ids;
}

Result<std::shared_ptr<arrow::Table>> History(const TableMetadata& metadata,
                                              const OperationContext& context) {
  const auto schema = arrow::schema({
      Required("made_current_at", TimeType()),
      Required("snapshot_id", arrow::int64()),
      arrow::field("parent_id", arrow::int64()),
      Required("is_current_ancestor", arrow::boolean()),
  });
  ARROW_ASSIGN_OR_RAISE(BatchBuilder builder,
                        arrow::RecordBatchBuilder::Make(schema, context.pool));
  const std::set<int64_t> ancestors = CurrentAncestors(metadata);
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
    // A snapshot that has expired is still in the log.
    const MetadataSnapshot* snapshot = metadata.FindSnapshot(entry.snapshot_id);
    std::optional<int64_t> parent;
    if (snapshot != nullptr) parent = snapshot->info.parent_snapshot_id;
    ARROW_RETURN_NOT_OK(Put<arrow::TimestampBuilder>(builder.get(), 0, entry.timestamp_ms));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder.get(), 1, entry.snapshot_id));
    ARROW_RETURN_NOT_OK(PutOptional<arrow::Int64Builder>(builder->GetField(2), parent));
    ARROW_RETURN_NOT_OK(
        Put<arrow::BooleanBuilder>(builder.get(), 3, ancestors.contains(entry.snapshot_id)));
  }
  return Finish(builder.get());
}

Result<std::shared_ptr<arrow::Table>> Refs(const TableMetadata& metadata,
                                           const OperationContext& context) {
  const auto schema = arrow::schema({
      Required("name", arrow::utf8()),
      Required("type", arrow::utf8()),
      Required("snapshot_id", arrow::int64()),
      arrow::field("max_reference_age_in_ms", arrow::int64()),
      arrow::field("min_snapshots_to_keep", arrow::int32()),
      arrow::field("max_snapshot_age_in_ms", arrow::int64()),
  });
  ARROW_ASSIGN_OR_RAISE(BatchBuilder builder,
                        arrow::RecordBatchBuilder::Make(schema, context.pool));
  for (const auto& [name, ref] : metadata.refs) {
    ARROW_RETURN_NOT_OK(Put<arrow::StringBuilder>(builder.get(), 0, name));
    ARROW_RETURN_NOT_OK(Put<arrow::StringBuilder>(builder.get(), 1, ref.is_tag ? "TAG" : "BRANCH"));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder.get(), 2, ref.snapshot_id));
    ARROW_RETURN_NOT_OK(PutOptional<arrow::Int64Builder>(builder->GetField(3), ref.max_ref_age_ms));
    ARROW_RETURN_NOT_OK(
        PutOptional<arrow::Int32Builder>(builder->GetField(4), ref.min_snapshots_to_keep));
    ARROW_RETURN_NOT_OK(
        PutOptional<arrow::Int64Builder>(builder->GetField(5), ref.max_snapshot_age_ms));
  }
  return Finish(builder.get());
}

/// The fields of all partition specs of the table, each once, by the ids.
Result<arrow::FieldVector> AllPartitionFields(const TableMetadata& metadata) {
  arrow::FieldVector all;
  std::set<int32_t> seen;
  for (const auto& [id, spec] : metadata.specs) {
    ARROW_ASSIGN_OR_RAISE(const auto fields, PartitionFields(spec, [&](int32_t column) {
                            return metadata.FindColumn(column);
                          }));
    for (const auto& field : fields) {
      if (seen.insert(FieldId(*field).value_or(0)).second) all.push_back(field);
    }
  }
  std::ranges::sort(all, {}, [](const auto& field) { return FieldId(*field).value_or(0); });
  return all;
}

/// Builds the table `files`.
class FilesBuilder {
 public:
  static Result<FilesBuilder> Make(const TableMetadata& metadata, const OperationContext& context) {
    ARROW_ASSIGN_OR_RAISE(auto partition, AllPartitionFields(metadata));
    const auto counts = arrow::map(arrow::int32(), arrow::int64());
    const auto bounds = arrow::map(arrow::int32(), arrow::binary());
    const auto schema = arrow::schema({
        Required("content", arrow::int8()),
        Required("file_path", arrow::utf8()),
        Required("file_format", arrow::utf8()),
        Required("spec_id", arrow::int32()),
        Required("partition", arrow::struct_(partition)),
        Required("record_count", arrow::int64()),
        Required("file_size_in_bytes", arrow::int64()),
        arrow::field("column_sizes", counts),
        arrow::field("value_counts", counts),
        arrow::field("null_value_counts", counts),
        arrow::field("nan_value_counts", counts),
        arrow::field("lower_bounds", bounds),
        arrow::field("upper_bounds", bounds),
        arrow::field("key_metadata", arrow::binary()),
        arrow::field("split_offsets", arrow::list(arrow::int64())),
        arrow::field("equality_ids", arrow::list(arrow::int32())),
        arrow::field("sort_order_id", arrow::int32()),
    });
    FilesBuilder files;
    files.partition_ = std::move(partition);
    ARROW_ASSIGN_OR_RAISE(files.builder_, arrow::RecordBatchBuilder::Make(schema, context.pool));
    return files;
  }

  Status Append(const DataFile& file, int32_t spec_id) {
    arrow::RecordBatchBuilder* builder = builder_.get();
    ARROW_RETURN_NOT_OK(Put<arrow::Int8Builder>(builder, 0, static_cast<int8_t>(file.content)));
    ARROW_RETURN_NOT_OK(Put<arrow::StringBuilder>(builder, 1, file.path));
    ARROW_RETURN_NOT_OK(Put<arrow::StringBuilder>(builder, 2, file.format));
    ARROW_RETURN_NOT_OK(Put<arrow::Int32Builder>(builder, 3, spec_id));
    ARROW_RETURN_NOT_OK(AppendPartition(file));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder, 5, file.record_count));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder, 6, file.size_bytes));
    ARROW_RETURN_NOT_OK((AppendMap<arrow::Int64Builder>(7, file.column_sizes)));
    ARROW_RETURN_NOT_OK((AppendMap<arrow::Int64Builder>(8, file.value_counts)));
    ARROW_RETURN_NOT_OK((AppendMap<arrow::Int64Builder>(9, file.null_value_counts)));
    ARROW_RETURN_NOT_OK((AppendMap<arrow::Int64Builder>(10, file.nan_value_counts)));
    ARROW_RETURN_NOT_OK((AppendMap<arrow::BinaryBuilder>(11, file.lower_bounds)));
    ARROW_RETURN_NOT_OK((AppendMap<arrow::BinaryBuilder>(12, file.upper_bounds)));
    ARROW_RETURN_NOT_OK(
        PutOptional<arrow::BinaryBuilder>(builder->GetField(13), file.key_metadata));
    ARROW_RETURN_NOT_OK((AppendList<arrow::Int64Builder>(14, file.split_offsets)));
    ARROW_RETURN_NOT_OK((AppendList<arrow::Int32Builder>(15, file.equality_ids)));
    return PutOptional<arrow::Int32Builder>(builder->GetField(16), file.sort_order_id);
  }

  Result<std::shared_ptr<arrow::Table>> Finish() { return iceberg::Finish(builder_.get()); }

 private:
  Status AppendPartition(const DataFile& file) {
    auto* partition = builder_->GetFieldAs<arrow::StructBuilder>(4);
    ARROW_RETURN_NOT_OK(partition->Append());
    for (size_t i = 0; i < partition_.size(); ++i) {
      const auto* value = file.partition.Find(FieldId(*partition_[i]).value_or(0));
      arrow::ArrayBuilder* field = partition->field_builder(static_cast<int>(i));
      const auto scalar =
          value == nullptr || !*value ? nullptr : ParseSingleValue(**value, partition_[i]->type());
      ARROW_RETURN_NOT_OK(scalar == nullptr ? field->AppendNull() : field->AppendScalar(*scalar));
    }
    return Status::OK();
  }

  /// What is not known is null.
  template <typename Builder, typename T>
  Status AppendMap(int column, const FieldMap<T>& map) {
    auto* builder = builder_->GetFieldAs<arrow::MapBuilder>(column);
    if (map.empty()) return builder->AppendNull();
    ARROW_RETURN_NOT_OK(builder->Append());
    for (const auto& [id, value] : map) {
      ARROW_RETURN_NOT_OK(static_cast<arrow::Int32Builder*>(builder->key_builder())->Append(id));
      ARROW_RETURN_NOT_OK(static_cast<Builder*>(builder->item_builder())->Append(value));
    }
    return Status::OK();
  }

  template <typename Builder, typename T>
  Status AppendList(int column, const std::vector<T>& values) {
    auto* builder = builder_->GetFieldAs<arrow::ListBuilder>(column);
    if (values.empty()) return builder->AppendNull();
    ARROW_RETURN_NOT_OK(builder->Append());
    return static_cast<Builder*>(builder->value_builder())->AppendValues(values);
  }

  arrow::FieldVector partition_;
  BatchBuilder builder_;
};

Result<std::shared_ptr<arrow::Table>> Files(const Table::State& table,
                                            const MetadataSnapshot* snapshot,
                                            const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(FilesBuilder files, FilesBuilder::Make(table.metadata, context));
  if (snapshot == nullptr) return files.Finish();
  ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadManifestList(table, *snapshot, context));
  std::vector<ManifestEntry> entries;
  for (const ManifestFile& manifest : manifests) {
    if (!MayHaveLiveFiles(manifest)) continue;
    ARROW_ASSIGN_OR_RAISE(auto reader, OpenManifest(table, manifest, {}, context));
    while (true) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&entries));
      if (!more) break;
      for (const ManifestEntry& entry : entries) {
        if (entry.change == ManifestEntry::Change::kDeleted) continue;
        ARROW_RETURN_NOT_OK(files.Append(entry.file, manifest.partition_spec_id));
      }
    }
  }
  return files.Finish();
}

/// A number with at least `width` digits.
std::string Padded(int64_t number, size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

int64_t FloorDivide(int64_t value, int64_t divisor) {
  return value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor);
}

/// A year, month or hour, counted from 1970, as a person reads it.
std::string HumanUnit(Transform::Kind kind, int64_t unit) {
  if (kind == Transform::Kind::kYear) return Padded(1970 + unit, 4);
  if (kind == Transform::Kind::kMonth) {
    const int64_t years = FloorDivide(unit, 12);
    return Padded(1970 + years, 4).append("-").append(Padded(unit - years * 12 + 1, 2));
  }
  const int64_t day = FloorDivide(unit, 24);
  const auto date = arrow::Date32Scalar(static_cast<int32_t>(day)).ToString();
  return std::string(date).append("-").append(Padded(unit - day * 24, 2));
}

/// A partition value as a person reads it.
std::optional<std::string> HumanValue(const Transform& transform,
                                      const std::shared_ptr<arrow::DataType>& type,
                                      const std::optional<std::string>& bytes) {
  if (!bytes.has_value()) return std::nullopt;
  using Kind = Transform::Kind;
  const bool is_unit = transform.kind == Kind::kYear || transform.kind == Kind::kMonth ||
                       transform.kind == Kind::kHour;
  if (is_unit && bytes->size() == sizeof(int32_t)) {
    return HumanUnit(transform.kind, LoadLittle<int32_t>(*bytes, 0));
  }
  const auto scalar = ParseSingleValue(*bytes, type);
  return scalar == nullptr ? std::nullopt : std::optional(scalar->ToString());
}

Status AppendSummaries(const TableMetadata& metadata, const ManifestFile& manifest,
                       arrow::ListBuilder* list) {
  ARROW_RETURN_NOT_OK(list->Append());
  const auto spec = metadata.specs.find(manifest.partition_spec_id);
  if (!manifest.partitions.has_value() || spec == metadata.specs.end()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto fields, PartitionFields(spec->second, [&](int32_t id) {
                          return metadata.FindColumn(id);
                        }));
  auto* summaries = static_cast<arrow::StructBuilder*>(list->value_builder());
  for (size_t i = 0; i < manifest.partitions->size() && i < fields.size(); ++i) {
    const PartitionSummary& summary = (*manifest.partitions)[i];
    const Transform& transform = spec->second.fields[i].transform;
    ARROW_RETURN_NOT_OK(summaries->Append());
    ARROW_RETURN_NOT_OK(static_cast<arrow::BooleanBuilder*>(summaries->field_builder(0))
                            ->Append(summary.contains_null));
    ARROW_RETURN_NOT_OK(
        PutOptional<arrow::BooleanBuilder>(summaries->field_builder(1), summary.contains_nan));
    ARROW_RETURN_NOT_OK(PutOptional<arrow::StringBuilder>(
        summaries->field_builder(2),
        HumanValue(transform, fields[i]->type(), summary.lower_bound)));
    ARROW_RETURN_NOT_OK(PutOptional<arrow::StringBuilder>(
        summaries->field_builder(3),
        HumanValue(transform, fields[i]->type(), summary.upper_bound)));
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::Table>> Manifests(const Table::State& table,
                                                const MetadataSnapshot* snapshot,
                                                const OperationContext& context) {
  const auto summary = arrow::struct_({
      Required("contains_null", arrow::boolean()),
      arrow::field("contains_nan", arrow::boolean()),
      arrow::field("lower_bound", arrow::utf8()),
      arrow::field("upper_bound", arrow::utf8()),
  });
  arrow::FieldVector fields = {
      Required("content", arrow::int8()),
      Required("path", arrow::utf8()),
      Required("length", arrow::int64()),
      Required("partition_spec_id", arrow::int32()),
      Required("added_snapshot_id", arrow::int64()),
  };
  // Version 1 writers may not have counted.
  for (const char* name :
       {"added_data_files_count", "existing_data_files_count", "deleted_data_files_count",
        "added_delete_files_count", "existing_delete_files_count", "deleted_delete_files_count"}) {
    fields.push_back(arrow::field(name, arrow::int32()));
  }
  fields.push_back(Required("partition_summaries", arrow::list(summary)));
  ARROW_ASSIGN_OR_RAISE(BatchBuilder builder, arrow::RecordBatchBuilder::Make(
                                                  arrow::schema(std::move(fields)), context.pool));
  if (snapshot == nullptr) return Finish(builder.get());
  ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadManifestList(table, *snapshot, context));
  for (const ManifestFile& manifest : manifests) {
    const bool is_data = manifest.content == FileContent::kData;
    ARROW_RETURN_NOT_OK(
        Put<arrow::Int8Builder>(builder.get(), 0, static_cast<int8_t>(is_data ? 0 : 1)));
    ARROW_RETURN_NOT_OK(Put<arrow::StringBuilder>(builder.get(), 1, manifest.path));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder.get(), 2, manifest.length));
    ARROW_RETURN_NOT_OK(Put<arrow::Int32Builder>(builder.get(), 3, manifest.partition_spec_id));
    ARROW_RETURN_NOT_OK(Put<arrow::Int64Builder>(builder.get(), 4, manifest.added_snapshot_id));
    const std::array counts = {manifest.added_files, manifest.existing_files,
                               manifest.deleted_files};
    for (int i = 0; i < 3; ++i) {
      const auto& count = counts[static_cast<size_t>(i)];
      const int own = is_data ? 5 + i : 8 + i;
      const int other = is_data ? 8 + i : 5 + i;
      ARROW_RETURN_NOT_OK(PutOptional<arrow::Int32Builder>(builder->GetField(own), count));
      ARROW_RETURN_NOT_OK(Put<arrow::Int32Builder>(builder.get(), other, 0));
    }
    ARROW_RETURN_NOT_OK(
        AppendSummaries(table.metadata, manifest, builder->GetFieldAs<arrow::ListBuilder>(11)));
  }
  return Finish(builder.get());
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> Table::ReadMetadata(MetadataTable which,
                                                          const SnapshotChoice& choice,
                                                          const OperationContext& context) const {
  const TableMetadata& metadata = state_->metadata;
  switch (which) {
    case MetadataTable::kSnapshots:
      return Snapshots(metadata, context);
    case MetadataTable::kHistory:
      return History(metadata, context);
    case MetadataTable::kRefs:
      return Refs(metadata, context);
    default:
      break;
  }
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* snapshot, ChooseSnapshot(*state_, choice));
  if (which == MetadataTable::kFiles) return Files(*state_, snapshot, context);
  return Manifests(*state_, snapshot, context);
}

}  // namespace tusk::iceberg
