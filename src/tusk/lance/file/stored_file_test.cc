#include "tusk/lance/file/stored_file.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/file_tables.h"
#include "tusk/lance/output_file.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

class StoredFileTest : public testing::Test {
 protected:
  void SetUp() override { Write(); }

  /// Three rows of numbers and of texts in lists.
  void Write(bool has_buffer_of_user = false) {
    const auto schema = arrow::schema(
        {arrow::field("n", arrow::int32()), arrow::field("texts", arrow::list(arrow::utf8()))});
    const auto rows = arrow::json::ArrayFromJSONString(
        arrow::struct_(schema->fields()),
        R"([{"n": 1, "texts": ["one", null]}, {"n": null, "texts": []}, {"n": 3, "texts": null}])");
    ASSERT_OK_AND_ASSIGN(const auto batch, arrow::RecordBatch::FromStructArray(*rows));
    ASSERT_OK_AND_ASSIGN(const auto file, OutputFile::Open(place_, schema, {}, context_));
    ASSERT_OK(file->Write(*batch));
    const std::vector<uint8_t> bytes = {1, 2, 3};
    if (has_buffer_of_user) {
      ASSERT_OK(file->AddGlobalBuffer(bytes));
    }
    ASSERT_OK(file->Finish());
  }
  std::string Bytes() {
    return std::string(std::string_view(**place_.store->Get(place_.path, context_)));
  }
  Result<StoredFile> ReadBytes(std::string_view bytes) {
    ARROW_RETURN_NOT_OK(place_.store->Put("other", bytes, context_));
    return StoredFile::Read({.store = place_.store, .path = "other"}, 2, std::nullopt, context_);
  }

  const io::StorePath place_{.store = io::MakeMemoryStore(), .path = "file"};
  const OperationContext context_;
};

TEST_F(StoredFileTest, ListsPagesAsTheyAre) {
  ASSERT_OK_AND_ASSIGN(const StoredFile file, StoredFile::Read(place_, 2, std::nullopt, context_));
  EXPECT_EQ(file.num_rows, 3);
  EXPECT_EQ(file.schema->fields.size(), 2U);
  ASSERT_EQ(file.columns.size(), 2U);
  ASSERT_OK_AND_ASSIGN(const FileTables tables, FileTables::Open(place_, context_));
  ASSERT_OK_AND_ASSIGN(const auto metadata, tables.ColumnMetadata(context_));
  const std::string bytes = Bytes();
  for (size_t i = 0; i < 2; ++i) {
    const StoredColumn& column = file.columns[i];
    EXPECT_EQ(column.num_rows(), 3);
    EXPECT_TRUE(column.pages.at(0).summary);
    EXPECT_EQ(column.Serialize(), bytes.substr(metadata[i].offset, metadata[i].length));
  }
  EXPECT_EQ(file.columns[0].pages[0].summary->num_nulls, 1);
  // Another file says the same of its fields.
  ASSERT_OK_AND_ASSIGN(const StoredFile again, StoredFile::Read(place_, 2, file, context_));
  EXPECT_EQ(again.schema, file.schema);
}

TEST_F(StoredFileTest, RefusesWhatItCannotTellPagesOf) {
  EXPECT_THAT(StoredFile::Read(place_, 1, std::nullopt, context_),
              FailsWith(ErrorCode::kUnsupported));
  Write(/*has_buffer_of_user=*/true);
  const auto read = StoredFile::Read(place_, 2, std::nullopt, context_);
  EXPECT_THAT(read, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(read.status().message(), HasSubstr("a user's own"));
  EXPECT_THAT(StoredFile::Read({.store = place_.store, .path = "none"}, 2, std::nullopt, context_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(StoredFileTest, RefusesEveryTruncation) {
  const std::string bytes = Bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(ReadBytes(std::string_view(bytes).substr(0, length)),
                FailsWith(ErrorCode::kCorrupt))
        << length;
  }
}

TEST_F(StoredFileTest, NoticesEveryChangeOfWhatItReads) {
  ASSERT_OK_AND_ASSIGN(const FileTables tables, FileTables::Open(place_, context_));
  ASSERT_OK_AND_ASSIGN(auto ranges, tables.ColumnMetadata(context_));
  ASSERT_OK_AND_ASSIGN(const auto buffers, tables.GlobalBuffers(context_));
  ranges.push_back(buffers.front());
  const std::string bytes = Bytes();
  for (const io::ByteRange& range : ranges) {
    for (int64_t at = range.offset; at < range.offset + range.length; ++at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      EXPECT_FALSE(ReadBytes(changed).ok()) << at;
    }
  }
}

}  // namespace
}  // namespace tusk::lance
