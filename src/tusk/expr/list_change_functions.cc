// Lists that are others with values added, left out or replaced.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"
#include "tusk/expr/utf8_text.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Appends which of the values of a list from `begin` on are kept.
using Keep = Status (*)(const arrow::Array& items, int64_t begin, int64_t size,
                        arrow::Int64Builder* places);

Result<NodePtr> MakeKept(const Binder& binder, const Call& call, Keep keep) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  const TypePtr type = arrow::list(PlainType(ValueType(call.arguments[0])));
  Kernel kernel = [type, keep](const std::vector<Datum>& values,
                               const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
    const auto array = items.make_array();
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (lists.IsNull(row)) return false;
      ARROW_RETURN_NOT_OK(keep(*array, lists.Begin(row), lists.Size(row), places));
      return true;
    };
    return GatherLists(type, items, lists.array().length(), lists.is_scalar(), evaluation, add);
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}

Status AppendPlaces(int64_t begin, int64_t end, arrow::Int64Builder* places) {
  for (int64_t place = begin; place < end; ++place) ARROW_RETURN_NOT_OK(places->Append(place));
  return Status::OK();
}

Result<NodePtr> BindPopBack(const Binder& binder, const Call& call) {
  return MakeKept(
      binder, call,
      [](const arrow::Array&, int64_t begin, int64_t size, arrow::Int64Builder* places) {
        return AppendPlaces(begin, begin + size - 1, places);
      });
}

Result<NodePtr> BindPopFront(const Binder& binder, const Call& call) {
  return MakeKept(
      binder, call,
      [](const arrow::Array&, int64_t begin, int64_t size, arrow::Int64Builder* places) {
        return AppendPlaces(begin + 1, begin + size, places);
      });
}

/// Without nulls.
Result<NodePtr> BindCompact(const Binder& binder, const Call& call) {
  if (call.arguments[0]->type->id() == arrow::Type::NA) return call.arguments[0];
  return MakeKept(
      binder, call,
      [](const arrow::Array& items, int64_t begin, int64_t size, arrow::Int64Builder* places) {
        for (int64_t place = begin; place < begin + size; ++place) {
          if (items.IsValid(place)) ARROW_RETURN_NOT_OK(places->Append(place));
        }
        return Status::OK();
      });
}

/// How many values a call changes in each list: a constant, or an argument.
enum class Count { kOne, kAll, kArgument };

/// How many it changes in each row; `numbers` are those of an argument.
Result<std::vector<int64_t>> CountsOf(Count count, const Datum& numbers, int64_t rows,
                                      const Evaluation& evaluation) {
  const int64_t constant = count == Count::kOne ? 1 : std::numeric_limits<int64_t>::max();
  std::vector<int64_t> counts(static_cast<size_t>(rows), constant);
  if (count != Count::kArgument) return counts;
  ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(numbers, evaluation.context->pool));
  const Values<int64_t> given(std::move(operand));
  for (int64_t row = 0; row < rows; ++row) {
    counts[static_cast<size_t>(row)] = given.IsNull(row) ? 0 : given[row];
  }
  return counts;
}

/// Values of the lists, and behind them one of each row.
Result<Datum> WithValues(const Lists& lists, const Datum& values, int64_t rows, const TypePtr& type,
                         const Evaluation& evaluation) {
  ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
  ARROW_ASSIGN_OR_RAISE(const auto others, ToArray(values, rows, evaluation.context->pool));
  ARROW_ASSIGN_OR_RAISE(const auto all,
                        arrow::Concatenate({items.make_array(), others}, evaluation.context->pool));
  return Datum(all);
}

/// Whether the values that are found are left out or replaced.
enum class Change { kRemove, kReplace };

