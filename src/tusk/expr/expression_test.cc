#include "tusk/expr/expression.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>

#include "tusk/expr/filter.h"
#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

/// An array of `type` from the scalars that Arrow parses of the texts; "null" is null.
std::shared_ptr<arrow::Array> Parsed(const std::shared_ptr<arrow::DataType>& type,
                                     const std::vector<std::string>& texts) {
  auto builder = *arrow::MakeBuilder(type);
  for (const std::string& text : texts) {
    if (text == "null") {
      EXPECT_OK(builder->AppendNull());
    } else if (type->id() == arrow::Type::DECIMAL128) {
      EXPECT_OK(builder->AppendScalar(
          arrow::Decimal128Scalar(*arrow::Decimal128::FromString(text), type)));
    } else {
      EXPECT_OK(builder->AppendScalar(**arrow::Scalar::Parse(type, text)));
    }
  }
  return *builder->Finish();
}

struct Column {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::vector<std::string> values;
};

std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(Parsed(column.type, column.values));
  }
  const int64_t rows = arrays[0]->length();
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(arrays));
}

/// The values of `text`, or the message of its error.
std::string Values(std::string_view text, const std::shared_ptr<arrow::RecordBatch>& batch) {
  const OperationContext context;
  const auto values = [&]() -> Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(const auto expression, Expression::Parse(text));
    ARROW_ASSIGN_OR_RAISE(const auto bound, expression->Bind(*batch->schema(), context));
    ARROW_ASSIGN_OR_RAISE(auto array, bound->Evaluate(*batch, context));
    EXPECT_TRUE(array->type()->Equals(*bound->type()));
    EXPECT_EQ(array->length(), batch->num_rows());
    EXPECT_OK(array->ValidateFull());
    return array;
  }();
  if (!values.ok()) return values.status().message();
  std::string shown = (*values)->type()->ToString();
  for (int64_t i = 0; i < (*values)->length(); ++i) {
    shown += " " + (*(*values)->GetScalar(i))->ToString();
  }
  return shown;
}

std::shared_ptr<arrow::RecordBatch> Numbers() {
  return Batch({{"i", arrow::int64(), {"1", "null", "-3"}},
                {"small", arrow::int8(), {"100", "2", "null"}},
                {"u", arrow::uint64(), {"18446744073709551615", "1", "null"}},
                {"f", arrow::float64(), {"0.5", "nan", "null"}},
                {"s", arrow::utf8(), {"abc", "null", "ä_%"}},
                {"d", arrow::date32(), {"2024-01-31", "null", "1969-12-31"}},
                {"t",
                 arrow::timestamp(arrow::TimeUnit::SECOND),
                 {"2024-02-29 12:00:00", "null", "1969-12-31 23:59:59"}},
                {"m", arrow::decimal128(5, 2), {"1.50", "null", "-0.01"}}});
}

TEST(ExpressionTest, ComputesValuesOfTheColumnsType) {
  const auto batch = Numbers();
  EXPECT_EQ(Values("i + 1", batch), "int64 2 null -2");
  EXPECT_EQ(Values("small - 1", batch), "int8 99 1 null");
  EXPECT_EQ(Values("i / 2", batch), "int64 0 null -1");
  EXPECT_EQ(Values("i % 2", batch), "int64 1 null -1");
  EXPECT_EQ(Values("f * 2", batch), "double 1 nan null");
  EXPECT_EQ(Values("-i", batch), "int64 -1 null 3");
  EXPECT_EQ(Values("s || '!'", batch), "string abc! null ä_%!");
  EXPECT_EQ(Values("m + 0.25", batch), "decimal128(6, 2) 1.75 null 0.24");
  EXPECT_EQ(Values("CASE WHEN i > 0 THEN 'p' WHEN i < 0 THEN 'n' END", batch), "string p null n");
  EXPECT_EQ(Values("d + INTERVAL '1 month'", batch), "date32[day] 2024-02-29 null 1970-01-31");
  EXPECT_EQ(Values("t - INTERVAL '1 year 12 hours'", batch),
            "timestamp[s] 2023-02-28 00:00:00 null 1968-12-31 11:59:59");
}

