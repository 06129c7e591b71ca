#include "tusk/expr/json_path.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <cstdlib>
#include <optional>
#include <utility>

#include "tusk/base/json_scalar.h"

namespace tusk::expr {
namespace {

constexpr size_t kMostSelected = 1'000'000;
constexpr size_t kMostPairs = 10'000'000;

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// Calls `visit(child)` for each value in an array or object.
template <typename Visit>
void VisitChildren(std::span<const JsonNode> nodes, uint32_t node, const Visit& visit) {
  if (nodes[node].num_values == 0) return;
  for (uint32_t child = nodes[node].first_value; child != 0; child = nodes[child].next) {
    visit(child);
  }
}

__extension__ using Wide = __int128;

/// A number as a whole one, if it is written so, and as the nearest that has a fraction.
struct Number {
  std::optional<Wide> whole;
  long double real = 0;
};

Number NumberOf(const JsonNode& node) {
  std::string digits;
  static_cast<void>(AppendJsonbNumber(AsBytes(node.number.view()), &digits));
  Number number;
  number.real = std::strtold(digits.c_str(), nullptr);
  if (digits.size() <= 30 && digits.find_first_not_of("-0123456789") == std::string::npos) {
    Wide value = 0;
    for (const char c : digits) {
      if (c != '-') value = value * 10 + (c - '0');
    }
    number.whole = digits.starts_with('-') ? -value : value;
  }
  return number;
}

/// How two values of the same kind are ordered; nothing if they are not of one, or are not ordered.
std::optional<std::partial_ordering> Order(const JsonNode& a, const JsonNode& b) {
  using Kind = JsonNode::Kind;
  const auto is_truth = [](Kind kind) { return kind == Kind::kTrue || kind == Kind::kFalse; };
  if (is_truth(a.kind) && is_truth(b.kind)) {
    return (a.kind == Kind::kTrue) <=> (b.kind == Kind::kTrue);
  }
  if (a.kind != b.kind) return std::nullopt;
  switch (a.kind) {
    case Kind::kNull:
      return std::partial_ordering::equivalent;
    case Kind::kString:
      return a.text <=> b.text;
    case Kind::kNumber: {
      const Number left = NumberOf(a);
      const Number right = NumberOf(b);
      if (left.whole && right.whole) {
        if (*left.whole == *right.whole) return std::partial_ordering::equivalent;
        return *left.whole < *right.whole ? std::partial_ordering::less
                                          : std::partial_ordering::greater;
      }
      return left.real <=> right.real;
    }
    default:
      return std::nullopt;
  }
}

bool IsContainer(const JsonNode& node) {
  return node.kind == JsonNode::Kind::kArray || node.kind == JsonNode::Kind::kObject;
}

/// Whether two values stand so to each other; nothing for those that are not compared.
std::optional<bool> Holds(std::string_view symbol, const JsonNode& left, const JsonNode& right) {
  if (IsContainer(left) || IsContainer(right)) return std::nullopt;
  if (symbol == "starts with") {
    if (left.kind != JsonNode::Kind::kString || right.kind != left.kind) return std::nullopt;
    return left.text.starts_with(right.text);
  }
  const auto order = Order(left, right);
  if (!order) return symbol == "!=" ? std::optional(true) : std::nullopt;
  if (symbol == "==") return std::is_eq(*order);
  if (symbol == "!=") return std::is_neq(*order);
  if (symbol == "<") return std::is_lt(*order);
  if (symbol == "<=") return std::is_lteq(*order);
  if (symbol == ">") return std::is_gt(*order);
  return std::is_gteq(*order);
}

/// Appends a value and what is in it, so deep as said.
void AppendBelow(std::span<const JsonNode> nodes, uint32_t node, int64_t least, int64_t most,
                 std::vector<uint32_t>* next) {
  std::vector<std::pair<uint32_t, int64_t>> open = {{node, 0}};
  while (!open.empty() && next->size() <= kMostSelected) {
    const auto [one, depth] = open.back();
    open.pop_back();
    if (depth >= least) next->push_back(one);
    if (depth >= most) continue;
    const auto first = static_cast<int64_t>(open.size());
    const int64_t below = depth + 1;
    VisitChildren(nodes, one, [&](uint32_t child) { open.emplace_back(child, below); });
    std::reverse(open.begin() + first, open.end());
  }
}

}  // namespace

Result<std::vector<JsonNode>> JsonPath::ValuesOf(const Side& side, Nodes nodes, uint32_t at) {
  if (side.path == nullptr) {
    JsonNode constant = side.constant;
    constant.text = side.text;
    return std::vector<JsonNode>{constant};
  }
  ARROW_ASSIGN_OR_RAISE(const auto selected,
                        side.path->SelectFrom(nodes, side.is_from_root ? 0 : at));
  std::vector<JsonNode> values;
  for (const uint32_t node : selected) {
    // Arrays stand for their values.
    if (nodes[node].kind == JsonNode::Kind::kArray) {
      VisitChildren(nodes, node, [&](uint32_t child) { values.push_back(nodes[child]); });
    } else {
      values.push_back(nodes[node]);
    }
  }
  return values;
}

/// Whether a pair of the values of both sides fits; nothing if one before it is not compared.
Result<std::optional<bool>> JsonPath::Compare(const Condition& condition, Nodes nodes,
                                              uint32_t at) {
  ARROW_ASSIGN_OR_RAISE(const auto left, ValuesOf(condition.left, nodes, at));
  ARROW_ASSIGN_OR_RAISE(const auto right, ValuesOf(condition.right, nodes, at));
  if (!right.empty() && left.size() > kMostPairs / right.size()) {
    return InvalidArgument("a condition of a JSON path compares more than ", kMostPairs, " pairs");
  }
  for (const JsonNode& one : left) {
    for (const JsonNode& other : right) {
      const auto holds = Holds(condition.symbol, one, other);
      if (!holds || *holds) return holds;
    }
  }
  return std::optional(false);
}

Result<std::optional<bool>> JsonPath::Test(const Condition& condition, Nodes nodes, uint32_t at) {
  switch (condition.kind) {
    case Condition::Kind::kCompare:
      return Compare(condition, nodes, at);
    case Condition::Kind::kExists: {
      const Side& side = condition.left;
      ARROW_ASSIGN_OR_RAISE(const auto selected,
                            side.path->SelectFrom(nodes, side.is_from_root ? 0 : at));
      return std::optional(!selected.empty());
    }
    default:
      break;
  }
  // As in pylance, where a term is unknown the whole is.
  const bool is_and = condition.kind == Condition::Kind::kAnd;
  bool result = is_and;
  for (const ConditionPtr& term : condition.terms) {
    ARROW_ASSIGN_OR_RAISE(const auto truth, Test(*term, nodes, at));
    if (!truth) return std::optional<bool>();
    result = is_and ? result && *truth : result || *truth;
  }
  return std::optional(result);
}

Status JsonPath::Take(const Step& step, Nodes nodes, uint32_t node, std::vector<uint32_t>* next) {
  const bool is_object = nodes[node].kind == JsonNode::Kind::kObject;
  const bool is_array = nodes[node].kind == JsonNode::Kind::kArray;
  const auto add = [&](uint32_t child) { next->push_back(child); };
  switch (step.kind) {
    case Step::Kind::kField:
      if (!is_object) break;
      VisitChildren(nodes, node, [&](uint32_t child) {
        if (nodes[child].key == step.name) add(child);
      });
      break;
    case Step::Kind::kAllFields:
      if (is_object) VisitChildren(nodes, node, add);
      break;
    case Step::Kind::kPlaces: {
      if (!is_array) break;
      std::vector<uint32_t> values;
      VisitChildren(nodes, node, [&](uint32_t child) { values.push_back(child); });
      const auto count = static_cast<int64_t>(values.size());
      const auto place_of = [&](const Place& place) {
        return place.is_from_last ? count - 1 + place.number : place.number;
      };
      for (const auto& [from, to] : step.places) {
        const int64_t last = std::min(place_of(to), count - 1);
        for (int64_t i = std::max<int64_t>(place_of(from), 0); i <= last; ++i) {
          add(values[static_cast<size_t>(i)]);
        }
      }
      break;
    }
    case Step::Kind::kAllPlaces:
      if (is_array) {
        VisitChildren(nodes, node, add);
      } else {
        add(node);
      }
      break;
    case Step::Kind::kAllBelow:
      AppendBelow(nodes, node, step.least_depth, step.most_depth, next);
      break;
    case Step::Kind::kFilter: {
      ARROW_ASSIGN_OR_RAISE(const auto truth, Test(*step.condition, nodes, node));
      if (truth.value_or(false)) add(node);
      break;
    }
  }
  if (next->size() <= kMostSelected) return Status::OK();
  return InvalidArgument("the JSON path leads to more than ", kMostSelected, " values");
}

Result<std::vector<uint32_t>> JsonPath::SelectFrom(Nodes nodes, uint32_t node) const {
  std::vector<uint32_t> selected = {node};
  for (const Step& step : steps_) {
    std::vector<uint32_t> next;
    for (const uint32_t one : selected) ARROW_RETURN_NOT_OK(Take(step, nodes, one, &next));
    selected = std::move(next);
  }
  return selected;
}

Result<std::vector<uint32_t>> JsonPath::Select(Nodes nodes) const { return SelectFrom(nodes, 0); }

Result<std::optional<JsonNode>> JsonPath::Judge(Nodes nodes) const {
  if (condition_ == nullptr) return std::optional<JsonNode>();
  ARROW_ASSIGN_OR_RAISE(const auto truth, Test(*condition_, nodes, 0));
  JsonNode value;
  if (truth) value.kind = *truth ? JsonNode::Kind::kTrue : JsonNode::Kind::kFalse;
  return std::optional(value);
}

void AppendJson(std::span<const JsonNode> nodes, uint32_t node, std::string* out) {
  using Kind = JsonNode::Kind;
  // What is to be written, last first: values, and what closes one.
  struct Open {
    std::optional<uint32_t> node;
    char closing = 0;
    bool is_first = true;
    bool has_key = false;
  };
  std::vector<Open> open = {{.node = node}};
  while (!open.empty()) {
    const Open next = open.back();
    open.pop_back();
    if (!next.node) {
      out->push_back(next.closing);
      continue;
    }
    const JsonNode& value = nodes[*next.node];
    if (!next.is_first) out->push_back(',');
    if (next.has_key) {
      AppendJsonString(value.key, out);
      out->push_back(':');
    }
    switch (value.kind) {
      case Kind::kNull:
        *out += "null";
        break;
      case Kind::kFalse:
        *out += "false";
        break;
      case Kind::kTrue:
        *out += "true";
        break;
      case Kind::kNumber:
        // The parser made it, so it is one.
        static_cast<void>(AppendJsonbNumber(AsBytes(value.number.view()), out));
        break;
      case Kind::kString:
        AppendJsonString(value.text, out);
        break;
      default: {
        const bool is_object = value.kind == Kind::kObject;
        out->push_back(is_object ? '{' : '[');
        open.push_back({.node = std::nullopt, .closing = is_object ? '}' : ']'});
        const auto first = static_cast<int64_t>(open.size());
        VisitChildren(nodes, *next.node, [&](uint32_t child) {
          open.push_back({.node = child, .is_first = false, .has_key = is_object});
        });
        if (std::ssize(open) > first) open[static_cast<size_t>(first)].is_first = true;
        std::reverse(open.begin() + first, open.end());
      }
    }
  }
}

}  // namespace tusk::expr
