// Functions of values of any type.
#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/value_order.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

Result<NodePtr> BindCoalesce(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, binder.Unify(call.span, call.arguments));
  return binder.MakeArrowCall(call.span, "coalesce", std::move(arguments), nullptr);
}

Result<NodePtr> BindNullif(const Binder& binder, const Call& call) {
  const NodePtr& value = call.arguments[0];
  // What no value can be equal to makes none null.
  ARROW_ASSIGN_OR_RAISE(const auto sides, binder.Unify(call.span, call.arguments));
  ARROW_ASSIGN_OR_RAISE(NodePtr equal,
                        binder.Compare(call.span, Comparison::kEqual, sides[0], sides[1]));
  Kernel kernel = [type = value->type](const std::vector<Datum>& values,
                                       const Evaluation& evaluation) -> Result<Datum> {
    const Datum no(std::make_shared<arrow::BooleanScalar>(false));
    ARROW_ASSIGN_OR_RAISE(const Datum is_equal,
                          cp::CallFunction("coalesce", {values[0], no}, evaluation.compute));
    return cp::CallFunction("if_else", {is_equal, Datum(arrow::MakeNullScalar(type)), values[1]},
                            evaluation.compute);
  };
  return binder.MakeCall(call.span, value->type, {std::move(equal), value}, std::move(kernel));
}

Result<NodePtr> BindNvl2(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(NodePtr has_value,
                        binder.IsNull(call.span, call.arguments[0], /*is_negated=*/true));
  return binder.MakeCase(call.span, {std::move(has_value), call.arguments[1], call.arguments[2]});
}

/// The place of the greatest or least value of each row, among those of all arguments one behind
/// the other. As in pylance, a null inside of a value never makes it win.
Result<Datum> PlacesOfExtremes(const arrow::Array& all, int64_t rows, bool is_greatest,
                               const Evaluation& evaluation) {
  const NullOrder nulls = is_greatest ? NullOrder::kBelow : NullOrder::kAbove;
  ARROW_ASSIGN_OR_RAISE(const ValueOrder order,
                        ValueOrder::Make(all, all, nulls, evaluation.compute));
  const auto wins = [&](int64_t place, int64_t best) {
    if (all.IsNull(place)) return false;
    if (all.IsNull(best)) return true;
    const int compared = order.Compare(place, best);
    return is_greatest ? compared > 0 : compared < 0;
  };
  arrow::Int64Builder places(evaluation.context->pool);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t best = row;
    for (int64_t place = row + rows; place < all.length(); place += rows) {
      if (wins(place, best)) best = place;
    }
    ARROW_RETURN_NOT_OK(places.Append(best));
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  return Datum(indices);
}

