#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/format_value.h"
#include "tusk/expr/function.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/source_text.h"
#include "tusk/expr/type_name.h"
#include "tusk/expr/value_order.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Of one text that is made of a list.
constexpr size_t kLongestText = 32 << 20;

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

/// Rearranges the places of the values of each list. `ranks` are those of the values of all lists,
/// if they were asked for.
using Rearrange =
    std::function<Status(const std::vector<int64_t>& ranks, std::vector<int64_t>* places)>;

/// `nulls` asks for ranks, and says where in them nulls inside of the values stand.
Result<NodePtr> MakeRearranged(const Binder& binder, const Call& call, const Rearrange& rearrange,
                               std::optional<NullOrder> nulls) {
  if (IsUntypedNull(call.arguments[0])) return call.arguments[0];
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr value_type = PlainType(ValueType(call.arguments[0]));
  if (nulls) {
    const auto order = CheckOrder(value_type, binder.compute());
    if (!order.ok()) return binder.Error(call.span, order.message());
  }
  const TypePtr type = arrow::list(value_type);
  Kernel kernel = [type, rearrange, nulls](const std::vector<Datum>& arguments,
                                           const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum values, PlainItems(lists, type, evaluation));
    std::vector<int64_t> ranks;
    if (nulls) {
      ARROW_ASSIGN_OR_RAISE(ranks, RankValues(*values.make_array(), *nulls, evaluation.compute));
    }
    return GatherLists(type, values, lists.array().length(), lists.is_scalar(), evaluation,
                       [&](int64_t row, arrow::Int64Builder* out) -> Result<bool> {
                         if (lists.IsNull(row)) return false;
                         std::vector<int64_t> places(static_cast<size_t>(lists.Size(row)));
                         std::iota(places.begin(), places.end(), lists.Begin(row));
                         ARROW_RETURN_NOT_OK(rearrange(ranks, &places));
                         ARROW_RETURN_NOT_OK(out->AppendValues(places));
                         return true;
                       });
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}

/// Whether a word of two is the second, in any case.
Result<bool> IsSecondWord(const Binder& binder, const NodePtr& node, std::string_view first,
                          std::string_view second) {
  ARROW_ASSIGN_OR_RAISE(const std::string word, ConstantText(binder, node));
  if (EqualInAnyCase(word, first)) return false;
  if (EqualInAnyCase(word, second)) return true;
  return binder.Error(node->span,
                      std::string(first) + " or " + std::string(second) + " is expected here");
}

/// Ascending, or 'DESC'; NaN is above all, and nulls come first, or 'NULLS LAST', as do those
/// inside of values.
Result<NodePtr> BindSort(const Binder& binder, const Call& call) {
  bool is_descending = false;
  bool has_nulls_last = false;
  if (call.arguments.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(is_descending, IsSecondWord(binder, call.arguments[1], "ASC", "DESC"));
  }
  if (call.arguments.size() > 2) {
    ARROW_ASSIGN_OR_RAISE(has_nulls_last,
                          IsSecondWord(binder, call.arguments[2], "NULLS FIRST", "NULLS LAST"));
  }
  return MakeRearranged(
      binder, call,
      [is_descending, has_nulls_last](const std::vector<int64_t>& ranks,
                                      std::vector<int64_t>* places) {
        // The rank of a null is -1.
        std::ranges::stable_sort(*places, {}, [&](int64_t place) {
          const int64_t rank = ranks[static_cast<size_t>(place)];
          const bool is_null = rank < 0;
          return std::pair(is_null != has_nulls_last ? 0 : 1, is_descending ? -rank : rank);
        });
        return Status::OK();
      },
      has_nulls_last == is_descending ? NullOrder::kBelow : NullOrder::kAbove);
}

Result<NodePtr> BindReverse(const Binder& binder, const Call& call) {
  return MakeRearranged(
      binder, call,
      [](const std::vector<int64_t>&, std::vector<int64_t>* places) {
        std::ranges::reverse(*places);
        return Status::OK();
      },
      std::nullopt);
}

/// The lists of the arguments one behind the other. A null list is an empty one, unless all are
/// null.
Result<NodePtr> BindConcat(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr type, CommonListType(binder, call.span, call.arguments));
  if (type->id() == arrow::Type::NA) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::null()));
  }
  ARROW_ASSIGN_OR_RAISE(auto arguments, AsLists(binder, call.arguments, type));
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const JoinedLists joined, JoinLists(values, type, evaluation));
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      bool is_valid = false;
      for (size_t i = 0; i < joined.lists.size(); ++i) {
        is_valid = is_valid || !joined.lists[i].IsNull(row);
        const int64_t begin = joined.Begin(i, row);
        for (int64_t j = 0; j < joined.lists[i].Size(row); ++j) {
          ARROW_RETURN_NOT_OK(places->Append(begin + j));
        }
      }
      return is_valid;
    };
    return GatherLists(type, joined.items, RowsOf(values, evaluation.length()),
                       std::ranges::all_of(values, &Datum::is_scalar), evaluation, add);
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}

