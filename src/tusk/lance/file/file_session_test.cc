// Files on their own: tusk/lance/file.h, file_session.h and the cache below them.

#include "tusk/lance/file_session.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/file_cache.h"
#include "tusk/lance/file/writer.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class FileSessionTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
             int64_t page_bytes = 8 << 20) {
    ASSERT_OK_AND_ASSIGN(Schema schema, Schema::FromArrow(*rows[0]->schema()));
    ASSERT_OK_AND_ASSIGN(auto writer, FileWriter::Open(store_.get(), path, std::move(schema),
                                                       {.page_bytes = page_bytes}, {}));
    for (const auto& batch : rows) ASSERT_OK(writer->Write(*batch));
    ASSERT_OK(writer->Finish());
  }

  static std::shared_ptr<arrow::Table> TableOf(std::shared_ptr<arrow::RecordBatch> batch) {
    return arrow::Table::FromRecordBatches({std::move(batch)}).ValueOrDie();
  }

  FileSession Session(const FileCacheOptions& options = {}) {
    return FileSession({.store = store_, .path = "base"}, options);
  }

  std::shared_ptr<io::ObjectStore> store_ = io::MakeMemoryStore();
  IoCounters io_;
  OperationContext context_ = [&] {
    OperationContext context;
    context.io = &io_;
    return context;
  }();
};

TEST_F(FileSessionTest, ReadsAnyRangeInAnyBatchSize) {
  Write("base/f", {NumberedRows(0, 3000)}, 4096);
  ASSERT_OK_AND_ASSIGN(const auto file, File::Open({.store = store_, .path = "base/f"}, context_));
  EXPECT_EQ(file->num_rows(), 3000);
  EXPECT_EQ(file->path(), "base/f");
  EXPECT_EQ(file->data_storage_version(), "2.2");
  EXPECT_TRUE(file->schema()->Equals(*NumberedSchema()));
  for (const int64_t begin : {0, 1, 1023, 2999, 3000}) {
    for (const int64_t end : {begin, std::min<int64_t>(begin + 700, 3000), int64_t{3000}}) {
      for (const int64_t batch_rows : {7, 1024, 8192}) {
        FileReadOptions options;
        options.batch_rows = batch_rows;
        ASSERT_OK_AND_ASSIGN(const auto reader, file->Read(begin, end - begin, options, context_));
        ASSERT_OK_AND_ASSIGN(const auto table, reader->ToTable());
        EXPECT_TRUE(table->Equals(*TableOf(NumberedRows(begin, end))));
      }
    }
  }
}

TEST_F(FileSessionTest, TakesRowsInTheOrderAsked) {
  Write("base/f", {NumberedRows(0, 3000)}, 4096);
  ASSERT_OK_AND_ASSIGN(const auto file, File::Open({.store = store_, .path = "base/f"}, context_));
  const std::vector<int64_t> rows = {2999, 0, 5, 5, 1500, 4};
  for (const int64_t batch_rows : {1, 4, 100}) {
    FileReadOptions options;
    options.batch_rows = batch_rows;
    ASSERT_OK_AND_ASSIGN(const auto reader, file->Take(rows, options, context_));
    ASSERT_OK_AND_ASSIGN(const auto table, reader->ToTable());
    EXPECT_TRUE(table->Equals(*TableOf(NumberedRows(rows))));
  }
  ASSERT_OK_AND_ASSIGN(const auto none, file->Take({}, {}, context_));
  ASSERT_OK_AND_ASSIGN(const auto empty, none->ToTable());
  EXPECT_EQ(empty->num_rows(), 0);
  EXPECT_TRUE(empty->schema()->Equals(*NumberedSchema()));
}

