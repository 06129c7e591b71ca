#include "tusk/lance/encodings/column_output.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

/// Rows that are written to an output and what is expected of it.
class LanceColumnOutputTest : public testing::TestWithParam<int> {
 protected:
  LanceColumnOutputTest()
      : type_(GetParam() == 32 ? arrow::binary() : arrow::large_binary()),
        shape_(*ValueShape::Of(*type_)) {}

  ColumnOutput Make(int64_t num_rows) {
    expected_.assign(num_rows, "");
    return {shape_, num_rows, arrow::default_memory_pool()};
  }

  /// As a decoder that writes rows one behind the other; `size` is what it reserves at the most.
  Status Append(int64_t position, const std::vector<std::string>& rows, ColumnOutput* out,
                int64_t unused = 0) {
    int64_t size = 0;
    for (const std::string& row : rows) size += static_cast<int64_t>(row.size());
    ARROW_ASSIGN_OR_RAISE(const auto room, out->MakeRoom(position, size + unused));
    int64_t at = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].empty()) std::memcpy(room.bytes + at, rows[i].data(), rows[i].size());
      at += static_cast<int64_t>(rows[i].size());
      const int64_t end = room.begin + at;
      std::memcpy(room.ends + i * (shape_.bits / 8), &end, shape_.bits / 8);
      expected_[position + i] = rows[i];
    }
    return out->Append(static_cast<int64_t>(rows.size()), size);
  }

  /// As a decoder that tells where rows lie.
  Status AddRun(int64_t position, const std::string& row, ColumnOutput* out) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
    const uint64_t length = row.size();
    std::memcpy(lengths + (position + 1) * (shape_.bits / 8), &length, shape_.bits / 8);
    auto bytes = arrow::Buffer::FromString(row);
    out->AddRun(position, 1, bytes->data());
    out->Keep(std::move(bytes));
    expected_[position] = row;
    return Status::OK();
  }

  void ExpectRows(ColumnOutput* out) {
    ASSERT_OK_AND_ASSIGN(const auto data, out->Finish(type_));
    const auto array = arrow::MakeArray(data);
    ASSERT_OK(array->ValidateFull());
    ASSERT_EQ(array->length(), static_cast<int64_t>(expected_.size()));
    for (int64_t i = 0; i < array->length(); ++i) {
      EXPECT_EQ(GetParam() == 32 ? static_cast<const arrow::BinaryArray&>(*array).GetView(i)
                                 : static_cast<const arrow::LargeBinaryArray&>(*array).GetView(i),
                expected_[i])
          << i;
    }
  }

  std::shared_ptr<arrow::DataType> type_;
  ValueShape shape_;
  std::vector<std::string> expected_;
};

TEST_P(LanceColumnOutputTest, AppendsRowsInOrder) {
  ColumnOutput out = Make(5);
  ASSERT_OK(Append(0, {"one", "", "three"}, &out, /*unused=*/100));
  EXPECT_FALSE(out.has_runs());
  ASSERT_OK(Append(3, {"four", "five"}, &out));
  EXPECT_FALSE(out.has_runs());
  ExpectRows(&out);
}

TEST_P(LanceColumnOutputTest, LeavesRowsEmptyThatNobodyWrites) {
  ColumnOutput none = Make(3);
  ExpectRows(&none);
  ColumnOutput no_rows = Make(0);
  ExpectRows(&no_rows);
  ColumnOutput out = Make(9);
  ASSERT_OK(Append(2, {"a", "b"}, &out));
  ASSERT_OK(Append(6, {"c"}, &out));
  ExpectRows(&out);
}

TEST_P(LanceColumnOutputTest, TakesRowsBeforeThoseThatWereAppended) {
  ColumnOutput out = Make(8);
  ASSERT_OK(Append(3, {"d", "", "ff"}, &out));
  ASSERT_OK(Append(1, {"bb", "ccc"}, &out, /*unused=*/50));
  EXPECT_TRUE(out.has_runs());
  ASSERT_OK(Append(6, {"g"}, &out));
  ASSERT_OK(Append(0, {"aaaa"}, &out));
  ExpectRows(&out);
}

