#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/compare.h"
#include "tusk/expr/function.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Element `index` from 1, from the end if negative; null if there is none.
Result<NodePtr> BindElement(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr index, AsInteger(binder, call.arguments[1]));
  const TypePtr type = PlainType(ValueType(call.arguments[0]));
  Kernel kernel = [type](const std::vector<Datum>& arguments,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[1], evaluation.context->pool));
    const Values<int64_t> numbers(std::move(operand));
    const int64_t rows = RowsOf(arguments, evaluation.length());
    arrow::Int64Builder places(evaluation.context->pool);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t size = lists.Size(row);
      int64_t number = numbers.IsNull(row) ? 0 : numbers[row];
      if (number < 0) number += size + 1;
      const bool is_there = number >= 1 && number <= size;
      ARROW_RETURN_NOT_OK(is_there ? places.Append(lists.Begin(row) + number - 1)
                                   : places.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
    ARROW_ASSIGN_OR_RAISE(Datum values,
                          cp::Take(Datum(lists.values()), Datum(indices),
                                   cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
    if (!values.type()->Equals(*type)) {
      ARROW_ASSIGN_OR_RAISE(values,
                            cp::Cast(values, cp::CastOptions::Safe(type), evaluation.compute));
    }
    return ToResult(values.make_array(), lists.is_scalar() && numbers.is_scalar());
  };
  return binder.MakeCall(call.span, type, {call.arguments[0], index}, std::move(kernel));
}

/// A value of each row from its list; `make` appends it.
template <typename Builder, typename Append>
Kernel PerList(const Append& append) {
  return
      [append](const std::vector<Datum>& arguments, const Evaluation& evaluation) -> Result<Datum> {
        ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
        Builder builder(evaluation.context->pool);
        for (int64_t row = 0; row < lists.array().length(); ++row) {
          ARROW_RETURN_NOT_OK(lists.IsNull(row) ? builder.AppendNull()
                                                : builder.Append(append(lists, row)));
        }
        ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
        return ToResult(array, lists.is_scalar());
      };
}

Result<NodePtr> BindLength(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  return binder.MakeCall(call.span, arrow::uint64(), {call.arguments[0]},
                         PerList<arrow::UInt64Builder>([](const Lists& lists, int64_t row) {
                           return static_cast<uint64_t>(lists.Size(row));
                         }));
}

Result<NodePtr> BindEmpty(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  return binder.MakeCall(call.span, arrow::boolean(), {call.arguments[0]},
                         PerList<arrow::BooleanBuilder>(
                             [](const Lists& lists, int64_t row) { return lists.Size(row) == 0; }));
}

/// Appends for each row what `append` makes of the number of its first match from 1, or 0.
template <typename Builder, typename Append>
Kernel FirstMatch(ValueTest test, Append append) {
  return [test = std::move(test), append](const std::vector<Datum>& arguments,
                                          const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(arguments, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Matches matches,
                          MatchValues(test, lists, arguments[1], rows, evaluation));
    const Datum& value = arguments[1];
    Builder builder(evaluation.context->pool);
    int64_t at = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t size = lists.Size(row);
      int64_t first = 0;
      for (int64_t i = 0; i < size && first == 0; ++i) {
        if (matches.IsTrue(at + i)) first = i + 1;
      }
      at += size;
      if (lists.IsNull(row) || IsNullAt(value, row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(append(first, &builder));
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, std::ranges::all_of(arguments, &Datum::is_scalar));
  };
}

Result<NodePtr> BindHas(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueTest test,
                        MakeTest(binder, call, call.arguments[0], call.arguments[1]));
  const NodePtr value = test.value;
  return binder.MakeCall(call.span, arrow::boolean(), {call.arguments[0], value},
                         FirstMatch<arrow::BooleanBuilder>(
                             std::move(test), [](int64_t first, arrow::BooleanBuilder* builder) {
                               return builder->Append(first > 0);
                             }));
}

Result<NodePtr> BindPosition(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueTest test,
                        MakeTest(binder, call, call.arguments[0], call.arguments[1]));
  const NodePtr value = test.value;
  return binder.MakeCall(call.span, arrow::uint64(), {call.arguments[0], value},
                         FirstMatch<arrow::UInt64Builder>(
                             std::move(test), [](int64_t first, arrow::UInt64Builder* builder) {
                               return first > 0 ? builder->Append(static_cast<uint64_t>(first))
                                                : builder->AppendNull();
                             }));
}

