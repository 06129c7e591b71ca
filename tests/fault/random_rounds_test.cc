#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tusk/io/object_store.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/maintenance.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/faulty_sqlite_vfs.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/foreign_writers.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

/// Ids from here on come from writers that do not know of the lake.
constexpr int64_t kForeignIds = 1'000'000'000;
constexpr int64_t kBatchRows = 3;
/// A lake is given up after so many rounds, so that each round stays small.
constexpr int64_t kRoundsPerLake = 40;
/// More requests than most operations make.
constexpr int64_t kMostRequests = 60;

/// What a user of the lake does in a round.
enum class Action { kAppend, kRestore, kAdopt, kTag, kCleanUp, kDoctor, kEnd };
constexpr std::array kActionWeights = {8, 2, 2, 1, 2, 1};

/// What goes wrong meanwhile.
enum class Trouble {
  kNone,
  kStoreRefuses,
  kStoreGoesAway,
  kStoreLies,
  kDiskRefuses,
  kDiskGoesAway,
  kDiskLies,
  kKilledAtStore,
  kKilledAtDisk,
  kForeignLance,    // a path writer commits in the middle
  kForeignIceberg,  // another client of the catalog does
  kEnd
};

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

Ids Split(const Ids& ids, bool foreign) {
  Ids part;
  std::ranges::copy_if(ids, std::back_inserter(part),
                       [&](int64_t id) { return (id >= kForeignIds) == foreign; });
  return part;
}

/// How often something happened: a test in which nothing goes wrong proves nothing.
struct Happened {
  int64_t committed = 0;  ///< joint versions
  int64_t broken = 0;     ///< requests of a store or disk
  int64_t killed = 0;     ///< writers
  int64_t half_done = 0;  ///< commits that became true though the writer died or was told no
  int64_t foreign = 0;    ///< commits to one side alone
  int64_t leftovers = 0;  ///< files that a doctor removed
  int64_t given_up = 0;   ///< joint versions found gone
};

/// A lake, what must be in it, and what was done to it so far.
class Rounds {
 public:
  Rounds(uint64_t seed, FaultyVfs* vfs, Happened* happened)
      : random_(seed), vfs_(vfs), happened_(*happened) {
    EXPECT_OK(Lake::Init(root_, context_));
  }

  void Run(int64_t rounds) {
    for (int64_t i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
      const auto action = PickAction();
      const auto trouble = static_cast<Trouble>(Below(static_cast<int64_t>(Trouble::kEnd)));
      SCOPED_TRACE(::testing::Message() << "round " << i << ", action " << static_cast<int>(action)
                                        << ", trouble " << static_cast<int>(trouble));
      OneRound(action, trouble);
    }
  }

 private:
  int64_t Below(int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(random_); }

  Action PickAction() {
    return static_cast<Action>(
        std::discrete_distribution<int>(kActionWeights.begin(), kActionWeights.end())(random_));
  }

  void OneRound(Action action, Trouble trouble) {
    const int64_t before = Newest();
    plan_ = {.batch = Range(next_id_, kBatchRows),
             .number = before == 0 ? 0 : 1 + Below(before),
             .keep_last = 1 + Below(4)};
    next_id_ += kBatchRows;
    const Ids old = before == 0 ? Ids() : at_[before];
    const Ids next = Expected(action, old);
    const bool is_sure = DoUnder(action, trouble);
    const auto lake = *Lake::Open(root_, std::nullopt, context_);
    const int64_t after = Newest();
    // One joint version or none, and one if the caller was told so.
    ASSERT_LE(after, before + 1);
    const Ids now = Split(*IcebergIds(*lake, context_), /*foreign=*/false);
    if (after > before) {
      ASSERT_EQ(now, next);
      at_[after] = now;
      ++happened_.committed;
      if (!is_sure) ++happened_.half_done;
    } else {
      ASSERT_EQ(now, old);
    }
    if (is_sure && action == Action::kAppend) {
      ASSERT_EQ(after, before + 1);
    }
    if (after > before && action == Action::kRestore) ForgetForeign();
    CheckSides(*lake, now);
    if (after > 0) CheckEarlier(*lake, 1 + Below(after));
    if (Below(8) == 0) CheckLeftovers();
  }

  /// The joint ids after the action, if it becomes true.
  Ids Expected(Action action, const Ids& old) {
    if (action == Action::kAppend) return Union(old, plan_.batch);
    if (action == Action::kRestore && at_.contains(plan_.number)) return at_[plan_.number];
    return old;
  }

