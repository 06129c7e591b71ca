#include <map>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/refs.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/transactions.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::Pair;

const OperationContext kContext;

Status Write(const io::StorePath& table, int64_t begin, int64_t end, WriteOptions options = {}) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, options, kContext).status();
}

Result<int64_t> CountRows(const io::StorePath& table, std::optional<uint64_t> version = {}) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {.version = version}, kContext));
  return dataset->CountRows(nullptr, kContext);
}

/// A table of two versions with 10 and 15 rows.
io::StorePath MakeTable() {
  io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  EXPECT_OK(Write(table, 0, 10));
  EXPECT_OK(Write(table, 10, 15, {.mode = WriteMode::kAppend}));
  return table;
}

TEST(TagsTest, KeepTheTimeAtWhichTheyWereMadeWhenTheyMove) {
  const io::StorePath table = MakeTable();
  ASSERT_OK(CreateTag(table, "a", {.version = 1}, kContext));
  const Tag first = *GetTag(table, "a", kContext);
  ASSERT_OK(ReplaceTagMetadata(table, "a", {{"k", "v"}}, kContext));
  ASSERT_OK(UpdateTag(table, "a", {}, kContext));
  const Tag second = *GetTag(table, "a", kContext);
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(second.created_at, first.created_at);
  EXPECT_THAT(second.metadata, ElementsAre(Pair("k", "v")));
}

TEST(TagsTest, SayWhichFileIsNone) {
  const io::StorePath table = MakeTable();
  for (const char* text : {"", "{}", "[1]", R"({"version": "x"})", R"({"version": -1})"}) {
    ASSERT_OK(table.store->Put("t/_refs/tags/a.json", text, kContext));
    const auto tags = ListTags(table, kContext);
    EXPECT_THAT(tags, FailsWith(ErrorCode::kCorrupt)) << text;
    EXPECT_THAT(tags.status().message(), testing::HasSubstr("_refs/tags/a.json"));
  }
}

TEST(BranchesTest, AreFoundFromEachOther) {
  const io::StorePath table = MakeTable();
  const auto main = *Dataset::Open(table, {.version = 1}, kContext);
  ASSERT_OK_AND_ASSIGN(const auto branch, CreateBranch(*main, "a", kContext));
  EXPECT_EQ(RootOf(*branch).path, "t");
  EXPECT_EQ(branch->version(), 1);
  ASSERT_OK_AND_ASSIGN(const auto deeper, CreateBranch(*branch, "a/b", kContext));
  EXPECT_EQ(RootOf(*deeper).path, "t");
  EXPECT_EQ(ListBranches(table, kContext)->at("a/b").identifier.size(), 2);
  // The folder of the first holds that of the second.
  EXPECT_THAT(DeleteBranch(table, "a", false, kContext), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK(DeleteBranch(table, "a/b", false, kContext));
  EXPECT_EQ(*CountRows(*BranchLocation(table, "a")), 10);
}

TEST(BranchesTest, HaveNamesThatAreFolders) {
  const io::StorePath table = MakeTable();
  const auto main = *Dataset::Open(table, {}, kContext);
  for (const char* name : {"", "main", "/a", "a/", "a//b", "..", "a/../b", "a b", "a.lock", "ä"}) {
    EXPECT_THAT(CreateBranch(*main, name, kContext), FailsWith(ErrorCode::kInvalidArgument))
        << name;
  }
}

TEST(HistoryTest, OpensTheLatestOfTenThousandVersionsInAFewRequests) {
  const io::StorePath table = MakeTable();
  const auto count_requests = [&] {
    IoCounters io;
    OperationContext context;
    context.io = &io;
    EXPECT_OK(Dataset::Open(table, {}, context));
    return io.read_requests + io.list_requests + io.head_requests;
  };
  const int64_t few = count_requests();
  EXPECT_LE(few, 3);
  // The same manifest under the number of each version.
  const auto state = (*Dataset::Open(table, {}, kContext));
  Manifest manifest = state->state().manifest;
  for (uint64_t version = 3; version <= 10'000; ++version) {
    manifest.version = version;
    const std::string file = SerializeManifestFile(&manifest, "", "");
    ASSERT_OK(table.store->Put("t/" + ManifestPath(version, ManifestNaming::kV2), file, kContext));
  }
  EXPECT_EQ((*Dataset::Open(table, {}, kContext))->version(), 10'000);
  EXPECT_EQ(count_requests(), few);
}

}  // namespace
}  // namespace tusk::lance