Result<NodePtr> AddValue(const Binder& binder, const Call& call, const NodePtr& list,
                         const NodePtr& value, bool is_first) {
  NodePtr item = value;
  if (list->type->id() != arrow::Type::NA) {
    ARROW_RETURN_NOT_OK(CheckList(binder, list));
    ARROW_ASSIGN_OR_RAISE(item, AsItem(binder, call.span, list, value));
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

// What follows gives lists of the values that a list has.

/// The number of a place in a list of `size` from 0, by one that counts from 1, or back from the
/// end if it is negative.
int64_t PlaceOf(int64_t number, int64_t size) { return number < 0 ? number + size : number - 1; }

/// As array_slice takes them: values from `first` to `last`, both counted so and included, each
/// `step` from the one before.
Status AppendSlice(int64_t begin, int64_t size, int64_t first, int64_t last, int64_t step,
                   arrow::Int64Builder* places) {
  int64_t from =
      first < 0 ? std::max<int64_t>(first, -size) + size : std::max<int64_t>(first, 1) - 1;
  int64_t to = PlaceOf(last, size);
  if (last >= 0) to = std::min(to, size - 1);
  if (from >= size || to < 0) return Status::OK();
  if (step > 0) {
    for (; from <= to; from += step) {
      ARROW_RETURN_NOT_OK(places->Append(begin + from));
      if (to - from < step) break;
    }
    return Status::OK();
  }
  for (; from >= to; from += step) {
    ARROW_RETURN_NOT_OK(places->Append(begin + from));
    if (to - from > step) break;
  }
  return Status::OK();
}

Result<NodePtr> BindSlice(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  std::vector<NodePtr> arguments = {call.arguments[0]};
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsInteger(binder, call.arguments[i]));
  }
  const TypePtr type = arrow::list(PlainType(ValueType(call.arguments[0])));
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    std::vector<Values<int64_t>> numbers;
    for (size_t i = 1; i < values.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(values[i], evaluation.context->pool));
      numbers.emplace_back(std::move(operand));
    }
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (lists.IsNull(row)) return false;
      for (const auto& number : numbers) {
        if (number.IsNull(row)) return false;
      }
      const int64_t step = numbers.size() > 2 ? numbers[2][row] : 1;
      if (step == 0) return InvalidArgument("a slice cannot go on by steps of 0");
      ARROW_RETURN_NOT_OK(AppendSlice(lists.Begin(row), lists.Size(row), numbers[0][row],
                                      numbers[1][row], step, places));
      return true;
    };
    return GatherLists(type, items, RowsOf(values, evaluation.length()),
                       std::ranges::all_of(values, &Datum::is_scalar), evaluation, add);
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}

/// The first of each value in the order of the list.
Result<NodePtr> BindDistinct(const Binder& binder, const Call& call) {
  if (IsUntypedNull(call.arguments[0])) return call.arguments[0];
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr value_type = PlainType(ValueType(call.arguments[0]));
  const TypePtr type = arrow::list(value_type);
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
    ARROW_ASSIGN_OR_RAISE(const std::vector<int64_t> numbers, NumberValues(items, evaluation));
    std::unordered_map<int64_t, int64_t> seen_in;  // by number the last row that had it
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (lists.IsNull(row)) return false;
      for (int64_t i = lists.Begin(row); i < lists.Begin(row) + lists.Size(row); ++i) {
        const auto [seen, is_new] = seen_in.emplace(numbers[static_cast<size_t>(i)], row);
        if (!is_new && std::exchange(seen->second, row) == row) continue;
        ARROW_RETURN_NOT_OK(places->Append(i));
      }
      return true;
    };
    return GatherLists(type, items, lists.array().length(), lists.is_scalar(), evaluation, add);
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}

/// Appends a value as it stands in the text of a list: floats in plain digits, whole ones without a
/// point, as pylance has them here but not in casts.
Status AppendItem(const arrow::Array& items, int64_t i, std::string* out) {
  if (items.type_id() == arrow::Type::STRING) {
    *out += static_cast<const arrow::StringArray&>(items).GetView(i);
    return Status::OK();
  }
  if (items.type_id() == arrow::Type::LARGE_STRING) {
    *out += static_cast<const arrow::LargeStringArray&>(items).GetView(i);
    return Status::OK();
  }
  const bool is_double = items.type_id() == arrow::Type::DOUBLE;
  if (!is_double && items.type_id() != arrow::Type::FLOAT) return AppendValue(items, i, out);
  *out += is_double ? FormatPlainReal(static_cast<const arrow::DoubleArray&>(items).Value(i))
                    : FormatPlainReal(static_cast<const arrow::FloatArray&>(items).Value(i));
  return Status::OK();
}

/// Calls `visit(place)` for the values of a list and of the lists in it, with nothing for a null.
template <typename Visit>
Status VisitValues(std::span<const Lists> levels, const arrow::Array& values, int64_t row,
                   const Visit& visit) {
  const Lists& lists = levels.front();
  for (int64_t i = lists.Begin(row); i < lists.Begin(row) + lists.Size(row); ++i) {
    const bool is_null = levels.size() > 1 ? levels[1].IsNull(i) : values.IsNull(i);
    if (is_null || levels.size() == 1) {
      ARROW_RETURN_NOT_OK(visit(is_null ? std::nullopt : std::optional(i)));
    } else {
      ARROW_RETURN_NOT_OK(VisitValues(levels.subspan(1), values, i, visit));
    }
  }
  return Status::OK();
}