  /// True if the action was done and said so.
  bool DoUnder(Action action, Trouble trouble) {
    const int64_t n = Below(kMostRequests);
    const auto store = std::make_shared<FaultyStore>(io::MakeLocalStore({.durable = false}));
    const auto open = [&] {
      return *Lake::Open(io::StorePath{.store = store, .path = root_}, std::nullopt, context_);
    };
    switch (trouble) {
      case Trouble::kKilledAtStore:
      case Trouble::kKilledAtDisk:
        happened_.killed += WaitKilled(StartChild([&] {
          const auto lake = open();
          if (trouble == Trouble::kKilledAtStore) {
            store->BreakRequest(n, n % 2 == 0 ? StoreFault::kKillBefore : StoreFault::kKillAfter);
          } else {
            vfs_->BreakRequest(n % 20, n % 2 == 0 ? VfsFault::kKillBefore : VfsFault::kKillAfter);
          }
          (void)Do(*lake, action);
        }));
        return false;
      case Trouble::kForeignLance:
      case Trouble::kForeignIceberg: {
        const auto lake = open();
        const bool in_lance = trouble == Trouble::kForeignLance;
        store->CallAtRequest(n, [&] { CommitAlone(in_lance); });
        return Do(*lake, action).ok();
      }
      default:
        break;
    }
    const auto lake = open();
    Arm(trouble, n, store.get());
    const bool done = Do(*lake, action).ok();
    if (store->has_failed() || vfs_->has_broken()) ++happened_.broken;
    vfs_->Reset();
    return done;
  }

  void Arm(Trouble trouble, int64_t n, FaultyStore* store) {
    switch (trouble) {
      case Trouble::kStoreRefuses:
        return store->BreakRequest(n, StoreFault::kRefuse);
      case Trouble::kStoreGoesAway:
        return store->BreakRequest(n, StoreFault::kRefuse, /*and_all_after=*/true);
      case Trouble::kStoreLies:
        return store->BreakRequest(n, StoreFault::kFailAfter, /*and_all_after=*/n % 2 == 0);
      case Trouble::kDiskRefuses:
        return vfs_->BreakRequest(n % 20, VfsFault::kRefuse);
      case Trouble::kDiskGoesAway:
        return vfs_->BreakRequest(n % 20, VfsFault::kRefuse, /*and_all_after=*/true);
      case Trouble::kDiskLies:
        return vfs_->BreakRequest(n % 20, VfsFault::kFailAfter);
      default:
        return;
    }
  }

  Status Do(Lake& lake, Action action) {
    switch (action) {
      case Action::kAppend:
        return AppendIds(lake, plan_.batch, context_).status();
      case Action::kRestore:
        return lake.Restore(plan_.number, {}, context_).status();
      case Action::kAdopt:
        return lake.Adopt({}, context_).status();
      case Action::kTag:
        return lake.SetTag({.name = "t", .number = plan_.number}, /*move=*/true, context_);
      case Action::kCleanUp:
        return CleanUp(&lake, {.older_than_ms = 0, .keep_last = plan_.keep_last, .min_age_ms = 0},
                       context_)
            .status();
      case Action::kDoctor:
        return Examine(&lake, {.clean = true, .min_age_ms = 0}, context_).status();
      case Action::kEnd:
        break;
    }
    return Status::OK();
  }

  /// Commits to one side without the lake; remembers what must not get lost.
  void CommitAlone(bool in_lance) {
    const Ids ids = Range(kForeignIds + next_id_, kBatchRows);
    next_id_ += kBatchRows;
    if (in_lance) {
      // There may be no table yet.
      if (!AppendByPath(root_, ids, context_).ok()) return;
      foreign_lance_ = Union(foreign_lance_, ids);
      ++happened_.foreign;
      return;
    }
    const auto lake = *Lake::Open(root_, std::nullopt, context_);
    if (!lake->OpenIceberg(IcebergName(), context_).ok()) return;
    AppendToIcebergAlone(*lake, ids, context_);
    foreign_iceberg_ = Union(foreign_iceberg_, ids);
    ++happened_.foreign;
  }

  /// A restore takes the rows of others back as well, if they came before it.
  void ForgetForeign() {
    foreign_lance_.clear();
    foreign_iceberg_.clear();
  }

  int64_t Newest() {
    const auto catalog =
        *catalog::OpenSqliteCatalog(root_ + "/catalog.db", catalog::SqliteMode::kOpen, "");
    return *catalog->LatestNumber(context_);
  }

