#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/array/array_read.h"

namespace tusk::lance {
namespace {

/// Calls `call` with a value of the unsigned integer type of so many bits.
template <typename Call>
auto WithWord(int64_t bits, Call call) {
  switch (bits) {
    case 8:
      return call(uint8_t{});
    case 16:
      return call(uint16_t{});
    case 32:
      return call(uint32_t{});
    default:
      return call(uint64_t{});
  }
}

/// Integers of `bits` bits one after the other, lowest bits first, across bytes.
class BitsRead final : public FieldRead {
 public:
  BitsRead(const ArrayEncoding& encoding, ArrayRequest request)
      : buffer_(encoding.buffer),
        bits_(encoding.bits),
        value_bits_(encoding.value_bits),
        is_signed_(encoding.is_signed),
        request_(std::move(request)) {}

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
    bytes_.assign(bytes.begin(), bytes.end());
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    const int64_t width = value_bits_ / 8;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                          arrow::AllocateBuffer(request_.num_values() * width, request_.pool));
    uint8_t* to = values->mutable_data();
    for (size_t i = 0; i < bytes_.size(); ++i) {
      const RowRange& run = request_.runs[i];
      int64_t bit = run.begin * bits_ % 8;
      for (int64_t row = run.begin; row < run.end; ++row, bit += bits_, to += width) {
        const uint64_t value = Load(*bytes_[i], bit);
        WithWord(value_bits_,
                 [&](auto word) { StoreLittle(static_cast<decltype(word)>(value), to); });
      }
    }
    bytes_.clear();
    return arrow::ArrayData::Make(request_.type, request_.num_values(),
                                  {nullptr, std::move(values)}, 0);
  }

 private:
  uint64_t Load(const arrow::Buffer& bytes, int64_t bit) const {
    uint64_t value = 0;
    CopyBits(bytes.data(), bit, bits_, reinterpret_cast<uint8_t*>(&value), 0);
    const int64_t unused = 64 - bits_;
    if (!is_signed_) return value;
    return static_cast<uint64_t>(static_cast<int64_t>(value << unused) >> unused);
  }

  io::ByteRange buffer_;
  int64_t bits_;
  int64_t value_bits_;
  bool is_signed_;
  ArrayRequest request_;
  bool is_planned_ = false;
  std::vector<std::shared_ptr<arrow::Buffer>> bytes_;
};

/// Blocks of kPackedBlock integers in the order of FastLanes, the last one filled up.
class BlocksRead final : public FieldRead {
 public:
  BlocksRead(const ArrayEncoding& encoding, ArrayRequest request)
      : buffer_(encoding.buffer),
        bits_(encoding.bits),
        value_bits_(encoding.value_bits),
        request_(std::move(request)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    if (std::exchange(is_planned_, true)) return Status::OK();
    for (const RowRange& run : request_.runs) {
      const int64_t begin = run.begin / kPackedBlock;
      const int64_t end = (run.end - 1) / kPackedBlock + 1;
      // A run may begin in the block where the last one ended.
      if (!reads_.empty() && begin <= reads_.back().end) {
        reads_.back().end = end;
      } else {
        reads_.push_back({.begin = begin, .end = end});
      }
    }
    for (const RowRange& blocks : reads_) {
      ranges->push_back({.offset = buffer_.offset + blocks.begin * PackedBytes(bits_),
                         .length = blocks.length() * PackedBytes(bits_)});
    }
    return Status::OK();
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    bytes_.assign(bytes.begin(), bytes.end());
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> values,
        arrow::AllocateBuffer(request_.num_values() * value_bits_ / 8, request_.pool));
    WithWord(value_bits_, [&](auto word) { Unpack<decltype(word)>(values->mutable_data()); });
    bytes_.clear();
    return arrow::ArrayData::Make(request_.type, request_.num_values(),
                                  {nullptr, std::move(values)}, 0);
  }

 private:
  template <typename Word>
  void Unpack(uint8_t* to) const {
    Word block[kPackedBlock];
    int64_t unpacked = -1;
    size_t read = 0;
    for (const RowRange& run : request_.runs) {
      for (int64_t row = run.begin; row < run.end;) {
        const int64_t number = row / kPackedBlock;
        while (number >= reads_[read].end) ++read;
        if (number != unpacked) {
          const int64_t at = (number - reads_[read].begin) * PackedBytes(bits_);
          UnpackBlock<Word>(bytes_[read]->data() + at, static_cast<int>(bits_), block);
          unpacked = number;
        }
        const int64_t end = std::min(run.end, (number + 1) * kPackedBlock);
        const auto length = static_cast<size_t>(end - row) * sizeof(Word);
        std::memcpy(to, block + row % kPackedBlock, length);
        to += length;
        row = end;
      }
    }
  }

  io::ByteRange buffer_;
  int64_t bits_;
  int64_t value_bits_;
  ArrayRequest request_;
  bool is_planned_ = false;
  std::vector<RowRange> reads_;  ///< in blocks
  std::vector<std::shared_ptr<arrow::Buffer>> bytes_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakeBitpackedRead(const ArrayEncoding& encoding,
                                                     ArrayRequest request) {
  const arrow::DataType& type = request.storage();
  if (!arrow::is_fixed_width(type.id()) || type.id() == arrow::Type::DICTIONARY ||
      static_cast<const arrow::FixedWidthType&>(type).bit_width() != encoding.value_bits) {
    return Corrupt("encoding ", encoding.name(), " of values of ", encoding.value_bits,
                   " bits holds no ", request.type->ToString());
  }
  std::erase_if(request.runs, [](const RowRange& run) { return run.length() == 0; });
  if (!request.runs.empty() && request.runs.back().end > encoding.Capacity()) {
    return Corrupt("encoding ", encoding.name(), " of ", encoding.Capacity(),
                   " values has no number ", request.runs.back().end - 1);
  }
  if (encoding.kind == ArrayEncoding::Kind::kBitpacked) {
    return std::make_unique<BitsRead>(encoding, std::move(request));
  }
  return std::make_unique<BlocksRead>(encoding, std::move(request));
}

}  // namespace tusk::lance
