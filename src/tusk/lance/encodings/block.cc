#include "tusk/lance/encodings/block.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/lance/encodings/word.h"

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
  return VisitWord(static_cast<int64_t>(bits), [&](auto word) {
    return UnpackBlocks<decltype(word)>(bytes, width, num_values, to);
  });
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

std::span<const uint8_t> Bytes(const arrow::Buffer& buffer) {
  return {buffer.data(), static_cast<size_t>(buffer.size())};
}

/// The least of what words take in some encoding.
struct Choice {
  Kind kind = Kind::kFlat;
  int64_t size = 0;
  int width = 0;     ///< bitpacking: of the widest
  int64_t runs = 0;  ///< run-length encoding
};

Choice ChooseForWords(const uint8_t* words, int64_t bits, int64_t count, int minor_version) {
  Choice best{.size = count * bits / 8};
  if (count == 0) return best;
  const auto consider = [&](const Choice& choice) {
    if (choice.size < best.size) best = choice;
  };
  const int width = WidestBits(words, bits, count);
  if (count <= kPackedBlock) {
    consider(
        {.kind = Kind::kInlineBitpacking, .size = bits / 8 + PackedBytes(width), .width = width});
  } else {
    // Readers take no words of no bits.
    const int at_least_one = std::max(width, 1);
    consider({.kind = Kind::kOutOfLineBitpacking,
              .size = PackedBlocksSize(bits, at_least_one, count),
              .width = at_least_one});
  }
  if (minor_version >= 2) {
    const int64_t runs = CountRuns(words, bits, count);
    consider({.kind = Kind::kRle, .size = RunBlockSize(bits, runs), .runs = runs});
  }
  return best;
}

Result<EncodedBlock> EncodeWords(const uint8_t* words, int64_t bits, int64_t count,
                                 const Choice& choice, arrow::MemoryPool* pool) {
  EncodedBlock block;
  if (choice.kind == Kind::kInlineBitpacking) {
    const auto encoder = MakeInlineBitpackingEncoder(bits);
    const ValueShape shape = FixedShape(static_cast<uint64_t>(bits));
    arrow::BufferBuilder out(pool);
    ARROW_RETURN_NOT_OK(
        encoder->EncodeChunk({.shape = &shape, .num_rows = count, .values = words}, {&out, 1}));
    ARROW_ASSIGN_OR_RAISE(block.bytes, out.Finish());
    block.encoding = encoder->encoding();
    return block;
  }
  ARROW_ASSIGN_OR_RAISE(block.bytes, arrow::AllocateBuffer(choice.size, pool));
  uint8_t* to = block.bytes->mutable_data();
  if (choice.kind == Kind::kRle) {
    EncodeRunBlock(words, bits, count, choice.runs, to);
    block.encoding = RleEncoding(bits);
  } else {
    PackBlocks(words, bits, choice.width, count, to);
    block.encoding = OutOfLineBitpackingEncoding(bits, choice.width);
  }
  return block;
}

/// The plain values, or texts with their offsets.
Result<EncodedBlock> EncodePlain(const RowsView& values, arrow::MemoryPool* pool) {
  EncodedBlock block;
  if (!values.shape->is_variable) {
    ARROW_ASSIGN_OR_RAISE(block.bytes,
                          arrow::AllocateBuffer(values.num_rows * values.shape->bits / 8, pool));
    EncodeFlat(values, block.bytes->mutable_data());
    block.encoding = FlatEncoding(*values.shape);
    return block;
  }
  const int64_t width = values.shape->bits / 8;
  const int64_t begin = (2 + values.num_rows + 1) * width;
  // An array of no rows need not have offsets.
  const bool is_empty = values.num_rows == 0;
  const int64_t first = is_empty ? 0 : values.Offset(0);
  const int64_t size = is_empty ? 0 : values.Offset(values.num_rows) - first;
  ARROW_ASSIGN_OR_RAISE(block.bytes, arrow::AllocateBuffer(begin + size, pool));
  uint8_t* to = block.bytes->mutable_data();
  std::memcpy(to, &values.shape->bits, width);
  std::memcpy(to + width, &begin, width);
  if (is_empty) {
    std::memset(to + 2 * width, 0, width);
  } else {
    const auto add = width == 4 ? Kernels().add32to32 : Kernels().add64to64;
    add(values.offsets, values.num_rows + 1, static_cast<uint64_t>(-first), to + 2 * width);
  }
  if (size > 0) std::memcpy(to + begin, values.values + first, size);
  block.encoding = VariableEncoding(values.shape->bits);
  return block;
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

Result<EncodedBlock> EncodeBlock(const RowsView& values, const BlockOptions& options,
                                 arrow::MemoryPool* pool) {
  RowsView all = values;
  all.validity = nullptr;
  const ValueShape& shape = *all.shape;
  if (!shape.is_variable && (shape.bits % 8 != 0 || shape.bits == 0 || !shape.list_sizes.empty())) {
    return Unsupported("blocks of values of ", shape.items_per_row, " x ", shape.bits,
                       " bits are not supported");
  }
  const uint8_t* words = all.values + all.values_bit / 8;
  const bool are_words = !shape.is_variable && IsWord(static_cast<uint64_t>(shape.bits));
  const Choice choice =
      are_words ? ChooseForWords(words, shape.bits, all.num_rows, options.minor_version) : Choice{};
  const bool is_compressed = options.compression != ValueEncoding::Compression::kUnknown &&
                             options.minor_version >= 2 && all.num_rows > 0;
  EncodedBlock plain;
  if (choice.kind == Kind::kFlat || is_compressed) {
    ARROW_ASSIGN_OR_RAISE(plain, EncodePlain(all, pool));
  }
  const int64_t least = choice.kind == Kind::kFlat ? plain.bytes->size() : choice.size;
  if (is_compressed) {
    ARROW_ASSIGN_OR_RAISE(auto bytes,
                          Compress(options.compression, options.level, Bytes(*plain.bytes), pool));
    if (bytes->size() < least) {
      EncodedBlock block;
      block.bytes = std::move(bytes);
      block.encoding.kind = Kind::kGeneral;
      block.encoding.compression = options.compression;
      block.encoding.children.push_back(std::move(plain.encoding));
      return block;
    }
  }
  if (choice.kind == Kind::kFlat) return plain;
  return EncodeWords(words, shape.bits, all.num_rows, choice, pool);
}

}  // namespace tusk::lance
