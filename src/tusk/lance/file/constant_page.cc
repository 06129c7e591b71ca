#include <cstring>
#include <limits>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/page.h"
#include "tusk/lance/file/page_rows.h"

namespace tusk::lance {
namespace {

constexpr int64_t kLevelBytes = 2;

/// The value of a page, in Arrow's buffers for an array of one row. Owns the memory.
class Constant final : public PageIndex {
 public:
  explicit Constant(std::shared_ptr<arrow::Buffer> bytes) : bytes_(std::move(bytes)) {}

  /// Splits it in buffers: u32 count, u32 length of each, then their bytes.
  static Result<std::unique_ptr<const PageIndex>> Parse(
      const std::shared_ptr<arrow::Buffer>& bytes) {
    const std::span<const uint8_t> all(bytes->data(), bytes->size());
    const auto broken = [&] {
      return Corrupt("value of a constant page in ", all.size(), " bytes breaks its layout");
    };
    if (all.size() < sizeof(uint32_t)) return broken();
    const uint64_t count = LoadLittle<uint32_t>(all.data());
    uint64_t at = (count + 1) * sizeof(uint32_t);
    // A value has one buffer, or offsets and bytes.
    if (count < 1 || count > 2 || at > all.size()) return broken();
    auto constant = std::make_unique<Constant>(bytes);
    for (uint64_t i = 0; i < count; ++i) {
      const auto length = LoadLittle<uint32_t>(all.data() + (i + 1) * sizeof(uint32_t));
      if (length > all.size() - at) return broken();
      constant->buffers_.push_back(all.subspan(at, length));
      at += length;
    }
    if (at != all.size()) return broken();
    return constant;
  }
  static std::unique_ptr<const PageIndex> OfBuffer(std::string_view value) {
    auto constant = std::make_unique<Constant>(arrow::Buffer::FromString(std::string(value)));
    constant->buffers_.emplace_back(constant->bytes_->data(), constant->bytes_->size());
    return constant;
  }

  const std::shared_ptr<arrow::Buffer>& bytes() const { return bytes_; }
  /// The bytes of a value of `shape`. Corrupt if there are other buffers or lengths.
  Result<std::span<const uint8_t>> Value(const ValueShape& shape) const;

 private:
  std::shared_ptr<arrow::Buffer> bytes_;
  std::vector<std::span<const uint8_t>> buffers_;
};

Result<std::span<const uint8_t>> Constant::Value(const ValueShape& shape) const {
  if (!shape.is_variable) {
    if (buffers_.size() == 1 &&
        static_cast<int64_t>(buffers_[0].size()) == BytesForBits(shape.row_bits())) {
      return buffers_[0];
    }
    return Corrupt("value of a constant page does not have the column's ", shape.row_bits(),
                   " bits");
  }
  const auto width = static_cast<size_t>(shape.bits / 8);
  if (buffers_.size() == 2 && buffers_[0].size() == 2 * width) {
    uint64_t begin = 0;
    uint64_t end = 0;
    std::memcpy(&begin, buffers_[0].data(), width);
    std::memcpy(&end, buffers_[0].data() + width, width);
    if (begin <= end && end <= buffers_[1].size()) return buffers_[1].subspan(begin, end - begin);
  }
  return Corrupt("value of a constant page is no text with offsets of ", shape.bits, " bits");
}

class ConstantPage final : public Page {
 public:
  /// A page with its value inline has no `value` bytes; one without nulls has no `levels`.
  ConstantPage(std::unique_ptr<const PageIndex> inline_value, io::ByteRange value,
               io::ByteRange levels)
      : inline_value_(std::move(inline_value)), value_(value), levels_(levels) {}

