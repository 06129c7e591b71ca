#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/expr/source_text.h"

namespace tusk::expr {

enum class SyntaxKind {
  kNull,
  kTrue,
  kFalse,
  kNumber,     ///< `text` as written, with a sign in front if it is negative
  kText,       ///< `is_quoted`: in double quotes
  kBytes,      ///< `text` has the bytes
  kDate,       ///< date 'text'
  kTime,       ///< time 'text'
  kTimestamp,  ///< timestamp(precision) 'text'
  kDecimal,    ///< decimal(p, s) 'text', of the type `type`
  kInterval,   ///< interval 'text'
  kList,       ///< [children]
  kName,       ///< `text`; `is_quoted`: in backticks
  kMember,     ///< children[0].text
  kSubscript,  ///< children[0][children[1]]
  kCall,       ///< text(children), the name in small letters
  kNegate,     ///< -children[0]
  kNot,        ///< NOT children[0]
  kBinary,     ///< children[0] text children[1], arithmetic and ||
  kCompare,    ///< the same with = <> < <= > >=
  kDistinct,   ///< children[0] IS DISTINCT FROM children[1]
  kAnd,        ///< of two children or more
  kOr,         ///< of two children or more
  kIsNull,     ///< children[0] IS NULL
  kIsTrue,     ///< children[0] IS TRUE
  kIsFalse,    ///< children[0] IS FALSE
  kIn,         ///< children[0] IN (the others)
  kBetween,    ///< children[0] BETWEEN children[1] AND children[2]
  kLike,       ///< children[0] LIKE children[1]; `text` has the character after ESCAPE
  kCase,       ///< [operand,] then pairs of WHEN and THEN, [ELSE]
  kCast,       ///< CAST(children[0] AS type)
};

/// An expression as it is written, before any column is known. No deeper than kDeepestSyntax.
struct Syntax {
  SyntaxKind kind = SyntaxKind::kNull;
  Span span;
  std::string text = {};
  std::vector<std::unique_ptr<Syntax>> children = {};
  std::shared_ptr<arrow::DataType> type = nullptr;  ///< kCast, kDecimal
  int precision = 6;                                ///< kTimestamp: digits after the seconds
  bool is_quoted = false;
  bool is_negated = false;    ///< NOT before IN, BETWEEN, LIKE, NULL, TRUE, FALSE, DISTINCT
  bool ignores_case = false;  ///< kLike: ILIKE
  bool is_try = false;        ///< kCast: null where the cast fails
  bool has_operand = false;   ///< kCase
  bool has_else = false;      ///< kCase
  int depth = 1;              ///< 1 more than the deepest child's
};

/// Deep enough for what programs generate (chains of AND and OR count once), shallow enough for
/// the stack of any thread.
inline constexpr int kDeepestSyntax = 400;

}  // namespace tusk::expr
