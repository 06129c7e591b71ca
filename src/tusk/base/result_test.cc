#include "tusk/base/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/final_error.h"
#include "tusk/testing/matchers.h"

namespace tusk {
namespace {

TEST(ResultTest, CarriesTheCodeBesideTheMessage) {
  const Status status = Corrupt("offset ", 8, " is outside a file of ", 4, " bytes");
  EXPECT_EQ(GetErrorCode(status), ErrorCode::kCorrupt);
  EXPECT_EQ(status.message(), "offset 8 is outside a file of 4 bytes");
}

TEST(ResultTest, KeepsTheCodeWhenContextIsAdded) {
  const Status status = WithContext(NotFound("no column 'x'"), "scan of table t");
  EXPECT_EQ(GetErrorCode(status), ErrorCode::kNotFound);
  EXPECT_EQ(status.message(), "scan of table t: no column 'x'");
}

TEST(ResultTest, KeepsTheNoteThatAnErrorIsFinal) {
  const Status conflict = CommitConflict("version 3 came first");
  EXPECT_FALSE(IsFinal(conflict));
  const Status final_one = WithContext(AsFinal(conflict), "table t");
  EXPECT_TRUE(IsFinal(final_one));
  EXPECT_EQ(GetErrorCode(final_one), ErrorCode::kCommitConflict);
  EXPECT_EQ(final_one.message(), "table t: version 3 came first");
  EXPECT_TRUE(AsFinal(Status::OK()).ok());
  EXPECT_FALSE(IsFinal(Status::IOError("x")));
}

TEST(ResultTest, MapsTheCodesOfArrow) {
  EXPECT_EQ(GetErrorCode(Status::IOError("x")), ErrorCode::kIo);
  EXPECT_EQ(GetErrorCode(Status::NotImplemented("x")), ErrorCode::kUnsupported);
  EXPECT_EQ(GetErrorCode(Status::Invalid("x")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(GetErrorCode(Status::OK()), std::nullopt);
}

}  // namespace
}  // namespace tusk
