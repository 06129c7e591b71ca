#include "tusk/iceberg/manifest.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/bounds.h"
#include "tusk/iceberg/partition_spec_json.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"

namespace tusk::iceberg {
namespace {

// The schemas are those of the specification for version 2 (sections "Manifests" and "Manifest
// Lists"). Records are written in this very order. The fields of the partition stand between the
// two parts of the first.
constexpr std::string_view kManifestSchemaBegin = R"json({
"type":"record","name":"manifest_entry","fields":[
{"name":"status","type":"int","field-id":0},
{"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},
{"name":"sequence_number","type":["null","long"],"default":null,"field-id":3},
{"name":"file_sequence_number","type":["null","long"],"default":null,"field-id":4},
{"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
{"name":"content","type":"int","field-id":134},
{"name":"file_path","type":"string","field-id":100},
{"name":"file_format","type":"string","field-id":101},
{"name":"partition","type":{"type":"record","name":"r102","fields":[)json";
constexpr std::string_view kManifestSchemaEnd = R"json(]},"field-id":102},
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

/// What ManifestReader hands out at once: so many, or fewer of so many bytes.
constexpr size_t kEntriesAtOnce = 1000;
constexpr int64_t kBytesAtOnce = 1 << 20;

/// Memory that entries may take whatever the size of their file, and for each byte of it. Paths
/// that differ in a number take some ten bytes deflated and some thousand as an entry.
constexpr int64_t kBytesInAnyCase = 64 << 20;
constexpr int64_t kBytesOfByte = 256;

int64_t MemoryOf(int64_t /*value*/) { return 0; }
int64_t MemoryOf(const std::string& text) { return std::ssize(text); }
int64_t MemoryOf(const std::optional<std::string>& text) { return text ? std::ssize(*text) : 0; }

template <typename T>
int64_t MemoryOf(const FieldMap<T>& map) {
  int64_t bytes = 0;
  for (const auto& entry : map)
    bytes += static_cast<int64_t>(sizeof(entry)) + MemoryOf(entry.second);
  return bytes;
}

/// Bytes that an entry takes, about.
int64_t MemoryOf(const ManifestEntry& entry) {
  const DataFile& file = entry.file;
  return static_cast<int64_t>(sizeof(entry)) + MemoryOf(file.path) + MemoryOf(file.format) +
         MemoryOf(file.partition) + MemoryOf(file.column_sizes) + MemoryOf(file.value_counts) +
         MemoryOf(file.null_value_counts) + MemoryOf(file.nan_value_counts) +
         MemoryOf(file.lower_bounds) + MemoryOf(file.upper_bounds) + MemoryOf(file.key_metadata) +
         static_cast<int64_t>(sizeof(int64_t)) * std::ssize(file.split_offsets) +
         static_cast<int64_t>(sizeof(int32_t)) * std::ssize(file.equality_ids) +
         MemoryOf(file.referenced_data_file);
}

int64_t MemoryOf(const ManifestFile& manifest) {
  int64_t bytes = static_cast<int64_t>(sizeof(manifest)) + MemoryOf(manifest.path) +
                  MemoryOf(manifest.key_metadata);
  if (!manifest.partitions.has_value()) return bytes;
  for (const PartitionSummary& summary : *manifest.partitions) {
    bytes += static_cast<int64_t>(sizeof(summary)) + MemoryOf(summary.lower_bound) +
             MemoryOf(summary.upper_bound);
  }
  return bytes;
}

/// Corrupt if what was read of `file` takes `held` bytes, which it cannot stand for.
Status CheckProportion(int64_t held, std::string_view file) {
  if (held <= kBytesInAnyCase + kBytesOfByte * std::ssize(file)) return Status::OK();
  return Corrupt("a file of ", file.size(), " bytes lists so much that it takes more than ", held,
                 " bytes of memory");
}

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

/// Reads an array of key-value records, the form of a map with integer keys. `read_value` reads a
/// value from its field; keys come before values. Values of columns that `keeps` refuses are passed
/// over.
template <typename T, typename Keeps, typename ReadValue>
Status ReadMap(const AvroField& field, AvroDecoder* decoder, int32_t key_id, const Keeps& keeps,
               const ReadValue& read_value, FieldMap<T>* out) {
  std::vector<typename FieldMap<T>::Entry> entries;
  const auto read_item = [&](const AvroType& item) -> Status {
    int32_t key = 0;
    bool is_kept = false;
    const auto read_member = [&](const AvroField& member) -> Status {
      if (member.id == key_id) {
        ARROW_RETURN_NOT_OK(ReadInt32(member, decoder, &key));
        is_kept = keeps(key);
        return Status::OK();
      }
      if (!is_kept || member.id != key_id + 1) return SkipAvro(*member.type, decoder);
      return read_value(member, decoder, &entries.emplace_back(key, T()).second);
    };
    return ReadAvroRecord(item, decoder, read_member).status();
  };
  ARROW_RETURN_NOT_OK(ReadAvroArray(*field.type, decoder, read_item));
  *out = FieldMap<T>(std::move(entries));
  return Status::OK();
}

/// A number as the little-endian bytes of its single-value form.
template <typename T>
std::string LittleBytes(T value) {
  std::string bytes;
  AppendLittle(value, &bytes);
  return bytes;
}

/// The shortest form of a decimal that was written with a fixed length.
Result<std::string> ShortestDecimal(std::string_view bytes) {
  const auto value = arrow::Decimal128::FromBigEndian(
      reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int32_t>(bytes.size()));
  if (!value.ok()) return Corrupt("a decimal of ", bytes.size(), " bytes in a partition");
  return DecimalBound(*value);
}

/// A partition value in single-value serialization, or nothing for null. What it means is told by
/// its Avro type alone, so that transforms of later writers do no harm.
Result<std::optional<std::string>> ReadSingleValue(const AvroType& type, AvroDecoder* decoder) {
  using Kind = AvroType::Kind;
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
  switch (branch->kind) {
    case Kind::kNull:
      return std::nullopt;
    case Kind::kBoolean: {
      ARROW_ASSIGN_OR_RAISE(const bool value, decoder->ReadBoolean());
      return std::string(1, value ? 1 : 0);
    }
    case Kind::kInt: {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, decoder->ReadLong());
      return LittleBytes(static_cast<int32_t>(value));
    }
    case Kind::kLong: {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, decoder->ReadLong());
      return LittleBytes(value);
    }
    case Kind::kFloat:
    case Kind::kDouble: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes,
                            decoder->ReadFixed(branch->kind == Kind::kFloat ? 4 : 8));
      return std::string(bytes);
    }
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kFixed: {
      ARROW_ASSIGN_OR_RAISE(const auto bytes, ReadAvroBytes(*branch, decoder));
      if (branch->logical_type == "decimal") return ShortestDecimal(*bytes);
      return std::string(*bytes);
    }
    default:
      return Corrupt("a partition value of Avro type number ", static_cast<int>(branch->kind));
  }
}

Status ReadPartition(const AvroField& field, AvroDecoder* decoder, DataFile* file) {
  std::vector<FieldMap<std::optional<std::string>>::Entry> values;
  const auto read_value = [&](const AvroField& member) -> Status {
    if (!member.id.has_value()) return SkipAvro(*member.type, decoder);
    ARROW_ASSIGN_OR_RAISE(auto value, ReadSingleValue(*member.type, decoder));
    values.emplace_back(*member.id, std::move(value));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(ReadAvroRecord(*field.type, decoder, read_value));
  file->partition = FieldMap<std::optional<std::string>>(std::move(values));
  return Status::OK();
}

template <typename T>
Status ReadNumbers(const AvroField& field, AvroDecoder* decoder, std::vector<T>* out) {
  const auto read_item = [&](const AvroType& item) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto number, ReadAvroLong(item, decoder));
    if (number.has_value()) out->push_back(static_cast<T>(*number));
    return Status::OK();
  };
  return ReadAvroArray(*field.type, decoder, read_item).status();
}

Status ReadOptionalBytes(const AvroField& field, AvroDecoder* decoder,
                         std::optional<std::string>* out) {
  ARROW_ASSIGN_OR_RAISE(const auto value, ReadAvroBytes(*field.type, decoder));
  if (value.has_value()) out->emplace(*value);
  return Status::OK();
}

Result<bool> ReadBoolean(const AvroField& field, AvroDecoder* decoder) {
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(*field.type, decoder));
  if (branch->kind != AvroType::Kind::kBoolean) return UnexpectedAvroType(*branch, "a boolean");
  return decoder->ReadBoolean();
}

Status ReadContent(const AvroField& field, AvroDecoder* decoder, FileContent* out) {
  int64_t value = 0;
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, &value));
  if (value < 0 || value > 2) return Corrupt("field '", field.name, "' is ", value);
  *out = static_cast<FileContent>(value);
  return Status::OK();
}

