#include "tusk/lance/encodings/rle.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace tusk::lance {
namespace {

constexpr int64_t kMaxRunLength = 255;

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
    ARROW_ASSIGN_OR_RAISE(const auto expanded, Expand(chunk, rows.end));
    std::memcpy(to, expanded.data() + rows.begin * width_, rows.length() * width_);
    return Status::OK();
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    ARROW_ASSIGN_OR_RAISE(const auto expanded, Expand(chunk, chunk.num_values));
    for (const TakenRow& taken : rows) {
      std::memcpy(values + taken.position * width_,
                  expanded.data() + (taken.row - first_row) * width_, width_);
    }
    return Status::OK();
  }

 private:
  Result<std::vector<uint8_t>> Expand(const EncodedChunk& chunk, int64_t num_values) const {
    std::vector<uint8_t> expanded(num_values * width_);
    ARROW_RETURN_NOT_OK(
        ExpandRuns(chunk.buffers[0], chunk.buffers[1], width_, num_values, expanded.data()));
    return expanded;
  }

  int64_t bits_;
  int64_t width_;
};

}  // namespace

Status ExpandRuns(std::span<const uint8_t> values, std::span<const uint8_t> lengths, int64_t width,
                  int64_t num_values, uint8_t* to) {
  const auto broken = [&] {
    return Corrupt("runs in ", values.size(), " bytes of values of ", width, " bytes and ",
                   lengths.size(), " lengths do not make ", num_values, " values");
  };
  if (values.size() < lengths.size() * static_cast<size_t>(width)) return broken();
  int64_t left = num_values;
  for (size_t run = 0; left > 0; ++run) {
    if (run == lengths.size() || lengths[run] == 0) return broken();
    const int64_t count = std::min<int64_t>(lengths[run], left);
    const uint8_t* value = values.data() + run * width;
    for (int64_t i = 0; i < count; ++i, to += width) std::memcpy(to, value, width);
    left -= count;
  }
  return Status::OK();
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
