#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"
#include "tusk/expr/utf8_text.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

/// The most bytes that a function makes of one text.
constexpr int64_t kMostBytes = int64_t{1} << 25;

/// The arguments, of which the first `texts` are texts and the others whole numbers.
Result<std::vector<NodePtr>> Arguments(const Binder& binder, const Call& call, size_t texts) {
  std::vector<NodePtr> arguments;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(NodePtr argument, i < texts ? AsText(binder, call.arguments[i])
                                                      : AsInteger(binder, call.arguments[i]));
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

constexpr size_t kAllTexts = std::numeric_limits<size_t>::max();

Result<NodePtr> OneText(const Binder& binder, const Call& call, const std::string& function) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  return binder.MakeArrowCall(call.span, function, std::move(arguments), nullptr);
}

Result<NodePtr> BindLower(const Binder& binder, const Call& call) {
  return OneText(binder, call, "utf8_lower");
}
Result<NodePtr> BindUpper(const Binder& binder, const Call& call) {
  return OneText(binder, call, "utf8_upper");
}
Result<NodePtr> BindReverse(const Binder& binder, const Call& call) {
  return OneText(binder, call, "utf8_reverse");
}

/// Counts of characters and places are int32, in large texts int64.
std::shared_ptr<arrow::DataType> CountType(const NodePtr& text) {
  return arrow::is_large_binary_like(text->type->id()) ? arrow::int64() : arrow::int32();
}

Result<NodePtr> BindLength(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  const auto type = CountType(arguments[0]);
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row) { return CountCharacters(rows.Text(0, row)); }, type);
}

Result<NodePtr> BytesTimes(const Binder& binder, const Call& call, int64_t factor) {
  NodePtr argument = call.arguments[0];
  if (!IsBytes(*argument->type) || argument->type->id() == arrow::Type::FIXED_SIZE_BINARY) {
    ARROW_ASSIGN_OR_RAISE(argument, AsText(binder, argument));
  }
  const auto type = CountType(argument);
  return MakeIntegerCall(
      binder, call.span, {std::move(argument)},
      [factor](const Rows& rows, int64_t row) {
        return static_cast<int64_t>(rows.Text(0, row).size()) * factor;
      },
      type);
}
Result<NodePtr> BindOctetLength(const Binder& binder, const Call& call) {
  return BytesTimes(binder, call, 1);
}
Result<NodePtr> BindBitLength(const Binder& binder, const Call& call) {
  return BytesTimes(binder, call, 8);
}

using Test = bool (*)(std::string_view text, std::string_view part);

Result<NodePtr> TestText(const Binder& binder, const Call& call, Test test) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  return MakeTruthCall(binder, call.span, std::move(arguments),
                       [test](const Rows& rows, int64_t row) -> Result<bool> {
                         return test(rows.Text(0, row), rows.Text(1, row));
                       });
}
Result<NodePtr> BindStartsWith(const Binder& binder, const Call& call) {
  return TestText(binder, call, [](std::string_view text, std::string_view part) {
    return text.starts_with(part);
  });
}
Result<NodePtr> BindEndsWith(const Binder& binder, const Call& call) {
  return TestText(binder, call, [](std::string_view text, std::string_view part) {
    return text.ends_with(part);
  });
}
Result<NodePtr> BindContains(const Binder& binder, const Call& call) {
  return TestText(binder, call, [](std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

Result<NodePtr> BindStrpos(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  const auto type = CountType(arguments[0]);
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row) -> int64_t {
        const std::string_view text = rows.Text(0, row);
        const size_t at = text.find(rows.Text(1, row));
        return at == std::string_view::npos ? 0 : CharacterAtOffset(text, at) + 1;
      },
      type);
}

/// Characters [first, first + length) counted from 1, as SQL has it: what lies before the text
/// counts too.
Status Substring(std::string_view text, int64_t first, int64_t length, std::string* out) {
  int64_t end = 0;
  if (__builtin_add_overflow(first, length, &end)) end = std::numeric_limits<int64_t>::max();
  const int64_t begin = std::max<int64_t>(first, 1);
  if (end <= begin) return Status::OK();
  const size_t from = OffsetOfCharacter(text, begin - 1);
  const std::string_view rest = text.substr(from);
  out->append(rest.substr(0, OffsetOfCharacter(rest, end - begin)));
  return Status::OK();
}

Result<NodePtr> BindSubstring(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, 1));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const int64_t length = rows.size() == 3
                                                   ? rows.Integer(2, row)
                                                   : std::numeric_limits<int64_t>::max();
                        if (length < 0)
                          return InvalidArgument("the length ", length, " of a part is negative");
                        return Substring(rows.Text(0, row), rows.Integer(1, row), length, out);
                      });
}

