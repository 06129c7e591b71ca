#include "tusk/lance/output_file.h"

#include <stop_token>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

class OutputFileTest : public testing::Test {
 protected:
  Result<std::unique_ptr<OutputFile>> Open(std::shared_ptr<arrow::Schema> schema,
                                           const OutputFileOptions& options = {}) {
    return OutputFile::Open(place_, std::move(schema), options, context_);
  }
  Result<std::shared_ptr<arrow::Table>> Read() {
    ARROW_ASSIGN_OR_RAISE(const auto file, File::Open(place_, context_));
    ARROW_ASSIGN_OR_RAISE(auto rows, file->Read(0, file->num_rows(), {}, context_));
    return rows->ToTable();
  }
  size_t CountObjects() { return place_.store->List("", context_)->size(); }

  io::StorePath place_ = {.store = io::MakeMemoryStore(), .path = "a.lance"};
  OperationContext context_;
};

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST_F(OutputFileTest, TakesItsColumnsFromTheFirstBatch) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open(nullptr));
  const auto rows = NumberedRows(0, 1000);
  ASSERT_OK(file->Write(*rows->Slice(0, 300)));
  ASSERT_OK(file->Write(*rows->Slice(300)));
  ASSERT_OK(file->Finish());
  EXPECT_EQ(file->num_rows(), 1000);
  ASSERT_OK_AND_ASSIGN(const auto object, place_.store->Head(place_.path, context_));
  EXPECT_EQ(file->size_bytes(), object.size);
  ASSERT_OK_AND_ASSIGN(const auto table, Read());
  ASSERT_OK_AND_ASSIGN(const auto expected, arrow::Table::FromRecordBatches({rows}));
  EXPECT_TRUE(table->Equals(*expected));
}

TEST_F(OutputFileTest, KeepsBuffersAndMetadataGivenAtAnyTime) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open(nullptr));
  ASSERT_OK_AND_ASSIGN(const int32_t first, file->AddGlobalBuffer(Bytes("one")));
  ASSERT_OK(file->AddSchemaMetadata("early", "1"));
  ASSERT_OK(file->AddSchemaMetadata("both", "1"));
  ASSERT_OK(file->Write(*NumberedRows(0, 3)));
  ASSERT_OK_AND_ASSIGN(const int32_t second, file->AddGlobalBuffer({}));
  ASSERT_OK(file->AddSchemaMetadata("both", "2"));
  ASSERT_OK(file->Write(*NumberedRows(3, 5)));
  ASSERT_OK_AND_ASSIGN(const int32_t third, file->AddGlobalBuffer(Bytes(std::string(100, 'x'))));
  ASSERT_OK(file->Finish());
  EXPECT_EQ(std::vector<int32_t>({first, second, third}), std::vector<int32_t>({1, 2, 3}));

  ASSERT_OK_AND_ASSIGN(const auto read, File::Open(place_, context_));
  EXPECT_EQ(read->ReadGlobalBuffer(1, context_).ValueOrDie()->ToString(), "one");
  EXPECT_EQ(read->ReadGlobalBuffer(2, context_).ValueOrDie()->ToString(), "");
  EXPECT_EQ(read->ReadGlobalBuffer(3, context_).ValueOrDie()->ToString(), std::string(100, 'x'));
  EXPECT_THAT(read->ReadGlobalBuffer(5, context_), FailsWith(ErrorCode::kInvalidArgument));
  const auto& metadata = *read->schema()->metadata();
  EXPECT_EQ(metadata.Get("early").ValueOr(""), "1");
  EXPECT_EQ(metadata.Get("both").ValueOr(""), "2");
}

TEST_F(OutputFileTest, HasTheDataVersionThatWasAskedFor) {
  for (const auto& [name, version] : std::vector<std::pair<std::string, std::string>>{
           {"2.1", "2.1"}, {"2.2", "2.2"}, {"Stable", "2.2"}}) {
    ASSERT_OK_AND_ASSIGN(const auto file, Open(nullptr, {.data_storage_version = name}));
    ASSERT_OK(file->Write(*NumberedRows(0, 3)));
    ASSERT_OK(file->Finish());
    EXPECT_EQ(File::Open(place_, context_).ValueOrDie()->data_storage_version(), version);
  }
}

