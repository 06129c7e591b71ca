#include "tusk/lance/encodings/rle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <vector>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/encode_kernels.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/word.h"

namespace tusk::lance {
namespace {

Status Broken(std::span<const uint8_t> values, std::span<const uint8_t> lengths, int64_t width,
              int64_t num_values) {
  return Corrupt("runs in ", values.size(), " bytes of values of ", width, " bytes and ",
                 lengths.size(), " lengths do not make ", num_values, " values");
}

/// ExpandRuns for values of type T, one for each length; false if the runs break.
template <typename T>
bool Expand(const uint8_t* values, std::span<const uint8_t> lengths, int64_t num_values,
            uint8_t* to) {
  constexpr int64_t kBytes = 32;
  typedef T Repeated __attribute__((vector_size(kBytes), aligned(1), may_alias));  // NOLINT
  const uint8_t* const end = to + num_values * static_cast<int64_t>(sizeof(T));
  for (size_t run = 0; to < end; ++run) {
    if (run == lengths.size() || lengths[run] == 0) return false;
    const T value = LoadLittle<T>(values + run * sizeof(T));
    const Repeated repeated = Repeated{} + value;
    const int64_t size = lengths[run] * static_cast<int64_t>(sizeof(T));
    if (size + kBytes <= end - to) {
      // Whole vectors: what is too much is overwritten by the next run.
      for (int64_t at = 0; at < size; at += kBytes)
        *reinterpret_cast<Repeated*>(to + at) = repeated;
      to += size;
      continue;
    }
    for (const uint8_t* stop = to + std::min<int64_t>(size, end - to); to < stop; to += sizeof(T)) {
      StoreLittle(value, to);
    }
  }
  return true;
}

class RleDecoder final : public ValueDecoder {
 public:
  explicit RleDecoder(int64_t bits) : bits_(bits), width_(bits / 8) {}

  size_t num_buffers() const override { return 2; }
  uint64_t MinBytes(uint64_t num_values) const override { return num_values / kMaxRunLength; }
  Status CheckShape(const ValueShape& shape) const override {
    if (shape.is_variable || shape.bits != bits_ || shape.items_per_row != 1) {
      return Corrupt("encoding rle holds ", bits_,
                     " bits a value, which the column's type does not");
    }
    return Status::OK();
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    uint8_t* to = values + position * width_;
    // Runs before `rows` must be counted, so they are expanded too, elsewhere.
    if (rows.begin == 0) {
      return ExpandRuns(chunk.buffers[0], chunk.buffers[1], width_, rows.end, to);
    }
    std::vector<uint8_t> expanded(rows.end * width_);
    ARROW_RETURN_NOT_OK(
        ExpandRuns(chunk.buffers[0], chunk.buffers[1], width_, rows.end, expanded.data()));
    std::memcpy(to, expanded.data() + rows.begin * width_, rows.length() * width_);
    return Status::OK();
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    const std::span<const uint8_t> runs = chunk.buffers[0];
    const std::span<const uint8_t> lengths = chunk.buffers[1];
    size_t next_run = 0;
    int64_t end = 0;  // of the run before next_run
    for (const TakenRow& taken : rows) {
      const int64_t row = taken.row - first_row;
      for (; end <= row; ++next_run) {
        if (next_run == lengths.size() || lengths[next_run] == 0 ||
            runs.size() < (next_run + 1) * static_cast<size_t>(width_)) {
          return Broken(runs, lengths, width_, row + 1);
        }
        end += lengths[next_run];
      }
      std::memcpy(values + taken.position * width_, runs.data() + (next_run - 1) * width_, width_);
    }
    return Status::OK();
  }

 private:
  int64_t bits_;
  int64_t width_;
};

/// Which of some values differ from the next, a bit for each: the last ones of runs.
class RunEnds {
 public:
  /// Pairs of values that are compared at once.
  static constexpr int64_t kPairs = 4096;

