#include "tusk/lance/table/commit.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>
#include <thread>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/manifest_file.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

/// A version of a table by what a reader can see of it.
struct Seen {
  uint64_t version = 0;
  std::vector<int64_t> ids = {};
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "version " << seen.version << " with " << seen.ids.size() << " rows";
}

/// Reads all of a version and checks every value against its id.
Seen Look(const io::StorePath& table, const OpenOptions& options = {}) {
  const OperationContext context;
  const auto opened = Dataset::Open(table, options, context);
  if (GetErrorCode(opened.status()) == ErrorCode::kNotFound) return {};
  const auto& dataset = opened.ValueOrDie();
  const auto rows = dataset->Scan({}, context).ValueOrDie()->ToTable().ValueOrDie();
  Seen seen{.version = dataset->version()};
  for (const auto& chunk : rows->GetColumnByName("id")->chunks()) {
    const auto& ids = static_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < ids.length(); ++i) seen.ids.push_back(ids.Value(i));
  }
  const auto expected = arrow::Table::FromRecordBatches({NumberedRows(seen.ids)}).ValueOrDie();
  EXPECT_TRUE(rows->Equals(*expected));
  return seen;
}

Status Write(const io::StorePath& table, int64_t begin, int64_t end, const WriteOptions& options,
             const OperationContext& context = {}) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, options, context).status();
}

std::vector<int64_t> Ids(int64_t begin, int64_t end) {
  std::vector<int64_t> ids(end - begin);
  std::iota(ids.begin(), ids.end(), begin);
  return ids;
}

TEST(CommitRaceTest, LosesNoRowOfRacingAppenders) {
  const TemporaryFolder folder;
  for (const auto& store : {io::MakeMemoryStore(), io::MakeLocalStore({.durable = false})}) {
    const io::StorePath table{.store = store, .path = folder / "race"};
    for (const bool stable : {false, true}) {
      const io::StorePath one{.store = store, .path = table.path + (stable ? "s" : "")};
      ASSERT_OK(Write(one, 0, 1, {.enable_stable_row_ids = stable}));
      constexpr int kWriters = 6;
      constexpr int kRounds = 4;
      std::atomic<int> failed = 0;
      {
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < kWriters; ++writer) {
          writers.emplace_back([&, writer] {
            for (int round = 0; round < kRounds; ++round) {
              const int64_t begin = 1 + (writer * kRounds + round) * 10;
              const Status status = Write(one, begin, begin + 10, {.mode = WriteMode::kAppend});
              if (!status.ok()) ++failed;
            }
          });
        }
      }
      EXPECT_EQ(failed, 0);
      Seen seen = Look(one);
      EXPECT_EQ(seen.version, 1 + kWriters * kRounds);
      std::ranges::sort(seen.ids);
      EXPECT_EQ(seen.ids, Ids(0, 1 + kWriters * kRounds * 10));
      // Ids of fragments and rows are given once, whoever won.
      const OperationContext context;
      ScanOptions options;
      options.columns = {"_rowid", "_rowaddr"};
      ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(one, {}, context));
      ASSERT_OK_AND_ASSIGN(auto reader, dataset->Scan(options, context));
      std::set<uint64_t> row_ids;
      std::set<uint64_t> addresses;
      while (true) {
        ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
        if (batch == nullptr) break;
        for (int64_t i = 0; i < batch->num_rows(); ++i) {
          row_ids.insert(static_cast<const arrow::UInt64Array&>(*batch->column(0)).Value(i));
          addresses.insert(static_cast<const arrow::UInt64Array&>(*batch->column(1)).Value(i));
        }
      }
      EXPECT_EQ(row_ids.size(), seen.ids.size());
      EXPECT_EQ(addresses.size(), seen.ids.size());
      if (stable) {
        EXPECT_EQ(*row_ids.rbegin(), seen.ids.size() - 1);
      }
    }
  }
}

TEST(CommitRaceTest, LetsOneOfRacingCreatorsMakeTheTable) {
  for (int round = 0; round < 20; ++round) {
    const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
    std::atomic<int> made = 0;
    std::atomic<int> refused = 0;
    {
      std::vector<std::jthread> writers;
      for (int writer = 0; writer < 4; ++writer) {
        writers.emplace_back([&, writer] {
          const Status status = Write(table, writer * 10, writer * 10 + 10, {});
          if (status.ok()) ++made;
          if (GetErrorCode(status) == ErrorCode::kAlreadyExists) ++refused;
        });
      }
    }
    EXPECT_EQ(made, 1);
    EXPECT_EQ(refused, 3);
    const Seen seen = Look(table);
    EXPECT_EQ(seen.version, 1);
    EXPECT_EQ(seen.ids.size(), 10);
    // Losers leave no files behind.
    EXPECT_EQ(table.store->List("t/data", {})->size(), 1);
    EXPECT_EQ(table.store->List("t/_transactions", {})->size(), 1);
  }
}

