#include "tusk/expr/filter.h"

#include <random>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/expression.h>
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
