// What is written is read back: reader and writer together.

#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/reader.h"
#include "tusk/lance/file/writer.h"
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

}  // namespace
}  // namespace tusk::lance