/// Lists of `type` in which so many of the values that are the second argument are left out, or
/// replaced by the third; the last argument may be the number.
Kernel ChangeFound(const TypePtr& type, ValueTest test, Change change, Count count) {
  const bool replaces = change == Change::kReplace;
  return [type, test = std::move(test), replaces, count](
             const std::vector<Datum>& values, const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(values, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Matches matches,
                          MatchValues(test, lists, values[1], rows, evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items,
                          replaces ? WithValues(lists, values[2], rows, type, evaluation)
                                   : PlainItems(lists, type, evaluation));
    const int64_t others = lists.values()->length();
    ARROW_ASSIGN_OR_RAISE(const auto counts, CountsOf(count, values.back(), rows, evaluation));
    int64_t at = 0;
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      const int64_t first = at;
      at += lists.Size(row);
      // What is to be left out is no null, but what is to be replaced may be one.
      if (lists.IsNull(row) || (!replaces && IsNullAt(values[1], row))) return false;
      int64_t left = counts[static_cast<size_t>(row)];
      for (int64_t i = 0; i < lists.Size(row); ++i) {
        const bool is_found = left > 0 && IsSame(matches, lists, values[1], row, first, i);
        left -= is_found ? 1 : 0;
        if (is_found && !replaces) continue;
        ARROW_RETURN_NOT_OK(places->Append(is_found ? others + row : lists.Begin(row) + i));
      }
      return true;
    };
    return GatherLists(type, items, rows, std::ranges::all_of(values, &Datum::is_scalar),
                       evaluation, add);
  };
}

Result<NodePtr> MakeRemove(const Binder& binder, const Call& call, Count count) {
  ARROW_RETURN_NOT_OK(CheckList(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr item,
                        AsItem(binder, call.span, call.arguments[0], call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(ValueTest test, MakeTest(binder, call, call.arguments[0], item));
  const TypePtr type = arrow::list(item->type);
  std::vector<NodePtr> arguments = {call.arguments[0], test.value};
  if (count == Count::kArgument) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsInteger(binder, call.arguments[2]));
  }
  return binder.MakeCall(call.span, type, std::move(arguments),
                         ChangeFound(type, std::move(test), Change::kRemove, count));
}
Result<NodePtr> BindRemove(const Binder& binder, const Call& call) {
  return MakeRemove(binder, call, Count::kOne);
}
Result<NodePtr> BindRemoveN(const Binder& binder, const Call& call) {
  return MakeRemove(binder, call, Count::kArgument);
}
Result<NodePtr> BindRemoveAll(const Binder& binder, const Call& call) {
  return MakeRemove(binder, call, Count::kAll);
}

Result<NodePtr> MakeReplace(const Binder& binder, const Call& call, Count count) {
  const NodePtr& list = call.arguments[0];
  if (IsUntypedNull(list)) return list;
  ARROW_RETURN_NOT_OK(CheckList(binder, list));
  const NodePtr typed =
      binder.MakeLiteral(list->span, arrow::MakeNullScalar(PlainType(ValueType(list))));
  ARROW_ASSIGN_OR_RAISE(auto unified,
                        binder.Unify(call.span, {typed, call.arguments[1], call.arguments[2]}));
  if (unified[1]->literal) {
    unified[1] = binder.MakeLiteral(unified[1]->span, unified[1]->value);
  }
  const TypePtr type = arrow::list(unified[0]->type);
  ARROW_ASSIGN_OR_RAISE(ValueTest test, MakeTest(binder, call, list, unified[1]));
  std::vector<NodePtr> arguments = {list, test.value, unified[2]};
  if (count == Count::kArgument) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsInteger(binder, call.arguments[3]));
  }
  return binder.MakeCall(call.span, type, std::move(arguments),
                         ChangeFound(type, std::move(test), Change::kReplace, count));
}
Result<NodePtr> BindReplace(const Binder& binder, const Call& call) {
  return MakeReplace(binder, call, Count::kOne);
}
Result<NodePtr> BindReplaceN(const Binder& binder, const Call& call) {
  return MakeReplace(binder, call, Count::kArgument);
}
Result<NodePtr> BindReplaceAll(const Binder& binder, const Call& call) {
  return MakeReplace(binder, call, Count::kAll);
}

