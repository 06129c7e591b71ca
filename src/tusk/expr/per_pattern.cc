#include "tusk/expr/per_pattern.h"

#include <map>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

constexpr size_t kMostKeys = 1000;

/// The values of the kernel for `rows` of the texts.
Result<std::shared_ptr<arrow::Array>> RunOf(const Kernel& kernel, const Datum& texts,
                                            const std::vector<int64_t>& rows,
                                            const Evaluation& evaluation) {
  arrow::Int64Builder places(evaluation.context->pool);
  ARROW_RETURN_NOT_OK(places.AppendValues(rows));
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(
      const Datum taken,
      cp::Take(texts, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({}), indices->length(), arrow::ArrayVector());
  Evaluation inner = evaluation;
  inner.batch = batch.get();
  ARROW_ASSIGN_OR_RAISE(const Datum values, kernel({taken}, inner));
  return ToArray(values, indices->length(), evaluation.context->pool);
}

}  // namespace

Result<NodePtr> MakeKeyedCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                              const std::shared_ptr<arrow::DataType>& type, MakeKeyed make) {
  Kernel kernel = [type, make = std::move(make)](const std::vector<Datum>& values,
                                                 const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(values, evaluation));
    std::map<std::vector<std::string>, std::vector<int64_t>> rows_of;
    for (int64_t row = 0; row < rows.length(); ++row) {
      if (rows.HasNull(row)) continue;
      std::vector<std::string> keys;
      for (size_t i = 1; i < rows.size(); ++i) keys.emplace_back(rows.Text(i, row));
      rows_of[std::move(keys)].push_back(row);
      if (rows_of.size() > kMostKeys) {
        return InvalidArgument("more than ", kMostKeys,
                               " different patterns for one batch of rows");
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto texts, ToArray(values[0], rows.length(), pool));
    ARROW_ASSIGN_OR_RAISE(const auto nothing, arrow::MakeArrayOfNull(type, 1, pool));
    arrow::ArrayVector pieces = {nothing};
    std::vector<int64_t> places(static_cast<size_t>(rows.length()), 0);
    int64_t next = 1;
    for (const auto& [keys, numbers] : rows_of) {
      ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
      ARROW_ASSIGN_OR_RAISE(const Kernel one, make(keys));
      ARROW_ASSIGN_OR_RAISE(pieces.emplace_back(), RunOf(one, Datum(texts), numbers, evaluation));
      for (const int64_t row : numbers) places[static_cast<size_t>(row)] = next++;
    }
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate(pieces, pool));
    arrow::Int64Builder order(pool);
    ARROW_RETURN_NOT_OK(order.AppendValues(places));
    ARROW_ASSIGN_OR_RAISE(const auto indices, order.Finish());
    ARROW_ASSIGN_OR_RAISE(
        const Datum result,
        cp::Take(Datum(all), Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
    return ToResult(result.make_array(), rows.is_scalar());
  };
  return binder.MakeCall(span, type, std::move(arguments), std::move(kernel));
}

}  // namespace tusk::expr
