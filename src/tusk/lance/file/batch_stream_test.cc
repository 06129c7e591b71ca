#include "tusk/lance/file/batch_stream.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <numeric>
#include <stop_token>
#include <thread>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Le;

/// The numbers of the rows, or those that a divisor keeps, as rows of so many bytes.
class Numbers final : public RowSource {
 public:
  Numbers(int64_t row_bytes, int64_t run, int64_t divisor)
      : row_bytes_(row_bytes),
        run_(run),
        divisor_(divisor),
        schema_(arrow::schema({arrow::field("n", arrow::int64())})) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  RowSize GuessRowSize() const override {
    return {.bytes = guessed_bytes, .is_known = is_size_known};
  }
  int64_t PieceEnd(int64_t row) const override {
    const int64_t begin = row - row % run_;
    return begin + std::min(run_, std::numeric_limits<int64_t>::max() - begin);
  }
  Result<Piece> Read(RowRange rows, const OperationContext& /*context*/) const override {
    if (rows.end > fails_at) return IoError("row ", rows.end - 1, " cannot be read");
    if (rows.length() > most_rows) return Status::OutOfMemory(rows.length(), " rows");
    for (int64_t most = most_read; most < rows.length();) {
      if (most_read.compare_exchange_weak(most, rows.length())) break;
    }
    rows_read += rows.length();
    arrow::Int64Builder builder;
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      if (row % divisor_ == 0) ARROW_RETURN_NOT_OK(builder.Append(row));
    }
    Piece piece;
    piece.bytes = rows.length() * row_bytes_;
    if (builder.length() == 0) return piece;
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    const int64_t length = array->length();
    piece.batch = arrow::RecordBatch::Make(schema_, length, {std::move(array)});
    return piece;
  }

  int64_t fails_at = std::numeric_limits<int64_t>::max();
  int64_t most_rows = std::numeric_limits<int64_t>::max();  ///< that a read has memory for
  int64_t guessed_bytes = 8;
  bool is_size_known = true;
  mutable std::atomic<int64_t> rows_read{0};
  mutable std::atomic<int64_t> most_read{0};  ///< in one piece

 private:
  const int64_t row_bytes_;
  const int64_t run_;
  const int64_t divisor_;
  const std::shared_ptr<arrow::Schema> schema_;
};

constexpr int64_t kNoRuns = int64_t{1} << 50;

std::vector<int64_t> Values(const arrow::RecordBatch& batch) {
  const auto& array = static_cast<const arrow::Int64Array&>(*batch.column(0));
  return {array.raw_values(), array.raw_values() + array.length()};
}

struct Read {
  std::vector<int64_t> values;
  std::vector<int64_t> lengths;  ///< of the batches
};

Read ReadAll(arrow::RecordBatchReader* reader) {
  Read read;
  while (true) {
    const auto batch = reader->Next().ValueOrDie();
    if (batch == nullptr) return read;
    read.lengths.push_back(batch->num_rows());
    for (const int64_t value : Values(*batch)) read.values.push_back(value);
  }
}

std::vector<int64_t> Range(int64_t begin, int64_t end) {
  std::vector<int64_t> values(end - begin);
  std::iota(values.begin(), values.end(), begin);
  return values;
}