TEST_F(FileSessionTest, ReadsChosenColumnsInTheOrderAsked) {
  Write("base/f", {NumberedRows(0, 100)});
  ASSERT_OK_AND_ASSIGN(const auto file, File::Open({.store = store_, .path = "base/f"}, context_));
  FileReadOptions options;
  options.columns = {"score", "id"};
  ASSERT_OK_AND_ASSIGN(const auto schema, file->ProjectedSchema(options));
  EXPECT_EQ(schema->field_names(), options.columns);
  ASSERT_OK_AND_ASSIGN(const auto reader, file->Read(10, 20, options, context_));
  ASSERT_OK_AND_ASSIGN(const auto table, reader->ToTable());
  ASSERT_OK_AND_ASSIGN(const auto expected, TableOf(NumberedRows(10, 30))->SelectColumns({3, 0}));
  EXPECT_TRUE(table->Equals(*expected));
  options.columns = {"none"};
  EXPECT_THAT(file->Read(0, 1, options, context_), FailsWith(ErrorCode::kNotFound));
  // Rows can be counted without a column.
  options.columns.emplace();
  ASSERT_OK_AND_ASSIGN(const auto counted, file->Read(0, 100, options, context_));
  ASSERT_OK_AND_ASSIGN(const auto batch, counted->Next());
  EXPECT_EQ(batch->num_rows(), 100);
}

TEST_F(FileSessionTest, ReadsFewWideRowsAtFirst) {
  constexpr int64_t kRows = 600;
  constexpr size_t kRowBytes = 20'000;
  std::mt19937 random(5);
  arrow::BinaryBuilder builder;
  for (int64_t row = 0; row < kRows; ++row) {
    std::string bytes(kRowBytes, ' ');
    std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
    ASSERT_OK(builder.Append(bytes));
  }
  ASSERT_OK_AND_ASSIGN(const auto array, builder.Finish());
  const auto schema = arrow::schema({arrow::field("picture", arrow::binary())});
  Write("base/f", {arrow::RecordBatch::Make(schema, kRows, {array})}, 1 << 20);
  ASSERT_OK_AND_ASSIGN(const auto file, File::Open({.store = store_, .path = "base/f"}, context_));
  FileReadOptions options;
  options.batch_bytes = 1 << 20;
  ASSERT_OK_AND_ASSIGN(const auto reader, file->Read(0, kRows, options, context_));
  ASSERT_OK_AND_ASSIGN(auto batch, reader->Next());
  // Rows to measure, the first batch and, by now perhaps, twice as many rows ahead.
  EXPECT_LE(io_.read_bytes, 4 << 20);
  int64_t rows = 0;
  while (batch != nullptr) {
    EXPECT_LE(batch->num_rows() * int64_t{kRowBytes}, 11 << 17);
    rows += batch->num_rows();
    ASSERT_OK_AND_ASSIGN(batch, reader->Next());
  }
  EXPECT_EQ(rows, kRows);
}

