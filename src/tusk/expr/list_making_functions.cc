#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
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
#include "tusk/expr/type_name.h"

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

/// The values of the lists in the type that those of `type` have.
Result<Datum> PlainItems(const Lists& lists, const TypePtr& type, const Evaluation& evaluation) {
  const TypePtr& value_type = type->field(0)->type();
  if (lists.values()->type()->Equals(*value_type)) return Datum(lists.values());
  return cp::Cast(Datum(lists.values()), cp::CastOptions::Safe(value_type), evaluation.compute);
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

/// The number of each value among the different ones; nulls are one of them, and so are NaNs.
Result<std::vector<int64_t>> NumberValues(const Datum& items, const Evaluation& evaluation) {
  const auto options = cp::DictionaryEncodeOptions(cp::DictionaryEncodeOptions::ENCODE);
  ARROW_ASSIGN_OR_RAISE(const Datum encoded,
                        cp::DictionaryEncode(items, options, evaluation.compute));
  const auto array = encoded.array_as<arrow::DictionaryArray>();
  std::vector<int64_t> numbers(static_cast<size_t>(array->length()));
  for (int64_t i = 0; i < array->length(); ++i) {
    numbers[static_cast<size_t>(i)] = array->IsNull(i) ? -1 : array->GetValueIndex(i);
  }
  return numbers;
}

/// The first of each value in the order of the list.
Result<NodePtr> BindDistinct(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr value_type = PlainType(ValueType(call.arguments[0]));
  const bool is_nested = IsList(*value_type) || value_type->id() == arrow::Type::STRUCT;
  if (is_nested || value_type->id() == arrow::Type::MAP) {
    return binder.Error(call.span, call.name + " of values of type " + NameOfType(*value_type) +
                                       " is not supported");
  }
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

/// The list without the first value, or all, that equal the second argument.
Result<NodePtr> MakeRemove(const Binder& binder, const Call& call, bool removes_all) {
  ARROW_ASSIGN_OR_RAISE(ValueTest test,
                        MakeTest(binder, call, call.arguments[0], call.arguments[1]));
  const NodePtr value = test.value;
  const TypePtr type = arrow::list(PlainType(ValueType(call.arguments[0])));
  Kernel kernel = [type, test = std::move(test), removes_all](
                      const std::vector<Datum>& values,
                      const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(values, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Matches matches,
                          MatchValues(test, lists, values[1], rows, evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
    int64_t at = 0;
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      const int64_t first = at;
      at += lists.Size(row);
      if (lists.IsNull(row) || IsNullAt(values[1], row)) return false;
      bool is_done = false;
      for (int64_t i = 0; i < lists.Size(row); ++i) {
        if (!is_done && matches.IsTrue(first + i)) {
          is_done = !removes_all;
          continue;
        }
        ARROW_RETURN_NOT_OK(places->Append(lists.Begin(row) + i));
      }
      return true;
    };
    return GatherLists(type, items, rows, std::ranges::all_of(values, &Datum::is_scalar),
                       evaluation, add);
  };
  return binder.MakeCall(call.span, type, {call.arguments[0], value}, std::move(kernel));
}
Result<NodePtr> BindRemove(const Binder& binder, const Call& call) {
  return MakeRemove(binder, call, /*removes_all=*/false);
}
Result<NodePtr> BindRemoveAll(const Binder& binder, const Call& call) {
  return MakeRemove(binder, call, /*removes_all=*/true);
}

/// The shortest digits that tell the number apart, without an exponent: 1, 0.5, 1000000, NaN, inf.
template <typename Real>
std::string PlainDigits(Real value) {
  if (std::isnan(value)) return "NaN";
  std::array<char, 40> room{};
  const auto end =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::scientific);
  const std::string_view text(room.data(), end.ptr);
  const size_t e = text.find('e');
  if (e == std::string_view::npos) return std::string(text);  // infinite
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  // The point stands behind so many of the digits.
  const int point = std::atoi(std::string(text.substr(e + 1)).c_str()) + 1;
  const auto count = static_cast<int>(digits.size());
  if (point <= 0) {
    digits = "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  } else if (point >= count) {
    digits.append(static_cast<size_t>(point - count), '0');
  } else {
    digits.insert(static_cast<size_t>(point), ".");
  }
  if (digits.starts_with("0.") && digits.find_first_not_of("0.") == std::string::npos) digits = "0";
  return std::signbit(value) ? "-" + digits : digits;
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
  *out += is_double ? PlainDigits(static_cast<const arrow::DoubleArray&>(items).Value(i))
                    : PlainDigits(static_cast<const arrow::FloatArray&>(items).Value(i));
  return Status::OK();
}

Result<NodePtr> BindToString(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr type = arrow::list(PlainType(ValueType(call.arguments[0])));
  if (IsList(*type->field(0)->type()) || type->field(0)->type()->id() == arrow::Type::STRUCT) {
    return binder.Error(call.span, call.name + " of values of type " +
                                       NameOfType(*type->field(0)->type()) + " is not supported");
  }
  std::vector<NodePtr> arguments = {call.arguments[0]};
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsText(binder, call.arguments[i]));
  }
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
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
      for (int64_t i = lists.Begin(row); i < lists.Begin(row) + lists.Size(row); ++i) {
        if (array->IsNull(i) && !shows_nulls) continue;
        if (!is_first) text += texts[0][row];
        is_first = false;
        if (array->IsNull(i)) {
          text += texts[1][row];
        } else {
          ARROW_RETURN_NOT_OK(AppendItem(*array, i, &text));
        }
        if (text.size() > kLongestText) {
          return InvalidArgument("the text of a list would be longer than 32 MiB");
        }
      }
      ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    ARROW_ASSIGN_OR_RAISE(const auto result, builder.Finish());
    return ToResult(result, std::ranges::all_of(values, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, arrow::utf8(), std::move(arguments), std::move(kernel));
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
    FunctionEntry{"array_distinct", 1, 1, BindDistinct},
    FunctionEntry{"list_distinct", 1, 1, BindDistinct},
    FunctionEntry{"array_slice", 3, 4, BindSlice},
    FunctionEntry{"list_slice", 3, 4, BindSlice},
    FunctionEntry{"array_remove", 2, 2, BindRemove},
    FunctionEntry{"list_remove", 2, 2, BindRemove},
    FunctionEntry{"array_remove_all", 2, 2, BindRemoveAll},
    FunctionEntry{"list_remove_all", 2, 2, BindRemoveAll},
    FunctionEntry{"array_to_string", 2, 3, BindToString},
    FunctionEntry{"list_to_string", 2, 3, BindToString},
    FunctionEntry{"array_join", 2, 3, BindToString},
    FunctionEntry{"list_join", 2, 3, BindToString},
};

}  // namespace

std::span<const FunctionEntry> ListMakingFunctions() { return kFunctions; }

}  // namespace tusk::expr
