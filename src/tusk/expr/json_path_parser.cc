#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tusk/base/json_parser.h"
#include "tusk/expr/json_path.h"

namespace tusk::expr {

/// Takes a path apart from its front.
class JsonPathParser {
 public:
  explicit JsonPathParser(std::string_view text) : text_(text) {}

  Result<JsonPath> Parse() {
    // A condition alone begins as a path may: what is no condition is a path.
    auto condition = TakeConditions(/*depth=*/0);
    SkipBlanks();
    JsonPath path;
    if (condition.ok() && at_ == text_.size()) {
      path.condition_ = *std::move(condition);
      return path;
    }
    at_ = 0;
    SkipBlanks();
    if (!Take("$") && !IsStep()) {
      const std::string_view name = TakeName();
      if (!name.empty()) path.steps_.push_back({.name = std::string(name)});
    }
    for (SkipBlanks(); at_ < text_.size(); SkipBlanks()) {
      ARROW_ASSIGN_OR_RAISE(path.steps_.emplace_back(), TakeStep(/*depth=*/0));
    }
    return path;
  }

 private:
  using Step = JsonPath::Step;
  using Side = JsonPath::Side;
  using Condition = JsonPath::Condition;
  using ConditionPtr = JsonPath::ConditionPtr;
  static constexpr int kDeepest = 100;

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
  Result<Step> TakeStep(int depth);
  Result<Step> TakeBrackets();
  Result<Step> TakeBelow();
  /// Steps of a path within a condition, with filters or not.
  Result<std::shared_ptr<const JsonPath>> TakeSteps(bool has_filters, int depth);
  Result<ConditionPtr> TakeConditions(int depth);
  Result<ConditionPtr> TakeChain(int depth);
  Result<ConditionPtr> TakeCondition(int depth);
  Result<Side> TakeSide(int depth);
  Result<Side> TakeRoot();
  Result<std::string> TakeSymbol();

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

/// How deep `.**` goes: `{2}`, `{1 to 3}` or `{1 to last}`.
Result<JsonPath::Step> JsonPathParser::TakeBelow() {
  Step step{.kind = Step::Kind::kAllBelow};
  if (!Take("{")) return step;
  SkipBlanks();
  ARROW_ASSIGN_OR_RAISE(step.least_depth, TakeNumber());
  const int64_t any = step.most_depth;
  step.most_depth = step.least_depth;
  SkipBlanks();
  if (TakeWord("to")) {
    SkipBlanks();
    if (TakeWord("last")) {
      step.most_depth = any;
    } else {
      ARROW_ASSIGN_OR_RAISE(step.most_depth, TakeNumber());
    }
    SkipBlanks();
  }
  if (!Take("}")) return Broken("no }");
  return step;
}

Result<JsonPath::Step> JsonPathParser::TakeStep(int depth) {
  if (Take(".**")) return TakeBelow();
  if (Take(".*")) return Step{.kind = Step::Kind::kAllFields};
  if (Take("[")) return TakeBrackets();
  if (Take("?")) {
    SkipBlanks();
    if (!Take("(")) return Broken("no (");
    Step filter{.kind = Step::Kind::kFilter};
    ARROW_ASSIGN_OR_RAISE(filter.condition, TakeConditions(depth + 1));
    SkipBlanks();
    if (!Take(")")) return Broken("no )");
    return filter;
  }
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

Result<std::shared_ptr<const JsonPath>> JsonPathParser::TakeSteps(bool has_filters, int depth) {
  JsonPath path;
  for (SkipBlanks(); IsNext('.') || IsNext(':') || IsNext('[') || (has_filters && IsNext('?'));
       SkipBlanks()) {
    ARROW_ASSIGN_OR_RAISE(path.steps_.emplace_back(), TakeStep(depth));
  }
  return std::make_shared<const JsonPath>(std::move(path));
}

Result<JsonPath::Side> JsonPathParser::TakeRoot() {
  SkipBlanks();
  Side side{.is_from_root = Take("$")};
  // `@` is what a filter judges: there is none outside of one.
  if (!side.is_from_root && !Take("@")) return Broken("neither $ nor @");
  return side;
}

Result<JsonPath::Side> JsonPathParser::TakeSide(int depth) {
  SkipBlanks();
  Side side;
  if (IsNext('$') || IsNext('@')) {
    if (IsNext('@') && depth == 0) return Broken("@ outside of a filter");
    ARROW_ASSIGN_OR_RAISE(side, TakeRoot());
    ARROW_ASSIGN_OR_RAISE(side.path, TakeSteps(/*has_filters=*/false, depth));
    return side;
  }
  using Kind = JsonNode::Kind;
  if (Take("null")) return side;
  if (Take("true") || Take("false")) {
    side.constant.kind = text_[at_ - 2] == 'u' ? Kind::kTrue : Kind::kFalse;
    return side;
  }
  if (IsNext('"')) {
    side.constant.kind = Kind::kString;
    ARROW_ASSIGN_OR_RAISE(side.text, TakeQuoted());
    return side;
  }
  size_t end = at_;
  while (end < text_.size() &&
         std::string_view("+-.0123456789eE").find(text_[end]) != std::string::npos) {
    ++end;
  }
  JsonParser number;
  if (end == at_ || !number.Parse(text_.substr(at_, end - at_)).ok() ||
      number.nodes()[0].kind != Kind::kNumber) {
    return Broken("no value to compare with");
  }
  side.constant = number.nodes()[0];
  at_ = end;
  return side;
}

Result<std::string> JsonPathParser::TakeSymbol() {
  SkipBlanks();
  for (const std::string_view symbol : {"==", "!=", "<>", "<=", "<", ">=", ">", "starts with"}) {
    if (Take(symbol)) return std::string(symbol == "<>" ? "!=" : symbol);
  }
  return Broken("no comparison");
}

/// A comparison, exists(...), or conditions in brackets.
Result<JsonPath::ConditionPtr> JsonPathParser::TakeCondition(int depth) {
  if (depth > kDeepest) return Broken("conditions more than 100 deep");
  SkipBlanks();
  auto condition = std::make_shared<Condition>();
  if (Take("exists")) {
    SkipBlanks();
    if (!Take("(")) return Broken("no (");
    condition->kind = Condition::Kind::kExists;
    SkipBlanks();
    if (IsNext('@') && depth == 0) return Broken("@ outside of a filter");
    ARROW_ASSIGN_OR_RAISE(condition->left, TakeRoot());
    ARROW_ASSIGN_OR_RAISE(condition->left.path, TakeSteps(/*has_filters=*/true, depth + 1));
    SkipBlanks();
    if (!Take(")")) return Broken("no )");
    return condition;
  }
  if (Take("(")) {
    // Not deeper for `@`, but for how deep the brackets are.
    ARROW_ASSIGN_OR_RAISE(auto inner, TakeConditions(depth == 0 ? 0 : depth + 1));
    SkipBlanks();
    if (!Take(")")) return Broken("no )");
    return inner;
  }
  ARROW_ASSIGN_OR_RAISE(condition->left, TakeSide(depth));
  ARROW_ASSIGN_OR_RAISE(condition->symbol, TakeSymbol());
  ARROW_ASSIGN_OR_RAISE(condition->right, TakeSide(depth));
  return condition;
}

/// Conditions with && between them.
Result<JsonPath::ConditionPtr> JsonPathParser::TakeChain(int depth) {
  Condition chain{.kind = Condition::Kind::kAnd};
  do {
    ARROW_ASSIGN_OR_RAISE(chain.terms.emplace_back(), TakeCondition(depth));
    SkipBlanks();
  } while (Take("&&"));
  if (chain.terms.size() == 1) return chain.terms.front();
  return std::make_shared<const Condition>(std::move(chain));
}

/// The same with || between them.
Result<JsonPath::ConditionPtr> JsonPathParser::TakeConditions(int depth) {
  Condition chain{.kind = Condition::Kind::kOr};
  do {
    ARROW_ASSIGN_OR_RAISE(chain.terms.emplace_back(), TakeChain(depth));
    SkipBlanks();
  } while (Take("||"));
  if (chain.terms.size() == 1) return chain.terms.front();
  return std::make_shared<const Condition>(std::move(chain));
}

Result<JsonPath> JsonPath::Parse(std::string_view text) { return JsonPathParser(text).Parse(); }

}  // namespace tusk::expr
