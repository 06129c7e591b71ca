#include "tusk/iceberg/plan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table_state.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

constexpr int kManifests = 5;
constexpr int kFilesOfManifest = 4000;
constexpr int kColumns = 4;

DataFile File(int number) {
  DataFile file;
  file.path = "/t/data/00000-" + std::to_string(number) +
              "-0f9c2a34-77aa-4b1c-9f21-5a8e1b2c3d4e-0-00001.parquet";
  file.format = "PARQUET";
  file.record_count = 1000 + number;
  file.size_bytes = 100'000 + number;
  for (int id = 1; id <= kColumns; ++id) {
    file.value_counts[id] = file.record_count;
    file.null_value_counts[id] = 0;
    AppendLittle(int64_t{number} * 100, &file.lower_bounds[id]);
    AppendLittle(int64_t{number} * 100 + 99, &file.upper_bounds[id]);
  }
  return file;
}

/// A table whose 20,000 data files are listed and not there.
std::shared_ptr<const Table> MakeTable() {
  const OperationContext context;
  const auto store = io::MakeMemoryStore();
  arrow::FieldVector fields;
  for (int id = 1; id <= kColumns; ++id) {
    fields.push_back(WithFieldId(arrow::field("c" + std::to_string(id), arrow::int64()), id));
  }
  const auto schema = arrow::schema(fields);
  WrittenFiles written(store.get(), context);
  const StagingArea area{.place = TablePlace::Parse("/t").ValueOrDie(),
                         .store = store.get(),
                         .written = &written,
                         .context = context};
  MetadataSnapshot snapshot = NextSnapshot(nullptr, nullptr);
  const ManifestHeader header{
      .schema_json = FormatSchema({.schema_id = 0, .fields = schema}).ValueOrDie(),
      .spec = {},
      .partition_fields = {}};
  std::vector<ManifestFile> manifests;
  for (int i = 0; i < kManifests; ++i) {
    std::vector<ManifestEntry> entries(kFilesOfManifest);
    for (int n = 0; n < kFilesOfManifest; ++n) {
      entries[n].snapshot_id = snapshot.info.snapshot_id;
      entries[n].file = File(i * kFilesOfManifest + n);
    }
    manifests.push_back(WriteManifest(header, entries, snapshot.info, area).ValueOrDie());
  }
  snapshot.manifest_list = WriteManifestList(manifests, snapshot.info, area).ValueOrDie();
  snapshot.info.summary = {{"operation", "append"}};
  auto edit = MetadataEdit::OfNewTable(
      {.uuid = "u", .location = "/t", .schema = schema, .spec = {}, .properties = {}}, 1);
  EXPECT_OK(edit->AddSnapshot(snapshot, kMainBranch));
  const auto staged = StageMetadata(*std::move(edit), 2, nullptr, area).ValueOrDie();
  written.Keep();
  return Table::Open(store, staged.metadata_location, context).ValueOrDie();
}

/// A plan of every file, with the filter that no file is left out by.
Result<FilePlan> PlanAll(const Table& table, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* snapshot, ChooseSnapshot(table.state(), {}));
  ARROW_ASSIGN_OR_RAISE(const auto filter, expr::Filter::FromSql("c1 >= 0 AND c2 >= 0"));
  ARROW_ASSIGN_OR_RAISE(const auto bound, filter->Bind(*table.schema(), context));
  return FilePlan::Make(table.shared_state(), snapshot, bound.get(), table.schema(), context);
}

/// Bytes that are allocated at this moment.
int64_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

TEST(FilePlanTest, HoldsFewOfManyFilesAtATime) {
  // A thousand entries, the block that they are decoded from, one manifest.
  constexpr int64_t kMostBytes = 3 << 20;
  const auto table = MakeTable();
  const OperationContext context;
  const int64_t before = HeapBytes();
  if (before == 0) GTEST_SKIP() << "this allocator does not tell what is allocated";
  ASSERT_OK_AND_ASSIGN(FilePlan plan, PlanAll(*table, context));
  int64_t most = 0;
  int next = 0;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const auto task, plan.Next(context));
    if (!task.has_value()) break;
    EXPECT_EQ(task->file.record_count, 1000 + next++);
    if (next % 100 == 0) most = std::max(most, HeapBytes() - before);
  }
  EXPECT_EQ(next, kManifests * kFilesOfManifest);
  EXPECT_LT(most, kMostBytes);

  // Who holds all of them needs far more.
  const int64_t again = HeapBytes();
  ASSERT_OK_AND_ASSIGN(FilePlan other, PlanAll(*table, context));
  std::vector<FileTask> all;
  while (true) {
    ASSERT_OK_AND_ASSIGN(auto task, other.Next(context));
    if (!task.has_value()) break;
    all.push_back(*std::move(task));
  }
  EXPECT_GT(HeapBytes() - again, 4 * kMostBytes);
}

TEST(FilePlanTest, ReadsManifestsAsItComesToThem) {
  const auto table = MakeTable();
  IoCounters io;
  OperationContext context;
  context.io = &io;
  ASSERT_OK_AND_ASSIGN(FilePlan plan, PlanAll(*table, context));
  const int64_t listed = io.read_requests;
  // An opening and a read.
  constexpr int64_t kRequestsOfManifest = 2;
  for (int manifest = 1; manifest <= kManifests; ++manifest) {
    for (int i = 0; i < kFilesOfManifest; ++i) {
      ASSERT_OK_AND_ASSIGN(const auto task, plan.Next(context));
      ASSERT_TRUE(task.has_value());
      ASSERT_EQ(io.read_requests, listed + kRequestsOfManifest * manifest);
    }
  }
  ASSERT_OK_AND_ASSIGN(const auto behind, plan.Next(context));
  EXPECT_FALSE(behind.has_value());
}

}  // namespace
}  // namespace tusk::iceberg
