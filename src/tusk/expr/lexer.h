#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/expr/source_text.h"

namespace tusk::expr {

/// The smallest part of an expression's text that means something.
struct Token {
  enum class Kind {
    kWord,        ///< a key word or a name
    kQuotedName,  ///< `in backticks`; `text` without them
    kText,        ///< 'in quotes', or "in double quotes", which is the same here; `text` without
    kBytes,       ///< X'00ff' or 0x00ff; `text` has the bytes
    kNumber,
    kSymbol,  ///< an operator, a bracket, a comma, a dot
    kEnd,     ///< behind the last
  };
  Kind kind = Kind::kEnd;
  Span span;
  std::string text;
  bool in_double_quotes = false;  ///< kText only
};

/// Cuts `text` into tokens, of which the last is kEnd; white space and comments are left out.
/// InvalidArgument, with the place, for what no token begins with and for what does not end.
Result<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace tusk::expr