TEST(ExpressionTest, BecomesATypeOnlyIfItStaysTheSame) {
  const auto batch = Batch({{"whole", arrow::float64(), {"2", "null", "-3"}},
                            {"half", arrow::float64(), {"2", "0.5", "null"}},
                            {"many", arrow::int64(), {"7", "300", "null"}},
                            {"cent", arrow::decimal128(9, 2), {"1.50", "0.25", "null"}},
                            {"text", arrow::utf8(), {"7", "x", "null"}}});
  const auto as = [&](std::string_view text, const std::shared_ptr<arrow::DataType>& type) {
    const OperationContext context;
    const auto values = [&]() -> Result<std::shared_ptr<arrow::Array>> {
      ARROW_ASSIGN_OR_RAISE(const auto expression, Expression::Parse(text));
      ARROW_ASSIGN_OR_RAISE(const auto bound, expression->BindAs(type, *batch->schema(), context));
      EXPECT_TRUE(bound->type()->Equals(*type));
      return bound->Evaluate(*batch, context);
    }();
    if (!values.ok()) return values.status().message();
    std::string shown;
    for (int64_t i = 0; i < (*values)->length(); ++i) {
      shown += (*(*values)->GetScalar(i))->ToString() + " ";
    }
    EXPECT_TRUE((*values)->type()->Equals(*type));
    return shown;
  };
  EXPECT_EQ(as("whole", arrow::int8()), "2 null -3 ");
  EXPECT_EQ(as("many", arrow::int16()), "7 300 null ");
  EXPECT_EQ(as("cent", arrow::decimal128(9, 3)), "1.500 0.250 null ");
  EXPECT_EQ(as("0.1", arrow::float32()), "0.1 0.1 0.1 ");
  EXPECT_EQ(as("many", arrow::utf8()), "7 300 null ");
  EXPECT_EQ(as("'2024-02-03'", arrow::date32()), "2024-02-03 2024-02-03 2024-02-03 ");
  EXPECT_EQ(as("null", arrow::list(arrow::int8())), "null null null ");
  EXPECT_THAT(as("half", arrow::int8()), testing::HasSubstr("0.5 would become 0"));
  EXPECT_THAT(as("cent", arrow::decimal128(9, 1)), testing::HasSubstr("0.25 would become 0.3"));
  EXPECT_THAT(as("cast('2024-02-03 10:00:00' as timestamp)", arrow::date32()),
              testing::HasSubstr("would become 2024-02-03"));
  EXPECT_THAT(as("many", arrow::int8()), testing::HasSubstr("300"));
  EXPECT_THAT(as("text", arrow::int8()), testing::HasSubstr("x"));
  EXPECT_THAT(as("many", arrow::list(arrow::int8())), testing::HasSubstr("cannot be cast"));
}

TEST(ExpressionTest, RefusesWhatOverflowsWithItsPlace) {
  const auto batch = Numbers();
  EXPECT_EQ(Values("1 + small * 2", batch), "expression: at character 5, 'small * 2': overflow");
  EXPECT_EQ(Values("i / 0", batch), "expression: at character 1, 'i / 0': divide by zero");
  EXPECT_EQ(Values("CAST(s AS int)", batch),
            "expression: at character 1, 'CAST(s AS int)': 'abc' is no value of type int");
  EXPECT_EQ(Values("TRY_CAST(s AS int)", batch), "int32 null null null");
  EXPECT_EQ(Values("CAST(f AS int)", batch),
            "expression: at character 1, 'CAST(f AS int)': NaN cannot be cast to int");
  EXPECT_EQ(Values("TRY_CAST(f AS int)", batch), "int32 0 null null");
}

