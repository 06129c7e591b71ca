#include "tusk/lance/file/verify_file.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file.h"
#include "tusk/lance/output_file.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class VerifyFileTest : public testing::Test {
 protected:
  /// Numbers, texts in lists and blobs, with a global buffer of a user's.
  void Write(const std::string& data_version) {
    const auto blob = arrow::key_value_metadata({"lance-encoding:blob"}, {"true"});
    const auto text = arrow::struct_({arrow::field("t", arrow::utf8())});
    const auto schema =
        arrow::schema({arrow::field("n", arrow::int32()), arrow::field("parts", arrow::list(text)),
                       arrow::field("b", arrow::large_binary(), true, blob)});
    const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), R"([
        {"n": 1, "parts": [{"t": "one"}, {"t": null}], "b": "first"},
        {"n": null, "parts": [], "b": null},
        {"n": 3, "parts": null, "b": "and the second"}])");
    const auto batch = arrow::RecordBatch::FromStructArray(*rows);
    ASSERT_OK_AND_ASSIGN(const auto stored, (*batch)->ReplaceSchema(schema));
    OutputFileOptions options;
    options.data_storage_version = data_version;
    ASSERT_OK_AND_ASSIGN(const auto file, OutputFile::Open(place_, schema, options, context_));
    ASSERT_OK(file->Write(*stored));
    const std::vector<uint8_t> bytes = {1, 2, 3};
    ASSERT_OK(file->AddGlobalBuffer(bytes));
    ASSERT_OK(file->Finish());
  }
  std::string Bytes() {
    const auto object = place_.store->Open(place_.path, 1 << 20, context_);
    return std::string(std::string_view(*object->tail));
  }
  FileDescription Describe() {
    return (*File::Open(place_, context_))->Describe(context_).ValueOrDie();
  }
  Result<FileVerification> VerifyBytes(std::string_view bytes) {
    const io::StorePath other{.store = io::MakeMemoryStore(), .path = "damaged"};
    ARROW_ASSIGN_OR_RAISE(const auto writer, other.store->Create(other.path, context_));
    ARROW_RETURN_NOT_OK(
        writer->Append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
    ARROW_RETURN_NOT_OK(writer->Finish());
    return VerifyFile(other, context_);
  }
  /// Which bytes lie between two parts of the file.
  std::vector<bool> FindPadding(size_t size) {
    const FileDescription file = Describe();
    std::vector<bool> is_padding(size, true);
    const auto mark = [&](const io::ByteRange& range) {
      std::fill_n(is_padding.begin() + range.offset, range.length, false);
    };
    for (const io::ByteRange& buffer : file.global_buffers) mark(buffer);
    for (const ColumnDescription& column : file.columns) {
      for (const PageDescription& page : column.pages) {
        for (const io::ByteRange& buffer : page.buffers) mark(buffer);
      }
    }
    const int64_t end = file.global_buffers[0].offset + file.global_buffers[0].length;
    mark({.offset = end, .length = static_cast<int64_t>(size) - end});
    return is_padding;
  }

  io::StorePath place_ = {.store = io::MakeMemoryStore(), .path = "a.lance"};
  OperationContext context_;
};

TEST_F(VerifyFileTest, FindsNothingInAWholeFile) {
  for (const char* version : {"2.1", "2.2"}) {
    Write(version);
    ASSERT_OK_AND_ASSIGN(const FileVerification result, VerifyFile(place_, context_));
    EXPECT_TRUE(result.has_checksums);
    EXPECT_THAT(result.damages, IsEmpty());
    EXPECT_EQ(result.num_bytes, std::ssize(Bytes()));
  }
}

TEST_F(VerifyFileTest, FindsEveryByteThatChanged) {
  Write("2.2");
  const std::string whole = Bytes();
  const std::vector<bool> is_padding = FindPadding(whole.size());
  size_t found = 0;
  size_t without_annex = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (is_padding[i] && whole[i] == 0x48) continue;
    std::string bytes = whole;
    bytes[i] ^= 1;
    const auto result = VerifyBytes(bytes);
    // A footer of another version is an error.
    if (!result.ok()) {
      EXPECT_THAT(result, FailsWith(ErrorCode::kUnsupported)) << i;
      continue;
    }
    if (result->damages.empty()) {
      // The annex is not found any more: its magic, its place or the number of buffers changed.
      EXPECT_FALSE(result->has_checksums) << "byte " << i;
      ++without_annex;
    } else {
      ++found;
    }
  }
  EXPECT_LE(without_annex, 8 + 16 + 4);
  EXPECT_GT(found, 900);
}

TEST_F(VerifyFileTest, SaysWhatIsDamaged) {
  Write("2.2");
  const FileDescription file = Describe();
  const auto damage_at = [&](size_t position) {
    std::string bytes = Bytes();
    bytes[position] ^= 0x10;
    return VerifyBytes(bytes)->damages;
  };
  EXPECT_THAT(damage_at(file.columns[1].pages[0].buffers[0].offset),
              ElementsAre(HasSubstr("page 0 of column 1 'parts.item.t' (bytes ")));
  EXPECT_THAT(damage_at(Bytes().find("and the second")),
              ElementsAre(HasSubstr("blobs of column 2 'b' (bytes ")));
  EXPECT_THAT(damage_at(file.global_buffers[1].offset),
              ElementsAre(HasSubstr("global buffer 1 (bytes ")));
}

TEST_F(VerifyFileTest, FindsEveryLengthTooShort) {
  Write("2.2");
  const std::string whole = Bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_OK_AND_ASSIGN(const auto result, VerifyBytes(whole.substr(0, size)));
    EXPECT_THAT(result.damages, testing::SizeIs(1)) << size;
  }
}

TEST_F(VerifyFileTest, DecodesWhatHasNoChecksums) {
  Write("2.2");
  std::string bytes = Bytes();
  const size_t annex = bytes.find("TUSKANNX");
  ASSERT_NE(annex, std::string::npos);
  bytes[annex] = 'X';
  ASSERT_OK_AND_ASSIGN(const FileVerification result, VerifyBytes(bytes));
  EXPECT_FALSE(result.has_checksums);
  EXPECT_THAT(result.damages, IsEmpty());

  const FileDescription file = Describe();
  for (const io::ByteRange& buffer : file.columns[1].pages[0].buffers) {
    std::fill_n(bytes.begin() + buffer.offset, buffer.length, '\xFF');
  }
  ASSERT_OK_AND_ASSIGN(const FileVerification damaged, VerifyBytes(bytes));
  EXPECT_THAT(damaged.damages, ElementsAre(HasSubstr("'parts'")));
}

TEST_F(VerifyFileTest, GivesTheErrorsOfTheStore) {
  EXPECT_THAT(VerifyFile(place_, context_), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace tusk::lance
