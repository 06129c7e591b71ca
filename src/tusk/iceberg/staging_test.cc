#include "tusk/iceberg/staging.h"

#include <limits>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tusk::iceberg {
namespace {

using Summary = std::map<std::string, std::string>;
using testing::ElementsAre;
using testing::Pair;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(SummaryTest, TellsNoSumThatCannotBe) {
  DataFile huge;
  huge.record_count = kMost;
  huge.size_bytes = 5;
  Summary summary;
  Summarize({huge, huge}, "deleted", "removed-files-size", &summary);
  EXPECT_THAT(summary,
              ElementsAre(Pair("deleted-data-files", "2"), Pair("removed-files-size", "10")));
}

TEST(SummaryTest, GoesOnFromItsParent) {
  MetadataSnapshot parent;
  parent.info.summary = {{"total-records", "7"},
                         {"total-data-files", std::to_string(kMost)},
                         {"total-files-size", "many"}};
  Summary summary = {{"added-records", "5"},
                     {"deleted-records", "2"},
                     {"added-data-files", "1"},
                     {"added-files-size", "100"},
                     {"total-files-size", "100"}};
  SetTotals(&summary, &parent);
  EXPECT_EQ(summary.at("total-records"), "10");
  // Unknown: the parent's is no number, or leaves none for what was added.
  EXPECT_FALSE(summary.contains("total-data-files"));
  EXPECT_FALSE(summary.contains("total-files-size"));
}

}  // namespace
}  // namespace tusk::iceberg
