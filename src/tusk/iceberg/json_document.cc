#include "tusk/iceberg/json_document.h"

#include <utility>

namespace tusk::iceberg {
namespace {

/// Beyond what schemas nest (64 levels, each a few JSON levels), far below what recursion bears.
constexpr int kMaxDepth = 512;

Status WrongType(const char* key, std::string_view expected) {
  return Corrupt("JSON member '", key, "' is not ", expected);
}

Status Missing(const char* key) { return Corrupt("JSON member '", key, "' is missing"); }

}  // namespace

Result<nlohmann::json> ParseJson(std::string_view text, std::string_view what,
                                 bool must_be_object) {
  bool too_deep = false;
  const auto watch_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMaxDepth) too_deep = true;
    return !too_deep;
  };
  nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), watch_depth,
                                                  /*allow_exceptions=*/false);
  if (too_deep) return Corrupt(what, " is nested deeper than ", kMaxDepth, " levels");
  if (document.is_discarded()) return Corrupt(what, " is not JSON (", text.size(), " bytes)");
  if (must_be_object && !document.is_object()) return Corrupt(what, " is not a JSON object");
  return document;
}

Result<std::string> FormatJson(const nlohmann::json& document, std::string_view what) {
  try {
    return document.dump();
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument(what, " cannot be written as JSON: ", error.what());
  }
}

const nlohmann::json* FindMember(const nlohmann::json& parent, const char* key) {
  if (!parent.is_object()) return nullptr;
  const auto it = parent.find(key);
  return it == parent.end() || it->is_null() ? nullptr : &*it;
}

Result<std::optional<int64_t>> OptionalInteger(const nlohmann::json& parent, const char* key) {
  const nlohmann::json* member = FindMember(parent, key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_number_integer()) return WrongType(key, "an integer");
  if (member->is_number_unsigned() &&
      member->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return WrongType(key, "a signed 64-bit integer");
  }
  return member->get<int64_t>();
}

Result<std::optional<std::string>> OptionalString(const nlohmann::json& parent, const char* key) {
  const nlohmann::json* member = FindMember(parent, key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) return WrongType(key, "a string");
  return member->get<std::string>();
}

Result<int64_t> RequiredInteger(const nlohmann::json& parent, const char* key) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> value, OptionalInteger(parent, key));
  if (!value.has_value()) return Missing(key);
  return *value;
}

Result<int32_t> RequiredInt32(const nlohmann::json& parent, const char* key) {
  ARROW_ASSIGN_OR_RAISE(const int64_t value, RequiredInteger(parent, key));
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return WrongType(key, "a 32-bit integer");
  }
  return static_cast<int32_t>(value);
}

Result<std::string> RequiredString(const nlohmann::json& parent, const char* key) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> value, OptionalString(parent, key));
  if (!value.has_value()) return Missing(key);
  return *std::move(value);
}

Result<const nlohmann::json*> RequiredArray(const nlohmann::json& parent, const char* key) {
  const nlohmann::json* member = FindMember(parent, key);
  if (member == nullptr) return Missing(key);
  if (!member->is_array()) return WrongType(key, "an array");
  return member;
}

}  // namespace tusk::iceberg
