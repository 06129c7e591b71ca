#include "tusk/iceberg/manifest.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <limits>
#include <utility>

#include "tusk/iceberg/avro_file.h"

namespace tusk::iceberg {
namespace {

// Both schemas are those of the specification for version 2 (sections "Manifests" and "Manifest
// Lists"), for the unpartitioned spec. Records are written in this very order.
constexpr std::string_view kManifestSchema = R"json({
"type":"record","name":"manifest_entry","fields":[
{"name":"status","type":"int","field-id":0},
{"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},
{"name":"sequence_number","type":["null","long"],"default":null,"field-id":3},
{"name":"file_sequence_number","type":["null","long"],"default":null,"field-id":4},
{"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
{"name":"content","type":"int","field-id":134},
{"name":"file_path","type":"string","field-id":100},
{"name":"file_format","type":"string","field-id":101},
{"name":"partition","type":{"type":"record","name":"r102","fields":[]},"field-id":102},
{"name":"record_count","type":"long","field-id":103},
{"name":"file_size_in_bytes","type":"long","field-id":104},
{"name":"column_sizes","field-id":108,"default":null,"type":["null",{"type":"array","logicalType":"map","items":
{"type":"record","name":"k117_v118","fields":[
{"name":"key","type":"int","field-id":117},{"name":"value","type":"long","field-id":118}]}}]},
{"name":"value_counts","field-id":109,"default":null,"type":["null",{"type":"array","logicalType":"map","items":
{"type":"record","name":"k119_v120","fields":[
{"name":"key","type":"int","field-id":119},{"name":"value","type":"long","field-id":120}]}}]},
{"name":"null_value_counts","field-id":110,"default":null,"type":["null",{"type":"array","logicalType":"map","items":
{"type":"record","name":"k121_v122","fields":[
{"name":"key","type":"int","field-id":121},{"name":"value","type":"long","field-id":122}]}}]},
{"name":"nan_value_counts","field-id":137,"default":null,"type":["null",{"type":"array","logicalType":"map","items":
{"type":"record","name":"k138_v139","fields":[
{"name":"key","type":"int","field-id":138},{"name":"value","type":"long","field-id":139}]}}]},
{"name":"lower_bounds","field-id":125,"default":null,"type":["null",{"type":"array","logicalType":"map","items":
{"type":"record","name":"k126_v127","fields":[
{"name":"key","type":"int","field-id":126},{"name":"value","type":"bytes","field-id":127}]}}]},
{"name":"upper_bounds","field-id":128,"default":null,"type":["null",{"type":"array","logicalType":"map","items":
{"type":"record","name":"k129_v130","fields":[
{"name":"key","type":"int","field-id":129},{"name":"value","type":"bytes","field-id":130}]}}]},
{"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":131},
{"name":"split_offsets","field-id":132,"default":null,"type":["null",{"type":"array","items":"long","element-id":133}]},
{"name":"equality_ids","field-id":135,"default":null,"type":["null",{"type":"array","items":"int","element-id":136}]},
{"name":"sort_order_id","type":["null","int"],"default":null,"field-id":140}]}}]})json";

constexpr std::string_view kManifestListSchema = R"json({
"type":"record","name":"manifest_file","fields":[
{"name":"manifest_path","type":"string","field-id":500},
{"name":"manifest_length","type":"long","field-id":501},
{"name":"partition_spec_id","type":"int","field-id":502},
{"name":"content","type":"int","field-id":517},
{"name":"sequence_number","type":"long","field-id":515},
{"name":"min_sequence_number","type":"long","field-id":516},
{"name":"added_snapshot_id","type":"long","field-id":503},
{"name":"added_files_count","type":"int","field-id":504},
{"name":"existing_files_count","type":"int","field-id":505},
{"name":"deleted_files_count","type":"int","field-id":506},
{"name":"added_rows_count","type":"long","field-id":512},
{"name":"existing_rows_count","type":"long","field-id":513},
{"name":"deleted_rows_count","type":"long","field-id":514},
{"name":"partitions","field-id":507,"default":null,"type":["null",{"type":"array","element-id":508,"items":
{"type":"record","name":"r508","fields":[
{"name":"contains_null","type":"boolean","field-id":509},
{"name":"contains_nan","type":["null","boolean"],"default":null,"field-id":518},
{"name":"lower_bound","type":["null","bytes"],"default":null,"field-id":510},
{"name":"upper_bound","type":["null","bytes"],"default":null,"field-id":511}]}}]},
{"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":519}]})json";

Status ReadLong(const AvroField& field, AvroDecoder* decoder, int64_t* out) {
  ARROW_ASSIGN_OR_RAISE(const auto value, ReadAvroLong(*field.type, decoder));
  if (!value.has_value()) return Corrupt("required field '", field.name, "' is null");
  *out = *value;
  return Status::OK();
}

