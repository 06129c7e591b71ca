#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/array/array_encoding.h"

namespace tusk::lance {

/// The metadata of one physical column of a file of data version 2.0, ready to be read. Immutable.
/// Source: docs/format/lance_file_2_0.md, "Columns".
struct ArrayColumn {
  struct Page {
    int64_t first_row = 0;
    int64_t num_rows = 0;
    int64_t first_item = 0;  ///< of a list's page: items of the pages before
    size_t number = 0;       ///< in the file, where pages without rows count too
    ArrayEncoding encoding;
  };
  std::vector<Page> pages;  ///< those that have rows
  int64_t num_rows = 0;
  int64_t num_items = 0;  ///< of lists, in all pages
  int64_t file_size = 0;
  bool is_blob = false;  ///< the values are descriptors of bytes elsewhere in the file

  /// Parses it for a file of `file_size` bytes with the global buffers `file_buffers`. Corrupt,
  /// with the page's number, if it is broken, a buffer lies outside the file, or buffers are too
  /// small for the rows they claim; Unsupported as ArrayEncoding::Parse.
  static Result<std::unique_ptr<const ArrayColumn>> Parse(
      std::string_view column_metadata, int64_t file_size,
      std::span<const io::ByteRange> file_buffers = {});
};

}  // namespace tusk::lance