Status ReadChange(const AvroField& field, AvroDecoder* decoder, ManifestEntry::Change* out) {
  int64_t value = 0;
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, &value));
  if (value < 0 || value > 2) return Corrupt("status ", value, " of a manifest entry");
  *out = static_cast<ManifestEntry::Change>(value);
  return Status::OK();
}

Status ReadSortOrder(const AvroField& field, AvroDecoder* decoder, DataFile* file) {
  ARROW_ASSIGN_OR_RAISE(const auto value, ReadAvroLong(*field.type, decoder));
  if (value.has_value()) file->sort_order_id = static_cast<int32_t>(*value);
  return Status::OK();
}

/// Reads entries, keeping of counts and bounds those of some columns.
class EntryDecoder {
 public:
  explicit EntryDecoder(const ManifestReadOptions& options) : options_(options) {}

  Status Read(const AvroField& field, AvroDecoder* decoder, ManifestEntry* entry) const {
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

 private:
  bool Keeps(int32_t column) const {
    return !options_.columns.has_value() || std::ranges::binary_search(*options_.columns, column);
  }
  bool keeps_none() const { return options_.columns.has_value() && options_.columns->empty(); }

  template <typename T, typename ReadValue>
  Status ReadColumns(const AvroField& field, AvroDecoder* decoder, int32_t key_id,
                     const ReadValue& read_value, FieldMap<T>* out) const {
    if (keeps_none()) return SkipAvro(*field.type, decoder);
    return ReadMap(
        field, decoder, key_id, [this](int32_t column) { return Keeps(column); }, read_value, out);
  }

  Status ReadField(const AvroField& field, AvroDecoder* decoder, DataFile* file) const {
    switch (field.id.value_or(-1)) {
      case 134:
        return ReadContent(field, decoder, &file->content);
      case 100:
        return ReadString(field, decoder, &file->path);
      case 101:
        return ReadString(field, decoder, &file->format);
      case 102:
        return ReadPartition(field, decoder, file);
      case 103:
        return ReadCount(field, decoder, &file->record_count);
      case 104:
        return ReadCount(field, decoder, &file->size_bytes);
      case 108:
        return ReadColumns(field, decoder, 117, ReadCount, &file->column_sizes);
      case 109:
        return ReadColumns(field, decoder, 119, ReadCount, &file->value_counts);
      case 110:
        return ReadColumns(field, decoder, 121, ReadCount, &file->null_value_counts);
      case 137:
        return ReadColumns(field, decoder, 138, ReadCount, &file->nan_value_counts);
      case 125:
        return ReadColumns(field, decoder, 126, ReadString, &file->lower_bounds);
      case 128:
        return ReadColumns(field, decoder, 129, ReadString, &file->upper_bounds);
      case 131:
        return ReadOptionalBytes(field, decoder, &file->key_metadata);
      case 132:
        return ReadNumbers(field, decoder, &file->split_offsets);
      case 135:
        return ReadNumbers(field, decoder, &file->equality_ids);
      case 140:
        return ReadSortOrder(field, decoder, file);
      case 143:
        return ReadOptionalBytes(field, decoder, &file->referenced_data_file);
      default:
        return SkipAvro(*field.type, decoder);
    }
  }

  Status ReadDataFile(const AvroField& field, AvroDecoder* decoder, DataFile* file) const {
    const auto read_field = [&](const AvroField& member) {
      return ReadField(member, decoder, file);
    };
    ARROW_ASSIGN_OR_RAISE(const bool present, ReadAvroRecord(*field.type, decoder, read_field));
    if (!present || file->path.empty() || file->format.empty()) {
      return Corrupt("manifest entry without a data file's path or format");
    }
    return Status::OK();
  }

  const ManifestReadOptions& options_;
};

Status ReadSummaryField(const AvroField& field, AvroDecoder* decoder, PartitionSummary* summary) {
  switch (field.id.value_or(-1)) {
    case 509:
      return ReadBoolean(field, decoder).Value(&summary->contains_null);
    case 518: {
      ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(*field.type, decoder));
      if (branch->kind == AvroType::Kind::kNull) return Status::OK();
      if (branch->kind != AvroType::Kind::kBoolean) {
        return UnexpectedAvroType(*branch, "a boolean");
      }
      return decoder->ReadBoolean().Value(&summary->contains_nan.emplace());
    }
    case 510:
      return ReadOptionalBytes(field, decoder, &summary->lower_bound);
    case 511:
      return ReadOptionalBytes(field, decoder, &summary->upper_bound);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

Status ReadSummaries(const AvroField& field, AvroDecoder* decoder, ManifestFile* file) {
  std::vector<PartitionSummary> summaries;
  const auto read_item = [&](const AvroType& item) {
    PartitionSummary& summary = summaries.emplace_back();
    return ReadAvroRecord(
               item, decoder,
               [&](const AvroField& member) { return ReadSummaryField(member, decoder, &summary); })
        .status();
  };
  ARROW_ASSIGN_OR_RAISE(const bool present, ReadAvroArray(*field.type, decoder, read_item));
  if (present) file->partitions = std::move(summaries);
  return Status::OK();
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
      return ReadSummaries(field, decoder, file);
    case 519:
      return ReadOptionalBytes(field, decoder, &file->key_metadata);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

/// Corrupt unless the writer's schema has all of `required` at its top.
Status CheckFields(const AvroFile& avro, std::initializer_list<int32_t> required) {
  for (const int32_t id : required) {
    const auto has_id = [id](const AvroField& field) { return field.id == id; };
    if (std::ranges::none_of(avro.schema().fields, has_id)) {
      return Corrupt("the Avro schema lacks the field with id ", id);
    }
  }
  return Status::OK();
}

void PutOptionalLong(std::optional<int64_t> value, AvroEncoder* out) {
  out->PutPresent(value.has_value());
  if (value.has_value()) out->PutLong(*value);
}

void PutCountMap(const FieldMap<int64_t>& map, AvroEncoder* out) {
  out->PutPresent(true);
  if (!map.empty()) out->PutLong(static_cast<int64_t>(map.size()));
  for (const auto& [key, value] : map) {
    out->PutLong(key);
    out->PutLong(value);
  }
  out->PutLong(0);
}

void PutBytesMap(const FieldMap<std::string>& map, AvroEncoder* out) {
  out->PutPresent(true);
  if (!map.empty()) out->PutLong(static_cast<int64_t>(map.size()));
  for (const auto& [key, value] : map) {
    out->PutLong(key);
    out->PutBytes(value);
  }
  out->PutLong(0);
}

void PutOptionalBytes(const std::optional<std::string>& value, AvroEncoder* out) {
  out->PutPresent(value.has_value());
  if (value.has_value()) out->PutBytes(*value);
}

/// The Avro form of the values of one partition field.
struct PartitionColumn {
  std::shared_ptr<arrow::Field> field;
  int32_t decimal_bytes = 0;  ///< the length of a decimal
};

/// The bytes that any unscaled value of the precision fits into.
int32_t DecimalBytes(int32_t precision) {
  int32_t bytes = 1;
  // Each byte more multiplies the largest value by 256.
  while (std::floor((8 * bytes - 1) * std::log10(2.0)) < precision) ++bytes;
  return bytes;
}

/// A letter, a digit or an underscore of ASCII.
bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// `name` as a name of Avro; the field id tells fields apart, so that it need not be unique.
std::string AvroName(std::string_view name) {
  std::string result;
  for (const char c : name) result.push_back(IsNameCharacter(c) ? c : '_');
  if (result.empty() || (result[0] >= '0' && result[0] <= '9')) result.insert(0, 1, '_');
  return result;
}

/// The Avro type of partition values, as JSON. Types with a name get that of the field's id.
std::string AvroTypeOf(const PartitionColumn& column) {
  const arrow::DataType& type = *column.field->type();
  const std::string name = "p" + std::to_string(FieldId(*column.field).value_or(0));
  switch (type.id()) {
    case arrow::Type::BOOL:
      return R"("boolean")";
    case arrow::Type::INT32:
      return R"("int")";
    case arrow::Type::DATE32:
      return R"({"type":"int","logicalType":"date"})";
    case arrow::Type::INT64:
      return R"("long")";
    case arrow::Type::TIME64:
      return R"({"type":"long","logicalType":"time-micros"})";
    case arrow::Type::TIMESTAMP: {
      const bool is_utc = !static_cast<const arrow::TimestampType&>(type).timezone().empty();
      return std::string(R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":)") +
             (is_utc ? "true}" : "false}");
    }
    case arrow::Type::FLOAT:
      return R"("float")";
    case arrow::Type::DOUBLE:
      return R"("double")";
    case arrow::Type::BINARY:
      return R"("bytes")";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return R"({"type":"fixed","logicalType":"decimal","size":)" +
             std::to_string(column.decimal_bytes) + R"(,"precision":)" +
             std::to_string(decimal.precision()) + R"(,"scale":)" +
             std::to_string(decimal.scale()) + R"(,"name":")" + name + R"("})";
    }
    case arrow::Type::FIXED_SIZE_BINARY: {
      const int width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      return R"({"type":"fixed","size":)" + std::to_string(width) +
             (IsUuid(*column.field) ? R"(,"logicalType":"uuid")" : "") + R"(,"name":")" + name +
             R"("})";
    }
    default:
      return R"("string")";
  }
}

