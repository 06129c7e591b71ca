#include "tusk/lance/blob.h"

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/compact.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_locator.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Values of so many bytes are inline, packed and dedicated, for a field made by BlobField.
constexpr int kInline = 3;
constexpr int kPacked = 50;
constexpr int kDedicated = 200;

std::shared_ptr<arrow::Field> BlobField() {
  const auto type = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  return arrow::field("b", type)->WithMetadata(
      arrow::key_value_metadata({{"ARROW:extension:name", "lance.blob.v2"},
                                 {"lance-encoding:blob-inline-size-threshold", "10"},
                                 {"lance-encoding:blob-dedicated-size-threshold", "100"},
                                 {"lance-encoding:blob-pack-file-size-threshold", "120"}}));
}

/// Rows of blobs of these sizes, all bytes of row i being the i-th letter; null where it is -1.
std::shared_ptr<arrow::RecordBatchReader> Blobs(const std::vector<int>& sizes) {
  arrow::LargeBinaryBuilder data;
  arrow::StringBuilder uris;
  arrow::TypedBufferBuilder<bool> validity;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const bool is_valid = sizes[i] >= 0;
    EXPECT_OK(validity.Append(is_valid));
    EXPECT_OK(is_valid ? data.Append(std::string(sizes[i], static_cast<char>('a' + i)))
                       : data.AppendNull());
    EXPECT_OK(uris.AppendNull());
  }
  const auto field = BlobField();
  const auto rows = std::make_shared<arrow::StructArray>(
      field->type(), std::ssize(sizes), arrow::ArrayVector{*data.Finish(), *uris.Finish()},
      *validity.Finish());
  const auto schema = arrow::schema({field});
  return *arrow::RecordBatchReader::Make(
      {arrow::RecordBatch::Make(schema, rows->length(), arrow::ArrayVector{rows})});
}

Status Write(const io::StorePath& table, const std::vector<int>& sizes,
             WriteMode mode = WriteMode::kCreate) {
  return WriteDataset(Blobs(sizes).get(), table, {.mode = mode}, {}).status();
}

std::vector<uint64_t> Rows(uint64_t count) {
  std::vector<uint64_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

Result<std::vector<FoundBlob>> Find(const io::StorePath& table, uint64_t count) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, {}));
  return FindBlobs(*dataset, "b", RowNumbers::kPositions, Rows(count), {});
}

/// What the rows have; "null" for a null one.
std::vector<std::string> Read(const io::StorePath& table, uint64_t count) {
  std::vector<std::string> values;
  for (const FoundBlob& found : *Find(table, count)) {
    values.push_back(found.blob == nullptr
                         ? "null"
                         : (*found.blob->Read({0, found.blob->size()}, {}))->ToString());
  }
  return values;
}

std::vector<std::string> FilesOf(const io::StorePath& table) {
  std::vector<std::string> files;
  for (const io::ObjectInfo& file : *table.store->List(table.path, {})) files.push_back(file.path);
  return files;
}

io::StorePath MemoryTable() { return {.store = io::MakeMemoryStore(), .path = "t"}; }

TEST(SidecarPathTest, TellsTheNumberFromItsLowestBitOn) {
  EXPECT_EQ(SidecarPath("t/data/a.lance", 1), "t/data/a/10000000000000000000000000000000.blob");
  EXPECT_EQ(SidecarPath("t/data/a.lance", 6), "t/data/a/01100000000000000000000000000000.blob");
  EXPECT_EQ(SidecarPath("b", 0x80000001), "b/10000000000000000000000000000001.blob");
}

TEST(BlobTest, HasItsBytesWhereItsSizeSays) {
  const io::StorePath table = MemoryTable();
  ASSERT_OK(Write(table, {kInline, kPacked, -1, kDedicated, kPacked, kPacked, 0}));
  EXPECT_THAT(Read(table, 7),
              ElementsAre("aaa", std::string(50, 'b'), "null", std::string(200, 'd'),
                          std::string(50, 'e'), std::string(50, 'f'), ""));
  const auto found = *Find(table, 7);
  EXPECT_EQ(found[0].blob->kind(), BlobKind::kInline);
  EXPECT_EQ(found[1].blob->kind(), BlobKind::kPacked);
  EXPECT_EQ(found[3].blob->kind(), BlobKind::kDedicated);
  // Two share a file; the third would be too much for it.
  EXPECT_EQ(found[4].blob->place().path, found[1].blob->place().path);
  EXPECT_EQ(found[4].blob->position(), 50);
  EXPECT_NE(found[5].blob->place().path, found[1].blob->place().path);
}

