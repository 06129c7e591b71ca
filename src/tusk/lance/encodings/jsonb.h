#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// Appends the JSON text of a value in JSONB, byte for byte as pylance's datasets give it: without
/// blanks, keys in stored order, numbers as in AppendJsonDouble, extension values as strings. No
/// bytes at all are null. Corrupt, with the offset in the value, for bytes that are no JSONB, text
/// that is not UTF-8 and nesting deeper than 10,000; `out` is then as before.
/// Source: docs/format/lance_jsonb.md.
Status AppendJsonText(std::span<const uint8_t> jsonb, std::string* out);

/// Appends the JSONB of a JSON text, byte for byte as pylance stores it. InvalidArgument as in
/// JsonParser::Parse, and for a value of 256 MiB or more in another; `out` is then as before.
/// Source: docs/format/lance_jsonb.md.
Status AppendJsonb(std::string_view json, std::string* out);

/// The JSONB values, large_binary, of JSON texts (utf8, large_utf8 or utf8_view); nulls stay null.
/// InvalidArgument names the row.
Result<std::shared_ptr<arrow::Array>> JsonbOf(const arrow::Array& texts, arrow::MemoryPool* pool);

/// The utf8 texts of JSONB values; nulls stay null. Corrupt names the row. InvalidArgument if the
/// texts do not fit 2 GiB.
Result<std::shared_ptr<arrow::Array>> JsonTextOf(const arrow::LargeBinaryArray& jsonb,
                                                 arrow::MemoryPool* pool);

}  // namespace tusk::lance