std::string ManifestSchema(const std::vector<PartitionColumn>& columns) {
  std::string schema(kManifestSchemaBegin);
  for (const PartitionColumn& column : columns) {
    if (&column != columns.data()) schema += ",";
    schema += R"({"name":")" + AvroName(column.field->name()) + R"(","type":["null",)" +
              AvroTypeOf(column) + R"(],"default":null,"field-id":)" +
              std::to_string(FieldId(*column.field).value_or(0)) + "}";
  }
  return schema.append(kManifestSchemaEnd);
}

/// InvalidArgument if the bytes are no value of the type.
Status PutPartitionValue(const PartitionColumn& column, const std::optional<std::string>& value,
                         AvroEncoder* out) {
  out->PutPresent(value.has_value());
  if (!value.has_value()) return Status::OK();
  const arrow::DataType& type = *column.field->type();
  const bool has_length = type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
  const auto scalar = ParseSingleValue(*value, column.field->type());
  if (scalar == nullptr) {
    return InvalidArgument("partition field '", column.field->name(), "' has a value of ",
                           value->size(), " bytes, which is none of type ", type.ToString());
  }
  switch (type.id()) {
    case arrow::Type::BOOL:
      // Any byte but 0 is true; Avro has 1 only.
      out->PutBoolean(value->front() != 0);
      return Status::OK();
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      out->PutLong(LoadLittle<int32_t>(*value, 0));
      return Status::OK();
    case arrow::Type::INT64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      // Written before the column was promoted, it is shorter.
      out->PutLong(value->size() == sizeof(int32_t) ? LoadLittle<int32_t>(*value, 0)
                                                    : LoadLittle<int64_t>(*value, 0));
      return Status::OK();
    case arrow::Type::DOUBLE:
      out->PutFixed(*SingleValue(*scalar));
      return Status::OK();
    case arrow::Type::DECIMAL128: {
      const char sign = static_cast<char>(value->front() < 0 ? 0xFF : 0);
      const auto length = static_cast<size_t>(column.decimal_bytes);
      if (value->size() > length) {
        return InvalidArgument("partition field '", column.field->name(), "': a value beyond ",
                               type.ToString());
      }
      out->PutFixed(std::string(length - value->size(), sign) + *value);
      return Status::OK();
    }
    default:
      has_length ? out->PutBytes(*value) : out->PutFixed(*value);
      return Status::OK();
  }
}

