#include "tusk/lance/file/placed_texts.h"

#include <algorithm>
#include <numeric>

#include <arrow/buffer.h>

namespace tusk::lance {
namespace {

/// Of a row on the average. Shorter ones are read as ranges, which may be kept for the next take
/// and are read together with those of other columns.
constexpr int64_t kLeastBytes = 4096;

int64_t PrefixOf(const StoredTexts& stored, const io::ByteRange& row) {
  return std::min(stored.prefix_width, row.length);
}

}  // namespace

Result<std::optional<PlacedTexts>> PlacedTexts::Plan(std::vector<Part> parts, ColumnOutput* out,
                                                     std::vector<io::ReadTarget>* targets) {
  std::vector<int64_t> offsets(out->num_rows() + 1);
  for (const auto& [page, request, stored] : parts) {
    for (size_t i = 0; i < stored.rows.size(); ++i) {
      offsets[request.taken[i].position + 1] =
          stored.rows[i].length - PrefixOf(stored, stored.rows[i]);
    }
  }
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  if (offsets.back() < kLeastBytes * out->num_rows()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(uint8_t* bytes, out->PlaceAll(offsets));
  PlacedTexts placed(std::move(parts));
  for (const auto& [page, request, stored] : placed.parts_) {
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> prefixes,
        arrow::AllocateBuffer(std::ssize(stored.rows) * stored.prefix_width, out->pool()));
    uint8_t* prefix = prefixes->mutable_data();
    for (size_t i = 0; i < stored.rows.size(); ++i) {
      const auto& [offset, length] = stored.rows[i];
      const int64_t before = PrefixOf(stored, stored.rows[i]);
      const auto add = [&](int64_t at, uint8_t* into, int64_t size) {
        if (size > 0) targets->push_back({.offset = at, .into = {into, static_cast<size_t>(size)}});
      };
      add(offset, prefix, before);
      add(offset + before, bytes + offsets[request.taken[i].position], length - before);
      prefix += stored.prefix_width;
    }
    placed.prefixes_.push_back(std::move(prefixes));
  }
  return placed;
}

Status PlacedTexts::Finish(size_t part, ColumnOutput* out) const {
  const auto& [page, request, stored] = parts_[part];
  const uint8_t* prefix = prefixes_[part]->data();
  for (size_t i = 0; i < stored.rows.size(); ++i) {
    const int64_t before = PrefixOf(stored, stored.rows[i]);
    ARROW_RETURN_NOT_OK(page->PutTextPrefix({prefix, static_cast<size_t>(before)},
                                            stored.rows[i].length - before,
                                            request.taken[i].position, out));
    prefix += stored.prefix_width;
  }
  return Status::OK();
}

}  // namespace tusk::lance