TEST(ExpressionTest, ComparesAcrossTypesExactly) {
  const auto batch = Batch({{"i", arrow::int64(), {"9007199254740993", "-1"}},
                            {"f", arrow::float64(), {"9007199254740992", "18446744073709551616"}},
                            {"u", arrow::uint64(), {"9007199254740993", "18446744073709551615"}},
                            {"s",
                             arrow::timestamp(arrow::TimeUnit::SECOND),
                             {"9999-12-31 00:00:00", "1969-12-31 23:59:59"}},
                            {"n",
                             arrow::timestamp(arrow::TimeUnit::NANO),
                             {"2200-01-01 00:00:00", "1969-12-31 23:59:59.5"}}});
  EXPECT_EQ(Values("i = f", batch), "bool false false");
  EXPECT_EQ(Values("i > f", batch), "bool true false");
  EXPECT_EQ(Values("u < f", batch), "bool false true");
  EXPECT_EQ(Values("i = u", batch), "bool true false");
  EXPECT_EQ(Values("u > i", batch), "bool false true");
  EXPECT_EQ(Values("s > n", batch), "bool true false");
  EXPECT_EQ(Values("n >= s", batch), "bool false true");
}

TEST(ExpressionTest, OrdersNanAboveAllAndTakesZerosForEqual) {
  const auto batch = Batch({{"f", arrow::float64(), {"nan", "-0", "inf", "null"}}});
  EXPECT_EQ(Values("f = f", batch), "bool true true true null");
  EXPECT_EQ(Values("f > 1", batch), "bool true false true null");
  EXPECT_EQ(Values("f = 0", batch), "bool false true false null");
  EXPECT_EQ(Values("f IN (0, 5)", batch), "bool false true false null");
  EXPECT_EQ(Values("greatest(f, 1)", batch), "double nan 1 inf 1");
}

TEST(ExpressionTest, FollowsThreeValuedLogic) {
  const auto batch = Batch({{"a", arrow::boolean(), {"true", "false", "null"}}});
  EXPECT_EQ(Values("a AND NULL", batch), "bool null false null");
  EXPECT_EQ(Values("a OR NULL", batch), "bool true null null");
  EXPECT_EQ(Values("NOT a", batch), "bool false true null");
  EXPECT_EQ(Values("a IS TRUE", batch), "bool true false false");
  EXPECT_EQ(Values("a IS NOT FALSE", batch), "bool true false true");
  EXPECT_EQ(Values("a IN (true, NULL)", batch), "bool true null null");
  EXPECT_EQ(Values("a IS DISTINCT FROM NULL", batch), "bool true true false");
  EXPECT_EQ(Values("a = NULL", batch), "bool null null null");
}

TEST(ExpressionTest, TakesLiteralsForValuesOfTheColumn) {
  const auto batch = Numbers();
  EXPECT_EQ(Values("i < 0.5", batch), "bool false null true");
  EXPECT_EQ(Values("i >= -3.5", batch), "bool true null true");
  EXPECT_EQ(Values("-2.5 < i", batch), "bool true null false");
  EXPECT_EQ(Values("m > 1.499999999999999999999", batch), "bool true null false");
  EXPECT_EQ(Values("t > timestamp '1969-12-31 23:59:58.999'", batch), "bool true null true");
  EXPECT_EQ(Values("t <= timestamp(9) '1969-12-31 23:59:58.999999999'", batch),
            "bool false null false");
  EXPECT_EQ(Values("d = '2024-1-31'", batch), "bool true null false");
  EXPECT_EQ(Values("i = 0.5", batch),
            "expression: at character 5, '0.5': no bigint can be equal to 0.5: compare with < or "
            ">, or cast the other side");
  EXPECT_EQ(Values("small < 128", batch),
            "expression: at character 9, '128': 128 is out of the range of tinyint");
  EXPECT_EQ(Values("u = 18446744073709551615", batch), "bool true false null");
}

TEST(ExpressionTest, AsksLaterTermsOnlyForRowsThatAreOpen) {
  const auto batch =
      Batch({{"i", arrow::int64(), {"0", "1", "null"}}, {"s", arrow::utf8(), {"x", "7", "8"}}});
  EXPECT_EQ(Values("i <> 0 AND 1 / i = 1", batch), "bool false true null");
  EXPECT_EQ(Values("i = 0 OR 1 / i = 1", batch), "bool true true null");
  EXPECT_EQ(Values("NOT (s <> 'x' AND NOT (s = 'y' OR CAST(s AS int) > 7))", batch),
            "bool true false true");
  EXPECT_EQ(Values("CASE WHEN i = 0 THEN -1 ELSE 1 / i END", batch), "int64 -1 1 null");
}

