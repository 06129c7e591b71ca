#include "tusk/lance/encodings/column_output.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {
namespace {

using arrow::ArrayData;
using arrow::Buffer;

/// Room for what the rows to come take beyond what those before them let expect.
constexpr double kExpectationSlack = 1.0625;
/// So many times what is needed may be reserved in expectation, so that a few large rows at the
/// front of many do not take memory that nothing justifies.
constexpr double kMaxGrowth = 16;

/// Makes lengths of the ends of `count` rows that follow entry 0 of `ends`.
template <typename Offset>
void EndsToLengths(int64_t count, uint8_t* ends) {
  auto* entries = reinterpret_cast<Offset*>(ends);
  for (int64_t i = count; i > 0; --i) entries[i] -= entries[i - 1];
}

/// A bitmap and what it says; no bitmap if nothing is null.
struct Validity {
  std::shared_ptr<Buffer> bits;
  int64_t null_count = 0;

  static Validity Of(std::shared_ptr<Buffer> bits, int64_t length) {
    const int64_t null_count = bits == nullptr ? 0 : CountZeroBits(bits->data(), 0, length);
    if (null_count == 0) bits = nullptr;
    return {.bits = std::move(bits), .null_count = null_count};
  }
};

/// The values of a fixed-size list, or of a plain type, around `values`. `item_validity` has a
/// bitmap, or null, for every list layer from this one on.
std::shared_ptr<ArrayData> FixedArray(const std::shared_ptr<arrow::DataType>& type, int64_t length,
                                      Validity validity,
                                      std::span<const std::shared_ptr<Buffer>> item_validity,
                                      std::shared_ptr<Buffer> values) {
  const arrow::DataType* storage = type.get();
  if (storage->id() == arrow::Type::EXTENSION) {
    storage = static_cast<const arrow::ExtensionType*>(storage)->storage_type().get();
  }
  // Values that are nothing.
  if (storage->id() == arrow::Type::NA) return ArrayData::Make(type, length, {nullptr}, length);
  if (storage->id() == arrow::Type::STRUCT) {
    return ArrayData::Make(type, length, {std::move(validity.bits)}, validity.null_count);
  }
  if (storage->id() != arrow::Type::FIXED_SIZE_LIST) {
    return ArrayData::Make(type, length, {std::move(validity.bits), std::move(values)},
                           validity.null_count);
  }
  const auto* list = static_cast<const arrow::FixedSizeListType*>(storage);
  const int64_t num_items = length * list->list_size();
  auto items = FixedArray(list->value_type(), num_items, Validity::Of(item_validity[0], num_items),
                          item_validity.subspan(1), std::move(values));
  return ArrayData::Make(type, length, {std::move(validity.bits)}, {std::move(items)},
                         validity.null_count);
}

}  // namespace

ColumnOutput::ColumnOutput(ValueShape shape, int64_t num_rows, arrow::MemoryPool* pool)
    : shape_(std::move(shape)),
      num_rows_(num_rows),
      pool_(pool),
      item_validity_(shape_.list_sizes.size()) {}
ColumnOutput::ColumnOutput(ColumnOutput&&) noexcept = default;
ColumnOutput::~ColumnOutput() = default;

Result<uint8_t*> ColumnOutput::MutableValidity() {
  if (validity_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(validity_, arrow::AllocateBuffer(BytesForBits(num_rows_), pool_));
    std::memset(validity_->mutable_data(), 0xFF, validity_->size());
  }
  return validity_->mutable_data();
}

Result<uint8_t*> ColumnOutput::MutableItemValidity(size_t layer) {
  std::shared_ptr<Buffer>& bits = item_validity_[layer];
  if (bits == nullptr) {
    int64_t items = num_rows_;
    for (size_t i = 0; i <= layer; ++i) items *= shape_.list_sizes[i];
    ARROW_ASSIGN_OR_RAISE(bits, arrow::AllocateBuffer(BytesForBits(items), pool_));
    std::memset(bits->mutable_data(), 0xFF, bits->size());
  }
  return bits->mutable_data();
}

Result<uint8_t*> ColumnOutput::MutableValues() {
  if (values_ == nullptr) {
    if (shape_.row_bits() > 0 &&
        num_rows_ > std::numeric_limits<int64_t>::max() / shape_.row_bits()) {
      return InvalidArgument(num_rows_, " rows are too many for one read: read fewer rows");
    }
    ARROW_ASSIGN_OR_RAISE(
        values_, arrow::AllocateBuffer(BytesForBits(num_rows_ * shape_.row_bits()), pool_));
    // Bits that share the last byte with no row.
    if (values_->size() > 0) values_->mutable_data()[values_->size() - 1] = 0;
  }
  return values_->mutable_data();
}

