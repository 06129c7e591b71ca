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
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// An operand of lists of any kind.
class Lists : public Operand {
 public:
  explicit Lists(Operand operand) : Operand(std::move(operand)) {
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
  /// Where the values of a row begin in values(), and how many they are.
  int64_t Begin(int64_t row) const {
    const int64_t i = Index(row);
    if (list_ != nullptr) return list_->value_offset(i);
    return large_ != nullptr ? large_->value_offset(i) : fixed_->value_offset(i);
  }
  int64_t Size(int64_t row) const {
    if (IsNull(row)) return 0;
    const int64_t i = Index(row);
    if (list_ != nullptr) return list_->value_length(i);
    return large_ != nullptr ? large_->value_length(i) : fixed_->value_length();
  }
  const std::shared_ptr<arrow::Array>& values() const { return values_; }

 private:
  const arrow::ListArray* list_ = nullptr;
  const arrow::LargeListArray* large_ = nullptr;
  const arrow::FixedSizeListArray* fixed_ = nullptr;
  std::shared_ptr<arrow::Array> values_;
};

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

/// Runs `kernel` for `length` rows that are not those of the batch.
Result<Datum> RunFor(const Kernel& kernel, const std::vector<Datum>& arguments, int64_t length,
                     const Evaluation& evaluation) {
  const auto rows = arrow::RecordBatch::Make(arrow::schema({}), length, arrow::ArrayVector());
  Evaluation inner = evaluation;
  inner.batch = rows.get();
  return kernel(arguments, inner);
}

Result<NodePtr> BindMakeArray(const Binder& binder, const Call& call) {
  if (call.arguments.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeArrayOfNull(arrow::null(), 0));
    return binder.MakeLiteral(call.span, std::make_shared<arrow::ListScalar>(std::move(empty)));
  }
  ARROW_ASSIGN_OR_RAISE(auto items, binder.Unify(call.span, call.arguments));
  const TypePtr type = arrow::list(items[0]->type);
  Kernel kernel = [type](const std::vector<Datum>& arguments,
                         const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    const int64_t rows = RowsOf(arguments, evaluation.length());
    const auto count = static_cast<int64_t>(arguments.size());
    arrow::ArrayVector pieces;
    for (const Datum& argument : arguments) {
      ARROW_ASSIGN_OR_RAISE(auto piece, ToArray(argument, rows, pool));
      pieces.push_back(std::move(piece));
    }
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate(pieces, pool));
    arrow::Int64Builder places(pool);
    arrow::Int32Builder offsets(pool);
    ARROW_RETURN_NOT_OK(offsets.Append(0));
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(places.Append(i * rows + row));
      if ((row + 1) * count > std::numeric_limits<int32_t>::max()) {
        return InvalidArgument("the lists have more than 2^31 values together");
      }
      ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>((row + 1) * count)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
    ARROW_ASSIGN_OR_RAISE(
        const Datum values,
        cp::Take(Datum(all), Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const auto ends, offsets.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto lists,
                          arrow::ListArray::FromArrays(*ends, *values.make_array(), pool));
    return ToResult(lists, rows == 1 && std::ranges::all_of(arguments, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, type, std::move(items), std::move(kernel));
}

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

/// How the values of a list are compared with a value.
struct ValueTest {
  NodePtr value;           ///< of the type on the right
  Kernel widen = nullptr;  ///< the values of the list to the type on the left; may be null
  Kernel equal = nullptr;
};

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

/// Of all lists' values one behind the other whether they equal the value of their row, and the row
/// of each.
struct Matches {
  std::shared_ptr<arrow::Array> truths;
  bool IsTrue(int64_t i) const {
    const auto& booleans = static_cast<const arrow::BooleanArray&>(*truths);
    return booleans.IsValid(i) && booleans.Value(i);
  }
};

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

bool IsNullAt(const Datum& datum, int64_t row) {
  return datum.is_scalar() ? !datum.scalar()->is_valid : datum.make_array()->IsNull(row);
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

/// Makes lists of the values at places among `values`, of which `add` tells those of a row.
template <typename Add>
Result<Datum> GatherLists(const TypePtr& type, const Datum& values, int64_t rows, bool is_scalar,
                          const Evaluation& evaluation, const Add& add) {
  arrow::Int64Builder places(evaluation.context->pool);
  arrow::Int32Builder offsets(evaluation.context->pool);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t begin = places.length();
    ARROW_ASSIGN_OR_RAISE(const bool is_valid, add(row, &places));
    if (places.length() > std::numeric_limits<int32_t>::max()) {
      return InvalidArgument("the lists have more than 2^31 values together");
    }
    ARROW_RETURN_NOT_OK(is_valid ? offsets.Append(static_cast<int32_t>(begin))
                                 : offsets.AppendNull());
  }
  ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(places.length())));
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(
      const Datum gathered,
      cp::Take(values, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
  ARROW_ASSIGN_OR_RAISE(const auto begins, offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto lists,
                        arrow::ListArray::FromArrays(type, *begins, *gathered.make_array(),
                                                     evaluation.context->pool));
  return ToResult(lists, is_scalar);
}

/// Rearranges the places of the values of each list.
using Rearrange = Status (*)(const std::vector<int64_t>& ranks, std::vector<int64_t>* places);

Result<NodePtr> MakeRearranged(const Binder& binder, const Call& call, Rearrange rearrange,
                               bool needs_ranks) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr value_type = PlainType(ValueType(call.arguments[0]));
  if (needs_ranks && (IsList(*value_type) || value_type->id() == arrow::Type::STRUCT)) {
    return binder.Error(call.span, "values of type " + NameOfType(*value_type) + " have no order");
  }
  const TypePtr type = arrow::list(value_type);
  Kernel kernel = [type, value_type, rearrange, needs_ranks](
                      const std::vector<Datum>& arguments,
                      const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(
        const Datum values,
        cp::Cast(Datum(lists.values()), cp::CastOptions::Safe(value_type), evaluation.compute));
    std::vector<int64_t> ranks;
    if (needs_ranks) {
      const cp::ArraySortOptions options;
      ARROW_ASSIGN_OR_RAISE(const Datum order, cp::CallFunction("array_sort_indices", {values},
                                                                &options, evaluation.compute));
      const auto sorted = order.array_as<arrow::UInt64Array>();
      ranks.resize(static_cast<size_t>(sorted->length()));
      const auto all = values.make_array();
      for (int64_t i = 0; i < sorted->length(); ++i) {
        const auto place = static_cast<int64_t>(sorted->Value(i));
        ranks[static_cast<size_t>(place)] = all->IsNull(place) ? -1 : i;
      }
    }
    return GatherLists(type, values, lists.array().length(), lists.is_scalar(), evaluation,
                       [&](int64_t row, arrow::Int64Builder* out) -> Result<bool> {
                         if (lists.IsNull(row)) return false;
                         std::vector<int64_t> places(static_cast<size_t>(lists.Size(row)));
                         for (size_t i = 0; i < places.size(); ++i) {
                           places[i] = lists.Begin(row) + static_cast<int64_t>(i);
                         }
                         ARROW_RETURN_NOT_OK(rearrange(ranks, &places));
                         ARROW_RETURN_NOT_OK(out->AppendValues(places));
                         return true;
                       });
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}

/// Ascending; nulls first and NaN last, as in pylance.
Result<NodePtr> BindSort(const Binder& binder, const Call& call) {
  return MakeRearranged(
      binder, call,
      [](const std::vector<int64_t>& ranks, std::vector<int64_t>* places) {
        std::ranges::sort(*places, {}, [&](int64_t place) { return ranks[place]; });
        return Status::OK();
      },
      /*needs_ranks=*/true);
}

Result<NodePtr> BindReverse(const Binder& binder, const Call& call) {
  return MakeRearranged(
      binder, call,
      [](const std::vector<int64_t>&, std::vector<int64_t>* places) {
        std::ranges::reverse(*places);
        return Status::OK();
      },
      /*needs_ranks=*/false);
}

/// The lists of two arguments one behind the other. A null list is an empty one, unless both are
/// null.
Result<NodePtr> BindConcat(const Binder& binder, const Call& call) {
  for (const NodePtr& list : call.arguments) ARROW_RETURN_NOT_OK(CheckList(binder, list));
  const TypePtr value_type =
      CommonType(PlainType(ValueType(call.arguments[0])), PlainType(ValueType(call.arguments[1])));
  if (value_type == nullptr) {
    return binder.Error(call.span, "the values of the lists have no type in common");
  }
  const TypePtr type = arrow::list(value_type);
  Kernel kernel = [type, value_type](const std::vector<Datum>& arguments,
                                     const Evaluation& evaluation) -> Result<Datum> {
    const auto options = cp::CastOptions::Safe(value_type);
    ARROW_ASSIGN_OR_RAISE(const Lists first, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Lists second, MakeLists(arguments[1], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum a,
                          cp::Cast(Datum(first.values()), options, evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const Datum b,
                          cp::Cast(Datum(second.values()), options, evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate({a.make_array(), b.make_array()},
                                                             evaluation.context->pool));
    const int64_t rows = RowsOf(arguments, evaluation.length());
    const bool is_scalar = first.is_scalar() && second.is_scalar();
    return GatherLists(type, Datum(all), rows, is_scalar, evaluation,
                       [&](int64_t row, arrow::Int64Builder* out) -> Result<bool> {
                         for (int64_t i = 0; i < first.Size(row); ++i) {
                           ARROW_RETURN_NOT_OK(out->Append(first.Begin(row) + i));
                         }
                         for (int64_t i = 0; i < second.Size(row); ++i) {
                           ARROW_RETURN_NOT_OK(out->Append(a.length() + second.Begin(row) + i));
                         }
                         return !first.IsNull(row) || !second.IsNull(row);
                       });
  };
  return binder.MakeCall(call.span, type, call.arguments, std::move(kernel));
}

Result<NodePtr> AddValue(const Binder& binder, const Call& call, const NodePtr& list,
                         const NodePtr& value, bool is_first) {
  ARROW_RETURN_NOT_OK(CheckList(binder, list));
  NodePtr item = value;
  if (item->literal) {
    ARROW_ASSIGN_OR_RAISE(item, binder.Widen(item, PlainType(ValueType(list))));
  }
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr one,
      BindMakeArray(binder, {.name = call.name, .span = call.span, .arguments = {item}}));
  Call both{.name = call.name, .span = call.span, .arguments = {list, one}};
  if (is_first) both.arguments = {one, list};
  return BindConcat(binder, both);
}
Result<NodePtr> BindAppend(const Binder& binder, const Call& call) {
  return AddValue(binder, call, call.arguments[0], call.arguments[1], /*is_first=*/false);
}
Result<NodePtr> BindPrepend(const Binder& binder, const Call& call) {
  return AddValue(binder, call, call.arguments[1], call.arguments[0], /*is_first=*/true);
}

constexpr std::array kFunctions = {
    FunctionEntry{"array_sort", 1, 1, BindSort},
    FunctionEntry{"list_sort", 1, 1, BindSort},
    FunctionEntry{"array_reverse", 1, 1, BindReverse},
    FunctionEntry{"list_reverse", 1, 1, BindReverse},
    FunctionEntry{"array_concat", 2, 2, BindConcat},
    FunctionEntry{"list_concat", 2, 2, BindConcat},
    FunctionEntry{"array_append", 2, 2, BindAppend},
    FunctionEntry{"list_append", 2, 2, BindAppend},
    FunctionEntry{"array_prepend", 2, 2, BindPrepend},
    FunctionEntry{"list_prepend", 2, 2, BindPrepend},
    FunctionEntry{"make_array", 0, -1, BindMakeArray},
    FunctionEntry{"make_list", 0, -1, BindMakeArray},
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
