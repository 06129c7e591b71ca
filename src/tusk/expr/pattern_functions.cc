#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/utf8_text.h"

// Patterns are RE2's, which Arrow runs.
namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

struct Pattern {
  std::string text;
  bool ignores_case = false;
  bool replaces_all = false;
};

/// The pattern of a call, with the flags that stand in argument `flags`, if it is there.
Result<Pattern> PatternOf(const Binder& binder, const Call& call, size_t flags) {
  Pattern pattern;
  ARROW_ASSIGN_OR_RAISE(pattern.text, ConstantText(binder, call.arguments[1]));
  if (call.arguments.size() <= flags) return pattern;
  ARROW_ASSIGN_OR_RAISE(const std::string letters, ConstantText(binder, call.arguments[flags]));
  for (const char letter : letters) {
    switch (letter) {
      case 'i':
        pattern.ignores_case = true;
        break;
      case 'g':
        pattern.replaces_all = true;
        break;
      case 's':
      case 'm':
      case 'U':
        pattern.text = std::string("(?") + letter + ")" + pattern.text;
        break;
      default:
        return binder.Error(call.arguments[flags]->span,
                            std::string("there is no flag '") + letter + "' of patterns");
    }
  }
  return pattern;
}

bool IsNullConstant(const NodePtr& node) {
  return node->kind == NodeKind::kLiteral && !node->value->is_valid;
}

Result<NodePtr> MatchPattern(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr text, AsText(binder, call.arguments[0]));
  if (IsNullConstant(call.arguments[1])) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::boolean()));
  }
  ARROW_ASSIGN_OR_RAISE(const Pattern pattern, PatternOf(binder, call, 2));
  return binder.MakeArrowCall(
      call.span, "match_substring_regex", {text},
      std::make_shared<cp::MatchSubstringOptions>(pattern.text, pattern.ignores_case));
}

/// pylance gives the groups of the match as a list, or null, and takes what is not null for true.
Result<NodePtr> BindRegexpMatch(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr matches, MatchPattern(binder, call));
  Kernel kernel = [](const std::vector<Datum>& values,
                     const Evaluation& evaluation) -> Result<Datum> {
    const Datum yes(std::make_shared<arrow::BooleanScalar>(true));
    const Datum nothing(arrow::MakeNullScalar(arrow::boolean()));
    return cp::CallFunction("if_else", {values[0], yes, nothing}, evaluation.compute);
  };
  ARROW_ASSIGN_OR_RAISE(const NodePtr match,
                        binder.MakeCall(call.span, arrow::boolean(), {matches}, std::move(kernel)));
  Node marked = *match;
  marked.is_match = true;
  return std::make_shared<const Node>(std::move(marked));
}

Result<NodePtr> BindRegexpCount(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr text, AsText(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const Pattern pattern, PatternOf(binder, call, 2));
  ARROW_ASSIGN_OR_RAISE(const NodePtr count,
                        binder.MakeArrowCall(call.span, "count_substring_regex", {text},
                                             std::make_shared<cp::MatchSubstringOptions>(
                                                 pattern.text, pattern.ignores_case)));
  return binder.Cast(call.span, count, arrow::int64(), /*is_try=*/false);
}

/// Groups as RE2 names them: $1 and ${1} become \1.
std::string WithBackslashGroups(std::string_view replacement) {
  std::string converted;
  for (size_t i = 0; i < replacement.size(); ++i) {
    const std::string_view rest = replacement.substr(i);
    if (rest.size() >= 2 && rest[0] == '$' && rest[1] >= '0' && rest[1] <= '9') {
      converted += std::string("\\") + rest[1];
      ++i;
    } else if (rest.size() >= 4 && rest.starts_with("${") && rest[3] == '}' && rest[2] >= '0' &&
               rest[2] <= '9') {
      converted += std::string("\\") + rest[2];
      i += 3;
    } else {
      converted += rest[0];
    }
  }
  return converted;
}

