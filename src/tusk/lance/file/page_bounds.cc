#include "tusk/lance/file/page_bounds.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/arrow_compute.h"

namespace tusk::lance {
namespace {

/// Of a text or bytes.
constexpr size_t kMostBoundBytes = 64;

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

bool HasOrder(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return true;
    default:
      return arrow::is_integer(type.id()) || arrow::is_decimal(type.id()) ||
             (arrow::is_temporal(type.id()) && !arrow::is_interval(type.id())) ||
             arrow::is_base_binary_like(type.id());
  }
}

/// The last code point of a text, and where it begins.
struct CodePoint {
  uint32_t value = 0;
  size_t begin = 0;
};

CodePoint LastCodePoint(std::string_view text) {
  CodePoint last{.value = 0, .begin = text.size() - 1};
  while (last.begin > 0 && (text[last.begin] & 0xC0) == 0x80) --last.begin;
  const auto lead = static_cast<uint8_t>(text[last.begin]);
  const size_t more = text.size() - last.begin - 1;
  // The lead of n more bytes has n + 1 bits set and one not.
  last.value = more == 0 ? lead : lead & (0x3FU >> more);
  for (size_t i = last.begin + 1; i < text.size(); ++i) {
    last.value = last.value << 6 | (static_cast<uint8_t>(text[i]) & 0x3FU);
  }
  return last;
}

void AppendCodePoint(uint32_t value, std::string* text) {
  if (value < 0x80) {
    text->push_back(static_cast<char>(value));
    return;
  }
  const int more = value < 0x800 ? 1 : value < 0x10000 ? 2 : 3;
  text->push_back(static_cast<char>((0xFFU << (7 - more) & 0xFF) | value >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    text->push_back(static_cast<char>(0x80 | (value >> (6 * i) & 0x3F)));
  }
}

/// The first text that is greater than all that begin with `prefix`; nothing if there is none.
std::optional<std::string> TextAbove(std::string prefix) {
  while (!prefix.empty()) {
    const CodePoint last = LastCodePoint(prefix);
    prefix.resize(last.begin);
    if (last.value < 0x10FFFF) {
      // There are no code points from D800 to DFFF.
      AppendCodePoint(last.value == 0xD7FF ? 0xE000 : last.value + 1, &prefix);
      return prefix;
    }
  }
  return std::nullopt;
}

std::optional<std::string> BytesAbove(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  ++prefix.back();
  return prefix;
}

/// What of `value` fits a bound, in front.
std::string Prefix(std::string_view value, bool is_text) {
  size_t size = std::min(value.size(), kMostBoundBytes);
  if (size < value.size() && is_text) {
    while (size > 0 && (value[size] & 0xC0) == 0x80) --size;
  }
  return std::string(value.substr(0, size));
}

/// The first eight of a text's `size` bytes at `begin` of `all`, most significant first, with zeros
/// behind a short one. In most pairs of texts they tell which is less.
uint64_t FirstBytes(std::string_view all, size_t begin, size_t size) {
  constexpr size_t kSize = sizeof(uint64_t);
  if (begin + kSize <= all.size()) {
    const auto bytes = __builtin_bswap64(LoadLittle<uint64_t>(all, begin));
    return size < kSize ? bytes & ~(~uint64_t{0} >> (8 * size)) : bytes;
  }
  std::string padded(all.substr(begin, size));
  padded.resize(kSize);
  return __builtin_bswap64(LoadLittle<uint64_t>(padded, 0));
}

/// The least and the greatest of the texts that are not null, at least one.
template <typename Offset>
std::pair<std::string_view, std::string_view> FindMinMaxTexts(const arrow::ArrayData& values) {
  const auto* offsets = values.GetValues<Offset>(1);
  // Without a byte there may be no buffer.
  const std::string_view all =
      values.buffers[2] == nullptr ? "" : std::string_view(*values.buffers[2]);
  const uint8_t* validity = values.MayHaveNulls() ? values.buffers[0]->data() : nullptr;
  struct Bound {
    uint64_t first_bytes;
    std::optional<std::string_view> text;
  };
  Bound least{.first_bytes = ~uint64_t{0}, .text = {}};
  Bound greatest{.first_bytes = 0, .text = {}};
  for (int64_t i = 0; i < values.length; ++i) {
    if (validity != nullptr && !GetBit(validity, values.offset + i)) continue;
    const auto size = static_cast<size_t>(offsets[i + 1] - offsets[i]);
    const uint64_t first_bytes = FirstBytes(all, offsets[i], size);
    if (least.first_bytes < first_bytes && first_bytes < greatest.first_bytes) continue;
    const std::string_view text = all.substr(offsets[i], size);
    if (first_bytes <= least.first_bytes && (!least.text || text < *least.text)) {
      least = {.first_bytes = first_bytes, .text = text};
    }
    if (first_bytes >= greatest.first_bytes && (!greatest.text || text > *greatest.text)) {
      greatest = {.first_bytes = first_bytes, .text = text};
    }
  }
  return {*least.text, *greatest.text};
}

std::pair<std::string_view, std::string_view> FindMinMaxTexts(const arrow::ArrayData& values) {
  return arrow::is_large_binary_like(values.type->id()) ? FindMinMaxTexts<int64_t>(values)
                                                        : FindMinMaxTexts<int32_t>(values);
}

/// A float's bits as an integer in the order of the values, in which a NaN is above or below all
/// numbers; and back again.
template <std::signed_integral Bits>
Bits FloatOrder(Bits bits) {
  return bits < 0 ? bits ^ std::numeric_limits<Bits>::max() : bits;
}

template <typename Value>
auto OrderOf(Value value) {
  if constexpr (std::is_same_v<Value, float>) {
    return FloatOrder(std::bit_cast<int32_t>(value));
  } else if constexpr (std::is_same_v<Value, double>) {
    return FloatOrder(std::bit_cast<int64_t>(value));
  } else {
    return value;
  }
}

template <typename Value, typename Order>
Value FromOrder(Order order) {
  if constexpr (std::is_floating_point_v<Value>) {
    return std::bit_cast<Value>(FloatOrder(order));
  } else {
    return order;
  }
}

/// Puts the bounds of the numbers that are not null, at least one, unless there is a NaN among
/// them.
template <typename Value>
void PutBoundsOf(const arrow::ArrayData& values, PageSummary* summary) {
  using Order = decltype(OrderOf(Value{}));
  const auto* begin = values.GetValues<Value>(1);
  const uint8_t* validity = values.MayHaveNulls() ? values.buffers[0]->data() : nullptr;
  Order least = std::numeric_limits<Order>::max();
  Order greatest = std::numeric_limits<Order>::min();
  for (int64_t i = 0; i < values.length; ++i) {
    if (validity != nullptr && !GetBit(validity, values.offset + i)) continue;
    const Order order = OrderOf(begin[i]);
    least = std::min(least, order);
    greatest = std::max(greatest, order);
  }
  if constexpr (std::is_floating_point_v<Value>) {
    constexpr Value kInfinity = std::numeric_limits<Value>::infinity();
    if (least < OrderOf(-kInfinity) || greatest > OrderOf(kInfinity)) return;
  }
  AppendLittle(FromOrder<Value>(least), &summary->least.emplace());
  AppendLittle(FromOrder<Value>(greatest), &summary->greatest.emplace());
}

/// Puts the bounds of plain numbers and times; false if the values are something else.
bool PutBoundsOfNumbers(const arrow::ArrayData& values, PageSummary* summary) {
  const auto put = [&]<typename Value>(Value /*unused*/) {
    PutBoundsOf<Value>(values, summary);
    return true;
  };
  switch (values.type->id()) {
    case arrow::Type::INT8:
      return put(int8_t{});
    case arrow::Type::UINT8:
      return put(uint8_t{});
    case arrow::Type::INT16:
      return put(int16_t{});
    case arrow::Type::UINT16:
      return put(uint16_t{});
    case arrow::Type::UINT32:
      return put(uint32_t{});
    case arrow::Type::UINT64:
      return put(uint64_t{});
    case arrow::Type::FLOAT:
      return put(float{});
    case arrow::Type::DOUBLE:
      return put(double{});
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return put(int32_t{});
    case arrow::Type::INT64:
    case arrow::Type::DATE64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return put(int64_t{});
    default:
      return false;
  }
}

/// The bytes of a value of fixed width, in memory as in a file.
Result<std::string> FixedBytes(const arrow::Scalar& scalar) {
  ARROW_ASSIGN_OR_RAISE(const auto array, arrow::MakeArrayFromScalar(scalar, 1));
  const arrow::Buffer& bytes = *array->data()->buffers[1];
  const int width = std::max(1, scalar.type->byte_width());
  return std::string(reinterpret_cast<const char*>(bytes.data()), width);
}

Result<std::shared_ptr<arrow::Scalar>> ParseBound(const std::string& bytes,
                                                  const std::shared_ptr<arrow::DataType>& type) {
  if (arrow::is_base_binary_like(type->id())) {
    return arrow::MakeScalar(type, arrow::Buffer::FromString(bytes));
  }
  const auto width = static_cast<size_t>(std::max(1, type->byte_width()));
  if (bytes.size() != width) {
    return Corrupt("a bound of type ", type->ToString(), " has ", bytes.size(), " bytes");
  }
  const auto data = arrow::ArrayData::Make(type, 1, {nullptr, arrow::Buffer::FromString(bytes)}, 0);
  return arrow::MakeArray(data)->GetScalar(0);
}

}  // namespace

Status FindBounds(const arrow::ArrayData& values, arrow::MemoryPool* pool, PageSummary* summary) {
  if (!HasOrder(*values.type) || values.GetNullCount() == values.length) return Status::OK();
  if (PutBoundsOfNumbers(values, summary)) return Status::OK();
  if (!arrow::is_base_binary_like(values.type->id())) {
    ARROW_ASSIGN_OR_RAISE(const Bounds bounds, FindMinMax(values, pool));
    ARROW_ASSIGN_OR_RAISE(summary->least, FixedBytes(*bounds.least));
    ARROW_ASSIGN_OR_RAISE(summary->greatest, FixedBytes(*bounds.greatest));
    return Status::OK();
  }
  const bool is_text = IsText(*values.type);
  const auto [least, greatest] = FindMinMaxTexts(values);
  summary->least = Prefix(least, is_text);
  std::string prefix = Prefix(greatest, is_text);
  if (prefix.size() == greatest.size()) {
    summary->greatest = std::move(prefix);
  } else {
    summary->greatest = is_text ? TextAbove(std::move(prefix)) : BytesAbove(std::move(prefix));
  }
  return Status::OK();
}

Result<expr::ColumnRange> RangeOf(const PageSummary& summary, int64_t num_rows,
                                  const std::shared_ptr<arrow::DataType>& type) {
  expr::ColumnRange range;
  if (summary.num_nulls) {
    if (*summary.num_nulls > num_rows) {
      return Corrupt("the annex claims ", *summary.num_nulls, " nulls of ", num_rows, " values");
    }
    range.may_be_null = *summary.num_nulls > 0;
    range.is_all_null = *summary.num_nulls == num_rows;
  }
  if (!HasOrder(*type)) return range;
  if (summary.least) {
    ARROW_ASSIGN_OR_RAISE(range.least, ParseBound(*summary.least, type));
  }
  if (summary.greatest) {
    ARROW_ASSIGN_OR_RAISE(range.greatest, ParseBound(*summary.greatest, type));
  }
  return range;
}

Result<expr::ColumnRange> RangeOfBits(int bits, const std::shared_ptr<arrow::DataType>& type) {
  expr::ColumnRange range{.least = nullptr, .greatest = nullptr, .may_be_null = false};
  const bool is_unsigned = arrow::is_unsigned_integer(type->id());
  if (!arrow::is_signed_integer(type->id()) && !arrow::is_temporal(type->id()) && !is_unsigned) {
    return range;
  }
  // With all of its bits a number may be negative, or as large as there are.
  const int width = type->byte_width();
  if (bits >= width * 8) return range;
  const uint64_t greatest = (uint64_t{1} << bits) - 1;
  PageSummary summary;
  summary.num_nulls = 0;
  summary.least = std::string(width, '\0');
  summary.greatest = std::string(reinterpret_cast<const char*>(&greatest), width);
  return RangeOf(summary, 1, type);
}

}  // namespace tusk::lance
