#include "tusk/lance/merge_insert.h"

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/delete_rows.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

/// Rows of two columns: a text that may be null and stand there several times, and a number.
using Rows = std::multiset<std::pair<std::optional<std::string>, int64_t>>;

std::shared_ptr<arrow::RecordBatch> ToBatch(const Rows& rows) {
  arrow::StringBuilder keys;
  arrow::Int64Builder values;
  for (const auto& [key, value] : rows) {
    const Status appended = key ? keys.Append(*key) : keys.AppendNull();
    if (!appended.ok() || !values.Append(value).ok()) return nullptr;
  }
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("v", arrow::int64())}),
      static_cast<int64_t>(rows.size()), {*keys.Finish(), *values.Finish()});
}

std::shared_ptr<arrow::RecordBatchReader> ToReader(const Rows& rows, int64_t batch_rows = 1000) {
  const auto batch = ToBatch(rows);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int64_t at = 0; at < batch->num_rows(); at += batch_rows) {
    batches.push_back(batch->Slice(at, batch_rows));
  }
  return *arrow::RecordBatchReader::Make(std::move(batches), batch->schema());
}

Status Write(const io::StorePath& table, const Rows& rows, int64_t max_rows_per_file = 20) {
  const auto reader = ToReader(rows);
  return WriteDataset(reader.get(), table,
                      {.mode = WriteMode::kOverwrite, .max_rows_per_file = max_rows_per_file}, {})
      .status();
}

Rows Read(const io::StorePath& table) {
  const OperationContext context;
  const auto dataset = *Dataset::Open(table, {}, context);
  const auto batch = *(*(*dataset->Scan({}, context))->ToTable())->CombineChunksToBatch();
  const auto& keys = static_cast<const arrow::StringArray&>(*batch->column(0));
  const auto& values = static_cast<const arrow::Int64Array&>(*batch->column(1));
  Rows rows;
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    std::optional<std::string> key;
    if (!keys.IsNull(i)) key = keys.GetString(i);
    rows.emplace(key, values.Value(i));
  }
  return rows;
}

Result<MergeInsertResult> Merge(const io::StorePath& table, const Rows& source,
                                const MergeInsertOptions& options,
                                const OperationContext& context = {}) {
  const auto reader = ToReader(source, 7);
  return MergeInsert(reader.get(), table, options, context);
}

/// What a merge makes of the rows, one by one. Keys of the source are unique.
Rows Model(const Rows& target, const Rows& source, const MergeInsertOptions& options,
           int64_t delete_below) {
  std::map<std::string, int64_t> by_key;
  for (const auto& [key, value] : source) {
    if (key) by_key[*key] = value;
  }
  std::set<std::string> matched;
  Rows result;
  for (const auto& row : target) {
    const auto found = row.first ? by_key.find(*row.first) : by_key.end();
    if (found == by_key.end()) {
      if (options.delete_not_matched_by_source && row.second < delete_below) continue;
      result.insert(row);
      continue;
    }
    matched.insert(*row.first);
    if (options.when_matched == WhenMatched::kKeep) result.insert(row);
    if (options.when_matched == WhenMatched::kUpdate) result.emplace(row.first, found->second);
  }
  if (!options.insert_not_matched) return result;
  for (const auto& row : source) {
    if (!row.first || !matched.contains(*row.first)) result.insert(row);
  }
  return result;
}

/// An update of what matches and an insert of what does not.
MergeInsertOptions Upsert() {
  return {.on = {"k"}, .when_matched = WhenMatched::kUpdate, .insert_not_matched = true};
}

