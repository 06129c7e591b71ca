#include "tusk/lance/encodings/levels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include <arrow/buffer.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/encode_kernels.h"
#include "tusk/lance/encodings/rle.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

constexpr int kLevelBits = 16;
constexpr int64_t kLevelBytes = kLevelBits / 8;
/// What the header of a chunk can say; there are no bytes that would tell.
constexpr int64_t kMostLevelsOfNoBits = 0xFFFF;

Status CheckLevel(uint16_t level) {
  if (level <= 1) [[likely]]
    return Status::OK();
  return Corrupt("definition level ", level, " in a column whose highest is 1");
}

Status TooShort(int64_t num_levels, size_t size) {
  return Corrupt(num_levels, " levels do not fit ", size, " bytes");
}

}  // namespace

Result<LevelDecoder> LevelDecoder::Make(const ValueEncoding& encoding) {
  switch (encoding.kind) {
    case Kind::kGeneral: {
      if (encoding.children.size() != 1) return Corrupt("encoding general without values");
      if (encoding.children[0].kind == Kind::kGeneral) {
        return Unsupported("levels compressed twice are not supported");
      }
      if (encoding.compression == ValueEncoding::Compression::kUnknown) {
        return Unsupported("levels in a compression other than LZ4 and ZSTD are not supported");
      }
      ARROW_ASSIGN_OR_RAISE(LevelDecoder decoder, Make(encoding.children[0]));
      decoder.compression_ = encoding.compression;
      return decoder;
    }
    case Kind::kFlat:
    case Kind::kInlineBitpacking:
      if (encoding.bits != kLevelBits) return Corrupt("levels of ", encoding.bits, " bits");
      return LevelDecoder(encoding.kind, kLevelBits);
    case Kind::kOutOfLineBitpacking: {
      if (encoding.bits != kLevelBits || encoding.children.size() != 1 ||
          encoding.children[0].kind != Kind::kFlat || encoding.children[0].bits > kLevelBits) {
        return Corrupt("levels of ", encoding.bits, " bits in encoding out_of_line_bitpacking");
      }
      return LevelDecoder(encoding.kind, static_cast<int>(encoding.children[0].bits));
    }
    case Kind::kRle: {
      ARROW_ASSIGN_OR_RAISE(const int64_t bits, RleValueBits(encoding));
      if (bits != kLevelBits) return Corrupt("levels of ", bits, " bits");
      return LevelDecoder(encoding.kind, kLevelBits);
    }
    default:
      return Unsupported("levels in encoding ", EncodingName(encoding.kind),
                         " are not supported yet");
  }
}

Status LevelDecoder::CheckSize(std::span<const uint8_t> bytes, int64_t num_levels) const {
  const auto size = static_cast<int64_t>(bytes.size());
  int64_t most = kPackedBlock;
  if (kind_ == Kind::kRle) most = size * std::numeric_limits<uint8_t>::max();
  if (kind_ == Kind::kOutOfLineBitpacking) {
    // Levels of no bits are all 0, as in the chunks within one long list.
    most = width_ == 0 ? kMostLevelsOfNoBits : (size / PackedBytes(width_) + 1) * kPackedBlock;
  }
  return num_levels <= most ? Status::OK() : TooShort(num_levels, bytes.size());
}

Result<int64_t> LevelDecoder::CountLevels(std::span<const uint8_t> bytes, uint16_t declared) const {
  if (kind_ != Kind::kRle || compression_) return declared;
  if (bytes.size() < sizeof(uint64_t)) return TooShort(declared, bytes.size());
  const auto values_size = LoadLittle<uint64_t>(bytes.data());
  const auto runs = bytes.subspan(sizeof(uint64_t));
  if (values_size > runs.size()) return TooShort(declared, bytes.size());
  int64_t count = 0;
  for (const uint8_t length : runs.subspan(values_size)) count += length;
  if (count % (int64_t{1} << kLevelBits) == declared) return count;
  return Corrupt("runs of ", count, " levels where ", declared, " were announced");
}

Status LevelDecoder::Decode(std::span<const uint8_t> bytes, int64_t num_levels,
                            arrow::MemoryPool* pool, std::vector<uint16_t>* levels) const {
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, Words(bytes, num_levels, pool, levels));
  if (words == reinterpret_cast<const uint8_t*>(levels->data())) return Status::OK();
  levels->resize(num_levels);
  if (num_levels > 0) std::memcpy(levels->data(), words, num_levels * kLevelBytes);
  return Status::OK();
}

