// What is written is read back: reader and writer together.

#include <algorithm>
#include <cstring>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/file/writer.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/random_arrays.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

/// Every type that pages cover, narrow and wide.
std::shared_ptr<arrow::Schema> AllTypes() {
  arrow::FieldVector fields;
  const auto add = [&](std::shared_ptr<arrow::DataType> type) {
    const std::string name = std::to_string(fields.size()) + " " + type->ToString();
    fields.push_back(arrow::field(name, std::move(type)));
  };
  for (const auto& type :
       {arrow::boolean(), arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64(),
        arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64(), arrow::float16(),
        arrow::float32(), arrow::float64(), arrow::date32(), arrow::date64()}) {
    add(type);
  }
  add(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  add(arrow::time32(arrow::TimeUnit::MILLI));
  add(arrow::time64(arrow::TimeUnit::NANO));
  add(arrow::duration(arrow::TimeUnit::SECOND));
  add(arrow::decimal128(38, 2));
  add(arrow::decimal256(76, 2));
  add(arrow::fixed_size_binary(5));
  add(arrow::fixed_size_binary(255));
  add(arrow::fixed_size_binary(256));
  add(arrow::utf8());
  add(arrow::large_utf8());
  add(arrow::binary());
  add(arrow::large_binary());
  add(arrow::fixed_size_list(arrow::float32(), 3));
  add(arrow::fixed_size_list(arrow::float32(), 64));
  add(arrow::fixed_size_list(arrow::float64(), 33));
  add(arrow::fixed_size_list(arrow::uint8(), 7));
  add(arrow::fixed_size_list(arrow::boolean(), 3));
  add(arrow::fixed_size_list(arrow::fixed_size_list(arrow::int16(), 2), 3));
  return arrow::schema(std::move(fields));
}

class LanceFileTest : public testing::Test {
 protected:
  /// Writes the batches as one file.
  Result<FileSummary> Write(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                            int64_t page_bytes = 8 << 20) {
    ARROW_ASSIGN_OR_RAISE(Schema schema, Schema::FromArrow(*batches[0]->schema()));
    ARROW_ASSIGN_OR_RAISE(auto writer, FileWriter::Open(store_.get(), kPath, std::move(schema),
                                                        {.page_bytes = page_bytes}, context_));
    for (const auto& batch : batches) ARROW_RETURN_NOT_OK(writer->Write(*batch));
    return writer->Finish();
  }

  Result<std::shared_ptr<const FileReader>> Open() {
    return FileReader::Open(store_.get(), kPath, context_);
  }

  static std::vector<FileReader::Column> AllColumns(const FileReader& reader) {
    std::vector<std::string> names;
    for (const Field& field : reader.schema().fields) names.push_back(field.name);
    return *reader.FindColumns(names);
  }

  static void ExpectSame(const arrow::RecordBatch& actual, const arrow::RecordBatch& expected) {
    ASSERT_OK(actual.Validate());
    ASSERT_EQ(actual.num_rows(), expected.num_rows());
    ASSERT_EQ(actual.num_columns(), expected.num_columns());
    // Bits that are no number are equal to themselves here.
    const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
    for (int i = 0; i < expected.num_columns(); ++i) {
      EXPECT_TRUE(actual.column(i)->Equals(*expected.column(i), options))
          << expected.schema()->field(i)->ToString();
    }
  }

  /// The rows of `batch` in the order asked, by Arrow's own concatenation.
  static std::shared_ptr<arrow::RecordBatch> PickRows(const arrow::RecordBatch& batch,
                                                      std::span<const int64_t> rows) {
    arrow::ArrayVector columns;
    for (const auto& column : batch.columns()) {
      arrow::ArrayVector pieces = {column->Slice(0, 0)};
      for (const int64_t row : rows) pieces.push_back(column->Slice(row, 1));
      columns.push_back(*arrow::Concatenate(pieces));
    }
    return arrow::RecordBatch::Make(batch.schema(), static_cast<int64_t>(rows.size()), columns);
  }

  static constexpr const char* kPath = "data/x.lance";
  std::shared_ptr<io::ObjectStore> store_ = io::MakeMemoryStore();
  OperationContext context_;
  std::mt19937_64 random_{20'26};
};

TEST_F(LanceFileTest, ReadsBackEveryTypeAtEverySize) {
  for (const int64_t num_rows : {0, 1, 2, 7, 8, 9, 1023, 1024, 1025, 4095, 4096, 4097}) {
    for (const double null_fraction : {0.0, 0.3, 1.0}) {
      for (const int64_t page_bytes : {int64_t{8} << 20, int64_t{1000}}) {
        SCOPED_TRACE(testing::Message() << num_rows << " rows, nulls " << null_fraction
                                        << ", pages of " << page_bytes);
        const auto batch =
            RandomBatch(AllTypes(), num_rows, {.null_fraction = null_fraction}, &random_);
        ASSERT_OK_AND_ASSIGN(const FileSummary summary, Write({batch}, page_bytes));
        EXPECT_EQ(summary.num_rows, num_rows);
        ASSERT_OK_AND_ASSIGN(const auto reader, Open());
        const auto columns = AllColumns(*reader);
        ASSERT_OK_AND_ASSIGN(
            const auto all,
            reader->ReadRange(columns, {.begin = 0, .end = reader->num_rows()}, context_));
        ExpectSame(*all, *batch);
        if (num_rows == 0) continue;
        const int64_t begin = static_cast<int64_t>(random_() % num_rows);
        const int64_t end = begin + static_cast<int64_t>(random_() % (num_rows - begin + 1));
        ASSERT_OK_AND_ASSIGN(const auto some, reader->ReadRange(columns, {begin, end}, context_));
        ExpectSame(*some, *batch->Slice(begin, end - begin));
        std::vector<int64_t> rows(17);
        for (int64_t& row : rows) row = static_cast<int64_t>(random_() % num_rows);
        ASSERT_OK_AND_ASSIGN(const auto taken, reader->Take(columns, rows, context_));
        ExpectSame(*taken, *PickRows(*batch, rows));
      }
    }
  }
}

TEST_F(LanceFileTest, ReadsBackSlicesInManyBatches) {
  const auto whole = RandomBatch(AllTypes(), 3000, {.null_fraction = 0.2}, &random_);
  std::vector<std::shared_ptr<arrow::RecordBatch>> slices;
  for (int64_t row = 0; row < whole->num_rows();) {
    const auto length = std::min<int64_t>(random_() % 300, whole->num_rows() - row);
    slices.push_back(whole->Slice(row, length));
    row += length;
  }
  ASSERT_OK(Write(slices, /*page_bytes=*/2000));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  ASSERT_OK_AND_ASSIGN(const auto all,
                       reader->ReadRange(AllColumns(*reader), {.begin = 0, .end = 3000}, context_));
  ExpectSame(*all, *whole);
}

TEST_F(LanceFileTest, ReadsBackNullsThatBeginInALaterBatch) {
  const auto schema = AllTypes();
  const auto first = RandomBatch(schema, 333, {}, &random_);
  const auto second = RandomBatch(schema, 500, {.null_fraction = 0.5}, &random_);
  const auto third = RandomBatch(schema, 77, {}, &random_);
  ASSERT_OK(Write({first, second, third}));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  const auto columns = AllColumns(*reader);
  ASSERT_OK_AND_ASSIGN(const auto a, reader->ReadRange(columns, {0, 333}, context_));
  ASSERT_OK_AND_ASSIGN(const auto b, reader->ReadRange(columns, {333, 833}, context_));
  ASSERT_OK_AND_ASSIGN(const auto c, reader->ReadRange(columns, {833, 910}, context_));
  ExpectSame(*a, *first);
  ExpectSame(*b, *second);
  ExpectSame(*c, *third);
}

TEST_F(LanceFileTest, ReadsBackPagesThatMixWideAndNarrowTexts) {
  const auto schema = arrow::schema({arrow::field("t", arrow::utf8())});
  const auto narrow = RandomBatch(schema, 400, {.null_fraction = 0.1}, &random_);
  const auto wide = RandomBatch(schema, 40, {.null_fraction = 0.1, .max_length = 5000}, &random_);
  ASSERT_OK(Write({narrow, wide, narrow, wide}, /*page_bytes=*/4096));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  ASSERT_OK_AND_ASSIGN(const auto all,
                       reader->ReadRange(AllColumns(*reader), {.begin = 0, .end = 880}, context_));
  ExpectSame(*all->Slice(0, 400), *narrow);
  ExpectSame(*all->Slice(400, 40), *wide);
  ExpectSame(*all->Slice(440, 400), *narrow);
  ExpectSame(*all->Slice(840, 40), *wide);
}

TEST_F(LanceFileTest, TakesInTheOrderAskedWithDuplicates) {
  const auto batch = RandomBatch(AllTypes(), 5000, {.null_fraction = 0.2}, &random_);
  ASSERT_OK(Write({batch}, /*page_bytes=*/3000));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  const auto columns = AllColumns(*reader);
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{},
                                           {4999},
                                           {4999, 0},
                                           {7, 7, 7},
                                           {0, 1, 2, 3},
                                           {3, 2, 1, 0},
                                           {1024, 1023, 1024, 4096, 4095, 0, 1023}}) {
    ASSERT_OK_AND_ASSIGN(const auto taken, reader->Take(columns, rows, context_));
    ExpectSame(*taken, *PickRows(*batch, rows));
  }
}