TEST(ExpressionTest, GivesThePathsThatItReads) {
  const auto schema = arrow::schema(
      {arrow::field("a.b", arrow::int64()), arrow::field("Mixed", arrow::int64()),
       arrow::field("s", arrow::struct_({arrow::field("x", arrow::int64()),
                                         arrow::field("l", arrow::list(arrow::struct_({arrow::field(
                                                               "y", arrow::int64())})))}))});
  ASSERT_OK_AND_ASSIGN(const auto expression,
                       Expression::Parse("`a.b` + mixed + s['x'] + S.l[1].y + s.x"));
  ASSERT_OK_AND_ASSIGN(const auto paths, expression->Paths(*schema));
  const std::vector<std::vector<std::string>> expected = {
      {"Mixed"}, {"a.b"}, {"s", "l"}, {"s", "x"}};
  EXPECT_EQ(paths, expected);
}

TEST(ExpressionTest, RefusesWhatWouldTakeForever) {
  // Each nullif has its first argument twice: it is compared, and it is the value.
  std::string text = "f";
  for (int i = 0; i < 60; ++i) text = "nullif(" + text + ", f)";
  EXPECT_THAT(Values(text, Numbers()), testing::HasSubstr("too large to be evaluated"));
}

TEST(ExpressionTest, AllocatesFromThePoolOfTheContext) {
  const auto batch = Batch({{"i", arrow::int64(), std::vector<std::string>(1000, "1")}});
  ASSERT_OK_AND_ASSIGN(const auto expression, Expression::Parse("i + i"));
  OperationContext context;
  ASSERT_OK_AND_ASSIGN(const auto bound, expression->Bind(*batch->schema(), context));
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), /*bytes_allocated_limit=*/64);
  context.pool = &pool;
  EXPECT_THAT(bound->Evaluate(*batch, context), FailsWith(ErrorCode::kOutOfBudget));
}

/// Whether a filter may be true where i is in [10, 20] and s has nulls only.
bool MayMatch(std::string_view text, bool may_be_null = false) {
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int64()), arrow::field("s", arrow::utf8()),
                     arrow::field("other", arrow::int64())});
  const auto filter = Filter::FromSql(text);
  EXPECT_OK(filter);
  const OperationContext context;
  const auto bound = (*filter)->Bind(*schema, context);
  EXPECT_OK(bound);
  std::map<std::string, ColumnRange> ranges;
  ranges["i"] = {.least = arrow::MakeScalar(int64_t{10}),
                 .greatest = arrow::MakeScalar(int64_t{20}),
                 .may_be_null = may_be_null};
  ranges["s"].is_all_null = true;
  const auto may_match = (*bound)->MayMatch(ranges);
  EXPECT_OK(may_match);
  return *may_match;
}

TEST(ExpressionTest, PrunesByRangesOfColumns) {
  for (const char* text :
       {"i < 10", "i > 20", "i = 9", "21 <= i", "i IN (1, 2)", "i BETWEEN 21 AND 30", "NOT i >= 10",
        "NOT (i > 5 OR other = 1)", "i IS NULL", "s = 'x'", "s IS NOT NULL", "s IN ('x')",
        "i < 10 OR i > 20", "i = 15 AND s = 'x'", "false", "NULL", "NOT (i < 20.5)",
        "i NOT IN (15, NULL)"}) {
    EXPECT_FALSE(MayMatch(text)) << text;
  }
  for (const char* text :
       {"i <= 10", "i = 20", "i <> 10", "NOT i > 10", "i IN (1, 15)", "other = 1", "s IS NULL",
        "i + 1 = 3", "i = other", "i NOT IN (15)", "NOT (i = 15)", "i < 10 OR other = 1",
        "CASE WHEN i = 1 THEN true END"}) {
    EXPECT_TRUE(MayMatch(text)) << text;
  }
  EXPECT_TRUE(MayMatch("i IS NULL", /*may_be_null=*/true));
}

}  // namespace
}  // namespace tusk::expr
