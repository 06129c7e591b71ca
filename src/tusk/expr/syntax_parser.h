#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/lexer.h"
#include "tusk/expr/source_text.h"
#include "tusk/expr/syntax.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {

using SyntaxPtr = std::unique_ptr<Syntax>;
using Parts = std::vector<SyntaxPtr>;

/// Makes the tree of an expression, from its tokens, by precedence climbing. Errors name the place.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  /// The whole text as one expression.
  Result<SyntaxPtr> Run();

 private:
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
                         std::string text = {}) const;
  Status TooDeep(Span at) const;
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

}  // namespace tusk::expr
