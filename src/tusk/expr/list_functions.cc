#include <algorithm>
#include <array>
#include <limits>
#include <optional>
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
#include "tusk/expr/value_order.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Element `index` from 1, from the end if negative; null if there is none.
Result<NodePtr> BindElement(const Binder& binder, const Call& call) {
  if (IsUntypedNull(call.arguments[0])) return call.arguments[0];
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

/// The size of a list or map. With a second argument that of the first list so deep in it; null if
/// there is none.
Result<NodePtr> BindLength(const Binder& binder, const Call& call) {
  if (call.arguments.size() == 2) {
    ARROW_ASSIGN_OR_RAISE(
        const NodePtr sizes,
        BindFunction(binder,
                     {.name = "array_dims", .span = call.span, .arguments = {call.arguments[0]}}));
    ARROW_ASSIGN_OR_RAISE(const NodePtr depth, AsInteger(binder, call.arguments[1]));
    // An empty list has no dimensions, but a length.
    ARROW_ASSIGN_OR_RAISE(
        const NodePtr size,
        BindLength(binder,
                   {.name = call.name, .span = call.span, .arguments = {call.arguments[0]}}));
    const NodePtr one = binder.MakeLiteral(call.span, std::make_shared<arrow::Int64Scalar>(1));
    const NodePtr zero = binder.MakeLiteral(call.span, std::make_shared<arrow::Int64Scalar>(0));
    ARROW_ASSIGN_OR_RAISE(const NodePtr is_first,
                          binder.Compare(call.span, Comparison::kEqual, depth, one));
    ARROW_ASSIGN_OR_RAISE(const NodePtr is_deeper,
                          binder.Compare(call.span, Comparison::kGreater, depth, zero));
    ARROW_ASSIGN_OR_RAISE(const NodePtr other, binder.Element(call.span, sizes, depth));
    return binder.MakeCase(call.span, {is_first, size, is_deeper, other});
  }
  if (call.arguments[0]->type->id() == arrow::Type::NA) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::uint64()));
  }
  if (call.arguments[0]->type->id() != arrow::Type::MAP) {
    ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  }
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

Result<NodePtr> BindHas(const Binder& binder, const Call& call) {
  if (IsUntypedNull(call.arguments[0])) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::boolean()));
  }
  ARROW_ASSIGN_OR_RAISE(ValueTest test,
                        MakeTest(binder, call, call.arguments[0], call.arguments[1]));
  const NodePtr value = test.value;
  Kernel kernel = [test = std::move(test)](const std::vector<Datum>& arguments,
                                           const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(arguments, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Matches matches,
                          MatchValues(test, lists, arguments[1], rows, evaluation));
    arrow::BooleanBuilder builder(evaluation.context->pool);
    int64_t at = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t end = at + lists.Size(row);
      bool has = false;
      for (; at < end && !has; ++at) has = matches.IsTrue(at);
      at = end;
      const bool is_null = lists.IsNull(row) || IsNullAt(arguments[1], row);
      ARROW_RETURN_NOT_OK(is_null ? builder.AppendNull() : builder.Append(has));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, std::ranges::all_of(arguments, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, arrow::boolean(), {call.arguments[0], value},
                         std::move(kernel));
}

/// The places from 1 on of the values of a list that are the second argument, be it null.
template <typename Append>
Kernel Positions(ValueTest test, const TypePtr& type, const Append& append) {
  return [test = std::move(test), type, append](const std::vector<Datum>& arguments,
                                                const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    const int64_t rows = RowsOf(arguments, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Matches matches,
                          MatchValues(test, lists, arguments[1], rows, evaluation));
    std::optional<Values<int64_t>> starts;
    if (arguments.size() > 2) {
      ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[2], pool));
      starts.emplace(std::move(operand));
    }
    ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(type, pool));
    int64_t at = 0;
    std::vector<uint64_t> found;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t size = lists.Size(row);
      const int64_t first = at;
      at += size;
      if (lists.IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      const int64_t start = starts && !starts->IsNull(row) ? (*starts)[row] : 1;
      if (start < 1 || start - 1 > size) {
        return InvalidArgument("a list of ", size, " values has no place ", start, " to start at");
      }
      found.clear();
      for (int64_t i = start - 1; i < size; ++i) {
        if (IsSame(matches, lists, arguments[1], row, first, i)) {
          found.push_back(static_cast<uint64_t>(i) + 1);
        }
      }
      ARROW_RETURN_NOT_OK(append(found, builder.get()));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder->Finish());
    return ToResult(array, std::ranges::all_of(arguments, &Datum::is_scalar));
  };
}