Status ReadInt32(const AvroField& field, AvroDecoder* decoder, int32_t* out) {
  int64_t value = 0;
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, &value));
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return Corrupt("field '", field.name, "' is ", value);
  }
  *out = static_cast<int32_t>(value);
  return Status::OK();
}

/// A count: never negative.
Status ReadCount(const AvroField& field, AvroDecoder* decoder, int64_t* out) {
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, out));
  return *out >= 0 ? Status::OK() : Corrupt("field '", field.name, "' is ", *out);
}

Status ReadOptionalCount(const AvroField& field, AvroDecoder* decoder,
                         std::optional<int64_t>* out) {
  ARROW_ASSIGN_OR_RAISE(*out, ReadAvroLong(*field.type, decoder));
  const int64_t count = out->value_or(0);
  return count >= 0 ? Status::OK() : Corrupt("field '", field.name, "' is ", count);
}

Status ReadString(const AvroField& field, AvroDecoder* decoder, std::string* out) {
  ARROW_ASSIGN_OR_RAISE(const auto value, ReadAvroBytes(*field.type, decoder));
  if (!value.has_value()) return Corrupt("required field '", field.name, "' is null");
  out->assign(*value);
  return Status::OK();
}

/// Reads an array of key-value records, the form of a map with integer keys. `read_value` gets the
/// key and the field of the value; keys come before values.
Status ReadMap(const AvroField& field, AvroDecoder* decoder, int32_t key_id,
               const std::function<Status(int32_t, const AvroField&)>& read_value) {
  return ReadAvroArray(*field.type, decoder,
                       [&](const AvroType& item) {
                         int32_t key = 0;
                         bool has_key = false;
                         return ReadAvroRecord(item, decoder,
                                               [&](const AvroField& member) -> Status {
                                                 if (member.id == key_id) {
                                                   has_key = true;
                                                   return ReadInt32(member, decoder, &key);
                                                 }
                                                 if (!has_key || member.id != key_id + 1) {
                                                   return SkipAvro(*member.type, decoder);
                                                 }
                                                 return read_value(key, member);
                                               })
                             .status();
                       })
      .status();
}

Status ReadCountMap(const AvroField& field, AvroDecoder* decoder, int32_t key_id,
                    std::map<int32_t, int64_t>* out) {
  return ReadMap(field, decoder, key_id, [&](int32_t key, const AvroField& value) {
    return ReadCount(value, decoder, &(*out)[key]);
  });
}

Status ReadBytesMap(const AvroField& field, AvroDecoder* decoder, int32_t key_id,
                    std::map<int32_t, std::string>* out) {
  return ReadMap(field, decoder, key_id, [&](int32_t key, const AvroField& value) {
    return ReadString(value, decoder, &(*out)[key]);
  });
}

Status ReadSplitOffsets(const AvroField& field, AvroDecoder* decoder, std::vector<int64_t>* out) {
  return ReadAvroArray(*field.type, decoder,
                       [&](const AvroType& item) -> Status {
                         ARROW_ASSIGN_OR_RAISE(const auto offset, ReadAvroLong(item, decoder));
                         if (offset.has_value()) out->push_back(*offset);
                         return Status::OK();
                       })
      .status();
}

Status ReadContent(const AvroField& field, AvroDecoder* decoder, FileContent* out) {
  int64_t value = 0;
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, &value));
  if (value < 0 || value > 2) return Corrupt("field '", field.name, "' is ", value);
  *out = static_cast<FileContent>(value);
  return Status::OK();
}

Status ReadDataFileField(const AvroField& field, AvroDecoder* decoder, DataFile* file) {
  switch (field.id.value_or(-1)) {
    case 134:
      return ReadContent(field, decoder, &file->content);
    case 100:
      return ReadString(field, decoder, &file->path);
    case 101:
      return ReadString(field, decoder, &file->format);
    case 103:
      return ReadCount(field, decoder, &file->record_count);
    case 104:
      return ReadCount(field, decoder, &file->size_bytes);
    case 108:
      return ReadCountMap(field, decoder, 117, &file->column_sizes);
    case 109:
      return ReadCountMap(field, decoder, 119, &file->value_counts);
    case 110:
      return ReadCountMap(field, decoder, 121, &file->null_value_counts);
    case 137:
      return ReadCountMap(field, decoder, 138, &file->nan_value_counts);
    case 125:
      return ReadBytesMap(field, decoder, 126, &file->lower_bounds);
    case 128:
      return ReadBytesMap(field, decoder, 129, &file->upper_bounds);
    case 132:
      return ReadSplitOffsets(field, decoder, &file->split_offsets);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

Status ReadDataFile(const AvroField& field, AvroDecoder* decoder, DataFile* file) {
  ARROW_ASSIGN_OR_RAISE(const bool present,
                        ReadAvroRecord(*field.type, decoder, [&](const AvroField& member) {
                          return ReadDataFileField(member, decoder, file);
                        }));
  if (!present || file->path.empty() || file->format.empty()) {
    return Corrupt("manifest entry without a data file's path or format");
  }
  return Status::OK();
}

Status ReadChange(const AvroField& field, AvroDecoder* decoder, ManifestEntry::Change* out) {
  int64_t value = 0;
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, &value));
  if (value < 0 || value > 2) return Corrupt("status ", value, " of a manifest entry");
  *out = static_cast<ManifestEntry::Change>(value);
  return Status::OK();
}