TEST(BlobTest, ReadsRangesThatAreInIt) {
  const io::StorePath table = MemoryTable();
  ASSERT_OK(Write(table, {kPacked}));
  const auto blob = (*Find(table, 1))[0].blob;
  EXPECT_EQ((*blob->Read({48, 2}, {}))->ToString(), "aa");
  EXPECT_EQ((*blob->Read({50, 0}, {}))->size(), 0);
  for (const io::ByteRange range :
       {io::ByteRange{49, 2}, {-1, 1}, {0, -1}, {51, 0}, {INT64_MAX, INT64_MAX}}) {
    EXPECT_THAT(blob->Read(range, {}), FailsWith(ErrorCode::kInvalidArgument));
  }
  std::vector<uint8_t> bytes(2);
  const BlobRead read{.blob = blob.get(), .offset = 49, .into = bytes};
  EXPECT_THAT(ReadBlobs({&read, 1}, {}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(BlobTest, IsNotFoundInAFileThatIsTooShort) {
  const io::StorePath table = MemoryTable();
  ASSERT_OK(Write(table, {kDedicated}));
  const std::string path = (*Find(table, 1))[0].blob->place().path;
  ASSERT_OK(table.store->Put(path, std::string(kDedicated - 1, 'a'), {}));
  const auto found = Find(table, 1);
  EXPECT_THAT(found, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(found.status().message(), HasSubstr("column 'b' in row address 0"));
  ASSERT_OK(table.store->Delete(path, {}));
  EXPECT_THAT(Find(table, 1), FailsWith(ErrorCode::kNotFound));
}

TEST(BlobTest, IsCopiedByACompactionThroughLittleMemory) {
  const io::StorePath table = MemoryTable();
  ASSERT_OK(Write(table, {kInline, kPacked}));
  ASSERT_OK(Write(table, {kDedicated, -1, 0}, WriteMode::kAppend));
  const auto before = Read(table, 5);
  ASSERT_OK(Compact(table, {}, {}).status());
  EXPECT_EQ((*Dataset::Open(table, {}, {}))->num_fragments(), 1);
  EXPECT_EQ(Read(table, 5), before);
}

TEST(BlobWriterTest, LeavesNoFileIfARequestFails) {
  const std::vector<int> sizes = {kInline, kPacked, kDedicated, kPacked, kPacked};
  bool has_failed = true;
  for (int64_t n = 0; has_failed; ++n) {
    const auto memory = io::MakeMemoryStore();
    const auto store = std::make_shared<FaultyStore>(memory);
    store->FailRequest(n);
    const Status written = Write({.store = store, .path = "t"}, sizes);
    has_failed = store->has_failed();
    const io::StorePath table{.store = memory, .path = "t"};
    if (written.ok()) {
      EXPECT_THAT(Read(table, 5), testing::Contains(std::string(kDedicated, 'c'))) << n;
    } else {
      EXPECT_THAT(FilesOf(table), IsEmpty()) << n;
    }
  }
}

TEST(BlobFilesTest, KeepsTheLastUsedOpen) {
  const auto store = std::make_shared<FaultyStore>(io::MakeMemoryStore());
  for (int i = 0; i < 200; ++i) ASSERT_OK(store->Put(std::to_string(i), "x", {}));
  BlobFiles files;
  const auto requests = [&](int i) {
    const int64_t before = store->requests();
    EXPECT_OK(files.Open({.store = store, .path = std::to_string(i)}, {}).status());
    return store->requests() - before;
  };
  for (int i = 0; i < 128; ++i) EXPECT_EQ(requests(i), 1);
  EXPECT_EQ(requests(0), 0);
  EXPECT_EQ(requests(128), 1);
  EXPECT_EQ(requests(0), 0);
  EXPECT_EQ(requests(1), 1);
}

}  // namespace
}  // namespace tusk::lance
