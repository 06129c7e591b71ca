#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/predicate.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/partition_spec.h"

namespace tusk::iceberg {

/// Tells which manifests and files can hold rows that pass a filter, by their partitions, counts
/// and bounds. Transforms that keep the order turn a partition value into a range of the column;
/// of buckets, equality and sets are looked up. Thread-safe once made.
class FilePruner {
 public:
  /// `predicate` speaks of columns of `schema`, which has field ids; `specs` are those of the table
  /// by id.
  static Result<FilePruner> Make(const expr::Predicate& predicate, const arrow::Schema& schema,
                                 const std::map<int32_t, PartitionSpec>& specs);
  /// Prunes nothing.
  FilePruner();
  FilePruner(FilePruner&&) noexcept;
  FilePruner& operator=(FilePruner&&) noexcept;
  ~FilePruner();

  /// The field ids of the columns whose counts and bounds it looks at, ascending.
  std::vector<int32_t> columns() const;
  /// False only if no row of any file in the manifest can pass.
  bool MayMatch(const ManifestFile& manifest) const;
  /// False only if no row of `file`, whose partition is of the spec `spec_id`, can pass.
  bool MayMatch(const DataFile& file, int32_t spec_id) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tusk::iceberg