Status CheckRoom(int64_t count, const arrow::Int64Builder& places) {
  if (count <= std::numeric_limits<int32_t>::max() - places.length()) return Status::OK();
  return InvalidArgument("the lists have more than 2^31 values together");
}

/// The list cut to a size, or filled up to it by the third argument, or nulls.
Result<NodePtr> BindResize(const Binder& binder, const Call& call) {
  const NodePtr& list = call.arguments[0];
  ARROW_RETURN_NOT_OK(CheckList(binder, list));
  ARROW_ASSIGN_OR_RAISE(const NodePtr size, AsInteger(binder, call.arguments[1]));
  const NodePtr nothing =
      binder.MakeLiteral(call.span, arrow::MakeNullScalar(PlainType(ValueType(list))));
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr fill,
      AsItem(binder, call.span, list, call.arguments.size() > 2 ? call.arguments[2] : nothing));
  const TypePtr type = arrow::list(fill->type);
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(values, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(values[1], evaluation.context->pool));
    const Values<int64_t> sizes(std::move(operand));
    ARROW_ASSIGN_OR_RAISE(const Datum items, WithValues(lists, values[2], rows, type, evaluation));
    const int64_t fills = lists.values()->length();
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (lists.IsNull(row)) return false;
      const int64_t wanted = sizes.IsNull(row) ? 0 : sizes[row];
      if (wanted < 0) return InvalidArgument("a list cannot have ", wanted, " values");
      ARROW_RETURN_NOT_OK(CheckRoom(wanted, *places));
      const int64_t kept = std::min(wanted, lists.Size(row));
      ARROW_RETURN_NOT_OK(AppendPlaces(lists.Begin(row), lists.Begin(row) + kept, places));
      for (int64_t i = kept; i < wanted; ++i) ARROW_RETURN_NOT_OK(places->Append(fills + row));
      return true;
    };
    return GatherLists(type, items, rows, std::ranges::all_of(values, &Datum::is_scalar),
                       evaluation, add);
  };
  return binder.MakeCall(call.span, type, {list, size, fill}, std::move(kernel));
}

/// A list of a value so many times; null where the number is.
Result<NodePtr> BindRepeat(const Binder& binder, const Call& call) {
  NodePtr value = call.arguments[0];
  if (value->literal) value = binder.MakeLiteral(value->span, value->value);
  ARROW_ASSIGN_OR_RAISE(const NodePtr count, AsInteger(binder, call.arguments[1]));
  const TypePtr type = arrow::list(value->type);
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(values, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const auto items, ToArray(values[0], rows, evaluation.context->pool));
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(values[1], evaluation.context->pool));
    const Values<int64_t> counts(std::move(operand));
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (counts.IsNull(row)) return false;
      ARROW_RETURN_NOT_OK(CheckRoom(counts[row], *places));
      for (int64_t i = 0; i < counts[row]; ++i) ARROW_RETURN_NOT_OK(places->Append(row));
      return true;
    };
    return GatherLists(type, Datum(items), rows, std::ranges::all_of(values, &Datum::is_scalar),
                       evaluation, add);
  };
  return binder.MakeCall(call.span, type, {value, count}, std::move(kernel));
}