Result<NodePtr> BindRegexpReplace(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr text, AsText(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(Pattern pattern, PatternOf(binder, call, 3));
  ARROW_ASSIGN_OR_RAISE(const std::string replacement, ConstantText(binder, call.arguments[2]));
  if (pattern.ignores_case) pattern.text = "(?i)" + pattern.text;
  const int64_t most = pattern.replaces_all ? -1 : 1;
  return binder.MakeArrowCall(call.span, "replace_substring_regex", {text},
                              std::make_shared<cp::ReplaceSubstringOptions>(
                                  pattern.text, WithBackslashGroups(replacement), most));
}

/// Where in texts a pattern is found.
class Matcher {
 public:
  /// The match is `group` of the pattern, or all of it. A matcher `is_later` looks from the second
  /// character of a text on: for `^` and `\b` there is one before.
  static Result<Matcher> Make(const std::string& pattern, int64_t group, bool is_later,
                              const TypePtr& type, cp::ExecContext* compute) {
    Matcher matcher;
    ARROW_ASSIGN_OR_RAISE(std::string named, WithNamedGroup(pattern, group));
    if (is_later) named = "\\A(?s:..*?)" + named;
    matcher.has_group_ = group > 0;
    auto options = std::make_shared<cp::ExtractRegexSpanOptions>(named);
    ARROW_ASSIGN_OR_RAISE(ArrowFunction function,
                          FindArrowFunction("extract_regex_span", {type}, options, compute));
    matcher.find_ = std::move(function.kernel);
    return matcher;
  }

  /// Bytes of the match, and of its group if that is asked for; nothing if there is none.
  struct Found {
    int64_t begin = 0;
    int64_t size = 0;
    std::optional<int64_t> group = 0;
  };
  /// The first match in each of the texts.
  Result<std::vector<std::optional<Found>>> FindIn(const std::shared_ptr<arrow::Array>& texts,
                                                   const Evaluation& evaluation) const;

 private:
  /// `pattern` as group "m", without groups but the one of that number, "s".
  static Result<std::string> WithNamedGroup(const std::string& pattern, int64_t group);

  Kernel find_;
  bool has_group_ = false;
};

Result<std::string> Matcher::WithNamedGroup(const std::string& pattern, int64_t group) {
  std::string named = "(?P<m>";
  int64_t count = 0;
  bool is_in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    named += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      named += pattern[++i];
    } else if (is_in_class) {
      // A class within, [:alpha:], has a bracket of its own.
      const size_t end =
          c == '[' && pattern[i + 1] == ':' ? pattern.find(":]", i) : std::string::npos;
      if (end == std::string::npos) {
        is_in_class = c != ']';
      } else {
        named += pattern.substr(i + 1, end + 1 - i);
        i = end + 1;
      }
    } else if (c == '[') {
      is_in_class = true;
      // A bracket that comes first is one of the characters.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') named += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') named += pattern[++i];
    } else if (c == '(') {
      const std::string_view rest = std::string_view(pattern).substr(i + 1);
      const bool has_name = rest.starts_with("?P<") || rest.starts_with("?<");
      if (rest.starts_with("?") && !has_name) continue;
      if (has_name) i += rest.find('>') + 1;
      named += ++count == group ? "?P<s>" : "?:";
    }
  }
  if (group > count) {
    return InvalidArgument("the pattern has ", count, " groups, and not one of number ", group);
  }
  return named + ")";
}

/// The offset and the length in bytes of a match in row `i`.
template <typename Number>
std::pair<int64_t, int64_t> SpanOf(const arrow::FixedSizeListArray& spans, int64_t i) {
  const auto* numbers = spans.values()->data()->GetValues<Number>(1);
  const int64_t at = spans.value_offset(i);
  return {numbers[at], numbers[at + 1]};
}

Result<std::vector<std::optional<Matcher::Found>>> Matcher::FindIn(
    const std::shared_ptr<arrow::Array>& texts, const Evaluation& evaluation) const {
  const auto rows =
      arrow::RecordBatch::Make(arrow::schema({}), texts->length(), arrow::ArrayVector());
  Evaluation inner = evaluation;
  inner.batch = rows.get();
  ARROW_ASSIGN_OR_RAISE(const Datum datum, find_({Datum(texts)}, inner));
  const auto held = datum.make_array();
  const auto& matches = static_cast<const arrow::StructArray&>(*held);
  const auto spans_of = [&](const char* name) {
    return std::static_pointer_cast<arrow::FixedSizeListArray>(matches.GetFieldByName(name));
  };
  const bool is_large = texts->type_id() == arrow::Type::LARGE_STRING;
  const auto span = [&](const arrow::FixedSizeListArray& spans, int64_t i) {
    return is_large ? SpanOf<int64_t>(spans, i) : SpanOf<int32_t>(spans, i);
  };
  const auto whole = spans_of("m");
  const auto group = has_group_ ? spans_of("s") : nullptr;
  std::vector<std::optional<Found>> found(static_cast<size_t>(texts->length()));
  for (int64_t i = 0; i < texts->length(); ++i) {
    if (matches.IsNull(i) || whole->IsNull(i)) continue;
    const auto [begin, size] = span(*whole, i);
    Found one{.begin = begin, .size = size, .group = begin};
    if (group != nullptr) {
      one.group.reset();
      // A group that takes no part in the match has no place.
      if (group->IsValid(i)) one.group = span(*group, i).first;
    }
    found[static_cast<size_t>(i)] = one;
  }
  return found;
}

/// What regexp_instr looks for, beside the pattern.
struct InstrOptions {
  int64_t start = 1;
  int64_t occurrence = 1;
  int64_t group = 0;
};

/// Where in `text` the character begins that ends before the byte `end`, which is not 0.
size_t CharacterBefore(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80) --begin;
  return begin;
}