void ColumnOutput::AdoptValues(std::shared_ptr<Buffer> values) { values_ = std::move(values); }

Status ColumnOutput::AllocateLengths() {
  if (lengths_ != nullptr) return Status::OK();
  if (num_rows_ >= std::numeric_limits<int64_t>::max() / offset_width()) {
    return InvalidArgument(num_rows_, " rows are too many for one read: read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(lengths_, arrow::AllocateBuffer((num_rows_ + 1) * offset_width(), pool_));
  std::memset(lengths_->mutable_data(), 0, offset_width());
  return Status::OK();
}

Result<uint8_t*> ColumnOutput::MutableLengths() {
  ARROW_RETURN_NOT_OK(AllocateLengths());
  uint8_t* lengths = lengths_->mutable_data();
  if (has_lengths_) return lengths;
  has_lengths_ = true;
  // What was appended becomes runs, since what follows may lie before it.
  if (shape_.bits == 32) {
    EndsToLengths<int32_t>(appended_rows_, lengths);
  } else {
    EndsToLengths<int64_t>(appended_rows_, lengths);
  }
  std::memset(lengths + (appended_rows_ + 1) * offset_width(), 0,
              (num_rows_ - appended_rows_) * offset_width());
  for (const Rows& rows : appended_) {
    AddRun(rows.position, rows.count, bytes_->data() + rows.offset);
  }
  if (!appended_.empty()) Keep(std::move(bytes_));
  appended_.clear();
  appended_rows_ = 0;
  appended_bytes_ = 0;
  return lengths;
}

Status ColumnOutput::Reserve(int64_t position, int64_t size) {
  if (bytes_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(bytes_, arrow::AllocateResizableBuffer(0, pool_));
  }
  const int64_t needed = appended_bytes_ + size;
  if (needed <= bytes_->capacity()) return Status::OK();
  int64_t capacity = std::max(needed, bytes_->capacity() / 8 * 9);
  if (position > 0) {
    const double expected = static_cast<double>(appended_bytes_) / static_cast<double>(position) *
                            static_cast<double>(num_rows_ - position) * kExpectationSlack;
    const double most = static_cast<double>(needed) * kMaxGrowth;
    capacity = std::max(
        capacity, static_cast<int64_t>(std::min(static_cast<double>(needed) + expected, most)));
  }
  return bytes_->Reserve(capacity);
}

void ColumnOutput::SkipTo(int64_t position) {
  uint8_t* lengths = lengths_->mutable_data();
  for (; appended_rows_ < position; ++appended_rows_) {
    std::memcpy(lengths + (appended_rows_ + 1) * offset_width(), &appended_bytes_, offset_width());
  }
}

Result<ColumnOutput::Room> ColumnOutput::MakeRoom(int64_t position, int64_t size) {
  ARROW_RETURN_NOT_OK(AllocateLengths());
  if (position < appended_rows_) ARROW_RETURN_NOT_OK(MutableLengths().status());
  room_position_ = position;
  uint8_t* ends = lengths_->mutable_data() + (position + 1) * offset_width();
  if (has_lengths_) {
    ARROW_ASSIGN_OR_RAISE(room_, arrow::AllocateResizableBuffer(size, pool_));
    return Room{.bytes = room_->mutable_data(), .ends = ends, .begin = 0};
  }
  ARROW_RETURN_NOT_OK(Reserve(position, size));
  SkipTo(position);
  return Room{
      .bytes = bytes_->mutable_data() + appended_bytes_, .ends = ends, .begin = appended_bytes_};
}

Status ColumnOutput::Append(int64_t count, int64_t size) {
  if (shape_.bits == 32 && appended_bytes_ + size > std::numeric_limits<int32_t>::max()) {
    return TooLarge();
  }
  if (!has_lengths_) {
    if (appended_.empty() || appended_.back().position + appended_.back().count < room_position_) {
      appended_.push_back({.position = room_position_, .count = 0, .offset = appended_bytes_});
    }
    appended_.back().count += count;
    appended_rows_ = room_position_ + count;
    appended_bytes_ += size;
    return Status::OK();
  }
  uint8_t* lengths = lengths_->mutable_data() + room_position_ * offset_width();
  // Entry 0 is the length of the row before: as an end of the room's, it is where they begin.
  int64_t before = 0;
  std::memcpy(&before, lengths, offset_width());
  std::memset(lengths, 0, offset_width());
  if (shape_.bits == 32) {
    EndsToLengths<int32_t>(count, lengths);
  } else {
    EndsToLengths<int64_t>(count, lengths);
  }
  std::memcpy(lengths, &before, offset_width());
  ARROW_RETURN_NOT_OK(room_->Resize(size, /*shrink_to_fit=*/true));
  AddRun(room_position_, count, room_->data());
  Keep(std::move(room_));
  return Status::OK();
}

Result<uint8_t*> ColumnOutput::PlaceAll(std::span<const int64_t> offsets) {
  const int64_t size = offsets.back();
  if (shape_.bits == 32 && size > std::numeric_limits<int32_t>::max()) return TooLarge();
  ARROW_RETURN_NOT_OK(AllocateLengths());
  uint8_t* ends = lengths_->mutable_data();
  for (size_t i = 0; i < offsets.size(); ++i) {
    std::memcpy(ends + static_cast<int64_t>(i) * offset_width(), &offsets[i], offset_width());
  }
  ARROW_ASSIGN_OR_RAISE(bytes_, arrow::AllocateResizableBuffer(size, pool_));
  appended_ = {{.position = 0, .count = num_rows_, .offset = 0}};
  appended_rows_ = num_rows_;
  appended_bytes_ = size;
  return bytes_->mutable_data();
}

Status ColumnOutput::TooLarge() const {
  return InvalidArgument("values with 32-bit offsets in ", num_rows_,
                         " rows exceed 2 GiB: read fewer rows");
}

void ColumnOutput::AddRun(int64_t position, int64_t count, const uint8_t* bytes) {
  runs_.push_back({.position = position, .count = count, .bytes = bytes});
}

void ColumnOutput::Keep(std::shared_ptr<Buffer> buffer) { kept_.push_back(std::move(buffer)); }

template <typename Offset>
Result<std::shared_ptr<ArrayData>> ColumnOutput::FinishVariable(
    const std::shared_ptr<arrow::DataType>& type, int64_t null_count) {
  if (!has_lengths_) {
    ARROW_RETURN_NOT_OK(Reserve(num_rows_, 0));
    SkipTo(num_rows_);
    // A little room that is left is cheaper than a copy.
    const bool is_wasteful = bytes_->capacity() / 8 * 7 > appended_bytes_;
    ARROW_RETURN_NOT_OK(bytes_->Resize(appended_bytes_, /*shrink_to_fit=*/is_wasteful));
    return ArrayData::Make(type, num_rows_,
                           {std::move(validity_), std::move(lengths_), std::move(bytes_)},
                           null_count);
  }
  auto* offsets = reinterpret_cast<Offset*>(lengths_->mutable_data());
  uint64_t total = 0;
  for (int64_t i = 1; i <= num_rows_; ++i) {
    // Lengths are checked against the bytes that were read, so 64 bits cannot wrap.
    total += static_cast<uint64_t>(offsets[i]);
    offsets[i] = static_cast<Offset>(total);
  }
  if (total > static_cast<uint64_t>(std::numeric_limits<Offset>::max())) return TooLarge();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<Buffer> bytes, arrow::AllocateBuffer(total, pool_));
  for (const Run& run : runs_) {
    const Offset begin = offsets[run.position];
    const auto length = static_cast<size_t>(offsets[run.position + run.count] - begin);
    if (length > 0) std::memcpy(bytes->mutable_data() + begin, run.bytes, length);
  }
  runs_.clear();
  kept_.clear();
  return ArrayData::Make(type, num_rows_,
                         {std::move(validity_), std::move(lengths_), std::move(bytes)}, null_count);
}

Result<std::shared_ptr<ArrayData>> ColumnOutput::Finish(
    const std::shared_ptr<arrow::DataType>& type) {
  Validity validity = Validity::Of(std::move(validity_), num_rows_);
  if (!shape_.is_variable) {
    ARROW_RETURN_NOT_OK(MutableValues().status());
    return FixedArray(type, num_rows_, std::move(validity), item_validity_, std::move(values_));
  }
  ARROW_RETURN_NOT_OK(AllocateLengths());
  validity_ = std::move(validity.bits);
  return shape_.bits == 32 ? FinishVariable<int32_t>(type, validity.null_count)
                           : FinishVariable<int64_t>(type, validity.null_count);
}

}  // namespace tusk::lance
