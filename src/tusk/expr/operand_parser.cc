// What stands between operators: names, literals, CASE, casts and types.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/interval.h"
#include "tusk/expr/syntax_parser.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

/// Words that no expression begins with unless in backticks.
constexpr std::array<std::string_view, 20> kReserved = {
    "and", "as", "between", "distinct", "else", "end",  "escape", "for",   "from",  "ilike",
    "in",  "is", "like",    "or",       "then", "when", "where",  "group", "limit", "having"};

/// Functions that SQL calls without parentheses.
constexpr std::array<std::string_view, 3> kBareCalls = {"current_date", "current_timestamp",
                                                        "current_time"};

}  // namespace

Result<SyntaxPtr> Parser::ParseOperand() {
  const size_t begin = Here().span.begin;
  switch (Here().kind) {
    case Token::Kind::kNumber:
      return ParseLiteral(SyntaxKind::kNumber);
    case Token::Kind::kText:
      return ParseLiteral(SyntaxKind::kText);
    case Token::Kind::kBytes:
      return ParseLiteral(SyntaxKind::kBytes);
    case Token::Kind::kQuotedName: {
      std::string name = Here().text;
      ++at_;
      ARROW_ASSIGN_OR_RAISE(SyntaxPtr syntax, Make(SyntaxKind::kName, begin, {}, std::move(name)));
      syntax->is_quoted = true;
      return syntax;
    }
    case Token::Kind::kWord:
      return ParseWordOperand();
    case Token::Kind::kEnd:
      return Unexpected("an expression is expected here");
    case Token::Kind::kSymbol:
      break;
  }
  if (TakeSymbol("(")) {
    if (IsWord("select") || IsWord("with")) return Unexpected("subqueries are not supported");
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr inner, ParseExpression(kAnything));
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    return inner;
  }
  if (TakeSymbol("[")) {
    ARROW_ASSIGN_OR_RAISE(Parts items, ParseList("]"));
    return Make(SyntaxKind::kList, begin, std::move(items));
  }
  for (const std::string_view symbol : {"?", "$", ":", "@"}) {
    if (IsSymbol(symbol)) {
      return Unexpected("placeholders for parameters are not supported: write the value itself");
    }
  }
  return Unexpected("an expression is expected here");
}

Result<SyntaxPtr> Parser::ParseLiteral(SyntaxKind kind) {
  const Token& token = Here();
  ++at_;
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr literal, Make(kind, token.span.begin, {}, token.text));
  literal->is_quoted = token.in_double_quotes;
  return literal;
}

Result<SyntaxPtr> Parser::ParseWordOperand() {
  const size_t begin = Here().span.begin;
  if (IsSymbol(Ahead(1), "(")) {
    if (IsWord("cast")) return ParseCast(/*is_try=*/false);
    if (IsWord("try_cast")) return ParseCast(/*is_try=*/true);
    if (IsWord("exists")) return Unexpected("subqueries are not supported");
  }
  if (BeginsTypedLiteral()) return ParseTypedLiteral();
  if (IsSymbol(Ahead(1), "(")) return ParseCall();
  if (IsWord("interval") &&
      (Ahead(1).kind == Token::Kind::kText || Ahead(1).kind == Token::Kind::kNumber)) {
    return ParseInterval();
  }
  // A word with a dot behind it is a column, whatever the word is.
  if (!IsSymbol(Ahead(1), ".")) {
    if (IsWord("case")) return ParseCase();
    if (TakeWord("null")) return Make(SyntaxKind::kNull, begin);
    if (TakeWord("true")) return Make(SyntaxKind::kTrue, begin);
    if (TakeWord("false")) return Make(SyntaxKind::kFalse, begin);
    const std::string lower = ToLowerAscii(Here().text);
    if (std::ranges::find(kReserved, lower) != kReserved.end()) {
      return Unexpected(
          "an expression is expected here (a column of this name stands in "
          "backticks)");
    }
    if (std::ranges::find(kBareCalls, lower) != kBareCalls.end()) {
      ++at_;
      return Make(SyntaxKind::kCall, begin, {}, lower);
    }
  }
  std::string name = Here().text;
  ++at_;
  return Make(SyntaxKind::kName, begin, {}, std::move(name));
}

bool Parser::BeginsTypedLiteral() const {
  static constexpr std::array<std::string_view, 6> kWords = {"date",     "time",    "timestamp",
                                                             "datetime", "decimal", "numeric"};
  if (std::ranges::none_of(kWords, [this](std::string_view word) { return IsWord(word); })) {
    return false;
  }
  size_t ahead = 1;
  if (IsSymbol(Ahead(ahead), "(")) {
    while (Ahead(ahead).kind == Token::Kind::kNumber || IsSymbol(Ahead(ahead), "(") ||
           IsSymbol(Ahead(ahead), ",")) {
      ++ahead;
    }
    if (!IsSymbol(Ahead(ahead), ")")) return false;
    ++ahead;
  }
  return Ahead(ahead).kind == Token::Kind::kText;
}

