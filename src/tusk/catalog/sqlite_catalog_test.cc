#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tusk/catalog/catalog.h"
#include "tusk/testing/catalog_changes.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/sqlite_client.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TablePointer At(std::string path) {
  TablePointer pointer;
  pointer.path = std::move(path);
  return pointer;
}

class SqliteCatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(catalog_, OpenSqliteCatalog(path_, SqliteMode::kCreate, "tusk"));
  }

  /// Runs SQL as another client of the file.
  Result<int64_t> Foreign(const std::string& sql) {
    ARROW_ASSIGN_OR_RAISE(const auto client, SqliteClient::Open(path_));
    return client->Run(sql);
  }

  /// Joint version 1: both tables made, the Lance one published.
  void CommitFirst() {
    const JointCommit commit{
        .message = "first",
        .author = "ada",
        .properties = {{"run", "7"}},
        .changes = {LanceChange({}, Staged(1, "t1")), IcebergChange({}, Metadata(11))}};
    ASSERT_OK_AND_ASSIGN(const int64_t number, catalog_->Commit(commit, context_));
    ASSERT_EQ(number, 1);
    ASSERT_OK(catalog_->RecordPublished(1, Name("media.digits"), Final(1, "t1"), context_));
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string path_ = folder_ / "catalog.db";
  OperationContext context_;
  std::shared_ptr<Catalog> catalog_;
};