Result<NodePtr> BindPosition(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueTest test,
                        MakeTest(binder, call, call.arguments[0], call.arguments[1]));
  std::vector<NodePtr> arguments = {call.arguments[0], test.value};
  if (call.arguments.size() > 2) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsInteger(binder, call.arguments[2]));
  }
  const auto append = [](const std::vector<uint64_t>& found, arrow::ArrayBuilder* builder) {
    auto* places = static_cast<arrow::UInt64Builder*>(builder);
    return found.empty() ? places->AppendNull() : places->Append(found.front());
  };
  return binder.MakeCall(call.span, arrow::uint64(), std::move(arguments),
                         Positions(std::move(test), arrow::uint64(), append));
}

Result<NodePtr> BindPositions(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueTest test,
                        MakeTest(binder, call, call.arguments[0], call.arguments[1]));
  const NodePtr value = test.value;
  const TypePtr type = arrow::list(arrow::uint64());
  const auto append = [](const std::vector<uint64_t>& found,
                         arrow::ArrayBuilder* builder) -> Status {
    auto* lists = static_cast<arrow::ListBuilder*>(builder);
    ARROW_RETURN_NOT_OK(lists->Append());
    return static_cast<arrow::UInt64Builder*>(lists->value_builder())->AppendValues(found);
  };
  return binder.MakeCall(call.span, type, {call.arguments[0], value},
                         Positions(std::move(test), type, append));
}

