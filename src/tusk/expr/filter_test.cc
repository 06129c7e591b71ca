#include "tusk/expr/filter.h"

#include <limits>
#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/expression.h>
#include <arrow/json/from_string.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using cp::call;
using cp::field_ref;
using cp::literal;

/// A null where there is no value.
using Values = std::vector<std::optional<int64_t>>;

std::shared_ptr<arrow::Array> Int64s(const Values& values) {
  arrow::Int64Builder builder;
  for (const auto& value : values) {
    EXPECT_OK(value ? builder.Append(*value) : builder.AppendNull());
  }
  return *builder.Finish();
}

/// One batch with columns a and b, both nullable int64.
std::shared_ptr<arrow::RecordBatch> Batch(const Values& a, const Values& b) {
  auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64())});
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(a.size()), {Int64s(a), Int64s(b)});
}

Values ColumnOf(const arrow::RecordBatch& batch, std::string_view name) {
  const auto& array =
      static_cast<const arrow::Int64Array&>(*batch.GetColumnByName(std::string(name)));
  Values values;
  for (int64_t i = 0; i < array.length(); ++i) {
    values.push_back(array.IsNull(i) ? std::nullopt : std::optional(array.Value(i)));
  }
  return values;
}

/// Column a of the rows of `batch` that `expression` keeps.
Result<Values> Kept(const cp::Expression& expression,
                    const std::shared_ptr<arrow::RecordBatch>& batch) {
  const OperationContext context;
  ARROW_ASSIGN_OR_RAISE(auto bound, Filter::FromArrow(expression)->Bind(*batch->schema(), context));
  ARROW_ASSIGN_OR_RAISE(auto kept, bound->Apply(batch, context));
  EXPECT_OK(kept->ValidateFull());
  return ColumnOf(*kept, "a");
}

TEST(FilterTest, KeepsRowsWhereThePredicateIsTrueAndDropsNull) {
  const auto batch = Batch({1, 2, std::nullopt, 4, 5}, {1, 1, 1, std::nullopt, 0});
  const auto both = cp::and_(call("greater", {field_ref("a"), literal(int64_t{1})}),
                             call("equal", {field_ref("b"), literal(int64_t{1})}));
  ASSERT_OK_AND_ASSIGN(const Values kept, Kept(both, batch));
  EXPECT_EQ(kept, (Values{2}));
}

TEST(FilterTest, AgreesWithALoopOnRandomSlices) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Values a, b;
    const int rows = static_cast<int>(random() % 300);
    for (int i = 0; i < rows; ++i) {
      a.push_back(random() % 5 == 0 ? std::nullopt : std::optional<int64_t>(random() % 10));
      b.push_back(random() % 5 == 0 ? std::nullopt : std::optional<int64_t>(random() % 10));
    }
    const int64_t begin = rows == 0 ? 0 : static_cast<int64_t>(random() % rows);
    Values expected;
    for (int64_t i = begin; i < rows; ++i) {
      if (a[i] && b[i] && *a[i] < *b[i]) expected.push_back(a[i]);
    }
    const auto slice = Batch(a, b)->Slice(begin);
    ASSERT_OK_AND_ASSIGN(const Values kept,
                         Kept(call("less", {field_ref("a"), field_ref("b")}), slice));
    EXPECT_EQ(kept, expected);
  }
}

TEST(FilterTest, ConstantPredicatesKeepAllOrNothing) {
  const auto batch = Batch({1, std::nullopt}, {3, 4});
  ASSERT_OK_AND_ASSIGN(const Values all, Kept(literal(true), batch));
  EXPECT_EQ(all, (Values{1, std::nullopt}));
  ASSERT_OK_AND_ASSIGN(const Values none, Kept(literal(false), batch));
  EXPECT_EQ(none, Values{});
  ASSERT_OK_AND_ASSIGN(const Values unknown,
                       Kept(literal(arrow::MakeNullScalar(arrow::boolean())), batch));
  EXPECT_EQ(unknown, Values{});
}

