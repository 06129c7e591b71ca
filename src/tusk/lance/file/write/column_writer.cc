#include "tusk/lance/file/write/column_writer.h"

#include <algorithm>
#include <utility>

#include <arrow/array/array_base.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>

#include "tusk/lance/file/page_bounds.h"

namespace tusk::lance {
namespace {

/// Rows of a page at most, and entries of levels: their numbers have 32 bits in full-zip pages.
constexpr int64_t kMaxPageRows = int64_t{1} << 30;

Result<std::shared_ptr<arrow::ArrayData>> JoinValues(const std::vector<LeafRows>& pieces,
                                                     arrow::MemoryPool* pool) {
  arrow::ArrayVector arrays;
  arrays.reserve(pieces.size());
  for (const LeafRows& piece : pieces) arrays.push_back(arrow::MakeArray(piece.values));
  ARROW_ASSIGN_OR_RAISE(const auto joined, arrow::Concatenate(arrays, pool));
  return joined->data();
}

void AppendLevels(const std::vector<uint16_t>& from, std::vector<uint16_t>* to) {
  to->insert(to->end(), from.begin(), from.end());
}

}  // namespace

ColumnWriter::ColumnWriter(LeafPath path, PageFormat format, int64_t page_bytes,
                           int64_t max_page_bytes, arrow::MemoryPool* pool)
    : path_(std::move(path)),
      format_(std::move(format)),
      page_bytes_(page_bytes),
      single_page_bytes_(std::max(page_bytes, std::min(max_page_bytes, page_bytes * 3 / 2))),
      most_bytes_(page_bytes),
      pool_(pool) {
  if (!format_.shape.is_variable && format_.shape.row_bits() / 8 >= kFullZipBytes) {
    single_page_bytes_ = most_bytes_ =
        std::max(page_bytes, std::min(max_page_bytes, page_bytes * 4));
  }
}

int64_t ColumnWriter::RowsThatFit(const arrow::ArrayData& array, RowRange rows,
                                  int64_t bytes) const {
  int64_t fit = 1;
  int64_t too_many = std::min(rows.length(), kMaxPageRows / path_.entries_per_row()) + 1;
  while (too_many - fit > 1) {
    const int64_t middle = fit + (too_many - fit) / 2;
    const RowRange first{.begin = rows.begin, .end = rows.begin + middle};
    (path_.ArrowBytes(array, first) <= bytes ? fit : too_many) = middle;
  }
  return fit;
}

Status ColumnWriter::OwnPending() {
  if (!borrows_) return Status::OK();
  std::shared_ptr<arrow::ArrayData>& values = pending_.pieces.back().values;
  ARROW_ASSIGN_OR_RAISE(const auto copy, arrow::Concatenate({arrow::MakeArray(values)}, pool_));
  values = copy->data();
  borrows_ = false;
  return Status::OK();
}

Status ColumnWriter::Append(const arrow::ArrayData& array, std::vector<PageRows>* pages) {
  RowRange rest{.begin = 0, .end = array.length};
  if (rest.length() == 0) return Status::OK();
  ARROW_RETURN_NOT_OK(OwnPending());
  const int64_t bytes = path_.ArrowBytes(array, rest);
  if (pending_.bytes + bytes <= page_bytes_ && pending_.num_rows + array.length <= kMaxPageRows) {
    ARROW_ASSIGN_OR_RAISE(LeafRows rows, path_.Take(array, rest, pool_));
    pending_.num_rows += rows.num_rows;
    pending_.bytes += bytes;
    pending_.pieces.push_back(std::move(rows));
    borrows_ = true;
    return Status::OK();
  }
  // All that was gathered is written, as pylance does, in pages of about the same size.
  const int64_t total = pending_.bytes + bytes;
  const int64_t num_pages =
      total <= single_page_bytes_ ? 1 : (total + most_bytes_ - 1) / most_bytes_;
  const int64_t share = total / num_pages + 1;
  while (rest.length() > 0) {
    const int64_t bytes_left = share - pending_.bytes;
    RowRange next{.begin = rest.begin};
    next.end = rest.begin + RowsThatFit(array, rest, bytes_left);
    const int64_t next_bytes = path_.ArrowBytes(array, next);
    if (next_bytes > bytes_left && !pending_.pieces.empty()) {
      // Not even one row more fits.
      Cut(pages);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(LeafRows rows, path_.Take(array, next, pool_));
    pending_.num_rows += rows.num_rows;
    pending_.bytes += next_bytes;
    pending_.pieces.push_back(std::move(rows));
    Cut(pages);
    rest.begin = next.end;
  }
  return Status::OK();
}

void ColumnWriter::Cut(std::vector<PageRows>* pages) {
  pages->push_back(std::move(pending_));
  pending_ = PageRows();
  borrows_ = false;
  has_page_ = true;
}

void ColumnWriter::Finish(std::vector<PageRows>* pages) {
  if (pending_.pieces.empty()) return;
  pending_.is_only_page = !has_page_;
  Cut(pages);
}

Result<LeafRows> ColumnWriter::Join(PageRows rows, arrow::MemoryPool* pool) {
  if (rows.pieces.size() == 1) return std::move(rows.pieces[0]);
  LeafRows joined;
  joined.num_rows = rows.num_rows;
  ARROW_ASSIGN_OR_RAISE(joined.values, JoinValues(rows.pieces, pool));
  for (const LeafRows& piece : rows.pieces) {
    AppendLevels(piece.definition, &joined.definition);
    AppendLevels(piece.repetition, &joined.repetition);
  }
  return joined;
}

Result<EncodedPage> ColumnWriter::Encode(PageRows rows, const OperationContext& context) const {
  const bool is_only_page = rows.is_only_page;
  ARROW_ASSIGN_OR_RAISE(LeafRows joined, Join(std::move(rows), context.pool));
  if (!is_only_page) joined.kept_levels = path_.NullLevelsAboveItems();
  auto values = joined.values;
  ARROW_ASSIGN_OR_RAISE(const PageSlots slots, PageSlots::Of(std::move(joined), path_.layers(),
                                                             format_.shape, context.pool));
  auto encoded = EncodePage(format_, slots, context);
  if (!encoded.ok()) {
    return WithContext(encoded.status(), "field '" + path_.column().field->name + "'");
  }
  EncodedPage page = *std::move(encoded);
  ARROW_RETURN_NOT_OK(Summarize(slots, *values, context.pool, &page.summary));
  page.summary.checksum = page.ChecksumOfBuffers();
  page.values = std::move(values);
  page.num_rows = slots.num_rows;
  return page;
}

Status ColumnWriter::Summarize(const PageSlots& slots, const arrow::ArrayData& values,
                               arrow::MemoryPool* pool, PageSummary* summary) const {
  // What holds for items says nothing of rows.
  if (path_.has_lists() || path_.entries_per_row() > 1) return Status::OK();
  summary->num_nulls = slots.num_nulls;
  // As text, JSON has another order than as bytes.
  if (path_.column().field->logical_type == "json") return Status::OK();
  return FindBounds(values, pool, summary);
}

}  // namespace tusk::lance
