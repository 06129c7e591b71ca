#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// What one layer of a column's nesting can be in a page: an item (a leaf, a struct or a
/// fixed-size list of structs) or a list, with or without nulls and, for lists, empty ones.
enum class LevelLayer : uint8_t {
  kAllValidItem = 1,
  kAllValidList = 2,
  kNullableItem = 3,
  kNullableList = 4,
  kEmptyableList = 5,
  kNullAndEmptyList = 6,
};

constexpr bool IsList(LevelLayer layer) {
  return layer != LevelLayer::kAllValidItem && layer != LevelLayer::kNullableItem;
}

/// How a page is laid out: what its metadata says.
/// Source: docs/format/lance_pages.md.
struct MiniBlockLayout {
  std::optional<ValueEncoding> repetition = {};  ///< of repetition levels; absent without lists
  std::optional<ValueEncoding> definition = {};  ///< of definition levels; absent if all are 0
  ValueEncoding values;
  /// Of the items that the values are indices of; absent if they are the values themselves.
  std::optional<ValueEncoding> dictionary = {};
  uint64_t num_dictionary_items = 0;
  uint64_t num_buffers = 0;  ///< value buffers of each chunk
  uint64_t num_items = 0;    ///< value slots
  uint32_t repetition_index_depth = 0;
  bool has_large_chunk = true;  ///< chunk words and buffer lengths have 32 bits, not 16
};

struct FullZipLayout {
  uint32_t bits_rep = 0;  ///< of a repetition level; 0 if all are 0
  uint32_t bits_def = 0;  ///< of a definition level; 0 if all are 0
  bool is_variable = false;
  uint32_t bits = 0;         ///< of a value, or of its length if is_variable
  uint64_t num_items = 0;    ///< with those that have levels only
  uint64_t num_visible = 0;  ///< those that have a value
  ValueEncoding values;
};

/// Every slot has the same value or is null.
struct ConstantLayout {
  bool is_all_null = false;                      ///< there is no value
  std::optional<std::string> inline_value = {};  ///< else it is in the page's first buffer
  std::optional<ValueEncoding> repetition = {};  ///< else its levels are plain words
  std::optional<ValueEncoding> definition = {};
  uint64_t num_rep_levels = 0;  ///< encoded levels only
  uint64_t num_def_levels = 0;
};

struct PageLayout;

/// Values outside the page; the page inside has where they are.
struct BlobLayout {
  std::shared_ptr<const PageLayout> inner;
};

struct PageLayout {
  std::variant<MiniBlockLayout, FullZipLayout, ConstantLayout, BlobLayout> layout;
  std::vector<LevelLayer> layers;  ///< inner-most first, at least one

  /// As it stands in a page's metadata: a serialized Any around the message.
  std::string Serialize() const;
  /// Parses it for a page of `num_buffers` buffers. Corrupt if it cannot be parsed; Unsupported, by
  /// name, for descriptions of another kind.
  static Result<PageLayout> Parse(std::string_view bytes, size_t num_buffers);
};

/// One layer for columns without lists and structs.
inline std::vector<LevelLayer> FlatLayers(bool is_nullable) {
  return {is_nullable ? LevelLayer::kNullableItem : LevelLayer::kAllValidItem};
}

}  // namespace tusk::lance