TEST(FilterTest, ComparesAcrossWidthsWithImplicitCasts) {
  const auto batch = Batch({1, 2, 3}, {0, 0, 0});
  ASSERT_OK_AND_ASSIGN(const Values kept,
                       Kept(call("greater_equal", {field_ref("a"), literal(int32_t{2})}), batch));
  EXPECT_EQ(kept, (Values{2, 3}));
}

std::shared_ptr<arrow::Array> ArrayOf(const std::shared_ptr<arrow::DataType>& type,
                                      std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

/// The numbers of the rows that the filter keeps of one column `x`.
std::vector<int64_t> RowsKept(const std::shared_ptr<const Filter>& filter,
                              const std::shared_ptr<arrow::Array>& given,
                              const std::shared_ptr<arrow::DataType>& type) {
  const OperationContext context;
  const auto bound = filter->Bind(*arrow::schema({arrow::field("x", type)}), context);
  EXPECT_OK(bound);
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("x", given->type())}),
                                              given->length(), {given});
  const auto mask = (*bound)->Judge(*batch, context);
  EXPECT_OK(mask);
  std::vector<int64_t> rows;
  for (int64_t row = 0; mask.ok() && row < (*mask)->length(); ++row) {
    if ((*mask)->Value(row)) rows.push_back(row);
  }
  return rows;
}

TEST(FilterTest, OrdersFloatsOfArrowExpressionsWithNanAboveAll) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto x = ArrayOf(arrow::float64(), "[1, NaN, null, -1, 0.0, -0.0]");
  const auto kept = [&](const std::string& function, double value) {
    return RowsKept(Filter::FromArrow(call(function, {field_ref("x"), literal(value)})), x,
                    arrow::float64());
  };
  using Rows = std::vector<int64_t>;
  EXPECT_EQ(kept("greater", 0.5), (Rows{0, 1}));
  EXPECT_EQ(kept("greater_equal", 0.0), (Rows{0, 1, 4, 5}));
  EXPECT_EQ(kept("less", 0.5), (Rows{3, 4, 5}));
  EXPECT_EQ(kept("not_equal", 1), (Rows{1, 3, 4, 5}));
  EXPECT_EQ(kept("equal", nan), (Rows{1}));
  EXPECT_EQ(kept("less", nan), (Rows{0, 3, 4, 5}));
  EXPECT_EQ(RowsKept(Filter::FromArrow(call("less", {literal(0.5), field_ref("x")})), x,
                     arrow::float64()),
            (Rows{0, 1}));
}

TEST(FilterTest, LiteralsOfArrowExpressionsKeepTheirType) {
  const auto of = [](const char* function, const arrow::Datum& value) {
    return Filter::FromArrow(call(function, {field_ref("x"), literal(value)}));
  };
  using Rows = std::vector<int64_t>;
  const auto floats = ArrayOf(arrow::float32(), "[0.1, 0.5, 2]");
  // 0.1 as a double is no float.
  EXPECT_EQ(RowsKept(of("equal", arrow::Datum(0.1)), floats, arrow::float32()), Rows{});
  EXPECT_EQ(RowsKept(of("equal", arrow::Datum(0.5)), floats, arrow::float32()), Rows{1});
  const auto ints = ArrayOf(arrow::int32(), "[1, 2, null, 3]");
  EXPECT_EQ(RowsKept(of("less", arrow::Datum(2.5)), ints, arrow::int32()), (Rows{0, 1}));
  EXPECT_EQ(RowsKept(of("equal", arrow::Datum(2.5)), ints, arrow::int32()), Rows{});
  EXPECT_EQ(RowsKept(of("less", arrow::Datum(int64_t{1} << 40)), ints, arrow::int32()),
            (Rows{0, 1, 3}));
  const auto days = ArrayOf(arrow::date32(), "[0, 1, 2]");
  EXPECT_EQ(RowsKept(of("equal", arrow::Datum("1970-01-02")), days, arrow::date32()), Rows{1});
}

