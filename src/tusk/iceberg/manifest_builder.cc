#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/manifest_fields.h"
#include "tusk/iceberg/partition_spec_json.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"

namespace tusk::iceberg {
namespace {

// The schema is that of the specification for version 2 (section "Manifests"). Records are written
// in this very order. The fields of the partition stand between the two parts.
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

}  // namespace tusk::iceberg