Result<SyntaxPtr> Parser::ParseTypedLiteral() {
  const size_t begin = Here().span.begin;
  ARROW_ASSIGN_OR_RAISE(auto type, ParseType());
  SyntaxKind kind = SyntaxKind::kDecimal;
  int precision = 6;
  if (type->id() == arrow::Type::DATE32) {
    kind = SyntaxKind::kDate;
  } else if (type->id() == arrow::Type::TIMESTAMP) {
    kind = SyntaxKind::kTimestamp;
    precision = 3 * static_cast<int>(static_cast<const arrow::TimestampType&>(*type).unit());
  } else if (arrow::is_time(type->id())) {
    kind = SyntaxKind::kTime;
  }
  if (!Is(Token::Kind::kText)) return Unexpected("the text of a literal is expected here");
  std::string text = Here().text;
  ++at_;
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr literal, Make(kind, begin, {}, std::move(text)));
  literal->type = std::move(type);
  literal->precision = precision;
  return literal;
}

Result<SyntaxPtr> Parser::ParseInterval() {
  const size_t begin = Here().span.begin;
  ++at_;
  std::string text = Here().text;
  ++at_;
  if (Is(Token::Kind::kWord) && NameOfUnit(Here().text)) {
    text += " " + Here().text;
    ++at_;
  }
  return Make(SyntaxKind::kInterval, begin, {}, std::move(text));
}

Result<SyntaxPtr> Parser::ParseCase() {
  const size_t begin = Here().span.begin;
  ++at_;
  Parts parts;
  const bool has_operand = !IsWord("when");
  if (has_operand) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr operand, ParseExpression(kAnything));
    parts.push_back(std::move(operand));
  }
  if (!IsWord("when")) return Unexpected("WHEN is expected here");
  while (TakeWord("when")) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr when, ParseExpression(kAnything));
    ARROW_RETURN_NOT_OK(ExpectWord("then"));
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr then, ParseExpression(kAnything));
    parts.push_back(std::move(when));
    parts.push_back(std::move(then));
  }
  const bool has_else = TakeWord("else");
  if (has_else) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr otherwise, ParseExpression(kAnything));
    parts.push_back(std::move(otherwise));
  }
  ARROW_RETURN_NOT_OK(ExpectWord("end"));
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr result, Make(SyntaxKind::kCase, begin, std::move(parts)));
  result->has_operand = has_operand;
  result->has_else = has_else;
  return result;
}

Result<SyntaxPtr> Parser::ParseCast(bool is_try) {
  const size_t begin = Here().span.begin;
  at_ += 2;
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr operand, ParseExpression(kAnything));
  ARROW_RETURN_NOT_OK(ExpectWord("as"));
  ARROW_ASSIGN_OR_RAISE(auto type, ParseType());
  ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr cast,
                        Make(SyntaxKind::kCast, begin, PartsOf(std::move(operand))));
  cast->type = std::move(type);
  cast->is_try = is_try;
  return cast;
}

Result<std::shared_ptr<arrow::DataType>> Parser::ParseType() {
  if (!Is(Token::Kind::kWord)) return Unexpected("the name of a type is expected here");
  const size_t begin = Here().span.begin;
  const std::string name = ToLowerAscii(Here().text);
  ++at_;
  if (name == "double") TakeWord("precision");
  ARROW_ASSIGN_OR_RAISE(const std::vector<int> parameters, ParseTypeParameters());
  const bool is_unsigned = TakeWord("unsigned");
  if (name == "timestamp" && (IsWord("with") || IsWord("without")) && IsWord(Ahead(1), "time")) {
    if (IsWord("with")) return Unexpected("timestamps with a time zone are not supported here");
    ++at_;
    ARROW_RETURN_NOT_OK(ExpectWord("time"));
    ARROW_RETURN_NOT_OK(ExpectWord("zone"));
  }
  auto type = TypeOfName(name, is_unsigned, parameters);
  if (!type.ok()) return ErrorAt(text_, {begin, EndOfLast()}, type.status().message());
  return type;
}

Result<std::vector<int>> Parser::ParseTypeParameters() {
  std::vector<int> parameters;
  if (!TakeSymbol("(")) return parameters;
  do {
    int value = 0;
    const std::string& digits = Here().text;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!Is(Token::Kind::kNumber) || error != std::errc() || end != digits.data() + digits.size()) {
      return Unexpected("a whole number is expected here");
    }
    parameters.push_back(value);
    ++at_;
  } while (TakeSymbol(","));
  ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  return parameters;
}

}  // namespace tusk::expr
