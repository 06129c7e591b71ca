#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "tusk/base/result.h"
#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/manifest.h"

namespace tusk::iceberg {

// Fields of the records of manifests and manifest lists.

/// Corrupt unless the writer's schema has all of `required` at its top.
Status CheckFields(const AvroFile& avro, std::initializer_list<int32_t> required);

// Each reads a field that must not be null, and is Corrupt, with its name, for what does not fit.
Status ReadLong(const AvroField& field, AvroDecoder* decoder, int64_t* out);
Status ReadInt32(const AvroField& field, AvroDecoder* decoder, int32_t* out);
/// A count: never negative.
Status ReadCount(const AvroField& field, AvroDecoder* decoder, int64_t* out);
Status ReadOptionalCount(const AvroField& field, AvroDecoder* decoder, std::optional<int64_t>* out);
Status ReadString(const AvroField& field, AvroDecoder* decoder, std::string* out);
Status ReadOptionalBytes(const AvroField& field, AvroDecoder* decoder,
                         std::optional<std::string>* out);
Result<bool> ReadBoolean(const AvroField& field, AvroDecoder* decoder);
Status ReadContent(const AvroField& field, AvroDecoder* decoder, FileContent* out);

void PutOptionalBytes(const std::optional<std::string>& value, AvroEncoder* out);

// Bytes that a value takes beside itself, about.
inline int64_t MemoryOf(int64_t /*value*/) { return 0; }
inline int64_t MemoryOf(const std::string& text) { return std::ssize(text); }
inline int64_t MemoryOf(const std::optional<std::string>& text) {
  return text ? std::ssize(*text) : 0;
}

/// Corrupt if what was read of `file` takes `held` bytes, which it cannot stand for.
Status CheckProportion(int64_t held, std::string_view file);

}  // namespace tusk::iceberg
