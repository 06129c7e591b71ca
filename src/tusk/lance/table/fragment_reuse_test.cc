#include "tusk/lance/table/fragment_reuse.h"

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using ::testing::ElementsAre;

DeletedRows Rows(const std::vector<int64_t>& offsets) {
  DeletedRows rows;
  for (const int64_t offset : offsets) EXPECT_OK(rows.Add(offset, offset + 1));
  return rows;
}

FragmentIds Ids(const std::vector<int64_t>& ids) { return Rows(ids); }

std::vector<int64_t> Values(const FragmentIds& ids) {
  std::vector<int64_t> values;
  for (const DeletedRows::Run& run : ids.runs()) {
    for (int64_t id = run.begin; id < run.end; ++id) values.push_back(id);
  }
  return values;
}

IndexMetadata Index(const std::string& name, std::optional<FragmentIds> fragments,
                    uint64_t dataset_version = 1) {
  IndexMetadata index;
  index.uuid = std::string(16, 'u');
  index.name = name;
  index.fragments = std::move(fragments);
  index.dataset_version = dataset_version;
  return index;
}

/// Fragments 0 and 1 of four rows, without the rows 1 and 5, became fragment 2.
FragmentReuse::Version First() {
  return {.dataset_version = 7,
          .groups = {{.moved = SerializeAddresses({{0, Rows({0, 2, 3})}, {1, Rows({0, 2, 3})}}),
                      .before = {{.id = 0, .physical_rows = 4, .deleted_rows = 1},
                                 {.id = 1, .physical_rows = 4, .deleted_rows = 1}},
                      .after = {{.id = 2, .physical_rows = 6}}}}};
}

/// Fragment 2, without its row 4, became the fragments 3 and 4.
FragmentReuse::Version Second() {
  return {.dataset_version = 9,
          .groups = {{.moved = SerializeAddresses({{2, Rows({0, 1, 2, 3, 5})}}),
                      .before = {{.id = 2, .physical_rows = 6, .deleted_rows = 1}},
                      .after = {{.id = 3, .physical_rows = 3}, {.id = 4, .physical_rows = 2}}}}};
}

constexpr uint64_t At(uint64_t fragment, uint64_t offset) { return fragment << 32 | offset; }

TEST(FragmentReuseTest, AddressesAreTheFormatsBitmap) {
  // u64 count; u32 fragment; then the 32-bit bitmap of the Roaring specification: cookie of one
  // container of runs, its flag, key 0 with 3 values, two runs.
  const std::string bytes(
      "\1\0\0\0\0\0\0\0"
      "\5\0\0\0"
      "\x3b\x30\0\0"
      "\1"
      "\0\0\2\0"
      "\2\0"
      "\1\0\0\0"
      "\3\0\1\0",
      31);
  EXPECT_EQ(SerializeAddresses({{5, Rows({1, 3, 4})}}), bytes);
  ASSERT_OK_AND_ASSIGN(const auto rows, ParseAddresses(bytes));
  ASSERT_EQ(rows.size(), 1);
  EXPECT_THAT(Values(rows.at(5)), ElementsAre(1, 3, 4));
}

