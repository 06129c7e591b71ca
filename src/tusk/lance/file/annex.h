#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// What is known of a page without reading it. Bounds are as a file has them, see page_bounds.h.
struct PageSummary {
  uint64_t checksum = 0;                ///< of its buffers, one after another
  std::optional<int64_t> num_nulls;     ///< among its values; not known of blobs
  std::optional<std::string> least;     ///< no value is below
  std::optional<std::string> greatest;  ///< no value is above
};

/// What tusk adds to the files that it writes, in their last global buffer: checksums of all that
/// stands before it and behind it, but for the tables and the footer, and what the pages hold.
/// Other readers never ask for that buffer. Source: docs/format/lance_file.md, "Annex".
struct Annex {
  /// Bytes of a column outside of its pages.
  struct Extent {
    io::ByteRange bytes;
    uint64_t checksum = 0;
  };
  struct Column {
    std::vector<PageSummary> pages;
    std::vector<Extent> extents;
  };
  std::vector<Column> columns;
  std::vector<uint64_t> global_buffers;  ///< checksums of all but the annex itself
  uint64_t column_metadata = 0;          ///< checksum of the metadata of all columns
  uint32_t minor_version = 0;            ///< of the data version, which the footer states

  /// Bytes that tell whether a global buffer is an annex.
  static constexpr int64_t kHeaderSize = 16;

  /// Reads bytes of the file.
  using ReadBytes = std::function<Result<std::shared_ptr<arrow::Buffer>>(const io::ByteRange&)>;

  std::string Serialize() const;
  /// The global buffer at `last`, the last of several, if it is an annex: what stands there may as
  /// well be a large buffer of a user's, so its first bytes are read before the rest. The errors of
  /// Parse and of `read`.
  static Result<std::optional<Annex>> Read(const io::ByteRange& last, int64_t file_size,
                                           const ReadBytes& read);
  /// Whether a global buffer that begins with `bytes` is one.
  static bool IsOne(std::string_view bytes);
  /// Parses a global buffer for which IsOne is true, of a file of `file_size` bytes. Corrupt if its
  /// own checksum is wrong, it cannot be parsed or an extent lies outside the file.
  static Result<Annex> Parse(std::string_view bytes, int64_t file_size);
};

}  // namespace tusk::lance
