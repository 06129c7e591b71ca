#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// The buffers that encodings of a page may name.
struct ArrayBuffers {
  std::span<const io::ByteRange> page;
  std::span<const io::ByteRange> column;
  std::span<const io::ByteRange> file;
};

/// How values of data version 2.0 are stored: one node of the tree in a page's description, with
/// its buffer's place in the file. Which members count depends on the kind.
/// Source: docs/format/lance_file_2_0.md, "Encodings".
struct ArrayEncoding {
  enum class Kind {
    kFlat,       ///< buffer, bits, compression
    kNoNulls,    ///< children: values
    kSomeNulls,  ///< children: validity, values
    kAllNulls,
    kFixedSizeList,  ///< count items each; children: items
    kList,           ///< count items together, null_adjustment; children: end offsets
    kStruct,
    kBinary,              ///< null_adjustment; children: end offsets, bytes
    kDictionary,          ///< count items; children: indices, items
    kFsst,                ///< symbol_table; children: the texts of codes
    kPackedStruct,        ///< buffer; children: the fields, which have no buffers of their own
    kBitpacked,           ///< buffer, bits, value_bits, is_signed
    kBitpackedForNonNeg,  ///< buffer, bits, value_bits
    kFixedSizeBinary,     ///< count bytes each; children: bytes
  };

  Kind kind = Kind::kFlat;
  io::ByteRange buffer;
  int64_t bits = 0;        ///< of a stored value: 1, or a multiple of 8 if flat
  int64_t value_bits = 0;  ///< of a decoded value: 8, 16, 32 or 64
  bool is_signed = false;  ///< the highest stored bit is the sign
  std::optional<ValueEncoding::Compression> compression;
  int64_t count = 0;
  uint64_t null_adjustment = 0;
  std::string symbol_table;
  std::vector<ArrayEncoding> children;

  /// Parses the description of a page, a serialized Any around the message. Corrupt if it breaks
  /// the layout or names a buffer that is not there; Unsupported, by name, for encodings that no
  /// 2.0 file has.
  static Result<ArrayEncoding> Parse(std::string_view bytes, const ArrayBuffers& buffers);

  /// The name in the format: "flat".
  std::string_view name() const;
  /// The most values that the buffers can hold; the largest number if there are no buffers.
  int64_t Capacity() const;
};

}  // namespace tusk::lance
