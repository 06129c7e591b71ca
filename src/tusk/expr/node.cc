#include "tusk/expr/node.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/expression.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

Result<Datum> EvaluateColumn(const Node& node, const Evaluation& evaluation) {
  std::shared_ptr<arrow::Array> array = evaluation.batch->column(node.path.front());
  for (size_t i = 1; i < node.path.size(); ++i) {
    const auto& parent = static_cast<const arrow::StructArray&>(*array);
    // A column of nulls has no validity to be masked.
    if (parent.field(node.path[i])->type_id() == arrow::Type::NA) {
      array = parent.field(node.path[i]);
    } else {
      ARROW_ASSIGN_OR_RAISE(array,
                            parent.GetFlattenedField(node.path[i], evaluation.context->pool));
    }
  }
  if (array->type()->Equals(*node.type)) return Datum(array);
  if (array->type_id() == arrow::Type::EXTENSION) {
    array = static_cast<const arrow::ExtensionArray&>(*array).storage();
  }
  if (array->type()->Equals(*node.type)) return Datum(array);
  return cp::Cast(array, node.type, cp::CastOptions::Safe(node.type), evaluation.compute);
}

/// True, false or null, where the whole of a condition is the same.
std::optional<std::optional<bool>> ConstantTruth(const Datum& condition) {
  if (!condition.is_scalar()) return std::nullopt;
  const auto& scalar = condition.scalar_as<arrow::BooleanScalar>();
  return scalar.is_valid ? std::optional(scalar.value) : std::optional<bool>();
}

/// Whether each of the rows is `truth`.
bool IsAll(const Datum& condition, bool truth) {
  if (const auto constant = ConstantTruth(condition)) return *constant == truth;
  const auto held = condition.make_array();
  const auto& array = static_cast<const arrow::BooleanArray&>(*held);
  return array.null_count() == 0 && array.true_count() == (truth ? array.length() : 0);
}

/// The numbers of the rows for which `is_wanted` holds, and for each row where its number is among
/// them, or null.
struct Selection {
  std::shared_ptr<arrow::Array> rows;
  std::shared_ptr<arrow::Array> places;
};