/// A table of 10 rows and what it takes to stage on it.
class StageTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(Write(table_, 0, 10, {})); }

  std::shared_ptr<const Dataset> Open() { return Dataset::Open(table_, {}, context_).ValueOrDie(); }
  Result<StagedManifest> Stage(int64_t begin, int64_t end, std::shared_ptr<const Dataset> base,
                               WriteMode mode = WriteMode::kAppend) {
    const auto reader = NumberedReader(begin, end);
    return StageWrite(reader.get(), table_, std::move(base), {.mode = mode}, handler_.get(),
                      context_);
  }

  io::StorePath table_{.store = io::MakeMemoryStore(), .path = "t"};
  std::shared_ptr<CommitHandler> handler_ = MakePutIfAbsentHandler();
  OperationContext context_;
};

TEST_F(StageTest, ShowsAStagedVersionToThoseWhoKnowItsPathOnly) {
  ASSERT_OK_AND_ASSIGN(const StagedManifest staged, Stage(10, 15, Open()));
  EXPECT_EQ(staged.version, 2);
  EXPECT_EQ(Look(table_), (Seen{1, Ids(0, 10)}));
  EXPECT_EQ(Look(table_, {.manifest_path = staged.staged_path}), (Seen{2, Ids(0, 15)}));
  ASSERT_OK_AND_ASSIGN(const auto info, table_.store->Head("t/" + staged.staged_path, context_));
  EXPECT_EQ(info.size, staged.size_bytes);
  ASSERT_OK_AND_ASSIGN(const auto versions, handler_->List(table_, context_));
  EXPECT_THAT(versions, ElementsAre(1));
}

TEST_F(StageTest, PublishesOnceHoweverOftenItIsAsked) {
  ASSERT_OK_AND_ASSIGN(const StagedManifest staged, Stage(10, 15, Open()));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const uint64_t version, handler_->Publish(table_, staged, context_));
    EXPECT_EQ(version, 2);
  }
  ASSERT_OK(handler_->Abort(table_, staged, context_));
  ASSERT_OK(handler_->Abort(table_, staged, context_));
  // The staged manifest is gone and the version stays.
  ASSERT_OK_AND_ASSIGN(const uint64_t version, handler_->Publish(table_, staged, context_));
  EXPECT_EQ(version, 2);
  EXPECT_EQ(Look(table_), (Seen{2, Ids(0, 15)}));
  EXPECT_EQ(Look(table_, {.manifest_path = FinalManifestPath(2)}), (Seen{2, Ids(0, 15)}));
}

TEST_F(StageTest, StagesAgainOnTopOfAnotherWriter) {
  ASSERT_OK_AND_ASSIGN(const StagedManifest staged, Stage(10, 15, Open()));
  ASSERT_OK(Write(table_, 100, 103, {.mode = WriteMode::kAppend}));
  ASSERT_OK(Write(table_, 103, 105, {.mode = WriteMode::kAppend}));
  EXPECT_THAT(handler_->Publish(table_, staged, context_), FailsWith(ErrorCode::kCommitConflict));
  ASSERT_OK_AND_ASSIGN(const StagedManifest again,
                       Restage(table_, staged, handler_.get(), context_));
  EXPECT_EQ(again.version, 4);
  EXPECT_EQ(again.transaction_uuid, staged.transaction_uuid);
  EXPECT_EQ(Look(table_).version, 3);
  ASSERT_OK(handler_->Publish(table_, again, context_));
  std::vector<int64_t> ids = Ids(0, 10);
  for (const int64_t id : Ids(100, 105)) ids.push_back(id);
  for (const int64_t id : Ids(10, 15)) ids.push_back(id);
  EXPECT_EQ(Look(table_), (Seen{4, ids}));
}

TEST_F(StageTest, FindsWhatACrashHadPublishedUnderALaterVersion) {
  ASSERT_OK_AND_ASSIGN(const StagedManifest staged, Stage(10, 15, Open()));
  ASSERT_OK(Write(table_, 100, 103, {.mode = WriteMode::kAppend}));
  ASSERT_OK_AND_ASSIGN(const StagedManifest again,
                       Restage(table_, staged, handler_.get(), context_));
  ASSERT_OK(handler_->Publish(table_, again, context_));
  ASSERT_OK(Write(table_, 200, 201, {.mode = WriteMode::kAppend}));
  // Somebody else begins from the first staged manifest.
  ASSERT_OK_AND_ASSIGN(const StagedManifest found,
                       Restage(table_, staged, handler_.get(), context_));
  EXPECT_EQ(found.version, 3);
  EXPECT_EQ(found.staged_path, FinalManifestPath(3));
  ASSERT_OK_AND_ASSIGN(const uint64_t version, handler_->Publish(table_, found, context_));
  EXPECT_EQ(version, 3);
  ASSERT_OK(handler_->Abort(table_, found, context_));
  EXPECT_EQ(Look(table_).ids.size(), 19);
}

