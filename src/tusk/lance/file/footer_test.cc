#include "tusk/lance/file/footer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

constexpr int64_t kFileSize = 400;

/// Two columns and one buffer, their tables before the footer.
Footer SmallFooter() {
  return {.column_metadata = 200,
          .column_table = 300,
          .buffer_table = 332,
          .num_buffers = 1,
          .num_columns = 2};
}

std::string Bytes(const Footer& footer) {
  std::string bytes;
  footer.AppendTo(&bytes);
  return bytes;
}

TEST(LanceFooterTest, HasTheLayoutOfTheFormat) {
  const std::string bytes = Bytes(SmallFooter());
  const std::string expected(
      "\xC8\0\0\0\0\0\0\0"
      "\x2C\x01\0\0\0\0\0\0"
      "\x4C\x01\0\0\0\0\0\0"
      "\x01\0\0\0"
      "\x02\0\0\0"
      "\x02\0\x02\0"
      "LANC",
      40);
  EXPECT_EQ(bytes, expected);
  ASSERT_OK_AND_ASSIGN(const Footer parsed, Footer::Parse("before" + bytes, kFileSize));
  EXPECT_EQ(Bytes(parsed), bytes);
}

TEST(LanceFooterTest, RefusesEveryTruncation) {
  const std::string bytes = Bytes(SmallFooter());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(Footer::Parse(std::string_view(bytes).substr(0, length), kFileSize),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(LanceFooterTest, RefusesTablesOutsideTheFile) {
  const auto refuse = [](auto change) {
    Footer footer = SmallFooter();
    change(&footer);
    EXPECT_THAT(Footer::Parse(Bytes(footer), kFileSize), FailsWith(ErrorCode::kCorrupt));
  };
  refuse([](Footer* footer) { footer->column_metadata = 361; });
  refuse([](Footer* footer) { footer->column_table = 329; });
  refuse([](Footer* footer) { footer->column_table = ~uint64_t{0} - 15; });
  refuse([](Footer* footer) { footer->buffer_table = 345; });
  refuse([](Footer* footer) { footer->buffer_table = ~uint64_t{0}; });
  refuse([](Footer* footer) { footer->num_columns = 0xFFFFFFFF; });
  refuse([](Footer* footer) { footer->num_buffers = 0xFFFFFFFF; });
  refuse([](Footer* footer) { footer->num_buffers = 0; });
}

TEST(LanceFooterTest, KnowsDataVersion20ByBothOfItsNames) {
  Footer footer = SmallFooter();
  footer.major = 0;
  footer.minor = 3;
  ASSERT_OK_AND_ASSIGN(const Footer of_file, Footer::Parse(Bytes(footer), kFileSize));
  EXPECT_EQ(of_file.data_minor(), 0);
  footer.major = 2;
  footer.minor = 0;
  ASSERT_OK_AND_ASSIGN(const Footer of_batch, Footer::Parse(Bytes(footer), kFileSize));
  EXPECT_EQ(of_batch.data_minor(), 0);
  ASSERT_OK_AND_ASSIGN(const Footer later, Footer::Parse(Bytes(SmallFooter()), kFileSize));
  EXPECT_EQ(later.data_minor(), 2);
}

TEST(LanceFooterTest, RefusesOtherVersionsByName) {
  const auto refuse = [](uint16_t major, uint16_t minor, const char* name) {
    Footer footer = SmallFooter();
    footer.major = major;
    footer.minor = minor;
    const auto parsed = Footer::Parse(Bytes(footer), kFileSize);
    ASSERT_THAT(parsed, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(parsed.status().message(), testing::HasSubstr(name));
  };
  refuse(0, 2, "0.1 (legacy)");
  refuse(2, 3, "2.3");
  refuse(3, 0, "3.0");
}

}  // namespace
}  // namespace tusk::lance