TEST_F(SqliteCatalogTest, IsMadeOnceAndOpenedUnderItsName) {
  EXPECT_THAT(OpenSqliteCatalog(path_, SqliteMode::kCreate, "tusk"),
              FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_THAT(OpenSqliteCatalog(path_, SqliteMode::kOpen, "other"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(OpenSqliteCatalog(folder_ / "none.db", SqliteMode::kOpen, ""),
              FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(auto again, OpenSqliteCatalog(path_, SqliteMode::kOpen, ""));
  EXPECT_EQ(again->name(), "tusk");
  EXPECT_EQ(again->uuid(), catalog_->uuid());
  EXPECT_EQ(again->uuid().size(), 36u);
}

// "There is none" would tell the user to make one.
TEST_F(SqliteCatalogTest, OneThatCannotBeLookedForIsNotMissing) {
  std::filesystem::create_symlink("loop", folder_ / "loop");
  EXPECT_THAT(OpenSqliteCatalog(folder_ / "loop/catalog.db", SqliteMode::kOpen, ""),
              FailsWith(ErrorCode::kIo));
}

TEST_F(SqliteCatalogTest, LeavesNoTemporaryFile) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, ElementsAre("catalog.db"));
}

TEST_F(SqliteCatalogTest, RefusesOtherFiles) {
  std::FILE* text = std::fopen((folder_ / "text.db").c_str(), "w");
  std::fputs(std::string(5000, 'x').c_str(), text);
  std::fclose(text);
  const auto opened = OpenSqliteCatalog(folder_ / "text.db", SqliteMode::kOpen, "");
  EXPECT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.status().message(), testing::HasSubstr(folder_ / "text.db"));
  std::fclose(std::fopen((folder_ / "empty.db").c_str(), "w"));
  EXPECT_THAT(OpenSqliteCatalog(folder_ / "empty.db", SqliteMode::kOpen, ""),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SqliteCatalogTest, RefusesALaterSchema) {
  ASSERT_OK(Foreign("UPDATE tusk_schema SET version = 4"));
  EXPECT_THAT(OpenSqliteCatalog(path_, SqliteMode::kOpen, "tusk"),
              FailsWith(ErrorCode::kUnsupported));
}

TEST_F(SqliteCatalogTest, BringsAnEarlierSchemaUpToDate) {
  CommitFirst();
  ASSERT_OK(Foreign("DROP TABLE tusk_tag"));
  ASSERT_OK(Foreign("DROP TABLE tusk_given_up"));
  ASSERT_OK(Foreign("DROP TABLE tusk_retention"));
  ASSERT_OK(Foreign("UPDATE tusk_schema SET version = 1"));
  ASSERT_OK_AND_ASSIGN(const auto opened, OpenSqliteCatalog(path_, SqliteMode::kOpen, "tusk"));
  EXPECT_EQ(opened->uuid(), catalog_->uuid());
  ASSERT_OK(opened->SetTag({.name = "v1", .number = 1}, /*move=*/false, context_));
  ASSERT_OK_AND_ASSIGN(const auto log, catalog_->Log({}, context_));
  EXPECT_THAT(log.at(0).tags, ElementsAre("v1"));
  ASSERT_OK(opened->SetRetention({.keep_last = 7}, context_));
}

TEST_F(SqliteCatalogTest, BringsTheSecondSchemaUpToDate) {
  CommitFirst();
  ASSERT_OK(catalog_->SetTag({.name = "v1", .number = 1}, /*move=*/false, context_));
  ASSERT_OK(Foreign("DROP TABLE tusk_retention"));
  ASSERT_OK(Foreign("UPDATE tusk_schema SET version = 2"));
  ASSERT_OK_AND_ASSIGN(const auto opened, OpenSqliteCatalog(path_, SqliteMode::kOpen, "tusk"));
  ASSERT_OK_AND_ASSIGN(const auto retention, opened->LoadRetention(context_));
  EXPECT_EQ(retention, Retention());
  ASSERT_OK_AND_ASSIGN(const auto tags, opened->Tags(context_));
  EXPECT_EQ(tags.size(), 1U);
}

TEST_F(SqliteCatalogTest, KeepsRetentionRules) {
  ASSERT_OK_AND_ASSIGN(const auto first, catalog_->LoadRetention(context_));
  EXPECT_EQ(first, Retention());
  const Retention both{.older_than_ms = 0, .keep_last = 12};
  ASSERT_OK(catalog_->SetRetention(both, context_));
  ASSERT_OK_AND_ASSIGN(const auto opened, OpenSqliteCatalog(path_, SqliteMode::kOpen, "tusk"));
  ASSERT_OK_AND_ASSIGN(const auto read, opened->LoadRetention(context_));
  EXPECT_EQ(read, both);
  for (const Retention& wrong : {Retention{.older_than_ms = -1}, Retention{.keep_last = 0}}) {
    EXPECT_THAT(catalog_->SetRetention(wrong, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
  // What is not set goes.
  const Retention one{.older_than_ms = 5};
  ASSERT_OK(catalog_->SetRetention(one, context_));
  ASSERT_OK_AND_ASSIGN(const auto again, opened->LoadRetention(context_));
  EXPECT_EQ(again, one);
  // A rule of a later build is not passed over.
  ASSERT_OK(Foreign("INSERT INTO tusk_retention VALUES ('keep_weekly', 4)"));
  EXPECT_THAT(catalog_->LoadRetention(context_), FailsWith(ErrorCode::kUnsupported));
}

TEST_F(SqliteCatalogTest, GivesUpWhatNoRuleAndNoTagKeepsAndSaysWhatIsNeeded) {
  CommitFirst();
  // Versions 2 to 6 change the Lance table only, but for 4, which changes the other.
  for (int64_t number = 2; number <= 6; ++number) {
    const std::string uuid = "t" + std::to_string(number);
    ASSERT_OK_AND_ASSIGN(const auto tables, catalog_->ListTables({}, context_));
    if (number == 4) {
      ASSERT_OK(
          catalog_->Commit(CommitOf({IcebergChange(tables[1].pointer, Metadata(44))}), context_));
      continue;
    }
    ASSERT_OK(catalog_->Commit(CommitOf({LanceChange(tables[0].pointer, Staged(number, uuid))}),
                               context_));
    ASSERT_OK(
        catalog_->RecordPublished(number, Name("media.digits"), Final(number, uuid), context_));
  }
  ASSERT_OK(catalog_->SetTag({.name = "kept", .number = 4}, false, context_));
  const auto numbers = [&] {
    std::vector<int64_t> found;
    const auto needed = *catalog_->NeededChanges(context_);
    for (const NeededChange& change : needed) found.push_back(change.number);
    return found;
  };
  EXPECT_THAT(numbers(), ElementsAre(1, 1, 2, 3, 4, 5, 6));
  const RetentionRules rules{.replaced_before_us = int64_t{1} << 60, .keep_last = 2};
  EXPECT_THAT(*catalog_->GiveUp(rules, /*dry_run=*/true, context_), ElementsAre(1, 2, 3));
  EXPECT_THAT(*catalog_->GiveUp(rules, /*dry_run=*/false, context_), ElementsAre(1, 2, 3));
  EXPECT_THAT(*catalog_->GiveUp(rules, /*dry_run=*/false, context_), IsEmpty());
  // Version 4 still needs the Lance table of 3 and has its own of the other.
  EXPECT_THAT(numbers(), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(catalog_->ListTables(3, context_), FailsWith(ErrorCode::kNotFound));
  EXPECT_OK(catalog_->ListTables(4, context_));
  EXPECT_TRUE(catalog_->Log({}, context_)->at(5).given_up);
  const RetentionRules young{.replaced_before_us = 0, .keep_last = 1};
  EXPECT_THAT(*catalog_->GiveUp(young, /*dry_run=*/false, context_), IsEmpty());
  EXPECT_THAT(catalog_->GiveUp({.keep_last = 0}, false, context_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SqliteCatalogTest, StartsEmpty) {
  ASSERT_OK_AND_ASSIGN(const int64_t number, catalog_->LatestNumber(context_));
  EXPECT_EQ(number, 0);
  ASSERT_OK_AND_ASSIGN(const auto tables, catalog_->ListTables({}, context_));
  EXPECT_THAT(tables, IsEmpty());
  EXPECT_THAT(catalog_->ListTables(1, context_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog_->ListTables(0, context_), FailsWith(ErrorCode::kNotFound));
}

TEST_F(SqliteCatalogTest, CommitSetsBothPointersAndTheLog) {
  CommitFirst();
  ASSERT_OK_AND_ASSIGN(const auto tables, catalog_->ListTables({}, context_));
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].name, Name("media.digits"));
  EXPECT_EQ(tables[0].kind, TableKind::kLance);
  EXPECT_EQ(tables[0].pointer, Final(1, "t1"));
  EXPECT_EQ(tables[0].location, "tables/media/digits.lance");
  EXPECT_EQ(tables[1].name, Name("media.digits_meta"));
  EXPECT_EQ(tables[1].kind, TableKind::kIceberg);
  EXPECT_EQ(tables[1].pointer, Metadata(11));
  EXPECT_FALSE(tables[1].drifted);

  ASSERT_OK_AND_ASSIGN(const auto log, catalog_->Log({}, context_));
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].number, 1);
  EXPECT_EQ(log[0].parent, 0);
  EXPECT_EQ(log[0].message, "first");
  EXPECT_EQ(log[0].author, "ada");
  EXPECT_EQ(log[0].properties, (std::map<std::string, std::string>{{"run", "7"}}));
  ASSERT_EQ(log[0].changes.size(), 2u);
  EXPECT_EQ(log[0].changes[0].next, Final(1, "t1"));
  EXPECT_EQ(log[0].changes[1].added_rows, 10);
}

TEST_F(SqliteCatalogTest, MovedPointerFailsTheWholeCommit) {
  CommitFirst();
  const JointCommit stale = CommitOf(
      {LanceChange(Final(1, "t1"), Staged(2, "t2")), IcebergChange(Metadata(10), Metadata(12))});
  const auto result = catalog_->Commit(stale, context_);
  EXPECT_THAT(result, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(result.status().message(), HasSubstr("media.digits_meta"));
  ASSERT_OK_AND_ASSIGN(const auto lance, catalog_->LoadTable(Name("media.digits"), {}, context_));
  EXPECT_EQ(lance.pointer, Final(1, "t1"));
  ASSERT_OK_AND_ASSIGN(const int64_t number, catalog_->LatestNumber(context_));
  EXPECT_EQ(number, 1);
}

TEST_F(SqliteCatalogTest, CommitOnAnUnpublishedVersionIsAConflict) {
  CommitFirst();
  ASSERT_OK(catalog_->Commit(CommitOf({LanceChange(Final(1, "t1"), Staged(2, "t2"))}), context_));
  EXPECT_THAT(catalog_->Commit(CommitOf({LanceChange(Staged(2, "t2"), Staged(3, "t3"))}), context_),
              FailsWith(ErrorCode::kCommitConflict));
}

TEST_F(SqliteCatalogTest, OneNameIsOneTableOfOneKind) {
  CommitFirst();
  EXPECT_THAT(catalog_->Commit(CommitOf({LanceChange({}, Staged(1, "t9"))}), context_),
              FailsWith(ErrorCode::kAlreadyExists));
  TableChange lance = LanceChange({}, Staged(1, "t9"));
  lance.name = Name("media.digits_meta");
  EXPECT_THAT(catalog_->Commit(CommitOf({lance}), context_), FailsWith(ErrorCode::kAlreadyExists));
  TableChange iceberg = IcebergChange({}, Metadata(5));
  iceberg.name = Name("media.digits");
  EXPECT_THAT(catalog_->Commit(CommitOf({iceberg}), context_),
              FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_THAT(catalog_->Commit(CommitOf({iceberg, iceberg}), context_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(catalog_->Commit({}, context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SqliteCatalogTest, OtherClientsCannotTakeTheNameOfALanceTable) {
  CommitFirst();
  EXPECT_THAT(
      Foreign("INSERT INTO iceberg_tables VALUES ('tusk', 'media', 'digits', '/x', NULL, 'TABLE')"),
      FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_THAT(
      Foreign("UPDATE iceberg_tables SET table_name = 'digits' WHERE table_name = 'digits_meta'"),
      FailsWith(ErrorCode::kAlreadyExists));
}

TEST_F(SqliteCatalogTest, RecordsThePublishedManifestInPointerAndLog) {
  CommitFirst();
  ASSERT_OK(catalog_->Commit(CommitOf({LanceChange(Final(1, "t1"), Staged(2, "t2"))}), context_));
  ASSERT_OK_AND_ASSIGN(auto entry, catalog_->LoadTable(Name("media.digits"), {}, context_));
  EXPECT_FALSE(entry.published);
  EXPECT_EQ(entry.pointer, Staged(2, "t2"));
  ASSERT_OK_AND_ASSIGN(auto waiting, catalog_->Unpublished(context_));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].number, 2);
  EXPECT_EQ(waiting[0].changes[0].next, Staged(2, "t2"));

  // A foreign writer took version 2, so it became version 3.
  ASSERT_OK(catalog_->RecordPublished(2, Name("media.digits"), Final(3, "t2"), context_));
  ASSERT_OK(catalog_->RecordPublished(2, Name("media.digits"), Final(3, "t2"), context_));
  EXPECT_THAT(catalog_->RecordPublished(2, Name("media.digits"), Final(4, "t2"), context_),
              FailsWith(ErrorCode::kCommitConflict));
  ASSERT_OK_AND_ASSIGN(entry, catalog_->LoadTable(Name("media.digits"), {}, context_));
  EXPECT_TRUE(entry.published);
  EXPECT_EQ(entry.pointer, Final(3, "t2"));
  ASSERT_OK_AND_ASSIGN(entry, catalog_->LoadTable(Name("media.digits"), 2, context_));
  EXPECT_EQ(entry.pointer, Final(3, "t2"));
  ASSERT_OK_AND_ASSIGN(waiting, catalog_->Unpublished(context_));
  EXPECT_THAT(waiting, IsEmpty());
}

TEST_F(SqliteCatalogTest, StateAtNIsTheNewestChangeUpToN) {
  CommitFirst();
  ASSERT_OK(catalog_->Commit(CommitOf({IcebergChange(Metadata(11), Metadata(12))}), context_));
  ASSERT_OK(catalog_->Commit(CommitOf({LanceChange(Final(1, "t1"), Staged(2, "t2"))}), context_));
  ASSERT_OK(catalog_->RecordPublished(3, Name("media.digits"), Final(2, "t2"), context_));
  const auto pointers_at = [&](int64_t at) {
    std::vector<TablePointer> pointers;
    for (const TableEntry& entry : *catalog_->ListTables(at, context_)) {
      pointers.push_back(entry.pointer);
    }
    return pointers;
  };
  EXPECT_THAT(pointers_at(1), ElementsAre(Final(1, "t1"), Metadata(11)));
  EXPECT_THAT(pointers_at(2), ElementsAre(Final(1, "t1"), Metadata(12)));
  EXPECT_THAT(pointers_at(3), ElementsAre(Final(2, "t2"), Metadata(12)));
  EXPECT_THAT(catalog_->ListTables(4, context_), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto log, catalog_->Log(2, context_));
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].number, 3);
  EXPECT_EQ(log[1].number, 2);
  EXPECT_LE(log[1].timestamp_us, log[0].timestamp_us);
}

TEST_F(SqliteCatalogTest, ForeignIcebergCommitIsTheTruthAndShowsAsDrift) {
  CommitFirst();
  ASSERT_OK(
      Foreign("UPDATE iceberg_tables SET metadata_location = '/foreign.json', "
              "previous_metadata_location = metadata_location"));
  ASSERT_OK_AND_ASSIGN(auto entry, catalog_->LoadTable(Name("media.digits_meta"), {}, context_));
  EXPECT_EQ(entry.pointer.path, "/foreign.json");
  EXPECT_EQ(entry.pointer.version, 0);
  EXPECT_TRUE(entry.drifted);
  ASSERT_OK_AND_ASSIGN(entry, catalog_->LoadTable(Name("media.digits_meta"), 1, context_));
  EXPECT_EQ(entry.pointer, Metadata(11));
  // What was staged on the old pointer fails, what was staged on the foreign one succeeds.
  EXPECT_THAT(catalog_->Commit(CommitOf({IcebergChange(Metadata(11), Metadata(12))}), context_),
              FailsWith(ErrorCode::kCommitConflict));
  ASSERT_OK(
      catalog_->Commit(CommitOf({IcebergChange(At("/foreign.json"), Metadata(12))}), context_));
}

TEST_F(SqliteCatalogTest, ForeignTablesAreListedAndViewsAreNot) {
  ASSERT_OK(
      Foreign("INSERT INTO iceberg_tables VALUES "
              "('tusk', 'a.b', 'odd name', '/t.json', NULL, NULL), "
              "('tusk', 'a.b', 'view', '/v.json', NULL, 'VIEW'), "
              "('other', 'a.b', 'elsewhere', '/e.json', NULL, 'TABLE')"));
  ASSERT_OK_AND_ASSIGN(const auto tables, catalog_->ListTables({}, context_));
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].name.ToString(), "a.b.odd name");
  EXPECT_EQ(tables[0].location, "");
  EXPECT_TRUE(tables[0].drifted);
}

TEST_F(SqliteCatalogTest, NotFoundSaysWhatThereIs) {
  CommitFirst();
  const auto missing = catalog_->LoadTable(Name("media.numbers"), {}, context_);
  EXPECT_THAT(missing, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(missing.status().message(), HasSubstr("media.digits, media.digits_meta"));
}

TEST_F(SqliteCatalogTest, TextIsNeverSql) {
  const std::string hostile = "x'); DROP TABLE tusk_joint; --\n\"%s";
  JointCommit commit{.message = hostile,
                     .author = hostile,
                     .properties = {{hostile, hostile}},
                     .changes = {IcebergChange({}, Metadata(1))}};
  ASSERT_OK(catalog_->Commit(commit, context_));
  ASSERT_OK_AND_ASSIGN(const auto log, catalog_->Log({}, context_));
  EXPECT_EQ(log.at(0).message, hostile);
  EXPECT_EQ(log.at(0).properties.at(hostile), hostile);
}

/// Moves the Iceberg pointer forward until it has won `wins` times.
void WinRaces(Catalog& catalog, int wins, int64_t first_snapshot) {
  const OperationContext context;
  for (int won = 0; won < wins;) {
    auto entry = catalog.LoadTable(Name("media.digits_meta"), {}, context);
    ASSERT_OK(entry);
    TablePointer next = Metadata(first_snapshot + won);
    const auto number = catalog.Commit(CommitOf({IcebergChange(entry->pointer, next)}), context);
    if (number.ok()) {
      ++won;
    } else {
      ASSERT_THAT(number, FailsWith(ErrorCode::kCommitConflict));
    }
  }
}

void ExpectGaplessLog(Catalog& catalog, int64_t count) {
  ASSERT_OK_AND_ASSIGN(const auto log, catalog.Log({}, OperationContext()));
  ASSERT_EQ(static_cast<int64_t>(log.size()), count);
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_EQ(log[i].number, count - i);
    EXPECT_EQ(log[i].parent, count - i - 1);
    EXPECT_EQ(log[i].changes.size(), i == count - 1 ? 2u : 1u);
  }
}

TEST_F(SqliteCatalogTest, RacingThreadsEachCommitOnce) {
  CommitFirst();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      // Two threads share a catalog, the others have one each.
      auto own = i < 2 ? catalog_ : *OpenSqliteCatalog(path_, SqliteMode::kOpen, "tusk");
      WinRaces(*own, /*wins=*/5, /*first_snapshot=*/1000 * (i + 1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectGaplessLog(*catalog_, 21);
}

TEST_F(SqliteCatalogTest, WorksInParentAndChildrenAfterFork) {
  CommitFirst();
  std::atomic<bool> done = false;
  // Another thread is inside transactions while the process forks.
  std::thread reader([&] {
    while (!done) EXPECT_OK(catalog_->ListTables({}, context_));
  });
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      WinRaces(*catalog_, /*wins=*/3, /*first_snapshot=*/1000 * (i + 1));
      _exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    children.push_back(child);
  }
  WinRaces(*catalog_, /*wins=*/3, /*first_snapshot=*/9000);
  for (const pid_t child : children) {
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    EXPECT_EQ(state, 0);
  }
  done = true;
  reader.join();
  ExpectGaplessLog(*catalog_, 16);
}

TEST_F(SqliteCatalogTest, WaitingForALockStopsOnRequest) {
  ASSERT_OK_AND_ASSIGN(const auto other, SqliteClient::Open(path_));
  ASSERT_OK(other->Run("BEGIN IMMEDIATE"));
  std::stop_source source;
  OperationContext context;
  context.stop = source.get_token();
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    source.request_stop();
  });
  EXPECT_THAT(catalog_->Commit(CommitOf({IcebergChange({}, Metadata(1))}), context),
              FailsWith(ErrorCode::kCancelled));
  stopper.join();
}

}  // namespace
}  // namespace tusk::catalog
