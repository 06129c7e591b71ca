#include "tusk/expr/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/interval.h"
#include "tusk/expr/lexer.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

using SyntaxPtr = std::unique_ptr<Syntax>;
using Parts = std::vector<SyntaxPtr>;

/// How tightly operators bind; the numbers are those of pylance's parser.
enum Precedence {
  kAnything = 0,
  kOr = 5,
  kAnd = 10,
  kNot = 15,
  kIs = 17,
  kLike = 19,
  kComparison = 20,
  kShift = 22,
  kSum = 30,
  kProduct = 40,
};

/// How deep the parser may call itself: a part of an expression takes two calls at the most.
constexpr int kDeepestCall = 2 * kDeepestSyntax;

/// Words that no expression begins with unless in backticks.
constexpr std::array<std::string_view, 20> kReserved = {
    "and", "as", "between", "distinct", "else", "end",  "escape", "for",   "from",  "ilike",
    "in",  "is", "like",    "or",       "then", "when", "where",  "group", "limit", "having"};

/// Functions that SQL calls without parentheses.
constexpr std::array<std::string_view, 3> kBareCalls = {"current_date", "current_timestamp",
                                                        "current_time"};

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<SyntaxPtr> Run() {
    if (Is(Token::Kind::kEnd)) return ErrorAt(text_, Here().span, "there is no expression");
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr whole, ParseExpression(kAnything));
    if (IsSymbol(";")) ++at_;
    if (!Is(Token::Kind::kEnd)) {
      return Unexpected("the expression is complete before this");
    }
    return whole;
  }

 private:
  // The tokens.
  const Token& Here() const { return tokens_[at_]; }
  const Token& Ahead(size_t count) const {
    return tokens_[std::min(at_ + count, tokens_.size() - 1)];
  }
  bool Is(Token::Kind kind) const { return Here().kind == kind; }
  static bool IsSymbol(const Token& token, std::string_view symbol) {
    return token.kind == Token::Kind::kSymbol && token.text == symbol;
  }
  static bool IsWord(const Token& token, std::string_view word) {
    return token.kind == Token::Kind::kWord && EqualInAnyCase(token.text, word);
  }
  bool IsSymbol(std::string_view symbol) const { return IsSymbol(Here(), symbol); }
  bool IsWord(std::string_view word) const { return IsWord(Here(), word); }
  bool TakeSymbol(std::string_view symbol) {
    if (!IsSymbol(symbol)) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!IsWord(word)) return false;
    ++at_;
    return true;
  }
  Status ExpectSymbol(std::string_view symbol) {
    if (TakeSymbol(symbol)) return Status::OK();
    return Unexpected("'" + std::string(symbol) + "' is expected here");
  }
  Status ExpectWord(std::string_view word) {
    if (TakeWord(word)) return Status::OK();
    return Unexpected(std::string(word) + " is expected here");
  }
  Status Unexpected(std::string_view message) const { return ErrorAt(text_, Here().span, message); }
  size_t EndOfLast() const { return at_ == 0 ? 0 : tokens_[at_ - 1].span.end; }

  // The tree.
  Result<SyntaxPtr> Make(SyntaxKind kind, size_t begin, Parts children = {},
                         std::string text = {}) const {
    auto syntax = std::make_unique<Syntax>();
    syntax->kind = kind;
    syntax->span = {begin, EndOfLast()};
    syntax->text = std::move(text);
    for (const SyntaxPtr& child : children) {
      syntax->depth = std::max(syntax->depth, child->depth + 1);
    }
    syntax->children = std::move(children);
    if (syntax->depth > kDeepestSyntax) return TooDeep(syntax->span);
    return syntax;
  }
  Status TooDeep(Span at) const {
    return ErrorAt(
        text_, at,
        "the expression is nested more than " + std::to_string(kDeepestSyntax) + " levels deep");
  }
  template <typename... Children>
  static Parts PartsOf(Children... children) {
    Parts parts;
    (parts.push_back(std::move(children)), ...);
    return parts;
  }

  Result<SyntaxPtr> ParseExpression(int above);
  Result<SyntaxPtr> ParsePrefix();
  Result<SyntaxPtr> ParseOperand();
  Result<SyntaxPtr> ParsePostfix(SyntaxPtr operand);
  int NextPrecedence() const;
  Result<SyntaxPtr> ParseInfix(SyntaxPtr left, int precedence);
  Result<SyntaxPtr> ParseChain(SyntaxPtr left, SyntaxKind kind, std::string_view word,
                               int precedence);
  Result<SyntaxPtr> ParseIs(SyntaxPtr left);
  Result<SyntaxPtr> ParseIn(SyntaxPtr left, bool is_negated);
  Result<SyntaxPtr> ParseBetween(SyntaxPtr left, bool is_negated);
  Result<SyntaxPtr> ParseLike(SyntaxPtr left, bool is_negated);
  Result<SyntaxPtr> ParseWordOperand();
  Result<SyntaxPtr> ParseLiteral(SyntaxKind kind);
  Result<SyntaxPtr> ParseTypedLiteral();
  bool BeginsTypedLiteral() const;
  Result<SyntaxPtr> ParseInterval();
  Result<SyntaxPtr> ParseCase();
  Result<SyntaxPtr> ParseCast(bool is_try);
  Result<SyntaxPtr> ParseCall();
  Result<SyntaxPtr> ParseExtract(size_t begin);
  Result<SyntaxPtr> ParseSubstring(size_t begin);
  Result<SyntaxPtr> ParseTrim(size_t begin);
  Result<SyntaxPtr> ParsePosition(size_t begin);
  Result<SyntaxPtr> ParseOverlay(size_t begin);
  Result<Parts> ParseList(std::string_view close);
  Result<std::shared_ptr<arrow::DataType>> ParseType();
  Result<std::vector<int>> ParseTypeParameters();

  const std::string_view text_;
  const std::vector<Token> tokens_;
  size_t at_ = 0;
  int calls_ = 0;
};

