#include "tusk/lance/table/auto_cleanup.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kPrefix = "lance.auto_cleanup.";

struct Unit {
  std::string_view name;
  double milliseconds;
};
constexpr double kDay = 24.0 * 60 * 60 * 1000;
constexpr std::array<Unit, 34> kUnits = {{
    {"ns", 1e-6},
    {"nsec", 1e-6},
    {"us", 1e-3},
    {"usec", 1e-3},
    {"ms", 1},
    {"msec", 1},
    {"s", 1e3},
    {"sec", 1e3},
    {"secs", 1e3},
    {"second", 1e3},
    {"seconds", 1e3},
    {"m", 6e4},
    {"min", 6e4},
    {"mins", 6e4},
    {"minute", 6e4},
    {"minutes", 6e4},
    {"h", 36e5},
    {"hr", 36e5},
    {"hrs", 36e5},
    {"hour", 36e5},
    {"hours", 36e5},
    {"d", kDay},
    {"day", kDay},
    {"days", kDay},
    {"w", 7 * kDay},
    {"week", 7 * kDay},
    {"weeks", 7 * kDay},
    {"M", 30.44 * kDay},
    {"month", 30.44 * kDay},
    {"months", 30.44 * kDay},
    {"y", 365.25 * kDay},
    {"yr", 365.25 * kDay},
    {"year", 365.25 * kDay},
    {"years", 365.25 * kDay},
}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// The value of a key, or nothing.
const std::string* Find(const Manifest& manifest, std::string_view key) {
  const auto found = manifest.config.find(std::string(kPrefix) + std::string(key));
  return found == manifest.config.end() ? nullptr : &found->second;
}

Result<std::optional<int64_t>> FindNumber(const Manifest& manifest, std::string_view key) {
  const std::string* text = Find(manifest, key);
  if (text == nullptr) return std::optional<int64_t>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0) {
    return InvalidArgument("config key ", kPrefix, key, " is '", *text, "', which is no number");
  }
  return std::optional(number);
}

}  // namespace

Result<int64_t> ParseDurationMs(std::string_view text) {
  const auto wrong = [&] {
    return InvalidArgument("'", text, "' is no duration: write 14days, 12h or 90s");
  };
  double sum = 0;
  std::string_view rest = text;
  bool has_part = false;
  while (true) {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (rest.empty()) break;
    size_t digits = 0;
    while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
    double number = 0;
    (void)std::from_chars(rest.begin(), rest.begin() + digits, number);
    size_t end = digits;
    while (end < rest.size() && rest[end] != ' ' && !IsDigit(rest[end])) ++end;
    const std::string_view name = rest.substr(digits, end - digits);
    const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
    if (digits == 0 || unit == kUnits.end()) return wrong();
    sum += number * unit->milliseconds;
    rest.remove_prefix(end);
    has_part = true;
  }
  if (!has_part) return wrong();
  constexpr double kMost = 9e18;
  return static_cast<int64_t>(std::min(sum, kMost));
}

Result<std::optional<CleanupOptions>> AutoCleanupOf(const Manifest& manifest) {
  ARROW_ASSIGN_OR_RAISE(const auto interval, FindNumber(manifest, "interval"));
  if (!interval) return std::optional<CleanupOptions>();
  if (*interval > 0 && manifest.version % static_cast<uint64_t>(*interval) != 0) {
    return std::optional<CleanupOptions>();
  }
  CleanupOptions options;
  options.older_than_ms.reset();
  // A version that somebody has named is no reason to keep all others.
  options.error_if_tagged = false;
  if (const std::string* older_than = Find(manifest, "older_than")) {
    ARROW_ASSIGN_OR_RAISE(options.older_than_ms, ParseDurationMs(*older_than));
  }
  ARROW_ASSIGN_OR_RAISE(options.keep_last, FindNumber(manifest, "retain_versions"));
  ARROW_ASSIGN_OR_RAISE(options.deletes_per_second, FindNumber(manifest, "delete_rate_limit"));
  return std::optional(std::move(options));
}

void CleanUpAfterCommit(const io::StorePath& table, const Manifest& manifest,
                        std::string_view manifest_path, const OperationContext& context) {
  const auto options = AutoCleanupOf(manifest);
  if (!options.ok() || !options->has_value()) return;
  const auto dataset =
      Dataset::State::Make(table.path, table, manifest, std::string(manifest_path));
  if (dataset.ok()) (void)CleanUp(**dataset, **options, context);
}

}  // namespace tusk::lance
