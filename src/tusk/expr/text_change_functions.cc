// Texts that are made of others: in another case, longer, shorter, put together.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/letter_case.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/utf8_text.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

/// The most bytes that a function makes of one text.
constexpr int64_t kMostBytes = int64_t{1} << 25;

Result<NodePtr> OneText(const Binder& binder, const Call& call, const std::string& function) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
  return binder.MakeArrowCall(call.span, function, std::move(arguments), nullptr);
}

/// What must be done with texts before their letters are changed one by one.
struct Preparation {
  bool (*is_needed)(std::string_view text);
  void (*append)(std::string_view text, std::string* out);
};

template <typename Builder>
Kernel Prepare(Preparation preparation) {
  return [preparation](const std::vector<Datum>& arguments,
                       const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(arguments, evaluation));
    bool is_needed = false;
    for (int64_t row = 0; row < rows.length() && !is_needed; ++row) {
      is_needed = !rows.IsNull(0, row) && preparation.is_needed(rows.Text(0, row));
    }
    if (!is_needed) return arguments[0];
    Builder builder(evaluation.context->pool);
    std::string text;
    for (int64_t row = 0; row < rows.length(); ++row) {
      text.clear();
      if (!rows.IsNull(0, row)) preparation.append(rows.Text(0, row), &text);
      ARROW_RETURN_NOT_OK(rows.IsNull(0, row) ? builder.AppendNull() : builder.Append(text));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, rows.is_scalar());
  };
}

Result<NodePtr> ChangeCase(const Binder& binder, const Call& call, const std::string& function,
                           Preparation preparation) {
  ARROW_ASSIGN_OR_RAISE(const auto arguments, TextsAndIntegers(binder, call));
  const auto type = arguments[0]->type;
  Kernel kernel = type->id() == arrow::Type::LARGE_STRING
                      ? Prepare<arrow::LargeStringBuilder>(preparation)
                      : Prepare<arrow::StringBuilder>(preparation);
  ARROW_ASSIGN_OR_RAISE(NodePtr prepared,
                        binder.MakeCall(call.span, type, arguments, std::move(kernel)));
  return binder.MakeArrowCall(call.span, function, {std::move(prepared)}, nullptr);
}

Result<NodePtr> BindLower(const Binder& binder, const Call& call) {
  return ChangeCase(binder, call, "utf8_lower", {HasSpecialCapitals, AppendBeforeLower});
}
Result<NodePtr> BindUpper(const Binder& binder, const Call& call) {
  return ChangeCase(binder, call, "utf8_upper", {HasSeveralCapitals, AppendBeforeUpper});
}
Result<NodePtr> BindReverse(const Binder& binder, const Call& call) {
  return OneText(binder, call, "utf8_reverse");
}

/// Words with a capital first; each letter is changed on its own.
Result<NodePtr> BindInitcap(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const auto arguments, TextsAndIntegers(binder, call));
  ARROW_ASSIGN_OR_RAISE(const NodePtr lower, OneText(binder, call, "utf8_lower"));
  ARROW_ASSIGN_OR_RAISE(const NodePtr upper, OneText(binder, call, "utf8_upper"));
  return MakeTextCall(binder, call.span, {arguments[0], lower, upper},
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const std::string_view text = rows.Text(0, row);
                        bool begins = true;
                        size_t low = 0;
                        size_t high = 0;
                        for (size_t i = 0; i < text.size();) {
                          const std::string_view character = CharacterAt(text, i);
                          const std::string_view small = CharacterAt(rows.Text(1, row), low);
                          const std::string_view capital = CharacterAt(rows.Text(2, row), high);
                          const std::string_view several = SeveralCapitals(CodePoint(character));
                          i += character.size();
                          low += small.size();
                          high += capital.size();
                          out->append(!begins ? small : several.empty() ? capital : several);
                          const auto c = static_cast<unsigned char>(small[0]);
                          begins = c < 0x80 && std::isalnum(c) == 0;
                        }
                        return Status::OK();
                      });
}

Status TooLong() { return InvalidArgument("the text would have more than 2^25 bytes"); }

Result<NodePtr> BindRepeat(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 1));
  return MakeTextCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row, std::string* out) -> Status {
        const std::string_view text = rows.Text(0, row);
        const int64_t count = std::max<int64_t>(0, rows.Integer(1, row));
        if (!text.empty() && count > kMostBytes / static_cast<int64_t>(text.size())) {
          return TooLong();
        }
        for (int64_t i = 0; i < count && !text.empty(); ++i) out->append(text);
        return Status::OK();
      });
}