Result<SyntaxPtr> Parser::ParseExpression(int above) {
  struct Guard {
    int* calls;
    explicit Guard(int* count) : calls(count) { ++*calls; }
    ~Guard() { --*calls; }
  } guard(&calls_);
  if (calls_ > kDeepestCall) return TooDeep(Here().span);
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr left, ParsePrefix());
  while (true) {
    const int precedence = NextPrecedence();
    if (precedence <= above) return left;
    ARROW_ASSIGN_OR_RAISE(left, ParseInfix(std::move(left), precedence));
  }
}

Result<SyntaxPtr> Parser::ParsePrefix() {
  const size_t begin = Here().span.begin;
  if (TakeWord("not")) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr operand, ParseExpression(kNot));
    return Make(SyntaxKind::kNot, begin, PartsOf(std::move(operand)));
  }
  if (TakeSymbol("-")) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr operand, ParseExpression(kProduct));
    if (operand->kind != SyntaxKind::kNumber) {
      return Make(SyntaxKind::kNegate, begin, PartsOf(std::move(operand)));
    }
    std::string& digits = operand->text;
    digits = digits.starts_with('-') ? digits.substr(1) : "-" + digits;
    operand->span.begin = begin;
    return operand;
  }
  if (TakeSymbol("+")) return ParseExpression(kProduct);
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr operand, ParseOperand());
  return ParsePostfix(std::move(operand));
}

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

Result<SyntaxPtr> Parser::ParsePostfix(SyntaxPtr operand) {
  const size_t begin = operand->span.begin;
  while (true) {
    if (IsSymbol(".")) {
      ++at_;
      if (!Is(Token::Kind::kWord) && !Is(Token::Kind::kQuotedName)) {
        return Unexpected("the name of a field is expected behind the dot");
      }
      std::string name = Here().text;
      ++at_;
      ARROW_ASSIGN_OR_RAISE(
          operand, Make(SyntaxKind::kMember, begin, PartsOf(std::move(operand)), std::move(name)));
    } else if (TakeSymbol("[")) {
      ARROW_ASSIGN_OR_RAISE(SyntaxPtr index, ParseExpression(kAnything));
      if (IsSymbol(":")) return Unexpected("slices of lists are not supported");
      ARROW_RETURN_NOT_OK(ExpectSymbol("]"));
      ARROW_ASSIGN_OR_RAISE(operand, Make(SyntaxKind::kSubscript, begin,
                                          PartsOf(std::move(operand), std::move(index))));
    } else if (TakeSymbol("::")) {
      ARROW_ASSIGN_OR_RAISE(auto type, ParseType());
      ARROW_ASSIGN_OR_RAISE(operand, Make(SyntaxKind::kCast, begin, PartsOf(std::move(operand))));
      operand->type = std::move(type);
    } else {
      return operand;
    }
  }
}

