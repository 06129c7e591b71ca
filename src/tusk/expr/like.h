#pragma once

#include <string>
#include <string_view>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"

namespace tusk::expr {

struct LikeOptions {
  std::string escape = "\\";  ///< the character that makes the next one stand for itself
  bool ignores_case = false;
};

/// text LIKE pattern: `%` stands for any characters, `_` for one. InvalidArgument, with the place,
/// if the escape is not one ASCII character or the pattern ends in it.
Result<NodePtr> MakeLike(const Binder& binder, Span span, const NodePtr& text,
                         const NodePtr& pattern, const LikeOptions& options);

/// Whether `text` is what `pattern` says; both UTF-8. The time is at most the product of their
/// lengths.
bool IsLike(std::string_view text, std::string_view pattern, char escape);

}  // namespace tusk::expr