TEST_F(OutputFileTest, RefusesOptionsBeforeAByteIsWritten) {
  for (const std::string version : {"0.1", "legacy", "2.0", "0.3", "2.3", "next", "Next"}) {
    const auto file = Open(NumberedSchema(), {.data_storage_version = version});
    EXPECT_THAT(file, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(file.status().message(), HasSubstr("'" + version + "'"));
  }
  for (const OutputFileOptions& options : {OutputFileOptions{.data_storage_version = "new"},
                                           OutputFileOptions{.data_storage_version = ""},
                                           OutputFileOptions{.pages = {.data_cache_bytes = -1}},
                                           OutputFileOptions{.pages = {.max_page_bytes = 0}}}) {
    EXPECT_THAT(Open(NumberedSchema(), options), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_EQ(CountObjects(), 0);
}

TEST_F(OutputFileTest, NamesTheColumnThatCannotBeStored) {
  const auto interval = arrow::schema({arrow::field("when", arrow::month_day_nano_interval())});
  EXPECT_THAT(Open(interval), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Open(interval).status().message(), HasSubstr("'when'"));
  const auto dotted = arrow::schema({arrow::field("a.b", arrow::int8())});
  EXPECT_THAT(Open(dotted), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Open(dotted).status().message(), HasSubstr("'a.b'"));
  const auto twice =
      arrow::schema({arrow::field("a", arrow::int8()), arrow::field("a", arrow::int8())});
  EXPECT_THAT(Open(twice), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(CountObjects(), 0);
}

TEST_F(OutputFileTest, GoesOnAfterABatchThatDoesNotFit) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open(NumberedSchema()));
  ASSERT_OK(file->Write(*NumberedRows(0, 5)));
  ASSERT_OK_AND_ASSIGN(const auto part, NumberedRows(5, 10)->SelectColumns({0}));
  EXPECT_THAT(file->Write(*part), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto reordered, NumberedRows(5, 10)->SelectColumns({4, 3, 2, 1, 0}));
  ASSERT_OK(file->Write(*reordered));
  ASSERT_OK(file->Finish());
  ASSERT_OK_AND_ASSIGN(const auto table, Read());
  ASSERT_OK_AND_ASSIGN(const auto expected, arrow::Table::FromRecordBatches({NumberedRows(0, 10)}));
  EXPECT_TRUE(table->Equals(*expected));
}

TEST_F(OutputFileTest, LeavesNothingUnlessItIsFinished) {
  {
    ASSERT_OK_AND_ASSIGN(const auto file, Open(NumberedSchema()));
    ASSERT_OK(file->Write(*NumberedRows(0, 5)));
  }
  ASSERT_OK_AND_ASSIGN(const auto file, Open(NumberedSchema()));
  file->Abandon();
  for (const Status& status :
       {file->Write(*NumberedRows(0, 5)), file->Finish(), file->AddSchemaMetadata("a", "b"),
        file->AddGlobalBuffer({}).status()}) {
    EXPECT_THAT(status, FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(status.message(), HasSubstr("given up"));
  }
  ASSERT_OK_AND_ASSIGN(const auto unknown, Open(nullptr));
  EXPECT_THAT(unknown->Finish(), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(CountObjects(), 0);
}

/// Rows of lists, structs, dictionaries and blobs, of which some are null.
std::shared_ptr<arrow::RecordBatch> NestedRows() {
  const auto blob = arrow::key_value_metadata({"lance-encoding:blob"}, {"true"});
  const auto schema = arrow::schema({
      arrow::field("list", arrow::list(arrow::utf8())),
      arrow::field("struct", arrow::struct_({arrow::field("x", arrow::int64()),
                                             arrow::field("l", arrow::list(arrow::int8()))})),
      arrow::field("word", arrow::dictionary(arrow::int32(), arrow::utf8())),
      arrow::field("blob", arrow::large_binary(), true, blob),
  });
  const auto rows = [&](int i, const char* json) {
    return *arrow::json::ArrayFromJSONString(schema->field(i)->type(), json);
  };
  return arrow::RecordBatch::Make(
      schema, 3,
      {rows(0, R"([["a", null], [], null])"),
       rows(1, R"([{"x": 1, "l": [1, 2]}, null, {"x": null, "l": null}])"),
       rows(2, R"(["x", null, "y"])"), rows(3, R"(["0123456789", null, ""])")});
}

TEST_F(OutputFileTest, LeavesNothingWhenAnyRequestFails) {
  const auto batch = NestedRows();
  const auto memory = place_.store;
  const auto faulty = std::make_shared<FaultyStore>(memory);
  place_.store = faulty;
  const std::string large(70'000, 'b');
  const auto write = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, Open(batch->schema(), {.pages = {.max_page_bytes = 1}}));
    for (int i = 0; i < 12; ++i) {
      ARROW_RETURN_NOT_OK(file->Write(*batch));
      // Buffers that are so large go to the store at once, with the pages before them.
      ARROW_RETURN_NOT_OK(file->AddGlobalBuffer(Bytes(large)));
    }
    return file->Finish();
  };
  for (const bool and_all_after : {false, true}) {
    int64_t n = 0;
    while (true) {
      faulty->Reset();
      faulty->FailRequest(n, and_all_after);
      const Status status = write();
      if (!faulty->has_failed()) {
        ASSERT_OK(status);
        break;
      }
      EXPECT_THAT(status, FailsWith(ErrorCode::kIo)) << n;
      EXPECT_EQ(memory->List("", context_)->size(), 0) << n;
      ++n;
    }
    EXPECT_GT(n, 20);
    EXPECT_EQ(memory->List("", context_)->size(), 1);
    ASSERT_OK(memory->Delete(place_.path, context_));
  }
}

TEST_F(OutputFileTest, LeavesNothingWhenItIsCancelled) {
  constexpr int kBatches = 4;
  const auto batch = NestedRows();
  for (int before = 0; before <= kBatches; ++before) {
    std::stop_source stop;
    context_.stop = stop.get_token();
    ASSERT_OK_AND_ASSIGN(const auto file, Open(batch->schema(), {.pages = {.max_page_bytes = 1}}));
    Status status;
    for (int i = 0; i < kBatches; ++i) {
      if (i == before) stop.request_stop();
      if (status.ok()) status = file->Write(*batch);
    }
    stop.request_stop();
    if (status.ok()) status = file->Finish();
    EXPECT_THAT(status, FailsWith(ErrorCode::kCancelled)) << before;
    EXPECT_THAT(file->Finish(), FailsWith(ErrorCode::kCancelled)) << before;
    EXPECT_EQ(CountObjects(), 0) << before;
  }
}

TEST_F(OutputFileTest, TakesNothingMoreOnceItIsFinished) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open(NumberedSchema()));
  ASSERT_OK(file->Finish());
  file->Abandon();
  EXPECT_THAT(file->Write(*NumberedRows(0, 5)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(file->Finish(), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(CountObjects(), 1);
}

}  // namespace
}  // namespace tusk::lance
