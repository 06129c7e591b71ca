#include "tusk/iceberg/bounds.h"

#include <map>

#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tusk::iceberg {
namespace {

using std::string_literals::operator""s;

TEST(BoundsTest, CutsTextByCodePoints) {
  EXPECT_EQ(TruncateText("iceberg", 3), "ice");
  EXPECT_EQ(TruncateText("ice", 3), "ice");
  EXPECT_EQ(TruncateText("", 3), "");
  // Two, three and four bytes for one code point.
  EXPECT_EQ(TruncateText("äöü", 2), "äö");
  EXPECT_EQ(TruncateText("€€€", 1), "€");
  EXPECT_EQ(TruncateText("😀😀😀", 2), "😀😀");
}

TEST(BoundsTest, FindsTheNextText) {
  EXPECT_EQ(NextText("abc"), "abd");
  EXPECT_EQ(NextText("a\x7F"), "a\u0080");
  EXPECT_EQ(NextText("a\u07FF"), "a\u0800");
  EXPECT_EQ(NextText("a\uFFFF"), "a\U00010000");
  // Surrogates are no characters.
  EXPECT_EQ(NextText("a\uD7FF"), "a\uE000");
  EXPECT_EQ(NextText("a\U0010FFFF\U0010FFFF"), "b");
  EXPECT_EQ(NextText("\U0010FFFF"), std::nullopt);
  EXPECT_EQ(NextText(""), std::nullopt);
  // A sequence longer than any character's, and one that is cut off.
  EXPECT_EQ(NextText("\xF0\x80\x80\x80\x80\x80\x80\x80\x80\x80"), std::nullopt);
  EXPECT_EQ(NextText("a\xE2\x82"), std::nullopt);
}

TEST(BoundsTest, FindsTheNextBytes) {
  EXPECT_EQ(NextBytes("\x01\x02"), "\x01\x03");
  EXPECT_EQ(NextBytes("\x01\xFF\xFF"), "\x02");
  EXPECT_EQ(NextBytes("\x7F"), "\x80");
  EXPECT_EQ(NextBytes("\xFF\xFF"), std::nullopt);
}

TEST(BoundsTest, WritesDecimalsAsShortBigEndianTwosComplement) {
  // Expected by int.to_bytes(..., "big", signed=True) of Python with the least length.
  const std::map<int64_t, std::string> expected = {{0, "\x00"s},
                                                   {1, "\x01"},
                                                   {-1, "\xFF"},
                                                   {127, "\x7F"},
                                                   {128, "\x00\x80"s},
                                                   {-128, "\x80"},
                                                   {-129, "\xFF\x7F"},
                                                   {1420, "\x05\x8C"},
                                                   {-1420, "\xFA\x74"},
                                                   {32767, "\x7F\xFF"},
                                                   {32768, "\x00\x80\x00"s},
                                                   {-32768, "\x80\x00"s}};
  for (const auto& [value, bytes] : expected) {
    EXPECT_EQ(DecimalBound(arrow::Decimal128(value)), bytes) << value;
  }
  const auto largest = arrow::Decimal128::FromString("99999999999999999999999999999999999999");
  EXPECT_EQ(DecimalBound(*largest),
            "\x4B\x3B\x4C\xA8\x5A\x86\xC4\x7A\x09\x8A\x22\x3F\xFF\xFF\xFF\xFF");
}

}  // namespace
}  // namespace tusk::iceberg
