#include "tusk/iceberg/file_pruning.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/expression.h>
#include <arrow/json/from_string.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/iceberg/column_statistics.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

namespace cp = arrow::compute;
using std::string_literals::operator""s;

TEST(ParseBoundTest, ReadsPromotedWidths) {
  const auto same = [](const std::string& bytes, const std::shared_ptr<arrow::DataType>& type,
                       const arrow::Scalar& expected) {
    const auto scalar = ParseBound(bytes, type);
    ASSERT_NE(scalar, nullptr);
    EXPECT_TRUE(scalar->Equals(expected)) << scalar->ToString();
  };
  same("\xFE\xFF\xFF\xFF", arrow::int32(), arrow::Int32Scalar(-2));
  same("\xFE\xFF\xFF\xFF", arrow::int64(), arrow::Int64Scalar(-2));
  same("\0\0\x90\xC0"s, arrow::float64(), arrow::DoubleScalar(-4.5));
  same("\xFA\x74", arrow::decimal128(38, 2),
       arrow::Decimal128Scalar(arrow::Decimal128(-1420), arrow::decimal128(38, 2)));
  same("abc", arrow::utf8(), arrow::StringScalar("abc"));
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  same("\1\0\0\0\0\0\0\0"s, utc, arrow::TimestampScalar(1, utc));
}

TEST(ParseBoundTest, GivesNothingForBytesThatAreNoValue) {
  for (const auto& type : {arrow::boolean(), arrow::int32(), arrow::int64(), arrow::float32(),
                           arrow::float64(), arrow::date32(), arrow::decimal128(9, 2),
                           arrow::fixed_size_binary(4), arrow::list(arrow::int32())}) {
    EXPECT_EQ(ParseBound("", type), nullptr) << type->ToString();
    EXPECT_EQ(ParseBound(std::string(17, 'x'), type), nullptr) << type->ToString();
  }
  EXPECT_EQ(ParseBound("\0\0\xC0\x7F"s, arrow::float32()), nullptr);  // NaN
}

/// Columns of few distinct values, with nulls, NaN and both zeros, so that bounds matter.
std::shared_ptr<arrow::RecordBatch> RandomBatch(std::mt19937* random) {
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  const int rows = draw(4);
  const int base = draw(10);
  const int null_one_in = 1 + draw(4);
  arrow::Int32Builder i;
  arrow::DoubleBuilder d;
  arrow::StringBuilder s;
  for (int row = 0; row < rows; ++row) {
    const auto is_null = [&] { return draw(null_one_in) == 0 && draw(2) == 0; };
    EXPECT_OK(is_null() ? i.AppendNull() : i.Append(base + draw(3)));
    const double doubles[] = {0.0, -0.0, std::numeric_limits<double>::quiet_NaN(),
                              static_cast<double>(base), -1.5 * base};
    EXPECT_OK(is_null() ? d.AppendNull() : d.Append(doubles[draw(5)]));
    EXPECT_OK(is_null() ? s.AppendNull()
                        : s.Append("a common long beginning "s.substr(0, 10 + draw(14)) +
                                   std::to_string(base + draw(2))));
  }
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int32()), arrow::field("d", arrow::float64()),
                     arrow::field("s", arrow::utf8())});
  return arrow::RecordBatch::Make(
      schema, rows, {i.Finish().ValueOrDie(), d.Finish().ValueOrDie(), s.Finish().ValueOrDie()});
}

