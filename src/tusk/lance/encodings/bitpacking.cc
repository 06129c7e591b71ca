#include "tusk/lance/encodings/bitpacking.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/encode_kernels.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/word.h"

namespace tusk::lance {
namespace {

/// Below so many rows of a block it is cheaper to unpack each alone.
constexpr size_t kFewRows = 16;

template <typename T>
constexpr int kBits = kWordBits<T>;
template <typename T>
constexpr int64_t kLanes = kPackedBlock / kBits<T>;

}  // namespace

template <typename T>
  requires std::is_unsigned_v<T>
void PackBlock(const T* values, int width, uint8_t* packed) {
  const auto* from = reinterpret_cast<const uint8_t*>(values);
  if constexpr (sizeof(T) == 1) {
    EncoderKernels().pack8(from, width, packed);
  } else if constexpr (sizeof(T) == 2) {
    EncoderKernels().pack16(from, width, packed);
  } else if constexpr (sizeof(T) == 4) {
    EncoderKernels().pack32(from, width, packed);
  } else {
    EncoderKernels().pack64(from, width, packed);
  }
}

template <typename T>
  requires std::is_unsigned_v<T>
void UnpackBlock(const uint8_t* packed, int width, T* values) {
  auto* to = reinterpret_cast<uint8_t*>(values);
  if constexpr (sizeof(T) == 1) {
    Kernels().unpack8(packed, width, to);
  } else if constexpr (sizeof(T) == 2) {
    Kernels().unpack16(packed, width, to);
  } else if constexpr (sizeof(T) == 4) {
    Kernels().unpack32(packed, width, to);
  } else {
    Kernels().unpack64(packed, width, to);
  }
}

namespace {

/// Where value `i` of a block begins: in a word of T, whose next one is kLanes<T> words behind.
struct PackedPlace {
  const uint8_t* word;
  int shift;
};

template <typename T>
PackedPlace FindPacked(const uint8_t* packed, int width, int64_t i) {
  const int64_t within = i % 128;
  const int64_t lane = within % kLanes<T>;
  // The bits of a number that were reversed are so by the same again.
  constexpr int kGroupOrder[] = {0, 4, 2, 6, 1, 5, 3, 7};
  const int row = kGroupOrder[(within - lane) / 16] * 8 + static_cast<int>(i / 128);
  return {.word = packed + (row * width / kBits<T> * kLanes<T> + lane) * sizeof(T),
          .shift = row * width % kBits<T>};
}

}  // namespace

template <typename T>
  requires std::is_unsigned_v<T>
T UnpackOne(const uint8_t* packed, int width, int64_t i) {
  if (width == 0) return 0;
  const auto [word, shift] = FindPacked<T>(packed, width, i);
  T value = static_cast<T>(LoadLittle<T>(word) >> shift);
  if (shift + width > kBits<T>) {
    value |= static_cast<T>(LoadLittle<T>(word + kLanes<T> * sizeof(T)) << (kBits<T> - shift));
  }
  return value & LowBits<T>(width);
}

int WidestBits(const uint8_t* values, int64_t bits, int64_t num_values) {
  const int64_t size = num_values * bits / 8;
  uint64_t any = EncoderKernels().any64(values, size / 8);
  uint64_t rest = 0;
  if (size % 8 != 0) std::memcpy(&rest, values + size / 8 * 8, size % 8);
  any |= rest;
  for (int64_t half = 32; half >= bits; half /= 2) any |= any >> half;
  return static_cast<int>(std::bit_width(any << (64 - bits) >> (64 - bits)));
}

template void PackBlock(const uint8_t*, int, uint8_t*);
template void PackBlock(const uint16_t*, int, uint8_t*);
template void PackBlock(const uint32_t*, int, uint8_t*);
template void PackBlock(const uint64_t*, int, uint8_t*);
template void UnpackBlock(const uint8_t*, int, uint8_t*);
template void UnpackBlock(const uint8_t*, int, uint16_t*);
template void UnpackBlock(const uint8_t*, int, uint32_t*);
template void UnpackBlock(const uint8_t*, int, uint64_t*);
template uint8_t UnpackOne(const uint8_t*, int, int64_t);
template uint16_t UnpackOne(const uint8_t*, int, int64_t);
template uint32_t UnpackOne(const uint8_t*, int, int64_t);
template uint64_t UnpackOne(const uint8_t*, int, int64_t);

namespace {

template <typename T>
void PackBlocksOf(const uint8_t* values, int width, int64_t num_values, uint8_t* packed) {
  const int64_t tail = num_values % kPackedBlock;
  for (int64_t i = 0; i < num_values - tail; i += kPackedBlock) {
    PackBlock(reinterpret_cast<const T*>(values), width, packed);
    values += kPackedBlock * sizeof(T);
    packed += PackedBytes(width);
  }
  const auto plain = tail * static_cast<int64_t>(sizeof(T));
  // Where both are as long, readers take them for words.
  if (plain <= PackedBytes(width)) {
    if (plain > 0) std::memcpy(packed, values, plain);
    return;
  }
  std::array<T, kPackedBlock> block{};
  std::memcpy(block.data(), values, plain);
  PackBlock(block.data(), width, packed);
}

}  // namespace

int64_t PackedBlocksSize(int64_t bits, int width, int64_t num_values) {
  return num_values / kPackedBlock * PackedBytes(width) +
         std::min(num_values % kPackedBlock * bits / 8, PackedBytes(width));
}

void PackBlocks(const uint8_t* values, int64_t bits, int width, int64_t num_values,
                uint8_t* packed) {
  VisitWord(bits,
            [&](auto word) { PackBlocksOf<decltype(word)>(values, width, num_values, packed); });
}

ValueEncoding OutOfLineBitpackingEncoding(int64_t bits, int width) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kOutOfLineBitpacking;
  encoding.bits = static_cast<uint64_t>(bits);
  encoding.children.push_back(ValueEncoding::Flat(static_cast<uint64_t>(width)));
  return encoding;
}

