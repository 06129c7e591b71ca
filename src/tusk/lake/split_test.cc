#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/sha256.h"
#include "tusk/lake/ingest.h"
#include "tusk/testing/matchers.h"

namespace tusk::lake {
namespace {

// The examples of docs/format/split.md, computed there with Python.
TEST(SplitOfTest, GivesThePublishedExamples) {
  const std::map<std::string, std::string> examples = {
      {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "train"},
      {"252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111", "val"},
      {"e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8", "test"},
  };
  for (const auto& [content_id, split] : examples) {
    ASSERT_OK_AND_ASSIGN(const std::string actual, SplitOf(content_id));
    EXPECT_EQ(actual, split) << content_id;
  }
}

TEST(SplitOfTest, TurnsAtEightyAndNinety) {
  const std::string rest(56, '0');
  // 79, 80, 89, 90, 99, 100 and 4,294,967,295 (95 of a hundred) in hex.
  const std::map<std::string, std::string> cases = {
      {"0000004f", "train"}, {"00000050", "val"},   {"00000059", "val"}, {"0000005a", "test"},
      {"00000063", "test"},  {"00000064", "train"}, {"ffffffff", "test"}};
  for (const auto& [leading, split] : cases) {
    ASSERT_OK_AND_ASSIGN(const std::string actual, SplitOf(leading + rest));
    EXPECT_EQ(actual, split) << leading;
  }
}

TEST(SplitOfTest, DividesEightyTenTen) {
  constexpr int kCount = 20'000;
  std::map<std::string, int> counts;
  for (int i = 0; i < kCount; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_OK_AND_ASSIGN(const std::string id,
                         Sha256Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
    ASSERT_OK_AND_ASSIGN(const std::string split, SplitOf(id));
    ++counts[split];
  }
  // Four standard deviations of a binomial: 226 for 80 %, 170 for 10 %.
  EXPECT_NEAR(counts["train"], 16'000, 226);
  EXPECT_NEAR(counts["val"], 2'000, 170);
  EXPECT_NEAR(counts["test"], 2'000, 170);
  EXPECT_EQ(counts.size(), 3);
}

TEST(SplitOfTest, RefusesWhatIsNoContentId) {
  EXPECT_THAT(SplitOf(""), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SplitOf(std::string(63, '0')), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SplitOf(std::string(65, '0')), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SplitOf("g" + std::string(63, '0')), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SplitOf("A" + std::string(63, '0')), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lake