void PutSummaries(const std::vector<PartitionSummary>& summaries, AvroEncoder* out) {
  if (!summaries.empty()) out->PutLong(std::ssize(summaries));
  for (const PartitionSummary& summary : summaries) {
    out->PutBoolean(summary.contains_null);
    out->PutPresent(summary.contains_nan.has_value());
    if (summary.contains_nan.has_value()) out->PutBoolean(*summary.contains_nan);
    PutOptionalBytes(summary.lower_bound, out);
    PutOptionalBytes(summary.upper_bound, out);
  }
  out->PutLong(0);
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
  out->PutPresent(manifest.partitions.has_value());
  if (manifest.partitions.has_value()) PutSummaries(*manifest.partitions, out);
  PutOptionalBytes(manifest.key_metadata, out);
}

bool HasAllCounts(const ManifestFile& manifest) {
  return manifest.added_files && manifest.existing_files && manifest.deleted_files &&
         manifest.added_rows && manifest.existing_rows && manifest.deleted_rows;
}

}  // namespace

ManifestReader::ManifestReader(std::shared_ptr<arrow::Buffer> bytes, AvroFile file,
                               ManifestReadOptions options)
    : bytes_(std::move(bytes)), file_(std::move(file)), options_(std::move(options)) {}

Result<ManifestReader> ManifestReader::Open(std::shared_ptr<arrow::Buffer> bytes,
                                            ManifestReadOptions options) {
  ARROW_ASSIGN_OR_RAISE(AvroFile file, AvroFile::Parse(std::string_view(*bytes)));
  ARROW_RETURN_NOT_OK(CheckFields(file, {0, 2}));
  return ManifestReader(std::move(bytes), std::move(file), std::move(options));
}

