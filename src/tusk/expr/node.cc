#include "tusk/expr/node.h"

#include <algorithm>
#include <span>
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

#include "tusk/base/simd_level.h"
#include "tusk/expr/truth_bits.h"

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

/// A truth that is null, where 0 is false and 1 is true.
constexpr uint8_t kNullTruth = 2;

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

/// `node`, a condition, for each of `values` and in the end for null: 0, 1, or 2 where it is null.
Result<std::vector<uint8_t>> JudgeValues(const Node& node,
                                         const std::shared_ptr<arrow::Array>& values,
                                         const Evaluation& evaluation) {
  arrow::MemoryPool* pool = evaluation.context->pool;
  ARROW_ASSIGN_OR_RAISE(const auto null, arrow::MakeArrayOfNull(values->type(), 1, pool));
  ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate({values, null}, pool));
  // The column has its number, and there is nothing but it.
  const auto width = static_cast<size_t>(*node.only_column) + 1;
  const arrow::FieldVector fields(width, arrow::field("", all->type()));
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), all->length(),
                                              arrow::ArrayVector(width, all));
  Evaluation inner = evaluation;
  inner.batch = batch.get();
  inner.has_codes = false;
  ARROW_ASSIGN_OR_RAISE(const Datum judged, Evaluate(node, inner));
  ARROW_ASSIGN_OR_RAISE(const auto array, ToArray(judged, all->length(), pool));
  const auto& truths = static_cast<const arrow::BooleanArray&>(*array);
  std::vector<uint8_t> result(static_cast<size_t>(all->length()), kNullTruth);
  for (int64_t i = 0; i < truths.length(); ++i) {
    if (truths.IsValid(i)) result[static_cast<size_t>(i)] = truths.Value(i) ? 1 : 0;
  }
  return result;
}

/// A bit for each of `length` rows.
template <typename IsSet>
Result<std::shared_ptr<arrow::Buffer>> MakeBits(int64_t length, const IsSet& is_set,
                                                arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto bits, arrow::AllocateBuffer((length + 7) / 8, pool));
  uint8_t* to = bits->mutable_data();
  const auto byte_of = [&](int64_t first, int count) {
    unsigned byte = 0;
    for (int i = 0; i < count; ++i) byte |= static_cast<unsigned>(is_set(first + i)) << i;
    return static_cast<uint8_t>(byte);
  };
  // The compiler makes the best of a fixed number.
  const int64_t whole = length - length % 8;
  for (int64_t first = 0; first < whole; first += 8) *to++ = byte_of(first, 8);
  if (whole < length) *to = byte_of(whole, static_cast<int>(length - whole));
  return std::shared_ptr<arrow::Buffer>(std::move(bits));
}

/// A bit for each row, by what `bits` has for its code.
Result<std::shared_ptr<arrow::Buffer>> SpreadFewTruths(std::span<const uint8_t> bits,
                                                       std::span<const int32_t> codes,
                                                       arrow::MemoryPool* pool) {
  static const SimdLevel level = SupportedSimdLevels().back();
  uint32_t truths = 0;
  for (size_t i = 0; i < bits.size(); ++i) truths |= uint32_t{bits[i]} << i;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> made,
                        arrow::AllocateBuffer((std::ssize(codes) + 7) / 8, pool));
  ToTruthBits(codes, truths, level, made->mutable_data());
  return made;
}

/// The truth of each row by its code.
template <typename Code>
Result<Datum> SpreadTruths(const std::vector<uint8_t>& truths, const arrow::DictionaryArray& column,
                           arrow::MemoryPool* pool) {
  const auto* codes = column.indices()->data()->GetValues<Code>(1);
  const bool has_nulls = column.null_count() > 0;
  // A bit for each row, by what `table` has for its value.
  const auto spread = [&](const std::vector<uint8_t>& bits) {
    const uint8_t* table = bits.data();
    if constexpr (sizeof(Code) == sizeof(int32_t)) {
      // The last is of null.
      if (!has_nulls && std::ssize(bits) - 1 <= kMostTruths) {
        return SpreadFewTruths(std::span(bits).first(bits.size() - 1),
                               std::span(codes, column.length()), pool);
      }
    }
    if (!has_nulls) {
      return MakeBits(column.length(), [&](int64_t row) { return table[codes[row]]; }, pool);
    }
    const uint8_t of_null = bits.back();
    return MakeBits(
        column.length(),
        [&](int64_t row) { return column.IsNull(row) ? of_null : table[codes[row]]; }, pool);
  };
  std::vector<uint8_t> is_true(truths.size());
  std::vector<uint8_t> is_valid(truths.size());
  for (size_t i = 0; i < truths.size(); ++i) {
    is_true[i] = truths[i] == 1 ? 1 : 0;
    is_valid[i] = truths[i] == kNullTruth ? 0 : 1;
  }
  ARROW_ASSIGN_OR_RAISE(auto values, spread(is_true));
  std::shared_ptr<arrow::Buffer> validity;
  const auto end = truths.end() - (has_nulls ? 0 : 1);
  if (std::find(truths.begin(), end, kNullTruth) != end) {
    ARROW_ASSIGN_OR_RAISE(validity, spread(is_valid));
  }
  return Datum(std::make_shared<arrow::BooleanArray>(column.length(), std::move(values),
                                                     std::move(validity)));
}

/// The codes of the one column that `node`, a condition, reads, if it comes so and has few values.
std::shared_ptr<arrow::Array> CodesFor(const Node& node, const Evaluation& evaluation) {
  if (!node.only_column || node.type->id() != arrow::Type::BOOL) return nullptr;
  auto column = evaluation.batch->column(*node.only_column);
  if (column->type_id() != arrow::Type::DICTIONARY) return nullptr;
  const auto& codes = static_cast<const arrow::DictionaryArray&>(*column);
  return codes.dictionary()->length() * 2 <= codes.length() ? column : nullptr;
}

/// `node` asked about each value of the column once.
Result<Datum> EvaluateCodes(const Node& node, const arrow::DictionaryArray& column,
                            const Evaluation& evaluation) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint8_t> truths,
                        JudgeValues(node, column.dictionary(), evaluation));
  arrow::MemoryPool* pool = evaluation.context->pool;
  switch (column.indices()->type_id()) {
    case arrow::Type::INT8:
      return SpreadTruths<int8_t>(truths, column, pool);
    case arrow::Type::INT16:
      return SpreadTruths<int16_t>(truths, column, pool);
    case arrow::Type::INT32:
      return SpreadTruths<int32_t>(truths, column, pool);
    default:
      return Unsupported("indices of type ", column.indices()->type()->ToString());
  }
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
  if (evaluation.has_codes) {
    if (const auto column = CodesFor(node, evaluation)) {
      auto judged =
          EvaluateCodes(node, static_cast<const arrow::DictionaryArray&>(*column), evaluation);
      if (judged.ok()) return judged;
      // A value that no row has may be what it failed for.
      const auto code = GetErrorCode(judged.status());
      if (code != ErrorCode::kInvalidArgument && code != ErrorCode::kUnsupported) return judged;
    }
  }
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