  Status CheckShape(const ValueShape& shape) const override {
    if (shape.list_sizes.empty()) return Status::OK();
    return Unsupported("constant pages of fixed-size lists are not supported yet");
  }
  std::vector<io::ByteRange> index_ranges() const override {
    if (value_.length == 0) return {};
    return {value_};
  }
  Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes,
      arrow::MemoryPool* /*pool*/) const override {
    return Constant::Parse(bytes[0]);
  }
  Status Plan(const PageIndex* /*index*/, const PageRequest& request,
              std::vector<PlannedRead>* reads) const override {
    if (levels_.length == 0) return Status::OK();
    return VisitRuns(request, [&](RowRange rows) {
      reads->push_back({.bytes = {.offset = levels_.offset + rows.begin * kLevelBytes,
                                  .length = rows.length() * kLevelBytes},
                        .units = rows});
      return Status::OK();
    });
  }
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;

 private:
  std::unique_ptr<const PageIndex> inline_value_;
  io::ByteRange value_;
  io::ByteRange levels_;
};

/// Writes `value` to one row of the output.
Status PutValue(std::span<const uint8_t> value, int64_t position, ColumnOutput* out) {
  const int64_t bits = out->shape().bits;
  if (out->shape().is_variable) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
    const uint64_t length = value.size();
    std::memcpy(lengths + (position + 1) * (bits / 8), &length, bits / 8);
    out->AddRun(position, 1, value.data());
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  CopyBits(value.data(), 0, bits, values, position * bits);
  return Status::OK();
}

Status ConstantPage::Decode(const PageIndex* index, const PageRequest& request,
                            std::span<const PlannedRead> reads,
                            std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                            ColumnOutput* out) const {
  const auto& constant =
      static_cast<const Constant&>(inline_value_ != nullptr ? *inline_value_ : *index);
  ARROW_ASSIGN_OR_RAISE(const auto value, constant.Value(out->shape()));
  if (out->shape().is_variable) out->Keep(constant.bytes());
  const auto put = [&](int64_t /*row*/, int64_t position) {
    return PutValue(value, position, out);
  };
  size_t next_taken = 0;
  if (levels_.length == 0) {
    const RowRange all{
        .begin = request.rows.begin,
        .end = request.is_take() ? std::numeric_limits<int64_t>::max() : request.rows.end};
    return VisitRows(request, all, &next_taken, put);
  }
  for (size_t i = 0; i < reads.size(); ++i) {
    const RowRange rows = reads[i].units;
    const auto put_or_null = [&](int64_t row, int64_t position) -> Status {
      // A null row has the value too, so that nothing uninitialized leaves the reader.
      ARROW_RETURN_NOT_OK(put(row, position));
      const auto level = LoadLittle<uint16_t>(bytes[i]->data() + (row - rows.begin) * kLevelBytes);
      if (level == 0) return Status::OK();
      if (level > 1) {
        return Corrupt("definition level ", level, " in a column whose highest is 1");
      }
      ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
      ClearBit(validity, position);
      return Status::OK();
    };
    ARROW_RETURN_NOT_OK(VisitRows(request, rows, &next_taken, put_or_null));
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<const Page>> MakeConstantPage(const ConstantLayout& layout, int64_t num_rows,
                                                     std::span<const io::ByteRange> buffers) {
  std::unique_ptr<const PageIndex> inline_value;
  io::ByteRange value;
  if (layout.inline_value) {
    inline_value = Constant::OfBuffer(*layout.inline_value);
  } else {
    if (buffers.empty() || buffers[0].length == 0) return Corrupt("constant page without a value");
    value = buffers[0];
    buffers = buffers.subspan(1);
  }
  if (buffers.empty()) {
    return std::make_unique<ConstantPage>(std::move(inline_value), value, io::ByteRange());
  }
  // Repetition and definition levels, either of which may be absent.
  if (buffers.size() != 2 || buffers[0].length != 0 ||
      (buffers[1].length != 0 && buffers[1].length / kLevelBytes != num_rows)) {
    return Corrupt("constant page of ", num_rows, " rows has ", buffers.size(),
                   " buffers of levels, the last of ", buffers.back().length, " bytes");
  }
  return std::make_unique<ConstantPage>(std::move(inline_value), value, buffers[1]);
}

}  // namespace tusk::lance
