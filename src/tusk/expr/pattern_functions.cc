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
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/pattern_matcher.h"
#include "tusk/expr/per_pattern.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/utf8_text.h"

// Patterns are RE2's, which Arrow runs.
namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// What the letters of a flags argument say.
struct Flags {
  std::string prefix;  ///< as a pattern begins to say the same
  bool replaces_all = false;

  std::string Apply(const std::string& pattern) const { return prefix + pattern; }
};

/// The flags that stand in argument `place`, if it is there.
Result<Flags> FlagsOf(const Binder& binder, const Call& call, size_t place) {
  Flags flags;
  if (call.arguments.size() <= place) return flags;
  ARROW_ASSIGN_OR_RAISE(const std::string letters, ConstantText(binder, call.arguments[place]));
  for (const char letter : letters) {
    switch (letter) {
      case 'g':
        flags.replaces_all = true;
        break;
      case 'i':
      case 's':
      case 'm':
      case 'U':
        flags.prefix += std::string("(?") + letter + ")";
        break;
      default:
        return binder.Error(call.arguments[place]->span,
                            std::string("there is no flag '") + letter + "' of patterns");
    }
  }
  return flags;
}

bool IsNullConstant(const NodePtr& node) {
  return node->kind == NodeKind::kLiteral && !node->value->is_valid;
}

/// Binds a call of a text and the keys behind it. If all keys are constants the kernel is made
/// once, so that a broken pattern is told when it is bound.
Result<NodePtr> MakePatternCall(const Binder& binder, const Call& call, std::vector<NodePtr> keys,
                                const TypePtr& type, const MakeKeyed& make) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr text, AsText(binder, call.arguments[0]));
  if (std::ranges::any_of(keys, IsNullConstant)) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(type));
  }
  std::vector<std::string> constants;
  for (NodePtr& key : keys) {
    ARROW_ASSIGN_OR_RAISE(key, AsText(binder, key));
    if (key->kind != NodeKind::kLiteral) continue;
    ARROW_ASSIGN_OR_RAISE(constants.emplace_back(), ConstantText(binder, key));
  }
  if (constants.size() == keys.size()) {
    auto kernel = make(constants);
    if (!kernel.ok()) return binder.Error(keys[0]->span, kernel.status().message());
    return binder.MakeCall(call.span, type, {text}, *std::move(kernel));
  }
  keys.insert(keys.begin(), text);
  return MakeKeyedCall(binder, call.span, std::move(keys), type, make);
}

/// A kernel of one of Arrow's functions of texts.
Result<Kernel> ArrowKernel(const std::string& function, const TypePtr& type,
                           std::shared_ptr<cp::FunctionOptions> options) {
  cp::ExecContext compute;
  ARROW_ASSIGN_OR_RAISE(ArrowFunction found,
                        FindArrowFunction(function, {type}, std::move(options), &compute));
  return std::move(found.kernel);
}

/// What texts of an argument are of.
TypePtr TextType(const NodePtr& node) { return IsText(*node->type) ? node->type : arrow::utf8(); }

Result<NodePtr> BindRegexpLike(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const Flags flags, FlagsOf(binder, call, 2));
  return MakePatternCall(
      binder, call, {call.arguments[1]}, arrow::boolean(),
      [flags,
       type = TextType(call.arguments[0])](const std::vector<std::string>& keys) -> Result<Kernel> {
        return ArrowKernel("match_substring_regex", type,
                           std::make_shared<cp::MatchSubstringOptions>(flags.Apply(keys[0])));
      });
}

/// The groups of the first match, or all of it if the pattern has none, as lists.
Result<Kernel> GroupsKernel(const std::string& pattern, const TypePtr& type) {
  cp::ExecContext compute;
  std::vector<Matcher> matchers;
  const int64_t groups = CountGroups(pattern);
  for (int64_t group = std::min<int64_t>(groups, 1); group <= groups; ++group) {
    ARROW_ASSIGN_OR_RAISE(Matcher matcher,
                          Matcher::Make(pattern, group, /*is_later=*/false, type, &compute));
    matchers.push_back(std::move(matcher));
  }
  return Kernel(
      [matchers = std::move(matchers), type](const std::vector<Datum>& values,
                                             const Evaluation& evaluation) -> Result<Datum> {
        arrow::MemoryPool* pool = evaluation.context->pool;
        ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(values[0], pool));
        const Texts texts(std::move(operand));
        const auto array = arrow::MakeArray(texts.array().data());
        std::vector<std::vector<std::optional<Matcher::Found>>> found;
        for (const Matcher& matcher : matchers) {
          ARROW_ASSIGN_OR_RAISE(found.emplace_back(), matcher.FindIn(array, evaluation));
        }
        ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(arrow::list(type), pool));
        auto& lists = static_cast<arrow::ListBuilder&>(*builder);
        for (int64_t row = 0; row < array->length(); ++row) {
          const auto i = static_cast<size_t>(row);
          if (texts.IsNull(row) || !found[0][i]) {
            ARROW_RETURN_NOT_OK(lists.AppendNull());
            continue;
          }
          ARROW_RETURN_NOT_OK(lists.Append());
          for (const auto& matches : found) {
            const auto& group = matches[i]->group;
            if (!group) {
              ARROW_RETURN_NOT_OK(lists.value_builder()->AppendNull());
              continue;
            }
            const std::string_view part = texts[row].substr(static_cast<size_t>(group->first),
                                                            static_cast<size_t>(group->second));
            ARROW_RETURN_NOT_OK(
                type->id() == arrow::Type::LARGE_STRING
                    ? static_cast<arrow::LargeStringBuilder*>(lists.value_builder())->Append(part)
                    : static_cast<arrow::StringBuilder*>(lists.value_builder())->Append(part));
          }
        }
        ARROW_ASSIGN_OR_RAISE(const auto result, lists.Finish());
        return ToResult(result, texts.is_scalar());
      });
}

