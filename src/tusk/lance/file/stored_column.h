#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/annex.h"

namespace tusk::lance {

/// A page as a file lists it, of which nobody has looked at how its values are encoded.
struct StoredPage {
  int64_t num_rows = 0;
  std::vector<io::ByteRange> buffers;
  std::string encoding;                ///< as the metadata of the column has it
  std::optional<PageSummary> summary;  ///< what the annex says; none if the file has no annex

  int64_t size_bytes() const;
};

/// A physical column as its metadata lists it, to be put into another file as it is.
struct StoredColumn {
  std::vector<StoredPage> pages;

  int64_t num_rows() const;
  std::string Serialize() const;
  /// Parses the metadata of a column of a file of `file_size` bytes; there are no summaries in it.
  /// The errors of ColumnMetadata::Parse, but for what is within encodings.
  static Result<StoredColumn> Parse(std::string_view bytes, int64_t file_size);
};

}  // namespace tusk::lance
