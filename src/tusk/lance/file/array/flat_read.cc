#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/file/array/array_read.h"

namespace tusk::lance {
namespace {

/// Values in memory, one after the other from `bit` of the bytes on.
struct Piece {
  std::shared_ptr<arrow::Buffer> bytes;
  int64_t bit;
  int64_t count;
};

/// An array of fixed-width values whose value buffer is `values`.
std::shared_ptr<arrow::ArrayData> FixedWidth(const ArrayRequest& request,
                                             std::shared_ptr<arrow::Buffer> values) {
  return arrow::ArrayData::Make(request.type, request.num_values(), {nullptr, std::move(values)},
                                0);
}

/// Whether values of `bits` bits may be used where they are.
bool IsAligned(const arrow::Buffer& buffer, int64_t bits) {
  const int64_t width = std::min<int64_t>(bits & -bits, 64) / 8;
  return width <= 1 || buffer.address() % static_cast<uintptr_t>(width) == 0;
}

/// The values of all pieces, `bits` each; those of a single one without a copy if that can be.
Result<std::shared_ptr<arrow::Buffer>> Join(const std::vector<Piece>& pieces, int64_t bits,
                                            arrow::MemoryPool* pool) {
  if (pieces.size() == 1 && pieces[0].bit % 8 == 0) {
    auto values = arrow::SliceBuffer(pieces[0].bytes, pieces[0].bit / 8,
                                     BytesForBits(pieces[0].count * bits));
    if (IsAligned(*values, bits)) return values;
  }
  int64_t total = 0;
  for (const Piece& piece : pieces) total += piece.count * bits;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> joined,
                        arrow::AllocateBuffer(BytesForBits(total), pool));
  uint8_t* to = joined->mutable_data();
  // Bits that share the last byte with no value.
  if (joined->size() > 0) to[joined->size() - 1] = 0;
  int64_t at = 0;
  for (const Piece& piece : pieces) {
    CopyBits(piece.bytes->data(), piece.bit, piece.count * bits, to, at);
    at += piece.count * bits;
  }
  return joined;
}

/// Values as in Arrow memory: the runs are found by multiplication.
class FlatRead final : public FieldRead {
 public:
  FlatRead(const ArrayEncoding& encoding, ArrayRequest request)
      : buffer_(encoding.buffer), bits_(encoding.bits), request_(std::move(request)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    if (std::exchange(is_planned_, true)) return Status::OK();
    for (const RowRange& run : request_.runs) {
      const int64_t begin = run.begin * bits_ / 8;
      ranges->push_back(
          {.offset = buffer_.offset + begin, .length = BytesForBits(run.end * bits_) - begin});
    }
    return Status::OK();
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    std::vector<Piece> pieces;
    for (size_t i = 0; i < bytes.size(); ++i) {
      const RowRange& run = request_.runs[i];
      pieces.push_back({.bytes = bytes[i], .bit = run.begin * bits_ % 8, .count = run.length()});
    }
    ARROW_ASSIGN_OR_RAISE(values_, Join(pieces, bits_, request_.pool));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    if (values_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(values_, arrow::AllocateBuffer(0, request_.pool));
    }
    return FixedWidth(request_, std::move(values_));
  }

 private:
  io::ByteRange buffer_;
  int64_t bits_;
  ArrayRequest request_;
  bool is_planned_ = false;
  std::shared_ptr<arrow::Buffer> values_;
};

/// Flat values that were compressed together: the buffer is read whole.
class CompressedRead final : public FieldRead {
 public:
  CompressedRead(const ArrayEncoding& encoding, ArrayRequest request)
      : buffer_(encoding.buffer),
        bits_(encoding.bits),
        compression_(*encoding.compression),
        request_(std::move(request)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    if (std::exchange(is_planned_, true)) return Status::OK();
    if (request_.num_values() > 0 && buffer_.length > 0) ranges->push_back(buffer_);
    return Status::OK();
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    constexpr auto kAnySize = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    const std::span<const uint8_t> packed(bytes[0]->data(), static_cast<size_t>(bytes[0]->size()));
    ARROW_ASSIGN_OR_RAISE(plain_, Decompress(compression_, packed, kAnySize, request_.pool));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    const int64_t size = plain_ == nullptr ? 0 : plain_->size();
    std::vector<Piece> pieces;
    for (const RowRange& run : request_.runs) {
      if (run.end > std::numeric_limits<int64_t>::max() / bits_ ||
          BytesForBits(run.end * bits_) > size) {
        return Corrupt("compressed values of ", bits_, " bits, ", size,
                       " bytes together, have no number ", run.end - 1);
      }
      if (run.length() == 0) continue;
      pieces.push_back({.bytes = plain_, .bit = run.begin * bits_, .count = run.length()});
    }
    ARROW_ASSIGN_OR_RAISE(auto values, Join(pieces, bits_, request_.pool));
    plain_ = nullptr;
    return FixedWidth(request_, std::move(values));
  }

 private:
  io::ByteRange buffer_;
  int64_t bits_;
  ValueEncoding::Compression compression_;
  ArrayRequest request_;
  bool is_planned_ = false;
  std::shared_ptr<arrow::Buffer> plain_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakeFlatRead(const ArrayEncoding& encoding,
                                                ArrayRequest request) {
  const arrow::DataType& type = request.storage();
  if (!arrow::is_fixed_width(type.id()) || type.id() == arrow::Type::DICTIONARY ||
      static_cast<const arrow::FixedWidthType&>(type).bit_width() != encoding.bits) {
    return Corrupt("encoding flat of ", encoding.bits, " bits holds no ", request.type->ToString());
  }
  if (encoding.compression) return std::make_unique<CompressedRead>(encoding, std::move(request));
  std::erase_if(request.runs, [](const RowRange& run) { return run.length() == 0; });
  if (!request.runs.empty() && request.runs.back().end > encoding.Capacity()) {
    return Corrupt("encoding ", encoding.name(), " of ", encoding.Capacity(),
                   " values has no number ", request.runs.back().end - 1);
  }
  return std::make_unique<FlatRead>(encoding, std::move(request));
}

}  // namespace tusk::lance
