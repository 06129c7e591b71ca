// What texts tell: counts, places and truths.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/utf8_text.h"

namespace tusk::expr {
namespace {

/// Counts of characters and places are int32, in large texts int64.
std::shared_ptr<arrow::DataType> CountType(const NodePtr& text) {
  return arrow::is_large_binary_like(text->type->id()) ? arrow::int64() : arrow::int32();
}

Result<NodePtr> BindLength(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
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

Result<NodePtr> BindAscii(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [](const Rows& rows, int64_t row) -> int64_t {
        return CodePoint(CharacterAt(rows.Text(0, row), 0));
      },
      arrow::int32());
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
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
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
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
    FunctionEntry{"ascii", 1, 1, BindAscii},
    FunctionEntry{"levenshtein", 2, 2, BindLevenshtein},
    FunctionEntry{"contains_tokens", 2, 2, BindContainsTokens},
};

}  // namespace

std::span<const FunctionEntry> TextFunctions() { return kFunctions; }

}  // namespace tusk::expr