int Parser::NextPrecedence() const {
  const Token& token = Here();
  if (token.kind == Token::Kind::kSymbol) {
    for (const std::string_view symbol : {"=", "==", "<>", "!=", "<", "<=", ">", ">="}) {
      if (token.text == symbol) return kComparison;
    }
    if (token.text == "<<" || token.text == ">>") return kShift;
    if (token.text == "+" || token.text == "-") return kSum;
    for (const std::string_view symbol : {"*", "/", "%", "||"}) {
      if (token.text == symbol) return kProduct;
    }
    return kAnything;
  }
  if (token.kind != Token::Kind::kWord) return kAnything;
  if (IsWord("or")) return kOr;
  if (IsWord("and")) return kAnd;
  if (IsWord("is") || IsWord("isnull") || IsWord("notnull")) return kIs;
  const Token& word = IsWord("not") ? Ahead(1) : token;
  if (IsWord(word, "like") || IsWord(word, "ilike")) return kLike;
  if (IsWord(word, "in") || IsWord(word, "between")) return kComparison;
  if (IsWord("not") && IsWord(word, "null")) return kIs;
  return kAnything;
}

Result<SyntaxPtr> Parser::ParseInfix(SyntaxPtr left, int precedence) {
  const size_t begin = left->span.begin;
  if (IsWord("or")) return ParseChain(std::move(left), SyntaxKind::kOr, "or", kOr);
  if (IsWord("and")) return ParseChain(std::move(left), SyntaxKind::kAnd, "and", kAnd);
  if (precedence == kIs) return ParseIs(std::move(left));
  const bool is_negated = TakeWord("not");
  if (IsWord("like") || IsWord("ilike")) return ParseLike(std::move(left), is_negated);
  if (TakeWord("in")) return ParseIn(std::move(left), is_negated);
  if (TakeWord("between")) return ParseBetween(std::move(left), is_negated);

  std::string symbol = Here().text;
  ++at_;
  if (symbol == "==") symbol = "=";
  if (symbol == "!=") symbol = "<>";
  if (precedence == kComparison && (IsWord("any") || IsWord("all") || IsWord("some")) &&
      IsSymbol(Ahead(1), "(")) {
    return Unexpected("comparisons with ANY and ALL are not supported: use IN or array_has");
  }
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr right, ParseExpression(precedence));
  const SyntaxKind kind = precedence == kComparison ? SyntaxKind::kCompare : SyntaxKind::kBinary;
  return Make(kind, begin, PartsOf(std::move(left), std::move(right)), std::move(symbol));
}

Result<SyntaxPtr> Parser::ParseChain(SyntaxPtr left, SyntaxKind kind, std::string_view word,
                                     int precedence) {
  const size_t begin = left->span.begin;
  Parts terms = PartsOf(std::move(left));
  while (TakeWord(word)) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr term, ParseExpression(precedence));
    terms.push_back(std::move(term));
  }
  return Make(kind, begin, std::move(terms));
}

Result<SyntaxPtr> Parser::ParseIs(SyntaxPtr left) {
  const size_t begin = left->span.begin;
  bool is_negated = false;
  SyntaxKind kind = SyntaxKind::kIsNull;
  if (TakeWord("not")) {
    ARROW_RETURN_NOT_OK(ExpectWord("null"));
    is_negated = true;
  } else if (TakeWord("notnull")) {
    is_negated = true;
  } else if (!TakeWord("isnull")) {
    ARROW_RETURN_NOT_OK(ExpectWord("is"));
    is_negated = TakeWord("not");
    if (TakeWord("distinct")) {
      ARROW_RETURN_NOT_OK(ExpectWord("from"));
      ARROW_ASSIGN_OR_RAISE(SyntaxPtr right, ParseExpression(kIs));
      ARROW_ASSIGN_OR_RAISE(SyntaxPtr distinct, Make(SyntaxKind::kDistinct, begin,
                                                     PartsOf(std::move(left), std::move(right))));
      distinct->is_negated = is_negated;
      return distinct;
    }
    if (TakeWord("true")) {
      kind = SyntaxKind::kIsTrue;
    } else if (TakeWord("false")) {
      kind = SyntaxKind::kIsFalse;
    } else if (!TakeWord("null") && !TakeWord("unknown")) {
      return Unexpected(
          "behind IS stands NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, maybe after NOT");
    }
  }
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr test, Make(kind, begin, PartsOf(std::move(left))));
  test->is_negated = is_negated;
  return test;
}

