#include "tusk/expr/integer_set.h"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace tusk::expr {
namespace {

/// Bits for each value, at the most; the bits of all take no more than a level-2 cache has.
constexpr uint64_t kMostBitsPerValue = 512;
constexpr uint64_t kMostBits = uint64_t{8} << 20;
/// As many bits are worth it for any set.
constexpr uint64_t kFewBits = uint64_t{1} << 16;

/// Which of the numbers from `least` on are in the set.
struct NumberBits {
  uint64_t least = 0;  ///< as all, widened to 64 bits and taken for unsigned
  uint64_t last = 0;   ///< the number of the last bit
  std::shared_ptr<arrow::Buffer> bits;
};

template <std::integral T>
uint64_t Widen(T value) {
  return static_cast<uint64_t>(value);
}

template <std::integral T>
Result<std::optional<NumberBits>> MakeBits(const arrow::ArrayData& values,
                                           arrow::MemoryPool* pool) {
  const T* begin = values.GetValues<T>(1);
  const auto [least, greatest] = std::minmax_element(begin, begin + values.length);
  // Differences are right whatever the sign: they wrap around twice.
  const uint64_t last = Widen(*greatest) - Widen(*least);
  const auto count = static_cast<uint64_t>(values.length);
  if (last >= kMostBits || last > std::max(kFewBits, kMostBitsPerValue * count)) {
    return std::nullopt;
  }
  NumberBits made{.least = Widen(*least), .last = last, .bits = nullptr};
  const auto num_bytes = static_cast<int64_t>(last / 8 + 1);
  ARROW_ASSIGN_OR_RAISE(made.bits, arrow::AllocateBuffer(num_bytes, pool));
  std::memset(made.bits->mutable_data(), 0, num_bytes);
  for (const T* value = begin; value != begin + values.length; ++value) {
    arrow::bit_util::SetBit(made.bits->mutable_data(),
                            static_cast<int64_t>(Widen(*value) - made.least));
  }
  return made;
}

/// A bit for each row: whether its number is in the set.
template <std::integral T>
void LookUp(const NumberBits& set, const T* values, int64_t length, uint8_t* out) {
  const uint8_t* bits = set.bits->data();
  const auto is_in = [&](T value) -> uint8_t {
    const uint64_t number = Widen(value) - set.least;
    // Without a branch: in a column in random order nobody could foresee it.
    const bool is_near = number <= set.last;
    const uint64_t bit = is_near ? number : 0;
    return static_cast<uint8_t>(is_near & ((bits[bit / 8] >> (bit % 8)) & 1));
  };
  int64_t row = 0;
  for (; row + 8 <= length; row += 8) {
    uint8_t byte = 0;
    for (int i = 0; i < 8; ++i) byte |= static_cast<uint8_t>(is_in(values[row + i]) << i);
    out[row / 8] = byte;
  }
  if (row == length) return;
  uint8_t byte = 0;
  for (int i = 0; row + i < length; ++i) byte |= static_cast<uint8_t>(is_in(values[row + i]) << i);
  out[row / 8] = byte;
}

template <std::integral T>
Result<arrow::Datum> Judge(const NumberBits& set, const arrow::ArrayData& column,
                           arrow::MemoryPool* pool) {
  const bool has_nulls = column.GetNullCount() > 0;
  // The bits of the result begin where those of the validity do, in the middle of a byte: the rows
  // in front of it are in the column's buffers too.
  const int64_t skipped = has_nulls ? column.offset % 8 : 0;
  const int64_t length = skipped + column.length;
  const int64_t num_bytes = (length + 7) / 8;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateBuffer(num_bytes, pool));
  LookUp(set, column.GetValues<T>(1) - skipped, length, bits->mutable_data());
  std::shared_ptr<arrow::Buffer> validity;
  if (has_nulls) {
    validity = arrow::SliceBuffer(column.buffers[0], column.offset / 8, num_bytes);
  }
  return arrow::Datum(arrow::ArrayData::Make(arrow::boolean(), column.length,
                                             {std::move(validity), std::move(bits)},
                                             arrow::kUnknownNullCount, skipped));
}

template <std::integral T>
Result<std::optional<Kernel>> Make(const arrow::ArrayData& values, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto set, MakeBits<T>(values, pool));
  if (!set) return std::nullopt;
  return [set = *std::move(set)](const std::vector<arrow::Datum>& arguments,
                                 const Evaluation& evaluation) -> Result<arrow::Datum> {
    arrow::MemoryPool* own = evaluation.compute->memory_pool();
    if (arguments[0].is_array()) return Judge<T>(set, *arguments[0].array(), own);
    ARROW_ASSIGN_OR_RAISE(const auto row,
                          arrow::MakeArrayFromScalar(*arguments[0].scalar(), 1, own));
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum judged, Judge<T>(set, *row->data(), own));
    return judged.make_array()->GetScalar(0);
  };
}

}  // namespace

Result<std::optional<Kernel>> MakeIntegerSet(const arrow::Array& values, arrow::MemoryPool* pool) {
  if (values.length() == 0 || values.null_count() > 0) return std::nullopt;
  const arrow::ArrayData& data = *values.data();
  switch (values.type_id()) {
    case arrow::Type::INT8:
      return Make<int8_t>(data, pool);
    case arrow::Type::INT16:
      return Make<int16_t>(data, pool);
    case arrow::Type::INT32:
      return Make<int32_t>(data, pool);
    case arrow::Type::INT64:
      return Make<int64_t>(data, pool);
    case arrow::Type::UINT8:
      return Make<uint8_t>(data, pool);
    case arrow::Type::UINT16:
      return Make<uint16_t>(data, pool);
    case arrow::Type::UINT32:
      return Make<uint32_t>(data, pool);
    case arrow::Type::UINT64:
      return Make<uint64_t>(data, pool);
    default:
      return std::nullopt;
  }
}

}  // namespace tusk::expr
