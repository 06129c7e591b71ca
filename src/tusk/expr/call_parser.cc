// Calls, some of which SQL has words in: EXTRACT(YEAR FROM x), TRIM(LEADING 'a' FROM x).
#include <algorithm>
#include <iterator>
#include <utility>

#include "tusk/expr/syntax_parser.h"

namespace tusk::expr {

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

}  // namespace tusk::expr
