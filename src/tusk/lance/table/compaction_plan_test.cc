#include "tusk/lance/table/compaction_plan.h"

#include <cmath>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<uint64_t>;

/// Fragments 0, 1, ... with these rows, none of them deleted.
std::vector<FragmentLoad> Loads(const std::vector<int64_t>& rows) {
  std::vector<FragmentLoad> loads;
  for (const int64_t count : rows) {
    loads.push_back({.id = loads.size(), .physical_rows = count, .bytes = 10 * count});
  }
  return loads;
}

TEST(CompactionPlanTest, PutsSmallNeighboursTogether) {
  const CompactionOptions options{.target_rows_per_fragment = 100};
  EXPECT_THAT(PlanTasks({}, options), IsEmpty());
  EXPECT_THAT(PlanTasks(Loads({50}), options), IsEmpty());
  EXPECT_THAT(PlanTasks(Loads({50, 20}), options), ElementsAre(Ids{0, 1}));
  EXPECT_THAT(PlanTasks(Loads({100, 20, 100}), options), IsEmpty());
  EXPECT_THAT(PlanTasks(Loads({20, 100, 20, 30, 200, 9, 9, 9}), options),
              ElementsAre(Ids{2, 3}, Ids{5, 6, 7}));
}

TEST(CompactionPlanTest, EndsATaskAtTheTargetIfAsMuchIsLeft) {
  const CompactionOptions options{.target_rows_per_fragment = 100};
  EXPECT_THAT(PlanTasks(Loads({60, 60, 60, 60}), options), ElementsAre(Ids{0, 1}, Ids{2, 3}));
  EXPECT_THAT(PlanTasks(Loads({60, 60, 60, 30}), options), ElementsAre(Ids{0, 1, 2, 3}));
  EXPECT_THAT(PlanTasks(Loads({60, 60, 60, 60, 30, 10}), options),
              ElementsAre(Ids{0, 1}, Ids{2, 3, 4, 5}));
}

TEST(CompactionPlanTest, RewritesFragmentsWithManyDeletedRows) {
  CompactionOptions options{.target_rows_per_fragment = 100};
  auto loads = Loads({200, 200, 200, 50});
  loads[0].deleted_rows = 20;
  loads[1].deleted_rows = 21;
  loads[3].deleted_rows = 50;
  EXPECT_THAT(PlanTasks(loads, options), ElementsAre(Ids{1}, Ids{3}));
  options.materialize_deletions_threshold = 0.05;
  EXPECT_THAT(PlanTasks(loads, options), ElementsAre(Ids{0}, Ids{1}, Ids{3}));
  options.materialize_deletions = false;
  EXPECT_THAT(PlanTasks(loads, options), IsEmpty());
}

TEST(CompactionPlanTest, KeepsApartWhatIsExcludedOrIndexedOtherwise) {
  const CompactionOptions options{.target_rows_per_fragment = 100};
  auto loads = Loads({5, 5, 5, 5, 5, 5, 5, 5});
  loads[2].is_excluded = true;
  loads[3].indices = loads[4].indices = {0};
  loads[5].indices = {0, 1};
  EXPECT_THAT(PlanTasks(loads, options), ElementsAre(Ids{0, 1}, Ids{3, 4}, Ids{6, 7}));
}

TEST(CompactionPlanTest, StaysBelowItsLimits) {
  const auto loads = Loads({60, 60, 60, 60, 60, 60});
  CompactionOptions options{.target_rows_per_fragment = 100};
  options.max_source_fragments = 5;
  EXPECT_THAT(PlanTasks(loads, options), ElementsAre(Ids{0, 1}, Ids{2, 3}));
  options.max_source_rows = 239;
  EXPECT_THAT(PlanTasks(loads, options), ElementsAre(Ids{0, 1}));
  options.max_source_bytes = 1199;
  EXPECT_THAT(PlanTasks(loads, options), IsEmpty());
}

TEST(CompactionPlanTest, LeavesLargeFragmentsOutOnRequest) {
  const CompactionOptions options{.target_rows_per_fragment = 1000, .keep_large = true};
  EXPECT_THAT(PlanTasks(Loads({900, 10}), options), IsEmpty());
  EXPECT_THAT(PlanTasks(Loads({10, 10, 900, 10, 10, 10}), options),
              ElementsAre(Ids{0, 1}, Ids{3, 4, 5}));
  EXPECT_THAT(PlanTasks(Loads({30, 10, 10, 10}), options), ElementsAre(Ids{0, 1, 2, 3}));
}

/// Appends and compactions in turns: how many rows are written again for each that was appended.
double RewrittenPerRow(bool keep_large) {
  constexpr int64_t kTarget = 1 << 16;
  const CompactionOptions options{.target_rows_per_fragment = kTarget, .keep_large = keep_large};
  std::mt19937 random(5);
  std::vector<FragmentLoad> fragments;
  uint64_t next_id = 0;
  int64_t appended = 0;
  int64_t rewritten = 0;
  for (int cycle = 0; cycle < 3000; ++cycle) {
    const int64_t rows = 1 + static_cast<int64_t>(random() % 40);
    appended += rows;
    fragments.push_back({.id = next_id++, .physical_rows = rows});
    for (const Ids& task : PlanTasks(fragments, options)) {
      int64_t sum = 0;
      for (const uint64_t id : task) {
        sum += std::ranges::find(fragments, id, &FragmentLoad::id)->physical_rows;
      }
      std::erase_if(fragments, [&](const FragmentLoad& load) {
        return std::ranges::find(task, load.id) != task.end();
      });
      fragments.push_back({.id = next_id++, .physical_rows = sum});
      rewritten += sum;
    }
  }
  EXPECT_LE(fragments.size(), 30U);
  return static_cast<double>(rewritten) / static_cast<double>(appended);
}

TEST(CompactionPlanTest, ARowIsRewrittenOnlyNowAndThenIfLargeFragmentsStay) {
  EXPECT_LE(RewrittenPerRow(/*keep_large=*/true), std::log2(1 << 16));
  EXPECT_GE(RewrittenPerRow(/*keep_large=*/false), 500);
}

}  // namespace
}  // namespace tusk::lance
