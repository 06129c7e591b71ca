#include "tusk/expr/pruning.h"

#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/compare.h"

namespace tusk::expr {
namespace {

using ScalarPtr = std::shared_ptr<arrow::Scalar>;

/// What a condition can be for some row.
struct Truth {
  bool may_be_true = true;
  bool may_be_false = true;
  bool may_be_null = true;
};

class Judge {
 public:
  Judge(const arrow::Schema& schema, const std::map<std::string, ColumnRange>& ranges)
      : schema_(schema), ranges_(ranges) {}

  Result<Truth> Of(const Node& node) const {
    switch (node.kind) {
      case NodeKind::kLiteral:
        return OfLiteral(node);
      case NodeKind::kAnd:
      case NodeKind::kOr:
        return OfChain(node);
      case NodeKind::kNot: {
        ARROW_ASSIGN_OR_RAISE(const Truth inner, Of(*node.arguments[0]));
        return Truth{.may_be_true = inner.may_be_false,
                     .may_be_false = inner.may_be_true,
                     .may_be_null = inner.may_be_null};
      }
      case NodeKind::kIsNull:
        return OfIsNull(node);
      case NodeKind::kCompare:
        return OfComparison(node);
      case NodeKind::kIn:
        return OfIn(node);
      default:
        return Truth{};
    }
  }

 private:
  static Truth OfLiteral(const Node& node) {
    if (node.type->id() != arrow::Type::BOOL) return {};
    const auto& value = static_cast<const arrow::BooleanScalar&>(*node.value);
    return {.may_be_true = value.is_valid && value.value,
            .may_be_false = value.is_valid && !value.value,
            .may_be_null = !value.is_valid};
  }

  Result<Truth> OfChain(const Node& node) const {
    const bool is_and = node.kind == NodeKind::kAnd;
    Truth result{.may_be_true = is_and, .may_be_false = !is_and, .may_be_null = false};
    for (const NodePtr& argument : node.arguments) {
      ARROW_ASSIGN_OR_RAISE(const Truth term, Of(*argument));
      result.may_be_null |= term.may_be_null;
      if (is_and) {
        result.may_be_true &= term.may_be_true;
        result.may_be_false |= term.may_be_false;
      } else {
        result.may_be_true |= term.may_be_true;
        result.may_be_false &= term.may_be_false;
      }
    }
    return result;
  }

  /// What is known of a column; null if `node` is none or nothing is known.
  const ColumnRange* RangeOf(const Node& node) const {
    if (node.kind != NodeKind::kColumn || node.path.size() != 1) return nullptr;
    const auto found = ranges_.find(schema_.field(node.path.front())->name());
    return found == ranges_.end() ? nullptr : &found->second;
  }

  Result<Truth> OfIsNull(const Node& node) const {
    const ColumnRange* range = RangeOf(*node.arguments[0]);
    if (range == nullptr) return Truth{.may_be_null = false};
    return Truth{.may_be_true = range->may_be_null || range->is_all_null,
                 .may_be_false = !range->is_all_null,
                 .may_be_null = false};
  }

  /// Whether a comparison of scalars of one type holds; true if it cannot be told.
  Result<bool> Holds(Comparison comparison, const ScalarPtr& left, const ScalarPtr& right) const {
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

  /// Whether some value of the range compares so with `value`.
  Result<bool> MayHold(Comparison comparison, const ColumnRange& range,
                       const ScalarPtr& value) const {
    switch (comparison) {
      case Comparison::kLess:
      case Comparison::kLessEqual:
        return Holds(comparison, range.least, value);
      case Comparison::kGreater:
      case Comparison::kGreaterEqual:
        return Holds(comparison, range.greatest, value);
      case Comparison::kEqual: {
        ARROW_ASSIGN_OR_RAISE(const bool above, Holds(Comparison::kLessEqual, range.least, value));
        ARROW_ASSIGN_OR_RAISE(const bool below,
                              Holds(Comparison::kGreaterEqual, range.greatest, value));
        return above && below;
      }
      case Comparison::kNotEqual:
        break;
    }
    if (range.least == nullptr || range.greatest == nullptr) return true;
    ARROW_ASSIGN_OR_RAISE(const bool least_differs,
                          Holds(Comparison::kNotEqual, range.least, value));
    ARROW_ASSIGN_OR_RAISE(const bool greatest_differs,
                          Holds(Comparison::kNotEqual, range.greatest, value));
    return least_differs || greatest_differs;
  }

  Result<Truth> OfComparison(const Node& node) const {
    const Node* column = node.arguments[0].get();
    const Node* literal = node.arguments[1].get();
    Comparison comparison = node.comparison;
    if (RangeOf(*column) == nullptr) {
      std::swap(column, literal);
      comparison = Mirrored(comparison);
    }
    const ColumnRange* range = RangeOf(*column);
    if (range == nullptr) return Truth{};
    if (range->is_all_null) return Truth{.may_be_true = false, .may_be_false = false};
    if (literal->kind != NodeKind::kLiteral) return Truth{};
    if (!literal->value->is_valid) return Truth{.may_be_true = false, .may_be_false = false};
    Truth truth{.may_be_null = range->may_be_null};
    ARROW_ASSIGN_OR_RAISE(truth.may_be_true, MayHold(comparison, *range, literal->value));
    ARROW_ASSIGN_OR_RAISE(truth.may_be_false,
                          MayHold(Opposite(comparison), *range, literal->value));
    return truth;
  }

  Result<Truth> OfIn(const Node& node) const {
    const ColumnRange* range = RangeOf(*node.arguments[0]);
    if (range == nullptr) return Truth{};
    if (range->is_all_null) return Truth{.may_be_true = false, .may_be_false = false};
    Truth truth{.may_be_null = range->may_be_null || node.set.has_null};
    // A value that is not in a set with a null is perhaps in it.
    truth.may_be_false = !node.set.has_null;
    if (node.set.least == nullptr) {
      truth.may_be_true = false;
      return truth;
    }
    ARROW_ASSIGN_OR_RAISE(const bool begins,
                          Holds(Comparison::kLessEqual, node.set.least, range->greatest));
    ARROW_ASSIGN_OR_RAISE(const bool ends,
                          Holds(Comparison::kGreaterEqual, node.set.greatest, range->least));
    truth.may_be_true = begins && ends;
    return truth;
  }

  const arrow::Schema& schema_;
  const std::map<std::string, ColumnRange>& ranges_;
};

}  // namespace

Result<bool> MayBeTrue(const Node& node, const arrow::Schema& schema,
                       const std::map<std::string, ColumnRange>& ranges) {
  ARROW_ASSIGN_OR_RAISE(const Truth truth, Judge(schema, ranges).Of(node));
  return truth.may_be_true;
}

}  // namespace tusk::expr
