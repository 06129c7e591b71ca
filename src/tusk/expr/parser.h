#pragma once

#include <memory>
#include <string_view>

#include "tusk/base/result.h"
#include "tusk/expr/syntax.h"

namespace tusk::expr {

/// Parses an expression of SQL (docs/guide/filters.md). InvalidArgument, with the place in the
/// text, for anything else: what stands behind a complete expression is an error too.
Result<std::unique_ptr<Syntax>> Parse(std::string_view text);

}  // namespace tusk::expr
