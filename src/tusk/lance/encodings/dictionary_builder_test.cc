#include "tusk/lance/encodings/dictionary_builder.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"
#include "tusk/testing/random_arrays.h"

namespace tusk::lance {
namespace {

std::string ValueAt(const RowsView& rows, int64_t row) {
  const char* values = reinterpret_cast<const char*>(rows.values);
  if (rows.shape->is_variable) {
    return {values + rows.Offset(row), static_cast<size_t>(rows.Length(row))};
  }
  const int64_t width = rows.shape->row_bits() / 8;
  return {values + rows.values_bit / 8 + row * width, static_cast<size_t>(width)};
}

/// The dictionary that a map makes.
struct PlainDictionary {
  explicit PlainDictionary(const RowsView& rows) {
    std::map<std::string, uint32_t> known;
    uint32_t last = 0;
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      if (!rows.IsNull(row)) {
        const std::string value = ValueAt(rows, row);
        const auto [it, is_new] = known.try_emplace(value, items.size());
        if (is_new) items.push_back(value);
        last = it->second;
      }
      indices.push_back(last);
    }
  }
  std::vector<std::string> items;
  std::vector<uint32_t> indices;
};

void ExpectBuilt(const RowsView& rows, const DictionaryLimits& limits = {}) {
  ASSERT_OK_AND_ASSIGN(const auto built,
                       BuildDictionary(rows, limits, arrow::default_memory_pool()));
  ASSERT_TRUE(built.has_value());
  const PlainDictionary plain(rows);
  ASSERT_EQ(built->items.num_rows, static_cast<int64_t>(plain.items.size()));
  EXPECT_EQ(built->items.validity, nullptr);
  for (size_t i = 0; i < plain.items.size(); ++i) {
    ASSERT_EQ(ValueAt(built->items, static_cast<int64_t>(i)), plain.items[i]) << i;
  }
  ASSERT_EQ(built->indices->size(), rows.num_rows * 4);
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    const auto index = LoadLittle<uint32_t>(built->indices->data() + row * 4);
    ASSERT_EQ(index, plain.indices[row]) << row;
  }
}

bool IsBuilt(const RowsView& rows, const DictionaryLimits& limits = {}) {
  const auto built = BuildDictionary(rows, limits, arrow::default_memory_pool());
  EXPECT_OK(built);
  return built->has_value();
}

/// Rows of an array, which ends where its buffers do.
class Rows {
 public:
  explicit Rows(std::shared_ptr<arrow::Array> array)
      : array_(std::move(array)), shape_(*ValueShape::Of(*array_->type())) {}

  RowsView view() const { return *RowsView::Of(*array_->data(), shape_); }
  const arrow::Array& array() const { return *array_; }

 private:
  std::shared_ptr<arrow::Array> array_;
  ValueShape shape_;
};

/// Rows of `items`, in any order.
Rows Picks(const std::shared_ptr<arrow::Array>& items, int64_t num_rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto builder = arrow::MakeBuilder(items->type()).ValueOrDie();
  for (int64_t row = 0; row < num_rows; ++row) {
    const auto item = static_cast<int64_t>(random() % items->length());
    const Status status = builder->AppendArraySlice(*items->data(), item, 1);
    if (!status.ok()) status.Abort();
  }
  return Rows(builder->Finish().ValueOrDie());
}

Rows PicksOf(const std::shared_ptr<arrow::DataType>& type, int64_t num_items, int64_t num_rows,
             double null_fraction = 0) {
  std::mt19937_64 random(num_items);
  return Picks(
      RandomArray(type, num_items, {.null_fraction = null_fraction, .max_length = 40}, &random),
      num_rows, num_items);
}

Rows Texts(const std::vector<std::string>& texts) {
  arrow::StringBuilder builder;
  for (const std::string& text : texts) {
    const Status status = builder.Append(text);
    if (!status.ok()) status.Abort();
  }
  return Rows(builder.Finish().ValueOrDie());
}

class DictionaryBuilderTest : public testing::TestWithParam<std::shared_ptr<arrow::DataType>> {};