Result<NodePtr> Extreme(const Binder& binder, const Call& call, bool is_greatest) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, binder.Unify(call.span, call.arguments));
  const auto type = arguments[0]->type;
  if (type->id() == arrow::Type::NA) return arguments[0];
  if (arrow::is_integer(type->id())) {
    return binder.MakeArrowCall(call.span, is_greatest ? "max_element_wise" : "min_element_wise",
                                std::move(arguments), nullptr);
  }
  if (const auto order = CheckOrder(type, binder.compute()); !order.ok()) {
    return binder.Error(call.span, order.message());
  }
  Kernel kernel = [is_greatest](const std::vector<Datum>& values,
                                const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    const int64_t rows = RowsOf(values, evaluation.length());
    arrow::ArrayVector arrays;
    for (const Datum& value : values) {
      ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), ToArray(value, rows, pool));
    }
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate(arrays, pool));
    ARROW_ASSIGN_OR_RAISE(const Datum places,
                          PlacesOfExtremes(*all, rows, is_greatest, evaluation));
    ARROW_ASSIGN_OR_RAISE(
        const Datum result,
        cp::Take(Datum(all), places, cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
    return ToResult(result.make_array(), std::ranges::all_of(values, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}
Result<NodePtr> BindGreatest(const Binder& binder, const Call& call) {
  return Extreme(binder, call, true);
}
Result<NodePtr> BindLeast(const Binder& binder, const Call& call) {
  return Extreme(binder, call, false);
}

/// A field, or the field so named of the field before, or the value of a key.
Result<NodePtr> BindGetField(const Binder& binder, const Call& call) {
  if (IsUntypedNull(call.arguments[0])) return call.arguments[0];
  NodePtr value = call.arguments[0];
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    if (value->type->id() == arrow::Type::MAP) {
      ARROW_ASSIGN_OR_RAISE(value, BindFunction(binder, {.name = "map_value",
                                                         .span = call.span,
                                                         .arguments = {value, call.arguments[i]}}));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const std::string name, ConstantText(binder, call.arguments[i]));
    ARROW_ASSIGN_OR_RAISE(value, binder.Field(call.span, value, name));
  }
  return value;
}

Result<NodePtr> MakeStruct(const Binder& binder, const Call& call, std::vector<std::string> names,
                           std::vector<NodePtr> values) {
  return binder.MakeArrowCall(call.span, "make_struct", std::move(values),
                              std::make_shared<cp::MakeStructOptions>(std::move(names)));
}

Result<NodePtr> BindNamedStruct(const Binder& binder, const Call& call) {
  if (call.arguments.size() % 2 != 0) {
    return binder.Error(call.span, "named_struct takes pairs of a name and a value");
  }
  std::vector<std::string> names;
  std::vector<NodePtr> values;
  for (size_t i = 0; i < call.arguments.size(); i += 2) {
    ARROW_ASSIGN_OR_RAISE(std::string name, ConstantText(binder, call.arguments[i]));
    names.push_back(std::move(name));
    values.push_back(call.arguments[i + 1]);
  }
  return MakeStruct(binder, call, std::move(names), std::move(values));
}

Result<NodePtr> BindStruct(const Binder& binder, const Call& call) {
  std::vector<std::string> names;
  names.reserve(call.arguments.size());
  for (size_t i = 0; i < call.arguments.size(); ++i) names.push_back("c" + std::to_string(i));
  return MakeStruct(binder, call, std::move(names), call.arguments);
}

/// A generator that begins somewhere else in each evaluation.
std::mt19937_64 MakeGenerator() {
  std::random_device device;
  return std::mt19937_64((uint64_t{device()} << 32) | device());
}

Result<NodePtr> BindRandom(const Binder& binder, const Call& call) {
  Kernel kernel = [](const std::vector<Datum>&, const Evaluation& evaluation) -> Result<Datum> {
    std::mt19937_64 generator = MakeGenerator();
    std::uniform_real_distribution<double> uniform(0, 1);
    arrow::DoubleBuilder builder(evaluation.context->pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(evaluation.length()));
    for (int64_t i = 0; i < evaluation.length(); ++i) builder.UnsafeAppend(uniform(generator));
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return Datum(array);
  };
  return binder.MakeCall(call.span, arrow::float64(), {}, std::move(kernel), /*is_volatile=*/true);
}

Result<NodePtr> BindUuid(const Binder& binder, const Call& call) {
  Kernel kernel = [](const std::vector<Datum>&, const Evaluation& evaluation) -> Result<Datum> {
    std::mt19937_64 generator = MakeGenerator();
    arrow::StringBuilder builder(evaluation.context->pool);
    for (int64_t i = 0; i < evaluation.length(); ++i) {
      std::string text = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
      for (char& c : text) {
        if (c == 'x') c = "0123456789abcdef"[generator() % 16];
        if (c == 'y') c = "89ab"[generator() % 4];
      }
      ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return Datum(array);
  };
  return binder.MakeCall(call.span, arrow::utf8(), {}, std::move(kernel), /*is_volatile=*/true);
}

constexpr std::array kFunctions = {
    FunctionEntry{"coalesce", 1, -1, BindCoalesce},
    FunctionEntry{"ifnull", 2, 2, BindCoalesce},
    FunctionEntry{"nvl", 2, 2, BindCoalesce},
    FunctionEntry{"nvl2", 3, 3, BindNvl2},
    FunctionEntry{"nullif", 2, 2, BindNullif},
    FunctionEntry{"greatest", 1, -1, BindGreatest},
    FunctionEntry{"least", 1, -1, BindLeast},
    FunctionEntry{"get_field", 2, -1, BindGetField},
    FunctionEntry{"named_struct", 2, -1, BindNamedStruct},
    FunctionEntry{"struct", 1, -1, BindStruct},
    FunctionEntry{"row", 1, -1, BindStruct},
    FunctionEntry{"random", 0, 0, BindRandom},
    FunctionEntry{"rand", 0, 0, BindRandom},
    FunctionEntry{"uuid", 0, 0, BindUuid},
};

}  // namespace

std::span<const FunctionEntry> ValueFunctions() { return kFunctions; }

}  // namespace tusk::expr
