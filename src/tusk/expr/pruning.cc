#include "tusk/expr/pruning.h"

#include <memory>

#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/compare.h"

namespace tusk::expr {
namespace {

using Kind = Predicate::Kind;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

/// Whether a comparison of scalars of one type holds; true if it cannot be told.
Result<bool> MayHold(Comparison comparison, const ScalarPtr& left, const ScalarPtr& right) {
  if (left == nullptr || right == nullptr) return true;
  if (!left->is_valid || !right->is_valid || !left->type->Equals(*right->type)) return true;
  arrow::compute::ExecContext compute;
  const OperationContext context;
  ARROW_ASSIGN_OR_RAISE(
      const Kernel kernel,
      CompareFunction(comparison, {.left = left->type, .right = right->type}, &compute));
  const auto row = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector());
  const Evaluation evaluation{.batch = row.get(), .compute = &compute, .context = &context};
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum result,
                        kernel({arrow::Datum(left), arrow::Datum(right)}, evaluation));
  return result.scalar_as<arrow::BooleanScalar>().value;
}

/// Whether the range has something of what lies from `least` to `greatest`.
Result<bool> MayMeet(const ColumnRange& range, const ScalarPtr& least, const ScalarPtr& greatest) {
  ARROW_ASSIGN_OR_RAISE(const bool begins, MayHold(Comparison::kLessEqual, least, range.greatest));
  if (!begins) return false;
  return MayHold(Comparison::kGreaterEqual, greatest, range.least);
}

/// Whether some value of the range, which is not all null, satisfies the leaf.
Result<bool> LeafMayBeTrue(const Predicate& leaf, const ColumnRange& range) {
  switch (leaf.kind) {
    case Kind::kLess:
      return MayHold(Comparison::kLess, range.least, leaf.values[0]);
    case Kind::kLessEqual:
      return MayHold(Comparison::kLessEqual, range.least, leaf.values[0]);
    case Kind::kGreater:
      return MayHold(Comparison::kGreater, range.greatest, leaf.values[0]);
    case Kind::kGreaterEqual:
      return MayHold(Comparison::kGreaterEqual, range.greatest, leaf.values[0]);
    case Kind::kEqual:
      return MayMeet(range, leaf.values[0], leaf.values[0]);
    case Kind::kNotEqual: {
      if (range.least == nullptr || range.greatest == nullptr) return true;
      ARROW_ASSIGN_OR_RAISE(const bool least_differs,
                            MayHold(Comparison::kNotEqual, range.least, leaf.values[0]));
      if (least_differs) return true;
      return MayHold(Comparison::kNotEqual, range.greatest, leaf.values[0]);
    }
    case Kind::kIn:
      return MayMeet(range, leaf.least, leaf.greatest);
    case Kind::kIsNull:
      return range.may_be_null;
    case Kind::kIsNan:
      // A column that may hold NaN has no range.
      return range.least == nullptr && range.greatest == nullptr;
    default:
      return true;
  }
}

}  // namespace

Result<bool> MayBeTrue(const Predicate& predicate,
                       const std::map<std::string, ColumnRange>& ranges) {
  switch (predicate.kind) {
    case Kind::kAnything:
      return true;
    case Kind::kNever:
      return false;
    case Kind::kAnd:
    case Kind::kOr: {
      const bool is_and = predicate.kind == Kind::kAnd;
      for (const Predicate& child : predicate.children) {
        ARROW_ASSIGN_OR_RAISE(const bool may_be_true, MayBeTrue(child, ranges));
        if (may_be_true != is_and) return may_be_true;
      }
      return is_and;
    }
    default:
      break;
  }
  if (predicate.path.size() != 1) return true;
  const auto range = ranges.find(predicate.path.front());
  if (range == ranges.end()) return true;
  if (range->second.is_all_null) return predicate.kind == Kind::kIsNull;
  return LeafMayBeTrue(predicate, range->second);
}

}  // namespace tusk::expr