Result<bool> ManifestReader::Next(std::vector<ManifestEntry>* entries) {
  entries->clear();
  const EntryDecoder entry_decoder(options_);
  const auto read_entry = [&](AvroDecoder* decoder) {
    ManifestEntry& entry = entries->emplace_back();
    return ReadAvroRecord(
               file_.schema(), decoder,
               [&](const AvroField& field) { return entry_decoder.Read(field, decoder, &entry); })
        .status();
  };
  int64_t held = 0;
  while (entries->size() < kEntriesAtOnce && held < kBytesAtOnce) {
    if (!block_.has_value()) {
      ARROW_ASSIGN_OR_RAISE(block_, file_.NextBlock(&position_));
      if (!block_.has_value()) break;
    }
    ARROW_ASSIGN_OR_RAISE(const bool more, block_->Next(read_entry));
    if (more) {
      held += MemoryOf(entries->back());
    } else {
      block_.reset();
    }
  }
  return !entries->empty();
}

Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(auto reader, ManifestReader::Open(std::make_shared<arrow::Buffer>(bytes)));
  std::vector<ManifestEntry> entries;
  std::vector<ManifestEntry> some;
  int64_t held = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&some));
    if (!more) return entries;
    for (ManifestEntry& entry : some) {
      held += MemoryOf(entry);
      entries.push_back(std::move(entry));
    }
    ARROW_RETURN_NOT_OK(CheckProportion(held, bytes));
  }
}

