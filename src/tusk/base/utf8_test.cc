#include "tusk/base/utf8.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tusk {
namespace {

TEST(Utf8Test, TakesWhatTheUnicodeStandardTakes) {
  for (const char* text :
       {"", "plain", "\x7f", "\xc2\x80", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  EXPECT_TRUE(IsUtf8(std::string(1, '\0')));
}

TEST(Utf8Test, RefusesTheRestWhereverItStands) {
  for (const char* broken :
       {"\x80", "\xff", "\xc3", "\xc3(", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf0\x9f\x98"}) {
    for (const size_t before : {0, 1, 7, 8, 15, 33}) {
      for (const size_t after : {0, 1, 9, 40}) {
        EXPECT_FALSE(IsUtf8(std::string(before, 'a') + broken + std::string(after, 'b')))
            << before << " before, " << after << " after";
      }
    }
  }
}

}  // namespace
}  // namespace tusk
