#include "tusk/expr/json_path.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "tusk/base/json_scalar.h"

namespace tusk::expr {
namespace {

constexpr size_t kMostSelected = 1'000'000;

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

}  // namespace

/// Takes a path apart from its front.
class JsonPathParser {
 public:
  explicit JsonPathParser(std::string_view text) : text_(text) {}

  Result<JsonPath> Parse() {
    JsonPath path;
    SkipBlanks();
    if (!Take("$") && !IsStep()) {
      const std::string_view name = TakeName();
      if (!name.empty()) path.steps_.push_back({.name = std::string(name)});
    }
    for (SkipBlanks(); at_ < text_.size(); SkipBlanks()) {
      ARROW_ASSIGN_OR_RAISE(JsonPath::Step step, TakeStep());
      path.steps_.push_back(std::move(step));
    }
    return path;
  }

 private:
  using Step = JsonPath::Step;
  using Place = JsonPath::Place;

  Status Broken(std::string_view what) const {
    return InvalidArgument("the JSON path '", text_, "' has ", what, " at character ", at_ + 1);
  }
  bool IsNext(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool IsStep() const { return IsNext('.') || IsNext(':') || IsNext('[') || IsNext('?'); }
  void SkipBlanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string::npos) {
      ++at_;
    }
  }
  bool Take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool TakeWord(std::string_view word) {
    const auto rest = text_.substr(at_, word.size());
    const bool is_word = std::ranges::equal(
        rest, word, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 'a' - 'A' : a) == b; });
    if (is_word) at_ += word.size();
    return is_word;
  }
  std::string_view TakeName() {
    const size_t end =
        std::min(text_.find_first_of(" ,.:{}[]()?@$|<>!=+-*/%\"'\\", at_), text_.size());
    return text_.substr(std::exchange(at_, end), end - at_);
  }
  Result<std::string> TakeQuoted();
  Result<int64_t> TakeNumber();
  Result<Place> TakePlace();
  Result<Step> TakeStep();
  Result<Step> TakeBrackets();

  std::string_view text_;
  size_t at_ = 0;
};

Result<std::string> JsonPathParser::TakeQuoted() {
  ++at_;
  const size_t end = text_.find_first_of("\"\\", at_);
  if (end == std::string_view::npos || text_[end] == '\\' || end == at_) {
    return Broken(end == at_ ? "an empty name" : "a quoted name with an escape or without an end");
  }
  std::string name(text_.substr(at_, end - at_));
  at_ = end + 1;
  return name;
}

Result<int64_t> JsonPathParser::TakeNumber() {
  int32_t number = 0;
  const char* begin = text_.data() + at_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
  if (error != std::errc()) return Broken("no number of a value");
  at_ += static_cast<size_t>(end - begin);
  return number;
}

Result<JsonPath::Place> JsonPathParser::TakePlace() {
  if (!TakeWord("last")) {
    ARROW_ASSIGN_OR_RAISE(const int64_t number, TakeNumber());
    return Place{.number = number};
  }
  SkipBlanks();
  const bool is_before = Take("-");
  if (!is_before && !Take("+")) return Place{.is_from_last = true};
  SkipBlanks();
  ARROW_ASSIGN_OR_RAISE(const int64_t number, TakeNumber());
  return Place{.number = is_before ? -number : number, .is_from_last = true};
}

Result<JsonPath::Step> JsonPathParser::TakeBrackets() {
  SkipBlanks();
  Step step{.kind = Step::Kind::kPlaces};
  if (Take("*")) {
    step.kind = Step::Kind::kAllPlaces;
  } else if (IsNext('"')) {
    step.kind = Step::Kind::kField;
    ARROW_ASSIGN_OR_RAISE(step.name, TakeQuoted());
  } else {
    do {
      SkipBlanks();
      ARROW_ASSIGN_OR_RAISE(const Place from, TakePlace());
      Place to = from;
      SkipBlanks();
      if (TakeWord("to")) {
        SkipBlanks();
        ARROW_ASSIGN_OR_RAISE(to, TakePlace());
        SkipBlanks();
      }
      step.places.emplace_back(from, to);
    } while (Take(","));
  }
  SkipBlanks();
  if (!Take("]")) return Broken("no ]");
  return step;
}

Result<JsonPath::Step> JsonPathParser::TakeStep() {
  if (Take(".**")) {
    if (IsNext('{')) return Unsupported("levels of .** in JSON paths are not supported");
    return Step{.kind = Step::Kind::kAllBelow};
  }
  if (Take(".*")) return Step{.kind = Step::Kind::kAllFields};
  if (Take("[")) return TakeBrackets();
  if (IsNext('?')) return Unsupported("filters in JSON paths, ?(...), are not supported");
  if (!Take(".") && !Take(":")) return Broken("no step");
  Step step;
  if (IsNext('"')) {
    ARROW_ASSIGN_OR_RAISE(step.name, TakeQuoted());
    return step;
  }
  step.name = TakeName();
  if (step.name.empty()) return Broken("no name");
  return step;
}

Result<JsonPath> JsonPath::Parse(std::string_view text) { return JsonPathParser(text).Parse(); }

Result<std::vector<uint32_t>> JsonPath::Select(std::span<const JsonNode> nodes) const {
  using Kind = JsonNode::Kind;
  std::vector<uint32_t> selected = {0};
  for (const Step& step : steps_) {
    std::vector<uint32_t> next;
    const auto add = [&](uint32_t child) { next.push_back(child); };
    const auto add_places = [&](uint32_t node) {
      std::vector<uint32_t> values;
      VisitChildren(nodes, node, [&](uint32_t child) { values.push_back(child); });
      const auto count = static_cast<int64_t>(values.size());
      const auto place_of = [&](const Place& place) {
        return place.is_from_last ? count - 1 + place.number : place.number;
      };
      for (const auto& [from, to] : step.places) {
        const int64_t last = std::min(place_of(to), count - 1);
        for (int64_t i = std::max<int64_t>(place_of(from), 0); i <= last; ++i) {
          next.push_back(values[static_cast<size_t>(i)]);
        }
      }
    };
    const auto add_below = [&](uint32_t node) {
      std::vector<uint32_t> open = {node};
      while (!open.empty() && next.size() <= kMostSelected) {
        const uint32_t one = open.back();
        open.pop_back();
        next.push_back(one);
        const auto first = static_cast<int64_t>(open.size());
        VisitChildren(nodes, one, [&](uint32_t child) { open.push_back(child); });
        std::reverse(open.begin() + first, open.end());
      }
    };
    for (const uint32_t node : selected) {
      const bool is_object = nodes[node].kind == Kind::kObject;
      const bool is_array = nodes[node].kind == Kind::kArray;
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
        case Step::Kind::kPlaces:
          if (is_array) add_places(node);
          break;
        case Step::Kind::kAllPlaces:
          if (is_array) {
            VisitChildren(nodes, node, add);
          } else {
            add(node);
          }
          break;
        case Step::Kind::kAllBelow:
          add_below(node);
          break;
      }
      if (next.size() > kMostSelected) {
        return InvalidArgument("the JSON path leads to more than ", kMostSelected, " values");
      }
    }
    selected = std::move(next);
  }
  return selected;
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
