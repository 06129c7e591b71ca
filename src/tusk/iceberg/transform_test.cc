#include "tusk/iceberg/transform.h"

#include <chrono>
#include <limits>
#include <random>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/single_value.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using Kind = Transform::Kind;
using std::string_literals::operator""s;

std::shared_ptr<arrow::Array> Values(const std::shared_ptr<arrow::DataType>& type,
                                     std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

template <typename T>
std::string Little(T value) {
  std::string bytes;
  AppendLittle(value, &bytes);
  return bytes;
}

/// A bucket so large that its number is the hash without its sign.
std::optional<std::string> HashOf(const std::shared_ptr<arrow::Array>& array) {
  return ApplyTransform({.kind = Kind::kBucket, .parameter = std::numeric_limits<int32_t>::max()},
                        *array, 0);
}

std::string HashBytes(int32_t hash) {
  // What is left of the hash, by the specification: (hash & Integer.MAX_VALUE) % N.
  return Little(static_cast<int32_t>((static_cast<uint32_t>(hash) & 0x7FFFFFFF) % 0x7FFFFFFF));
}

// The vectors of the specification's Appendix B.
TEST(BucketTest, HashesAsTheSpecificationDoes) {
  const auto date = arrow::date32();
  const auto time = arrow::time64(arrow::TimeUnit::MICRO);
  const auto timestamp = arrow::timestamp(arrow::TimeUnit::MICRO);
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  EXPECT_EQ(HashOf(Values(arrow::int32(), "[34]")), HashBytes(2017239379));
  EXPECT_EQ(HashOf(Values(arrow::int64(), "[34]")), HashBytes(2017239379));
  EXPECT_EQ(HashOf(Values(arrow::decimal128(9, 2), R"(["14.20"])")), HashBytes(-500754589));
  // 2017-11-16, 22:31:08, 2017-11-16T22:31:08 and 2017-11-16T14:31:08-08:00.
  EXPECT_EQ(HashOf(Values(date, "[17486]")), HashBytes(-653330422));
  EXPECT_EQ(HashOf(Values(time, "[81068000000]")), HashBytes(-662762989));
  EXPECT_EQ(HashOf(Values(timestamp, "[1510871468000000]")), HashBytes(-2047944441));
  EXPECT_EQ(HashOf(Values(utc, "[1510871468000000]")), HashBytes(-2047944441));
  EXPECT_EQ(HashOf(Values(utc, "[1510871468000001]")), HashBytes(-1207196810));
  EXPECT_EQ(HashOf(Values(arrow::utf8(), R"(["iceberg"])")), HashBytes(1210000089));
  const auto binary = [](const std::shared_ptr<arrow::DataType>& type, const std::string& bytes) {
    arrow::FixedSizeBinaryBuilder fixed(
        type->id() == arrow::Type::BINARY ? arrow::fixed_size_binary(1) : type);
    arrow::BinaryBuilder any;
    if (type->id() == arrow::Type::BINARY) {
      EXPECT_OK(any.Append(bytes));
      return any.Finish().ValueOrDie();
    }
    EXPECT_OK(fixed.Append(bytes));
    return fixed.Finish().ValueOrDie();
  };
  const std::string bytes = "\0\1\2\3"s;
  EXPECT_EQ(HashOf(binary(arrow::binary(), bytes)), HashBytes(-188683207));
  EXPECT_EQ(HashOf(binary(arrow::fixed_size_binary(4), bytes)), HashBytes(-188683207));
  // f79c3e09-677c-4bbd-a479-3f349cb785e7
  EXPECT_EQ(HashOf(binary(arrow::fixed_size_binary(16),
                          "\xF7\x9C\x3E\x09\x67\x7C\x4B\xBD\xA4\x79\x3F\x34\x9C\xB7\x85\xE7")),
            HashBytes(1488055340));
}

TEST(TruncateTest, CutsAsTheSpecificationDoes) {
  const auto cut = [](int32_t width, const std::shared_ptr<arrow::DataType>& type,
                      std::string_view json) {
    return ApplyTransform({.kind = Kind::kTruncate, .parameter = width}, *Values(type, json), 0);
  };
  // The examples of the specification, "Truncate Transform Details".
  EXPECT_EQ(cut(10, arrow::int32(), "[1]"), Little(int32_t{0}));
  EXPECT_EQ(cut(10, arrow::int32(), "[-1]"), Little(int32_t{-10}));
  EXPECT_EQ(cut(10, arrow::int64(), "[1]"), Little(int64_t{0}));
  EXPECT_EQ(cut(10, arrow::int64(), "[-1]"), Little(int64_t{-10}));
  EXPECT_EQ(cut(50, arrow::decimal128(9, 2), R"(["10.65"])"), "\x04\x1A");  // 10.50
  EXPECT_EQ(cut(3, arrow::utf8(), R"(["iceberg"])"), "ice");
  EXPECT_EQ(cut(10, arrow::decimal128(9, 2), R"(["-0.05"])"), "\xF6");  // -0.10
  // Code points count, not bytes.
  EXPECT_EQ(cut(2, arrow::utf8(), R"(["ü😀x"])"), "ü😀");
  EXPECT_EQ(cut(2, arrow::utf8(), "[null]"), std::nullopt);
}

/// Units by the standard library's calendar.
int64_t SlowUnits(Kind kind, int64_t micros) {
  using namespace std::chrono;
  const sys_time<microseconds> moment{microseconds(micros)};
  if (kind == Kind::kHour) return floor<hours>(moment).time_since_epoch().count();
  const auto days_since = floor<days>(moment);
  if (kind == Kind::kDay) return days_since.time_since_epoch().count();
  const year_month_day date(days_since);
  const int years = static_cast<int>(date.year()) - 1970;
  if (kind == Kind::kYear) return years;
  return years * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

TEST(TimeTransformTest, AgreesWithTheCalendarAndCoversItsValues) {
  std::mt19937_64 random(3);
  const auto timestamp = arrow::timestamp(arrow::TimeUnit::MICRO);
  std::vector<int64_t> moments = {0, -1, 1, 1510871468000000, -86'400'000'000, 951'782'400'000'000};
  for (int i = 0; i < 20'000; ++i) {
    // Some 30,000 years around 1970.
    moments.push_back(static_cast<int64_t>(random() % 1'892'160'000'000'000'000) -
                      946'080'000'000'000'000);
  }
  arrow::TimestampBuilder builder(timestamp, arrow::default_memory_pool());
  ASSERT_OK(builder.AppendValues(moments));
  const auto array = builder.Finish().ValueOrDie();
  for (const Kind kind : {Kind::kYear, Kind::kMonth, Kind::kDay, Kind::kHour}) {
    for (int64_t row = 0; row < array->length(); ++row) {
      const int64_t moment = moments[static_cast<size_t>(row)];
      const auto value = ApplyTransform({.kind = kind}, *array, row);
      ASSERT_EQ(value, Little(static_cast<int32_t>(SlowUnits(kind, moment)))) << moment;
      const SourceRange range = SourceRangeOf({.kind = kind}, timestamp, value, value);
      ASSERT_LE(LoadLittle<int64_t>(*range.least, 0), moment);
      ASSERT_GE(LoadLittle<int64_t>(*range.greatest, 0), moment);
      // No more than two units of the longest kind, 366 days.
      ASSERT_LE(LoadLittle<int64_t>(*range.greatest, 0) - LoadLittle<int64_t>(*range.least, 0),
                2 * 366 * 86'400'000'000);
    }
  }
}

TEST(TimeTransformTest, ReachesTheEndsOfItsTypes) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const auto timestamp = arrow::timestamp(arrow::TimeUnit::MICRO);
  arrow::TimestampBuilder builder(timestamp, arrow::default_memory_pool());
  ASSERT_OK(builder.AppendValues(std::vector<int64_t>{kLeast, kMost}));
  const auto moments = builder.Finish().ValueOrDie();
  const auto dates = Values(arrow::date32(), "[-2147483648, 2147483647]");
  for (const Kind kind : {Kind::kYear, Kind::kMonth, Kind::kDay, Kind::kHour}) {
    for (int64_t row = 0; row < 2; ++row) {
      const auto value = ApplyTransform({.kind = kind}, *moments, row);
      const SourceRange range = SourceRangeOf({.kind = kind}, timestamp, value, value);
      EXPECT_LE(LoadLittle<int64_t>(*range.least, 0), row == 0 ? kLeast : kMost);
      EXPECT_GE(LoadLittle<int64_t>(*range.greatest, 0), row == 0 ? kLeast : kMost);
      if (kind == Kind::kHour) continue;
      const auto day = ApplyTransform({.kind = kind}, *dates, row);
      const SourceRange days = SourceRangeOf({.kind = kind}, arrow::date32(), day, day);
      EXPECT_LE(CompareSingleValues(*arrow::date32(), *days.least, *SingleValue(*dates, row)), 0);
      EXPECT_GE(CompareSingleValues(*arrow::date32(), *days.greatest, *SingleValue(*dates, row)),
                0);
    }
  }
}

TEST(SourceRangeTest, CoversWhatTruncatingMade) {
  const auto covers = [](int32_t width, const std::shared_ptr<arrow::Array>& array) {
    const Transform transform{.kind = Kind::kTruncate, .parameter = width};
    for (int64_t row = 0; row < array->length(); ++row) {
      const auto value = ApplyTransform(transform, *array, row);
      const SourceRange range = SourceRangeOf(transform, array->type(), value, value);
      const std::string source = *SingleValue(*array, row);
      EXPECT_TRUE(!range.least || CompareSingleValues(*array->type(), *range.least, source) <= 0);
      EXPECT_TRUE(!range.greatest ||
                  CompareSingleValues(*array->type(), *range.greatest, source) >= 0)
          << array->ToString();
    }
  };
  for (const int32_t width : {1, 2, 7, 1000, std::numeric_limits<int32_t>::max()}) {
    covers(width, Values(arrow::int32(), "[0, -1, 1, -2147483648, 2147483647, 999, -1001]"));
    covers(width,
           Values(arrow::int64(), "[0, -1, -9223372036854775808, 9223372036854775807, 12345]"));
    covers(width, Values(arrow::utf8(), R"(["", "a", "ü", "iceberg", "􏿿􏿿x"])"));
    covers(width, Values(arrow::binary(), R"(["", "a", "abcdefgh"])"));
    covers(width, Values(arrow::decimal128(9, 2), R"(["0.00", "-0.01", "9999999.99"])"));
  }
  // A value that is shorter than the width was not cut.
  const SourceRange whole =
      SourceRangeOf({.kind = Kind::kTruncate, .parameter = 3}, arrow::utf8(), "ab"s, "ab"s);
  EXPECT_EQ(whole.greatest, "ab");
}

TEST(ResultTypeTest, RefusesWhatATransformCannotTake) {
  const auto list = arrow::list(arrow::int32());
  EXPECT_THAT(ResultType({.kind = Kind::kDay}, arrow::int32()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ResultType({.kind = Kind::kHour}, arrow::date32()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ResultType({.kind = Kind::kBucket, .parameter = 2}, arrow::float64()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ResultType({.kind = Kind::kIdentity}, list), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto day, ResultType({.kind = Kind::kDay}, arrow::date32()));
  EXPECT_TRUE(day->Equals(*arrow::date32()));
}

}  // namespace
}  // namespace tusk::iceberg