TEST_F(LanceFileTest, TakesAFewRowsWithAFewBytesAndKnowsTheMetadataAfterwards) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("text", arrow::utf8()),
                     arrow::field("vector", arrow::fixed_size_list(arrow::float32(), 128)),
                     arrow::field("image", arrow::binary())});
  arrow::ArrayVector arrays;
  for (const auto& field : schema->fields()) {
    const int64_t max_length = field->name() == "image" ? 2000 : 40;
    arrays.push_back(RandomArray(field->type(), 20'000, {.max_length = max_length}, &random_));
  }
  const auto batch = arrow::RecordBatch::Make(schema, 20'000, arrays);
  ASSERT_OK(Write({batch}));

  IoCounters counters;
  context_.io = &counters;
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  EXPECT_EQ(counters.read_requests, 1);
  const auto columns = AllColumns(*reader);
  const std::vector<int64_t> rows = {12'345};
  ASSERT_OK(reader->Take(columns, rows, context_));

  const int64_t requests_before = counters.read_requests;
  const int64_t bytes_before = counters.read_bytes;
  ASSERT_OK_AND_ASSIGN(const auto taken, reader->Take(columns, rows, context_));
  ExpectSame(*taken, *PickRows(*batch, rows));
  // One chunk of numbers, one of texts, one vector and one image.
  EXPECT_LE(counters.read_requests - requests_before, 4);
  EXPECT_LE(counters.read_bytes - bytes_before, 8192 + 8192 + 512 + 2100);
}

TEST_F(LanceFileTest, ReadsTheColumnsAskedOnly) {
  const auto batch = RandomBatch(AllTypes(), 10'000, {}, &random_);
  ASSERT_OK(Write({batch}));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  const std::vector<std::string> names = {batch->schema()->field(4)->name(),
                                          batch->schema()->field(2)->name()};
  ASSERT_OK_AND_ASSIGN(const auto columns, reader->FindColumns(names));
  EXPECT_EQ(columns[0].columns, std::vector<int32_t>{4});
  EXPECT_EQ(columns[1].columns, std::vector<int32_t>{2});
  IoCounters counters;
  context_.io = &counters;
  ASSERT_OK_AND_ASSIGN(const auto some, reader->ReadRange(columns, {0, 10'000}, context_));
  EXPECT_TRUE(some->column(0)->Equals(batch->column(4)));
  EXPECT_TRUE(some->column(1)->Equals(batch->column(2)));
  EXPECT_LT(counters.read_bytes, 10'000 * (8 + 2) * 11 / 10);
  const std::vector<std::string> missing = {"none"};
  EXPECT_THAT(reader->FindColumns(missing), FailsWith(ErrorCode::kNotFound));
}

TEST_F(LanceFileTest, HandsOutVectorsWithoutACopy) {
  const auto schema = arrow::schema(
      {arrow::field("v", arrow::fixed_size_list(arrow::float32(), 256), /*nullable=*/false)});
  const auto batch = RandomBatch(schema, 1000, {}, &random_);
  ASSERT_OK(Write({batch}));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  const auto columns = AllColumns(*reader);
  // The memory store answers with a view of the object, so both reads see the same bytes.
  ASSERT_OK_AND_ASSIGN(const auto all, reader->ReadRange(columns, {0, 1000}, context_));
  ASSERT_OK_AND_ASSIGN(const auto tail, reader->ReadRange(columns, {500, 1000}, context_));
  const auto values = [](const arrow::RecordBatch& from) {
    return from.column_data(0)->child_data[0]->buffers[1]->data();
  };
  EXPECT_EQ(values(*tail) - values(*all), 500 * 1024);
  ExpectSame(*all, *batch);
}

TEST_F(LanceFileTest, ServesThreadsThatShareOneReader) {
  const auto batch = RandomBatch(AllTypes(), 3000, {.null_fraction = 0.2}, &random_);
  ASSERT_OK(Write({batch}, /*page_bytes=*/2000));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  const auto columns = AllColumns(*reader);
  std::vector<std::jthread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      // All of them make the same metadata and indices at once.
      for (int64_t begin = 0; begin < 3000; begin += 500) {
        const std::vector<int64_t> rows = {begin + t, begin};
        const auto taken = reader->Take(columns, rows, context_);
        ASSERT_OK(taken);
        EXPECT_TRUE((*taken)->column(4)->Equals(*PickRows(*batch, rows)->column(4)));
        EXPECT_OK(reader->ReadRange(columns, {begin, begin + 500}, context_));
      }
    });
  }
}

TEST_F(LanceFileTest, RefusesRowsOutsideTheFile) {
  ASSERT_OK(Write({RandomBatch(AllTypes(), 10, {}, &random_)}));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  const auto columns = AllColumns(*reader);
  for (const RowRange rows : {RowRange{-1, 2}, RowRange{0, 11}, RowRange{5, 4}}) {
    EXPECT_THAT(reader->ReadRange(columns, rows, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const int64_t row : {-1, 10}) {
    const std::vector<int64_t> rows = {0, row};
    EXPECT_THAT(reader->Take(columns, rows, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(LanceFileTest, RefusesAColumnReadAsAnotherType) {
  const auto batch =
      RandomBatch(arrow::schema({arrow::field("x", arrow::int32())}), 10, {}, &random_);
  ASSERT_OK(Write({batch}));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  auto columns = AllColumns(*reader);
  for (const char* type : {"int64", "bool", "string", "fixed_size_list:int32:2"}) {
    columns[0].field.logical_type = type;
    EXPECT_THAT(reader->ReadRange(columns, {0, 10}, context_), FailsWith(ErrorCode::kCorrupt))
        << type;
  }
  columns[0].field.logical_type = "int32";
  columns[0].columns = {1};
  EXPECT_THAT(reader->ReadRange(columns, {0, 10}, context_), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(LanceFileTest, RefusesBatchesThatAreNotOfTheSchema) {
  const auto int_schema = arrow::schema({arrow::field("x", arrow::int32(), /*nullable=*/false)});
  ASSERT_OK_AND_ASSIGN(Schema schema, Schema::FromArrow(*int_schema));
  const auto write = [&](const arrow::RecordBatch& batch) -> Status {
    ARROW_ASSIGN_OR_RAISE(auto writer, FileWriter::Open(store_.get(), kPath, schema, {}, context_));
    const Status status = writer->Write(batch);
    // What failed once cannot be finished.
    EXPECT_EQ(writer->Finish().ok(), status.ok());
    return status;
  };
  const auto of_type = [&](std::shared_ptr<arrow::DataType> type, double null_fraction) {
    return RandomBatch(arrow::schema({arrow::field("x", std::move(type))}), 20,
                       {.null_fraction = null_fraction}, &random_);
  };
  EXPECT_OK(write(*of_type(arrow::int32(), 0)));
  EXPECT_THAT(write(*of_type(arrow::int64(), 0)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(write(*of_type(arrow::int32(), 1)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(write(*RandomBatch(AllTypes(), 1, {}, &random_)),
              FailsWith(ErrorCode::kInvalidArgument));
  const auto batch = of_type(arrow::int32(), 0);
  EXPECT_THAT(write(*arrow::RecordBatch::Make(batch->schema(), 21, batch->columns())),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(store_->Head("data/never", context_), FailsWith(ErrorCode::kNotFound));
}

TEST_F(LanceFileTest, WritesNothingVisibleWhenARequestFails) {
  const auto batch = RandomBatch(AllTypes(), 2000, {.null_fraction = 0.1}, &random_);
  auto faulty = std::make_shared<FaultyStore>(store_);
  store_ = faulty;
  for (int64_t n = 0;; ++n) {
    faulty->Reset();
    faulty->FailRequest(n);
    const auto written = Write({batch}, /*page_bytes=*/10'000);
    if (!faulty->has_failed()) {
      ASSERT_OK(written);
      break;
    }
    EXPECT_THAT(written, FailsWith(ErrorCode::kIo));
    faulty->Reset();
    EXPECT_THAT(store_->Head(kPath, context_), FailsWith(ErrorCode::kNotFound)) << n;
  }
}

TEST_F(LanceFileTest, AnswersTheErrorOfAnyReadThatFails) {
  const auto batch = RandomBatch(AllTypes(), 2000, {.null_fraction = 0.1}, &random_);
  ASSERT_OK(Write({batch}));
  auto faulty = std::make_shared<FaultyStore>(store_);
  store_ = faulty;
  for (int64_t n = 0;; ++n) {
    faulty->Reset();
    faulty->FailRequest(n);
    const auto read = [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
      ARROW_ASSIGN_OR_RAISE(const auto reader, Open());
      return reader->ReadRange(AllColumns(*reader), {0, 2000}, context_);
    };
    const auto result = read();
    if (!faulty->has_failed()) {
      ASSERT_OK(result);
      ExpectSame(**result, *batch);
      break;
    }
    EXPECT_THAT(result, FailsWith(ErrorCode::kIo));
  }
}

TEST_F(LanceFileTest, KeepsNothingOfTheMemoryOfOperations) {
  // Wide texts, whose pages have an index that is kept.
  const auto schema = arrow::schema({arrow::field("a", arrow::utf8())});
  const auto batch = RandomBatch(schema, 50, {.null_fraction = 0.2, .max_length = 3000}, &random_);
  ASSERT_OK(Write({batch}));
  const auto counted = std::make_unique<BoundedPool>(1 << 20);
  OperationContext context;
  context.pool = counted.get();
  ASSERT_OK_AND_ASSIGN(const auto reader, FileReader::Open(store_.get(), kPath, context));
  EXPECT_EQ(counted->bytes_allocated(), 0);
  {
    ASSERT_OK_AND_ASSIGN(const auto first,
                         reader->ReadRange(AllColumns(*reader), {0, 50}, context));
    EXPECT_GT(counted->bytes_allocated(), 0);
  }
  EXPECT_EQ(counted->bytes_allocated(), 0);
  ASSERT_OK_AND_ASSIGN(const auto second,
                       reader->ReadRange(AllColumns(*reader), {0, 50}, context_));
  EXPECT_TRUE(second->Equals(*batch));
}

TEST_F(LanceFileTest, StopsWhenAsked) {
  ASSERT_OK(Write({RandomBatch(AllTypes(), 2000, {}, &random_)}));
  ASSERT_OK_AND_ASSIGN(const auto reader, Open());
  std::stop_source stop;
  stop.request_stop();
  context_.stop = stop.get_token();
  EXPECT_THAT(reader->ReadRange(AllColumns(*reader), {0, 2000}, context_),
              FailsWith(ErrorCode::kCancelled));
}

/// Opens `bytes` as a file and reads all of it, twice.
Status ReadAll(std::string_view bytes) {
  OperationContext context;
  const auto store = io::MakeMemoryStore();
  ARROW_RETURN_NOT_OK(store->Put("x", bytes, context));
  ARROW_ASSIGN_OR_RAISE(const auto reader, FileReader::Open(store.get(), "x", context));
  std::vector<std::string> names;
  for (const Field& field : reader->schema().fields) names.push_back(field.name);
  ARROW_ASSIGN_OR_RAISE(const auto columns, reader->FindColumns(names));
  // A damaged row count may be large and yet true (a page of nulls): look at a part.
  const int64_t end = std::min<int64_t>(reader->num_rows(), 3000);
  ARROW_ASSIGN_OR_RAISE(const auto batch, reader->ReadRange(columns, {0, end}, context));
  ARROW_RETURN_NOT_OK(batch->Validate());
  if (end == 0) return Status::OK();
  const std::vector<int64_t> rows = {end - 1, 0, end / 2, end / 2, end / 3};
  ARROW_ASSIGN_OR_RAISE(const auto taken, reader->Take(columns, rows, context));
  return taken->Validate();
}

TEST_F(LanceFileTest, RefusesEveryTruncation) {
  ASSERT_OK(Write({RandomBatch(AllTypes(), 3, {.null_fraction = 0.3}, &random_)}));
  ASSERT_OK_AND_ASSIGN(const auto bytes, store_->Get(kPath, context_));
  const std::string_view whole(*bytes);
  ASSERT_OK(ReadAll(whole));
  for (size_t length = 0; length < whole.size(); ++length) {
    ASSERT_THAT(ReadAll(whole.substr(0, length)), FailsWith(ErrorCode::kCorrupt)) << length;
  }
}

TEST_F(LanceFileTest, RefusesColumnsThatShareTheirMetadata) {
  const auto schema = arrow::schema(
      {arrow::field("a", arrow::int32(), false), arrow::field("b", arrow::int32(), false)});
  ASSERT_OK(Write({RandomBatch(schema, 3, {}, &random_)}));
  ASSERT_OK_AND_ASSIGN(const auto bytes, store_->Get(kPath, context_));
  std::string shared = bytes->ToString();
  ASSERT_OK(ReadAll(shared));
  ASSERT_OK_AND_ASSIGN(const Footer footer, Footer::Parse(shared, std::ssize(shared)));
  // Both say that they are most of the file.
  for (const size_t column : {0, 1}) {
    const uint64_t entry[] = {0, shared.size() * 2 / 3};
    std::memcpy(shared.data() + footer.column_table + column * sizeof(entry), entry, sizeof(entry));
  }
  ASSERT_OK(store_->Put("shared", shared, context_));
  EXPECT_THAT(FileReader::Open(store_.get(), "shared", context_), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(LanceFileTest, SurvivesDamageAnywhere) {
  // Every page kind, so that damage hits every parser: flat, text, wide, null, with and without
  // levels.
  const auto type = arrow::fixed_size_list(arrow::float32(), 64);
  const auto schema = arrow::schema(
      {arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8()), arrow::field("c", type),
       arrow::field("d", arrow::boolean(), false), arrow::field("e", arrow::large_binary(), false),
       arrow::field("f", type, false)});
  const auto narrow = RandomBatch(schema, 5, {.null_fraction = 0.4}, &random_);
  const auto wide = RandomBatch(schema, 2, {.null_fraction = 0.3, .max_length = 600}, &random_);
  const auto null = RandomBatch(schema, 2, {.null_fraction = 1}, &random_);
  ASSERT_OK(Write({narrow, wide, null}, /*page_bytes=*/1000));
  ASSERT_OK_AND_ASSIGN(const auto bytes, store_->Get(kPath, context_));
  const std::string whole = bytes->ToString();
  int refused = 0;
  const auto read_damaged = [&](const std::string& damaged, size_t at) {
    const Status status = ReadAll(damaged);
    if (status.ok()) return;
    ++refused;
    const auto code = GetErrorCode(status);
    EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported ||
                code == ErrorCode::kInvalidArgument || code == ErrorCode::kOutOfBudget ||
                code == ErrorCode::kNotFound)
        << at << ": " << status.ToString();
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0xFF, whole[at] ^ 0x01}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(value);
      if (damaged != whole) read_damaged(damaged, at);
    }
  }
  EXPECT_GT(refused, 1000) << whole.size();
}

}  // namespace
}  // namespace tusk::lance