Result<const uint8_t*> LevelDecoder::Words(std::span<const uint8_t> bytes, int64_t num_levels,
                                           arrow::MemoryPool* pool,
                                           std::vector<uint16_t>* scratch) const {
  // Not even a block: nobody would make room for one.
  if (num_levels == 0) return bytes.data();
  if (compression_) {
    if (static_cast<uint64_t>(num_levels) >
        bytes.size() * MaxExpansion(*compression_) * std::numeric_limits<uint8_t>::max()) {
      return TooShort(num_levels, bytes.size());
    }
    const auto max_size =
        static_cast<uint64_t>(num_levels + kPackedBlock + 4) * (kLevelBytes + 1) + sizeof(uint64_t);
    ARROW_ASSIGN_OR_RAISE(const auto plain, Decompress(*compression_, bytes, max_size, pool));
    LevelDecoder inner = *this;
    inner.compression_.reset();
    const std::span<const uint8_t> plain_bytes(plain->data(), plain->size());
    ARROW_RETURN_NOT_OK(inner.Decode(plain_bytes, num_levels, pool, scratch));
    return reinterpret_cast<const uint8_t*>(scratch->data());
  }
  const auto size = static_cast<int64_t>(bytes.size());
  if (kind_ == Kind::kFlat) {
    // Divided: as many as a page may claim, times their width, could wrap.
    if (num_levels > size / kLevelBytes) return TooShort(num_levels, bytes.size());
    return bytes.data();
  }
  ARROW_RETURN_NOT_OK(CheckSize(bytes, num_levels));
  const int64_t num_blocks = (num_levels + kPackedBlock - 1) / kPackedBlock;
  scratch->resize(num_blocks * kPackedBlock);
  const auto words = [&] { return reinterpret_cast<const uint8_t*>(scratch->data()); };
  if (kind_ == Kind::kInlineBitpacking) {
    if (num_blocks > 1 || size < kLevelBytes) return TooShort(num_levels, bytes.size());
    const auto width = LoadLittle<uint16_t>(bytes.data());
    if (width > kLevelBits || size - kLevelBytes < PackedBytes(width)) {
      return TooShort(num_levels, bytes.size());
    }
    UnpackBlock(bytes.data() + kLevelBytes, width, scratch->data());
    return words();
  }
  if (kind_ == Kind::kRle) {
    if (bytes.size() < sizeof(uint64_t)) return TooShort(num_levels, bytes.size());
    const auto values_size = LoadLittle<uint64_t>(bytes.data());
    const auto runs = bytes.subspan(sizeof(uint64_t));
    if (values_size > runs.size()) return TooShort(num_levels, bytes.size());
    ARROW_RETURN_NOT_OK(ExpandRuns(runs.first(values_size), runs.subspan(values_size), kLevelBytes,
                                   num_levels, reinterpret_cast<uint8_t*>(scratch->data())));
    return words();
  }
  const int64_t whole_blocks = num_levels / kPackedBlock;
  const int64_t tail = num_levels % kPackedBlock;
  const int64_t tail_bytes = size - whole_blocks * PackedBytes(width_);
  const bool has_plain_tail = tail > 0 && tail_bytes == tail * kLevelBytes;
  if (!has_plain_tail && tail_bytes < (tail > 0 ? PackedBytes(width_) : 0)) {
    return TooShort(num_levels, bytes.size());
  }
  for (int64_t i = 0; i < whole_blocks; ++i) {
    UnpackBlock(bytes.data() + i * PackedBytes(width_), width_, scratch->data() + i * kPackedBlock);
  }
  if (tail == 0) return words();
  const uint8_t* rest = bytes.data() + whole_blocks * PackedBytes(width_);
  uint16_t* to = scratch->data() + whole_blocks * kPackedBlock;
  if (has_plain_tail) {
    std::memcpy(to, rest, tail_bytes);
  } else {
    UnpackBlock(rest, width_, to);
  }
  return words();
}

