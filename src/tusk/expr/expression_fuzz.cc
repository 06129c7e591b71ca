// Any text is refused, or is an expression whose values have its type, are one for each row, and do
// not depend on which rows stand around them.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/expression.h"
#include "tusk/expr/filter.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::expr {
namespace {

constexpr int64_t kPoolBytes = int64_t{64} << 20;

/// Values of `type` that Arrow parses of the texts, and a null.
std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type,
                                     const std::vector<std::string>& texts) {
  auto builder = *arrow::MakeBuilder(type);
  for (const std::string& text : texts) {
    Require(builder->AppendScalar(**arrow::Scalar::Parse(type, text)), "values of the table");
  }
  Require(builder->AppendNull(), "a null of the table");
  return *builder->Finish();
}

/// Three rows of columns with the names of the corpus's texts.
std::shared_ptr<arrow::RecordBatch> MakeTable() {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  const auto add = [&](const std::string& name, std::shared_ptr<arrow::Array> array) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(std::move(array));
  };
  add("i", Column(arrow::int64(), {"1", "-4"}));
  add("i8", Column(arrow::int8(), {"127", "-4"}));
  add("u64", Column(arrow::uint64(), {"1", "18446744073709551615"}));
  add("f", Column(arrow::float64(), {"nan", "-0"}));
  add("f32", Column(arrow::float32(), {"1.5", "inf"}));
  add("b", Column(arrow::boolean(), {"true", "false"}));
  add("s", Column(arrow::utf8(), {"abc", "a%c_\xC3\xA9"}));
  add("bin", Column(arrow::binary(), {"abc", ""}));
  add("d", Column(arrow::date32(), {"2021-01-01", "1969-12-31"}));
  add("ts", Column(arrow::timestamp(arrow::TimeUnit::MICRO), {"2021-01-01", "1969-12-31"}));
  add("tsb", Column(arrow::timestamp(arrow::TimeUnit::SECOND, "Europe/Berlin"),
                    {"2021-01-01T00:00:00Z", "1969-12-31T00:00:00Z"}));
  add("t64", Column(arrow::time64(arrow::TimeUnit::MICRO), {"01:00:00", "23:59:59"}));
  const auto inner =
      *arrow::StructArray::Make({arrays[0], arrays[6]}, std::vector<std::string>{"a", "B"});
  add("st", inner);
  auto values = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), values);
  Require(lists.Append() & values->AppendValues({1, 2}) & values->AppendNull(), "a list");
  Require(lists.AppendEmptyValue() & lists.AppendNull(), "an empty list and a null");
  add("l", *lists.Finish());
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), 3, std::move(arrays));
}

/// What an expression may fail with. Sums, casts and sizes are errors of its values.
void RequireKnownError(const Status& status) {
  const auto code = GetErrorCode(status);
  Require(code == ErrorCode::kInvalidArgument || code == ErrorCode::kUnsupported ||
              code == ErrorCode::kOutOfBudget,
          "an error has its code");
}

bool IsVolatile(std::string_view text) {
  return text.find("rand") != std::string_view::npos ||
         text.find("RAND") != std::string_view::npos ||
         text.find("uid") != std::string_view::npos || text.find("UID") != std::string_view::npos;
}

void CheckValues(const Expression& expression, const arrow::RecordBatch& table,
                 const OperationContext& context) {
  const auto bound = expression.Bind(*table.schema(), context);
  if (!bound.ok()) return RequireKnownError(bound.status());
  Require(expression.Paths(*table.schema()).status(), "what is bound has paths");
  const auto values = (*bound)->Evaluate(table, context);
  if (!values.ok()) return RequireKnownError(values.status());
  Require((*values)->type()->Equals(*(*bound)->type()), "values are of the type");
  RequireValid((*values)->data(), table.num_rows());
  if (IsVolatile(expression.text())) return;
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    const auto one = (*bound)->Evaluate(*table.Slice(row, 1), context);
    if (!one.ok()) return RequireKnownError(one.status());
    Require(
        (*one)->RangeEquals(**values, 0, 1, row, arrow::EqualOptions::Defaults().nans_equal(true)),
        "a value depends on its row alone");
  }
}

void CheckFilter(std::string_view text, const std::shared_ptr<arrow::RecordBatch>& table,
                 const OperationContext& context) {
  const auto filter = Filter::FromSql(text);
  Require(filter.status(), "what parses as an expression parses as a filter");
  const auto bound = (*filter)->Bind(*table->schema(), context);
  if (!bound.ok()) return RequireKnownError(bound.status());
  const auto kept = (*bound)->Apply(table, context);
  if (!kept.ok()) return RequireKnownError(kept.status());
  if ((*kept)->num_rows() == 0 || IsVolatile(text)) return;
  // Of the first two rows, without nulls.
  std::map<std::string, ColumnRange> ranges;
  ranges["i"] = {.least = arrow::MakeScalar(int64_t{-4}),
                 .greatest = arrow::MakeScalar(int64_t{1})};
  ranges["s"] = {.least = arrow::MakeScalar("a%c_\xC3\xA9"), .greatest = arrow::MakeScalar("abc")};
  const auto may_match = (*bound)->MayMatch(ranges);
  Require(may_match.status(), "pruning knows every filter");
  Require(*may_match, "no row is pruned that is kept");
}

}  // namespace
}  // namespace tusk::expr

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::expr;
  static const auto table = MakeTable();
  const auto bytes = tusk::ExactCopy({data, size});
  const std::string_view text = tusk::AsText({bytes->data(), size});
  const auto expression = Expression::Parse(text);
  if (!expression.ok()) {
    tusk::Require(tusk::GetErrorCode(expression.status()) == tusk::ErrorCode::kInvalidArgument,
                  "what is no expression is refused");
    return 0;
  }
  tusk::BoundedPool pool(kPoolBytes);
  tusk::OperationContext context;
  context.pool = &pool;
  CheckValues(**expression, *table, context);
  CheckFilter(text, table, context);
  return 0;
}
