#include "tusk/expr/pattern_matcher.h"

#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

/// `pattern` as group "m", without groups but the one of that number, "s".
std::string NameGroup(const std::string& pattern, int64_t group, int64_t* groups) {
  std::string named = "(?P<m>";
  int64_t count = 0;
  bool is_in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    named += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      named += pattern[++i];
    } else if (is_in_class) {
      // A class within, [:alpha:], has a bracket of its own.
      const size_t end =
          c == '[' && pattern[i + 1] == ':' ? pattern.find(":]", i) : std::string::npos;
      if (end == std::string::npos) {
        is_in_class = c != ']';
      } else {
        named += pattern.substr(i + 1, end + 1 - i);
        i = end + 1;
      }
    } else if (c == '[') {
      is_in_class = true;
      // A bracket that comes first is one of the characters.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') named += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') named += pattern[++i];
    } else if (c == '(') {
      const std::string_view rest = std::string_view(pattern).substr(i + 1);
      const bool has_name = rest.starts_with("?P<") || rest.starts_with("?<");
      if (rest.starts_with("?") && !has_name) continue;
      if (has_name) i += rest.find('>') + 1;
      named += ++count == group ? "?P<s>" : "?:";
    }
  }
  *groups = count;
  return named + ")";
}

/// The offset and the length in bytes of a match in row `i`.
template <typename Number>
std::pair<int64_t, int64_t> SpanOf(const arrow::FixedSizeListArray& spans, int64_t i) {
  const auto* numbers = spans.values()->data()->GetValues<Number>(1);
  const int64_t at = spans.value_offset(i);
  return {numbers[at], numbers[at + 1]};
}

}  // namespace

Result<Matcher> Matcher::Make(const std::string& pattern, int64_t group, bool is_later,
                              const std::shared_ptr<arrow::DataType>& type,
                              cp::ExecContext* compute) {
  Matcher matcher;
  int64_t groups = 0;
  std::string named = NameGroup(pattern, group, &groups);
  if (group > groups) {
    return InvalidArgument("the pattern has ", groups, " groups, and not one of number ", group);
  }
  if (is_later) named = "\\A(?s:..*?)" + named;
  matcher.has_group_ = group > 0;
  auto options = std::make_shared<cp::ExtractRegexSpanOptions>(named);
  ARROW_ASSIGN_OR_RAISE(ArrowFunction function,
                        FindArrowFunction("extract_regex_span", {type}, options, compute));
  matcher.find_ = std::move(function.kernel);
  return matcher;
}

int64_t CountGroups(const std::string& pattern) {
  int64_t groups = 0;
  NameGroup(pattern, /*group=*/0, &groups);
  return groups;
}

Result<std::vector<std::optional<Matcher::Found>>> Matcher::FindIn(
    const std::shared_ptr<arrow::Array>& texts, const Evaluation& evaluation) const {
  const auto rows =
      arrow::RecordBatch::Make(arrow::schema({}), texts->length(), arrow::ArrayVector());
  Evaluation inner = evaluation;
  inner.batch = rows.get();
  ARROW_ASSIGN_OR_RAISE(const Datum datum, find_({Datum(texts)}, inner));
  const auto held = datum.make_array();
  const auto& matches = static_cast<const arrow::StructArray&>(*held);
  const auto spans_of = [&](const char* name) {
    return std::static_pointer_cast<arrow::FixedSizeListArray>(matches.GetFieldByName(name));
  };
  const bool is_large = texts->type_id() == arrow::Type::LARGE_STRING;
  const auto span = [&](const arrow::FixedSizeListArray& spans, int64_t i) {
    return is_large ? SpanOf<int64_t>(spans, i) : SpanOf<int32_t>(spans, i);
  };
  const auto whole = spans_of("m");
  const auto group = has_group_ ? spans_of("s") : nullptr;
  std::vector<std::optional<Found>> found(static_cast<size_t>(texts->length()));
  for (int64_t i = 0; i < texts->length(); ++i) {
    if (matches.IsNull(i) || whole->IsNull(i)) continue;
    const auto [begin, size] = span(*whole, i);
    Found one{.begin = begin, .size = size, .group = std::pair(begin, size)};
    if (group != nullptr) {
      one.group.reset();
      // A group that takes no part in the match has no place.
      if (group->IsValid(i)) one.group = span(*group, i);
    }
    found[static_cast<size_t>(i)] = one;
  }
  return found;
}

}  // namespace tusk::expr
