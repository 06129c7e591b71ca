#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tusk/base/result.h"

// The JSON library is heavy: sources that read or write JSON documents include this, headers do
// not.
namespace tusk::iceberg {

/// Parses a JSON text from a file; `what` names it in errors. Corrupt if it is not JSON, not an
/// object where `must_be_object`, or nested deeper than any document of the format is.
Result<nlohmann::json> ParseJson(std::string_view text, std::string_view what, bool must_be_object);

/// The text of `document`. InvalidArgument if a string in it is not UTF-8.
Result<std::string> FormatJson(const nlohmann::json& document, std::string_view what);

/// The member `key` of the object `parent`, or null if it is absent or the JSON null.
const nlohmann::json* FindMember(const nlohmann::json& parent, const char* key);

/// Typed members. Absent and JSON null give nothing; another JSON type is Corrupt.
Result<std::optional<int64_t>> OptionalInteger(const nlohmann::json& parent, const char* key);
Result<std::optional<std::string>> OptionalString(const nlohmann::json& parent, const char* key);

/// The same, Corrupt if absent.
Result<int64_t> RequiredInteger(const nlohmann::json& parent, const char* key);
Result<int32_t> RequiredInt32(const nlohmann::json& parent, const char* key);
Result<std::string> RequiredString(const nlohmann::json& parent, const char* key);
/// The member `key`, which must be an array.
Result<const nlohmann::json*> RequiredArray(const nlohmann::json& parent, const char* key);

}  // namespace tusk::iceberg