TEST(MergeInsertTest, DoesAsAModelWhateverFitsIntoMemory) {
  std::mt19937_64 random(7);
  const auto draw = [&](uint64_t below) { return static_cast<int64_t>(random() % below); };
  for (int round = 0; round < 150; ++round) {
    Rows target;
    for (int64_t i = draw(120); i > 0; --i) {
      const auto key = std::string(draw(3) * 10, 'x') + std::to_string(draw(90));
      target.emplace(draw(20) == 0 ? std::nullopt : std::optional(key), draw(1000));
    }
    std::map<std::string, int64_t> unique;
    for (int64_t i = draw(120); i > 0; --i) {
      unique[std::string(draw(3) * 10, 'x') + std::to_string(draw(90))] = 1000 + draw(1000);
    }
    Rows source(unique.begin(), unique.end());
    for (int64_t i = draw(3); i > 0; --i) source.emplace(std::nullopt, 3000 + i);

    MergeInsertOptions options{.on = {"k"}};
    options.when_matched =
        std::array{WhenMatched::kKeep, WhenMatched::kUpdate, WhenMatched::kDelete}[draw(3)];
    options.insert_not_matched = draw(2) == 0;
    options.delete_not_matched_by_source =
        draw(2) == 0 || (!options.insert_not_matched && options.when_matched == WhenMatched::kKeep);
    int64_t delete_below = 10'000;
    if (options.delete_not_matched_by_source && draw(2) == 0) {
      delete_below = 500;
      options.delete_condition = *expr::Filter::FromSql("v < 500");
    }
    options.source_bytes_in_memory = std::array<int64_t, 3>{0, 300, 1 << 20}[draw(3)];
    options.key_bytes_in_memory = std::array<int64_t, 3>{1, 900, 1 << 20}[draw(3)];

    const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
    ASSERT_OK(Write(table, target, 1 + draw(50)));
    if (draw(2) == 0) {
      ASSERT_OK(DeleteRows(table, *expr::Filter::FromSql("v % 5 = 0"), {}, {}));
      std::erase_if(target, [](const auto& row) { return row.second % 5 == 0; });
    }
    ASSERT_OK_AND_ASSIGN(const auto result, Merge(table, source, options));
    const Rows expected = Model(target, source, options, delete_below);
    ASSERT_EQ(Read(table), expected) << round;
    EXPECT_EQ(static_cast<int64_t>(expected.size()) - static_cast<int64_t>(target.size()),
              result.num_inserted_rows - result.num_deleted_rows);
    EXPECT_EQ(result.num_attempts, 1);
    // The files of the source are gone again.
    std::set<std::string> named;
    for (uint64_t version = 1; version <= result.dataset->version(); ++version) {
      const auto opened = *Dataset::Open(table, {.version = version}, {});
      for (const auto& fragment : opened->ListFragments())
        named.insert(std::to_string(fragment.id));
    }
    EXPECT_EQ(table.store->List("t/data", {})->size(), named.size()) << round;
  }
}

TEST(MergeInsertTest, KeepsWhatTheSourceDoesNotHave) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  ASSERT_OK(Write(table, {{"a", 1}, {"b", 2}, {"c", 3}}, 2));
  const auto keys = ToBatch({{"b", 0}, {"z", 0}});
  ASSERT_OK_AND_ASSIGN(const auto selected, keys->SelectColumns({0}));
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       arrow::RecordBatchReader::Make({selected}, selected->schema()));
  ASSERT_OK_AND_ASSIGN(const auto result, MergeInsert(reader.get(), table, Upsert(), {}));
  EXPECT_EQ(result.num_updated_rows, 1);
  EXPECT_EQ(result.num_inserted_rows, 1);
  ASSERT_OK_AND_ASSIGN(const auto scan, result.dataset->Scan({}, {}));
  ASSERT_OK_AND_ASSIGN(const auto rows, scan->ToTable());
  EXPECT_EQ(rows->column(1)->null_count(), 1);
  ASSERT_OK_AND_ASSIGN(const auto batch, rows->CombineChunksToBatch());
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*batch->column(0)).GetString(2), "b");
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*batch->column(1)).Value(2), 2);
}

TEST(MergeInsertTest, DoesAllAnewIfOthersChangedRows) {
  const auto memory = io::MakeMemoryStore();
  const io::StorePath table{.store = memory, .path = "t"};
  Rows before;
  for (int64_t i = 0; i < 50; ++i) before.emplace("k" + std::to_string(i), i);
  const Rows theirs = {{"k3", 103}, {"k40", 140}, {"new", 1}};
  const Rows ours = {{"k3", 203}, {"k7", 207}, {"new", 2}, {"other", 3}};
  int64_t retried = 0;
  int64_t raced = 0;
  int64_t lost = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_OK(Write(table, before));
    const auto racing = std::make_shared<FaultyStore>(memory);
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      EXPECT_OK(Merge(table, theirs, Upsert()));
    });
    ASSERT_OK_AND_ASSIGN(const auto result, Merge({.store = racing, .path = "t"}, ours, Upsert()));
    if (!called) break;
    ++raced;
    if (result.num_attempts > 1) ++retried;
    const Rows second = Model(Model(before, theirs, Upsert(), 0), ours, Upsert(), 0);
    const Rows first = Model(Model(before, ours, Upsert(), 0), theirs, Upsert(), 0);
    // The last two requests are after the commit: they renew the hint of the latest version.
    EXPECT_THAT(Read(table), testing::AnyOf(second, first)) << n;
    if (Read(table) != second) ++lost;
  }
  EXPECT_GE(raced, 7);
  EXPECT_EQ(lost, 2);
  EXPECT_GE(retried, 3);
}

