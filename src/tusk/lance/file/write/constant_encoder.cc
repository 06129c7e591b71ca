#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/block.h"
#include "tusk/lance/encodings/value_statistics.h"
#include "tusk/lance/file/write/page_encoder.h"

namespace tusk::lance {
namespace {

/// Values of at most so many bytes stand in the description of their page.
constexpr int64_t kMaxInlineBytes = 32;

std::string_view AsBytes(const std::vector<uint16_t>& levels) {
  return {reinterpret_cast<const char*>(levels.data()), levels.size() * sizeof(uint16_t)};
}

/// Levels that take at least so many bytes may be compressed.
constexpr size_t kMinCompressedLevels = 32 << 10;

Result<EncodedBlock> EncodeLevelBlock(const std::vector<uint16_t>& levels, int minor_version,
                                      arrow::MemoryPool* pool) {
  ValueShape shape;
  shape.bits = 16;
  const RowsView view{.shape = &shape,
                      .num_rows = std::ssize(levels),
                      .values = reinterpret_cast<const uint8_t*>(levels.data())};
  BlockOptions options{.minor_version = minor_version};
  if (AsBytes(levels).size() > kMinCompressedLevels) {
    options.compression = ValueEncoding::Compression::kZstd;
  }
  return EncodeBlock(view, options, pool);
}

void AddPlainLevels(const PageSlots& slots, EncodedPage* page) {
  for (const auto* levels : {&slots.repetition, &slots.definition}) {
    page->Add(arrow::Buffer::FromString(std::string(AsBytes(*levels))));
  }
}

/// The bytes of one value of a fixed shape.
std::string FixedValue(const RowsView& values, int64_t row) {
  const RowsView one = values.Slice({.begin = row, .end = row + 1});
  std::string bytes(BytesForBits(one.shape->row_bits()), '\0');
  CopyBits(one.values, one.values_bit, one.shape->row_bits(),
           reinterpret_cast<uint8_t*>(bytes.data()), 0);
  return bytes;
}

std::string_view Text(const RowsView& values, int64_t row) {
  return {reinterpret_cast<const char*>(values.values) + values.Offset(row),
          static_cast<size_t>(values.Length(row))};
}

/// The value in Arrow's buffers: u32 count, u32 length of each, then their bytes.
std::string ValueBuffer(const RowsView& values, int64_t row) {
  std::string bytes;
  if (!values.shape->is_variable) {
    const std::string value = FixedValue(values, row);
    AppendLittle(uint32_t{1}, &bytes);
    AppendLittle(static_cast<uint32_t>(value.size()), &bytes);
    return bytes + value;
  }
  const std::string_view text = Text(values, row);
  const int64_t width = values.shape->bits / 8;
  AppendLittle(uint32_t{2}, &bytes);
  AppendLittle(static_cast<uint32_t>(2 * width), &bytes);
  AppendLittle(static_cast<uint32_t>(text.size()), &bytes);
  const uint64_t ends[] = {0, text.size()};
  for (const uint64_t& end : ends) bytes.append(reinterpret_cast<const char*>(&end), width);
  bytes += text;
  return bytes;
}

}  // namespace

Result<EncodedPage> EncodeAllNullPage(const PageFormat& format, const PageSlots& slots,
                                      const OperationContext& context) {
  EncodedPage page;
  ConstantLayout layout{.is_all_null = true};
  if (slots.layers.size() > 1) {
    if (format.minor_version < 2) {
      AddPlainLevels(slots, &page);
    } else {
      const auto add = [&](const std::vector<uint16_t>& levels,
                           std::optional<ValueEncoding>* encoding, uint64_t* count) -> Status {
        if (levels.empty()) {
          page.Add(arrow::Buffer::FromString({}));
          return Status::OK();
        }
        ARROW_ASSIGN_OR_RAISE(EncodedBlock block,
                              EncodeLevelBlock(levels, format.minor_version, context.pool));
        *encoding = std::move(block.encoding);
        *count = levels.size();
        page.Add(std::move(block.bytes));
        return Status::OK();
      };
      ARROW_RETURN_NOT_OK(add(slots.repetition, &layout.repetition, &layout.num_rep_levels));
      ARROW_RETURN_NOT_OK(add(slots.definition, &layout.definition, &layout.num_def_levels));
    }
  }
  page.layout = {.layout = std::move(layout), .layers = slots.layers};
  return page;
}

Result<EncodedPage> EncodeEmptyStructPage(const PageSlots& slots) {
  if (slots.max_definition > 0 || slots.max_repetition > 0) {
    return Unsupported(
        "structs without fields that are null, in lists or in null structs cannot be written");
  }
  EncodedPage page;
  page.layout = {.layout = ConstantLayout{.is_all_null = true},
                 .layers = {LevelLayer::kNullableItem}};
  return page;
}

Result<std::optional<EncodedPage>> EncodeConstantPage(const PageSlots& slots) {
  const RowsView& values = slots.values;
  int64_t first = 0;
  while (values.IsNull(first)) ++first;
  if (!AllRowsEqual(values)) return std::nullopt;
  EncodedPage page;
  ConstantLayout layout;
  const bool is_inline =
      !values.shape->is_variable && values.shape->row_bits() <= kMaxInlineBytes * 8;
  if (is_inline) {
    layout.inline_value = FixedValue(values, first);
  } else {
    page.Add(arrow::Buffer::FromString(ValueBuffer(values, first)));
  }
  if (!slots.repetition.empty() || !slots.definition.empty()) AddPlainLevels(slots, &page);
  page.layout = {.layout = std::move(layout), .layers = slots.layers};
  return page;
}

}  // namespace tusk::lance