/// As pylance has it: the groups of the match as a list, or null; a condition takes what is not
/// null for true.
Result<NodePtr> BindRegexpMatch(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const Flags flags, FlagsOf(binder, call, 2));
  const TypePtr type = TextType(call.arguments[0]);
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr match,
      MakePatternCall(binder, call, {call.arguments[1]}, arrow::list(type),
                      [flags, type](const std::vector<std::string>& keys) -> Result<Kernel> {
                        return GroupsKernel(flags.Apply(keys[0]), type);
                      }));
  Node marked = *match;
  marked.is_match = true;
  return std::make_shared<const Node>(std::move(marked));
}

/// regexp_count(text, pattern[, start[, flags]]).
Result<NodePtr> BindRegexpCount(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const Flags flags, FlagsOf(binder, call, 3));
  Call searched = call;
  if (call.arguments.size() > 2) {
    ARROW_ASSIGN_OR_RAISE(
        searched.arguments[0],
        BindFunction(binder, {.name = "substr",
                              .span = call.span,
                              .arguments = {call.arguments[0], call.arguments[2]}}));
  }
  return MakePatternCall(
      binder, searched, {call.arguments[1]}, arrow::int64(),
      [flags, type = TextType(searched.arguments[0])](
          const std::vector<std::string>& keys) -> Result<Kernel> {
        ARROW_ASSIGN_OR_RAISE(
            Kernel count,
            ArrowKernel("count_substring_regex", type,
                        std::make_shared<cp::MatchSubstringOptions>(flags.Apply(keys[0]))));
        return Kernel([count = std::move(count)](const std::vector<Datum>& values,
                                                 const Evaluation& evaluation) -> Result<Datum> {
          ARROW_ASSIGN_OR_RAISE(const Datum counted, count(values, evaluation));
          return cp::Cast(counted, arrow::int64(), cp::CastOptions::Safe(), evaluation.compute);
        });
      });
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
  ARROW_ASSIGN_OR_RAISE(const Flags flags, FlagsOf(binder, call, 3));
  const TypePtr type = TextType(call.arguments[0]);
  const int64_t most = flags.replaces_all ? -1 : 1;
  return MakePatternCall(
      binder, call, {call.arguments[1], call.arguments[2]}, type,
      [flags, type, most](const std::vector<std::string>& keys) -> Result<Kernel> {
        return ArrowKernel("replace_substring_regex", type,
                           std::make_shared<cp::ReplaceSubstringOptions>(
                               flags.Apply(keys[0]), WithBackslashGroups(keys[1]), most));
      });
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
          places[i] =
              CharacterAtOffset(text, *next[i] + static_cast<size_t>(found[i]->group->first)) + 1;
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
  if (std::ranges::any_of(call.arguments, IsNullConstant)) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::int64()));
  }
  ARROW_ASSIGN_OR_RAISE(const Flags flags, FlagsOf(binder, call, 4));
  if (flags.replaces_all) {
    return binder.Error(call.arguments[4]->span, "regexp_instr has no flag 'g'");
  }
  InstrOptions options;
  const auto number = [&](size_t argument, int64_t least, int64_t* value) -> Status {
    if (call.arguments.size() <= argument) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(*value, ConstantNumber(binder, call.arguments[argument], least));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(number(2, 1, &options.start));
  ARROW_RETURN_NOT_OK(number(3, 1, &options.occurrence));
  ARROW_RETURN_NOT_OK(number(5, 0, &options.group));
  return MakePatternCall(
      binder, call, {call.arguments[1]}, arrow::int64(),
      [flags, options,
       type = TextType(call.arguments[0])](const std::vector<std::string>& keys) -> Result<Kernel> {
        cp::ExecContext compute;
        const std::string pattern = flags.Apply(keys[0]);
        ARROW_ASSIGN_OR_RAISE(const Matcher first,
                              Matcher::Make(pattern, options.group, false, type, &compute));
        ARROW_ASSIGN_OR_RAISE(const Matcher later,
                              Matcher::Make(pattern, options.group, true, type, &compute));
        return Kernel([first, later, options](const std::vector<Datum>& arguments,
                                              const Evaluation& evaluation) {
          return FindPlaces(first, later, options, arguments[0], evaluation);
        });
      });
}

constexpr std::array kFunctions = {
    FunctionEntry{"regexp_match", 2, 3, BindRegexpMatch},
    FunctionEntry{"regexp_like", 2, 3, BindRegexpLike},
    FunctionEntry{"regexp_count", 2, 4, BindRegexpCount},
    FunctionEntry{"regexp_replace", 3, 4, BindRegexpReplace},
    FunctionEntry{"regexp_instr", 2, 6, BindRegexpInstr},
};

}  // namespace

std::span<const FunctionEntry> PatternFunctions() { return kFunctions; }

}  // namespace tusk::expr
