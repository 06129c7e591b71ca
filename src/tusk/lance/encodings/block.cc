#include "tusk/lance/encodings/block.h"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

constexpr int64_t kMaxTextBytes = std::numeric_limits<int32_t>::max();

ValueShape FixedShape(uint64_t bits) {
  ValueShape shape;
  shape.bits = static_cast<int64_t>(bits);
  return shape;
}

Status TooShort(Kind kind, int64_t num_values, int64_t size) {
  return Corrupt("block of ", num_values, " values in encoding ", EncodingName(kind), " has ", size,
                 " bytes");
}

bool IsWord(uint64_t bits) { return bits == 8 || bits == 16 || bits == 32 || bits == 64; }

/// Whole packed blocks; what is left over is one more, padded, or plain words: the size tells.
template <typename T>
Status UnpackBlocks(std::span<const uint8_t> bytes, int width, int64_t num_values, uint8_t* to) {
  const int64_t tail = num_values % kPackedBlock;
  const int64_t packed = num_values / kPackedBlock * PackedBytes(width);
  const auto size = static_cast<int64_t>(bytes.size());
  const auto plain_tail = tail * static_cast<int64_t>(sizeof(T));
  const bool has_plain_tail = size == packed + plain_tail;
  if (!has_plain_tail && size != packed + (tail > 0 ? PackedBytes(width) : 0)) {
    return TooShort(Kind::kOutOfLineBitpacking, num_values, size);
  }
  std::array<T, kPackedBlock> block;
  const uint8_t* from = bytes.data();
  for (int64_t i = 0; i + kPackedBlock <= num_values; i += kPackedBlock) {
    UnpackBlock(from, width, block.data());
    std::memcpy(to, block.data(), sizeof(block));
    from += PackedBytes(width);
    to += sizeof(block);
  }
  if (tail == 0) return Status::OK();
  if (has_plain_tail) {
    std::memcpy(to, from, plain_tail);
  } else {
    UnpackBlock(from, width, block.data());
    std::memcpy(to, block.data(), plain_tail);
  }
  return Status::OK();
}

Status UnpackBlocks(uint64_t bits, int width, std::span<const uint8_t> bytes, int64_t num_values,
                    uint8_t* to) {
  switch (bits) {
    case 8:
      return UnpackBlocks<uint8_t>(bytes, width, num_values, to);
    case 16:
      return UnpackBlocks<uint16_t>(bytes, width, num_values, to);
    case 32:
      return UnpackBlocks<uint32_t>(bytes, width, num_values, to);
    default:
      return UnpackBlocks<uint64_t>(bytes, width, num_values, to);
  }
}

/// The most that the plain bytes of a block can be, whatever its encoding.
uint64_t MaxBytes(const ValueShape& shape, int64_t num_values) {
  if (shape.is_variable) return kMaxTextBytes;
  // A padded block of bitpacking, and the lengths of runs and their header.
  const auto values = static_cast<uint64_t>(num_values) + kPackedBlock;
  return values * (static_cast<uint64_t>(shape.bits) / 8 + 1) + sizeof(uint64_t);
}

Status DecodeRuns(std::span<const uint8_t> bytes, int64_t width, int64_t num_values, uint8_t* to) {
  if (bytes.size() < sizeof(uint64_t)) {
    return TooShort(Kind::kRle, num_values, static_cast<int64_t>(bytes.size()));
  }
  const auto values_size = LoadLittle<uint64_t>(bytes.data());
  const auto runs = bytes.subspan(sizeof(uint64_t));
  if (values_size > runs.size()) {
    return TooShort(Kind::kRle, num_values, static_cast<int64_t>(bytes.size()));
  }
  return ExpandRuns(runs.first(values_size), runs.subspan(values_size), width, num_values, to);
}

}  // namespace

Result<ValueShape> Block::Shape(const ValueEncoding& encoding) {
  switch (encoding.kind) {
    case Kind::kGeneral:
      if (encoding.children.size() != 1) return Corrupt("encoding general without values");
      if (encoding.children[0].kind == Kind::kGeneral) {
        return Unsupported("blocks compressed twice are not supported yet");
      }
      if (encoding.compression == ValueEncoding::Compression::kUnknown) {
        return Unsupported("blocks in a compression other than LZ4 and ZSTD are not supported yet");
      }
      return Shape(encoding.children[0]);
    case Kind::kVariable: {
      // The same conditions as for chunks.
      ARROW_RETURN_NOT_OK(MakeVariableDecoder(encoding).status());
      ValueShape shape;
      shape.is_variable = true;
      shape.bits = static_cast<int64_t>(encoding.children[0].bits);
      return shape;
    }
    case Kind::kFlat:
      if (encoding.bits == 0 || encoding.bits % 8 != 0 || encoding.bits > (1 << 16)) {
        return Unsupported("blocks of ", encoding.bits, " bits a value are not supported yet");
      }
      return FixedShape(encoding.bits);
    case Kind::kInlineBitpacking:
      ARROW_RETURN_NOT_OK(MakeInlineBitpackingDecoder(encoding.bits).status());
      return FixedShape(encoding.bits);
    case Kind::kOutOfLineBitpacking:
      if (!IsWord(encoding.bits) || encoding.children.size() != 1 ||
          encoding.children[0].kind != Kind::kFlat || encoding.children[0].bits > encoding.bits) {
        return Corrupt("encoding out_of_line_bitpacking of ", encoding.bits, " bits");
      }
      return FixedShape(encoding.bits);
    case Kind::kRle: {
      ARROW_ASSIGN_OR_RAISE(const int64_t bits, RleValueBits(encoding));
      return FixedShape(static_cast<uint64_t>(bits));
    }
    default:
      return Unsupported("blocks in encoding ", EncodingName(encoding.kind),
                         " are not supported yet");
  }
}

