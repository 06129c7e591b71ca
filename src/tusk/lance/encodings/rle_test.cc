#include "tusk/lance/encodings/rle.h"

#include <algorithm>
#include <random>
#include <vector>

#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

ValueEncoding Rle(uint64_t value_bits, uint64_t length_bits) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kRle;
  encoding.children = {ValueEncoding::Flat(value_bits), ValueEncoding::Flat(length_bits)};
  return encoding;
}

TEST(LanceRleTest, RepeatsValuesAndLeavesOutWhatRunsOver) {
  std::vector<uint8_t> out(12);
  const std::vector<uint8_t> values = {1, 10, 2, 20, 3, 30};
  ASSERT_OK(ExpandRuns(values, std::vector<uint8_t>{2, 1, 9}, 2, 6, out.data()));
  EXPECT_THAT(out, ElementsAre(1, 10, 1, 10, 2, 20, 3, 30, 3, 30, 3, 30));
}

// Runs of every length, for values of each width, against one value at a time.
TEST(LanceRleTest, RepeatsValuesOfEveryWidth) {
  std::mt19937_64 random(5);
  for (const int64_t width : {1, 2, 4, 8}) {
    for (int round = 0; round < 200; ++round) {
      const uint64_t longest = round % 2 == 0 ? 4 : 255;
      std::vector<uint8_t> lengths(1 + random() % 40);
      std::vector<uint8_t> values(lengths.size() * width);
      for (uint8_t& byte : values) byte = static_cast<uint8_t>(random());
      std::vector<uint8_t> expected;
      for (size_t run = 0; run < lengths.size(); ++run) {
        lengths[run] = static_cast<uint8_t>(1 + random() % longest);
        for (int i = 0; i < lengths[run]; ++i) {
          expected.insert(expected.end(), values.begin() + run * width,
                          values.begin() + (run + 1) * width);
        }
      }
      const auto count = static_cast<int64_t>(expected.size()) / width;
      const auto wanted = count - static_cast<int64_t>(random() % std::min<int64_t>(count, 9));
      expected.resize(wanted * width);
      std::vector<uint8_t> out(wanted * width);
      ASSERT_OK(ExpandRuns(values, lengths, width, wanted, out.data()));
      EXPECT_EQ(out, expected) << width;
      out.resize((count + 1) * width);
      EXPECT_THAT(ExpandRuns(values, lengths, width, count + 1, out.data()),
                  FailsWith(ErrorCode::kCorrupt));
    }
  }
}

TEST(LanceRleTest, RefusesRunsThatAreTooFewOrEmpty) {
  std::vector<uint8_t> out(8);
  const std::vector<uint8_t> values = {1, 2};
  using Lengths = std::vector<uint8_t>;
  EXPECT_THAT(ExpandRuns(values, Lengths{3, 4}, 1, 8, out.data()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ExpandRuns(values, Lengths{0, 8}, 1, 8, out.data()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ExpandRuns(values, Lengths{}, 1, 8, out.data()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ExpandRuns(values, Lengths{1, 1, 8}, 1, 8, out.data()),
              FailsWith(ErrorCode::kCorrupt));
}

// Against one value at a time.
TEST(LanceRleTest, FindsRunsOfEveryLength) {
  std::mt19937_64 random(6);
  for (const int64_t width : {1, 2, 4, 8}) {
    for (int round = 0; round < 300; ++round) {
      const int64_t longest = std::vector<int64_t>{1, 3, 70, 300, 3000}[random() % 5];
      const auto length = static_cast<int64_t>(random() % (round % 10 == 0 ? 20000 : 600));
      std::vector<uint8_t> values(length * width);
      std::vector<uint8_t> run_values;
      std::vector<uint8_t> run_lengths;
      for (int64_t i = 0; i < length;) {
        std::vector<uint8_t> value(width);
        // Mostly other than the one before, in any of its bytes.
        value[random() % width] = static_cast<uint8_t>(random());
        const auto run =
            std::min<int64_t>(1 + static_cast<int64_t>(random() % longest), length - i);
        for (int64_t end = i + run; i < end; ++i) {
          std::ranges::copy(value, values.begin() + i * width);
          const bool is_same = !run_lengths.empty() && run_lengths.back() < 255 &&
                               std::equal(value.begin(), value.end(), run_values.end() - width);
          if (is_same) {
            ++run_lengths.back();
          } else {
            run_values.insert(run_values.end(), value.begin(), value.end());
            run_lengths.push_back(1);
          }
        }
      }
      const auto runs = static_cast<int64_t>(run_lengths.size());
      ASSERT_EQ(CountRuns(values.data(), width * 8, length), runs) << width << ' ' << length;
      std::vector<uint8_t> found_values(runs * width);
      std::vector<uint8_t> found_lengths(runs);
      EncodeRuns(values.data(), width * 8, length, found_values.data(), found_lengths.data());
      EXPECT_EQ(found_values, run_values) << width << ' ' << length;
      EXPECT_EQ(found_lengths, run_lengths) << width << ' ' << length;
    }
  }
}

TEST(LanceRleTest, DecodesRangesAndSingleRows) {
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeRleDecoder(Rle(16, 8)));
  const std::vector<uint8_t> values = {1, 0, 2, 0, 3, 0};
  const std::vector<uint8_t> lengths = {3, 2, 1};  // 1 1 1 2 2 3
  const std::vector<std::span<const uint8_t>> buffers = {values, lengths};
  const EncodedChunk chunk{.buffers = buffers, .num_values = 6};
  const ValueShape shape = *ValueShape::Of(*arrow::int16());
  ColumnOutput range(shape, 4, arrow::default_memory_pool());
  ASSERT_OK(decoder->DecodeInto(chunk, {.begin = 2, .end = 6}, 0, &range));
  const auto* decoded = reinterpret_cast<const int16_t*>(*range.MutableValues());
  EXPECT_THAT(std::vector(decoded, decoded + 4), ElementsAre(1, 2, 2, 3));
  ColumnOutput taken(shape, 3, arrow::default_memory_pool());
  const std::vector<TakenRow> rows = {
      {.row = 100, .position = 2}, {.row = 104, .position = 1}, {.row = 105, .position = 0}};
  ASSERT_OK(decoder->GatherInto(chunk, rows, 100, &taken));
  const auto* gathered = reinterpret_cast<const int16_t*>(*taken.MutableValues());
  EXPECT_THAT(std::vector(gathered, gathered + 3), ElementsAre(3, 2, 1));
  const std::vector<TakenRow> beyond = {{.row = 106, .position = 0}};
  EXPECT_THAT(decoder->GatherInto(chunk, beyond, 100, &taken), FailsWith(ErrorCode::kCorrupt));
}

TEST(LanceRleTest, RefusesWhatIsNotCovered) {
  EXPECT_THAT(MakeRleDecoder(Rle(32, 16)), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(MakeRleDecoder(Rle(12, 8)), FailsWith(ErrorCode::kCorrupt));
  ValueEncoding packed = Rle(32, 8);
  packed.children[0].kind = ValueEncoding::Kind::kInlineBitpacking;
  EXPECT_THAT(MakeRleDecoder(packed), FailsWith(ErrorCode::kUnsupported));
  ValueEncoding empty = Rle(32, 8);
  empty.children.clear();
  EXPECT_THAT(MakeRleDecoder(empty), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
