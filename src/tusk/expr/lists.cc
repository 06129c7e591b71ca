#include "tusk/expr/lists.h"

#include <utility>

#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/compare.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Runs `kernel` for `length` rows that are not those of the batch.
Result<Datum> RunFor(const Kernel& kernel, const std::vector<Datum>& arguments, int64_t length,
                     const Evaluation& evaluation) {
  const auto rows = arrow::RecordBatch::Make(arrow::schema({}), length, arrow::ArrayVector());
  Evaluation inner = evaluation;
  inner.batch = rows.get();
  return kernel(arguments, inner);
}

}  // namespace

Lists::Lists(Operand operand) : Operand(std::move(operand)) {
  switch (array().type_id()) {
    case arrow::Type::LIST:
      list_ = static_cast<const arrow::ListArray*>(&array());
      values_ = list_->values();
      break;
    case arrow::Type::LARGE_LIST:
      large_ = static_cast<const arrow::LargeListArray*>(&array());
      values_ = large_->values();
      break;
    default:
      fixed_ = static_cast<const arrow::FixedSizeListArray*>(&array());
      values_ = fixed_->values();
  }
}

int64_t Lists::Begin(int64_t row) const {
  const int64_t i = Index(row);
  if (list_ != nullptr) return list_->value_offset(i);
  return large_ != nullptr ? large_->value_offset(i) : fixed_->value_offset(i);
}

int64_t Lists::Size(int64_t row) const {
  if (IsNull(row)) return 0;
  const int64_t i = Index(row);
  if (list_ != nullptr) return list_->value_length(i);
  return large_ != nullptr ? large_->value_length(i) : fixed_->value_length();
}

Result<Lists> MakeLists(const Datum& datum, const Evaluation& evaluation) {
  ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(datum, evaluation.context->pool));
  return Lists(std::move(operand));
}

Status CheckList(const Binder& binder, const NodePtr& node) {
  if (IsList(*node->type)) return Status::OK();
  return binder.Error(node->span,
                      "a list is expected here, but this is a " + NameOfType(*node->type));
}

const TypePtr& ValueType(const NodePtr& list) {
  return static_cast<const arrow::BaseListType&>(*list->type).value_type();
}

bool IsNullAt(const Datum& datum, int64_t row) {
  return datum.is_scalar() ? !datum.scalar()->is_valid : datum.make_array()->IsNull(row);
}

Result<ValueTest> MakeTest(const Binder& binder, const Call& call, const NodePtr& list,
                           const NodePtr& value) {
  ARROW_RETURN_NOT_OK(CheckList(binder, list));
  const TypePtr type = ValueType(list);
  ValueTest test{.value = value};
  if (value->literal || value->type->id() == arrow::Type::NA) {
    ARROW_ASSIGN_OR_RAISE(test.value, binder.Widen(value, PlainType(type)));
  }
  auto types = TypesToCompare(PlainType(type), test.value->type);
  if (!types.ok()) return binder.Error(call.span, types.status().message());
  ARROW_ASSIGN_OR_RAISE(test.value, binder.Widen(test.value, types->right));
  if (!types->left->Equals(*type)) {
    ARROW_ASSIGN_OR_RAISE(test.widen, WidenFunction(type, types->left));
  }
  ARROW_ASSIGN_OR_RAISE(test.equal, CompareFunction(Comparison::kEqual, *types, binder.compute()));
  return test;
}

Result<Matches> MatchValues(const ValueTest& test, const Lists& lists, const Datum& value,
                            int64_t rows, const Evaluation& evaluation) {
  arrow::MemoryPool* pool = evaluation.context->pool;
  arrow::Int64Builder places(pool);
  arrow::Int64Builder owners(pool);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < lists.Size(row); ++i) {
      ARROW_RETURN_NOT_OK(places.Append(lists.Begin(row) + i));
      ARROW_RETURN_NOT_OK(owners.Append(row));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto rows_of, owners.Finish());
  const auto options = cp::TakeOptions::NoBoundsCheck();
  ARROW_ASSIGN_OR_RAISE(
      Datum values, cp::Take(Datum(lists.values()), Datum(indices), options, evaluation.compute));
  if (test.widen != nullptr) {
    ARROW_ASSIGN_OR_RAISE(values, RunFor(test.widen, {values}, indices->length(), evaluation));
  }
  Datum wanted = value;
  if (value.is_array()) {
    ARROW_ASSIGN_OR_RAISE(wanted, cp::Take(value, Datum(rows_of), options, evaluation.compute));
  }
  ARROW_ASSIGN_OR_RAISE(const Datum truths,
                        RunFor(test.equal, {values, wanted}, indices->length(), evaluation));
  Matches matches;
  ARROW_ASSIGN_OR_RAISE(matches.truths, ToArray(truths, indices->length(), pool));
  return matches;
}

}  // namespace tusk::expr