template <typename IsWanted>
Result<Selection> Select(int64_t length, const IsWanted& is_wanted, arrow::MemoryPool* pool) {
  arrow::Int64Builder rows(pool);
  arrow::Int64Builder places(pool);
  ARROW_RETURN_NOT_OK(places.Reserve(length));
  for (int64_t i = 0; i < length; ++i) {
    if (is_wanted(i)) {
      places.UnsafeAppend(rows.length());
      ARROW_RETURN_NOT_OK(rows.Append(i));
    } else {
      places.UnsafeAppendNull();
    }
  }
  Selection selection;
  ARROW_ASSIGN_OR_RAISE(selection.rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(selection.places, places.Finish());
  return selection;
}

/// `node` for some of the rows; null for the others.
Result<Datum> EvaluateSelected(const Node& node, const Selection& selection,
                               const Evaluation& evaluation) {
  ARROW_ASSIGN_OR_RAISE(const Datum part,
                        cp::Take(Datum(evaluation.batch->Slice(0)), Datum(selection.rows),
                                 cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
  const auto& batch = part.record_batch();
  Evaluation inner = evaluation;
  inner.batch = batch.get();
  ARROW_ASSIGN_OR_RAISE(const Datum values, Evaluate(node, inner));
  ARROW_ASSIGN_OR_RAISE(auto array, ToArray(values, batch->num_rows(), evaluation.context->pool));
  return cp::Take(Datum(array), Datum(selection.places), cp::TakeOptions::NoBoundsCheck(),
                  evaluation.compute);
}

/// A term of AND or OR for the rows that `known`, what the terms before it give, leaves open.
Result<Datum> EvaluateOpen(const Node& term, const Datum& known, bool is_and,
                           const Evaluation& evaluation) {
  const auto held = known.make_array();
  const auto& truths = static_cast<const arrow::BooleanArray&>(*held);
  const auto is_open = [&](int64_t row) {
    return truths.IsNull(row) || truths.Value(row) == is_and;
  };
  ARROW_ASSIGN_OR_RAISE(const Selection open,
                        Select(truths.length(), is_open, evaluation.context->pool));
  Evaluation inner = evaluation;
  inner.is_careful = true;
  return EvaluateSelected(term, open, inner);
}

/// AND and OR. A term sees all rows, which is fast; only if it fails is it asked anew for the rows
/// that the terms before it leave open, and so is then everything below it.
Result<Datum> EvaluateChain(const Node& node, const Evaluation& evaluation) {
  const bool is_and = node.kind == NodeKind::kAnd;
  ARROW_ASSIGN_OR_RAISE(Datum result, Evaluate(*node.arguments.front(), evaluation));
  for (size_t i = 1; i < node.arguments.size(); ++i) {
    if (IsAll(result, !is_and)) return result;
    const Node& next = *node.arguments[i];
    const bool can_select = result.is_array();
    auto term = evaluation.is_careful && can_select ? EvaluateOpen(next, result, is_and, evaluation)
                                                    : Evaluate(next, evaluation);
    if (!term.ok() && !evaluation.is_careful && can_select &&
        GetErrorCode(term.status()) == ErrorCode::kInvalidArgument) {
      term = EvaluateOpen(next, result, is_and, evaluation);
    }
    if (!term.ok()) return term;
    const char* function = is_and ? "and_kleene" : "or_kleene";
    ARROW_ASSIGN_OR_RAISE(
        result, cp::CallFunction(function, {result, *std::move(term)}, evaluation.compute));
  }
  return result;
}

/// Each value is computed for the rows only whose condition is the first to hold.
Result<Datum> EvaluateCase(const Node& node, const Evaluation& evaluation) {
  const int64_t length = evaluation.length();
  arrow::MemoryPool* pool = evaluation.context->pool;
  std::vector<bool> is_decided(static_cast<size_t>(length), false);
  std::vector<std::shared_ptr<arrow::Array>> pieces;
  std::vector<int64_t> sources(static_cast<size_t>(length));
  int64_t offset = 0;
  for (size_t i = 0; i < node.arguments.size(); i += 2) {
    const bool is_else = i + 1 == node.arguments.size();
    const auto open_rows = [&](int64_t row) { return !is_decided[static_cast<size_t>(row)]; };
    std::shared_ptr<arrow::Array> condition;
    if (!is_else) {
      ARROW_ASSIGN_OR_RAISE(const Selection open, Select(length, open_rows, pool));
      if (open.rows->length() == 0) break;
      ARROW_ASSIGN_OR_RAISE(const Datum truth,
                            EvaluateSelected(*node.arguments[i], open, evaluation));
      condition = truth.make_array();
    }
    const auto* truths = static_cast<const arrow::BooleanArray*>(condition.get());
    const auto is_mine = [&](int64_t row) {
      return open_rows(row) && (is_else || (truths->IsValid(row) && truths->Value(row)));
    };
    ARROW_ASSIGN_OR_RAISE(const Selection mine, Select(length, is_mine, pool));
    if (mine.rows->length() == 0) continue;
    ARROW_ASSIGN_OR_RAISE(const Datum values,
                          EvaluateSelected(*node.arguments[is_else ? i : i + 1], mine, evaluation));
    pieces.push_back(values.make_array());
    const auto& rows = static_cast<const arrow::Int64Array&>(*mine.rows);
    for (int64_t k = 0; k < rows.length(); ++k) {
      is_decided[static_cast<size_t>(rows.Value(k))] = true;
      sources[static_cast<size_t>(rows.Value(k))] = offset + rows.Value(k);
    }
    offset += length;
  }
  if (pieces.empty()) return Datum(arrow::MakeNullScalar(node.type));
  if (pieces.size() == 1) return Datum(pieces.front());
  ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate(pieces, pool));
  arrow::Int64Builder indices(pool);
  ARROW_RETURN_NOT_OK(indices.Reserve(length));
  for (int64_t row = 0; row < length; ++row) {
    indices.UnsafeAppend(sources[static_cast<size_t>(row)]);
  }
  ARROW_ASSIGN_OR_RAISE(const auto places, indices.Finish());
  return cp::Take(Datum(all), Datum(places), cp::TakeOptions::NoBoundsCheck(), evaluation.compute);
}

Result<Datum> EvaluateCall(const Node& node, const Evaluation& evaluation) {
  std::vector<Datum> values;
  values.reserve(node.arguments.size());
  for (const NodePtr& argument : node.arguments) {
    ARROW_ASSIGN_OR_RAISE(Datum value, Evaluate(*argument, evaluation));
    values.push_back(std::move(value));
  }
  auto result = node.kernel(values, evaluation);
  if (result.ok()) return result;
  const auto code = GetErrorCode(result.status());
  if (code != ErrorCode::kInvalidArgument && code != ErrorCode::kUnsupported) return result;
  return WithPlace(MakeError(*code, std::string(result.status().message())), evaluation.text,
                   node.span);
}

}  // namespace

int64_t Evaluation::length() const { return batch->num_rows(); }

Result<std::shared_ptr<arrow::Array>> ToArray(const Datum& datum, int64_t length,
                                              arrow::MemoryPool* pool) {
  if (datum.is_array()) return datum.make_array();
  return arrow::MakeArrayFromScalar(*datum.scalar(), length, pool);
}

Result<Datum> Evaluate(const Node& node, const Evaluation& evaluation) {
  switch (node.kind) {
    case NodeKind::kColumn:
      return EvaluateColumn(node, evaluation);
    case NodeKind::kLiteral:
      return Datum(node.value);
    case NodeKind::kCall:
    case NodeKind::kCompare:
    case NodeKind::kIn:
      return EvaluateCall(node, evaluation);
    case NodeKind::kAnd:
    case NodeKind::kOr:
      return EvaluateChain(node, evaluation);
    case NodeKind::kNot: {
      ARROW_ASSIGN_OR_RAISE(const Datum value, Evaluate(*node.arguments[0], evaluation));
      return cp::CallFunction("invert", {value}, evaluation.compute);
    }
    case NodeKind::kIsNull: {
      ARROW_ASSIGN_OR_RAISE(const Datum value, Evaluate(*node.arguments[0], evaluation));
      return cp::CallFunction("is_null", {value}, evaluation.compute);
    }
    case NodeKind::kCase:
      return EvaluateCase(node, evaluation);
  }
  return InvalidArgument("an expression of an unknown kind");
}

Result<ArrowFunction> FindArrowFunction(const std::string& name,
                                        const std::vector<std::shared_ptr<arrow::DataType>>& types,
                                        std::shared_ptr<cp::FunctionOptions> options,
                                        cp::ExecContext* compute) {
  arrow::FieldVector fields;
  std::vector<cp::Expression> arguments;
  for (size_t i = 0; i < types.size(); ++i) {
    fields.push_back(arrow::field(std::to_string(i), types[i]));
    arguments.push_back(cp::field_ref(arrow::FieldRef(static_cast<int>(i))));
  }
  const auto call = cp::call(name, std::move(arguments), std::move(options));
  auto bound = call.Bind(*arrow::schema(std::move(fields)), compute);
  if (!bound.ok()) {
    if (bound.status().IsOutOfMemory() || bound.status().IsCancelled()) return bound.status();
    return InvalidArgument(bound.status().message());
  }
  ArrowFunction function;
  function.type = bound->type()->GetSharedPtr();
  function.kernel = [expression = *std::move(bound)](const std::vector<Datum>& values,
                                                     const Evaluation& evaluation) {
    return cp::ExecuteScalarExpression(expression, cp::ExecBatch(values, evaluation.length()),
                                       evaluation.compute);
  };
  return function;
}

}  // namespace tusk::expr