cp::Expression RandomFilter(std::mt19937* random, int depth) {
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  if (depth > 0 && draw(3) > 0) {
    switch (draw(3)) {
      case 0:
        return cp::and_(RandomFilter(random, depth - 1), RandomFilter(random, depth - 1));
      case 1:
        return cp::or_(RandomFilter(random, depth - 1), RandomFilter(random, depth - 1));
      default:
        return cp::not_(RandomFilter(random, depth - 1));
    }
  }
  const char* columns[] = {"i", "d", "s"};
  const int column = draw(3);
  const auto field = cp::field_ref(columns[column]);
  if (draw(6) == 0) return cp::is_null(field);
  if (draw(6) == 0) return cp::is_valid(field);
  if (column != 1 && draw(4) == 0) {
    const auto values =
        column == 0
            ? arrow::json::ArrayFromJSONString(arrow::int32(), "[1, 7, null]")
            : arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a common lo6", "b", "a"])");
    const cp::SetLookupOptions::NullMatchingBehavior nulls[] = {
        cp::SetLookupOptions::MATCH, cp::SetLookupOptions::SKIP, cp::SetLookupOptions::EMIT_NULL,
        cp::SetLookupOptions::INCONCLUSIVE};
    return cp::call("is_in", {field}, cp::SetLookupOptions(values.ValueOrDie(), nulls[draw(4)]));
  }
  const double numbers[] = {0.0, -0.0, 3.0, -4.5, std::numeric_limits<double>::quiet_NaN()};
  const cp::Expression values[] = {
      cp::literal(draw(12)), cp::literal(numbers[draw(5)]),
      cp::literal("a common long beginning "s.substr(0, draw(24)) + std::to_string(draw(12)))};
  cp::Expression (*const comparisons[])(cp::Expression, cp::Expression) = {
      cp::equal, cp::not_equal, cp::less, cp::less_equal, cp::greater, cp::greater_equal};
  return comparisons[draw(6)](field, values[column]);
}

TEST(FilePruningTest, NeverLosesARow) {
  std::mt19937 random(20261120);
  int pruned = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto batch = RandomBatch(&random);
    ASSERT_OK_AND_ASSIGN(const auto schema, StoredSchema(*batch->schema()));
    ColumnStatistics statistics(*schema);
    ASSERT_OK(statistics.Add(*batch, OperationContext()));
    DataFile file;
    statistics.FillIn(&file);
    const auto filter = expr::Filter::FromArrow(RandomFilter(&random, 3));
    ASSERT_OK_AND_ASSIGN(const auto bound, filter->Bind(*schema, OperationContext()));
    ASSERT_OK_AND_ASSIGN(const auto kept, bound->Apply(batch, OperationContext()));
    ASSERT_OK_AND_ASSIGN(const bool may_match, MayMatch(*bound, *schema, file));
    if (kept->num_rows() > 0) {
      EXPECT_TRUE(may_match) << filter->ToString() << "\n" << batch->ToString();
    }
    if (!may_match) ++pruned;
  }
  EXPECT_GT(pruned, 300);
}

TEST(FilePruningTest, ReadsOnlyFilesThatMayMatch) {
  const OperationContext context;
  const auto store = std::make_shared<FaultyStore>(io::MakeMemoryStore());
  const auto schema = arrow::schema({arrow::field("x", arrow::int64())});
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int i = 0; i < 20; ++i) {
    const std::string json = "[" + std::to_string(10 * i) + ", " + std::to_string(10 * i + 9) + "]";
    batches.push_back(arrow::RecordBatch::Make(
        schema, 2, {arrow::json::ArrayFromJSONString(arrow::int64(), json).ValueOrDie()}));
  }
  ASSERT_OK_AND_ASSIGN(const auto data, arrow::RecordBatchReader::Make(batches, schema));
  AppendOptions options;
  options.target_file_bytes = 1;  // a file for each batch
  ASSERT_OK_AND_ASSIGN(const auto staged,
                       StageAppend(data.get(), store, "/lake/t", nullptr, options, context));
  ASSERT_OK_AND_ASSIGN(const auto table, Table::Open(store, staged.metadata_location, context));
  const auto count = [&](const cp::Expression& predicate, int64_t* requests) {
    store->Reset();
    const auto rows = table->CountRows(expr::Filter::FromArrow(predicate), std::nullopt, context);
    EXPECT_OK(rows);
    *requests = store->requests();
    return rows.ValueOr(-1);
  };
  const auto x = cp::field_ref("x");
  int64_t all = 0;
  int64_t one = 0;
  int64_t none = 0;
  EXPECT_EQ(count(cp::greater_equal(x, cp::literal(int64_t{0})), &all), 40);
  EXPECT_EQ(count(cp::equal(x, cp::literal(59)), &one), 1);
  EXPECT_EQ(count(cp::equal(x, cp::literal(1000)), &none), 0);
  // What is left without a data file is the manifest list and the manifest.
  EXPECT_GT(all - none, 10 * (one - none));
  EXPECT_GT(one, none);
}

}  // namespace
}  // namespace tusk::iceberg
