#include "tusk/lake/content_ids.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lake {
namespace {

ContentDigest Digest(uint8_t first, uint8_t last) {
  ContentDigest digest = {};
  digest.front() = first;
  digest.back() = last;
  return digest;
}

TEST(ContentIdsTest, KnowsTheTablesAndTheRunsContents) {
  ContentIds ids({Digest(9, 1), Digest(1, 1), Digest(9, 0)});
  EXPECT_TRUE(ids.Contains(Digest(9, 0)));
  EXPECT_TRUE(ids.Contains(Digest(1, 1)));
  EXPECT_FALSE(ids.Contains(Digest(1, 0)));
  EXPECT_FALSE(ids.Add(Digest(9, 1)));
  EXPECT_TRUE(ids.Add(Digest(1, 0)));
  EXPECT_FALSE(ids.Add(Digest(1, 0)));
  EXPECT_TRUE(ids.Contains(Digest(1, 0)));
}

TEST(ParseContentIdTest, ReadsHexInOrder) {
  std::string text = "00ff10" + std::string(56, '0') + "0a";
  ASSERT_OK_AND_ASSIGN(const ContentDigest digest, ParseContentId(text));
  EXPECT_EQ(digest[0], 0x00);
  EXPECT_EQ(digest[1], 0xFF);
  EXPECT_EQ(digest[2], 0x10);
  EXPECT_EQ(digest[31], 0x0A);
  text[63] = 'A';
  EXPECT_THAT(ParseContentId(text), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lake
