#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// How a page of a column without lists and structs is laid out: what its metadata says.
/// Source: docs/format/lance_file.md, "Pages".
struct MiniBlockLayout {
  std::optional<ValueEncoding> levels;  ///< of definition levels; absent if no row is null
  ValueEncoding values;
  /// Of the items that the values are indices of; absent if they are the values themselves.
  std::optional<ValueEncoding> dictionary;
  uint64_t num_dictionary_items = 0;
  uint64_t num_buffers = 0;  ///< value buffers of each chunk
  uint64_t num_items = 0;
  bool has_large_chunk = true;  ///< chunk words and buffer lengths have 32 bits, not 16
};

struct FullZipLayout {
  uint32_t bits_def = 0;  ///< 0 if no row is null
  bool is_variable = false;
  uint32_t bits = 0;  ///< of a value, or of its length if is_variable
  uint64_t num_items = 0;
  ValueEncoding values;
};

/// Every row is null.
struct AllNullLayout {};

/// Every row has the same value or is null.
struct ConstantLayout {
  std::optional<std::string> inline_value;  ///< else it is in the page's first buffer
};

struct PageLayout {
  std::variant<MiniBlockLayout, FullZipLayout, AllNullLayout, ConstantLayout> layout;
  bool is_nullable = false;  ///< whether the column's rows may be null

  /// As it stands in a page's metadata: a serialized Any around the message. For what the writer
  /// makes, which is no ConstantLayout.
  std::string Serialize() const;
  /// Parses it for a page of `num_buffers` buffers. Corrupt if it cannot be parsed; Unsupported, by
  /// name, for what is not covered: blobs, lists and structs.
  static Result<PageLayout> Parse(std::string_view bytes, size_t num_buffers);
};

}  // namespace tusk::lance
