#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/expr/filter.h"
#include "tusk/expr/predicate.h"
#include "tusk/lance/table/join_keys.h"
#include "tusk/lance/table/row_map.h"

namespace tusk::lance {

/// What a merge looks for in the rows of its target.
struct TargetSearch {
  std::vector<std::string> on;                ///< the columns of the key
  std::shared_ptr<const JoinKeyTable> table;  ///< of the source's keys in `part`
  KeyPart part;
  /// Whether rows of the target that match none are looked for too; of these only the ones for
  /// which `condition`, if there is one, is true of the columns `condition_columns`.
  bool wants_unmatched = false;
  std::shared_ptr<const expr::Filter::Bound> condition;
  std::vector<std::string> condition_columns;
};

/// Where keys of the source lie, for pages of the target in which no row can match.
class KeyBounds {
 public:
  /// `source` and `target` are the columns of the key on either side.
  KeyBounds(const arrow::FieldVector& source, const arrow::FieldVector& target);
  /// Takes notice of the keys in `columns`, all of `num_rows` rows.
  Status Add(const arrow::ArrayVector& columns, int64_t num_rows, arrow::MemoryPool* pool);
  /// What the key of every row that matches one of them satisfies.
  expr::Predicate predicate() const;

 private:
  arrow::FieldVector target_;
  std::vector<bool> has_order_;  ///< of each column
  std::vector<expr::Predicate> pieces_;
  bool is_known_ = true;
};

/// Keeps the rows that may match, where no others are wanted. It reads columns of the key, all or
/// some; `filter` has the hashes of these of the source's keys.
std::shared_ptr<const RowTest> MakeKeyTest(std::shared_ptr<const HashFilter> filter,
                                           expr::Predicate bounds);

/// Of rows that begin with the columns of the key and have `_rowaddr`, and `_rowid` if `has_ids`:
/// a row for each row of the source that has the key of a row of the target, and for each other row
/// of the target that is wanted.
std::shared_ptr<const RowMap> MakeKeyMatcher(TargetSearch search, bool has_ids);

/// What the map above gives.
struct FoundRows {
  static constexpr int64_t kUnmatched = -1;

  explicit FoundRows(const arrow::RecordBatch& rows);
  int64_t count;
  const int64_t* source_rows;  ///< kUnmatched: no row of the source has its key
  const uint64_t* addresses;
  const uint64_t* ids;  ///< null without ids
};

}  // namespace tusk::lance