TEST_F(FileSessionTest, RefusesRowsAndSizesThatMakeNoSense) {
  Write("base/f", {NumberedRows(0, 100)});
  ASSERT_OK_AND_ASSIGN(const auto file, File::Open({.store = store_, .path = "base/f"}, context_));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const std::vector<std::pair<int64_t, int64_t>> outside = {
      {-1, 1}, {0, -1}, {0, 101}, {101, 0}, {1, kMost}, {kMost, kMost}, {kMost, 1}};
  for (const auto& [first, rows] : outside) {
    EXPECT_THAT(file->Read(first, rows, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const int64_t row : {int64_t{-1}, int64_t{100}, kMost}) {
    EXPECT_THAT(file->Take({0, row}, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
  FileReadOptions options;
  options.batch_rows = 0;
  EXPECT_THAT(file->Read(0, 1, options, context_), FailsWith(ErrorCode::kInvalidArgument));
  options = {};
  options.batch_bytes = -1;
  EXPECT_THAT(file->Take({0}, options, context_), FailsWith(ErrorCode::kInvalidArgument));
  options = {};
  options.read_ahead_bytes = 0;
  EXPECT_THAT(file->Read(0, 1, options, context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(FileSessionTest, ReadsGlobalBuffers) {
  Write("base/f", {NumberedRows(0, 100)});
  ASSERT_OK_AND_ASSIGN(const auto file, File::Open({.store = store_, .path = "base/f"}, context_));
  ASSERT_OK_AND_ASSIGN(const auto descriptor, file->ReadGlobalBuffer(0, context_));
  EXPECT_THAT(descriptor->ToString(), HasSubstr("fixed_size_list:float:4"));
  ASSERT_OK_AND_ASSIGN(const auto annex, file->ReadGlobalBuffer(1, context_));
  EXPECT_THAT(annex->ToString(), StartsWith("TUSKANNX"));
  for (const int64_t index : {-1, 2}) {
    EXPECT_THAT(file->ReadGlobalBuffer(index, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(FileSessionTest, AsksForMetadataOnce) {
  Write("base/f", {NumberedRows(0, 10'000)}, 4096);
  const FileSession session = Session();
  const auto take = [&] {
    const auto file = session.OpenFile("f", context_).ValueOrDie();
    const auto reader = file->Take({7777}, {}, context_).ValueOrDie();
    EXPECT_TRUE(reader->ToTable().ValueOrDie()->Equals(*TableOf(NumberedRows({7777}))));
  };
  take();
  const int64_t first_requests = io_.read_requests;
  const int64_t first_bytes = io_.read_bytes;
  const int64_t columns = NumberedSchema()->num_fields();
  for (int i = 1; i <= 3; ++i) {
    const int64_t requests = io_.read_requests;
    const int64_t bytes = io_.read_bytes;
    take();
    // What is left is the one chunk of values of each column.
    EXPECT_LE(io_.read_requests - requests, columns);
    EXPECT_LT(io_.read_requests - requests, first_requests);
    EXPECT_LT(io_.read_bytes - bytes, first_bytes / 2);
    EXPECT_EQ(io_.head_requests, i + 1);
  }
}

TEST_F(FileSessionTest, SeesThatAFileWasReplacedOrRemoved) {
  const FileSession session = Session();
  for (const int64_t begin : {0, 10, 20}) {
    Write("base/f", {NumberedRows(begin, begin + 10)});
    ASSERT_OK_AND_ASSIGN(const auto file, session.OpenFile("f", context_));
    ASSERT_OK_AND_ASSIGN(const auto reader, file->Read(0, 10, {}, context_));
    ASSERT_OK_AND_ASSIGN(const auto table, reader->ToTable());
    EXPECT_TRUE(table->Equals(*TableOf(NumberedRows(begin, begin + 10))));
  }
  ASSERT_OK(store_->Delete("base/f", context_));
  EXPECT_THAT(session.OpenFile("f", context_), FailsWith(ErrorCode::kNotFound));
}

TEST_F(FileSessionTest, StaysBelowItsFolder) {
  Write("f", {NumberedRows(0, 10)});
  const FileSession session = Session();
  EXPECT_THAT(session.OpenFile("../f", context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(FileSessionTest, ForgetsWhatWasNotUsedForLongest) {
  for (int i = 0; i < 4; ++i) Write("f" + std::to_string(i), {NumberedRows(0, 10)});
  FileCache cache({.files = 2});
  const auto requests_to_open = [&](int i) {
    const int64_t before = io_.read_requests;
    EXPECT_OK(cache.Open(store_.get(), "f" + std::to_string(i), "", context_));
    return io_.read_requests - before;
  };
  EXPECT_EQ(requests_to_open(0), 1);
  EXPECT_EQ(requests_to_open(1), 1);
  EXPECT_EQ(requests_to_open(0), 0);
  EXPECT_EQ(requests_to_open(2), 1);
  EXPECT_EQ(cache.num_files(), 2);
  EXPECT_EQ(requests_to_open(0), 0) << "was used after file 1";
  EXPECT_EQ(requests_to_open(1), 1);
}

TEST_F(FileSessionTest, CountsTheMemoryOfWhatItKeeps) {
  for (int i = 0; i < 8; ++i) Write("f" + std::to_string(i), {NumberedRows(0, 50'000)}, 4096);
  FileCache all;
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto reader,
                         all.Open(store_.get(), "f" + std::to_string(i), "", context_));
    const std::vector<std::string> names = {"id", "name", "vector"};
    ASSERT_OK_AND_ASSIGN(const auto columns, reader->FindColumns(names));
    const int64_t before = reader->memory_bytes();
    const int64_t row = 5;
    ASSERT_OK(reader->Take(columns, {&row, 1}, context_));
    EXPECT_GT(reader->memory_bytes(), before) << "columns were loaded";
  }
  // The growth is seen when the files are asked for again.
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK(all.Open(store_.get(), "f" + std::to_string(i), "", context_));
  }
  const int64_t one = all.num_bytes() / 8;
  EXPECT_GT(one, 1000);

  FileCache some({.bytes = 3 * one + one / 2});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 8; ++i) {
      ASSERT_OK_AND_ASSIGN(const auto reader,
                           some.Open(store_.get(), "f" + std::to_string(i), "", context_));
      const std::vector<std::string> names = {"id", "name", "vector"};
      ASSERT_OK_AND_ASSIGN(const auto columns, reader->FindColumns(names));
      ASSERT_OK(reader->ReadRange(columns, {.begin = 0, .end = 1}, context_));
      ASSERT_OK(some.Open(store_.get(), "f" + std::to_string(i), "", context_));
      EXPECT_LE(some.num_bytes(), 3 * one + one / 2);
      EXPECT_LE(some.num_files(), 3);
    }
  }
}

TEST_F(FileSessionTest, KeepsAFileThatAloneIsBeyondTheBudget) {
  Write("f", {NumberedRows(0, 10)});
  FileCache cache({.bytes = 1});
  ASSERT_OK(cache.Open(store_.get(), "f", "", context_));
  const int64_t before = io_.read_requests;
  ASSERT_OK(cache.Open(store_.get(), "f", "", context_));
  EXPECT_EQ(io_.read_requests, before);
}

TEST_F(FileSessionTest, IsSharedByThreads) {
  for (int i = 0; i < 6; ++i) {
    Write("base/f" + std::to_string(i), {NumberedRows(i * 100, i * 100 + 100)});
  }
  const FileSession session = Session({.files = 3});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const int64_t number = (i * 5 + t) % 6;
        const auto file = session.OpenFile("f" + std::to_string(number), context_).ValueOrDie();
        const auto reader = file->Take({i}, {}, context_).ValueOrDie();
        EXPECT_TRUE(
            reader->ToTable().ValueOrDie()->Equals(*TableOf(NumberedRows({number * 100 + i}))));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(FileSessionTest, FailsCleanlyAtEveryRequest) {
  Write("base/f", {NumberedRows(0, 5000)}, 4096);
  const auto faulty = std::make_shared<FaultyStore>(store_);
  for (int64_t n = 0;; ++n) {
    const FileSession session({.store = faulty, .path = "base"});
    faulty->Reset();
    faulty->FailRequest(n);
    const auto read = [&]() -> Result<std::shared_ptr<arrow::Table>> {
      ARROW_ASSIGN_OR_RAISE(const auto file, session.OpenFile("f", context_));
      ARROW_RETURN_NOT_OK(file->Describe(context_));
      ARROW_ASSIGN_OR_RAISE(const auto reader, file->Read(0, 5000, {}, context_));
      return reader->ToTable();
    };
    const auto table = read();
    if (!faulty->has_failed()) {
      ASSERT_OK(table);
      EXPECT_GT(n, 4);
      break;
    }
    EXPECT_THAT(table, FailsWith(ErrorCode::kIo)) << n;
    // The session is none the worse for it.
    faulty->Reset();
    ASSERT_OK_AND_ASSIGN(const auto again, read());
    EXPECT_TRUE(again->Equals(*TableOf(NumberedRows(0, 5000))));
  }
}

}  // namespace
}  // namespace tusk::lance
