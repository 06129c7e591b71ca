#include "tusk/lance/table/join_keys.h"

#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

std::string KeyOf(const JoinKeys& keys, int64_t row) {
  std::string key;
  keys.AppendKey(row, &key);
  return key;
}

std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_OK(builder.AppendValues(values));
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> Ints(const std::vector<int32_t>& values) {
  arrow::Int32Builder builder;
  EXPECT_OK(builder.AppendValues(values));
  return *builder.Finish();
}

TEST(JoinKeysTest, DifferIfAnyPartDiffers) {
  // Parts of one may be the parts of another in other places.
  const auto first = Texts({"a", "ab", "", "abc", std::string("\0", 1), "a"});
  const auto second = Texts({"bc", "c", "abc", "", "", "bc"});
  const auto third = Ints({1, 1, 1, 1, 1, 2});
  ASSERT_OK_AND_ASSIGN(const JoinKeys keys, JoinKeys::Make({first, second, third}, 6, {}));
  std::set<std::string> different;
  for (int64_t row = 0; row < 6; ++row) different.insert(KeyOf(keys, row));
  for (int64_t row = 0; row < 6; ++row) {
    for (int64_t other = 0; other < 6; ++other) {
      EXPECT_EQ(keys.IsKey(row, KeyOf(keys, other)), row == other) << row << " " << other;
    }
  }
  EXPECT_EQ(different.size(), 6);
  ASSERT_OK_AND_ASSIGN(const JoinKeys slice,
                       JoinKeys::Make({first->Slice(2), second->Slice(2), third->Slice(2)}, 4, {}));
  for (int64_t row = 0; row < 4; ++row) EXPECT_EQ(KeyOf(slice, row), KeyOf(keys, row + 2));
}

TEST(JoinKeysTest, AreTheValuesWhateverTheFormOfTheArray) {
  const auto texts = Texts({"x", "yy", "x", ""});
  ASSERT_OK_AND_ASSIGN(const JoinKeys plain, JoinKeys::Make({texts}, 4, {}));
  arrow::StringViewBuilder view_builder;
  for (const char* text : {"x", "yy", "x", ""}) EXPECT_OK(view_builder.Append(text));
  const auto indices = Ints({0, 1, 0, 2});
  const arrow::ArrayVector others = {
      *view_builder.Finish(),
      *arrow::DictionaryArray::FromArrays(indices, Texts({"x", "yy", ""})),
  };
  for (const auto& other : others) {
    ASSERT_OK_AND_ASSIGN(const JoinKeys keys, JoinKeys::Make({other}, 4, {}));
    for (int64_t row = 0; row < 4; ++row) {
      EXPECT_EQ(KeyOf(keys, row), KeyOf(plain, row));
      EXPECT_EQ(keys.hash(row), plain.hash(row));
    }
  }
}

TEST(JoinKeysTest, AreOfBitsAndKnowTheirNulls) {
  arrow::DoubleBuilder doubles;
  EXPECT_OK(doubles.AppendValues({0.0, -0.0, std::nan(""), std::nan(""), 1.5}));
  EXPECT_OK(doubles.AppendNull());
  arrow::BooleanBuilder flags;
  EXPECT_OK(flags.AppendValues(std::vector<bool>{true, true, true, true, false, true}));
  ASSERT_OK_AND_ASSIGN(const JoinKeys keys,
                       JoinKeys::Make({*doubles.Finish(), *flags.Finish()}, 6, {}));
  EXPECT_NE(KeyOf(keys, 0), KeyOf(keys, 1));
  EXPECT_EQ(KeyOf(keys, 2), KeyOf(keys, 3));
  EXPECT_FALSE(keys.has_null(4));
  EXPECT_TRUE(keys.has_null(5));
}