Result<NodePtr> BindToString(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  TypePtr value_type = PlainType(ValueType(call.arguments[0]));
  while (IsList(*value_type)) {
    value_type = PlainType(static_cast<const arrow::BaseListType&>(*value_type).value_type());
  }
  const TypePtr type = arrow::list(value_type);
  Kernel text;
  if (value_type->id() == arrow::Type::TIMESTAMP) {
    ARROW_ASSIGN_OR_RAISE(text, CastFunction(value_type, arrow::utf8(), /*is_try=*/false));
  }
  if (value_type->id() == arrow::Type::STRUCT) {
    return binder.Error(call.span, call.name + " of values of type " + NameOfType(*value_type) +
                                       " is not supported");
  }
  std::vector<NodePtr> arguments = {call.arguments[0]};
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsText(binder, call.arguments[i]));
  }
  Kernel kernel = [type, text = std::move(text)](const std::vector<Datum>& values,
                                                 const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    std::vector<Lists> levels = {lists};
    while (IsList(*levels.back().values()->type())) {
      levels.push_back(MakeListView(levels.back().values()));
    }
    ARROW_ASSIGN_OR_RAISE(Datum items, PlainItems(levels.back(), type, evaluation));
    if (text != nullptr) {
      ARROW_ASSIGN_OR_RAISE(items, text({items}, evaluation));
    }
    const auto array = items.make_array();
    std::vector<Texts> texts;
    for (size_t i = 1; i < values.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(values[i], evaluation.context->pool));
      texts.emplace_back(std::move(operand));
    }
    arrow::StringBuilder builder(evaluation.context->pool);
    std::string text;
    for (int64_t row = 0; row < RowsOf(values, evaluation.length()); ++row) {
      if (lists.IsNull(row) || texts[0].IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      const bool shows_nulls = texts.size() > 1 && !texts[1].IsNull(row);
      text.clear();
      bool is_first = true;
      ARROW_RETURN_NOT_OK(
          VisitValues(levels, *array, row, [&](std::optional<int64_t> place) -> Status {
            if (!place && !shows_nulls) return Status::OK();
            if (!is_first) text += texts[0][row];
            is_first = false;
            if (place) {
              ARROW_RETURN_NOT_OK(AppendItem(*array, *place, &text));
            } else {
              text += texts[1][row];
            }
            if (text.size() <= kLongestText) return Status::OK();
            return InvalidArgument("the text of a list would be longer than 32 MiB");
          }));
      ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    ARROW_ASSIGN_OR_RAISE(const auto result, builder.Finish());
    return ToResult(result, std::ranges::all_of(values, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, arrow::utf8(), std::move(arguments), std::move(kernel));
}

constexpr std::array kFunctions = {
    FunctionEntry{"array_sort", 1, 3, BindSort},
    FunctionEntry{"list_sort", 1, 3, BindSort},
    FunctionEntry{"array_reverse", 1, 1, BindReverse},
    FunctionEntry{"list_reverse", 1, 1, BindReverse},
    FunctionEntry{"array_concat", 1, -1, BindConcat},
    FunctionEntry{"list_concat", 1, -1, BindConcat},
    FunctionEntry{"array_cat", 1, -1, BindConcat},
    FunctionEntry{"list_cat", 1, -1, BindConcat},
    FunctionEntry{"array_append", 2, 2, BindAppend},
    FunctionEntry{"list_append", 2, 2, BindAppend},
    FunctionEntry{"array_push_back", 2, 2, BindAppend},
    FunctionEntry{"list_push_back", 2, 2, BindAppend},
    FunctionEntry{"array_prepend", 2, 2, BindPrepend},
    FunctionEntry{"list_prepend", 2, 2, BindPrepend},
    FunctionEntry{"array_push_front", 2, 2, BindPrepend},
    FunctionEntry{"list_push_front", 2, 2, BindPrepend},
    FunctionEntry{"make_array", 0, -1, BindMakeArray},
    FunctionEntry{"make_list", 0, -1, BindMakeArray},
    FunctionEntry{"array_distinct", 1, 1, BindDistinct},
    FunctionEntry{"list_distinct", 1, 1, BindDistinct},
    FunctionEntry{"array_slice", 3, 4, BindSlice},
    FunctionEntry{"list_slice", 3, 4, BindSlice},
    FunctionEntry{"array_to_string", 2, 3, BindToString},
    FunctionEntry{"list_to_string", 2, 3, BindToString},
    FunctionEntry{"array_join", 2, 3, BindToString},
    FunctionEntry{"list_join", 2, 3, BindToString},
};

}  // namespace

std::span<const FunctionEntry> ListMakingFunctions() { return kFunctions; }

}  // namespace tusk::expr
