#include <gtest/gtest.h>

#include "tusk/catalog/catalog.h"
#include "tusk/testing/matchers.h"

namespace tusk::catalog {
namespace {

TEST(TableNameTest, SplitsLevelsFromTheName) {
  ASSERT_OK_AND_ASSIGN(const TableName name, TableName::Parse("robots.arm-2.left_camera"));
  EXPECT_EQ(name.levels, (std::vector<std::string>{"robots", "arm-2"}));
  EXPECT_EQ(name.name, "left_camera");
  EXPECT_EQ(name.Namespace(), "robots.arm-2");
  EXPECT_EQ(name.ToString(), "robots.arm-2.left_camera");
}

TEST(TableNameTest, RefusesWhatIsNoFolderAndNoIdentifier) {
  for (const char* text : {"", "digits", ".digits", "media.", "a..b", ".", "a b.c", "a.b/c",
                           "../x.y", "a.b\\c", "media.bilder\xc3\xa4", "a.b;drop", "a.'b'"}) {
    EXPECT_THAT(TableName::Parse(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace tusk::catalog
