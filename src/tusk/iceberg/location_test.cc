#include "tusk/iceberg/location.h"

#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

TEST(LocationTest, TakesPathsAndFileUris) {
  for (const std::string location :
       {"/lake/t", "/lake/t/", "file:/lake/t", "file:///lake/t", "file:///lake/t/"}) {
    ASSERT_OK_AND_ASSIGN(const std::string path, LocationToPath(location));
    EXPECT_EQ(path, "/lake/t") << location;
  }
  // Taken literally, as other writers wrote it.
  ASSERT_OK_AND_ASSIGN(const std::string path, LocationToPath("/a b/%20:c"));
  EXPECT_EQ(path, "/a b/%20:c");
}

TEST(LocationTest, RefusesWhatIsNoNormalAbsolutePath) {
  for (const std::string location : {"", "lake/t", "./t", "/lake/../t", "/lake/./t", "/lake//t",
                                     "/..", "file:t", "file://host/t", "file:", "//t"}) {
    EXPECT_THAT(LocationToPath(location), FailsWith(ErrorCode::kInvalidArgument)) << location;
  }
  EXPECT_THAT(LocationToPath(std::string("/a\0b", 4)), FailsWith(ErrorCode::kInvalidArgument));
  for (const std::string location : {"s3://bucket/t", "gs://b/t", "hdfs:/t"}) {
    EXPECT_THAT(LocationToPath(location), FailsWith(ErrorCode::kUnsupported)) << location;
  }
}

TEST(LocationTest, FindsTheTableAroundItsMetadata) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, TableFolder("/lake/t/metadata/v1.metadata.json"));
  EXPECT_EQ(folder, "/lake/t");
  for (const std::string path : {"/metadata/v1.metadata.json", "/lake/t/v1.metadata.json", "v1"}) {
    EXPECT_THAT(TableFolder(path), FailsWith(ErrorCode::kInvalidArgument)) << path;
  }
}

TEST(LocationTest, KeepsToTheFolderOfTheTable) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       FileInTable("file:///lake/t/data/a.parquet", "/lake/t"));
  EXPECT_EQ(path, "/lake/t/data/a.parquet");
  for (const std::string location :
       {"/etc/passwd", "/lake/t2/data/a.parquet", "/lake/t", "/lake"}) {
    EXPECT_THAT(FileInTable(location, "/lake/t"), FailsWith(ErrorCode::kUnsupported)) << location;
  }
  EXPECT_THAT(FileInTable("/lake/t/../../etc/passwd", "/lake/t"),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::iceberg