TEST_F(StageTest, OverwritesNothingThatDoesNotGoTogether) {
  ASSERT_OK_AND_ASSIGN(const StagedManifest append, Stage(10, 15, Open()));
  ASSERT_OK_AND_ASSIGN(const StagedManifest overwrite,
                       Stage(20, 25, Open(), WriteMode::kOverwrite));
  ASSERT_OK(Write(table_, 300, 302, {.mode = WriteMode::kOverwrite}));
  EXPECT_THAT(Restage(table_, append, handler_.get(), context_),
              FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(Restage(table_, overwrite, handler_.get(), context_),
              FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(Look(table_), (Seen{2, Ids(300, 302)}));
}

TEST_F(StageTest, MakesATable) {
  table_.path = "new";
  EXPECT_THAT(Stage(0, 5, nullptr), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const StagedManifest staged, Stage(0, 5, nullptr, WriteMode::kCreate));
  EXPECT_EQ(staged.version, 1);
  EXPECT_EQ(Look(table_), Seen{});
  EXPECT_THAT(handler_->Latest(table_, context_), FailsWith(ErrorCode::kNotFound));
  // The next version may be staged on one that is not published yet.
  ASSERT_OK_AND_ASSIGN(const auto base,
                       Dataset::Open(table_, {.manifest_path = staged.staged_path}, context_));
  ASSERT_OK_AND_ASSIGN(const StagedManifest next, Stage(5, 9, base));
  EXPECT_EQ(next.version, 2);
  ASSERT_OK(handler_->Publish(table_, staged, context_));
  ASSERT_OK(handler_->Publish(table_, next, context_));
  EXPECT_EQ(Look(table_), (Seen{2, Ids(0, 9)}));
  ASSERT_OK_AND_ASSIGN(const uint64_t latest, handler_->Latest(table_, context_));
  EXPECT_EQ(latest, 2);
}

TEST_F(StageTest, AbortsWithoutATrace) {
  ASSERT_OK_AND_ASSIGN(const StagedManifest staged, Stage(10, 15, Open()));
  ASSERT_OK(handler_->Abort(table_, staged, context_));
  EXPECT_THAT(handler_->Publish(table_, staged, context_), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(Look(table_), (Seen{1, Ids(0, 10)}));
}

TEST_F(StageTest, RefusesPathsThatLeaveTheTable) {
  StagedManifest staged{.staged_path = "../other", .version = 2, .transaction_uuid = "u"};
  EXPECT_THAT(handler_->Publish(table_, staged, context_), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(handler_->Abort(table_, staged, context_), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Restage(table_, staged, handler_.get(), context_), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Dataset::Open(table_, {.manifest_path = "/etc/passwd"}, context_),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(StageTest, CarriesTheIndexSectionOverAnAppend) {
  // Gives version 1 an index section, as another writer would, under the name of version 2.
  ASSERT_OK_AND_ASSIGN(Manifest manifest, ReadManifest(table_, FinalManifestPath(1), context_));
  manifest.version = 2;
  ASSERT_OK(table_.store->Put("t/" + FinalManifestPath(2),
                              SerializeManifestFile(&manifest, "the indices", ""), context_));
  ASSERT_OK(Write(table_, 10, 12, {.mode = WriteMode::kAppend}));
  ASSERT_OK_AND_ASSIGN(manifest, ReadManifest(table_, FinalManifestPath(3), context_));
  ASSERT_OK_AND_ASSIGN(const std::string section,
                       ReadIndexSection(table_, FinalManifestPath(3), manifest, context_));
  EXPECT_EQ(section, "the indices");
  ASSERT_OK(Write(table_, 10, 12, {.mode = WriteMode::kOverwrite}));
  ASSERT_OK_AND_ASSIGN(manifest, ReadManifest(table_, FinalManifestPath(4), context_));
  EXPECT_FALSE(manifest.index_section);
}

TEST_F(StageTest, GoesOnUnderTheNamesOfAnOldTable) {
  ASSERT_OK_AND_ASSIGN(const auto bytes, table_.store->Get("t/" + FinalManifestPath(1), context_));
  ASSERT_OK(table_.store->Put("t/_versions/1.manifest", std::string_view(*bytes), context_));
  ASSERT_OK(table_.store->Delete("t/" + FinalManifestPath(1), context_));
  ASSERT_OK(Write(table_, 10, 12, {.mode = WriteMode::kAppend}));
  EXPECT_OK(table_.store->Head("t/_versions/2.manifest", context_));
  EXPECT_EQ(Look(table_), (Seen{2, Ids(0, 12)}));
  EXPECT_THAT(Stage(12, 13, Open()), FailsWith(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace tusk::lance
