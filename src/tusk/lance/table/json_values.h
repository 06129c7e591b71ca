#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace tusk::lance {

// Values out of JSON that others wrote. What is not as it should be raises an exception of the JSON
// library or a BadValue, for the function that parses the text to catch.

using Json = nlohmann::json;

/// What is wrong with a text in JSON that is no exception of the library's.
struct BadValue {
  std::string message;
};

/// The library itself cuts numbers to what fits, and takes fractions and truths for some.
template <std::integral T>
T NumberFrom(const Json& json) {
  const bool fits = json.is_number_unsigned()
                        ? std::in_range<T>(json.get<uint64_t>())
                        : json.is_number_integer() && std::in_range<T>(json.get<int64_t>());
  if (fits) return json.get<T>();
  throw BadValue{json.dump(-1, ' ', false, Json::error_handler_t::replace) +
                 " is no whole number from " + std::to_string(std::numeric_limits<T>::min()) +
                 " to " + std::to_string(std::numeric_limits<T>::max())};
}

/// How a `T` is made of its JSON.
template <typename T>
struct From {
  static T Parse(const Json& json) {
    if constexpr (std::integral<T> && !std::same_as<T, bool>) return NumberFrom<T>(json);
    return json.get<T>();
  }
};
template <typename T>
struct From<std::vector<T>> {
  static std::vector<T> Parse(const Json& json) {
    if (!json.is_array()) throw BadValue{"a list is something else"};
    std::vector<T> values;
    for (const Json& value : json) values.push_back(From<T>::Parse(value));
    return values;
  }
};

/// The member `key` of `json`; `absent` if there is none, or null.
template <typename T>
T Get(const Json& json, const char* key, T absent = T()) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return absent;
  return From<T>::Parse(*found);
}

template <typename T>
T GetRequired(const Json& json, const char* key) {
  return From<T>::Parse(json.at(key));
}

template <typename T>
std::optional<T> GetOptional(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return From<T>::Parse(*found);
}

}  // namespace tusk::lance