/// has_any and has_all: of a constant list each value is looked for.
Result<NodePtr> HasEach(const Binder& binder, const Call& call, NodeKind kind) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[1]));
  const NodePtr& wanted = call.arguments[1];
  if (wanted->kind != NodeKind::kLiteral) {
    return binder.Error(wanted->span, "the list of wanted values must be a constant");
  }
  if (!wanted->value->is_valid) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::boolean()));
  }
  const auto& values = *static_cast<const arrow::BaseListScalar&>(*wanted->value).value;
  constexpr int64_t kMostValues = 1000;
  if (values.length() > kMostValues) {
    return binder.Error(wanted->span, "at most 1,000 values can be looked for");
  }
  const NodePtr no = binder.MakeLiteral(call.span, std::make_shared<arrow::BooleanScalar>(false));
  std::vector<NodePtr> tests;
  for (int64_t i = 0; i < values.length(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto value, values.GetScalar(i));
    if (!value->is_valid) continue;
    ARROW_ASSIGN_OR_RAISE(
        NodePtr test, BindHas(binder, {.name = call.name,
                                       .span = call.span,
                                       .arguments = {call.arguments[0],
                                                     binder.MakeLiteral(wanted->span, value)}}));
    tests.push_back(std::move(test));
  }
  // An empty list of wanted values, where only null lists give null.
  if (tests.empty()) {
    ARROW_ASSIGN_OR_RAISE(NodePtr is_empty, BindEmpty(binder, {.name = call.name,
                                                               .span = call.span,
                                                               .arguments = {call.arguments[0]}}));
    ARROW_ASSIGN_OR_RAISE(const NodePtr opposite, binder.Not(call.span, is_empty));
    tests = {std::move(is_empty), opposite};
    kind = kind == NodeKind::kAnd ? NodeKind::kOr : NodeKind::kAnd;
  }
  if (tests.size() == 1) return tests.front();
  return binder.MakeChain(call.span, kind, std::move(tests));
}
Result<NodePtr> BindHasAny(const Binder& binder, const Call& call) {
  return HasEach(binder, call, NodeKind::kOr);
}
Result<NodePtr> BindHasAll(const Binder& binder, const Call& call) {
  return HasEach(binder, call, NodeKind::kAnd);
}

/// The places of the least or greatest values of the lists.
Result<NodePtr> Extreme(const Binder& binder, const Call& call, bool is_greatest) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr type = PlainType(ValueType(call.arguments[0]));
  auto rank = FindArrowFunction("cast", {type},
                                std::make_shared<cp::CastOptions>(cp::CastOptions::Safe(type)),
                                binder.compute());
  if (IsList(*type) || type->id() == arrow::Type::STRUCT || !rank.ok()) {
    return binder.Error(call.span, "values of type " + NameOfType(*type) + " have no order");
  }
  Kernel kernel = [type, is_greatest](const std::vector<Datum>& arguments,
                                      const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    // The place of each value in the order of all; nulls and NaN stand last.
    ARROW_ASSIGN_OR_RAISE(Datum values, cp::Cast(Datum(lists.values()), cp::CastOptions::Safe(type),
                                                 evaluation.compute));
    const cp::ArraySortOptions options;
    ARROW_ASSIGN_OR_RAISE(const Datum order, cp::CallFunction("array_sort_indices", {values},
                                                              &options, evaluation.compute));
    const auto sorted = order.array_as<arrow::UInt64Array>();
    std::vector<int64_t> ranks(static_cast<size_t>(sorted->length()));
    for (int64_t i = 0; i < sorted->length(); ++i) ranks[sorted->Value(i)] = i;
    const auto all = values.make_array();
    arrow::Int64Builder places(evaluation.context->pool);
    for (int64_t row = 0; row < lists.array().length(); ++row) {
      int64_t best = -1;
      for (int64_t i = lists.Begin(row); i < lists.Begin(row) + lists.Size(row); ++i) {
        if (all->IsNull(i)) continue;
        const bool wins =
            best < 0 ||
            (is_greatest == (ranks[static_cast<size_t>(i)] > ranks[static_cast<size_t>(best)]));
        if (wins) best = i;
      }
      ARROW_RETURN_NOT_OK(best < 0 ? places.AppendNull() : places.Append(best));
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
    ARROW_ASSIGN_OR_RAISE(
        const Datum result,
        cp::Take(values, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
    return ToResult(result.make_array(), lists.is_scalar());
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}
Result<NodePtr> BindMax(const Binder& binder, const Call& call) {
  return Extreme(binder, call, true);
}
Result<NodePtr> BindMin(const Binder& binder, const Call& call) {
  return Extreme(binder, call, false);
}

constexpr std::array kFunctions = {
    FunctionEntry{"array_element", 2, 2, BindElement},
    FunctionEntry{"array_extract", 2, 2, BindElement},
    FunctionEntry{"list_element", 2, 2, BindElement},
    FunctionEntry{"list_extract", 2, 2, BindElement},
    FunctionEntry{"array_length", 1, 1, BindLength},
    FunctionEntry{"list_length", 1, 1, BindLength},
    FunctionEntry{"cardinality", 1, 1, BindLength},
    FunctionEntry{"empty", 1, 1, BindEmpty},
    FunctionEntry{"array_empty", 1, 1, BindEmpty},
    FunctionEntry{"list_empty", 1, 1, BindEmpty},
    FunctionEntry{"array_has", 2, 2, BindHas},
    FunctionEntry{"list_has", 2, 2, BindHas},
    FunctionEntry{"array_contains", 2, 2, BindHas},
    FunctionEntry{"list_contains", 2, 2, BindHas},
    FunctionEntry{"array_has_any", 2, 2, BindHasAny},
    FunctionEntry{"list_has_any", 2, 2, BindHasAny},
    FunctionEntry{"arrays_overlap", 2, 2, BindHasAny},
    FunctionEntry{"array_has_all", 2, 2, BindHasAll},
    FunctionEntry{"list_has_all", 2, 2, BindHasAll},
    FunctionEntry{"array_position", 2, 2, BindPosition},
    FunctionEntry{"list_position", 2, 2, BindPosition},
    FunctionEntry{"array_indexof", 2, 2, BindPosition},
    FunctionEntry{"array_max", 1, 1, BindMax},
    FunctionEntry{"list_max", 1, 1, BindMax},
    FunctionEntry{"array_min", 1, 1, BindMin},
    FunctionEntry{"list_min", 1, 1, BindMin},
};

}  // namespace

std::span<const FunctionEntry> ListFunctions() { return kFunctions; }

}  // namespace tusk::expr