Result<SyntaxPtr> Parser::ParseIn(SyntaxPtr left, bool is_negated) {
  const size_t begin = left->span.begin;
  Parts parts = PartsOf(std::move(left));
  const bool is_bracket = IsSymbol("[");
  if (!is_bracket && !IsSymbol("(")) return Unexpected("a list (1, 2) or [1, 2] is expected here");
  ++at_;
  if (IsWord("select") || IsWord("with")) return Unexpected("subqueries are not supported");
  ARROW_ASSIGN_OR_RAISE(Parts items, ParseList(is_bracket ? "]" : ")"));
  if (items.empty()) {
    return ErrorAt(text_, {begin, EndOfLast()}, "IN needs at least one value in its list");
  }
  std::ranges::move(items, std::back_inserter(parts));
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr in, Make(SyntaxKind::kIn, begin, std::move(parts)));
  in->is_negated = is_negated;
  return in;
}

Result<SyntaxPtr> Parser::ParseBetween(SyntaxPtr left, bool is_negated) {
  const size_t begin = left->span.begin;
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr low, ParseExpression(kComparison));
  ARROW_RETURN_NOT_OK(ExpectWord("and"));
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr high, ParseExpression(kComparison));
  ARROW_ASSIGN_OR_RAISE(
      SyntaxPtr between,
      Make(SyntaxKind::kBetween, begin, PartsOf(std::move(left), std::move(low), std::move(high))));
  between->is_negated = is_negated;
  return between;
}

Result<SyntaxPtr> Parser::ParseLike(SyntaxPtr left, bool is_negated) {
  const size_t begin = left->span.begin;
  const bool ignores_case = IsWord("ilike");
  ++at_;
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr pattern, ParseExpression(kLike));
  std::string escape = "\\";
  if (TakeWord("escape")) {
    if (!Is(Token::Kind::kText)) return Unexpected("ESCAPE takes one character in quotes");
    escape = Here().text;
    ++at_;
  }
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr like,
                        Make(SyntaxKind::kLike, begin, PartsOf(std::move(left), std::move(pattern)),
                             std::move(escape)));
  like->is_negated = is_negated;
  like->ignores_case = ignores_case;
  return like;
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

Result<SyntaxPtr> Parser::ParseCall() {
  const size_t begin = Here().span.begin;
  std::string name = ToLowerAscii(Here().text);
  at_ += 2;
  if (name == "extract") return ParseExtract(begin);
  if (name == "substring" || name == "substr") return ParseSubstring(begin);
  if (name == "trim") return ParseTrim(begin);
  if (name == "position") return ParsePosition(begin);
  if (name == "overlay") return ParseOverlay(begin);
  ARROW_ASSIGN_OR_RAISE(Parts arguments, ParseList(")"));
  return Make(SyntaxKind::kCall, begin, std::move(arguments), std::move(name));
}

Result<SyntaxPtr> Parser::ParseExtract(size_t begin) {
  const Token& field = Here();
  if (field.kind != Token::Kind::kWord && field.kind != Token::Kind::kText) {
    return Unexpected("the part to extract is expected here, such as YEAR");
  }
  ++at_;
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr part, Make(SyntaxKind::kText, field.span.begin, {}, field.text));
  ARROW_RETURN_NOT_OK(ExpectWord("from"));
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr from, ParseExpression(kAnything));
  ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  return Make(SyntaxKind::kCall, begin, PartsOf(std::move(part), std::move(from)), "date_part");
}