Result<NodePtr> Pad(const Binder& binder, const Call& call, bool is_left) {
  std::vector<NodePtr> arguments;
  ARROW_ASSIGN_OR_RAISE(NodePtr text, AsText(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(NodePtr size, AsInteger(binder, call.arguments[1]));
  arguments = {std::move(text), std::move(size)};
  if (call.arguments.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(NodePtr fill, AsText(binder, call.arguments[2]));
    arguments.push_back(std::move(fill));
  }
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [is_left](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const std::string_view text = rows.Text(0, row);
                        const int64_t wanted = std::max<int64_t>(0, rows.Integer(1, row));
                        const std::string_view fill = rows.size() == 3 ? rows.Text(2, row) : " ";
                        const int64_t size = CountCharacters(text);
                        if (wanted > kMostBytes / 4) return TooLong();
                        const std::string_view kept =
                            wanted < size ? text.substr(0, OffsetOfCharacter(text, wanted)) : text;
                        if (!is_left) out->append(kept);
                        size_t at = 0;
                        for (int64_t i = size; i < wanted && !fill.empty(); ++i) {
                          const std::string_view character = CharacterAt(fill, at);
                          out->append(character);
                          at = (at + character.size()) % fill.size();
                        }
                        if (is_left) out->append(kept);
                        return Status::OK();
                      });
}
Result<NodePtr> BindLpad(const Binder& binder, const Call& call) { return Pad(binder, call, true); }
Result<NodePtr> BindRpad(const Binder& binder, const Call& call) {
  return Pad(binder, call, false);
}

enum class TrimSide { kBoth, kLeft, kRight };

std::string_view Trim(std::string_view text, std::string_view characters, TrimSide side) {
  while (side != TrimSide::kRight && !text.empty()) {
    const std::string_view first = CharacterAt(text, 0);
    if (characters.find(first) == std::string_view::npos) break;
    text.remove_prefix(first.size());
  }
  while (side != TrimSide::kLeft && !text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    if (characters.find(text.substr(begin)) == std::string_view::npos) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

Result<NodePtr> BindTrim(const Binder& binder, const Call& call, TrimSide side) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [side](const Rows& rows, int64_t row, std::string* out) {
                        const std::string_view characters =
                            rows.size() == 2 ? rows.Text(1, row) : " ";
                        out->append(Trim(rows.Text(0, row), characters, side));
                        return Status::OK();
                      });
}
Result<NodePtr> BindBtrim(const Binder& binder, const Call& call) {
  return BindTrim(binder, call, TrimSide::kBoth);
}
Result<NodePtr> BindLtrim(const Binder& binder, const Call& call) {
  return BindTrim(binder, call, TrimSide::kLeft);
}
Result<NodePtr> BindRtrim(const Binder& binder, const Call& call) {
  return BindTrim(binder, call, TrimSide::kRight);
}

Result<NodePtr> BindReplace(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        std::string_view text = rows.Text(0, row);
                        const std::string_view from = rows.Text(1, row);
                        // Nothing stands before each character and at the end.
                        while (from.empty() && !text.empty()) {
                          const std::string_view character = CharacterAt(text, 0);
                          out->append(rows.Text(2, row)).append(character);
                          if (static_cast<int64_t>(out->size()) > kMostBytes) return TooLong();
                          text.remove_prefix(character.size());
                        }
                        if (from.empty()) out->append(rows.Text(2, row));
                        while (!from.empty()) {
                          const size_t at = text.find(from);
                          if (at == std::string_view::npos) break;
                          out->append(text.substr(0, at)).append(rows.Text(2, row));
                          if (static_cast<int64_t>(out->size()) > kMostBytes) return TooLong();
                          text.remove_prefix(at + from.size());
                        }
                        out->append(text);
                        return Status::OK();
                      });
}

Result<NodePtr> BindTranslate(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [](const Rows& rows, int64_t row, std::string* out) {
                        const std::string_view text = rows.Text(0, row);
                        const std::string_view from = rows.Text(1, row);
                        const std::string_view to = rows.Text(2, row);
                        for (size_t i = 0; i < text.size();) {
                          const std::string_view character = CharacterAt(text, i);
                          i += character.size();
                          const size_t found = from.find(character);
                          if (found == std::string_view::npos) {
                            out->append(character);
                            continue;
                          }
                          const size_t at = OffsetOfCharacter(to, CharacterAtOffset(from, found));
                          if (at < to.size()) out->append(CharacterAt(to, at));
                        }
                        return Status::OK();
                      });
}

