#include "tusk/expr/moment_format.h"

#include <array>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

/// Matches a Result of this value.
MATCHER_P(Holds, value, "holds a value") {
  *result_listener << arg.status().ToString();
  return arg.ok() && *arg == value;
}

constexpr int64_t kLeapDay = 1'582'938'123;  // 2020-02-29 01:02:03

Result<std::string> Shown(const std::string& format, const LocalMoment& moment) {
  ARROW_ASSIGN_OR_RAISE(const MomentFormat parsed, MomentFormat::Parse(format));
  std::string text;
  ARROW_RETURN_NOT_OK(parsed.AppendTo(moment, &text));
  return text;
}

TEST(MomentFormatTest, ShowsWhatStrftimeShows) {
  // One day and an hour and a minute and a second in turns, over years with and without 53 weeks.
  for (int64_t seconds = -70'000'000; seconds < 90'000'000; seconds += 90'061) {
    const std::time_t time = seconds;
    std::tm parts{};
    ASSERT_NE(gmtime_r(&time, &parts), nullptr);
    for (const char* format : {"%Y %C %y %m %b %B %h %d %e %j", "%a %A %w %u %U %W %V %G %g",
                               "%H %k %I %l %M %S %p %P", "%D %F %T %R %r %c %%"}) {
      std::array<char, 200> room{};
      const size_t size = std::strftime(room.data(), room.size(), format, &parts);
      EXPECT_THAT(Shown(format, {.seconds = seconds}), Holds(std::string(room.data(), size)))
          << seconds << " as " << format;
    }
  }
}

TEST(MomentFormatTest, ShowsFractionsAndOffsets) {
  const LocalMoment moment{.seconds = kLeapDay, .nanoseconds = 456'000, .offset = -5400};
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"%f|%.f|%.3f|%3f|%.9f", "000456000|.000456|.000|000|.000456000"},
      {"%z|%:z|%Z", "-0130|-01:30|-01:30"},
      {"%-d|%_m|%-m|%0e|%-H", "29| 2|2|29|1"},
      {"%s", std::to_string(kLeapDay + 5400)},
      {"%+", "2020-02-29T01:02:03.000456-01:30"},
  };
  for (const auto& [format, expected] : cases) {
    EXPECT_THAT(Shown(format, moment), Holds(expected)) << format;
  }
  EXPECT_THAT(Shown("%z", {.seconds = kLeapDay}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(MomentFormatTest, ReadsWhatItShows) {
  for (const char* format : {"%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S%.f", "%b %e, %Y %I:%M:%S %p",
                             "%A %j %Y %T", "%s", "%F %T %z", "%y%m%d%H%M%S"}) {
    for (int64_t seconds = 0; seconds < 90'000'000; seconds += 900'061) {
      const LocalMoment moment{.seconds = seconds, .offset = 0};
      ASSERT_OK_AND_ASSIGN(const std::string text, Shown(format, moment));
      ASSERT_OK_AND_ASSIGN(const MomentFormat parsed, MomentFormat::Parse(format));
      const auto read = parsed.Read(text);
      ASSERT_TRUE(read) << text << " as " << format;
      EXPECT_EQ(read->seconds, seconds) << text << " as " << format;
      for (size_t size = 0; size + 1 < text.size(); ++size) {
        const auto part = parsed.Read(text.substr(0, size));
        EXPECT_TRUE(!part || part->seconds != seconds) << text.substr(0, size);
      }
    }
  }
}

TEST(MomentFormatTest, ReadsNothingThatIsNoMoment) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"%Y-%m-%d", "2021-02-29"},
      {"%Y-%m-%d", "2021-13-01"},
      {"%H:%M", "24:00"},
      {"%H:%M:%S", "12:00:60"},
      {"%Y", "2021"},
      {"%M", "10"},
      {"%I:%M", "10:00"},
      {"%Y-%m-%d %z", "2021-01-01 +"},
      {"%Y-%j", "2021-366"},
      {"%d %b %Y", "1 Foo 2021"},
      {"%Y-%m-%d", "2021-01-01x"},
      {"", ""},
  };
  for (const auto& [format, text] : cases) {
    ASSERT_OK_AND_ASSIGN(const MomentFormat parsed, MomentFormat::Parse(format));
    EXPECT_FALSE(parsed.Read(text)) << text << " as " << format;
  }
}

TEST(MomentFormatTest, RefusesLettersThatSayNothing) {
  for (const char* format : {"%", "%Q", "%E", "%.Y", "%:H", "%3", "%.", "a%-"}) {
    EXPECT_THAT(MomentFormat::Parse(format), FailsWith(ErrorCode::kInvalidArgument)) << format;
  }
  ASSERT_OK_AND_ASSIGN(const MomentFormat year, MomentFormat::Parse("%Y"));
  std::string text;
  EXPECT_THAT(year.AppendTo({.seconds = int64_t{1} << 60}, &text),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::expr