/// The first value that is not null.
Result<NodePtr> BindAnyValue(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr type = arrow::list(PlainType(ValueType(call.arguments[0])));
  Kernel kernel = [type](const std::vector<Datum>& arguments,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
    const auto array = items.make_array();
    arrow::Int64Builder places(evaluation.context->pool);
    for (int64_t row = 0; row < lists.array().length(); ++row) {
      const int64_t end = lists.Begin(row) + lists.Size(row);
      int64_t place = lists.Begin(row);
      while (place < end && array->IsNull(place)) ++place;
      ARROW_RETURN_NOT_OK(place < end ? places.Append(place) : places.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
    ARROW_ASSIGN_OR_RAISE(
        const Datum values,
        cp::Take(items, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
    return ToResult(values.make_array(), lists.is_scalar());
  };
  return binder.MakeCall(call.span, type->field(0)->type(), {call.arguments[0]}, std::move(kernel));
}

/// How deep lists are in lists.
uint64_t DepthOf(TypePtr type) {
  uint64_t depth = 0;
  while (IsList(*type)) {
    type = static_cast<const arrow::BaseListType&>(*type).value_type();
    ++depth;
  }
  return depth;
}

Result<NodePtr> BindNdims(const Binder& binder, const Call& call) {
  if (call.arguments[0]->type->id() == arrow::Type::NA) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::uint64()));
  }
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  return binder.MakeCall(
      call.span, arrow::uint64(), {call.arguments[0]},
      PerList<arrow::UInt64Builder>(
          [depth = DepthOf(call.arguments[0]->type)](const Lists&, int64_t) { return depth; }));
}

/// The sizes of a list, of its first list and so on; what is behind an empty or a null one is 0.
/// Nothing if the list is empty itself.
std::vector<uint64_t> DimensionsOf(const arrow::Array& array, int64_t row, uint64_t depth) {
  std::vector<uint64_t> sizes;
  auto values = array.Slice(row, 1);
  while (sizes.size() < depth) {
    const bool is_there = values->length() > 0 && values->IsValid(0);
    const auto lists = MakeListView(values);
    const int64_t size = is_there ? lists.Size(0) : 0;
    sizes.push_back(static_cast<uint64_t>(size));
    values = lists.values()->Slice(size > 0 ? lists.Begin(0) : 0, size);
  }
  if (sizes.front() == 0) sizes.clear();
  return sizes;
}

Result<NodePtr> BindDims(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr type = arrow::list(arrow::uint64());
  Kernel kernel = [type, depth = DepthOf(call.arguments[0]->type)](
                      const std::vector<Datum>& arguments,
                      const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Operand lists,
                          Operand::Make(arguments[0], evaluation.context->pool));
    auto sizes = std::make_shared<arrow::UInt64Builder>(evaluation.context->pool);
    arrow::ListBuilder builder(evaluation.context->pool, sizes);
    for (int64_t row = 0; row < lists.array().length(); ++row) {
      const auto dimensions =
          lists.IsNull(row) ? std::vector<uint64_t>() : DimensionsOf(lists.array(), row, depth);
      if (dimensions.empty()) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(builder.Append());
      ARROW_RETURN_NOT_OK(sizes->AppendValues(dimensions));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, lists.is_scalar());
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}

/// The least or greatest values of the lists. As in pylance, a null inside of a value is above what
/// could be in its place.
Result<NodePtr> Extreme(const Binder& binder, const Call& call, bool is_greatest) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr type = PlainType(ValueType(call.arguments[0]));
  if (const auto order = CheckOrder(type, binder.compute()); !order.ok()) {
    return binder.Error(call.span, order.message());
  }
  Kernel kernel = [list_type = arrow::list(type), is_greatest](
                      const std::vector<Datum>& arguments,
                      const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum values, PlainItems(lists, list_type, evaluation));
    ARROW_ASSIGN_OR_RAISE(const auto ranks,
                          RankValues(*values.make_array(), NullOrder::kAbove, evaluation.compute));
    arrow::Int64Builder places(evaluation.context->pool);
    for (int64_t row = 0; row < lists.array().length(); ++row) {
      int64_t best = -1;
      int64_t best_rank = -1;
      for (int64_t i = lists.Begin(row); i < lists.Begin(row) + lists.Size(row); ++i) {
        const int64_t rank = ranks[static_cast<size_t>(i)];
        const bool wins = best < 0 || (is_greatest ? rank > best_rank : rank < best_rank);
        if (rank < 0 || !wins) continue;
        best = i;
        best_rank = rank;
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
    FunctionEntry{"array_length", 1, 2, BindLength},
    FunctionEntry{"list_length", 1, 2, BindLength},
    FunctionEntry{"cardinality", 1, 1, BindLength},
    FunctionEntry{"empty", 1, 1, BindEmpty},
    FunctionEntry{"array_empty", 1, 1, BindEmpty},
    FunctionEntry{"list_empty", 1, 1, BindEmpty},
    FunctionEntry{"array_has", 2, 2, BindHas},
    FunctionEntry{"list_has", 2, 2, BindHas},
    FunctionEntry{"array_contains", 2, 2, BindHas},
    FunctionEntry{"list_contains", 2, 2, BindHas},
    FunctionEntry{"array_position", 2, 3, BindPosition},
    FunctionEntry{"list_position", 2, 3, BindPosition},
    FunctionEntry{"array_indexof", 2, 3, BindPosition},
    FunctionEntry{"list_indexof", 2, 3, BindPosition},
    FunctionEntry{"array_positions", 2, 2, BindPositions},
    FunctionEntry{"list_positions", 2, 2, BindPositions},
    FunctionEntry{"array_any_value", 1, 1, BindAnyValue},
    FunctionEntry{"list_any_value", 1, 1, BindAnyValue},
    FunctionEntry{"array_dims", 1, 1, BindDims},
    FunctionEntry{"list_dims", 1, 1, BindDims},
    FunctionEntry{"array_ndims", 1, 1, BindNdims},
    FunctionEntry{"list_ndims", 1, 1, BindNdims},
    FunctionEntry{"array_max", 1, 1, BindMax},
    FunctionEntry{"list_max", 1, 1, BindMax},
    FunctionEntry{"array_min", 1, 1, BindMin},
    FunctionEntry{"list_min", 1, 1, BindMin},
};

}  // namespace

std::span<const FunctionEntry> ListFunctions() { return kFunctions; }

}  // namespace tusk::expr
