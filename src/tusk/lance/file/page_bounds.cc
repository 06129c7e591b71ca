#include "tusk/lance/file/page_bounds.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

template <typename Value>
bool HasNan(const arrow::ArrayData& values) {
  const auto* begin = values.GetValues<Value>(1);
  return std::any_of(begin, begin + values.length, [](Value value) { return std::isnan(value); });
}

/// Whether a slot is NaN, also one under a null.
bool MayHaveNan(const arrow::ArrayData& values) {
  if (values.type->id() == arrow::Type::FLOAT) return HasNan<float>(values);
  return values.type->id() == arrow::Type::DOUBLE && HasNan<double>(values);
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

/// A text as it is compared: most differ in their first eight bytes.
struct Text {
  uint64_t prefix = 0;  ///< the first bytes, most significant first; zeros behind a short one
  std::string_view bytes;

  /// The first `size` of `bytes`.
  static Text Of(std::string_view bytes, size_t size) {
    Text text{.prefix = 0, .bytes = bytes.substr(0, size)};
    if (bytes.size() >= kPrefixSize) {
      text.prefix = LoadBig(bytes);
      if (size < kPrefixSize) text.prefix &= ~(~uint64_t{0} >> (8 * size));
    } else {
      std::string padded(text.bytes);
      padded.resize(kPrefixSize);
      text.prefix = LoadBig(padded);
    }
    return text;
  }

  friend bool operator<(const Text& a, const Text& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.bytes < b.bytes;
  }

 private:
  static constexpr size_t kPrefixSize = sizeof(uint64_t);

  static uint64_t LoadBig(std::string_view from) {
    return __builtin_bswap64(LoadLittle<uint64_t>(from, 0));
  }
};

/// The least and the greatest of the texts that are not null, at least one.
template <typename Offset>
std::pair<std::string_view, std::string_view> FindMinMaxTexts(const arrow::ArrayData& values) {
  const auto* offsets = values.GetValues<Offset>(1);
  // Without a byte there may be no buffer.
  const std::string_view all =
      values.buffers[2] == nullptr ? "" : std::string_view(*values.buffers[2]);
  const uint8_t* validity = values.MayHaveNulls() ? values.buffers[0]->data() : nullptr;
  std::optional<Text> least;
  Text greatest;
  for (int64_t i = 0; i < values.length; ++i) {
    if (validity != nullptr && !GetBit(validity, values.offset + i)) continue;
    const Text text = Text::Of(all.substr(offsets[i]), offsets[i + 1] - offsets[i]);
    if (!least) {
      least = greatest = text;
    } else if (text < *least) {
      least = text;
    } else if (greatest < text) {
      greatest = text;
    }
  }
  return {least->bytes, greatest.bytes};
}

std::pair<std::string_view, std::string_view> FindMinMaxTexts(const arrow::ArrayData& values) {
  return arrow::is_large_binary_like(values.type->id()) ? FindMinMaxTexts<int64_t>(values)
                                                        : FindMinMaxTexts<int32_t>(values);
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
  if (!HasOrder(*values.type) || values.GetNullCount() == values.length || MayHaveNan(values)) {
    return Status::OK();
  }
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

}  // namespace tusk::lance
