#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <arrow/buffer.h>

#include "tusk/base/little_endian.h"
#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

/// Values that are encoded and decoded all at once, as the items of a dictionary are. Owns them.
class Block {
 public:
  /// Decodes `num_values` values. Corrupt if `bytes` do not hold them.
  static Result<Block> Decode(const ValueEncoding& encoding, int64_t num_values,
                              const std::shared_ptr<arrow::Buffer>& bytes, arrow::MemoryPool* pool);
  /// The shape of the values that blocks of `encoding` hold. Unsupported, by name, for an encoding
  /// that is not covered.
  static Result<ValueShape> Shape(const ValueEncoding& encoding);

  /// The same values in memory of `pool`.
  Result<Block> CopyTo(arrow::MemoryPool* pool) const;

  int64_t num_values() const { return num_values_; }
  const std::shared_ptr<arrow::Buffer>& buffer() const { return buffer_; }

  /// Fixed shapes: the packed values.
  const uint8_t* values() const { return buffer_->data(); }
  /// Variable shapes: the bytes of a value.
  std::span<const uint8_t> Text(int64_t i) const {
    const uint64_t begin = Offset(i);
    return {buffer_->data() + bytes_begin_ + begin, Offset(i + 1) - begin};
  }

 private:
  /// Variable: the block itself, checked.
  static Result<Block> OfTexts(int64_t offset_width, int64_t num_values,
                               std::shared_ptr<arrow::Buffer> bytes);
  uint64_t Offset(int64_t i) const {
    const uint8_t* at = buffer_->data() + offset_width_ * (2 + i);
    return offset_width_ == 4 ? LoadLittle<uint32_t>(at) : LoadLittle<uint64_t>(at);
  }

  int64_t num_values_ = 0;
  std::shared_ptr<arrow::Buffer> buffer_;
  int64_t offset_width_ = 0;
  int64_t bytes_begin_ = 0;
};

/// What EncodeBlock may use.
struct BlockOptions {
  /// Of the data version, 2.`minor_version`. Run-length encoding and compression need 2.
  int minor_version = 2;
  /// Tried on the plain values, and taken if nothing is smaller; none if unknown.
  ValueEncoding::Compression compression = ValueEncoding::Compression::kUnknown;
  std::optional<int> level = {};  ///< as in Compress
};

struct EncodedBlock {
  ValueEncoding encoding;
  std::shared_ptr<arrow::Buffer> bytes;
};

/// Encodes all `values`, under nulls too, as Block::Decode reads them: words of 8, 16, 32 or 64
/// bits flat, bitpacked or in runs, whichever is smallest, other fixed widths flat, texts with
/// their offsets. Unsupported for fixed-size lists and booleans.
Result<EncodedBlock> EncodeBlock(const RowsView& values, const BlockOptions& options,
                                 arrow::MemoryPool* pool);

}  // namespace tusk::lance
