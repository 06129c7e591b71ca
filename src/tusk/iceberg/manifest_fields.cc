#include "tusk/iceberg/manifest_fields.h"

#include <algorithm>
#include <limits>

namespace tusk::iceberg {
namespace {

/// Memory that entries may take whatever the size of their file, and for each byte of it. Paths
/// that differ in a number take some ten bytes deflated and some thousand as an entry.
constexpr int64_t kBytesInAnyCase = 64 << 20;
constexpr int64_t kBytesOfByte = 256;

}  // namespace

Status CheckFields(const AvroFile& avro, std::initializer_list<int32_t> required) {
  for (const int32_t id : required) {
    const auto has_id = [id](const AvroField& field) { return field.id == id; };
    if (std::ranges::none_of(avro.schema().fields, has_id)) {
      return Corrupt("the Avro schema lacks the field with id ", id);
    }
  }
  return Status::OK();
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

void PutOptionalBytes(const std::optional<std::string>& value, AvroEncoder* out) {
  out->PutPresent(value.has_value());
  if (value.has_value()) out->PutBytes(*value);
}

Status CheckProportion(int64_t held, std::string_view file) {
  if (held <= kBytesInAnyCase + kBytesOfByte * std::ssize(file)) return Status::OK();
  return Corrupt("a file of ", file.size(), " bytes lists so much that it takes more than ", held,
                 " bytes of memory");
}

}  // namespace tusk::iceberg
