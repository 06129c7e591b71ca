#include "tusk/iceberg/partition_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace tusk::iceberg {
namespace {

using Kind = Transform::Kind;

/// Transforms without a parameter.
constexpr std::array<std::pair<std::string_view, Kind>, 6> kPlain = {{
    {"identity", Kind::kIdentity},
    {"year", Kind::kYear},
    {"month", Kind::kMonth},
    {"day", Kind::kDay},
    {"hour", Kind::kHour},
    {"void", Kind::kVoid},
}};

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<int32_t> ParseInt32(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Splits `text` at the last `separator`; the second part is empty if there is none.
std::pair<std::string_view, std::string_view> SplitLast(std::string_view text,
                                                        std::string_view separator) {
  const size_t at = text.rfind(separator);
  if (at == text.npos) return {text, {}};
  return {Trim(text.substr(0, at)), Trim(text.substr(at + separator.size()))};
}

}  // namespace

Result<Transform> Transform::Parse(std::string_view text) {
  for (const auto& [name, kind] : kPlain) {
    if (text == name) return Transform{.kind = kind};
  }
  for (const auto& [prefix, kind] :
       {std::pair(std::string_view("bucket["), Kind::kBucket), {"truncate[", Kind::kTruncate}}) {
    if (!text.starts_with(prefix) || !text.ends_with(']')) continue;
    const auto parameter = ParseInt32(text.substr(prefix.size(), text.size() - prefix.size() - 1));
    if (!parameter || *parameter < 1) {
      return Corrupt("the transform '", text, "' needs a positive number");
    }
    return Transform{.kind = kind, .parameter = *parameter};
  }
  return Transform{.kind = Kind::kUnknown, .unknown_name = std::string(text)};
}

std::string Transform::ToString() const {
  if (kind == Kind::kUnknown) return unknown_name;
  if (kind == Kind::kBucket) return "bucket[" + std::to_string(parameter) + "]";
  if (kind == Kind::kTruncate) return "truncate[" + std::to_string(parameter) + "]";
  return std::string(
      std::ranges::find(kPlain, kind, &std::pair<std::string_view, Kind>::second)->first);
}

Result<PartitionTerm> PartitionTerm::Parse(std::string_view text) {
  const auto refused = [&] {
    return InvalidArgument("'", text, "' is no partition term: expected column, day(column), ",
                           "bucket[16](column) or truncate[4](column), then \" as name\" or not");
  };
  PartitionTerm term;
  const auto [what, name] = SplitLast(Trim(text), " as ");
  term.name = name;
  if (!what.ends_with(')')) {
    if (what.empty() || what.find_first_of("()[], ") != what.npos) return refused();
    term.column = what;
    return term;
  }
  const size_t open = what.find('(');
  std::string transform(Trim(what.substr(0, open)));
  std::string_view arguments = what.substr(open + 1, what.size() - open - 2);
  // bucket(16, column), as SQL has it.
  if (const size_t comma = arguments.find(','); comma != arguments.npos) {
    transform += "[" + std::string(Trim(arguments.substr(0, comma))) + "]";
    arguments.remove_prefix(comma + 1);
  }
  term.column = Trim(arguments);
  auto parsed = Transform::Parse(transform);
  if (!parsed.ok() || parsed->kind == Kind::kUnknown || term.column.empty()) return refused();
  term.transform = *std::move(parsed);
  return term;
}

}  // namespace tusk::iceberg
