#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "tusk/lance/compact.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kPrefix = "lance.compaction.";

/// The text of one key.
class ConfigValue {
 public:
  ConfigValue(std::string_view key, std::string_view text) : key_(key), text_(text) {}

  template <typename Number>
  Result<Number> ToNumber() const {
    Number number = 0;
    const char* end = text_.data() + text_.size();
    const auto [stopped, error] = std::from_chars(text_.data(), end, number);
    if (error != std::errc() || stopped != end) return Refuse("number");
    return number;
  }
  Result<bool> ToBool() const {
    std::string lower(text_);
    for (char& letter : lower) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    if (lower != "true" && lower != "false") return Refuse("true or false");
    return lower == "true";
  }
  std::string text() const { return std::string(text_); }

 private:
  Status Refuse(std::string_view what) const {
    return InvalidArgument("config key ", key_, " of the table is '", text_, "', which is no ",
                           what);
  }

  std::string_view key_;
  std::string_view text_;
};

/// Sets what `name`, the key without its prefix, says. Other keys are for other writers.
Status Apply(std::string_view name, const ConfigValue& value, CompactionOptions* options) {
  const std::map<std::string_view, int64_t*> numbers = {
      {"target_rows_per_fragment", &options->target_rows_per_fragment},
      {"max_bytes_per_file", &options->max_bytes_per_file},
      {"batch_size", &options->batch_rows},
      {"binary_copy_read_batch_bytes", &options->copy_read_bytes}};
  const std::map<std::string_view, std::optional<int64_t>*> limits = {
      {"num_threads", &options->num_threads},
      {"max_source_fragments", &options->max_source_fragments},
      {"max_source_rows", &options->max_source_rows},
      {"max_source_bytes", &options->max_source_bytes}};
  const std::map<std::string_view, bool*> switches = {
      {"materialize_deletions", &options->materialize_deletions},
      {"keep_large", &options->keep_large},
      {"defer_index_remap", &options->defer_index_remap}};
  if (const auto number = numbers.find(name); number != numbers.end()) {
    return value.ToNumber<int64_t>().Value(number->second);
  }
  if (const auto limit = limits.find(name); limit != limits.end()) {
    ARROW_ASSIGN_OR_RAISE(*limit->second, value.ToNumber<int64_t>());
  } else if (const auto each = switches.find(name); each != switches.end()) {
    ARROW_ASSIGN_OR_RAISE(*each->second, value.ToBool());
  } else if (name == "materialize_deletions_threshold") {
    ARROW_ASSIGN_OR_RAISE(options->materialize_deletions_threshold, value.ToNumber<double>());
  } else if (name == "compaction_mode") {
    ARROW_ASSIGN_OR_RAISE(options->mode, ParseCompactionMode(value.text()));
  } else if (name == "data_storage_version") {
    options->data_storage_version = value.text();
  }
  return Status::OK();
}

}  // namespace

Result<CompactionOptions> WithConfig(CompactionOptions options,
                                     const std::map<std::string, std::string>& config) {
  for (const auto& [key, text] : config) {
    if (!key.starts_with(kPrefix)) continue;
    ARROW_RETURN_NOT_OK(
        Apply(std::string_view(key).substr(kPrefix.size()), ConfigValue(key, text), &options));
  }
  return options;
}

}  // namespace tusk::lance