TEST(FragmentReuseTest, RefusesEveryTruncationOfAddresses) {
  const std::string bytes = SerializeAddresses({{5, Rows({1, 3, 4})}, {9, Rows({0, 70'000})}});
  ASSERT_OK(ParseAddresses(bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(ParseAddresses(bytes.substr(0, size)), FailsWith(ErrorCode::kCorrupt)) << size;
  }
  // The same fragment twice.
  std::string twice = SerializeAddresses({{5, Rows({1})}});
  twice += twice.substr(8);
  twice[0] = 2;
  EXPECT_THAT(ParseAddresses(twice), FailsWith(ErrorCode::kCorrupt));
}

TEST(FragmentReuseTest, WhatIsWrittenIsRead) {
  const FragmentReuse reuse{.versions = {First(), Second()}};
  const std::string bytes = SerializeFragmentReuse(reuse);
  ASSERT_OK_AND_ASSIGN(const FragmentReuse read, ParseFragmentReuse(bytes));
  EXPECT_EQ(SerializeFragmentReuse(read), bytes);
  ASSERT_EQ(read.versions.size(), 2);
  EXPECT_EQ(read.versions[1].dataset_version, 9);
  EXPECT_EQ(read.versions[1].groups[0].after[1].id, 4);
  EXPECT_EQ(read.versions[1].groups[0].before[0].deleted_rows, 1);
}

TEST(FragmentReuseTest, RefusesWhatNoFragmentCanBe) {
  for (const FragmentReuse::Digest& hostile :
       {FragmentReuse::Digest{.id = uint64_t{1} << 32, .physical_rows = 6},
        FragmentReuse::Digest{.id = 2, .physical_rows = uint64_t{1} << 40},
        FragmentReuse::Digest{.id = 2, .physical_rows = 6, .deleted_rows = 7}}) {
    FragmentReuse reuse{.versions = {First()}};
    reuse.versions[0].groups[0].after[0] = hostile;
    EXPECT_THAT(ParseFragmentReuse(SerializeFragmentReuse(reuse)), FailsWith(ErrorCode::kCorrupt));
  }
  EXPECT_THAT(ParseFragmentReuse("\xff"), FailsWith(ErrorCode::kCorrupt));
  // Field 2: a transition.
  EXPECT_THAT(ParseFragmentReuse(std::string("\x12\0", 2)), FailsWith(ErrorCode::kUnsupported));
}

TEST(MovedRowsTest, FollowsRowsThroughEveryCompaction) {
  ASSERT_OK_AND_ASSIGN(const MovedRows rows, MovedRows::Make({.versions = {First(), Second()}}));
  EXPECT_EQ(rows.Find(At(0, 0)), At(3, 0));
  EXPECT_EQ(rows.Find(At(0, 1)), std::nullopt);
  EXPECT_EQ(rows.Find(At(0, 3)), At(3, 2));
  EXPECT_EQ(rows.Find(At(1, 0)), At(4, 0));
  EXPECT_EQ(rows.Find(At(1, 2)), std::nullopt);  // row 4 of fragment 2
  EXPECT_EQ(rows.Find(At(1, 3)), At(4, 1));
  EXPECT_EQ(rows.Find(At(2, 5)), At(4, 1));
  // What no compaction moved stays.
  EXPECT_EQ(rows.Find(At(0, 4)), At(0, 4));
  EXPECT_EQ(rows.Find(At(8, 1)), At(8, 1));
}

TEST(MovedRowsTest, EqualsAListOfAllRows) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::map<uint64_t, std::optional<uint64_t>> expected;
    FragmentReuse::Group group;
    std::map<uint64_t, DeletedRows> moved;
    std::vector<uint64_t> stayed;
    for (uint64_t fragment = 0; fragment < 1 + random() % 4; ++fragment) {
      const uint64_t rows = random() % 8;
      std::vector<int64_t> offsets;
      for (uint64_t offset = 0; offset < rows; ++offset) {
        expected[At(fragment, offset)] = std::nullopt;
        if (random() % 3 == 0) continue;
        offsets.push_back(static_cast<int64_t>(offset));
        stayed.push_back(At(fragment, offset));
      }
      moved[fragment] = Rows(offsets);
      group.before.push_back({.id = fragment, .physical_rows = rows});
    }
    group.moved = SerializeAddresses(moved);
    for (size_t next = 0; next < stayed.size() || group.after.empty();) {
      const uint64_t id = 10 + group.after.size();
      const uint64_t rows = std::min<uint64_t>(random() % 4, stayed.size() - next);
      group.after.push_back({.id = id, .physical_rows = rows});
      for (uint64_t offset = 0; offset < rows; ++offset, ++next) {
        expected[stayed[next]] = At(id, offset);
      }
    }
    ASSERT_OK_AND_ASSIGN(const MovedRows rows,
                         MovedRows::Make({.versions = {{.groups = {std::move(group)}}}}));
    for (const auto& [from, to] : expected) EXPECT_EQ(rows.Find(from), to) << from;
  }
}

TEST(MovedRowsTest, RefusesGroupsThatDoNotAddUp) {
  FragmentReuse fewer{.versions = {First()}};
  fewer.versions[0].groups[0].after[0].physical_rows = 5;
  EXPECT_THAT(MovedRows::Make(fewer), FailsWith(ErrorCode::kCorrupt));
  FragmentReuse outside{.versions = {First()}};
  outside.versions[0].groups[0].before[1].physical_rows = 3;
  EXPECT_THAT(MovedRows::Make(outside), FailsWith(ErrorCode::kCorrupt));
  FragmentReuse twice{.versions = {First()}};
  twice.versions[0].groups.push_back(twice.versions[0].groups[0]);
  EXPECT_THAT(MovedRows::Make(twice), FailsWith(ErrorCode::kCorrupt));
  FragmentReuse same{.versions = {Second()}};
  same.versions[0].groups[0].after[1].id = 3;
  EXPECT_THAT(MovedRows::Make(same), FailsWith(ErrorCode::kCorrupt));
  FragmentReuse others{.versions = {First()}};
  others.versions[0].groups[0].before.pop_back();
  others.versions[0].groups[0].after[0].physical_rows = 3;
  EXPECT_THAT(MovedRows::Make(others), FailsWith(ErrorCode::kCorrupt));
}

TEST(FollowMovedRowsTest, AnIndexCoversWhatItsFragmentsBecame) {
  std::vector<IndexMetadata> indices = {Index("all", Ids({0, 1, 8})), Index("part", Ids({1, 8})),
                                        Index("other", Ids({8})), Index("unknown", std::nullopt)};
  ASSERT_OK(FollowMovedRows({.versions = {First(), Second()}}, &indices));
  EXPECT_THAT(Values(*indices[0].fragments), ElementsAre(3, 4, 8));
  // It has not all rows of fragment 2.
  EXPECT_THAT(Values(*indices[1].fragments), ElementsAre(8));
  EXPECT_THAT(Values(*indices[2].fragments), ElementsAre(8));
  EXPECT_FALSE(indices[3].fragments.has_value());
}

TEST(NeededVersionsTest, AVersionIsNeededByIndicesThatWereBuiltBeforeIt) {
  const FragmentReuse reuse{.versions = {First(), Second()}};
  const auto needed = [&](const IndexMetadata& index) {
    std::vector<uint64_t> versions;
    for (const auto& version : NeededVersions(reuse, {&index, 1}).versions) {
      versions.push_back(version.dataset_version);
    }
    return versions;
  };
  EXPECT_THAT(needed(Index("old", Ids({0, 1}), 5)), ElementsAre(7, 9));
  // Whose bitmap was moved on already; its addresses were not.
  EXPECT_THAT(needed(Index("old", Ids({3, 4}), 5)), ElementsAre(7, 9));
  EXPECT_THAT(needed(Index("at", Ids({2}), 7)), ElementsAre(7, 9));
  EXPECT_THAT(needed(Index("between", Ids({2}), 8)), ElementsAre(9));
  EXPECT_THAT(needed(Index("new", Ids({3, 4}), 10)), ElementsAre());
  EXPECT_THAT(needed(Index("elsewhere", Ids({8}), 1)), ElementsAre());
  EXPECT_THAT(needed(Index("__lance_frag_reuse", Ids({3, 4}), 9)), ElementsAre());
}

}  // namespace
}  // namespace tusk::lance
