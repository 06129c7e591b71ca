#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::lake {

/// Labels by the path of the file, as the label file writes it.
class FileLabels {
 public:
  /// Reads a CSV file with a header, or a file of JSON objects, one a line, by its ending (.csv,
  /// .tsv, .json, .jsonl, .ndjson). The path stands in the first of the columns path, file,
  /// file_name, filename, image that there is, the label in the first of label, class, category.
  /// NotFound; InvalidArgument, naming line and column, if it is none of these or if a path comes
  /// twice with different labels.
  static Result<FileLabels> Read(std::string_view path, const OperationContext& context);

  /// The label of the file `path` below `folder`: by its path relative to the folder, or as it is.
  std::optional<std::string> Find(std::string_view folder, std::string_view path) const;
  int64_t size() const { return static_cast<int64_t>(labels_.size()); }

 private:
  Status Add(std::string path, const std::optional<std::string>& label, int64_t line);
  Status ReadCsv(std::string_view text, char separator);
  Status ReadJson(std::string_view text);

  std::unordered_map<std::string, std::optional<std::string>> labels_;
};

}  // namespace tusk::lake