/// The place, in characters from 1, where an occurrence of the pattern begins; 0 if there is none.
/// `later` finds the occurrences behind the first.
Result<Datum> FindPlaces(const Matcher& first, const Matcher& later, const InstrOptions& options,
                         const Datum& argument, const Evaluation& evaluation) {
  arrow::MemoryPool* pool = evaluation.context->pool;
  ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(argument, pool));
  const Texts texts(std::move(operand));
  const int64_t rows = texts.array().length();
  // Where in its text each row is looked through next; nothing if it has its answer.
  std::vector<std::optional<size_t>> next(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    if (texts.IsNull(row)) continue;
    const size_t begin = OffsetOfCharacter(texts[row], options.start - 1);
    if (begin < texts[row].size()) next[static_cast<size_t>(row)] = begin;
  }
  std::vector<int64_t> places(static_cast<size_t>(rows), 0);
  for (int64_t number = 1; number <= options.occurrence; ++number) {
    ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(texts.array().type(), pool));
    for (int64_t row = 0; row < rows; ++row) {
      auto& begin = next[static_cast<size_t>(row)];
      if (!begin) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      if (number > 1) begin = CharacterBefore(texts[row], *begin);
      const std::string_view left = texts[row].substr(*begin);
      ARROW_RETURN_NOT_OK(texts.array().type_id() == arrow::Type::LARGE_STRING
                              ? static_cast<arrow::LargeStringBuilder&>(*builder).Append(left)
                              : static_cast<arrow::StringBuilder&>(*builder).Append(left));
    }
    ARROW_ASSIGN_OR_RAISE(const auto open, builder->Finish());
    ARROW_ASSIGN_OR_RAISE(const auto found, (number == 1 ? first : later).FindIn(open, evaluation));
    bool is_done = true;
    for (int64_t row = 0; row < rows; ++row) {
      const auto i = static_cast<size_t>(row);
      if (!next[i]) continue;
      if (!found[i]) {
        next[i].reset();
        continue;
      }
      const std::string_view text = texts[row];
      if (number == options.occurrence) {
        if (found[i]->group) {
          places[i] = CharacterAtOffset(text, *next[i] + static_cast<size_t>(*found[i]->group)) + 1;
        }
        continue;
      }
      size_t end = *next[i] + static_cast<size_t>(found[i]->begin + found[i]->size);
      if (found[i]->size == 0) end += CharacterAt(text, end).size();
      next[i] = end;
      if (end >= text.size()) next[i].reset();
      is_done = is_done && !next[i];
    }
    if (is_done) break;
  }
  arrow::Int64Builder result(pool);
  for (int64_t row = 0; row < rows; ++row) {
    ARROW_RETURN_NOT_OK(texts.IsNull(row) ? result.AppendNull()
                                          : result.Append(places[static_cast<size_t>(row)]));
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, result.Finish());
  return ToResult(array, texts.is_scalar());
}

/// A whole number that is a constant, at least `least`.
Result<int64_t> ConstantNumber(const Binder& binder, const NodePtr& node, int64_t least) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr number, AsInteger(binder, node));
  if (number->kind == NodeKind::kLiteral && number->value->is_valid) {
    const int64_t value = static_cast<const arrow::Int64Scalar&>(*number->value).value;
    if (value >= least) return value;
  }
  return binder.Error(node->span, "a number from " + std::to_string(least) +
                                      " on that is a constant is expected here");
}

Result<NodePtr> BindRegexpInstr(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr text, AsText(binder, call.arguments[0]));
  if (std::ranges::any_of(call.arguments, IsNullConstant)) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::int64()));
  }
  ARROW_ASSIGN_OR_RAISE(Pattern pattern, PatternOf(binder, call, 4));
  if (pattern.replaces_all) {
    return binder.Error(call.arguments[4]->span, "regexp_instr has no flag 'g'");
  }
  if (pattern.ignores_case) pattern.text = "(?i)" + pattern.text;
  InstrOptions options;
  const auto number = [&](size_t argument, int64_t least, int64_t* value) -> Status {
    if (call.arguments.size() <= argument) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(*value, ConstantNumber(binder, call.arguments[argument], least));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(number(2, 1, &options.start));
  ARROW_RETURN_NOT_OK(number(3, 1, &options.occurrence));
  ARROW_RETURN_NOT_OK(number(5, 0, &options.group));
  std::vector<Matcher> matchers;
  for (const bool is_later : {false, true}) {
    auto matcher =
        Matcher::Make(pattern.text, options.group, is_later, text->type, binder.compute());
    if (!matcher.ok()) return binder.Error(call.arguments[1]->span, matcher.status().message());
    matchers.push_back(*std::move(matcher));
  }
  Kernel kernel = [matchers, options](const std::vector<Datum>& arguments,
                                      const Evaluation& evaluation) {
    return FindPlaces(matchers[0], matchers[1], options, arguments[0], evaluation);
  };
  return binder.MakeCall(call.span, arrow::int64(), {text}, std::move(kernel));
}

constexpr std::array kFunctions = {
    FunctionEntry{"regexp_match", 2, 3, BindRegexpMatch},
    FunctionEntry{"regexp_like", 2, 3, MatchPattern},
    FunctionEntry{"regexp_count", 2, 3, BindRegexpCount},
    FunctionEntry{"regexp_replace", 3, 4, BindRegexpReplace},
    FunctionEntry{"regexp_instr", 2, 6, BindRegexpInstr},
};

}  // namespace

std::span<const FunctionEntry> PatternFunctions() { return kFunctions; }

}  // namespace tusk::expr
