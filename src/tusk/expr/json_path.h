#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/json_parser.h"
#include "tusk/base/result.h"

namespace tusk::expr {

/// A path into JSON values, as pylance takes it: `$` or nothing, or the name of a field, and then
/// steps. `.name`, `:name`, `."a name"` and `["a name"]` are a field of an object; `.*` all of its
/// values; `[0]`, `[last - 1]`, `[1 to 3]` and lists of these values of an array; `[*]` all of
/// them, or what is no array itself; `.**` a value with all below it. A step where there is nothing
/// to find leads nowhere.
class JsonPath {
 public:
  /// InvalidArgument, with the place, for what is no path, Unsupported for filters, `?(...)`.
  static Result<JsonPath> Parse(std::string_view text);

  /// The values it leads to, as numbers of `nodes`, which are of one text. InvalidArgument if they
  /// are more than a million.
  Result<std::vector<uint32_t>> Select(std::span<const JsonNode> nodes) const;

 private:
  friend class JsonPathParser;

  /// Of a value in an array: counted from the first, or from the last.
  struct Place {
    int64_t number = 0;
    bool is_from_last = false;
  };
  struct Step {
    enum class Kind { kField, kAllFields, kPlaces, kAllPlaces, kAllBelow };
    Kind kind = Kind::kField;
    std::string name = {};                             ///< kField
    std::vector<std::pair<Place, Place>> places = {};  ///< kPlaces: from and to
  };

  std::vector<Step> steps_;
};

/// Appends the value `node` as JSON text without blanks, with keys in order.
void AppendJson(std::span<const JsonNode> nodes, uint32_t node, std::string* out);

}  // namespace tusk::expr