/// The values of the lists in a list; a list that is of no lists stays.
Result<NodePtr> BindFlatten(const Binder& binder, const Call& call) {
  const NodePtr& list = call.arguments[0];
  if (list->type->id() == arrow::Type::NA) return list;
  ARROW_RETURN_NOT_OK(CheckList(binder, list));
  const TypePtr inner = PlainType(ValueType(list));
  if (!IsList(*inner)) {
    const TypePtr type = arrow::list(inner);
    return list->type->Equals(*type) ? Result<NodePtr>(list)
                                     : binder.Cast(call.span, list, type, /*is_try=*/false);
  }
  const TypePtr type =
      arrow::list(PlainType(static_cast<const arrow::BaseListType&>(*inner).value_type()));
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(values[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Lists parts, MakeLists(Datum(lists.values()), evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(parts, type, evaluation));
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (lists.IsNull(row)) return false;
      for (int64_t i = lists.Begin(row); i < lists.Begin(row) + lists.Size(row); ++i) {
        ARROW_RETURN_NOT_OK(AppendPlaces(parts.Begin(i), parts.Begin(i) + parts.Size(i), places));
      }
      return true;
    };
    return GatherLists(type, items, lists.array().length(), lists.is_scalar(), evaluation, add);
  };
  return binder.MakeCall(call.span, type, {list}, std::move(kernel));
}

/// Lists of structs of the values of all lists at the same place, null where a list has none; null
/// where all are.
Result<NodePtr> BindZip(const Binder& binder, const Call& call) {
  std::vector<NodePtr> arguments;
  arrow::FieldVector fields;
  for (const NodePtr& argument : call.arguments) {
    NodePtr list = argument;
    if (list->type->id() == arrow::Type::NA) {
      list = binder.MakeLiteral(list->span, arrow::MakeNullScalar(arrow::list(arrow::null())));
    }
    ARROW_RETURN_NOT_OK(CheckList(binder, list));
    fields.push_back(arrow::field(std::to_string(fields.size() + 1), PlainType(ValueType(list))));
    arguments.push_back(std::move(list));
  }
  const TypePtr type = arrow::list(arrow::struct_(fields));
  Kernel kernel = [type, fields](const std::vector<Datum>& values,
                                 const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    const int64_t rows = RowsOf(values, evaluation.length());
    std::vector<Lists> lists;
    for (const Datum& value : values) {
      ARROW_ASSIGN_OR_RAISE(Lists one, MakeLists(value, evaluation));
      lists.push_back(std::move(one));
    }
    std::vector<int64_t> sizes(static_cast<size_t>(rows), -1);
    for (int64_t row = 0; row < rows; ++row) {
      int64_t& size = sizes[static_cast<size_t>(row)];
      for (const Lists& one : lists) {
        if (!one.IsNull(row)) size = std::max(size, one.Size(row));
      }
    }
    arrow::ArrayVector children;
    int64_t total = 0;
    for (size_t i = 0; i < lists.size(); ++i) {
      arrow::Int64Builder places(pool);
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t kept = lists[i].Size(row);
        ARROW_RETURN_NOT_OK(AppendPlaces(lists[i].Begin(row), lists[i].Begin(row) + kept, &places));
        const int64_t missing = std::max<int64_t>(0, sizes[static_cast<size_t>(row)]) - kept;
        ARROW_RETURN_NOT_OK(CheckRoom(missing, places));
        ARROW_RETURN_NOT_OK(places.AppendNulls(missing));
      }
      ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
      total = indices->length();
      ARROW_ASSIGN_OR_RAISE(const Datum items,
                            PlainItems(lists[i], arrow::list(fields[i]->type()), evaluation));
      ARROW_ASSIGN_OR_RAISE(
          const Datum child,
          cp::Take(items, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
      children.push_back(child.make_array());
    }
    const auto structs =
        std::make_shared<arrow::StructArray>(arrow::struct_(fields), total, std::move(children));
    int64_t at = 0;
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      const int64_t size = sizes[static_cast<size_t>(row)];
      if (size < 0) return false;
      ARROW_RETURN_NOT_OK(AppendPlaces(at, at + size, places));
      at += size;
      return true;
    };
    return GatherLists(type, Datum(structs), rows, std::ranges::all_of(values, &Datum::is_scalar),
                       evaluation, add);
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}

/// The parts of a text between separators; its characters if the separator is null. A part that is
/// the third argument is null.
Result<NodePtr> BindStringToArray(const Binder& binder, const Call& call) {
  std::vector<NodePtr> arguments;
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsText(binder, argument));
  }
  Kernel kernel = [](const std::vector<Datum>& values,
                     const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(values, evaluation));
    auto parts = std::make_shared<arrow::StringBuilder>(evaluation.context->pool);
    arrow::ListBuilder lists(evaluation.context->pool, parts);
    for (int64_t row = 0; row < rows.length(); ++row) {
      if (rows.IsNull(0, row)) {
        ARROW_RETURN_NOT_OK(lists.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(lists.Append());
      const bool has_null = rows.size() > 2 && !rows.IsNull(2, row);
      const auto append = [&](std::string_view part) {
        return has_null && part == rows.Text(2, row) ? parts->AppendNull() : parts->Append(part);
      };
      std::string_view text = rows.Text(0, row);
      if (rows.IsNull(1, row)) {
        for (size_t i = 0; i < text.size();) {
          const std::string_view character = CharacterAt(text, i);
          ARROW_RETURN_NOT_OK(append(character));
          i += character.size();
        }
        continue;
      }
      if (text.empty()) continue;
      const std::string_view separator = rows.Text(1, row);
      for (size_t at = text.find(separator); !separator.empty() && at != std::string_view::npos;
           at = text.find(separator)) {
        ARROW_RETURN_NOT_OK(append(text.substr(0, at)));
        text.remove_prefix(at + separator.size());
      }
      ARROW_RETURN_NOT_OK(append(text));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, lists.Finish());
    return ToResult(array, rows.is_scalar());
  };
  return binder.MakeCall(call.span, arrow::list(arrow::utf8()), std::move(arguments),
                         std::move(kernel));
}

