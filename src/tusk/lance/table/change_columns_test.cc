#include "tusk/lance/change_columns.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/delete_rows.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/named_files.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;
using testing::IsEmpty;

Status Append(const io::StorePath& table, int64_t begin, int64_t end, WriteMode mode) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, {.mode = mode, .max_rows_per_file = 20}, {}).status();
}

Status DeleteBelow(const io::StorePath& table, int64_t id) {
  const auto filter = expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(id)));
  return DeleteRows(table, filter, {}, {}).status();
}

/// The rows 3 to 50, in fragments of 20.
io::StorePath MakeTable() {
  io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  EXPECT_OK(Append(table, 0, 50, WriteMode::kCreate));
  EXPECT_OK(DeleteBelow(table, 3));
  return table;
}

std::string Text(const io::StorePath& table) {
  const auto dataset = Dataset::Open(table, {}, {});
  EXPECT_OK(dataset);
  const auto reader = (*dataset)->Scan({}, {});
  EXPECT_OK(reader);
  const auto rows = (*reader)->ToTable();
  EXPECT_OK(rows);
  return (*rows)->CombineChunks().ValueOrDie()->ToString();
}

std::vector<std::string> Leftovers(const io::StorePath& table) {
  NamedFiles named;
  for (const ManifestLocation& version : *ListManifests(table, {})) {
    EXPECT_OK(AddNamedFiles(table, version.path, &named, {}));
  }
  std::vector<std::string> leftovers;
  for (const io::ObjectInfo& file : *table.store->List("t/data", {})) {
    const std::string path = file.path.substr(2);
    if (!Names(named, path)) leftovers.push_back(path);
  }
  return leftovers;
}

using Change = std::function<Status(const io::StorePath& table)>;

Status AddDouble(const io::StorePath& table) {
  return AddColumns(table, {{"double", "id * 2"}}, {}, {}).status();
}

Status Drop(const io::StorePath& table) { return DropColumns(table, {"id"}, {}, {}).status(); }

/// Lets `others` change the table at every single request of `change`, and tells what comes of it.
void Race(const Change& change, const Change& others, const std::vector<std::string>& outcomes) {
  int64_t met = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_LT(n, 1000);
    const io::StorePath table = MakeTable();
    const auto racing = std::make_shared<FaultyStore>(table.store);
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      EXPECT_OK(others(table));
    });
    ASSERT_OK(change({.store = racing, .path = "t"})) << n;
    if (!called) break;
    EXPECT_THAT(outcomes, testing::Contains(Text(table))) << n;
    EXPECT_THAT(Leftovers(table), IsEmpty()) << n;
    ++met;
  }
  EXPECT_GE(met, 8);
}

std::string After(const std::vector<Change>& changes) {
  const io::StorePath table = MakeTable();
  for (const Change& change : changes) EXPECT_OK(change(table));
  return Text(table);
}

TEST(ChangeColumnsTest, GoTogetherWithChangesOfRows) {
  const Change append = [](const io::StorePath& table) {
    return Append(table, 50, 60, WriteMode::kAppend);
  };
  // Rows that came later lack the column.
  Race(AddDouble, append, {After({append, AddDouble}), After({AddDouble, append})});
  const Change remove = [](const io::StorePath& table) { return DeleteBelow(table, 30); };
  Race(AddDouble, remove, {After({remove, AddDouble})});
  const Change narrow = [](const io::StorePath& table) {
    const ColumnAlteration change{.path = "id", .name = {}, .nullable = {}, .type = arrow::int32()};
    return AlterColumns(table, {change}, {}, {}).status();
  };
  Race(narrow, remove, {After({remove, narrow})});
}

TEST(ChangeColumnsTest, DroppingAColumnReadsNoData) {
  const io::StorePath table = MakeTable();
  ASSERT_OK(AddDouble(table));
  IoCounters io;
  OperationContext context;
  context.io = &io;
  ASSERT_OK(DropColumns(table, {"id"}, {}, context));
  const int64_t data_bytes = io.read_bytes;
  for (const io::ObjectInfo& file : *table.store->List("t/data", {})) {
    ASSERT_OK(table.store->Delete(file.path, {}));
  }
  EXPECT_LT(data_bytes, 8192);
  ASSERT_OK(Drop(MakeTable()));
}

TEST(ChangeColumnsTest, RefuseWhatCannotBe) {
  const io::StorePath table = MakeTable();
  const ChangeColumnsOptions options;
  EXPECT_THAT(AddColumns(table, {}, options, {}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(AddColumns(table, {{"id", "1"}}, options, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(AddColumns(table, {{"a.b", "1"}}, options, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(AddColumns({.store = table.store, .path = "none"}, {{"a", "1"}}, options, {}),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(DropColumns(table, {"none"}, options, {}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(AlterColumns(table, {{.path = "none", .name = "a", .nullable = {}}}, options, {}),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(Dataset::Open(table, {}, {}).ValueOrDie()->version(), 2U);
  EXPECT_THAT(Leftovers(table), IsEmpty());
}

}  // namespace
}  // namespace tusk::lance
