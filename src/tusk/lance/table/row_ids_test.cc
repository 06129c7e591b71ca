#include "tusk/lance/table/row_ids.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/row_ids.pb.h"
#include "tusk/lance/table/row_lineage.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

std::vector<uint64_t> All(const RowIdSequence& sequence) {
  std::vector<uint64_t> ids(sequence.length());
  sequence.Fill(0, ids);
  return ids;
}

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  std::string bytes;
  for (const T value : values) AppendLittle(value, &bytes);
  return bytes;
}

/// One segment of each kind and array width.
proto::RowIdSequence EveryKind() {
  proto::RowIdSequence sequence;
  auto* range = sequence.add_segments()->mutable_range();
  range->set_start(10);
  range->set_end(13);
  auto* holes = sequence.add_segments()->mutable_range_with_holes();
  holes->set_start(100);
  holes->set_end(106);
  holes->mutable_holes()->mutable_u16_array()->set_base(100);
  holes->mutable_holes()->mutable_u16_array()->set_offsets(Bytes<uint16_t>({0, 3, 4}));
  auto* bitmap = sequence.add_segments()->mutable_range_with_bitmap();
  bitmap->set_start(200);
  bitmap->set_end(210);
  bitmap->set_bitmap(std::string("\x05\x02", 2));  // bits 0, 2 and 9, from the low end
  auto* sorted = sequence.add_segments()->mutable_sorted_array()->mutable_u32_array();
  sorted->set_base(1'000'000);
  sorted->set_offsets(Bytes<uint32_t>({1, 70'000}));
  sequence.add_segments()->mutable_array()->mutable_u64_array()->set_values(
      Bytes<uint64_t>({7, uint64_t{1} << 60}));
  return sequence;
}

TEST(RowIdSequenceTest, WritesIdsAsTheyAre) {
  const std::vector<std::vector<uint64_t>> sequences = {
      {},
      {7},
      {7, 8, 9},
      {7, 9, 12},
      {9, 7, 8},
      {7, 7},
      {5, 70'000},
      {70'000, 5},
      {3, uint64_t{1} << 40},
      {~uint64_t{0} - 1, 0},
      {~uint64_t{0} - 2, ~uint64_t{0} - 1},
      // The end of a range that has the last id of all would be one more than 64 bits hold.
      {~uint64_t{0}},
      {~uint64_t{0} - 1, ~uint64_t{0}},
  };
  for (const auto& ids : sequences) {
    ASSERT_OK_AND_ASSIGN(const auto sequence, RowIdSequence::Parse(SerializeRowIds(ids)));
    EXPECT_EQ(All(sequence), ids);
  }
  proto::RowIdSequence written;
  ASSERT_TRUE(written.ParseFromString(SerializeRowIds(sequences[2])));
  EXPECT_TRUE(written.segments(0).has_range());
  ASSERT_TRUE(written.ParseFromString(SerializeRowIds(sequences[3])));
  EXPECT_EQ(written.segments(0).sorted_array().u16_array().base(), 7);
  ASSERT_TRUE(written.ParseFromString(SerializeRowIds(sequences[7])));
  EXPECT_EQ(written.segments(0).array().u32_array().base(), 5);
}

TEST(RowIdSequenceTest, ReadsEveryKindOfSegment) {
  ASSERT_OK_AND_ASSIGN(const auto sequence, RowIdSequence::Parse(EveryKind().SerializeAsString()));
  EXPECT_THAT(All(sequence), ElementsAre(10, 11, 12, 101, 102, 105, 200, 202, 209, 1'000'001,
                                         1'070'000, 7, uint64_t{1} << 60));
}

TEST(RowIdSequenceTest, GivesAnyPartOfItself) {
  ASSERT_OK_AND_ASSIGN(const auto sequence, RowIdSequence::Parse(EveryKind().SerializeAsString()));
  const std::vector<uint64_t> all = All(sequence);
  for (size_t begin = 0; begin <= all.size(); ++begin) {
    for (size_t end = begin; end <= all.size(); ++end) {
      std::vector<uint64_t> part(end - begin);
      sequence.Fill(static_cast<int64_t>(begin), part);
      EXPECT_EQ(part, std::vector(all.begin() + begin, all.begin() + end));
    }
  }
}

TEST(RowIdSequenceTest, FindsIds) {
  const auto sequence = RowIdSequence::Parse(EveryKind().SerializeAsString());
  ASSERT_OK(sequence);
  const std::vector<uint64_t> all = All(*sequence);
  std::vector<uint64_t> asked = {0, 9, 13, 100, 103, 201, 210, ~uint64_t{0}};
  asked.insert(asked.end(), all.begin(), all.end());
  std::ranges::sort(asked);
  std::map<int64_t, uint64_t> found;
  sequence->Find(asked, [&](uint64_t id, int64_t position) { found[position] = id; });
  std::map<int64_t, uint64_t> expected;
  for (size_t i = 0; i < all.size(); ++i) expected[static_cast<int64_t>(i)] = all[i];
  EXPECT_EQ(found, expected);
}

TEST(RowIdSequenceTest, RefusesWhatDoesNotFitTogether) {
  const auto parse = [](const proto::RowIdSequence& sequence) {
    return RowIdSequence::Parse(sequence.SerializeAsString());
  };
  proto::RowIdSequence bad = EveryKind();
  bad.mutable_segments(0)->mutable_range()->set_end(9);
  EXPECT_THAT(parse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = EveryKind();
  bad.mutable_segments(1)->mutable_range_with_holes()->set_end(104);
  EXPECT_THAT(parse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = EveryKind();
  bad.mutable_segments(2)->mutable_range_with_bitmap()->set_end(~uint64_t{0});
  EXPECT_THAT(parse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = EveryKind();
  bad.mutable_segments(3)->mutable_sorted_array()->mutable_u32_array()->set_offsets("12345");
  EXPECT_THAT(parse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = EveryKind();
  bad.add_segments();
  EXPECT_THAT(parse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = EveryKind();
  for (int i = 0; i < 3; ++i) {
    auto* range = bad.add_segments()->mutable_range();
    range->set_start(1);
    range->set_end(uint64_t{1} << 62);
  }
  EXPECT_THAT(parse(bad), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(RowIdSequence::Parse("\xFF"), FailsWith(ErrorCode::kCorrupt));
}

TEST(RowIdSequenceTest, WritesRangesAsPylanceDoes) {
  // Bytes of a manifest of pylance 14.0.2: 5 rows from 0 and from 5, made in versions 1 and 2.
  EXPECT_EQ(SerializeRowIdRange(0, 5), "\x0A\x04\x0A\x02\x10\x05");
  EXPECT_EQ(SerializeRowIdRange(5, 5), "\x0A\x06\x0A\x04\x08\x05\x10\x0A");
  EXPECT_EQ(SerializeUniformVersion(5, 2), "\x0A\x08\x0A\x04\x0A\x02\x10\x05\x10\x02");
}

TEST(RowVersionsTest, ReadBackWhatTheyWrite) {
  RowVersions versions;
  versions.Append(3, 1);
  versions.Append(2, 1);
  versions.Append(0, 9);
  versions.Append(1, 7);
  const std::string bytes = versions.Serialize();
  ASSERT_OK_AND_ASSIGN(const RowVersions again, RowVersions::Parse(bytes));
  EXPECT_EQ(again.length(), 6);
  EXPECT_EQ(again.At(0), 1);
  EXPECT_EQ(again.At(4), 1);
  EXPECT_EQ(again.At(5), 7);
  EXPECT_EQ(SerializeUniformVersion(6, 7), [] {
    RowVersions uniform;
    uniform.Append(6, 7);
    return uniform.Serialize();
  }());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto cut = RowVersions::Parse(bytes.substr(0, length));
    if (cut.ok()) {
      EXPECT_LE(cut->length(), 6);
    }
  }
}

TEST(RowVersionsTest, GiveTheRowsOfOthersAsAPlainLoopDoes) {
  RowVersions other;
  for (const auto& [rows, version] : {std::pair(3, 7), {1, 2}, {4, 7}, {2, 9}}) {
    other.Append(rows, version);
  }
  for (int64_t begin = 0; begin <= 10; ++begin) {
    for (int64_t end = begin; end <= 10; ++end) {
      RowVersions part;
      part.Append(1, 7);
      part.AppendRowsOf(other, begin, end);
      ASSERT_EQ(part.length(), 1 + end - begin);
      for (int64_t row = begin; row < end; ++row) {
        EXPECT_EQ(part.At(1 + row - begin), other.At(row)) << begin << " " << end << " " << row;
      }
    }
  }
}

// Row by row it would take minutes.
TEST(RowVersionsTest, OfALargeFragmentAreStampedRunByRun) {
  Fragment fragment;
  fragment.physical_rows = int64_t{1} << 32;
  StampUpdated(3, &fragment);
  DeletedRows changed;
  ASSERT_OK(changed.Add(5, 7));
  ASSERT_OK(changed.Add((int64_t{1} << 31) + 1, (int64_t{1} << 31) + 2));
  ASSERT_OK(StampUpdatedRows(SerializeRoaringBitmap(changed), 8, &fragment));
  ASSERT_OK_AND_ASSIGN(const RowVersions versions,
                       RowVersions::Parse(fragment.last_updated_at_versions));
  EXPECT_EQ(versions.length(), fragment.physical_rows);
  for (const int64_t row : {int64_t{5}, int64_t{6}, (int64_t{1} << 31) + 1}) {
    EXPECT_EQ(versions.At(row), 8);
    EXPECT_EQ(versions.At(row == 5 ? 4 : row + 1), 3);
  }
  EXPECT_EQ(versions.At(fragment.physical_rows - 1), 3);
}

TEST(RowIdSequenceTest, IsContinuedByARange) {
  const std::string first = SerializeRowIdRange(5, 2);
  ASSERT_OK_AND_ASSIGN(const std::string both, AppendRowIdRange(first, 100, 3));
  ASSERT_OK_AND_ASSIGN(const RowIdSequence sequence, RowIdSequence::Parse(both));
  std::vector<uint64_t> ids(5);
  ASSERT_EQ(sequence.length(), 5);
  sequence.Fill(0, ids);
  EXPECT_EQ(ids, (std::vector<uint64_t>{5, 6, 100, 101, 102}));
  EXPECT_THAT(AppendRowIdRange("\xff", 1, 1), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
