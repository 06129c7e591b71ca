// Maps, made and taken apart.
#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

Result<const arrow::MapType*> MapTypeOf(const Binder& binder, const NodePtr& node) {
  if (node->type->id() == arrow::Type::MAP) {
    return static_cast<const arrow::MapType*>(node->type.get());
  }
  return binder.Error(node->span,
                      "a map is expected here, but this is a " + NameOfType(*node->type));
}

/// The keys, values or entries of maps as lists of `type`. `items` takes them from the entries.
using Items = std::shared_ptr<arrow::Array> (*)(const arrow::StructArray& entries);

Result<NodePtr> MakeItems(const Binder& binder, const Call& call, const TypePtr& type,
                          Items items) {
  Kernel kernel = [type, items](const std::vector<Datum>& arguments,
                                const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Operand maps,
                          Operand::Make(arguments[0], evaluation.context->pool));
    const auto& array = static_cast<const arrow::MapArray&>(maps.array());
    const auto& entries = static_cast<const arrow::StructArray&>(*array.values());
    // A list is a map's offsets with other values behind them.
    const auto data = array.data()->Copy();
    data->type = type;
    data->child_data = {items(entries)->data()};
    return ToResult(arrow::MakeArray(data), maps.is_scalar());
  };
  return binder.MakeCall(call.span, type, {call.arguments[0]}, std::move(kernel));
}

Result<NodePtr> BindKeys(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const auto* type, MapTypeOf(binder, call.arguments[0]));
  return MakeItems(binder, call, arrow::list(type->key_type()),
                   [](const arrow::StructArray& entries) { return entries.field(0); });
}

Result<NodePtr> BindValues(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const auto* type, MapTypeOf(binder, call.arguments[0]));
  return MakeItems(binder, call, arrow::list(type->item_type()),
                   [](const arrow::StructArray& entries) { return entries.field(1); });
}

Result<NodePtr> BindEntries(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const auto* type, MapTypeOf(binder, call.arguments[0]));
  const auto entry = arrow::struct_({arrow::field("key", type->key_type(), /*nullable=*/false),
                                     arrow::field("value", type->item_type())});
  return MakeItems(binder, call, arrow::list(arrow::field("item", entry, /*nullable=*/false)),
                   [](const arrow::StructArray& entries) -> std::shared_ptr<arrow::Array> {
                     return std::make_shared<arrow::StructArray>(
                         arrow::struct_({arrow::field("key", entries.field(0)->type(), false),
                                         arrow::field("value", entries.field(1)->type())}),
                         entries.length(), arrow::ArrayVector{entries.field(0), entries.field(1)});
                   });
}

/// Of each row the place of its key's value among all values, null if the map has no such key.
Result<std::shared_ptr<arrow::Array>> FindValues(const ValueTest& test, const Lists& keys,
                                                 const Datum& key, int64_t rows,
                                                 const Evaluation& evaluation) {
  ARROW_ASSIGN_OR_RAISE(const Matches matches, MatchValues(test, keys, key, rows, evaluation));
  arrow::Int64Builder places(evaluation.context->pool);
  int64_t at = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t size = keys.Size(row);
    int64_t i = 0;
    while (i < size && !matches.IsTrue(at + i)) ++i;
    ARROW_RETURN_NOT_OK(i < size ? places.Append(keys.Begin(row) + i) : places.AppendNull());
    at += size;
  }
  return places.Finish();
}

