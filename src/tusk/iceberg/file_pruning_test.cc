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
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/transform.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

namespace cp = arrow::compute;
using std::string_literals::operator""s;

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
    ASSERT_OK_AND_ASSIGN(const auto pruner, FilePruner::Make(bound->predicate(), *schema, {}));
    const bool may_match = pruner.MayMatch(file, 0);
    if (kept->num_rows() > 0) {
      EXPECT_TRUE(may_match) << filter->ToString() << "\n" << batch->ToString();
    }
    if (!may_match) ++pruned;
  }
  EXPECT_GT(pruned, 300);
}

/// A spec of one or two random fields over the columns i, d and s of RandomBatch.
PartitionSpec RandomSpec(std::mt19937* random) {
  using Kind = Transform::Kind;
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  PartitionSpec spec;
  for (int i = 0; i < 1 + draw(2); ++i) {
    PartitionField field{
        .source_id = 1 + draw(3), .field_id = 1000 + i, .name = std::to_string(i), .transform = {}};
    const Kind kinds[] = {Kind::kIdentity, Kind::kBucket, Kind::kTruncate, Kind::kVoid};
    // Floats are partitioned by themselves alone.
    field.transform = {.kind = field.source_id == 2 ? Kind::kIdentity : kinds[draw(4)],
                       .parameter = 1 + draw(12)};
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

TEST(FilePruningTest, NeverLosesARowOfAPartition) {
  std::mt19937 random(20261126);
  const OperationContext context;
  int pruned_files = 0;
  int pruned_manifests = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto batch = RandomBatch(&random);
    ASSERT_OK_AND_ASSIGN(const auto schema, StoredSchema(*batch->schema()));
    const PartitionSpec spec = RandomSpec(&random);
    ASSERT_OK_AND_ASSIGN(const auto fields, PartitionFields(spec, [&](int32_t id) {
                           return FindFieldById(*schema, id);
                         }));
    const auto filter = expr::Filter::FromArrow(RandomFilter(&random, 3));
    ASSERT_OK_AND_ASSIGN(const auto bound, filter->Bind(*schema, context));
    ASSERT_OK_AND_ASSIGN(const auto pruner,
                         FilePruner::Make(bound->predicate(), *schema, {{0, spec}}));
    // A file of each row, of which nothing but the partition is known.
    ManifestBuilder manifest({.schema_json = "{}", .spec = spec, .partition_fields = fields});
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      ManifestEntry entry;
      entry.file.path = "p";
      entry.file.format = "PARQUET";
      for (const PartitionField& field : spec.fields) {
        entry.file.partition[field.field_id] =
            ApplyTransform(field.transform, *batch->column(field.source_id - 1), row);
      }
      ASSERT_OK(manifest.Append(entry));
      ASSERT_OK_AND_ASSIGN(const auto kept, bound->Apply(batch->Slice(row, 1), context));
      const bool may_match = pruner.MayMatch(entry.file, 0);
      EXPECT_TRUE(may_match || kept->num_rows() == 0) << filter->ToString() << "\n"
                                                      << batch->Slice(row, 1)->ToString();
      if (!may_match) ++pruned_files;
    }
    ManifestFile listed;
    ASSERT_OK(manifest.Finish(1, &listed));
    ASSERT_OK_AND_ASSIGN(const auto kept, bound->Apply(batch, context));
    const bool may_match = pruner.MayMatch(listed);
    EXPECT_TRUE(may_match || kept->num_rows() == 0) << filter->ToString() << batch->ToString();
    if (!may_match) ++pruned_manifests;
  }
  EXPECT_GT(pruned_files, 300);
  EXPECT_GT(pruned_manifests, 100);
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
    const auto rows = table->CountRows(expr::Filter::FromArrow(predicate), {}, context);
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
