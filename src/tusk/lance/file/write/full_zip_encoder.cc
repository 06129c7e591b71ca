#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/lance/file/write/page_encoder.h"

namespace tusk::lance {
namespace {

/// Bytes of the control word in front of each entry.
int64_t ControlBytes(uint32_t bits) {
  if (bits == 0) return 0;
  if (bits <= 8) return 1;
  return bits <= 16 ? 2 : 4;
}

/// The narrowest of 1, 2, 4 and 8 bytes that holds `max`.
int64_t IndexWidth(int64_t max) {
  if (max <= std::numeric_limits<uint8_t>::max()) return 1;
  if (max <= std::numeric_limits<uint16_t>::max()) return 2;
  if (max <= std::numeric_limits<uint32_t>::max()) return 4;
  return 8;
}

/// Zips the entries of a page: the control word, and the value if there is one.
class Zipper {
 public:
  Zipper(const PageSlots& slots, const RowsView& values)
      : slots_(slots),
        values_(values),
        bits_rep_(std::bit_width(slots.max_repetition)),
        bits_def_(std::bit_width(slots.max_definition)),
        control_bytes_(ControlBytes(bits_rep_ + bits_def_)) {}

  uint32_t bits_rep() const { return bits_rep_; }
  uint32_t bits_def() const { return bits_def_; }
  bool has_index() const { return slots_.max_repetition > 0 || values_.shape->is_variable; }

  Status Zip(arrow::MemoryPool* pool, EncodedPage* page) const {
    const int64_t size = Size();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> data, arrow::AllocateBuffer(size, pool));
    std::shared_ptr<arrow::Buffer> index;
    const int64_t width = IndexWidth(size);
    if (has_index()) {
      ARROW_ASSIGN_OR_RAISE(index, arrow::AllocateBuffer((slots_.num_rows + 1) * width, pool));
    }
    uint8_t* to = data->mutable_data();
    uint8_t* index_to = index == nullptr ? nullptr : index->mutable_data();
    int64_t slot = 0;
    for (int64_t entry = 0; entry < slots_.num_entries; ++entry) {
      if (index_to != nullptr && slots_.BeginsRow(entry)) {
        const int64_t at = to - data->data();
        std::memcpy(index_to, &at, width);
        index_to += width;
      }
      const uint16_t definition = slots_.definition.empty() ? 0 : slots_.definition[entry];
      uint32_t control = definition;
      if (bits_rep_ > 0) control |= uint32_t{slots_.repetition[entry]} << bits_def_;
      std::memcpy(to, &control, control_bytes_);
      to += control_bytes_;
      if (definition <= slots_.max_visible) to = AppendValue(slot++, definition == 0, to);
    }
    if (index_to != nullptr) std::memcpy(index_to, &size, width);
    page->Add(std::move(data));
    if (index != nullptr) page->Add(std::move(index));
    return Status::OK();
  }

  bool is_plain() const { return control_bytes_ == 0 && !has_index(); }

 private:
  int64_t Size() const {
    int64_t size = slots_.num_entries * control_bytes_;
    if (!values_.shape->is_variable) return size + values_.num_rows * values_.shape->row_bits() / 8;
    for (int64_t row = 0; row < values_.num_rows; ++row) {
      if (!slots_.values.IsNull(row)) size += values_.shape->bits / 8 + values_.Length(row);
    }
    return size;
  }

  uint8_t* AppendValue(int64_t slot, bool is_valid, uint8_t* to) const {
    if (values_.shape->is_variable) {
      if (!is_valid) return to;
      const int64_t width = values_.shape->bits / 8;
      const int64_t length = values_.Length(slot);
      std::memcpy(to, &length, width);
      if (length > 0) std::memcpy(to + width, values_.values + values_.Offset(slot), length);
      return to + width + length;
    }
    const int64_t width = values_.shape->row_bits() / 8;
    if (is_valid) {
      std::memcpy(to, values_.values + values_.values_bit / 8 + slot * width, width);
    } else {
      std::memset(to, 0, width);
    }
    return to + width;
  }

  const PageSlots& slots_;
  const RowsView& values_;
  const uint32_t bits_rep_;
  const uint32_t bits_def_;
  const int64_t control_bytes_;
};

}  // namespace

Result<EncodedPage> EncodeFullZipPage(const PageSlots& slots, const RowsView& values,
                                      const ValueEncoding& encoding,
                                      const OperationContext& context) {
  const Zipper zipper(slots, values);
  FullZipLayout layout;
  layout.bits_rep = zipper.bits_rep();
  layout.bits_def = zipper.bits_def();
  layout.is_variable = values.shape->is_variable;
  layout.bits = static_cast<uint32_t>(values.shape->is_variable ? values.shape->bits
                                                                : values.shape->row_bits());
  layout.num_items = static_cast<uint64_t>(slots.num_entries);
  layout.num_visible = static_cast<uint64_t>(values.num_rows);
  layout.values = encoding;
  EncodedPage page;
  page.layout = {.layout = std::move(layout), .layers = slots.layers};
  if (zipper.is_plain()) {
    // Nothing stands between the values: they are the page.
    page.buffers.emplace_back(values.values + values.values_bit / 8,
                              values.num_rows * values.shape->row_bits() / 8);
    return page;
  }
  ARROW_RETURN_NOT_OK(zipper.Zip(context.pool, &page));
  return page;
}

}  // namespace tusk::lance
