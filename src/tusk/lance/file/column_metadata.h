#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/page_layout.h"

namespace tusk::lance {

/// One page of a column, as the column's metadata lists it.
struct PageMetadata {
  int64_t num_rows = 0;
  int64_t first_row = 0;
  std::vector<io::ByteRange> buffers;
  PageLayout layout;
};

/// The metadata of one physical column. Source: docs/format/lance_file.md, "Column metadata".
struct ColumnMetadata {
  std::vector<PageMetadata> pages;

  std::string Serialize() const;
  /// Parses it for a file of `file_size` bytes. Corrupt, with the page's number, if it is broken or
  /// a buffer lies outside the file; Unsupported as PageLayout::Parse.
  static Result<ColumnMetadata> Parse(std::string_view bytes, int64_t file_size);
};

}  // namespace tusk::lance
