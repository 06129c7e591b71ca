#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/io/direct_read.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

/// As PlacedRows, for all rows of a take of values of any width: those of one page alone have no
/// place before the lengths of the others are known.
class PlacedTexts {
 public:
  /// What a take wants of one page.
  struct Part {
    const Page* page = nullptr;
    PageRequest request;
    StoredTexts stored;
  };
  /// Appends what to read, and where to. Nothing if the texts are short, so that Plan and Decode of
  /// the pages are no more work.
  static Result<std::optional<PlacedTexts>> Plan(std::vector<Part> parts, ColumnOutput* out,
                                                 std::vector<io::ReadTarget>* targets);
  /// When all that was planned is read: what is left to do for the part of this number. Corrupt if
  /// a text is not as long as it says.
  Status Finish(size_t part, ColumnOutput* out) const;

 private:
  explicit PlacedTexts(std::vector<Part> parts) : parts_(std::move(parts)) {}

  std::vector<Part> parts_;
  std::vector<std::shared_ptr<arrow::Buffer>> prefixes_;  ///< of the rows of each part
};

}  // namespace tusk::lance
