#include "table_operations.h"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/cleanup.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/refs.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/testing/broken_requests.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lance {
namespace {

const OperationContext kContext;

/// What a table and its files look like.
struct State {
  std::string newest;    ///< the newest versions, for readers
  std::string versions;  ///< all versions
  std::string files;
};

State Look(const io::StorePath& table) {
  return {.newest = DescribeAll(table, /*only_newest=*/true),
          .versions = DescribeAll(table, /*only_newest=*/false),
          .files = DescribeFiles(table)};
}

/// Removes what no version names, and no version.
void Tidy(const io::StorePath& table) {
  std::vector<io::StorePath> places = {table,
                                       {.store = table.store, .path = table.path + "-clone"}};
  const auto branches = ListBranches(table, kContext);
  ASSERT_OK(branches);
  for (const auto& [name, branch] : *branches) places.push_back(*BranchLocation(table, name));
  for (const io::StorePath& place : places) {
    if (ListManifests(place, kContext).ValueOrDie().empty()) continue;
    const auto dataset = Dataset::Open(place, {}, kContext);
    ASSERT_OK(dataset);
    ASSERT_OK(CleanUp(**dataset, {.delete_unverified = true}, kContext));
  }
}

int64_t CountLines(const std::string& text) { return std::ranges::count(text, '\n'); }

/// An operation that fails or is cut short at each of its steps. What it leaves is the old state or
/// the new one; a cleanup takes away the rest; and then it can be done, or has been.
class TableOperationTest : public testing::TestWithParam<TableOperation> {
 protected:
  /// Finds out what is to be expected, on a store that works.
  void Rehearse(const io::StorePath& table) {
    ASSERT_OK(operation_.prepare(table));
    before_ = Look(table);
    ASSERT_OK(operation_.act(table));
    Tidy(table);
    after_ = Look(table);
  }

  /// `status` is what the operation said, if it came to that.
  void ExpectOldOrNew(const io::StorePath& table, const std::optional<Status>& status,
                      const Breakage& breakage) {
    const State seen = Look(table);
    const bool is_new = IsAsIn(seen, after_) && (!IsAsIn(seen, before_) || !HasFailed(status));
    ASSERT_TRUE(is_new || IsAsIn(seen, before_)) << "before:\n"
                                                 << before_.versions << "\nafter:\n"
                                                 << after_.versions << "\nbut there is:\n"
                                                 << seen.versions;
    EXPECT_TRUE(is_new || HasFailed(status)) << "it said that it was done";
    if (status && HasFailed(status)) {
      EXPECT_THAT(*status, FailsWith(ErrorCode::kIo));
      const bool is_one_refused = breakage.fault == StoreFault::kRefuse && !breakage.and_all_after;
      if (is_one_refused && operation_.finish == nullptr) {
        EXPECT_FALSE(is_new) << "it said that it was not done";
        // One request did not do what it should, the others tidied up.
        if (!operation_.keeps_files && !operation_.is_elsewhere) {
          EXPECT_LE(CountLines(seen.files), CountLines(before_.files) + 1) << seen.files;
        }
      }
    }
    if (is_new) {
      if (operation_.finish != nullptr) {
        ASSERT_OK(operation_.finish(table));
      }
    } else {
      if (operation_.undo != nullptr) {
        ASSERT_OK(operation_.undo(table));
      }
      if (!operation_.is_elsewhere && !operation_.is_gradual && !before_.versions.empty()) {
        Tidy(table);
        EXPECT_EQ(DescribeFiles(table), before_.files);
      }
      ASSERT_OK(operation_.act(table));
    }
    Tidy(table);
    const State end = Look(table);
    EXPECT_EQ(end.versions, after_.versions);
    EXPECT_EQ(end.files, after_.files);
  }

  const TableOperation operation_ = GetParam();

 private:
  static bool HasFailed(const std::optional<Status>& status) { return !status || !status->ok(); }
  bool IsAsIn(const State& seen, const State& state) const {
    return operation_.is_gradual ? seen.newest == state.newest : seen.versions == state.versions;
  }

  State before_;
  State after_;
};

TEST_P(TableOperationTest, LeavesTheOldOrTheNewStateWhicheverRequestFails) {
  const auto make_place = [] { return io::StorePath{.store = io::MakeMemoryStore(), .path = "t"}; };
  Rehearse(make_place());
  if (HasFailure()) return;
  for (const Breakage& breakage : {Breakage{StoreFault::kRefuse, false},
                                   {StoreFault::kRefuse, true},
                                   {StoreFault::kFailAfter, false},
                                   {StoreFault::kFailAfter, true}}) {
    SCOPED_TRACE(testing::Message() << "fault " << static_cast<int>(breakage.fault)
                                    << (breakage.and_all_after ? ", all after it too" : ""));
    const auto make_table = [&] {
      const io::StorePath table = make_place();
      EXPECT_OK(operation_.prepare(table));
      return table;
    };
    const int64_t requests = BreakEveryRequest(
        breakage, make_table, [&](const io::StorePath& broken, const io::StorePath& table) {
          ExpectOldOrNew(table, operation_.act(broken), breakage);
        });
    EXPECT_GE(requests, 2);
  }
}

TEST_P(TableOperationTest, LeavesTheOldOrTheNewStateWheneverItsProcessDies) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  const auto store = io::MakeLocalStore({.durable = false});
  // Branches and clones know where the table is, so that it is always at the same place.
  const std::string root = folder / "tables";
  const io::StorePath table{.store = store, .path = root + "/t"};
  const auto renew = [&](const std::string& from) {
    std::filesystem::remove_all(root);
    std::filesystem::create_directory(root);
    if (!from.empty()) {
      std::filesystem::copy(from, root,
                            std::filesystem::copy_options::recursive |
                                std::filesystem::copy_options::overwrite_existing);
    }
  };
  renew("");
  Rehearse(table);
  renew("");
  ASSERT_OK(operation_.prepare(table));
  const std::string mark = folder / "mark";
  std::filesystem::copy(root, mark, std::filesystem::copy_options::recursive);
  bool killed = true;
  for (int64_t n = 0; killed && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    ASSERT_LT(n, 1000);
    renew(mark);
    killed = WaitKilled(StartChild([&] {
      const auto dying = std::make_shared<FaultyStore>(store);
      dying->KillAtRequest(n);
      EXPECT_OK(operation_.act({.store = dying, .path = table.path}));
    }));
    const auto status = killed ? std::nullopt : std::optional(Status::OK());
    ExpectOldOrNew(table, status, {.fault = StoreFault::kKillBefore});
  }
}

std::string NameOf(const testing::TestParamInfo<TableOperation>& info) {
  std::string name = info.param.name;
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, TableOperationTest, testing::ValuesIn(AllTableOperations()), NameOf);

}  // namespace
}  // namespace tusk::lance