  explicit RunEnds(int64_t bits)
      : width_(bits / 8),
        changes_(bits == 8    ? EncoderKernels().changes8
                 : bits == 16 ? EncoderKernels().changes16
                 : bits == 32 ? EncoderKernels().changes32
                              : EncoderKernels().changes64) {}

  /// Compares `count` values from `values` on, each with the next; at most kPairs.
  void Find(const uint8_t* values, int64_t count) {
    changes_(values, count, bits_.data());
    num_bytes_ = BytesForBits(count);
    std::memset(bits_.data() + num_bytes_, 0, RoundUp(num_bytes_, 8) - num_bytes_);
  }
  int64_t CountEnds() const { return Kernels().count_ones(bits_.data(), num_bytes_); }
  int64_t num_words() const { return (num_bytes_ + 7) / 8; }
  uint64_t Word(int64_t i) const { return LoadLittle<uint64_t>(bits_.data() + i * 8); }
  int64_t width() const { return width_; }

 private:
  int64_t width_;
  void (*changes_)(const uint8_t*, int64_t, uint8_t*);
  std::array<uint8_t, kPairs / 8> bits_;
  int64_t num_bytes_ = 0;
};

template <typename T>
void EncodeRunsOf(const uint8_t* values, int64_t num_values, uint8_t* run_values,
                  uint8_t* run_lengths) {
  RunEnds ends(kWordBits<T>);
  int64_t begin = 0;  // of the run
  const auto end_run = [&](int64_t last) {
    const T value = LoadLittle<T>(values + last * static_cast<int64_t>(sizeof(T)));
    int64_t length = last + 1 - begin;
    for (; length > kMaxRunLength; length -= kMaxRunLength) {
      StoreLittle(value, run_values);
      run_values += sizeof(T);
      *run_lengths++ = kMaxRunLength;
    }
    StoreLittle(value, run_values);
    run_values += sizeof(T);
    *run_lengths++ = static_cast<uint8_t>(length);
    begin = last + 1;
  };
  for (int64_t piece = 0; piece + 1 < num_values; piece += RunEnds::kPairs) {
    ends.Find(values + piece * static_cast<int64_t>(sizeof(T)),
              std::min(RunEnds::kPairs, num_values - 1 - piece));
    for (int64_t i = 0; i < ends.num_words(); ++i) {
      for (uint64_t word = ends.Word(i); word != 0; word &= word - 1) {
        end_run(piece + i * 64 + std::countr_zero(word));
      }
    }
  }
  if (num_values > 0) end_run(num_values - 1);
}

class RleEncoder final : public ValueEncoder {
 public:
  explicit RleEncoder(int64_t bits) : encoding_(RleEncoding(bits)), bits_(bits) {}

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return 2; }

  int64_t ChunkRows(const RowsView& rest) const override {
    const uint8_t* values = rest.values + rest.values_bit / 8;
    const auto fits = [&](int64_t count) {
      return CountRuns(values, bits_, count) * (bits_ / 8 + 1) <= kMaxChunkBytes;
    };
    if (rest.num_rows <= kMaxChunkValues && fits(rest.num_rows)) return rest.num_rows;
    auto rows = static_cast<int64_t>(
        std::bit_floor(static_cast<uint64_t>(std::min(rest.num_rows, kMaxChunkValues))));
    while (!fits(rows)) rows /= 2;
    return rows;
  }

  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    const uint8_t* values = rows.values + rows.values_bit / 8;
    const int64_t runs = CountRuns(values, bits_, rows.num_rows);
    ARROW_RETURN_NOT_OK(out[0].Reserve(runs * bits_ / 8));
    ARROW_RETURN_NOT_OK(out[1].Reserve(runs));
    EncodeRuns(values, bits_, rows.num_rows, out[0].mutable_data() + out[0].length(),
               out[1].mutable_data() + out[1].length());
    out[0].UnsafeAdvance(runs * bits_ / 8);
    out[1].UnsafeAdvance(runs);
    return Status::OK();
  }

 private:
  ValueEncoding encoding_;
  int64_t bits_;
};

}  // namespace