TEST(BatchStreamTest, GivesBatchesOfExactlyTheRowsAsked) {
  const auto source = std::make_shared<Numbers>(8, kNoRuns, 1);
  for (const int64_t batch_rows : {1, 3, 1000, 1024, 4096, 100'000, 1'000'000}) {
    const auto reader = MakeBatchStream(
        source, {.rows = {.begin = 7, .end = 10'007}, .batch_rows = batch_rows}, {});
    const Read read = ReadAll(reader.get());
    EXPECT_EQ(read.values, Range(7, 10'007)) << batch_rows;
    for (size_t i = 0; i + 1 < read.lengths.size(); ++i) EXPECT_EQ(read.lengths[i], batch_rows);
  }
}

TEST(BatchStreamTest, GivesPiecesUncutIfAskedForThem) {
  const auto source = std::make_shared<Numbers>(8, 100'000, 2);
  const auto reader = MakeBatchStream(source,
                                      {.rows = {.begin = 500, .end = 300'000},
                                       .skip = 3,
                                       .limit = 100'000,
                                       .batch_rows = 7,
                                       .starts_wide = true,
                                       .gives_pieces = true},
                                      {});
  const Read read = ReadAll(reader.get());
  ASSERT_EQ(read.values.size(), 100'000);
  EXPECT_EQ(read.values.front(), 506);
  EXPECT_EQ(read.values.back(), 506 + 2 * 99'999);
  EXPECT_LT(read.lengths.size(), 100'000 / 7 / 10);
}

TEST(BatchStreamTest, JoinsSmallPiecesIfAskedForPieces) {
  const auto source = std::make_shared<Numbers>(8, 10, 1);
  const auto reader = MakeBatchStream(source,
                                      {.rows = {.begin = 5, .end = 100'000},
                                       .skip = 7,
                                       .batch_rows = 3,
                                       .starts_wide = true,
                                       .gives_pieces = true},
                                      {});
  const Read read = ReadAll(reader.get());
  EXPECT_EQ(read.values, Range(12, 100'000));
  // 256 KiB hold 32,768 of the numbers.
  EXPECT_LE(read.lengths.size(), 100'000 / 32'000 + 2);
}

TEST(BatchStreamTest, LearnsFromAFewRowsHowManyMakeAPiece) {
  const auto source = std::make_shared<Numbers>(8, kNoRuns, 1);
  source->is_size_known = false;
  source->guessed_bytes = 1 << 10;
  const BatchStreamOptions options{.rows = {.begin = 3, .end = 1'000'000},
                                   .batch_rows = 1000,
                                   .piece_bytes = 1 << 20,
                                   .starts_wide = true,
                                   .gives_pieces = true};
  const Read read = ReadAll(MakeBatchStream(source, options, {}).get());
  EXPECT_EQ(read.values, Range(3, 1'000'000));
  EXPECT_EQ(source->rows_read, 999'997) << "reads no row twice";
  EXPECT_GT(source->most_read, 10'000) << "by the guess, a piece has 2,000";
}

TEST(BatchStreamTest, EndsBatchesWherePiecesMustEnd) {
  const auto source = std::make_shared<Numbers>(8, 10, 1);
  const auto reader =
      MakeBatchStream(source, {.rows = {.begin = 5, .end = 32}, .batch_rows = 7}, {});
  const Read read = ReadAll(reader.get());
  EXPECT_EQ(read.values, Range(5, 32));
  EXPECT_THAT(read.lengths, ElementsAre(5, 7, 3, 7, 3, 2));
}

TEST(BatchStreamTest, CutsBatchesByTheBytesThatRowsTurnOutToHave) {
  const auto source = std::make_shared<Numbers>(1000, kNoRuns, 1);
  const auto reader =
      MakeBatchStream(source, {.rows = {.begin = 0, .end = 5000}, .batch_bytes = 50'000}, {});
  const Read read = ReadAll(reader.get());
  EXPECT_EQ(read.values, Range(0, 5000));
  EXPECT_THAT(read.lengths, Each(Le(50)));
}

TEST(BatchStreamTest, SkipsAndLimitsWhatAFilterLeft) {
  const auto source = std::make_shared<Numbers>(8, 1000, 3);
  BatchStreamOptions options{.rows = {.begin = 0, .end = 100'000}, .batch_rows = 64};
  options.skip = 10;
  options.limit = 100;
  const Read read = ReadAll(MakeBatchStream(source, options, {}).get());
  ASSERT_EQ(read.values.size(), 100);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(read.values[i], (i + 10) * 3);
  EXPECT_LT(source->rows_read, 10'000) << "reads no more than the limit may need";
}

TEST(BatchStreamTest, PassesPiecesOfWhichAFilterLeftNothing) {
  const auto source = std::make_shared<Numbers>(8, 10, 1'000'000);
  const Read read = ReadAll(
      MakeBatchStream(source, {.rows = {.begin = 1, .end = 1'000'002}, .batch_rows = 5}, {}).get());
  EXPECT_THAT(read.values, ElementsAre(1'000'000));
}

TEST(BatchStreamTest, ReadsAheadWithinItsBudget) {
  const auto source = std::make_shared<Numbers>(1000, kNoRuns, 1);
  const auto reader = MakeBatchStream(
      source,
      {.rows = {.begin = 0, .end = 1'000'000}, .batch_rows = 10, .read_ahead_bytes = 100'000}, {});
  int64_t given = 0;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
    if (batch == nullptr) break;
    given += batch->num_rows();
    if (given > 100'000) break;
    // The first step goes by the guessed 8 bytes a row.
    ASSERT_LE(source->rows_read - given, 200);
  }
}

TEST(BatchStreamTest, SurvivesCountsNearTheEndOfTheRange) {
  const auto source = std::make_shared<Numbers>(8, int64_t{1} << 62, 1);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const auto reader = MakeBatchStream(source,
                                      {.rows = {.begin = (int64_t{1} << 62) - 3, .end = kMost},
                                       .limit = 3,
                                       .batch_rows = 2,
                                       .batch_bytes = kMost},
                                      {});
  EXPECT_THAT(ReadAll(reader.get()).lengths, ElementsAre(2, 1));
  const auto wide = MakeBatchStream(source,
                                    {.rows = {.begin = 0, .end = 10},
                                     .batch_rows = kMost,
                                     .batch_bytes = kMost,
                                     .read_ahead_bytes = kMost},
                                    {});
  EXPECT_THAT(ReadAll(wide.get()).lengths, ElementsAre(10));
}

TEST(BatchStreamTest, GuessesByTypesAndByTheFileWhereTheyDoNotTell) {
  const auto fixed =
      arrow::schema({arrow::field("a", arrow::int32()),
                     arrow::field("b", arrow::fixed_size_list(arrow::float32(), 100)),
                     arrow::field("c", arrow::struct_({arrow::field("d", arrow::int64())}))});
  const RowSize known = GuessRowSize(*fixed, 1'000'000);
  EXPECT_TRUE(known.is_known);
  EXPECT_GE(known.bytes, 412);
  EXPECT_LE(known.bytes, 420);
  for (const auto& type : {arrow::utf8(), arrow::list(arrow::int8()),
                           arrow::struct_({arrow::field("d", arrow::binary())}),
                           arrow::fixed_size_list(arrow::utf8(), 2),
                           arrow::dictionary(arrow::int8(), arrow::utf8())}) {
    const auto schema = arrow::schema({arrow::field("a", type)});
    const RowSize guessed = GuessRowSize(*schema, 1'000'000);
    EXPECT_FALSE(guessed.is_known) << type->ToString();
    EXPECT_EQ(guessed.bytes, 1'000'000) << type->ToString();
    EXPECT_GT(GuessRowSize(*schema, 0).bytes, 1) << type->ToString();
  }
}

TEST(BatchStreamTest, MeasuresRowsOfUnknownSizeBeforeItReadsMany) {
  const auto source = std::make_shared<Numbers>(1'000'000, kNoRuns, 1);
  source->is_size_known = false;
  const auto reader =
      MakeBatchStream(source, {.rows = {.begin = 0, .end = 1000}, .batch_bytes = 64'000'000}, {});
  EXPECT_EQ(ReadAll(reader.get()).values, Range(0, 1000));
  EXPECT_LE(source->most_read, 64);
}

TEST(BatchStreamTest, ReadsFewerRowsWhereMemoryIsShort) {
  const auto source = std::make_shared<Numbers>(8, kNoRuns, 1);
  for (const int64_t most : {1, 7, 1000}) {
    source->most_rows = most;
    const auto reader =
        MakeBatchStream(source, {.rows = {.begin = 3, .end = 3000}, .batch_rows = 2000}, {});
    EXPECT_EQ(ReadAll(reader.get()).values, Range(3, 3000)) << most;
  }
  source->most_rows = 0;
  const auto reader = MakeBatchStream(source, {.rows = {.begin = 0, .end = 10}}, {});
  EXPECT_THAT(reader->Next(), FailsWith(ErrorCode::kOutOfBudget));
}

TEST(BatchStreamTest, ReadsTheNextStepWhileRowsAreGiven) {
  const auto source = std::make_shared<Numbers>(8, kNoRuns, 1);
  const auto executor = MakeExecutor(2);
  OperationContext context;
  context.executor = executor.get();
  const auto reader =
      MakeBatchStream(source, {.rows = {.begin = 0, .end = 1000}, .batch_rows = 10}, context);
  ASSERT_OK_AND_ASSIGN(const auto batch, reader->Next());
  ASSERT_EQ(batch->num_rows(), 10);
  while (source->rows_read < 30) std::this_thread::yield();
}

TEST(BatchStreamTest, GuessesOfTypesWithoutMeasure) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  auto type = arrow::fixed_size_list(arrow::float64(), kMost);
  for (int depth = 1; depth < 8; ++depth) type = arrow::fixed_size_list(type, kMost);
  EXPECT_GT(GuessRowSize(*arrow::schema(arrow::FieldVector(100, arrow::field("a", type))), 0).bytes,
            int64_t{1} << 30);
}

TEST(BatchStreamTest, GivesTheErrorOfAPiece) {
  const auto source = std::make_shared<Numbers>(8, kNoRuns, 1);
  source->fails_at = 5000;
  const auto reader =
      MakeBatchStream(source, {.rows = {.begin = 0, .end = 10'000}, .batch_rows = 100}, {});
  int64_t given = 0;
  while (true) {
    const auto batch = reader->Next();
    if (!batch.ok()) {
      EXPECT_THAT(batch, FailsWith(ErrorCode::kIo));
      // The rows behind it must not look like the next ones.
      source->fails_at = 10'000;
      EXPECT_THAT(reader->Next(), FailsWith(ErrorCode::kIo));
      break;
    }
    ASSERT_NE(*batch, nullptr);
    given += (*batch)->num_rows();
  }
  EXPECT_LT(given, 5000);
}

TEST(BatchStreamTest, StopsWhenItIsToldTo) {
  const auto source = std::make_shared<Numbers>(8, kNoRuns, 1);
  std::stop_source stop;
  OperationContext context;
  context.stop = stop.get_token();
  const auto reader =
      MakeBatchStream(source, {.rows = {.begin = 0, .end = 100'000}, .batch_rows = 10}, context);
  ASSERT_OK(reader->Next());
  stop.request_stop();
  while (true) {
    const auto batch = reader->Next();
    if (batch.ok() && *batch != nullptr) continue;  // What was there before.
    EXPECT_THAT(batch, FailsWith(ErrorCode::kCancelled));
    break;
  }
}

}  // namespace
}  // namespace tusk::lance