Status ReadEntryField(const AvroField& field, AvroDecoder* decoder, ManifestEntry* entry) {
  switch (field.id.value_or(-1)) {
    case 0:
      return ReadChange(field, decoder, &entry->change);
    case 1:
      return ReadAvroLong(*field.type, decoder).Value(&entry->snapshot_id);
    case 3:
      return ReadOptionalCount(field, decoder, &entry->sequence_number);
    case 4:
      return ReadOptionalCount(field, decoder, &entry->file_sequence_number);
    case 2:
      return ReadDataFile(field, decoder, &entry->file);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

Status ReadPartitions(const AvroField& field, AvroDecoder* decoder, int64_t* count) {
  return ReadAvroArray(*field.type, decoder,
                       [&](const AvroType& item) {
                         ++*count;
                         return SkipAvro(item, decoder);
                       })
      .status();
}

Status ReadManifestFileField(const AvroField& field, AvroDecoder* decoder, ManifestFile* file) {
  switch (field.id.value_or(-1)) {
    case 500:
      return ReadString(field, decoder, &file->path);
    case 501:
      return ReadCount(field, decoder, &file->length);
    case 502:
      return ReadInt32(field, decoder, &file->partition_spec_id);
    case 517:
      return ReadContent(field, decoder, &file->content);
    case 515:
      return ReadCount(field, decoder, &file->sequence_number);
    case 516:
      return ReadCount(field, decoder, &file->min_sequence_number);
    case 503:
      return ReadLong(field, decoder, &file->added_snapshot_id);
    case 504:
      return ReadOptionalCount(field, decoder, &file->added_files);
    case 505:
      return ReadOptionalCount(field, decoder, &file->existing_files);
    case 506:
      return ReadOptionalCount(field, decoder, &file->deleted_files);
    case 512:
      return ReadOptionalCount(field, decoder, &file->added_rows);
    case 513:
      return ReadOptionalCount(field, decoder, &file->existing_rows);
    case 514:
      return ReadOptionalCount(field, decoder, &file->deleted_rows);
    case 507:
      return ReadPartitions(field, decoder, &file->partition_fields);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

/// Reads every record of an Avro file into a T, field by field. Corrupt unless the writer's schema
/// has all of `required_ids` at its top.
template <typename T>
Result<std::vector<T>> ReadRecords(std::string_view bytes, std::initializer_list<int32_t> required,
                                   Status (*read_field)(const AvroField&, AvroDecoder*, T*)) {
  ARROW_ASSIGN_OR_RAISE(const AvroFile avro, AvroFile::Parse(bytes));
  for (const int32_t id : required) {
    const auto has_id = [id](const AvroField& field) { return field.id == id; };
    if (std::ranges::none_of(avro.schema().fields, has_id)) {
      return Corrupt("the Avro schema lacks the field with id ", id);
    }
  }
  std::vector<T> records;
  ARROW_RETURN_NOT_OK(avro.ForEach([&](AvroDecoder* decoder) {
    T& record = records.emplace_back();
    return ReadAvroRecord(
               avro.schema(), decoder,
               [&](const AvroField& field) { return read_field(field, decoder, &record); })
        .status();
  }));
  return records;
}

void PutOptionalLong(std::optional<int64_t> value, AvroEncoder* out) {
  out->PutPresent(value.has_value());
  if (value.has_value()) out->PutLong(*value);
}

void PutCountMap(const std::map<int32_t, int64_t>& map, AvroEncoder* out) {
  out->PutPresent(true);
  if (!map.empty()) out->PutLong(static_cast<int64_t>(map.size()));
  for (const auto& [key, value] : map) {
    out->PutLong(key);
    out->PutLong(value);
  }
  out->PutLong(0);
}

void PutBytesMap(const std::map<int32_t, std::string>& map, AvroEncoder* out) {
  out->PutPresent(true);
  if (!map.empty()) out->PutLong(static_cast<int64_t>(map.size()));
  for (const auto& [key, value] : map) {
    out->PutLong(key);
    out->PutBytes(value);
  }
  out->PutLong(0);
}

void PutAddedEntry(const DataFile& file, int64_t snapshot_id, AvroEncoder* out) {
  out->PutLong(static_cast<int64_t>(ManifestEntry::Change::kAdded));
  PutOptionalLong(snapshot_id, out);
  PutOptionalLong(std::nullopt, out);  // inherited, so that a retry keeps the manifest
  PutOptionalLong(std::nullopt, out);
  out->PutLong(static_cast<int64_t>(file.content));
  out->PutBytes(file.path);
  out->PutBytes(file.format);
  out->PutLong(file.record_count);
  out->PutLong(file.size_bytes);
  PutCountMap(file.column_sizes, out);
  PutCountMap(file.value_counts, out);
  PutCountMap(file.null_value_counts, out);
  PutCountMap(file.nan_value_counts, out);
  PutBytesMap(file.lower_bounds, out);
  PutBytesMap(file.upper_bounds, out);
  out->PutPresent(false);  // key_metadata
  out->PutPresent(true);
  if (!file.split_offsets.empty()) out->PutLong(std::ssize(file.split_offsets));
  for (const int64_t offset : file.split_offsets) out->PutLong(offset);
  out->PutLong(0);
  out->PutPresent(false);   // equality_ids
  PutOptionalLong(0, out);  // sort_order_id: unsorted
}

/// `manifest` has all its counts.
void PutManifestFile(const ManifestFile& manifest, AvroEncoder* out) {
  out->PutBytes(manifest.path);
  out->PutLong(manifest.length);
  out->PutLong(manifest.partition_spec_id);
  out->PutLong(manifest.content == FileContent::kData ? 0 : 1);
  out->PutLong(manifest.sequence_number);
  out->PutLong(manifest.min_sequence_number);
  out->PutLong(manifest.added_snapshot_id);
  for (const auto& count : {manifest.added_files, manifest.existing_files, manifest.deleted_files,
                            manifest.added_rows, manifest.existing_rows, manifest.deleted_rows}) {
    out->PutLong(count.value_or(0));
  }
  out->PutPresent(true);
  out->PutLong(0);         // partitions: none
  out->PutPresent(false);  // key_metadata
}

bool HasAllCounts(const ManifestFile& manifest) {
  return manifest.added_files && manifest.existing_files && manifest.deleted_files &&
         manifest.added_rows && manifest.existing_rows && manifest.deleted_rows;
}

}  // namespace

Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes) {
  return ReadRecords<ManifestEntry>(bytes, {0, 2}, ReadEntryField);
}

Result<std::string> FormatDataManifest(const std::vector<DataFile>& files, int64_t snapshot_id,
                                       std::string_view schema_json, int32_t schema_id) {
  AvroFileBuilder builder(kManifestSchema, {{"schema", std::string(schema_json)},
                                            {"schema-id", std::to_string(schema_id)},
                                            {"partition-spec", "[]"},
                                            {"partition-spec-id", "0"},
                                            {"format-version", "2"},
                                            {"content", "data"}});
  AvroEncoder record;
  for (const DataFile& file : files) {
    record.Clear();
    PutAddedEntry(file, snapshot_id, &record);
    ARROW_RETURN_NOT_OK(builder.Append(record.bytes()));
  }
  return builder.Finish();
}

Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes) {
  return ReadRecords<ManifestFile>(bytes, {500, 501, 502}, ReadManifestFileField);
}

Result<std::string> FormatManifestList(const std::vector<ManifestFile>& manifests,
                                       int64_t snapshot_id,
                                       std::optional<int64_t> parent_snapshot_id,
                                       int64_t sequence_number) {
  AvroFileBuilder builder(
      kManifestListSchema,
      {{"snapshot-id", std::to_string(snapshot_id)},
       {"parent-snapshot-id",
        parent_snapshot_id.has_value() ? std::to_string(*parent_snapshot_id) : "null"},
       {"sequence-number", std::to_string(sequence_number)},
       {"format-version", "2"}});
  AvroEncoder record;
  for (const ManifestFile& manifest : manifests) {
    if (manifest.partition_fields != 0) {
      return Unsupported("manifest '", manifest.path,
                         "' is of a partitioned table: appending beside it is not supported yet");
    }
    if (!HasAllCounts(manifest)) {
      return Unsupported("manifest '", manifest.path,
                         "' was listed without its counts by a version 1 writer");
    }
    record.Clear();
    PutManifestFile(manifest, &record);
    ARROW_RETURN_NOT_OK(builder.Append(record.bytes()));
  }
  return builder.Finish();
}

}  // namespace tusk::iceberg