constexpr std::array kFunctions = {
    FunctionEntry{"array_pop_back", 1, 1, BindPopBack},
    FunctionEntry{"list_pop_back", 1, 1, BindPopBack},
    FunctionEntry{"array_pop_front", 1, 1, BindPopFront},
    FunctionEntry{"list_pop_front", 1, 1, BindPopFront},
    FunctionEntry{"array_compact", 1, 1, BindCompact},
    FunctionEntry{"list_compact", 1, 1, BindCompact},
    FunctionEntry{"array_remove", 2, 2, BindRemove},
    FunctionEntry{"list_remove", 2, 2, BindRemove},
    FunctionEntry{"array_remove_n", 3, 3, BindRemoveN},
    FunctionEntry{"list_remove_n", 3, 3, BindRemoveN},
    FunctionEntry{"array_remove_all", 2, 2, BindRemoveAll},
    FunctionEntry{"list_remove_all", 2, 2, BindRemoveAll},
    FunctionEntry{"array_replace", 3, 3, BindReplace},
    FunctionEntry{"list_replace", 3, 3, BindReplace},
    FunctionEntry{"array_replace_n", 4, 4, BindReplaceN},
    FunctionEntry{"list_replace_n", 4, 4, BindReplaceN},
    FunctionEntry{"array_replace_all", 3, 3, BindReplaceAll},
    FunctionEntry{"list_replace_all", 3, 3, BindReplaceAll},
    FunctionEntry{"array_resize", 2, 3, BindResize},
    FunctionEntry{"list_resize", 2, 3, BindResize},
    FunctionEntry{"array_repeat", 2, 2, BindRepeat},
    FunctionEntry{"list_repeat", 2, 2, BindRepeat},
    FunctionEntry{"flatten", 1, 1, BindFlatten},
    FunctionEntry{"arrays_zip", 1, -1, BindZip},
    FunctionEntry{"list_zip", 1, -1, BindZip},
    FunctionEntry{"string_to_array", 2, 3, BindStringToArray},
    FunctionEntry{"string_to_list", 2, 3, BindStringToArray},
};

}  // namespace

std::span<const FunctionEntry> ListChangeFunctions() { return kFunctions; }

}  // namespace tusk::expr