TEST_P(DictionaryBuilderTest, NumbersValuesAsTheyComeFirst) {
  for (const int64_t num_items : {1, 5, 300, 4000}) {
    ExpectBuilt(PicksOf(GetParam(), num_items, 3 * num_items + 20'000).view());
  }
}

TEST_P(DictionaryBuilderTest, GivesNullsTheIndexOfTheRowBefore) {
  const Rows rows = PicksOf(GetParam(), 50, 3000, 0.3);
  ASSERT_GT(rows.array().null_count(), 0);
  ExpectBuilt(rows.view());
  ExpectBuilt(rows.view().Slice({.begin = 13, .end = 2950}));
}

INSTANTIATE_TEST_SUITE_P(Types, DictionaryBuilderTest,
                         testing::Values(arrow::utf8(), arrow::large_binary(), arrow::int64(),
                                         arrow::fixed_size_binary(16),
                                         arrow::fixed_size_list(arrow::float32(), 3),
                                         arrow::fixed_size_list(arrow::float64(), 3)),
                         [](const auto& info) {
                           std::string name = info.param->ToString();
                           std::erase_if(
                               name, [](unsigned char byte) { return std::isalnum(byte) == 0; });
                           return name + std::to_string(info.index);
                         });

TEST(TextDictionaryTest, TellsTextsOfAllLengthsApart) {
  std::vector<std::string> texts;
  for (int round = 0; round < 5; ++round) {
    for (size_t length = 0; length <= 70; ++length) {
      const std::string zeros(length, '\0');
      texts.push_back(zeros);
      for (size_t at = 0; at < length; at += 3) {
        texts.push_back(zeros);
        texts.back()[at] = 'x';
      }
    }
  }
  ExpectBuilt(Texts(texts).view());
  for (int64_t end = 2800; end < 2840; ++end) {
    ExpectBuilt(Texts(texts).view().Slice({.begin = 100, .end = end}));
  }
}

TEST(TextDictionaryTest, BuildsNothingOfNulls) {
  ASSERT_OK_AND_ASSIGN(const auto nulls, arrow::MakeArrayOfNull(arrow::utf8(), 20'000));
  EXPECT_FALSE(IsBuilt(Rows(nulls).view()));
  EXPECT_FALSE(IsBuilt(Rows(nulls->Slice(0, 200)).view()));
}

TEST(DictionaryLimitsTest, HoldAtTheirEdges) {
  const std::string item(30, 'i');
  EXPECT_TRUE(IsBuilt(Texts(std::vector<std::string>(100, item)).view()));
  EXPECT_FALSE(IsBuilt(Texts(std::vector<std::string>(99, item)).view()));

  std::vector<std::string> halves;
  halves.reserve(100);
  for (int i = 0; i < 100; ++i) halves.push_back(item + std::to_string(i / 2 + 10));
  EXPECT_TRUE(IsBuilt(Texts(halves).view()));
  EXPECT_FALSE(IsBuilt(Texts(halves).view(), {.divisor = 3}));
  EXPECT_FALSE(IsBuilt(Texts(halves).view(), {.max_items = 49}));
  EXPECT_TRUE(IsBuilt(Texts(halves).view(), {.max_items = 50}));
  // 50 items of 32 bytes.
  EXPECT_TRUE(IsBuilt(Texts(halves).view(), {.max_item_bytes = 1600}));
  EXPECT_FALSE(IsBuilt(Texts(halves).view(), {.max_item_bytes = 1599}));
  // With 51 offsets and 100 indices they take 2,204 bytes; the texts 3,200 and 404 of offsets.
  EXPECT_TRUE(IsBuilt(Texts(halves).view(), {.max_size_ratio = 2204.5 / 3604}));
  EXPECT_FALSE(IsBuilt(Texts(halves).view(), {.max_size_ratio = 2203.5 / 3604}));
}

TEST(DictionaryLimitsTest, LeaveShortValuesAlone) {
  EXPECT_FALSE(IsBuilt(PicksOf(arrow::int32(), 3, 1000).view()));
  EXPECT_FALSE(IsBuilt(PicksOf(arrow::boolean(), 2, 1000).view()));
  EXPECT_TRUE(IsBuilt(PicksOf(arrow::int64(), 3, 1000).view()));
}

// Each of these has 100,000 rows: the limit is 50,000 items.
TEST(DictionarySampleTest, JudgesRowsBeforeTheyAreIndexed) {
  constexpr int64_t kRows = 100'000;
  const auto text = [](int64_t i) { return "item number " + std::to_string(10'000'000 + i); };
  std::mt19937_64 random(3);
  std::vector<std::string> all(kRows);
  std::vector<std::string> sorted(kRows);
  std::vector<std::string> twice(kRows);
  std::vector<std::string> skewed(kRows);
  for (int64_t i = 0; i < kRows; ++i) {
    all[i] = text(i);
    sorted[i] = text(i / 20);
    twice[i] = text(static_cast<int64_t>(random() % 70'000));
    skewed[i] = text(random() % 4 == 0 ? i : 0);
  }
  EXPECT_FALSE(IsBuilt(Texts(all).view()));
  EXPECT_FALSE(IsBuilt(Texts(twice).view()));
  ExpectBuilt(Texts(sorted).view());
  ExpectBuilt(Texts(skewed).view());
}

}  // namespace
}  // namespace tusk::lance