/// The first or last characters; a negative count leaves so many out.
Result<NodePtr> TakeEnd(const Binder& binder, const Call& call, bool is_left) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, 1));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [is_left](const Rows& rows, int64_t row, std::string* out) {
                        const std::string_view text = rows.Text(0, row);
                        const int64_t size = CountCharacters(text);
                        const int64_t asked = rows.Integer(1, row);
                        const int64_t count =
                            asked < 0 ? std::max<int64_t>(0, asked + size) : std::min(asked, size);
                        if (is_left) {
                          out->append(text.substr(0, OffsetOfCharacter(text, count)));
                        } else {
                          out->append(text.substr(OffsetOfCharacter(text, size - count)));
                        }
                        return Status::OK();
                      });
}
Result<NodePtr> BindLeft(const Binder& binder, const Call& call) {
  return TakeEnd(binder, call, true);
}
Result<NodePtr> BindRight(const Binder& binder, const Call& call) {
  return TakeEnd(binder, call, false);
}

Status TooLong() { return InvalidArgument("the text would have more than 2^25 bytes"); }

Result<NodePtr> BindRepeat(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, 1));
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
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

Result<NodePtr> BindSplitPart(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, 2));
  return MakeTextCall(binder, call.span, std::move(arguments),
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const std::string_view text = rows.Text(0, row);
                        const std::string_view separator = rows.Text(1, row);
                        const int64_t number = rows.Integer(2, row);
                        if (number == 0)
                          return InvalidArgument("split_part counts parts from 1, or from -1");
                        std::vector<std::string_view> parts;
                        size_t begin = 0;
                        while (!separator.empty()) {
                          const size_t at = text.find(separator, begin);
                          if (at == std::string_view::npos) break;
                          parts.push_back(text.substr(begin, at - begin));
                          begin = at + separator.size();
                        }
                        parts.push_back(text.substr(begin));
                        const auto count = static_cast<int64_t>(parts.size());
                        const int64_t index = number > 0 ? number - 1 : count + number;
                        if (index >= 0 && index < count)
                          out->append(parts[static_cast<size_t>(index)]);
                        return Status::OK();
                      });
}

Result<NodePtr> BindInitcap(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr lower, BindLower(binder, call));
  ARROW_ASSIGN_OR_RAISE(const NodePtr upper, BindUpper(binder, call));
  return MakeTextCall(binder, call.span, {lower, upper},
                      [](const Rows& rows, int64_t row, std::string* out) -> Status {
                        const std::string_view low = rows.Text(0, row);
                        const std::string_view high = rows.Text(1, row);
                        bool begins = true;
                        size_t h = 0;
                        for (size_t i = 0; i < low.size();) {
                          const std::string_view character = CharacterAt(low, i);
                          const std::string_view capital = CharacterAt(high, h);
                          i += character.size();
                          h += capital.size();
                          out->append(begins ? capital : character);
                          const auto c = static_cast<unsigned char>(character[0]);
                          begins = c < 0x80 && std::isalnum(c) == 0;
                        }
                        return Status::OK();
                      });
}

Result<NodePtr> BindAscii(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row) -> int64_t {
        return CodePoint(CharacterAt(rows.Text(0, row), 0));
      },
      arrow::int32());
}

Result<NodePtr> BindChr(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, 0));
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

