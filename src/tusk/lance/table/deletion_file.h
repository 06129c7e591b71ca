#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Rows of a fragment that are gone, as runs of offsets: a few bytes of a file may delete billions.
class DeletedRows {
 public:
  struct Run {
    int64_t begin = 0;
    int64_t end = 0;
    int64_t deleted_before = 0;  ///< rows in the runs before this one
  };

  /// Adds the offsets [begin, end), above all that are there. Corrupt if they are not.
  Status Add(int64_t begin, int64_t end);

  int64_t count() const;
  const std::vector<Run>& runs() const { return runs_; }
  bool Contains(int64_t offset) const;
  /// The offset of a row that is counted without the deleted ones.
  int64_t OffsetOf(int64_t row) const;
  /// The opposite: how the row at `offset`, which is not deleted, counts without the deleted ones.
  int64_t RowOf(int64_t offset) const;
  /// The offsets in [begin, end) that are not deleted.
  std::vector<int64_t> OthersIn(int64_t begin, int64_t end) const;

 private:
  std::vector<Run> runs_;
};

/// Where the deletion file of `fragment`, which has one, is: relative to the table's root, or to
/// the base path that it names.
std::string DeletionPath(const Fragment& fragment);

/// Reads which rows of the fragment are gone. `fragment` has a deletion file, below `root`. Corrupt
/// if the file breaks its format or does not fit what the manifest says of the fragment.
Result<DeletedRows> ReadDeletedRows(const io::StorePath& root, const Fragment& fragment,
                                    const OperationContext& context);

/// The rows of either.
Result<DeletedRows> Union(const DeletedRows& a, const DeletedRows& b);

/// Those of `a` that are not in `b`.
Result<DeletedRows> Difference(const DeletedRows& a, const DeletedRows& b);

/// Writes a file of `deleted`, at least one row of the fragment, beside others that there may be:
/// an Arrow file of few rows, a bitmap of many. Answers what is to stand in the manifest.
Result<DeletionFile> WriteDeletedRows(const io::StorePath& table, uint64_t fragment_id,
                                      uint64_t read_version, const DeletedRows& deleted,
                                      const OperationContext& context);

/// The serialization that ParseRoaringBitmap reads, of rows below 2^32.
std::string SerializeRoaringBitmap(const DeletedRows& rows);

/// The values of a 32-bit Roaring bitmap in its portable serialization. Corrupt if it is none.
/// Source: the Roaring format specification.
Result<DeletedRows> ParseRoaringBitmap(std::string_view bytes);

}  // namespace tusk::lance
