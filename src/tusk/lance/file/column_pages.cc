#include "tusk/lance/file/column_pages.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tusk::lance {

Result<std::unique_ptr<const ColumnPages>> ColumnPages::Make(const ColumnMetadata& metadata) {
  auto pages = std::make_unique<ColumnPages>();
  for (size_t i = 0; i < metadata.pages.size(); ++i) {
    const PageMetadata& from = metadata.pages[i];
    // A page without rows holds nothing to read.
    if (from.num_rows == 0) continue;
    auto page = MakePage(from.layout, from.num_rows, from.buffers);
    if (!page.ok()) return WithContext(page.status(), "page " + std::to_string(i));
    Entry entry;
    entry.first_row = from.first_row;
    entry.num_rows = from.num_rows;
    entry.number = i;
    entry.page = *std::move(page);
    pages->entries.push_back(std::move(entry));
    pages->num_rows = from.first_row + from.num_rows;
  }
  return pages;
}

const ColumnPages::Entry& ColumnPages::Find(int64_t row) const {
  return *(std::ranges::upper_bound(entries, row, {}, &Entry::first_row) - 1);
}

}  // namespace tusk::lance