Result<Block> Block::Decode(const ValueEncoding& encoding, int64_t num_values,
                            const std::shared_ptr<arrow::Buffer>& bytes, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const ValueShape shape, Shape(encoding));
  if (num_values < 0 || num_values > std::numeric_limits<int32_t>::max()) {
    return Corrupt("block of ", num_values, " values");
  }
  if (encoding.kind == Kind::kGeneral) {
    ARROW_ASSIGN_OR_RAISE(const auto plain,
                          Decompress(encoding.compression, {bytes->data(), size_t(bytes->size())},
                                     MaxBytes(shape, num_values), pool));
    if (encoding.children[0].kind == Kind::kVariable) {
      return OfTexts(shape.bits / 8, num_values, plain);
    }
    return Decode(encoding.children[0], num_values, plain, pool);
  }
  const int64_t size = bytes->size();
  if (encoding.kind == Kind::kVariable) {
    // What was read may be a small piece of a large buffer.
    ARROW_ASSIGN_OR_RAISE(auto copy, bytes->CopySlice(0, size, pool));
    return OfTexts(shape.bits / 8, num_values, std::move(copy));
  }
  const int64_t width = shape.bits / 8;
  // What so many values take at the least, before memory is taken for them.
  int64_t least = 0;
  switch (encoding.kind) {
    case Kind::kFlat:
      least = num_values * width;
      break;
    case Kind::kInlineBitpacking:
      least = num_values > kPackedBlock ? std::numeric_limits<int64_t>::max() : width;
      break;
    case Kind::kOutOfLineBitpacking:
      least =
          num_values / kPackedBlock * PackedBytes(static_cast<int64_t>(encoding.children[0].bits));
      // No writer packs values into no bits: it would make a constant of them.
      if (encoding.children[0].bits == 0) least = std::numeric_limits<int64_t>::max();
      break;
    default:
      least = num_values / 255;
  }
  if (size < least) return TooShort(encoding.kind, num_values, size);
  Block block;
  block.num_values_ = num_values;
  ARROW_ASSIGN_OR_RAISE(block.buffer_, arrow::AllocateBuffer(num_values * width, pool));
  uint8_t* to = block.buffer_->mutable_data();
  const std::span<const uint8_t> from(bytes->data(), size);
  switch (encoding.kind) {
    case Kind::kFlat:
      // No bytes may stand at no address.
      if (num_values > 0) std::memcpy(to, from.data(), num_values * width);
      break;
    case Kind::kInlineBitpacking: {
      ARROW_ASSIGN_OR_RAISE(const auto decoder, MakeInlineBitpackingDecoder(encoding.bits));
      ColumnOutput values(shape, num_values, pool);
      ARROW_RETURN_NOT_OK(decoder->DecodeInto({.buffers = {&from, 1}, .num_values = num_values},
                                              {.begin = 0, .end = num_values}, 0, &values));
      ARROW_ASSIGN_OR_RAISE(const uint8_t* unpacked, values.MutableValues());
      std::memcpy(to, unpacked, num_values * width);
      break;
    }
    case Kind::kOutOfLineBitpacking:
      ARROW_RETURN_NOT_OK(UnpackBlocks(encoding.bits, static_cast<int>(encoding.children[0].bits),
                                       from, num_values, to));
      break;
    default:
      ARROW_RETURN_NOT_OK(DecodeRuns(from, width, num_values, to));
  }
  return block;
}

Result<Block> Block::CopyTo(arrow::MemoryPool* pool) const {
  Block copy = *this;
  ARROW_ASSIGN_OR_RAISE(copy.buffer_, buffer_->CopySlice(0, buffer_->size(), pool));
  return copy;
}

Result<Block> Block::OfTexts(int64_t offset_width, int64_t num_values,
                             std::shared_ptr<arrow::Buffer> bytes) {
  // The width of an offset in bits, where the texts begin, then the offsets, counted from there.
  const int64_t header = 2 * offset_width;
  const int64_t begin = header + (num_values + 1) * offset_width;
  if (bytes->size() < begin) return TooShort(Kind::kVariable, num_values, bytes->size());
  uint64_t width_bits = 0;
  uint64_t bytes_begin = 0;
  std::memcpy(&width_bits, bytes->data(), offset_width);
  std::memcpy(&bytes_begin, bytes->data() + offset_width, offset_width);
  if (width_bits != static_cast<uint64_t>(offset_width) * 8 ||
      bytes_begin != static_cast<uint64_t>(begin)) {
    return Corrupt("block of ", num_values, " texts begins with ", width_bits, " and ", bytes_begin,
                   ", not ", offset_width * 8, " and ", begin);
  }
  Block block;
  block.num_values_ = num_values;
  block.offset_width_ = offset_width;
  block.bytes_begin_ = begin;
  block.buffer_ = std::move(bytes);
  const auto end = static_cast<uint64_t>(block.buffer_->size() - begin);
  uint64_t last = 0;
  for (int64_t i = 0; i <= num_values; ++i) {
    const uint64_t offset = block.Offset(i);
    if (offset < last || offset > end) {
      return Corrupt("block of ", num_values, " texts in ", end, " bytes puts offset ", i, " at ",
                     offset, ", after ", last);
    }
    last = offset;
  }
  return block;
}

}  // namespace tusk::lance
