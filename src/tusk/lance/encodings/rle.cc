#include "tusk/lance/encodings/rle.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMaxRunLength = 255;

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

}  // namespace

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

}  // namespace tusk::lance
