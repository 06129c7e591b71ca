#include "tusk/expr/like.h"

#include <utility>

#include <arrow/compute/api_scalar.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/row_kernel.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;

constexpr size_t kNone = std::string_view::npos;

/// Bytes of the character that begins at `i`.
size_t CharacterSize(std::string_view text, size_t i) {
  size_t size = 1;
  while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0) == 0x80) {
    ++size;
  }
  return size;
}

bool EndsInEscape(std::string_view pattern, char escape) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != escape) continue;
    if (i + 1 == pattern.size()) return true;
    ++i;
  }
  return false;
}

constexpr std::string_view kDanglingEscape =
    "the pattern ends in the escape character, which must have one behind it";

/// The pattern with backslashes as escapes, as Arrow has it.
std::string WithBackslashes(std::string_view pattern, char escape) {
  std::string converted;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == escape) {
      ++i;
      converted += '\\';
    } else if (pattern[i] == '\\') {
      converted += '\\';
    }
    converted += pattern[i];
  }
  return converted;
}

}  // namespace

bool IsLike(std::string_view text, std::string_view pattern, char escape) {
  size_t t = 0;
  size_t p = 0;
  size_t pattern_behind_star = kNone;  // behind the last %, to which a mismatch returns
  size_t text_at_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%' && pattern[p] != escape) {
      pattern_behind_star = ++p;
      text_at_star = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_' && pattern[p] != escape) {
      t += CharacterSize(text, t);
      ++p;
      continue;
    }
    const size_t literal = p < pattern.size() && pattern[p] == escape ? p + 1 : p;
    if (literal < pattern.size() && pattern[literal] == text[t]) {
      p = literal + 1;
      ++t;
      continue;
    }
    if (pattern_behind_star == kNone) return false;
    text_at_star += CharacterSize(text, text_at_star);
    t = text_at_star;
    p = pattern_behind_star;
  }
  while (p < pattern.size() && pattern[p] == '%' && pattern[p] != escape) ++p;
  return p == pattern.size();
}

Result<NodePtr> MakeLike(const Binder& binder, Span span, const NodePtr& text,
                         const NodePtr& pattern, const LikeOptions& options) {
  if (options.escape.size() != 1 || static_cast<unsigned char>(options.escape[0]) >= 0x80 ||
      options.escape[0] == '%' || options.escape[0] == '_') {
    return binder.Error(span, "ESCAPE takes one ASCII character that is neither % nor _");
  }
  char escape = options.escape[0];
  ARROW_ASSIGN_OR_RAISE(NodePtr left, AsText(binder, text));
  ARROW_ASSIGN_OR_RAISE(NodePtr right, AsText(binder, pattern));
  if (right->kind == NodeKind::kLiteral && right->value->is_valid) {
    ARROW_ASSIGN_OR_RAISE(const std::string constant, ConstantText(binder, right));
    if (EndsInEscape(constant, escape)) return binder.Error(right->span, kDanglingEscape);
    std::string converted = WithBackslashes(constant, escape);
    if (converted.find('\\') == kNone) {
      return binder.MakeArrowCall(
          span, "match_like", {std::move(left)},
          std::make_shared<cp::MatchSubstringOptions>(std::move(converted), options.ignores_case));
    }
    // Arrow looks for the escapes themselves where a pattern is % and a text: '%\\' finds no 'a\'.
    escape = '\\';
    right = binder.MakeLiteral(right->span, std::make_shared<arrow::StringScalar>(converted));
  }
  if (options.ignores_case) {
    ARROW_ASSIGN_OR_RAISE(left, binder.MakeArrowCall(span, "utf8_lower", {left}, nullptr));
    ARROW_ASSIGN_OR_RAISE(right, binder.MakeArrowCall(span, "utf8_lower", {right}, nullptr));
  }
  return MakeTruthCall(binder, span, {std::move(left), std::move(right)},
                       [escape](const Rows& rows, int64_t row) -> Result<bool> {
                         const std::string_view one = rows.Text(1, row);
                         if (EndsInEscape(one, escape)) return InvalidArgument(kDanglingEscape);
                         return IsLike(rows.Text(0, row), one, escape);
                       });
}

}  // namespace tusk::expr