/// The value of a key, or a list of it, which is never null.
Result<NodePtr> MakeLookup(const Binder& binder, const Call& call, bool is_list) {
  ARROW_ASSIGN_OR_RAISE(const auto* map, MapTypeOf(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr keys, BindKeys(binder, call));
  ARROW_ASSIGN_OR_RAISE(const NodePtr values, BindValues(binder, call));
  ARROW_ASSIGN_OR_RAISE(ValueTest test, MakeTest(binder, call, keys, call.arguments[1]));
  const NodePtr key = test.value;
  const TypePtr type = is_list ? arrow::list(map->item_type()) : map->item_type();
  Kernel kernel = [type, is_list, test = std::move(test)](
                      const std::vector<Datum>& arguments,
                      const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(arguments, evaluation.length());
    const bool is_scalar = std::ranges::all_of(arguments, &Datum::is_scalar);
    ARROW_ASSIGN_OR_RAISE(const Lists lists, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Lists items, MakeLists(arguments[1], evaluation));
    ARROW_ASSIGN_OR_RAISE(const auto places,
                          FindValues(test, lists, arguments[2], rows, evaluation));
    if (!is_list) {
      ARROW_ASSIGN_OR_RAISE(const Datum found,
                            cp::Take(Datum(items.values()), Datum(places),
                                     cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
      return ToResult(found.make_array(), is_scalar);
    }
    const auto& numbers = static_cast<const arrow::Int64Array&>(*places);
    const auto add = [&](int64_t row, arrow::Int64Builder* out) -> Result<bool> {
      ARROW_RETURN_NOT_OK(numbers.IsNull(row) ? out->AppendNull()
                                              : out->Append(numbers.Value(row)));
      return true;
    };
    return GatherLists(type, Datum(items.values()), rows, is_scalar, evaluation, add);
  };
  return binder.MakeCall(call.span, type, {keys, values, key}, std::move(kernel));
}
Result<NodePtr> BindExtract(const Binder& binder, const Call& call) {
  if (IsUntypedNull(call.arguments[0])) return call.arguments[0];
  return MakeLookup(binder, call, /*is_list=*/true);
}
Result<NodePtr> BindValueOf(const Binder& binder, const Call& call) {
  return MakeLookup(binder, call, /*is_list=*/false);
}

/// Maps of the keys and values of two lists, which are as long as each other.
Result<NodePtr> FromLists(const Binder& binder, Span span, const NodePtr& keys,
                          const NodePtr& values) {
  const TypePtr key_type = PlainType(ValueType(keys));
  const TypePtr type = arrow::map(key_type, PlainType(ValueType(values)));
  Kernel kernel = [type](const std::vector<Datum>& arguments,
                         const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Lists names, MakeLists(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Lists items, MakeLists(arguments[1], evaluation));
    const auto& map = static_cast<const arrow::MapType&>(*type);
    ARROW_ASSIGN_OR_RAISE(const Datum keys,
                          PlainItems(names, arrow::list(map.key_type()), evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum values,
                          PlainItems(items, arrow::list(map.item_type()), evaluation));
    ARROW_ASSIGN_OR_RAISE(const auto numbers, NumberValues(keys, evaluation));
    const auto key_array = keys.make_array();
    arrow::Int64Builder key_places(pool);
    arrow::Int64Builder value_places(pool);
    arrow::Int32Builder offsets(pool);
    std::unordered_set<int64_t> seen;
    const int64_t rows = RowsOf(arguments, evaluation.length());
    for (int64_t row = 0; row < rows; ++row) {
      if (names.IsNull(row)) {
        ARROW_RETURN_NOT_OK(offsets.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(key_places.length())));
      const int64_t size = names.Size(row);
      if (items.IsNull(row) || items.Size(row) != size) {
        return InvalidArgument("a map needs as many values as keys: ", size, ", not ",
                               items.Size(row));
      }
      seen.clear();
      for (int64_t i = 0; i < size; ++i) {
        const int64_t key = names.Begin(row) + i;
        if (key_array->IsNull(key)) return InvalidArgument("a key of a map cannot be null");
        if (!seen.insert(numbers[static_cast<size_t>(key)]).second) {
          return InvalidArgument("a map cannot have a key twice");
        }
        ARROW_RETURN_NOT_OK(key_places.Append(key));
        ARROW_RETURN_NOT_OK(value_places.Append(items.Begin(row) + i));
      }
      if (key_places.length() > std::numeric_limits<int32_t>::max()) {
        return InvalidArgument("the maps have more than 2^31 keys together");
      }
    }
    ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(key_places.length())));
    const auto take = [&](const Datum& from, arrow::Int64Builder* places) -> Result<Datum> {
      ARROW_ASSIGN_OR_RAISE(const auto indices, places->Finish());
      return cp::Take(from, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute);
    };
    ARROW_ASSIGN_OR_RAISE(const Datum taken_keys, take(keys, &key_places));
    ARROW_ASSIGN_OR_RAISE(const Datum taken_values, take(values, &value_places));
    ARROW_ASSIGN_OR_RAISE(const auto begins, offsets.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto maps,
                          arrow::MapArray::FromArrays(begins, taken_keys.make_array(),
                                                      taken_values.make_array(), pool));
    return ToResult(maps, std::ranges::all_of(arguments, &Datum::is_scalar));
  };
  return binder.MakeCall(span, type, {keys, values}, std::move(kernel));
}

Result<NodePtr> MakeList(const Binder& binder, Span span, std::vector<NodePtr> values) {
  return BindFunction(binder, {.name = "make_array", .span = span, .arguments = std::move(values)});
}

/// map(keys, values) of two lists, or map(key, value).
Result<NodePtr> BindMap(const Binder& binder, const Call& call) {
  const NodePtr& keys = call.arguments[0];
  const NodePtr& values = call.arguments[1];
  if (IsList(*keys->type)) {
    ARROW_RETURN_NOT_OK(CheckList(binder, values));
    return FromLists(binder, call.span, keys, values);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr one_key, MakeList(binder, call.span, {keys}));
  ARROW_ASSIGN_OR_RAISE(const NodePtr one_value, MakeList(binder, call.span, {values}));
  return FromLists(binder, call.span, one_key, one_value);
}

/// make_map(key, value, key, value, ...).
Result<NodePtr> BindMakeMap(const Binder& binder, const Call& call) {
  if (call.arguments.size() % 2 != 0) {
    return binder.Error(call.span, "make_map takes pairs of a key and a value");
  }
  std::vector<NodePtr> keys;
  std::vector<NodePtr> values;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    (i % 2 == 0 ? keys : values).push_back(call.arguments[i]);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr key_list, MakeList(binder, call.span, std::move(keys)));
  ARROW_ASSIGN_OR_RAISE(const NodePtr value_list, MakeList(binder, call.span, std::move(values)));
  return FromLists(binder, call.span, key_list, value_list);
}

constexpr std::array kFunctions = {
    FunctionEntry{"map_keys", 1, 1, BindKeys},
    FunctionEntry{"map_values", 1, 1, BindValues},
    FunctionEntry{"map_entries", 1, 1, BindEntries},
    FunctionEntry{"map_extract", 2, 2, BindExtract},
    FunctionEntry{"element_at", 2, 2, BindExtract},
    FunctionEntry{"map_value", 2, 2, BindValueOf},
    FunctionEntry{"map", 2, 2, BindMap},
    FunctionEntry{"make_map", 2, -1, BindMakeMap},
};

}  // namespace

std::span<const FunctionEntry> MapFunctions() { return kFunctions; }

}  // namespace tusk::expr