TEST(FilterTest, RefusesArrowFunctionsThatDoNotJudgeEachRow) {
  const auto filter = Filter::FromArrow(
      call("greater", {call("cumulative_sum", {field_ref("a")}), literal(int64_t{1})}));
  EXPECT_THAT(filter->Bind(*Batch({1}, {1})->schema(), OperationContext()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FilterTest, TakesLongChainsAndRefusesDeepArrowExpressions) {
  cp::Expression chain = call("equal", {field_ref("a"), literal(int64_t{0})});
  for (int64_t i = 1; i < 2000; ++i) {
    chain = cp::or_(chain, call("equal", {field_ref("a"), literal(i)}));
  }
  ASSERT_OK_AND_ASSIGN(const Values kept, Kept(chain, Batch({1999, 2000}, {0, 0})));
  EXPECT_EQ(kept, (Values{1999}));
  cp::Expression deep = call("is_valid", {field_ref("a")});
  for (int i = 0; i < 1000; ++i) deep = cp::not_(deep);
  EXPECT_THAT(Kept(deep, Batch({1}, {1})), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FilterTest, JudgesCodesAsTheValuesThatTheyStandFor) {
  std::mt19937 random(11);
  const std::vector<std::string> conditions = {"x = 'b'",
                                               "x LIKE '%a%'",
                                               "x IS NULL",
                                               "x IN ('a', NULL)",
                                               "NOT x IN ('a')",
                                               "x <> 'b'",
                                               "coalesce(x, 'q') = 'q'",
                                               "length(x) > 1",
                                               "x > 'a' OR x IS NULL",
                                               "true",
                                               "nullif(x, 'b') IS NULL",
                                               "x = 'a' AND 1 < 2"};
  for (int round = 0; round < 100; ++round) {
    arrow::Int32Builder indices;
    arrow::StringBuilder values;
    const auto rows = static_cast<int64_t>(20 + random() % 200);
    const auto items = ArrayOf(arrow::utf8(), R"(["a", "b", "ca", "", "unused"])");
    const bool has_nulls = round % 2 == 0;
    for (int64_t row = 0; row < rows; ++row) {
      const auto code = static_cast<int32_t>(random() % 4);
      if (has_nulls && random() % 5 == 0) {
        ASSERT_OK(indices.AppendNull());
        ASSERT_OK(values.AppendNull());
      } else {
        ASSERT_OK(indices.Append(code));
        ASSERT_OK(values.Append(static_cast<const arrow::StringArray&>(*items).GetView(code)));
      }
    }
    ASSERT_OK_AND_ASSIGN(const auto codes, indices.Finish());
    ASSERT_OK_AND_ASSIGN(const auto plain, values.Finish());
    ASSERT_OK_AND_ASSIGN(const auto coded,
                         arrow::DictionaryArray::FromArrays(
                             arrow::dictionary(arrow::int32(), arrow::utf8()), codes, items));
    const int64_t begin = random() % 9;
    for (const std::string& condition : conditions) {
      ASSERT_OK_AND_ASSIGN(const auto filter, Filter::FromSql(condition));
      EXPECT_EQ(RowsKept(filter, coded->Slice(begin), arrow::utf8()),
                RowsKept(filter, plain->Slice(begin), arrow::utf8()))
          << condition;
    }
  }
}

TEST(FilterTest, AValueThatNoRowHasFailsNothing) {
  const auto items = ArrayOf(arrow::int64(), "[1, 0, 5]");
  const auto indices = ArrayOf(arrow::int32(), "[0, 2, 0, 2, 0, 0]");
  ASSERT_OK_AND_ASSIGN(const auto coded,
                       arrow::DictionaryArray::FromArrays(
                           arrow::dictionary(arrow::int32(), arrow::int64()), indices, items));
  ASSERT_OK_AND_ASSIGN(const auto filter, Filter::FromSql("10 / x > 2"));
  EXPECT_EQ(RowsKept(filter, coded, arrow::int64()), (std::vector<int64_t>{0, 2, 4, 5}));
}

TEST(FilterTest, NamesTopLevelColumnsOnceAndAscending) {
  const auto filter =
      Filter::FromArrow(cp::or_(call("less", {field_ref("z"), field_ref("a")}),
                                call("is_null", {field_ref(arrow::FieldRef("a", "inner"))})));
  ASSERT_OK_AND_ASSIGN(const auto columns, filter->Columns(arrow::Schema({})));
  EXPECT_EQ(columns, (std::vector<std::string>{"a", "z"}));
}

TEST(FilterTest, NamesThePathsThatItReads) {
  const auto nested = [](std::vector<arrow::FieldRef> steps) {
    return cp::field_ref(arrow::FieldRef(std::move(steps)));
  };
  const auto filter = Filter::FromArrow(
      cp::and_({cp::greater(nested({"s", "b", "c"}), literal(1)), cp::is_null(nested({"s", 1})),
                cp::equal(field_ref("a"), field_ref("a"))}));
  ASSERT_OK_AND_ASSIGN(const auto paths, filter->Paths(arrow::Schema({})));
  const std::vector<std::vector<std::string>> expected = {{"a"}, {"s"}, {"s", "b", "c"}};
  EXPECT_EQ(paths, expected);
  EXPECT_THAT(Filter::FromArrow(cp::is_null(nested({0, "b"})))->Paths(arrow::Schema({})),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FilterTest, ReadsNestedFields) {
  auto inner =
      *arrow::StructArray::Make({Int64s({1, std::nullopt, 3})}, std::vector<std::string>{"x"});
  auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("s", inner->type())});
  const auto batch = arrow::RecordBatch::Make(schema, 3, {Int64s({10, 20, 30}), inner});
  ASSERT_OK_AND_ASSIGN(const Values kept,
                       Kept(call("is_valid", {field_ref(arrow::FieldRef("s", "x"))}), batch));
  EXPECT_EQ(kept, (Values{10, 30}));
}

TEST(FilterTest, RefusesColumnsThatAreNotNamed) {
  const auto filter =
      Filter::FromArrow(call("is_valid", {field_ref(arrow::FieldRef(arrow::FieldPath({0})))}));
  EXPECT_THAT(filter->Columns(arrow::Schema({})), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(filter->Bind(*Batch({1}, {1})->schema(), OperationContext()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FilterTest, RefusesUnknownColumnsWrongTypesAndNonBooleans) {
  const auto schema = Batch({1}, {1})->schema();
  for (const cp::Expression& expression :
       {call("is_valid", {field_ref("c")}),
        call("equal", {field_ref("a"), literal(std::string("one"))}), field_ref("a"),
        call("no_such_function", {field_ref("a")})}) {
    EXPECT_THAT(Filter::FromArrow(expression)->Bind(*schema, OperationContext()),
                FailsWith(ErrorCode::kInvalidArgument))
        << expression.ToString();
  }
}

TEST(FilterTest, RefusesABatchOfAnotherSchema) {
  const OperationContext context;
  const auto filter = Filter::FromArrow(call("is_valid", {field_ref("a")}));
  ASSERT_OK_AND_ASSIGN(auto bound, filter->Bind(*Batch({1}, {1})->schema(), context));
  auto other = *Batch({1}, {1})->RemoveColumn(1);
  EXPECT_THAT(bound->Apply(other, context), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FilterTest, SurvivesArrowsSerialization) {
  const auto expression = call("greater", {field_ref("a"), literal(int64_t{1})});
  ASSERT_OK_AND_ASSIGN(auto bytes, cp::Serialize(expression));
  ASSERT_OK_AND_ASSIGN(auto filter, Filter::Deserialize(bytes));
  EXPECT_EQ(filter->ToString(), expression.ToString());
  EXPECT_THAT(Filter::Deserialize(arrow::Buffer::FromString("no expression")),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FilterTest, AllocatesFromThePoolOfTheContext) {
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), /*bytes_allocated_limit=*/64);
  OperationContext context;
  const auto filter = Filter::FromArrow(call("greater", {field_ref("a"), literal(int64_t{1})}));
  const auto batch = Batch(Values(1000, 2), Values(1000, 2));
  ASSERT_OK_AND_ASSIGN(auto bound, filter->Bind(*batch->schema(), context));
  context.pool = &pool;
  EXPECT_THAT(bound->Apply(batch, context), FailsWith(ErrorCode::kOutOfBudget));
}

}  // namespace
}  // namespace tusk::expr
