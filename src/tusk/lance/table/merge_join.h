#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/merge_insert.h"
#include "tusk/lance/table/join_keys.h"
#include "tusk/lance/table/merge_condition.h"
#include "tusk/lance/table/merge_source.h"
#include "tusk/lance/table/rewritten_columns.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/target_rows.h"

namespace tusk::lance {

/// Joins the rows of a table, the target, with those of a source by their keys, and says what
/// becomes of each: which rows of the target go, and which rows are to be written. A table of the
/// source's keys is kept in memory, and the target's keys stream by; if the source has too many
/// keys for that, the target is read several times, each time for another part of them.
class MergeJoin {
 public:
  struct Counts {
    int64_t inserted = 0;
    int64_t updated = 0;
    int64_t deleted = 0;
  };

  /// A row of the target and the row of the source that takes its place.
  struct Match {
    uint64_t address = 0;
    int64_t source_row = 0;
  };

  /// All that is borrowed must outlive the object. InvalidArgument for keys and conditions that do
  /// not fit the columns, Unsupported for what would have to be written again and cannot.
  static Result<std::unique_ptr<MergeJoin>> Make(std::shared_ptr<const Dataset> target,
                                                 const MergeSource& source,
                                                 const std::vector<std::string>& on,
                                                 const MergeInsertOptions& options,
                                                 const OperationContext& context);

  /// All columns of the table, in its order, and behind them `_rowaddr`: which row of the table
  /// each one was; null for those that are inserted.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// The next rows that stand for rows of the target; null at the end, when it is known what
  /// becomes of every row of the target. InvalidArgument if several rows of the source match one
  /// that changes, and for any match if that is to fail.
  Result<std::shared_ptr<arrow::RecordBatch>> NextMoved();
  /// The next rows that are new, after the end of NextMoved; null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> NextInserted();

  // After the end.
  const Counts& counts() const { return counts_; }
  /// The rows of the target that go, be it for good or to be written again.
  AffectedRows TakeGone() { return std::move(gone_); }
  /// What is updated, if columns are to be written anew: NextMoved gives no rows then, and none
  /// goes. Ascending by address within each pass over the target.
  std::vector<Match> TakeMatches() { return std::move(matches_); }
  /// Of the rows of NextMoved, if row ids are stable.
  const std::vector<uint64_t>& moved_ids() const { return moved_ids_; }

 private:
  /// Rows of the source and the target that have the same key, one by one.
  struct Pairs {
    std::vector<int64_t> source_rows;
    std::vector<uint64_t> addresses;
    std::vector<uint64_t> ids;  ///< only if row ids are stable
  };

  MergeJoin(std::shared_ptr<const Dataset> target, const MergeSource& source,
            const std::vector<std::string>& on, const MergeInsertOptions& options,
            const OperationContext& context);
  Status Prepare();
  Status BuildKeyTable();
  bool CanCutFurther() const;
  Result<bool> TryToBuildKeyTable();
  Status AddKeys(const arrow::RecordBatch& rows, int64_t first_row);
  Status BeginPass();
  Status EndPass();
  /// Takes notice of what was found in rows of the target.
  Status Take(const FoundRows& found);
  /// Judges the pairs: those that stay become `moved_`, if rows are to be written for them.
  Status Flush();
  Result<std::shared_ptr<arrow::BooleanArray>> Judge(std::span<const int64_t> source_rows,
                                                     std::span<const uint64_t> addresses) const;
  Status KeepTrue();
  Status CheckUnique() const;
  Status FlushGone();
  Result<std::shared_ptr<arrow::RecordBatch>> MakeMoved();
  Result<std::shared_ptr<arrow::RecordBatch>> MakeInserted(const arrow::RecordBatch& batch,
                                                           const std::vector<int64_t>& rows) const;
  Status ErrorAt(int64_t source_row, std::string_view message) const;

  const std::shared_ptr<const Dataset> target_;
  const MergeSource& source_;
  const std::vector<std::string> on_;
  const MergeInsertOptions& options_;
  const OperationContext& context_;

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::string> source_columns_;
  std::vector<std::string> missing_columns_;  ///< of the table, that the source lacks, or parts of
  RewrittenColumns rewritten_;                ///< the missing ones
  std::optional<MergeCondition> update_condition_;
  std::shared_ptr<const expr::Filter::Bound> delete_condition_;
  std::vector<std::string> delete_columns_;  ///< what it reads

  KeyPart part_;  ///< of the pass over the target
  std::shared_ptr<JoinKeyTable> table_;
  std::optional<KeyBounds> bounds_;  ///< of the keys in `table_`, and perhaps of others
  /// The narrow columns of the key, if there are others too: these are then read only of rows that
  /// may match by the narrow ones, of whose hashes there is a filter.
  std::vector<std::string> narrow_columns_;
  std::shared_ptr<HashFilter> narrow_filter_;
  std::shared_ptr<arrow::RecordBatchReader> target_rows_;  ///< null between passes
  std::shared_ptr<arrow::Buffer> is_matched_;              ///< a bit for each row of the source
  Pairs pairs_;
  Pairs moved_;
  int64_t moved_at_once_ = 0;  ///< the most rows, by what those of the target have
  size_t next_moved_ = 0;      ///< of `moved_`; rows are made of those before it
  std::vector<uint64_t> gone_addresses_;
  AffectedRows gone_of_pass_;
  AffectedRows gone_;
  std::vector<uint64_t> moved_ids_;
  std::vector<Match> matches_;
  Counts counts_;
  std::shared_ptr<arrow::RecordBatchReader> source_rows_;
  int64_t next_source_row_ = 0;
};

}  // namespace tusk::lance
