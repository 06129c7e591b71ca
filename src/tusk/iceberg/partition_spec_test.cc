#include "tusk/iceberg/partition_spec.h"

#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using Kind = Transform::Kind;

TEST(TransformTest, HasTheNamesOfTheSpecification) {
  for (const std::string name : {"identity", "bucket[16]", "truncate[4]", "year", "month", "day",
                                 "hour", "void", "zigzag[3]"}) {
    ASSERT_OK_AND_ASSIGN(const Transform transform, Transform::Parse(name));
    EXPECT_EQ(transform.ToString(), name);
    EXPECT_EQ(transform.kind == Kind::kUnknown, name == "zigzag[3]") << name;
  }
  for (const std::string name :
       {"bucket[0]", "bucket[]", "truncate[-1]", "truncate[99999999999]"}) {
    EXPECT_THAT(Transform::Parse(name), FailsWith(ErrorCode::kCorrupt)) << name;
  }
}

TEST(PartitionTermTest, ParsesItsForms) {
  const auto same = [](std::string_view text, std::string_view column, Transform transform,
                       std::string_view name) {
    ASSERT_OK_AND_ASSIGN(const PartitionTerm term, PartitionTerm::Parse(text));
    EXPECT_EQ(term.column, column) << text;
    EXPECT_EQ(term.transform, transform) << text;
    EXPECT_EQ(term.name, name) << text;
  };
  same("id", "id", {}, "");
  same(" a.b as c ", "a.b", {}, "c");
  same("day(ts)", "ts", {.kind = Kind::kDay}, "");
  same("bucket[16](id)", "id", {.kind = Kind::kBucket, .parameter = 16}, "");
  same("bucket(16, id)", "id", {.kind = Kind::kBucket, .parameter = 16}, "");
  same("truncate[2](s) as t", "s", {.kind = Kind::kTruncate, .parameter = 2}, "t");
  for (const std::string text : {"", "()", "day()", "zigzag(x)", "bucket(x)", "bucket[0](x)", "a b",
                                 "day(ts", "truncate(ts, 3)"}) {
    EXPECT_THAT(PartitionTerm::Parse(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace tusk::iceberg