namespace {

template <typename T>
class InlineBitpackingDecoder final : public ValueDecoder {
 public:
  size_t num_buffers() const override { return 1; }
  uint64_t MinBytes(uint64_t num_values) const override {
    return (num_values / kPackedBlock) * sizeof(T);
  }
  Status CheckShape(const ValueShape& shape) const override {
    if (shape.is_variable || shape.bits != kBits<T> || shape.items_per_row != 1) {
      return Corrupt("encoding inline_bitpacking holds ", kBits<T>,
                     " bits a value, which the column's type does not");
    }
    return Status::OK();
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const int width, Width(chunk));
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    const uint8_t* packed = chunk.buffers[0].data() + sizeof(T);
    T* to = reinterpret_cast<T*>(values) + position;
    if (rows.length() == kPackedBlock) {
      UnpackBlock(packed, width, to);
      return Status::OK();
    }
    std::array<T, kPackedBlock> block;
    UnpackBlock(packed, width, block.data());
    std::memcpy(to, block.data() + rows.begin, rows.length() * sizeof(T));
    return Status::OK();
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const int width, Width(chunk));
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    const uint8_t* packed = chunk.buffers[0].data() + sizeof(T);
    T* to = reinterpret_cast<T*>(values);
    if (rows.size() < kFewRows) {
      for (const TakenRow& taken : rows) {
        to[taken.position] = UnpackOne<T>(packed, width, taken.row - first_row);
      }
      return Status::OK();
    }
    std::array<T, kPackedBlock> block;
    UnpackBlock(packed, width, block.data());
    for (const TakenRow& taken : rows) to[taken.position] = block[taken.row - first_row];
    return Status::OK();
  }

  void Prefetch(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                int step) const override {
    if (step > 0 || rows.size() >= kFewRows) return;
    const auto width = Width(chunk);
    if (!width.ok()) return;
    const uint8_t* packed = chunk.buffers[0].data() + sizeof(T);
    for (const TakenRow& taken : rows) {
      const auto [word, shift] = FindPacked<T>(packed, *width, taken.row - first_row);
      __builtin_prefetch(word);
      if (shift + *width > kBits<T>) __builtin_prefetch(word + kLanes<T> * sizeof(T));
    }
  }

 private:
  static Result<int> Width(const EncodedChunk& chunk) {
    const std::span<const uint8_t> bytes = chunk.buffers[0];
    if (chunk.num_values > kPackedBlock || bytes.size() < sizeof(T)) {
      return Corrupt("inline_bitpacking chunk of ", chunk.num_values, " values has ", bytes.size(),
                     " bytes");
    }
    const T width = LoadLittle<T>(bytes.data());
    if (width > kBits<T> ||
        bytes.size() - sizeof(T) < static_cast<size_t>(PackedBytes(static_cast<int>(width)))) {
      return Corrupt("inline_bitpacking chunk of ", bytes.size(), " bytes has values of ",
                     static_cast<uint64_t>(width), " bits");
    }
    return static_cast<int>(width);
  }
};

template <typename T>
class InlineBitpackingEncoder final : public ValueEncoder {
 public:
  InlineBitpackingEncoder() {
    encoding_.kind = ValueEncoding::Kind::kInlineBitpacking;
    encoding_.bits = kBits<T>;
  }

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return 1; }
  int64_t ChunkRows(const RowsView& rest) const override {
    return std::min(kPackedBlock, rest.num_rows);
  }

  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    const uint8_t* values = rows.values + rows.values_bit / 8;
    const int width = WidestBits(values, kBits<T>, rows.num_rows);
    const auto size = static_cast<int64_t>(sizeof(T)) + PackedBytes(width);
    ARROW_RETURN_NOT_OK(out[0].Reserve(size));
    uint8_t* to = out[0].mutable_data() + out[0].length();
    StoreLittle(static_cast<T>(width), to);
    if (rows.num_rows == kPackedBlock) {
      PackBlock(reinterpret_cast<const T*>(values), width, to + sizeof(T));
    } else {
      std::array<T, kPackedBlock> block{};
      std::memcpy(block.data(), values, rows.num_rows * sizeof(T));
      PackBlock(block.data(), width, to + sizeof(T));
    }
    out[0].UnsafeAdvance(size);
    return Status::OK();
  }

 private:
  ValueEncoding encoding_;
};

}  // namespace

Result<std::unique_ptr<const ValueDecoder>> MakeInlineBitpackingDecoder(uint64_t bits) {
  switch (bits) {
    case 8:
      return std::make_unique<InlineBitpackingDecoder<uint8_t>>();
    case 16:
      return std::make_unique<InlineBitpackingDecoder<uint16_t>>();
    case 32:
      return std::make_unique<InlineBitpackingDecoder<uint32_t>>();
    case 64:
      return std::make_unique<InlineBitpackingDecoder<uint64_t>>();
    default:
      return Corrupt("encoding inline_bitpacking of ", bits, " bits");
  }
}

std::unique_ptr<ValueEncoder> MakeInlineBitpackingEncoder(int64_t bits) {
  return VisitWord(bits, [](auto word) -> std::unique_ptr<ValueEncoder> {
    return std::make_unique<InlineBitpackingEncoder<decltype(word)>>();
  });
}

}  // namespace tusk::lance
