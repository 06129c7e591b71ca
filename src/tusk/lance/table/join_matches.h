#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/join_keys.h"
#include "tusk/lance/table/merge_source.h"

namespace tusk::lance {

/// The columns of data that is joined to a table.
struct JoinedColumns {
  Schema all;
  Schema values;  ///< without the key

  /// InvalidArgument unless `data` has one column `right_on` and others.
  static Result<JoinedColumns> Split(const arrow::Schema& data, const std::string& right_on);
};

/// OK if rows of the table can be joined by `left_on` to rows of the data by `right_on`.
Status CheckJoinKey(const Dataset::State& state, const MergeSource& source,
                    const std::string& left_on, const std::string& right_on);

/// Which row of the data each row of a table gets.
class JoinMatcher {
 public:
  static constexpr int64_t kNone = -1;

  static Result<std::unique_ptr<JoinMatcher>> Make(const MergeSource& source, const std::string& on,
                                                   const OperationContext& context);

  /// The number of the last row of the data that has the key of each row, or kNone. A null is found
  /// by a null.
  Result<std::vector<int64_t>> Match(const std::shared_ptr<arrow::Array>& column,
                                     const OperationContext& context);

 private:
  JoinMatcher(bool is_hash_the_key, const OperationContext& context)
      : table_(is_hash_the_key, context.pool) {}

  JoinKeyTable table_;
  int64_t null_row_ = kNone;
};

}  // namespace tusk::lance