TEST(MergeInsertTest, InsertsNoKeyTwiceIfItIsThePrimaryKey) {
  const auto key =
      arrow::field("k", arrow::utf8(), /*nullable=*/false,
                   arrow::key_value_metadata({{"lance-schema:unenforced-primary-key", "true"}}));
  const auto schema = arrow::schema({key, arrow::field("v", arrow::int64())});
  const auto memory = io::MakeMemoryStore();
  const io::StorePath table{.store = memory, .path = "t"};
  int64_t retried = 0;
  for (int64_t n = 0;; ++n) {
    const auto batch = arrow::RecordBatch::Make(schema, 1, ToBatch({{"old", 0}})->columns());
    ASSERT_OK_AND_ASSIGN(const auto reader, arrow::RecordBatchReader::Make({batch}, schema));
    ASSERT_OK(WriteDataset(reader.get(), table, {.mode = WriteMode::kOverwrite}, {}));
    const auto racing = std::make_shared<FaultyStore>(memory);
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      EXPECT_OK(Merge(table, {{"new", 1}, {"theirs", 1}}, Upsert()));
    });
    MergeInsertOptions options = Upsert();
    options.on.clear();
    ASSERT_OK_AND_ASSIGN(const auto result,
                         Merge({.store = racing, .path = "t"}, {{"new", 2}}, options));
    if (!called) break;
    if (result.num_attempts > 1) ++retried;
    EXPECT_THAT(Read(table), testing::AnyOf(Rows{{"old", 0}, {"new", 2}, {"theirs", 1}},
                                            Rows{{"old", 0}, {"new", 1}, {"theirs", 1}}))
        << n;
  }
  EXPECT_GE(retried, 3);
}

TEST(MergeInsertTest, RefusesWhatIsAmbiguousOrDoesNotFit) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  EXPECT_THAT(Merge(table, {}, Upsert()), FailsWith(ErrorCode::kNotFound));
  const Rows before = {{"a", 1}, {"b", 2}, {std::nullopt, 3}};
  ASSERT_OK(Write(table, before));
  const auto refuses = [&](const Rows& source, const MergeInsertOptions& options) {
    EXPECT_THAT(Merge(table, source, options), FailsWith(ErrorCode::kInvalidArgument));
  };
  refuses({{"a", 7}, {"a", 8}}, Upsert());
  refuses({{"a", 7}, {"a", 8}}, {.on = {"k"}, .when_matched = WhenMatched::kDelete});
  refuses({{"b", 7}}, {.on = {"k"}, .when_matched = WhenMatched::kFail});
  refuses({{"b", 7}}, {.on = {"k"}});
  refuses({{"b", 7}}, {.on = {"none"}, .insert_not_matched = true});
  refuses({{"b", 7}}, {.insert_not_matched = true});
  MergeInsertOptions wrong = Upsert();
  for (const char* condition : {"v = 1", "source.none = 1", "source.v", "target.v = 'x'"}) {
    wrong.update_condition = *expr::Filter::FromSql(condition);
    refuses({{"b", 7}}, wrong);
  }
  EXPECT_EQ(Read(table), before);
  // A row that a condition keeps may match several, and so may one that stays as it is.
  MergeInsertOptions right = Upsert();
  right.update_condition = *expr::Filter::FromSql("source.v > 7 and target.v < 2");
  ASSERT_OK_AND_ASSIGN(const auto result,
                       Merge(table, {{"a", 7}, {"a", 8}, {"c", 1}, {"c", 2}}, right));
  EXPECT_EQ(Read(table), (Rows{{"a", 8}, {"b", 2}, {"c", 1}, {"c", 2}, {std::nullopt, 3}}));
  EXPECT_EQ(result.num_inserted_rows, 2);
}

TEST(MergeInsertTest, FindsEveryKeyHoweverLittleMemoryTheyMayHave) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  Rows target;
  for (int64_t i = 0; i < 100; ++i) target.emplace("key " + std::to_string(i * 250), i);
  Rows source;
  for (int64_t i = 0; i < 20'000; ++i) source.emplace("key " + std::to_string(i), -i);
  ASSERT_OK(Write(table, target, 1 << 20));
  MergeInsertOptions options = Upsert();
  options.key_bytes_in_memory = 1;
  const auto batch = ToBatch(source);
  const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
  ASSERT_OK_AND_ASSIGN(const auto result, MergeInsert(reader.get(), table, options, {}));
  EXPECT_EQ(result.num_updated_rows, 80);
  EXPECT_EQ(Read(table), Model(target, source, options, 0));
}

TEST(MergeInsertTest, NeedsMemoryForItsLimitsAndNotForItsSource) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  Rows target;
  Rows source;
  for (int64_t i = 0; i < 60'000; ++i) target.emplace("key " + std::to_string(i), i);
  for (int64_t i = 30'000; i < 90'000; ++i) source.emplace("key " + std::to_string(i), -i);
  ASSERT_OK(Write(table, target, 1 << 20));
  MergeInsertOptions options = Upsert();
  options.source_bytes_in_memory = 64 << 10;
  options.key_bytes_in_memory = 512 << 10;
  BoundedPool pool(24 << 20);
  const auto executor = MakeExecutor(1);
  OperationContext context;
  context.pool = &pool;
  context.executor = executor.get();
  ASSERT_OK_AND_ASSIGN(const auto result, Merge(table, source, options, context));
  EXPECT_EQ(result.num_updated_rows, 30'000);
  EXPECT_EQ(result.num_inserted_rows, 30'000);
  EXPECT_EQ(Read(table), Model(target, source, options, 0));
}

}  // namespace
}  // namespace tusk::lance