Result<NodePtr> BindChr(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call, 0));
  return MakeTextCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row, std::string* out) -> Status {
        const int64_t code = rows.Integer(0, row);
        if (code < 0 || code > 0x10FFFF || !AppendCodePoint(static_cast<uint32_t>(code), out)) {
          return InvalidArgument(code, " is no character");
        }
        return Status::OK();
      });
}

Result<NodePtr> BindToHex(const Binder& binder, const Call& call) {
  NodePtr number = call.arguments[0];
  if (number->type->id() == arrow::Type::UINT64) {
    // The same bits.
    ARROW_ASSIGN_OR_RAISE(
        number, binder.MakeArrowCall(
                    call.span, "cast", {number},
                    std::make_shared<cp::CastOptions>(cp::CastOptions::Unsafe(arrow::int64()))));
  }
  ARROW_ASSIGN_OR_RAISE(number, AsInteger(binder, number));
  return MakeTextCall(binder, call.span, {std::move(number)},
                      [](const Rows& rows, int64_t row, std::string* out) {
                        auto value = static_cast<uint64_t>(rows.Integer(0, row));
                        do {
                          out->insert(out->begin(), "0123456789abcdef"[value % 16]);
                          value /= 16;
                        } while (value != 0);
                        return Status::OK();
                      });
}

/// Texts of the arguments put together; a null adds nothing.
Result<NodePtr> Join(const Binder& binder, const Call& call, bool has_separator) {
  std::vector<NodePtr> arguments;
  bool is_large = false;
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(NodePtr text, IsText(*argument->type)
                                            ? Result<NodePtr>(argument)
                                            : binder.Cast(argument->span, argument, arrow::utf8(),
                                                          /*is_try=*/false));
    is_large = is_large || text->type->id() == arrow::Type::LARGE_STRING;
    arguments.push_back(std::move(text));
  }
  const auto type = is_large ? arrow::large_utf8() : arrow::utf8();
  Kernel kernel = [has_separator, type](const std::vector<Datum>& values,
                                        const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(values, evaluation));
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type, evaluation.context->pool));
    std::string text;
    for (int64_t row = 0; row < rows.length(); ++row) {
      text.clear();
      bool is_first = true;
      for (size_t i = has_separator ? 1 : 0; i < rows.size(); ++i) {
        if (rows.IsNull(i, row)) continue;
        if (has_separator && !is_first) text.append(rows.Text(0, row));
        is_first = false;
        text.append(rows.Text(i, row));
      }
      if (has_separator && rows.IsNull(0, row)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
      } else if (type->id() == arrow::Type::LARGE_STRING) {
        ARROW_RETURN_NOT_OK(static_cast<arrow::LargeStringBuilder&>(*builder).Append(text));
      } else {
        ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder&>(*builder).Append(text));
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder->Finish());
    return ToResult(array, rows.is_scalar());
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}
Result<NodePtr> BindConcat(const Binder& binder, const Call& call) {
  return Join(binder, call, /*has_separator=*/false);
}
Result<NodePtr> BindConcatWs(const Binder& binder, const Call& call) {
  return Join(binder, call, /*has_separator=*/true);
}

constexpr std::array kFunctions = {
    FunctionEntry{"lower", 1, 1, BindLower},     FunctionEntry{"upper", 1, 1, BindUpper},
    FunctionEntry{"initcap", 1, 1, BindInitcap}, FunctionEntry{"reverse", 1, 1, BindReverse},
    FunctionEntry{"repeat", 2, 2, BindRepeat},   FunctionEntry{"lpad", 2, 3, BindLpad},
    FunctionEntry{"rpad", 2, 3, BindRpad},       FunctionEntry{"btrim", 1, 2, BindBtrim},
    FunctionEntry{"ltrim", 1, 2, BindLtrim},     FunctionEntry{"rtrim", 1, 2, BindRtrim},
    FunctionEntry{"replace", 3, 3, BindReplace}, FunctionEntry{"translate", 3, 3, BindTranslate},
    FunctionEntry{"chr", 1, 1, BindChr},         FunctionEntry{"to_hex", 1, 1, BindToHex},
    FunctionEntry{"concat", 1, -1, BindConcat},  FunctionEntry{"concat_ws", 2, -1, BindConcatWs},
};

}  // namespace

std::span<const FunctionEntry> TextChangeFunctions() { return kFunctions; }

}  // namespace tusk::expr