TEST_P(LanceColumnOutputTest, MixesRowsThatAreAppendedWithRuns) {
  ColumnOutput out = Make(8);
  ASSERT_OK(Append(1, {"b", "cc"}, &out));
  ASSERT_OK(AddRun(5, "run", &out));
  ASSERT_OK(Append(3, {"ddd", ""}, &out));
  ASSERT_OK(Append(6, {"g", "h"}, &out));
  ASSERT_OK(AddRun(0, "first", &out));
  ExpectRows(&out);
  ColumnOutput other = Make(4);
  ASSERT_OK(AddRun(1, "run", &other));
  ASSERT_OK(Append(2, {"x", "y"}, &other));
  ASSERT_OK(Append(0, {"w"}, &other));
  ExpectRows(&other);
}

// Pieces of any size in any order, in either way.
TEST_P(LanceColumnOutputTest, TakesPiecesInAnyOrder) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const auto num_rows = static_cast<int64_t>(random() % 60);
    ColumnOutput out = Make(num_rows);
    std::vector<std::pair<int64_t, int64_t>> pieces;
    for (int64_t row = 0; row < num_rows;) {
      const int64_t end = std::min<int64_t>(num_rows, row + 1 + random() % 9);
      if (random() % 5 != 0) pieces.emplace_back(row, end);
      row = end;
    }
    if (round % 2 == 1) std::ranges::shuffle(pieces, random);
    for (const auto& [begin, end] : pieces) {
      std::vector<std::string> rows(end - begin);
      for (std::string& row : rows) row = std::string(random() % 50, static_cast<char>(random()));
      if (round % 4 >= 2 && random() % 4 == 0) {
        for (int64_t row = begin; row < end; ++row) ASSERT_OK(AddRun(row, rows[row - begin], &out));
      } else {
        ASSERT_OK(Append(begin, rows, &out, random() % 200));
      }
    }
    ExpectRows(&out);
  }
}

TEST_P(LanceColumnOutputTest, HoldsLittleMoreThanItsRows) {
  constexpr int64_t kRows = 4096;
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  std::optional<ColumnOutput> out(std::in_place, shape_, kRows, &pool);
  expected_.assign(kRows, "");
  for (int64_t row = 0; row < kRows; row += 64) {
    ASSERT_OK(Append(row, std::vector<std::string>(64, std::string(100 + row % 50, 'x')), &*out,
                     /*unused=*/20000));
  }
  ASSERT_OK_AND_ASSIGN(const auto data, out->Finish(type_));
  const int64_t used = data->buffers[1]->size() + data->buffers[2]->size();
  EXPECT_LT(pool.bytes_allocated(), used * 1.2);
  EXPECT_LT(pool.max_memory(), used * 2);
}

// A row of 1 MiB at the front of a million rows must not take a tebibyte.
TEST_P(LanceColumnOutputTest, ReservesNoMoreThanTheBytesJustify) {
  constexpr int64_t kSize = 1 << 20;
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  ColumnOutput out(shape_, kSize, &pool);
  expected_.assign(2, "");
  ASSERT_OK(Append(0, {std::string(kSize, 'x')}, &out));
  ASSERT_OK(Append(1, {"y"}, &out));
  EXPECT_LT(pool.max_memory(), 40 * kSize);
}

INSTANTIATE_TEST_SUITE_P(OffsetBits, LanceColumnOutputTest, testing::Values(32, 64));

TEST(LanceColumnOutputLimitsTest, RefusesMoreThan32BitOffsetsCanTell) {
  ColumnOutput out(*ValueShape::Of(*arrow::binary()), 10, arrow::default_memory_pool());
  ASSERT_OK_AND_ASSIGN(const auto room, out.MakeRoom(0, 64));
  std::memset(room.ends, 0, 4);
  ASSERT_OK(out.Append(1, 64));
  // The bytes need not be there to be refused.
  EXPECT_THAT(out.Append(1, (int64_t{1} << 31) - 64), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lance
