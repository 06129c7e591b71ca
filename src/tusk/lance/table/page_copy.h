#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/stored_column.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// When a file of copied pages ends: with the fragment after which it has so many rows or bytes.
struct PageCopyLimits {
  int64_t max_rows_per_file = 1 << 20;
  int64_t max_bytes_per_file = int64_t{90} << 30;
  int64_t read_bytes = 16 << 20;  ///< that are read at a time
};

/// How fragments become larger ones of which the files have the same pages.
class PageCopy {
 public:
  /// Looks at the files of `fragments` of the version, which must have data version
  /// 2.`minor_version`. Unsupported, with the reason, if their pages cannot stand in one file:
  /// there are blobs or deleted rows, a fragment has not all parts of a column in one file, a file
  /// has another data version, or pages are known to be misread beside each other. Corrupt for a
  /// file that is broken. Memory: some hundred bytes a page.
  static Result<PageCopy> Plan(const Dataset::State& dataset, std::span<const Fragment> fragments,
                               uint16_t minor_version, const OperationContext& context);

  /// Writes the new files to `table`. A failure leaves none; Corrupt for a page that does not have
  /// the checksum with which it was written.
  Result<std::vector<Fragment>> Write(const io::StorePath& table, const PageCopyLimits& limits,
                                      const OperationContext& context) const;

 private:
  /// Columns of the new files that one old one has.
  struct Source {
    io::StorePath place;
    std::vector<size_t> columns;
    std::vector<StoredColumn> pages;  ///< of each of these
  };
  struct FragmentPages {
    int64_t num_rows = 0;
    std::vector<Source> sources;
  };
  class Planner;
  class Writer;

  Schema schema_;
  uint16_t minor_version_ = 0;
  std::vector<FragmentPages> fragments_;
};

}  // namespace tusk::lance
