#include "tusk/expr/parser.h"

#include <algorithm>
#include <utility>

#include "tusk/expr/syntax_parser.h"

namespace tusk::expr {
namespace {

/// How deep the parser may call itself: a part of an expression takes two calls at the most.
constexpr int kDeepestCall = 2 * kDeepestSyntax;

}  // namespace

Result<SyntaxPtr> Parser::Run() {
  if (Is(Token::Kind::kEnd)) return ErrorAt(text_, Here().span, "there is no expression");
  ARROW_ASSIGN_OR_RAISE(SyntaxPtr whole, ParseExpression(kAnything));
  if (IsSymbol(";")) ++at_;
  if (!Is(Token::Kind::kEnd)) {
    return Unexpected("the expression is complete before this");
  }
  return whole;
}

Result<SyntaxPtr> Parser::Make(SyntaxKind kind, size_t begin, Parts children,
                               std::string text) const {
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

Status Parser::TooDeep(Span at) const {
  return ErrorAt(
      text_, at,
      "the expression is nested more than " + std::to_string(kDeepestSyntax) + " levels deep");
}

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

Result<SyntaxPtr> Parse(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(auto tokens, Tokenize(text));
  return Parser(text, std::move(tokens)).Run();
}

}  // namespace tusk::expr
