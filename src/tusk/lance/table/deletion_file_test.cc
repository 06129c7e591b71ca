#include "tusk/lance/table/deletion_file.h"

#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

std::string Corpus(const std::string& name) {
  std::ifstream file(TUSK_CORPUS_DIR "/lance_table/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A table with one deletion file, in memory.
class DeletionFileTest : public testing::Test {
 protected:
  Result<DeletedRows> Read(std::string_view bytes, const Fragment& fragment) {
    const std::string name = fragment.deletion_file->type == DeletionFile::Type::kArrow
                                 ? "t/_deletions/3-5-77.arrow"
                                 : "t/_deletions/3-5-77.bin";
    ARROW_RETURN_NOT_OK(table_.store->Put(name, bytes, context_));
    return ReadDeletedRows(table_, fragment, context_);
  }

  io::StorePath table_{.store = io::MakeMemoryStore(), .path = "t"};
  OperationContext context_;
};

Fragment With(DeletionFile::Type type, uint64_t deleted, int64_t rows) {
  Fragment fragment;
  fragment.id = 3;
  fragment.physical_rows = rows;
  fragment.deletion_file.emplace();
  fragment.deletion_file->type = type;
  fragment.deletion_file->read_version = 5;
  fragment.deletion_file->id = 77;
  fragment.deletion_file->num_deleted_rows = deleted;
  return fragment;
}

std::set<int64_t> Offsets(const DeletedRows& rows) {
  std::set<int64_t> offsets;
  for (const DeletedRows::Run& run : rows.runs()) {
    for (int64_t offset = run.begin; offset < run.end; ++offset) offsets.insert(offset);
  }
  return offsets;
}

// Of 20,000 rows pylance 14.0.2 deleted every 7th (an Arrow file), and then those below 10,000 and
// every third from there on (a Roaring bitmap).
std::set<int64_t> EverySeventh() {
  std::set<int64_t> offsets;
  for (int64_t i = 0; i < 20'000; i += 7) offsets.insert(i);
  return offsets;
}
std::set<int64_t> ThenMore() {
  std::set<int64_t> offsets = EverySeventh();
  for (int64_t i = 0; i < 20'000; ++i) {
    if (i < 10'000 || i % 3 == 0) offsets.insert(i);
  }
  return offsets;
}

TEST_F(DeletionFileTest, ReadsTheArrowFileOfPylance) {
  const auto expected = EverySeventh();
  const std::string bytes = Corpus("pylance_deletions.arrow");
  const Fragment fragment = With(DeletionFile::Type::kArrow, expected.size(), 20'000);
  ASSERT_OK_AND_ASSIGN(const DeletedRows rows, Read(bytes, fragment));
  EXPECT_EQ(Offsets(rows), expected);
  EXPECT_EQ(rows.count(), std::ssize(expected));
}

TEST_F(DeletionFileTest, ReadsTheBitmapOfPylance) {
  const auto expected = ThenMore();
  const std::string bytes = Corpus("pylance_deletions.bin");
  const Fragment fragment = With(DeletionFile::Type::kBitmap, expected.size(), 20'000);
  ASSERT_OK_AND_ASSIGN(const DeletedRows rows, Read(bytes, fragment));
  EXPECT_EQ(Offsets(rows), expected);
}

TEST_F(DeletionFileTest, RefusesWhatDoesNotFitTheFragment) {
  const std::string arrow = Corpus("pylance_deletions.arrow");
  const std::string bitmap = Corpus("pylance_deletions.bin");
  const uint64_t in_arrow = EverySeventh().size();
  const uint64_t in_bitmap = ThenMore().size();
  using Type = DeletionFile::Type;
  EXPECT_THAT(Read(arrow, With(Type::kArrow, in_arrow + 1, 20'000)),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Read(arrow, With(Type::kArrow, in_arrow, 19'999)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Read(bitmap, With(Type::kBitmap, in_bitmap, 19'998)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Read(bitmap, With(Type::kArrow, in_bitmap, 20'000)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Read(arrow, With(Type::kBitmap, in_arrow, 20'000)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Read(arrow, With(Type::kArrow, 0, 20'000)), FailsWith(ErrorCode::kUnsupported));
}

TEST_F(DeletionFileTest, RefusesEveryTruncationOfABitmap) {
  const std::string bytes = Corpus("pylance_deletions.bin");
  ASSERT_GT(bytes.size(), 1000);
  for (size_t length = 0; length < bytes.size(); length += length < 64 ? 1 : 37) {
    EXPECT_THAT(ParseRoaringBitmap(std::string_view(bytes).substr(0, length)),
                FailsWith(ErrorCode::kCorrupt))
        << length;
  }
}

TEST_F(DeletionFileTest, RefusesEveryTruncationOfAnArrowFile) {
  const std::string bytes = Corpus("pylance_deletions.arrow");
  const Fragment fragment = With(DeletionFile::Type::kArrow, EverySeventh().size(), 20'000);
  ASSERT_OK(Read(bytes, fragment).status());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto rows = Read(bytes.substr(0, length), fragment);
    EXPECT_THAT(rows, FailsWith(ErrorCode::kCorrupt)) << length << ": " << rows.status().message();
    EXPECT_THAT(rows.status().message(), testing::HasSubstr("t/_deletions/3-5-77.arrow"));
  }
}

TEST_F(DeletionFileTest, SurvivesRandomDamage) {
  std::mt19937 random(11);
  const auto count = std::ssize(EverySeventh());
  for (const auto& [name, type] :
       {std::pair("pylance_deletions.arrow", DeletionFile::Type::kArrow),
        std::pair("pylance_deletions.bin", DeletionFile::Type::kBitmap)}) {
    const std::string bytes = Corpus(name);
    for (int round = 0; round < 1000; ++round) {
      std::string damaged = bytes;
      for (int flips = 0; flips < 3; ++flips) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      }
      const auto rows = Read(damaged, With(type, count, 20'000));
      if (rows.ok()) {
        EXPECT_EQ(rows->count(), count);
      } else {
        EXPECT_THAT(
            GetErrorCode(rows.status()),
            testing::AnyOf(ErrorCode::kCorrupt, ErrorCode::kUnsupported, ErrorCode::kOutOfBudget))
            << rows.status().ToString();
      }
    }
  }
}

TEST(RoaringBitmapTest, ReadsEveryKindOfContainer) {
  // By hand from the specification: 2 containers, the second one of runs. Key 0 holds 1 and 5,
  // key 2 holds 10 to 12 and 20.
  const std::string_view bytes(
      "\x3B\x30\x01\x00"                           // runs, 2 containers
      "\x02"                                       // the second is of runs
      "\x00\x00\x01\x00"                           // key 0, 2 values
      "\x02\x00\x03\x00"                           // key 2, 4 values
      "\x01\x00\x05\x00"                           // an array
      "\x02\x00\x0A\x00\x02\x00\x14\x00\x00\x00",  // 2 runs
      27);
  ASSERT_OK_AND_ASSIGN(const DeletedRows rows, ParseRoaringBitmap(bytes));
  EXPECT_EQ(Offsets(rows), (std::set<int64_t>{1, 5, 131'082, 131'083, 131'084, 131'092}));
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(ParseRoaringBitmap(bytes.substr(0, length)), FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(DeletedRowsTest, CountsAroundTheDeletedLikeAPlainLoop) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    DeletedRows deleted;
    std::vector<int64_t> others;
    const uint32_t share = 1 + random() % 9;
    for (int64_t offset = 0; offset < 200; ++offset) {
      if (random() % 10 < share) {
        ASSERT_OK(deleted.Add(offset, offset + 1));
      } else {
        others.push_back(offset);
      }
    }
    for (size_t row = 0; row < others.size(); ++row) {
      EXPECT_EQ(deleted.OffsetOf(static_cast<int64_t>(row)), others[row]);
      EXPECT_EQ(deleted.RowOf(others[row]), static_cast<int64_t>(row));
    }
    for (int64_t begin = 0; begin <= 200; begin += 13) {
      for (int64_t end = begin; end <= 200; end += 7) {
        std::vector<int64_t> expected;
        for (const int64_t other : others) {
          if (other >= begin && other < end) expected.push_back(other);
        }
        EXPECT_EQ(deleted.OthersIn(begin, end), expected);
      }
    }
  }
}

TEST(DeletedRowsTest, DifferenceIsWhatAPlainLoopFinds) {
  // Every pair of sets of five offsets.
  const auto rows_of = [](int bits) {
    DeletedRows rows;
    for (int64_t i = 0; i < 5; ++i) {
      if ((bits >> i & 1) == 0) continue;
      EXPECT_OK(rows.Add(i, i + 1));
    }
    return rows;
  };
  for (int a = 0; a < 32; ++a) {
    for (int b = 0; b < 32; ++b) {
      ASSERT_OK_AND_ASSIGN(const DeletedRows rest, Difference(rows_of(a), rows_of(b)));
      for (int64_t i = 0; i < 5; ++i) {
        EXPECT_EQ(rest.Contains(i), (a >> i & 1) != 0 && (b >> i & 1) == 0);
      }
    }
  }
}

}  // namespace
}  // namespace tusk::lance
