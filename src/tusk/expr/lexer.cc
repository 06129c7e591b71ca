#include "tusk/expr/lexer.h"

#include <array>
#include <optional>
#include <utility>

namespace tusk::expr {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Bytes of other alphabets count as letters.
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::optional<int> HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    // A long text is a long list.
    constexpr size_t kLettersOfToken = 4;
    tokens_.reserve(text_.size() / kLettersOfToken + 1);
    while (true) {
      ARROW_RETURN_NOT_OK(SkipSpace());
      begin_ = at_;
      if (at_ == text_.size()) break;
      ARROW_RETURN_NOT_OK(Next());
    }
    Add(Token::Kind::kEnd, {});
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Status Error(std::string_view message) const { return ErrorAt(text_, {begin_, at_}, message); }
  void Add(Token::Kind kind, std::string text, bool in_double_quotes = false) {
    tokens_.push_back({.kind = kind,
                       .span = {begin_, at_},
                       .text = std::move(text),
                       .in_double_quotes = in_double_quotes});
  }

  Status SkipSpace() {
    while (at_ < text_.size()) {
      const char c = Peek();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        ++at_;
      } else if (c == '-' && Peek(1) == '-') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '/' && Peek(1) == '*') {
        begin_ = at_;
        const size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) {
          at_ = text_.size();
          return Error("this comment does not end");
        }
        at_ = end + 2;
      } else {
        break;
      }
    }
    return Status::OK();
  }

  Status Next() {
    const char c = Peek();
    if (c == '\'') return AddQuoted(Token::Kind::kText);
    if (c == '"') return AddQuoted(Token::Kind::kText);
    if (c == '`') return AddQuoted(Token::Kind::kQuotedName);
    if ((c == 'X' || c == 'x') && Peek(1) == '\'') return AddBytes();
    if (c == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) return AddHexNumber();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)) && !FollowsValue())) return AddNumber();
    if (IsLetter(c)) {
      while (IsLetter(Peek()) || IsDigit(Peek()) || Peek() == '$') ++at_;
      Add(Token::Kind::kWord, std::string(text_.substr(begin_, at_ - begin_)));
      return Status::OK();
    }
    return AddSymbol();
  }

  /// Whether a dot here would reach into a value.
  bool FollowsValue() const {
    if (tokens_.empty()) return false;
    const Token& last = tokens_.back();
    return last.kind == Token::Kind::kWord || last.kind == Token::Kind::kQuotedName ||
           (last.kind == Token::Kind::kSymbol && (last.text == ")" || last.text == "]"));
  }

  /// What stands between two of the quote that is here; two in a row stand for one.
  Result<std::string> TakeQuoted() {
    const char quote = Peek();
    ++at_;
    std::string value;
    while (at_ < text_.size()) {
      if (Peek() == quote) {
        if (Peek(1) != quote) {
          ++at_;
          return value;
        }
        ++at_;
      }
      value += Peek();
      ++at_;
    }
    return Error(std::string("the quote ") + quote + " is not closed");
  }

  Status AddQuoted(Token::Kind kind) {
    const bool in_double_quotes = Peek() == '"';
    ARROW_ASSIGN_OR_RAISE(std::string value, TakeQuoted());
    if (kind == Token::Kind::kQuotedName && value.empty()) return Error("a name cannot be empty");
    Add(kind, std::move(value), in_double_quotes);
    return Status::OK();
  }

  Status AddBytesOf(std::string_view digits) {
    if (digits.size() % 2 != 0) return Error("bytes need two hexadecimal digits each");
    std::string bytes;
    bytes.reserve(digits.size() / 2);
    for (size_t i = 0; i < digits.size(); i += 2) {
      const auto high = HexDigit(digits[i]);
      const auto low = HexDigit(digits[i + 1]);
      if (!high || !low) return Error("only hexadecimal digits make bytes");
      bytes += static_cast<char>(*high * 16 + *low);
    }
    Add(Token::Kind::kBytes, std::move(bytes));
    return Status::OK();
  }

  Status AddBytes() {
    ++at_;
    ARROW_ASSIGN_OR_RAISE(const std::string digits, TakeQuoted());
    return AddBytesOf(digits);
  }

  Status AddHexNumber() {
    at_ += 2;
    while (HexDigit(Peek())) ++at_;
    if (at_ == begin_ + 2) return Error("no hexadecimal digits follow");
    return AddBytesOf(text_.substr(begin_ + 2, at_ - begin_ - 2));
  }

  Status AddNumber() {
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') {
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if (Peek() == 'e' || Peek() == 'E') {
      const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
      if (IsDigit(Peek(1 + sign))) {
        at_ += 1 + sign;
        while (IsDigit(Peek())) ++at_;
      }
    }
    if (IsLetter(Peek())) {
      while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
      return Error(
          "this is neither a number nor a name (a name that begins with a digit stands in "
          "backticks)");
    }
    Add(Token::Kind::kNumber, std::string(text_.substr(begin_, at_ - begin_)));
    return Status::OK();
  }

  Status AddSymbol() {
    static constexpr std::string_view kBrackets = ",()[]";
    if (kBrackets.find(Peek()) != std::string_view::npos) {
      ++at_;
      Add(Token::Kind::kSymbol, std::string(text_.substr(begin_, 1)));
      return Status::OK();
    }
    static constexpr std::array<std::string_view, 20> kSymbols = {
        "<=>", "<>", "<=", ">=", "!=", "==", "<<", ">>", "||", "::",
        "&&",  ".",  "=",  "<",  ">",  "+",  "-",  "*",  "/",  "%"};
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(at_).starts_with(symbol)) {
        at_ += symbol.size();
        Add(Token::Kind::kSymbol, std::string(symbol));
        return Status::OK();
      }
    }
    static constexpr std::string_view kOthers = ";&|^~!?:@#$";
    const bool is_known = kOthers.find(Peek()) != std::string_view::npos;
    ++at_;
    if (!is_known) return Error("no expression has this character");
    Add(Token::Kind::kSymbol, std::string(text_.substr(begin_, 1)));
    return Status::OK();
  }

  const std::string_view text_;
  size_t at_ = 0;
  size_t begin_ = 0;  ///< of the token that is read
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text) { return Lexer(text).Run(); }

}  // namespace tusk::expr