int64_t CountRuns(const uint8_t* values, int64_t bits, int64_t num_values) {
  if (num_values == 0) return 0;
  RunEnds ends(bits);
  int64_t runs = 0;
  int64_t last = -1;  // of the run before
  for (int64_t piece = 0; piece + 1 < num_values; piece += RunEnds::kPairs) {
    ends.Find(values + piece * ends.width(), std::min(RunEnds::kPairs, num_values - 1 - piece));
    runs += ends.CountEnds();
    // Only runs that end in another word than they begin in can be too long for one.
    for (int64_t i = 0; i < ends.num_words(); ++i) {
      const uint64_t word = ends.Word(i);
      if (word == 0) continue;
      const int64_t first = piece + i * 64;
      runs += (first + std::countr_zero(word) - last - 1) / kMaxRunLength;
      last = first + 63 - std::countl_zero(word);
    }
  }
  return runs + (num_values - 1 - last + kMaxRunLength - 1) / kMaxRunLength;
}

void EncodeRuns(const uint8_t* values, int64_t bits, int64_t num_values, uint8_t* run_values,
                uint8_t* run_lengths) {
  VisitWord(bits, [&](auto word) {
    EncodeRunsOf<decltype(word)>(values, num_values, run_values, run_lengths);
  });
}

Status ExpandRuns(std::span<const uint8_t> values, std::span<const uint8_t> lengths, int64_t width,
                  int64_t num_values, uint8_t* to) {
  bool is_whole = values.size() >= lengths.size() * static_cast<size_t>(width);
  if (is_whole && width == 1) is_whole = Expand<uint8_t>(values.data(), lengths, num_values, to);
  if (is_whole && width == 2) is_whole = Expand<uint16_t>(values.data(), lengths, num_values, to);
  if (is_whole && width == 4) is_whole = Expand<uint32_t>(values.data(), lengths, num_values, to);
  if (is_whole && width == 8) is_whole = Expand<uint64_t>(values.data(), lengths, num_values, to);
  return is_whole ? Status::OK() : Broken(values, lengths, width, num_values);
}

Result<int64_t> RleValueBits(const ValueEncoding& encoding) {
  if (encoding.children.size() != 2) return Corrupt("encoding rle without values and lengths");
  const ValueEncoding& values = encoding.children[0];
  const ValueEncoding& lengths = encoding.children[1];
  for (const ValueEncoding& child : encoding.children) {
    if (child.kind != ValueEncoding::Kind::kFlat) {
      return Unsupported("encoding rle around encoding ", EncodingName(child.kind),
                         " is not supported yet");
    }
  }
  if (lengths.bits != 8) {
    return Unsupported("encoding rle with lengths of ", lengths.bits, " bits is not supported yet");
  }
  if (values.bits != 8 && values.bits != 16 && values.bits != 32 && values.bits != 64) {
    return Corrupt("encoding rle of ", values.bits, " bits");
  }
  return static_cast<int64_t>(values.bits);
}

Result<std::unique_ptr<const ValueDecoder>> MakeRleDecoder(const ValueEncoding& encoding) {
  ARROW_ASSIGN_OR_RAISE(const int64_t bits, RleValueBits(encoding));
  return std::make_unique<RleDecoder>(bits);
}

ValueEncoding RleEncoding(int64_t bits) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kRle;
  encoding.children = {ValueEncoding::Flat(static_cast<uint64_t>(bits)), ValueEncoding::Flat(8)};
  return encoding;
}

std::unique_ptr<ValueEncoder> MakeRleEncoder(int64_t bits) {
  return std::make_unique<RleEncoder>(bits);
}

void EncodeRunBlock(const uint8_t* values, int64_t bits, int64_t num_values, int64_t num_runs,
                    uint8_t* to) {
  const int64_t values_size = num_runs * bits / 8;
  StoreLittle(static_cast<uint64_t>(values_size), to);
  to += sizeof(uint64_t);
  EncodeRuns(values, bits, num_values, to, to + values_size);
}

}  // namespace tusk::lance