struct ManifestBuilder::State {
  ManifestHeader header;
  std::vector<PartitionColumn> columns;
  std::vector<PartitionSummary> summaries;
  AvroFileBuilder file;
  AvroEncoder record;
  int64_t files[3] = {};  ///< by change
  int64_t rows[3] = {};
  std::optional<int64_t> least_existing;  ///< sequence number
};

namespace {

std::vector<PartitionColumn> PartitionColumns(const arrow::FieldVector& fields) {
  std::vector<PartitionColumn> columns;
  for (const auto& field : fields) {
    PartitionColumn column{.field = field};
    if (field->type()->id() == arrow::Type::DECIMAL128) {
      column.decimal_bytes =
          DecimalBytes(static_cast<const arrow::Decimal128Type&>(*field->type()).precision());
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

std::map<std::string, std::string> ManifestKeyValues(const ManifestHeader& header) {
  return {{"schema", header.schema_json},
          {"schema-id", std::to_string(header.schema_id)},
          {"partition-spec", FormatPartitionFields(header.spec.fields).dump()},
          {"partition-spec-id", std::to_string(header.spec.spec_id)},
          {"format-version", "2"},
          {"content", header.content == FileContent::kData ? "data" : "deletes"}};
}

/// Takes `value` into the summary of its field.
void Summarize(const arrow::DataType& type, const std::optional<std::string>& value,
               PartitionSummary* summary) {
  if (!value.has_value()) {
    summary->contains_null = true;
    return;
  }
  if (IsNan(type, *value)) {
    summary->contains_nan = true;
    return;
  }
  std::optional<std::string>& least = summary->lower_bound;
  std::optional<std::string>& greatest = summary->upper_bound;
  if (!least || CompareSingleValues(type, *value, *least).value_or(0) < 0) least = value;
  if (!greatest || CompareSingleValues(type, *value, *greatest).value_or(0) > 0) greatest = value;
}

}  // namespace

ManifestBuilder::ManifestBuilder(ManifestHeader header) {
  auto columns = PartitionColumns(header.partition_fields);
  AvroFileBuilder file(ManifestSchema(columns), ManifestKeyValues(header));
  state_ = std::make_unique<State>(State{.header = std::move(header),
                                         .columns = std::move(columns),
                                         .summaries = {},
                                         .file = std::move(file),
                                         .record = {},
                                         .least_existing = std::nullopt});
  for (size_t i = 0; i < state_->columns.size(); ++i) {
    state_->summaries.push_back({.contains_null = false, .contains_nan = false});
  }
}

ManifestBuilder::~ManifestBuilder() = default;

int64_t ManifestBuilder::entry_count() const {
  return state_->files[0] + state_->files[1] + state_->files[2];
}

Status ManifestBuilder::Append(const ManifestEntry& entry) {
  const DataFile& file = entry.file;
  const bool is_added = entry.change == ManifestEntry::Change::kAdded;
  AvroEncoder* out = &state_->record;
  out->Clear();
  out->PutLong(static_cast<int64_t>(entry.change));
  PutOptionalLong(entry.snapshot_id, out);
  // Inherited, so that a retry keeps the manifest.
  PutOptionalLong(is_added ? std::nullopt : entry.sequence_number, out);
  PutOptionalLong(is_added ? std::nullopt : entry.file_sequence_number, out);
  out->PutLong(static_cast<int64_t>(file.content));
  out->PutBytes(file.path);
  out->PutBytes(file.format);
  for (size_t i = 0; i < state_->columns.size(); ++i) {
    const PartitionColumn& column = state_->columns[i];
    const auto* value = file.partition.Find(FieldId(*column.field).value_or(0));
    const std::optional<std::string> single = value == nullptr ? std::nullopt : *value;
    ARROW_RETURN_NOT_OK(PutPartitionValue(column, single, out));
    Summarize(*column.field->type(), single, &state_->summaries[i]);
  }
  out->PutLong(file.record_count);
  out->PutLong(file.size_bytes);
  PutCountMap(file.column_sizes, out);
  PutCountMap(file.value_counts, out);
  PutCountMap(file.null_value_counts, out);
  PutCountMap(file.nan_value_counts, out);
  PutBytesMap(file.lower_bounds, out);
  PutBytesMap(file.upper_bounds, out);
  PutOptionalBytes(file.key_metadata, out);
  out->PutPresent(true);
  if (!file.split_offsets.empty()) out->PutLong(std::ssize(file.split_offsets));
  for (const int64_t offset : file.split_offsets) out->PutLong(offset);
  out->PutLong(0);
  out->PutPresent(false);  // equality_ids: only data files are written
  PutOptionalLong(file.sort_order_id, out);

  const auto change = static_cast<size_t>(entry.change);
  state_->files[change] += 1;
  if (__builtin_add_overflow(state_->rows[change], file.record_count, &state_->rows[change])) {
    return Corrupt("the files of a manifest hold more than 2^63 rows, by '", file.path, "'");
  }
  if (entry.change == ManifestEntry::Change::kExisting) {
    const int64_t number = entry.sequence_number.value_or(0);
    state_->least_existing = std::min(state_->least_existing.value_or(number), number);
  }
  return state_->file.Append(out->bytes());
}

Result<std::string> ManifestBuilder::Finish(int64_t sequence_number, ManifestFile* listed) {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, state_->file.Finish());
  listed->length = std::ssize(bytes);
  listed->partition_spec_id = state_->header.spec.spec_id;
  listed->content = state_->header.content;
  listed->min_sequence_number =
      std::min(state_->least_existing.value_or(sequence_number), sequence_number);
  listed->existing_files = state_->files[0];
  listed->added_files = state_->files[1];
  listed->deleted_files = state_->files[2];
  listed->existing_rows = state_->rows[0];
  listed->added_rows = state_->rows[1];
  listed->deleted_rows = state_->rows[2];
  listed->partitions = std::move(state_->summaries);
  return bytes;
}

Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const AvroFile avro, AvroFile::Parse(bytes));
  ARROW_RETURN_NOT_OK(CheckFields(avro, {500, 501, 502}));
  std::vector<ManifestFile> manifests;
  int64_t held = 0;
  ARROW_RETURN_NOT_OK(avro.ForEach([&](AvroDecoder* decoder) -> Status {
    ManifestFile& manifest = manifests.emplace_back();
    const auto read_field = [&](const AvroField& field) {
      return ReadManifestFileField(field, decoder, &manifest);
    };
    ARROW_RETURN_NOT_OK(ReadAvroRecord(avro.schema(), decoder, read_field));
    held += MemoryOf(manifest);
    return CheckProportion(held, bytes);
  }));
  return manifests;
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
