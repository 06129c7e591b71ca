#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tusk::lance {

/// How values became bytes, as the metadata of a page describes it: a tree, outer-most step first.
/// Source: docs/format/lance_encodings.md, "Value encodings".
struct ValueEncoding {
  enum class Kind {
    kFlat,
    kVariable,
    kConstant,
    kOutOfLineBitpacking,
    kInlineBitpacking,
    kFsst,
    kDictionary,
    kRle,
    kByteStreamSplit,
    kGeneral,
    kFixedSizeList,
    kPackedStruct,
    kVariablePackedStruct,
    /// Any of the above whose buffers were compressed once more (LZ4, ZSTD).
    kBufferCompression,
  };
  Kind kind = Kind::kFlat;
  /// Flat: bits of a value. Bitpacking: bits of a value before packing.
  uint64_t bits = 0;
  /// Fixed-size list: items in a value.
  uint64_t items = 0;
  /// Fixed-size list: items have a bitmap of their own.
  bool has_validity = false;
  /// The encoding of the values inside; for variable, of the offsets; for run-length, of the values
  /// and of the lengths. Empty for those that end in bytes.
  std::vector<ValueEncoding> children = {};
  /// Packed struct: how each field of a row is stored. Of a variable one, children are the
  /// encodings of the fields in the same order.
  struct PackedField {
    bool is_variable = false;
    uint64_t bits = 0;  ///< of a value, or of its length if it is variable
  };
  std::vector<PackedField> packed_fields = {};
  /// FSST: what stands for the symbols, see FsstSymbols.
  std::string symbol_table = {};
  enum class Compression { kUnknown, kLz4, kZstd };
  /// General: how the bytes were compressed.
  Compression compression = Compression::kUnknown;

  static ValueEncoding Flat(uint64_t bits) { return {.bits = bits, .children = {}}; }
};

/// As in the format's documentation: "inline_bitpacking".
std::string_view EncodingName(ValueEncoding::Kind kind);

}  // namespace tusk::lance
