#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/base/json_parser.h"
#include "tusk/base/result.h"

namespace tusk::expr {

/// A path into JSON values, as pylance takes it: `$` or nothing, or the name of a field, and then
/// steps. `.name`, `:name`, `."a name"` and `["a name"]` are a field of an object; `.*` all of its
/// values; `[0]`, `[last - 1]`, `[1 to 3]` and lists of these values of an array; `[*]` all of
/// them, or what is no array itself; `.**` a value with all below it, `.**{1 to 3}` those so deep
/// below; `?(condition)` keeps the values, `@` in it, for which the condition is true. A step where
/// there is nothing to find leads nowhere. A condition alone, `$.a > 1`, is a path to its truth.
class JsonPath {
 public:
  /// InvalidArgument, with the place, for what is no path.
  static Result<JsonPath> Parse(std::string_view text);

  /// The values it leads to, as numbers of `nodes`, which are of one text. InvalidArgument if they
  /// are more than a million.
  Result<std::vector<uint32_t>> Select(std::span<const JsonNode> nodes) const;
  /// True, false or null of a condition alone; nothing for a path, which Select is for.
  Result<std::optional<JsonNode>> Judge(std::span<const JsonNode> nodes) const;

 private:
  friend class JsonPathParser;
  struct Condition;
  using ConditionPtr = std::shared_ptr<const Condition>;

  /// Of a value in an array: counted from the first, or from the last.
  struct Place {
    int64_t number = 0;
    bool is_from_last = false;
  };
  struct Step {
    enum class Kind { kField, kAllFields, kPlaces, kAllPlaces, kAllBelow, kFilter };
    Kind kind = Kind::kField;
    std::string name = {};                             ///< kField
    std::vector<std::pair<Place, Place>> places = {};  ///< kPlaces: from and to
    int64_t least_depth = 0;                           ///< kAllBelow
    int64_t most_depth = 1 << 30;                      ///< kAllBelow
    ConditionPtr condition = nullptr;                  ///< kFilter
  };
  /// One side of a comparison: a path from the root or from `@`, or else a constant.
  struct Side {
    std::shared_ptr<const JsonPath> path = nullptr;
    bool is_from_root = false;
    JsonNode constant = {};
    std::string text = {};  ///< of a constant that is one
  };
  struct Condition {
    enum class Kind { kAnd, kOr, kCompare, kExists };
    Kind kind = Kind::kCompare;
    std::vector<ConditionPtr> terms = {};  ///< kAnd, kOr
    std::string symbol = {};               ///< kCompare
    Side left = {};                        ///< kCompare, kExists
    Side right = {};                       ///< kCompare
  };

  using Nodes = std::span<const JsonNode>;
  static Result<std::optional<bool>> Test(const Condition& condition, Nodes nodes, uint32_t at);
  static Result<std::optional<bool>> Compare(const Condition& condition, Nodes nodes, uint32_t at);
  static Result<std::vector<JsonNode>> ValuesOf(const Side& side, Nodes nodes, uint32_t at);
  static Status Take(const Step& step, Nodes nodes, uint32_t node, std::vector<uint32_t>* next);
  Result<std::vector<uint32_t>> SelectFrom(Nodes nodes, uint32_t node) const;

  std::vector<Step> steps_;
  ConditionPtr condition_;  ///< of a condition alone
};

/// Appends the value `node` as JSON text without blanks, with keys in order.
void AppendJson(std::span<const JsonNode> nodes, uint32_t node, std::string* out);

}  // namespace tusk::expr