Result<SyntaxPtr> Parser::ParseSubstring(size_t begin) {
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr text, ParseExpression(kAnything));
  Parts parts = PartsOf(std::move(text));
  if (IsWord("from") || IsWord("for")) {
    SyntaxPtr from;
    if (TakeWord("from")) {
      ARROW_ASSIGN_OR_RAISE(from, ParseExpression(kAnything));
    } else {
      ARROW_ASSIGN_OR_RAISE(from, Make(SyntaxKind::kNumber, Here().span.begin, {}, "1"));
    }
    parts.push_back(std::move(from));
    if (TakeWord("for")) {
      ARROW_ASSIGN_OR_RAISE(SyntaxPtr length, ParseExpression(kAnything));
      parts.push_back(std::move(length));
    }
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  } else if (!TakeSymbol(")")) {
    ARROW_RETURN_NOT_OK(ExpectSymbol(","));
    ARROW_ASSIGN_OR_RAISE(Parts others, ParseList(")"));
    std::ranges::move(others, std::back_inserter(parts));
  }
  return Make(SyntaxKind::kCall, begin, std::move(parts), "substr");
}

Result<SyntaxPtr> Parser::ParseTrim(size_t begin) {
  std::string name = "btrim";
  if (TakeWord("leading")) {
    name = "ltrim";
  } else if (TakeWord("trailing")) {
    name = "rtrim";
  } else {
    TakeWord("both");
  }
  SyntaxPtr characters;
  if (!IsWord("from")) {
    ARROW_ASSIGN_OR_RAISE(characters, ParseExpression(kAnything));
  }
  Parts parts;
  if (TakeWord("from")) {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr text, ParseExpression(kAnything));
    parts.push_back(std::move(text));
    if (characters != nullptr) parts.push_back(std::move(characters));
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  } else {
    parts.push_back(std::move(characters));
    if (!TakeSymbol(")")) {
      ARROW_RETURN_NOT_OK(ExpectSymbol(","));
      ARROW_ASSIGN_OR_RAISE(Parts others, ParseList(")"));
      std::ranges::move(others, std::back_inserter(parts));
    }
  }
  return Make(SyntaxKind::kCall, begin, std::move(parts), std::move(name));
}

Result<SyntaxPtr> Parser::ParsePosition(size_t begin) {
  // What is searched for stands in front of IN, which binds less tightly than what is above it.
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr part, ParseExpression(kComparison));
  if (TakeSymbol(",")) {
    // position(text, part) is another name of strpos.
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr second, ParseExpression(kAnything));
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    return Make(SyntaxKind::kCall, begin, PartsOf(std::move(part), std::move(second)), "strpos");
  }
  ARROW_RETURN_NOT_OK(ExpectWord("in"));
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr text, ParseExpression(kAnything));
  ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  return Make(SyntaxKind::kCall, begin, PartsOf(std::move(text), std::move(part)), "strpos");
}

Result<SyntaxPtr> Parser::ParseOverlay(size_t begin) {
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr text, ParseExpression(kAnything));
  Parts parts = PartsOf(std::move(text));
  if (!TakeWord("placing")) {
    ARROW_RETURN_NOT_OK(ExpectSymbol(","));
    ARROW_ASSIGN_OR_RAISE(Parts others, ParseList(")"));
    std::ranges::move(others, std::back_inserter(parts));
    return Make(SyntaxKind::kCall, begin, std::move(parts), "overlay");
  }
  ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), ParseExpression(kAnything));
  ARROW_RETURN_NOT_OK(ExpectWord("from"));
  ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), ParseExpression(kAnything));
  if (TakeWord("for")) {
    ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), ParseExpression(kAnything));
  }
  ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
  return Make(SyntaxKind::kCall, begin, std::move(parts), "overlay");
}

/// Expressions up to `close`, which is taken too.
Result<Parts> Parser::ParseList(std::string_view close) {
  Parts items;
  if (TakeSymbol(close)) return items;
  do {
    ARROW_ASSIGN_OR_RAISE(SyntaxPtr item, ParseExpression(kAnything));
    items.push_back(std::move(item));
  } while (TakeSymbol(","));
  ARROW_RETURN_NOT_OK(ExpectSymbol(close));
  return items;
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

}  // namespace

Result<SyntaxPtr> Parse(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(auto tokens, Tokenize(text));
  return Parser(text, std::move(tokens)).Run();
}

}  // namespace tusk::expr
