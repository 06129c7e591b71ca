#include "tusk/lance/file/placed_rows.h"

#include <cstring>
#include <utility>

#include <arrow/buffer.h>

namespace tusk::lance {
namespace {

/// Narrower rows of a take are read as ranges, which may be kept for the next take: a copy of them
/// costs little beside a read.
constexpr int64_t kLeastWidth = 1024;

io::ReadTarget Target(int64_t offset, uint8_t* into, int64_t length) {
  return {.offset = offset, .into = {into, static_cast<size_t>(length)}};
}

}  // namespace

PlacedRows::PlacedRows(const Page* page, StoredRows stored, const PageRequest& request)
    : page_(page), stored_(stored), request_(request) {}

Result<std::optional<PlacedRows>> PlacedRows::Plan(const Page& page, const PageRequest& request,
                                                   ColumnOutput* out,
                                                   std::vector<io::ReadTarget>* targets) {
  const std::optional<StoredRows> stored = page.FindStoredRows(out->shape());
  if (!stored) return std::nullopt;
  PlacedRows rows(&page, *stored, request);
  if (request.is_take()) {
    if (stored->width < kLeastWidth) return std::nullopt;
    ARROW_RETURN_NOT_OK(rows.PlanTake(out, targets));
    return rows;
  }
  // What is read of a page alone becomes the array as it is.
  if (stored->prefix_width > 0 || request.rows.length() == out->num_rows()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  const int64_t width = stored->width;
  targets->push_back(Target(stored->begin + request.rows.begin * width,
                            values + request.position * width, request.rows.length() * width));
  return rows;
}

Status PlacedRows::PlanTake(ColumnOutput* out, std::vector<io::ReadTarget>* targets) {
  const auto [begin, prefix_width, width] = stored_;
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  ARROW_ASSIGN_OR_RAISE(
      prefixes_, arrow::AllocateBuffer(std::ssize(request_.taken) * prefix_width, out->pool()));
  uint8_t* prefix = prefixes_->mutable_data();
  int64_t before = -1;
  for (const TakenRow& taken : request_.taken) {
    const int64_t row = taken.row - request_.first_row;
    if (row == before) continue;
    before = row;
    const int64_t offset = begin + row * (prefix_width + width);
    if (prefix_width > 0) targets->push_back(Target(offset, prefix, prefix_width));
    prefix += prefix_width;
    targets->push_back(Target(offset + prefix_width, values + taken.position * width, width));
  }
  return Status::OK();
}

Status PlacedRows::Finish(ColumnOutput* out) const {
  if (!request_.is_take()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  const uint8_t* prefix = prefixes_->data();
  const TakenRow* first = &request_.taken.front();  // of those that ask for the same row
  for (const TakenRow& taken : request_.taken) {
    if (taken.row != first->row) {
      first = &taken;
      prefix += stored_.prefix_width;
    } else if (&taken != first) {
      std::memcpy(values + taken.position * stored_.width, values + first->position * stored_.width,
                  stored_.width);
    }
    if (stored_.prefix_width > 0) {
      ARROW_RETURN_NOT_OK(page_->PutPrefix(prefix, taken.position, out));
    }
  }
  return Status::OK();
}

}  // namespace tusk::lance
