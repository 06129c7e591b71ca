#include "tusk/lance/table/join_matches.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/table/computed_columns.h"

namespace tusk::lance {

Result<JoinedColumns> JoinedColumns::Split(const arrow::Schema& data, const std::string& right_on) {
  JoinedColumns columns;
  ARROW_ASSIGN_OR_RAISE(
      columns.all,
      Schema::FromArrow(*WithoutViews(std::make_shared<arrow::Schema>(data.fields()))));
  for (const Field& field : columns.all.fields) {
    if (field.name != right_on) columns.values.fields.push_back(field);
  }
  const auto count = columns.all.fields.size() - columns.values.fields.size();
  if (count != 1) {
    return InvalidArgument("cannot join: the data has ", count, " columns '", right_on,
                           "', not one");
  }
  if (columns.values.fields.empty()) {
    return InvalidArgument("cannot join: the data has no column beside its key '", right_on, "'");
  }
  return columns;
}

Status CheckJoinKey(const Dataset::State& state, const MergeSource& source,
                    const std::string& left_on, const std::string& right_on) {
  const auto left = NameableColumns(state).GetFieldByName(left_on);
  if (left == nullptr) {
    return InvalidArgument("cannot join: ", state.location.path, " has no column '", left_on, "'");
  }
  const auto right = source.schema()->GetFieldByName(right_on);
  if (IsStoredAs(*WithoutViews(right->type()), *left->type())) return Status::OK();
  return InvalidArgument("cannot join: '", left_on, "' of ", state.location.path, " has type ",
                         left->type()->ToString(), ", but '", right_on, "' of the data has type ",
                         right->type()->ToString());
}

Result<std::unique_ptr<JoinMatcher>> JoinMatcher::Make(const MergeSource& source,
                                                       const std::string& on,
                                                       const OperationContext& context) {
  const auto key = source.schema()->GetFieldByName(on);
  ARROW_RETURN_NOT_OK(JoinKeys::CheckType(*key));
  auto matcher =
      std::unique_ptr<JoinMatcher>(new JoinMatcher(JoinKeys::IsHashTheKey({key}), context));
  ARROW_ASSIGN_OR_RAISE(const auto reader, source.Scan({on}, context));
  int64_t number = 0;
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(const JoinKeys keys,
                          JoinKeys::Make(batch->columns(), batch->num_rows(), context));
    for (int64_t row = 0; row < batch->num_rows(); ++row, ++number) {
      if (keys.has_null(row)) {
        matcher->null_row_ = number;
      } else {
        ARROW_RETURN_NOT_OK(matcher->table_.Add(keys, row, number));
      }
    }
  }
  ARROW_RETURN_NOT_OK(matcher->table_.Finish());
  return matcher;
}

Result<std::vector<int64_t>> JoinMatcher::Match(const std::shared_ptr<arrow::Array>& column,
                                                const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const JoinKeys keys, JoinKeys::Make({column}, column->length(), context));
  std::vector<int64_t> matches(column->length(), kNone);
  for (int64_t row = 0; row < column->length(); ++row) {
    if (keys.has_null(row)) {
      matches[row] = null_row_;
    } else if (table_.MayHave(keys.hash(row))) {
      table_.Find(keys, row, [&](int64_t number) { matches[row] = number; });
    }
  }
  return matches;
}

}  // namespace tusk::lance
