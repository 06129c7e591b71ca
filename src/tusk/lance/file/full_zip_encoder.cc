#include <cstring>
#include <limits>

#include <arrow/buffer.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/lance/file/page_encoder.h"

namespace tusk::lance {
namespace {

/// The level in front of each row of a page with nulls.
constexpr int64_t kControlBytes = 1;

Status AddBuffer(std::shared_ptr<arrow::Buffer> buffer, EncodedPage* page) {
  page->buffers.emplace_back(buffer->data(), buffer->size());
  page->owned.push_back(std::move(buffer));
  return Status::OK();
}

Status EncodeFixed(const RowsView& rows, const OperationContext& context, EncodedPage* page) {
  const int64_t width = rows.shape->row_bits() / 8;
  const uint8_t* from = rows.values + rows.values_bit / 8;
  if (rows.validity == nullptr) {
    page->buffers.emplace_back(from, rows.num_rows * width);
    return Status::OK();
  }
  const int64_t stride = kControlBytes + width;
  ARROW_ASSIGN_OR_RAISE(auto data, arrow::AllocateBuffer(rows.num_rows * stride, context.pool));
  uint8_t* to = data->mutable_data();
  for (int64_t row = 0; row < rows.num_rows; ++row, to += stride) {
    const bool is_null = rows.IsNull(row);
    *to = is_null ? 1 : 0;
    if (is_null) {
      std::memset(to + kControlBytes, 0, width);
    } else {
      std::memcpy(to + kControlBytes, from + row * width, width);
    }
  }
  return AddBuffer(std::move(data), page);
}

/// The narrowest of 1, 2, 4 and 8 bytes that holds `max`.
int64_t IndexWidth(uint64_t max) {
  if (max <= std::numeric_limits<uint8_t>::max()) return 1;
  if (max <= std::numeric_limits<uint16_t>::max()) return 2;
  if (max <= std::numeric_limits<uint32_t>::max()) return 4;
  return 8;
}

Status EncodeVariablePage(const RowsView& rows, const OperationContext& context,
                          EncodedPage* page) {
  const int64_t control = rows.validity == nullptr ? 0 : kControlBytes;
  const int64_t length_width = rows.shape->bits / 8;
  int64_t size = rows.num_rows * control;
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    if (!rows.IsNull(row)) size += length_width + rows.Length(row);
  }
  const int64_t index_width = IndexWidth(size);
  ARROW_ASSIGN_OR_RAISE(auto data, arrow::AllocateBuffer(size, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto index,
                        arrow::AllocateBuffer((rows.num_rows + 1) * index_width, context.pool));
  uint8_t* to = data->mutable_data();
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    const int64_t at = to - data->data();
    std::memcpy(index->mutable_data() + row * index_width, &at, index_width);
    const bool is_null = rows.IsNull(row);
    if (control > 0) *to = is_null ? 1 : 0;
    to += control;
    if (is_null) continue;
    const int64_t length = rows.Length(row);
    std::memcpy(to, &length, length_width);
    to += length_width;
    if (length > 0) std::memcpy(to, rows.values + rows.Offset(row), length);
    to += length;
  }
  std::memcpy(index->mutable_data() + rows.num_rows * index_width, &size, index_width);
  ARROW_RETURN_NOT_OK(AddBuffer(std::move(data), page));
  return AddBuffer(std::move(index), page);
}

}  // namespace

Result<EncodedPage> EncodeFullZipPage(const RowsView& page_rows, int64_t num_nulls,
                                      const OperationContext& context) {
  RowsView rows = page_rows;
  if (num_nulls == 0) rows.validity = nullptr;
  FullZipLayout layout;
  layout.bits_def = num_nulls > 0 ? 1 : 0;
  layout.is_variable = rows.shape->is_variable;
  layout.bits =
      static_cast<uint32_t>(rows.shape->is_variable ? rows.shape->bits : rows.shape->row_bits());
  layout.num_items = static_cast<uint64_t>(rows.num_rows);
  layout.num_visible = layout.num_items;
  layout.values =
      rows.shape->is_variable ? VariableEncoding(rows.shape->bits) : FlatEncoding(*rows.shape);
  EncodedPage page;
  page.layout = {.layout = std::move(layout), .layers = FlatLayers(num_nulls > 0)};
  ARROW_RETURN_NOT_OK(rows.shape->is_variable ? EncodeVariablePage(rows, context, &page)
                                              : EncodeFixed(rows, context, &page));
  return page;
}

}  // namespace tusk::lance