TEST(JoinKeysTest, AreTheValuesInsideOfNestedColumns) {
  const auto type = arrow::struct_(
      {arrow::field("a", arrow::int32()), arrow::field("l", arrow::list(arrow::utf8()))});
  const auto column = arrow::json::ArrayFromJSONString(type, R"([
      {"a": 1, "l": ["x", "yz"]}, {"a": 1, "l": ["xy", "z"]}, {"a": 1, "l": ["x", "yz", ""]},
      {"a": null, "l": ["x", "yz"]}, {"a": 1, "l": null}, {"a": 1, "l": []}, {"a": 1, "l": [null]},
      null, {"a": 1, "l": ["x", "yz"]}, {"a": null, "l": null}])");
  ASSERT_OK(column.status());
  ASSERT_OK_AND_ASSIGN(const JoinKeys keys, JoinKeys::Make({*column}, 10, {}));
  std::set<std::string> different;
  for (int64_t row = 0; row < 10; ++row) {
    EXPECT_EQ(keys.has_null(row), row == 7);
    if (row != 7) different.insert(KeyOf(keys, row));
  }
  EXPECT_EQ(different.size(), 8);
  EXPECT_EQ(KeyOf(keys, 0), KeyOf(keys, 8));
  ASSERT_OK_AND_ASSIGN(const JoinKeys slice, JoinKeys::Make({(*column)->Slice(3)}, 7, {}));
  for (int64_t row = 0; row < 7; ++row) {
    EXPECT_EQ(slice.has_null(row), keys.has_null(row + 3));
    if (row == 4) continue;
    EXPECT_EQ(KeyOf(slice, row), KeyOf(keys, row + 3));
  }
  const auto vectors = arrow::json::ArrayFromJSONString(arrow::fixed_size_list(arrow::float32(), 2),
                                                        "[[1, 2], [2, 1], [1, 2], [1, null]]");
  ASSERT_OK_AND_ASSIGN(const JoinKeys of_vectors, JoinKeys::Make({*vectors}, 4, {}));
  EXPECT_EQ(KeyOf(of_vectors, 0), KeyOf(of_vectors, 2));
  EXPECT_NE(KeyOf(of_vectors, 0), KeyOf(of_vectors, 1));
  EXPECT_NE(KeyOf(of_vectors, 0), KeyOf(of_vectors, 3));
}

TEST(JoinKeysTest, AreNoneOfTypesWithoutEquality) {
  EXPECT_OK(JoinKeys::CheckType(*arrow::field("a", arrow::decimal256(50, 2))));
  EXPECT_OK(
      JoinKeys::CheckType(*arrow::field("a", arrow::dictionary(arrow::int8(), arrow::utf8()))));
  EXPECT_OK(JoinKeys::CheckType(*arrow::field("a", arrow::list(arrow::int8()))));
  for (const auto& type : {arrow::map(arrow::utf8(), arrow::int8()), arrow::struct_({}),
                           arrow::list(arrow::map(arrow::utf8(), arrow::int8()))}) {
    EXPECT_THAT(JoinKeys::CheckType(*arrow::field("a", type)), FailsWith(ErrorCode::kUnsupported));
  }
}

TEST(JoinKeyTableTest, FindsEveryRowOfAKeyInOrder) {
  std::vector<int32_t> numbers;
  std::vector<std::string> texts;
  for (int32_t row = 0; row < 5000; ++row) {
    numbers.push_back(row % 1700);
    texts.push_back("key " + std::to_string(row % 1700));
  }
  for (const auto& column : {Ints(numbers), Texts(texts)}) {
    ASSERT_OK_AND_ASSIGN(const JoinKeys keys, JoinKeys::Make({column}, 5000, {}));
    const bool is_number = column->type_id() == arrow::Type::INT32;
    EXPECT_EQ(JoinKeys::IsHashTheKey({arrow::field("k", column->type())}), is_number);
    JoinKeyTable table(is_number, arrow::default_memory_pool());
    // Every third key is not there.
    for (int64_t row = 0; row < 5000; ++row) {
      if (row % 1700 % 3 == 0) continue;
      ASSERT_OK(table.Add(keys, row, row + 7));
    }
    ASSERT_OK(table.Finish());
    int64_t false_alarms = 0;
    std::map<int32_t, std::vector<int64_t>> found_by_key;
    for (int64_t key = 0; key < 1700; ++key) {
      std::vector<int64_t> expected;
      for (int64_t row = key; row < 5000 && key % 3 != 0; row += 1700) expected.push_back(row + 7);
      std::vector<int64_t> found;
      table.Find(keys, key, [&](int64_t row) { found.push_back(row); });
      EXPECT_EQ(found, expected);
      found_by_key[static_cast<int32_t>(key)] = expected;
      if (table.MayHave(keys.hash(key))) {
        false_alarms += key % 3 == 0 ? 1 : 0;
      } else {
        EXPECT_EQ(key % 3, 0);
      }
    }
    EXPECT_LT(false_alarms, 20);  // of 567
    std::vector<int32_t> asked(1700);
    std::iota(asked.begin(), asked.end(), 0);
    std::map<int32_t, std::vector<int64_t>> found_at_once;
    for (const int32_t key : asked) found_at_once[key];
    table.FindAll(keys, asked,
                  [&](int32_t key, int64_t row) { found_at_once[key].push_back(row); });
    EXPECT_EQ(found_at_once, found_by_key);
  }
}

}  // namespace
}  // namespace tusk::lance
