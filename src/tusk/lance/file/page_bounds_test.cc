#include "tusk/lance/file/page_bounds.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

std::shared_ptr<arrow::Array> Values(const std::shared_ptr<arrow::DataType>& type,
                                     std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

PageSummary Summarize(const arrow::Array& values) {
  PageSummary summary;
  summary.num_nulls = values.null_count();
  EXPECT_TRUE(FindBounds(*values.data(), arrow::default_memory_pool(), &summary).ok());
  return summary;
}

/// What a reader learns of the values: their bounds as text.
struct Bounds {
  std::string least;
  std::string greatest;
  bool operator==(const Bounds&) const = default;
};

Bounds BoundsOf(const arrow::Array& values) {
  const auto range = RangeOf(Summarize(values), values.length(), values.type()).ValueOrDie();
  const auto text = [](const std::shared_ptr<arrow::Scalar>& scalar) {
    return scalar == nullptr ? "?" : scalar->ToString();
  };
  return {.least = text(range.least), .greatest = text(range.greatest)};
}

TEST(PageBoundsTest, AreTheLeastAndTheGreatestOfWhatIsNotNull) {
  const auto of = [](const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
    return BoundsOf(*Values(type, json));
  };
  EXPECT_EQ(of(arrow::int8(), "[3, null, -7, 5]"), (Bounds{"-7", "5"}));
  EXPECT_EQ(of(arrow::uint64(), "[18446744073709551615, 1]"),
            (Bounds{"1", "18446744073709551615"}));
  EXPECT_EQ(of(arrow::float32(), "[1.5, -2.5, null]"), (Bounds{"-2.5", "1.5"}));
  EXPECT_EQ(of(arrow::boolean(), "[true, null]"), (Bounds{"true", "true"}));
  EXPECT_EQ(of(arrow::boolean(), "[true, false]"), (Bounds{"false", "true"}));
  EXPECT_EQ(of(arrow::decimal128(10, 2), R"(["1.50", "-3.25"])"), (Bounds{"-3.25", "1.50"}));
  EXPECT_EQ(of(arrow::decimal256(50, 0), R"(["7", "-8"])"), (Bounds{"-8", "7"}));
  EXPECT_EQ(of(arrow::date32(), "[10, 2]"), (Bounds{"1970-01-03", "1970-01-11"}));
  EXPECT_EQ(of(arrow::utf8(), R"(["b", "", "aé", null])"), (Bounds{"", "b"}));
  EXPECT_EQ(of(arrow::large_binary(), R"(["b", "ab"])"), (Bounds{"ab", "b"}));
}

TEST(PageBoundsTest, OfEmptyTextsNeedNoBuffer) {
  auto data = Values(arrow::utf8(), R"(["", ""])")->data()->Copy();
  data->buffers[2] = nullptr;
  PageSummary summary;
  ASSERT_OK(FindBounds(*data, arrow::default_memory_pool(), &summary));
  EXPECT_EQ(summary.least, "");
  EXPECT_EQ(summary.greatest, "");
}

TEST(PageBoundsTest, OfTextsAreThoseOfAPlainComparison) {
  std::mt19937 random(7);
  const auto draw = [&](int below) { return static_cast<int>(random() % below); };
  for (int round = 0; round < 2000; ++round) {
    arrow::BinaryBuilder builder;
    std::vector<std::string> values;
    const int prefix = draw(10);
    for (int i = draw(6); i >= 0; --i) {
      std::string value(prefix, 'p');
      for (int j = draw(12); j > 0; --j)
        value.push_back(std::string_view("\0a\x7F\xFF", 4)[draw(4)]);
      ASSERT_OK(builder.Append(value));
      values.push_back(std::move(value));
    }
    const auto array = builder.Finish().ValueOrDie();
    const PageSummary summary = Summarize(*array);
    EXPECT_EQ(summary.least, *std::ranges::min_element(values));
    EXPECT_EQ(summary.greatest, *std::ranges::max_element(values));
  }
}

TEST(PageBoundsTest, AreNotKnownWithoutAnOrderAValueOrWithNan) {
  const Bounds unknown{"?", "?"};
  EXPECT_EQ(BoundsOf(*Values(arrow::int32(), "[null, null]")), unknown);
  EXPECT_EQ(BoundsOf(*Values(arrow::int32(), "[]")), unknown);
  EXPECT_EQ(BoundsOf(*Values(arrow::float64(), "[1.5, NaN]")), unknown);
  EXPECT_EQ(BoundsOf(*Values(arrow::fixed_size_binary(2), R"(["ab"])")), unknown);
  EXPECT_EQ(BoundsOf(*Values(arrow::list(arrow::int8()), "[[1]]")), unknown);
}

TEST(PageBoundsTest, CoverASliceOnly) {
  EXPECT_EQ(BoundsOf(*Values(arrow::int64(), "[100, 3, 4, -100]")->Slice(1, 2)),
            (Bounds{"3", "4"}));
  EXPECT_EQ(BoundsOf(*Values(arrow::float64(), "[NaN, 3, 4, NaN]")->Slice(1, 2)),
            (Bounds{"3", "4"}));
}

std::shared_ptr<arrow::Array> Texts(const std::shared_ptr<arrow::DataType>& type,
                                    const std::string& value) {
  return arrow::MakeArrayFromScalar(
             *arrow::MakeScalar(type, arrow::Buffer::FromString(value)).ValueOrDie(), 1)
      .ValueOrDie();
}

TEST(PageBoundsTest, OfLongTextsAreShort) {
  const auto greatest = [](const std::string& value) {
    const PageSummary summary = Summarize(*Texts(arrow::utf8(), value));
    EXPECT_LE(*summary.least, value);
    EXPECT_LE(summary.least->size(), 64);
    if (summary.greatest) {
      EXPECT_GT(*summary.greatest, value);
      EXPECT_LE(summary.greatest->size(), 65);
    }
    return summary.greatest.value_or("none");
  };
  EXPECT_EQ(greatest(std::string(100, 'a')), std::string(63, 'a') + "b");
  // Two bytes would reach behind the 64th: the text is cut before them.
  EXPECT_EQ(greatest(std::string(63, 'a') + "éé"), std::string(62, 'a') + "b");
  // U+007F and U+D7FF are followed by longer ones, U+10FFFF by none.
  EXPECT_EQ(greatest(std::string(60, 'a') + "\x7F\x7F\x7F\x7F\x7F"),
            std::string(60, 'a') + "\x7F\x7F\x7F\xC2\x80");
  EXPECT_EQ(greatest(std::string(61, 'a') + "\uD7FF"
                                            "b"),
            std::string(61, 'a') + "\uE000");
  EXPECT_EQ(greatest(std::string(60, 'a') + "\U0010FFFF"
                                            "b"),
            std::string(59, 'a') + "b");
  std::string last;
  for (int i = 0; i < 20; ++i) last += "\U0010FFFF";
  EXPECT_EQ(greatest(last), "none");
}

TEST(PageBoundsTest, OfLongBytesAreShort) {
  const auto greatest = [](const std::string& value) {
    return Summarize(*Texts(arrow::binary(), value)).greatest.value_or("none");
  };
  EXPECT_EQ(greatest(std::string(64, '\x80')), std::string(64, '\x80'));
  EXPECT_EQ(greatest(std::string(65, '\x80')), std::string(63, '\x80') + "\x81");
  EXPECT_EQ(greatest(std::string(63, 'a') + "\xFF\xFF"), std::string(62, 'a') + "b");
  EXPECT_EQ(greatest(std::string(70, '\xFF')), "none");
}

TEST(PageBoundsTest, TellWhetherThereAreNulls) {
  const auto range = [](std::optional<int64_t> num_nulls) {
    PageSummary summary;
    summary.num_nulls = num_nulls;
    return RangeOf(summary, 3, arrow::int32()).ValueOrDie();
  };
  EXPECT_FALSE(range(0).may_be_null);
  EXPECT_TRUE(range(2).may_be_null);
  EXPECT_FALSE(range(2).is_all_null);
  EXPECT_TRUE(range(3).is_all_null);
  EXPECT_TRUE(range(std::nullopt).may_be_null);
  EXPECT_FALSE(range(std::nullopt).is_all_null);
}

TEST(PageBoundsTest, RefusesBoundsThatCannotBe) {
  PageSummary summary;
  summary.num_nulls = 4;
  EXPECT_THAT(RangeOf(summary, 3, arrow::int32()), FailsWith(ErrorCode::kCorrupt));
  summary.num_nulls = 0;
  summary.least = "abc";
  EXPECT_THAT(RangeOf(summary, 3, arrow::int32()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_TRUE(RangeOf(summary, 3, arrow::utf8()).ok());
}

}  // namespace
}  // namespace tusk::lance