  /// Both sides, through the lake and by path, have the joint ids once each and nobody's rows are
  /// lost.
  void CheckSides(const Lake& lake, const Ids& joint) {
    ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(lake, context_));
    ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(lake, context_));
    ASSERT_OK_AND_ASSIGN(const Ids by_path, LanceIdsByPath(root_, context_));
    EXPECT_EQ(Split(lance, /*foreign=*/false), joint);
    EXPECT_EQ(Split(by_path, /*foreign=*/false), joint);
    for (const Ids& ids : {lance, iceberg, by_path}) {
      EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end()) << "an id is there twice";
    }
    EXPECT_TRUE(std::ranges::includes(by_path, foreign_lance_)) << "a foreign row is lost";
    EXPECT_TRUE(std::ranges::includes(iceberg, foreign_iceberg_)) << "a foreign row is lost";
  }

  /// An earlier joint version is as it was, or was given up.
  void CheckEarlier(const Lake& lake, int64_t number) {
    const auto log = *lake.Log({}, context_);
    const auto entry = std::ranges::find(log, number, &catalog::LogEntry::number);
    ASSERT_NE(entry, log.end());
    const auto at = Lake::Open(root_, number, context_);
    ASSERT_EQ(at.ok(), !entry->given_up) << at.status().ToString();
    if (!at.ok()) {
      ++happened_.given_up;
      return;
    }
    ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(**at, context_));
    ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(**at, context_));
    EXPECT_EQ(Split(lance, /*foreign=*/false), at_[number]);
    EXPECT_EQ(Split(iceberg, /*foreign=*/false), at_[number]);
  }

  /// The doctor finds no damage, and after its cleaning nothing is left over and nothing is
  /// missing.
  void CheckLeftovers() {
    const auto lake = *Lake::Open(root_, std::nullopt, context_);
    const Ids before = *LanceIdsByPath(root_, context_);
    ASSERT_OK_AND_ASSIGN(const auto cleaned,
                         Examine(lake.get(), {.clean = true, .min_age_ms = 0}, context_));
    for (const Finding& finding : cleaned.findings) {
      EXPECT_TRUE(finding.kind == FindingKind::kLeftover || finding.kind == FindingKind::kDrift)
          << FindingKindName(finding.kind) << " " << finding.path << " " << finding.detail;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ASSERT_OK_AND_ASSIGN(const auto again,
                         Examine(lake.get(), {.clean = true, .min_age_ms = 0}, context_));
    ASSERT_OK_AND_ASSIGN(const auto last,
                         Examine(lake.get(), {.clean = false, .min_age_ms = 0}, context_));
    happened_.leftovers += cleaned.removed_files + again.removed_files;
    EXPECT_EQ(last.leftover_files, 0);
    EXPECT_FALSE(last.is_damaged());
    EXPECT_EQ(*LanceIdsByPath(root_, context_), before);
    const int64_t newest = Newest();
    for (int64_t number = 1; number <= newest; ++number) CheckEarlier(*lake, number);
  }

  /// What the action of a round does.
  struct Plan {
    Ids batch;
    int64_t number = 0;
    int64_t keep_last = 1;
  };

  std::mt19937_64 random_;
  FaultyVfs* vfs_;
  Happened& happened_;
  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const OperationContext context_;
  Plan plan_;
  int64_t next_id_ = 0;
  std::map<int64_t, Ids> at_;  ///< the joint ids of every joint version
  Ids foreign_lance_;
  Ids foreign_iceberg_;
};

TEST(RandomRoundsTest, WhateverGoesWrongBothSidesHaveACommitOrNeither) {
  const int64_t rounds = FromEnvironment("TUSK_FAULT_ROUNDS", 400);
  const int64_t seed = FromEnvironment("TUSK_FAULT_SEED", 5000);
  FaultyVfs vfs;
  Happened happened;
  for (int64_t done = 0; done < rounds && !HasFailure(); done += kRoundsPerLake) {
    const int64_t lake_seed = seed + done / kRoundsPerLake;
    SCOPED_TRACE(::testing::Message()
                 << "TUSK_FAULT_SEED=" << lake_seed << " TUSK_FAULT_ROUNDS=" << kRoundsPerLake);
    Rounds(lake_seed, &vfs, &happened).Run(std::min(kRoundsPerLake, rounds - done));
  }
  std::printf(
      "%lld rounds: %lld joint versions, %lld of them under a failure; %lld broken requests, "
      "%lld killed writers, %lld foreign commits, %lld leftovers removed\n",
      static_cast<long long>(rounds), static_cast<long long>(happened.committed),
      static_cast<long long>(happened.half_done), static_cast<long long>(happened.broken),
      static_cast<long long>(happened.killed), static_cast<long long>(happened.foreign),
      static_cast<long long>(happened.leftovers));
  if (rounds < 400) return;  // a single case run again
  EXPECT_GT(happened.committed, rounds / 10);
  for (const int64_t count : {happened.broken, happened.killed, happened.half_done,
                              happened.foreign, happened.leftovers, happened.given_up}) {
    EXPECT_GT(count, rounds / 100);
  }
}

}  // namespace
}  // namespace tusk::lake
