#include "tusk/lance/file/column_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/page_encoder.h"

namespace tusk::lance {
namespace {

constexpr int64_t kBufferAlignment = 64;
constexpr uint8_t kPadding = 0x48;
/// The format counts the rows of full-zip pages in 32 bits.
constexpr int64_t kMaxPageRows = int64_t{1} << 30;

/// How many of the first rows have at most `bytes` bytes of Arrow memory.
int64_t RowsThatFit(const RowsView& rows, int64_t bytes) {
  int64_t fit = 0;
  int64_t too_many = std::min(rows.num_rows, kMaxPageRows) + 1;
  while (too_many - fit > 1) {
    const int64_t middle = fit + (too_many - fit) / 2;
    (rows.ArrowBytes(middle) <= bytes ? fit : too_many) = middle;
  }
  return fit;
}

}  // namespace

PendingRows::PendingRows(const ValueShape* shape, arrow::MemoryPool* pool)
    : shape_(shape), pool_(pool) {}
PendingRows::~PendingRows() = default;

int64_t PendingRows::arrow_bytes() const {
  const int64_t validity_bytes = has_nulls_ ? BytesForBits(num_rows_) : 0;
  if (!shape_->is_variable) return BytesForBits(num_rows_ * shape_->row_bits()) + validity_bytes;
  return num_bytes_ + num_rows_ * (shape_->bits / 8) + validity_bytes;
}

Status PendingRows::Grow(int64_t bytes, std::unique_ptr<arrow::ResizableBuffer>* buffer) {
  if (*buffer == nullptr) {
    return arrow::AllocateResizableBuffer(bytes, pool_).Value(buffer);
  }
  if (bytes > (*buffer)->capacity()) {
    ARROW_RETURN_NOT_OK((*buffer)->Reserve(std::max(bytes, 2 * (*buffer)->capacity())));
  }
  return (*buffer)->Resize(bytes, /*shrink_to_fit=*/false);
}

Status PendingRows::Append(const RowsView& rows) {
  const int64_t total = num_rows_ + rows.num_rows;
  if (rows.validity != nullptr && !has_nulls_) {
    ARROW_RETURN_NOT_OK(Grow(BytesForBits(num_rows_), &validity_));
    SetBits(validity_->mutable_data(), 0, num_rows_);
    has_nulls_ = true;
  }
  if (has_nulls_) {
    ARROW_RETURN_NOT_OK(Grow(BytesForBits(total), &validity_));
    if (rows.validity != nullptr) {
      CopyBits(rows.validity, rows.validity_bit, rows.num_rows, validity_->mutable_data(),
               num_rows_);
    } else {
      SetBits(validity_->mutable_data(), num_rows_, rows.num_rows);
    }
  }
  if (!shape_->is_variable) {
    const int64_t row_bits = shape_->row_bits();
    ARROW_RETURN_NOT_OK(Grow(BytesForBits(total * row_bits), &values_));
    CopyBits(rows.values, rows.values_bit, rows.num_rows * row_bits, values_->mutable_data(),
             num_rows_ * row_bits);
    num_rows_ = total;
    return Status::OK();
  }
  const int64_t width = shape_->bits / 8;
  const int64_t first = rows.Offset(0);
  const int64_t bytes = rows.Offset(rows.num_rows) - first;
  ARROW_RETURN_NOT_OK(Grow((total + 1) * width, &offsets_));
  ARROW_RETURN_NOT_OK(Grow(num_bytes_ + bytes, &values_));
  uint8_t* offsets = offsets_->mutable_data() + num_rows_ * width;
  for (int64_t row = 0; row <= rows.num_rows; ++row) {
    // Pages are cut long before their bytes pass 32 bits.
    const int64_t offset = num_bytes_ + rows.Offset(row) - first;
    std::memcpy(offsets + row * width, &offset, width);
  }
  if (bytes > 0) std::memcpy(values_->mutable_data() + num_bytes_, rows.values + first, bytes);
  num_bytes_ += bytes;
  num_rows_ = total;
  return Status::OK();
}

RowsView PendingRows::View() const {
  RowsView view;
  view.shape = shape_;
  view.num_rows = num_rows_;
  if (has_nulls_) view.validity = validity_->data();
  if (offsets_ != nullptr) view.offsets = offsets_->data();
  if (values_ != nullptr) view.values = values_->data();
  return view;
}

void PendingRows::Clear() {
  num_rows_ = 0;
  num_bytes_ = 0;
  has_nulls_ = false;
}

ColumnWriter::ColumnWriter(ValueShape shape, int64_t page_bytes, io::ObjectWriter* file,
                           const OperationContext& context)
    : shape_(std::make_unique<const ValueShape>(std::move(shape))),
      page_bytes_(page_bytes),
      file_(file),
      context_(context),
      pending_(shape_.get(), context.pool) {}

Status ColumnWriter::Append(const RowsView& rows) {
  for (int64_t row = 0; row < rows.num_rows;) {
    const RowsView rest = rows.Slice({.begin = row, .end = rows.num_rows});
    int64_t fit = RowsThatFit(rest, page_bytes_ - pending_.arrow_bytes());
    fit = std::min(fit, kMaxPageRows - pending_.num_rows());
    if (pending_.num_rows() == 0) fit = std::max<int64_t>(fit, 1);
    const RowsView next = rest.Slice({.begin = 0, .end = fit});
    const bool is_full = fit < rest.num_rows;
    if (is_full && pending_.num_rows() == 0) {
      // A whole page within the batch is encoded from where it is.
      ARROW_RETURN_NOT_OK(WritePage(next));
    } else {
      if (fit > 0) ARROW_RETURN_NOT_OK(pending_.Append(next));
      if (is_full) ARROW_RETURN_NOT_OK(WritePending());
    }
    row += fit;
  }
  return Status::OK();
}

Status ColumnWriter::WritePending() {
  ARROW_RETURN_NOT_OK(WritePage(pending_.View()));
  pending_.Clear();
  return Status::OK();
}

Status ColumnWriter::WritePage(const RowsView& rows) {
  ARROW_RETURN_NOT_OK(context_.CheckStop());
  ARROW_ASSIGN_OR_RAISE(EncodedPage encoded, EncodePage(rows, context_));
  PageMetadata page;
  page.num_rows = rows.num_rows;
  page.first_row = rows_written_;
  for (const std::span<const uint8_t> buffer : encoded.buffers) {
    page.buffers.push_back(
        {.offset = file_->bytes_written(), .length = static_cast<int64_t>(buffer.size())});
    ARROW_RETURN_NOT_OK(file_->Append(buffer));
    std::array<uint8_t, kBufferAlignment> padding;
    padding.fill(kPadding);
    const int64_t rest = -file_->bytes_written() & (kBufferAlignment - 1);
    ARROW_RETURN_NOT_OK(file_->Append(std::span(padding).first(rest)));
  }
  page.layout = std::move(encoded.layout);
  metadata_.pages.push_back(std::move(page));
  rows_written_ += rows.num_rows;
  return Status::OK();
}

Result<ColumnMetadata> ColumnWriter::Finish() {
  if (pending_.num_rows() > 0) ARROW_RETURN_NOT_OK(WritePending());
  return std::move(metadata_);
}

}  // namespace tusk::lance
