#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// The last 40 bytes of a Lance file; integers are little-endian.
///   offset  size  field
///        0     8  column_metadata    position of the metadata of column 0
///        8     8  column_table       position of num_columns x {u64 position, u64 size}
///       16     8  buffer_table       position of num_buffers x {u64 position, u64 size}
///       24     4  num_buffers        global buffers; number 0 is the file descriptor
///       28     4  num_columns
///       32     2  major              2 here; 0 for the first version and for 2.0
///       34     2  minor
///       36     4  magic              "LANC"
/// Source: docs/format/lance_file.md, "Footer".
struct Footer {
  static constexpr int64_t kSize = 40;
  /// Bytes of an entry of the two tables.
  static constexpr int64_t kEntrySize = 16;

  uint64_t column_metadata = 0;
  uint64_t column_table = 0;
  uint64_t buffer_table = 0;
  uint32_t num_buffers = 0;
  uint32_t num_columns = 0;
  uint16_t major = 2;
  uint16_t minor = 2;

  /// The data version is 2.`data_minor()`.
  uint16_t data_minor() const { return major == 0 ? 0 : minor; }

  /// Parses the end of a file of `file_size` bytes; `tail` holds at least its last kSize bytes.
  /// Corrupt if the magic is wrong or a table lies outside the file; Unsupported, by name, for a
  /// data version other than 2.0, 2.1 and 2.2.
  static Result<Footer> Parse(std::string_view tail, int64_t file_size);
  void AppendTo(std::string* out) const;

  /// Entry `i` of one of the two tables, of which `table` holds the bytes. Corrupt, with `what` the
  /// entry is of, if it points outside a file of `file_size` bytes.
  static Result<io::ByteRange> ParseEntry(std::string_view table, int64_t i, std::string_view what,
                                          int64_t file_size);
};

}  // namespace tusk::lance