int64_t Levenshtein(std::string_view a, std::string_view b) {
  std::vector<uint32_t> left;
  std::vector<uint32_t> right;
  for (auto [text, points] : {std::pair{a, &left}, std::pair{b, &right}}) {
    for (size_t i = 0; i < text.size();) {
      const std::string_view character = CharacterAt(text, i);
      points->push_back(CodePoint(character));
      i += character.size();
    }
  }
  std::vector<int64_t> row(right.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= left.size(); ++i) {
    int64_t diagonal = std::exchange(row[0], static_cast<int64_t>(i));
    for (size_t j = 1; j <= right.size(); ++j) {
      const int64_t change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

Result<NodePtr> BindLevenshtein(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row) -> Result<int64_t> {
        const std::string_view a = rows.Text(0, row);
        const std::string_view b = rows.Text(1, row);
        if (a.size() > 10'000 || b.size() > 10'000) {
          return InvalidArgument("levenshtein takes texts of at most 10,000 bytes");
        }
        return Levenshtein(a, b);
      },
      arrow::int32());
}

/// The words of a text: runs of letters and digits.
std::vector<std::string> TokensOf(std::string_view text) {
  std::vector<std::string> tokens;
  std::string token;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      token += c;
    } else if (!token.empty()) {
      tokens.push_back(std::exchange(token, {}));
    }
  }
  if (!token.empty()) tokens.push_back(std::move(token));
  return tokens;
}

Result<NodePtr> BindContainsTokens(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, Arguments(binder, call, kAllTexts));
  return MakeTruthCall(binder, call.span, std::move(arguments),
                       [](const Rows& rows, int64_t row) -> Result<bool> {
                         const auto have = TokensOf(rows.Text(0, row));
                         const auto want = TokensOf(rows.Text(1, row));
                         return std::ranges::all_of(want, [&](const std::string& token) {
                           return std::ranges::find(have, token) != have.end();
                         });
                       });
}

constexpr std::array kFunctions = {
    FunctionEntry{"lower", 1, 1, BindLower},
    FunctionEntry{"upper", 1, 1, BindUpper},
    FunctionEntry{"length", 1, 1, BindLength},
    FunctionEntry{"char_length", 1, 1, BindLength},
    FunctionEntry{"character_length", 1, 1, BindLength},
    FunctionEntry{"octet_length", 1, 1, BindOctetLength},
    FunctionEntry{"bit_length", 1, 1, BindBitLength},
    FunctionEntry{"starts_with", 2, 2, BindStartsWith},
    FunctionEntry{"ends_with", 2, 2, BindEndsWith},
    FunctionEntry{"contains", 2, 2, BindContains},
    FunctionEntry{"strpos", 2, 2, BindStrpos},
    FunctionEntry{"instr", 2, 2, BindStrpos},
    FunctionEntry{"substr", 2, 3, BindSubstring},
    FunctionEntry{"left", 2, 2, BindLeft},
    FunctionEntry{"right", 2, 2, BindRight},
    FunctionEntry{"repeat", 2, 2, BindRepeat},
    FunctionEntry{"lpad", 2, 3, BindLpad},
    FunctionEntry{"rpad", 2, 3, BindRpad},
    FunctionEntry{"btrim", 1, 2, BindBtrim},
    FunctionEntry{"ltrim", 1, 2, BindLtrim},
    FunctionEntry{"rtrim", 1, 2, BindRtrim},
    FunctionEntry{"replace", 3, 3, BindReplace},
    FunctionEntry{"translate", 3, 3, BindTranslate},
    FunctionEntry{"reverse", 1, 1, BindReverse},
    FunctionEntry{"split_part", 3, 3, BindSplitPart},
    FunctionEntry{"initcap", 1, 1, BindInitcap},
    FunctionEntry{"ascii", 1, 1, BindAscii},
    FunctionEntry{"chr", 1, 1, BindChr},
    FunctionEntry{"to_hex", 1, 1, BindToHex},
    FunctionEntry{"concat", 1, -1, BindConcat},
    FunctionEntry{"concat_ws", 2, -1, BindConcatWs},
    FunctionEntry{"levenshtein", 2, 2, BindLevenshtein},
    FunctionEntry{"contains_tokens", 2, 2, BindContainsTokens},
};

}  // namespace

std::span<const FunctionEntry> TextFunctions() { return kFunctions; }

}  // namespace tusk::expr