Status LevelDecoder::DecodeInto(std::span<const uint8_t> bytes, int64_t num_levels, RowRange rows,
                                int64_t position, ColumnOutput* out) const {
  std::vector<uint16_t> scratch;
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, Words(bytes, num_levels, out->pool(), &scratch));
  const uint8_t* from = words + rows.begin * kLevelBytes;
  const uint16_t highest = Kernels().max16(from, rows.length());
  if (highest == 0) return Status::OK();
  ARROW_RETURN_NOT_OK(CheckLevel(highest));
  ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
  std::array<uint8_t, kPackedBlock / 8> valid;
  for (int64_t i = 0; i < rows.length(); i += kPackedBlock) {
    const int64_t count = std::min(kPackedBlock, rows.length() - i);
    Kernels().below16(from + i * kLevelBytes, count, 1, valid.data());
    CopyBits(valid.data(), 0, count, validity, position + i);
  }
  return Status::OK();
}

Status LevelDecoder::GatherInto(std::span<const uint8_t> bytes, int64_t num_levels,
                                std::span<const TakenRow> rows, int64_t first_row,
                                ColumnOutput* out) const {
  std::vector<uint16_t> scratch;
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, Words(bytes, num_levels, out->pool(), &scratch));
  ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
  for (const TakenRow& taken : rows) {
    const auto level = LoadLittle<uint16_t>(words + (taken.row - first_row) * kLevelBytes);
    if (level == 0) continue;
    ARROW_RETURN_NOT_OK(CheckLevel(level));
    ClearBit(validity, taken.position);
  }
  return Status::OK();
}

LevelEncoder LevelEncoder::Make(std::span<const uint16_t> levels, int minor_version,
                                int64_t chunk_levels) {
  uint16_t highest = 0;
  int64_t in_runs = 0;
  for (size_t begin = 0; begin < levels.size(); begin += static_cast<size_t>(chunk_levels)) {
    const auto* words = reinterpret_cast<const uint8_t*>(levels.data() + begin);
    const int64_t count = std::min(chunk_levels, static_cast<int64_t>(levels.size() - begin));
    highest = std::max(highest, Kernels().max16(words, count));
    in_runs += RunBlockSize(kLevelBits, CountRuns(words, kLevelBits, count));
  }
  const auto num_levels = static_cast<int64_t>(levels.size());
  const int width = std::max(1, static_cast<int>(std::bit_width(highest)));
  const int64_t packed =
      num_levels / chunk_levels * PackedBlocksSize(kLevelBits, width, chunk_levels) +
      PackedBlocksSize(kLevelBits, width, num_levels % chunk_levels);
  const int64_t flat = num_levels * kLevelBytes;
  if (minor_version >= 2 && in_runs < std::min(packed, flat)) return {RleEncoding(kLevelBits), 0};
  if (packed < flat) return {OutOfLineBitpackingEncoding(kLevelBits, width), width};
  return {ValueEncoding::Flat(kLevelBits), 0};
}

Status LevelEncoder::EncodeChunk(std::span<const uint16_t> levels,
                                 arrow::BufferBuilder* out) const {
  const auto* words = reinterpret_cast<const uint8_t*>(levels.data());
  const auto count = static_cast<int64_t>(levels.size());
  switch (encoding_.kind) {
    case Kind::kOutOfLineBitpacking: {
      const int64_t size = PackedBlocksSize(kLevelBits, width_, count);
      ARROW_RETURN_NOT_OK(out->Reserve(size));
      PackBlocks(words, kLevelBits, width_, count, out->mutable_data() + out->length());
      out->UnsafeAdvance(size);
      return Status::OK();
    }
    case Kind::kRle: {
      const int64_t runs = CountRuns(words, kLevelBits, count);
      const int64_t size = RunBlockSize(kLevelBits, runs);
      ARROW_RETURN_NOT_OK(out->Reserve(size));
      EncodeRunBlock(words, kLevelBits, count, runs, out->mutable_data() + out->length());
      out->UnsafeAdvance(size);
      return Status::OK();
    }
    default:
      return out->Append(words, count * kLevelBytes);
  }
}

void NullLevels(const uint8_t* validity, int64_t first_bit, int64_t count, uint16_t* levels) {
  std::array<uint8_t, kPackedBlock / 8> bits;
  for (int64_t i = 0; i < count; i += kPackedBlock) {
    const int64_t step = std::min(kPackedBlock, count - i);
    CopyBits(validity, first_bit + i, step, bits.data(), 0);
    EncoderKernels().nulls16(bits.data(), step, reinterpret_cast<uint8_t*>(levels + i));
  }
}

}  // namespace tusk::lance
