#include "tusk/iceberg/avro_file.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

constexpr std::string_view kNumberSchema =
    R"({"type":"record","name":"r","fields":[{"name":"n","type":"long","field-id":7}]})";

/// A file of records {n: long}.
std::string NumberFile(const std::vector<int64_t>& numbers) {
  AvroFileBuilder builder(kNumberSchema, {{"colour", "blue"}});
  for (const int64_t number : numbers) {
    AvroEncoder record;
    record.PutLong(number);
    EXPECT_OK(builder.Append(record.bytes()));
  }
  return builder.Finish().ValueOrDie();
}

Result<std::vector<int64_t>> ReadNumbers(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const AvroFile file, AvroFile::Parse(bytes));
  std::vector<int64_t> numbers;
  ARROW_RETURN_NOT_OK(file.ForEach([&](AvroDecoder* decoder) -> Status {
    return ReadAvroRecord(file.schema(), decoder,
                          [&](const AvroField& field) -> Status {
                            ARROW_ASSIGN_OR_RAISE(const auto number,
                                                  ReadAvroLong(*field.type, decoder));
                            numbers.push_back(number.value());
                            return Status::OK();
                          })
        .status();
  }));
  return numbers;
}

/// An uncompressed file by hand: header for `schema`, then one block.
std::string FileWithBlock(std::string_view schema, int64_t count, std::string_view records,
                          std::string_view codec = "null") {
  AvroEncoder file;
  file.PutFixed("Obj\x01");
  file.PutLong(2);
  file.PutBytes("avro.schema");
  file.PutBytes(schema);
  file.PutBytes("avro.codec");
  file.PutBytes(codec);
  file.PutLong(0);
  file.PutFixed("0123456789abcdef");
  file.PutLong(count);
  file.PutBytes(records);
  file.PutFixed("0123456789abcdef");
  return file.bytes();
}

TEST(AvroEncoderTest, CodesIntegersAsTheSpecificationShows) {
  // The table in "Binary Encoding" of the Avro specification.
  const std::map<int64_t, std::string> expected = {
      {0, "\x00"s}, {-1, "\x01"},  {1, "\x02"},      {-2, "\x03"},
      {2, "\x04"},  {-64, "\x7f"}, {64, "\x80\x01"}, {-65, "\x81\x01"}};
  for (const auto& [value, bytes] : expected) {
    AvroEncoder encoder;
    encoder.PutLong(value);
    EXPECT_EQ(encoder.bytes(), bytes) << value;
  }
  AvroEncoder text;
  text.PutBytes("foo");
  EXPECT_EQ(text.bytes(),
            "\x06"
            "foo");
}

TEST(AvroDecoderTest, ReadsBackEveryWidthOfInteger) {
  for (int bits = 0; bits < 64; ++bits) {
    for (const int64_t delta : {-1, 0, 1}) {
      const auto value = static_cast<int64_t>((uint64_t{1} << bits) + static_cast<uint64_t>(delta));
      for (const int64_t signed_value :
           {value, static_cast<int64_t>(~static_cast<uint64_t>(value))}) {
        AvroEncoder encoder;
        encoder.PutLong(signed_value);
        AvroDecoder decoder(encoder.bytes());
        ASSERT_OK_AND_ASSIGN(const int64_t read, decoder.ReadLong());
        EXPECT_EQ(read, signed_value);
        EXPECT_EQ(decoder.remaining(), 0U);
      }
    }
  }
}

TEST(AvroDecoderTest, RefusesIntegersOfMoreThanTenBytes) {
  AvroDecoder decoder("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv);
  EXPECT_THAT(decoder.ReadLong(), FailsWith(ErrorCode::kCorrupt));
}

TEST(AvroDecoderTest, RefusesLengthsAndCountsBeyondTheBytes) {
  for (const int64_t hostile : {int64_t{4}, int64_t{-1}, std::numeric_limits<int64_t>::max(),
                                std::numeric_limits<int64_t>::min()}) {
    AvroEncoder encoder;
    encoder.PutLong(hostile);
    encoder.PutFixed("abc");
    AvroDecoder bytes(encoder.bytes());
    EXPECT_THAT(bytes.ReadBytes(), FailsWith(ErrorCode::kCorrupt)) << hostile;
    if (hostile == -1) continue;  // one item, the size of its block in bytes follows
    AvroDecoder block(encoder.bytes());
    EXPECT_THAT(block.ReadBlockCount(), FailsWith(ErrorCode::kCorrupt)) << hostile;
  }
}

TEST(AvroFileTest, ReadsBackRecordsOfManyBlocks) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < 50'000; ++i) numbers.push_back(i * i * i * 1'003);
  const std::string bytes = NumberFile(numbers);
  ASSERT_OK_AND_ASSIGN(const AvroFile file, AvroFile::Parse(bytes));
  EXPECT_EQ(file.metadata().find("colour")->second, "blue");
  EXPECT_EQ(file.schema().fields.front().id, 7);
  ASSERT_OK_AND_ASSIGN(const auto read, ReadNumbers(bytes));
  EXPECT_EQ(read, numbers);
}

TEST(AvroSchemaTest, RefusesManyPartsWithoutBytes) {
  // A record of one byte, the walk over which would take 10,000 steps.
  const auto record_of = [](const std::string& name, const std::string& type, int count) {
    std::string json = R"({"type":"record","name":")" + name + R"(","fields":[)";
    for (int i = 0; i < count; ++i) {
      json += (i == 0 ? "" : ",") + R"({"name":"f)"s + std::to_string(i) + R"(","type":)" +
              (i == 0                  ? type
               : type.starts_with('{') ? R"("inner")"
                                       : type) +
              "}";
    }
    return json + R"(,{"name":"n","type":"long"}]})";
  };
  EXPECT_OK(ParseAvroSchema(record_of("outer", R"("null")", 100)));
  EXPECT_THAT(ParseAvroSchema(record_of("outer", R"("null")", 101)),
              FailsWith(ErrorCode::kCorrupt));
  const std::string inner = record_of("inner", R"("null")", 60);
  EXPECT_OK(ParseAvroSchema(record_of("outer", inner, 1)));
  EXPECT_THAT(ParseAvroSchema(record_of("outer", inner, 2)), FailsWith(ErrorCode::kCorrupt));
}

TEST(AvroFileTest, ReadsAFileWithoutRecords) {
  ASSERT_OK_AND_ASSIGN(const auto read, ReadNumbers(NumberFile({})));
  EXPECT_TRUE(read.empty());
}

TEST(AvroFileTest, RefusesEveryTruncation) {
  const std::string bytes = NumberFile({1, 2, 3});
  // A file may end right behind its header: that is one without records.
  const size_t header = NumberFile({}).size();
  for (size_t size = 0; size < bytes.size(); ++size) {
    if (size == header) continue;
    EXPECT_THAT(ReadNumbers(std::string_view(bytes).substr(0, size)),
                FailsWith(ErrorCode::kCorrupt))
        << size;
  }
}

TEST(AvroFileTest, SurvivesEveryFlippedByte) {
  const std::string bytes = NumberFile({1, 2, 3});
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const char mask : {'\x01', '\x80', '\xFF'}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      // Some bytes are text that nobody checks; what matters is an answer without a crash.
      const auto read = ReadNumbers(damaged);
      if (!read.ok()) {
        EXPECT_THAT(GetErrorCode(read.status()),
                    testing::AnyOf(ErrorCode::kCorrupt, ErrorCode::kUnsupported));
      }
    }
  }
}

TEST(AvroFileTest, NamesACodecThatItDoesNotKnow) {
  for (const std::string codec : {"snappy", "zstandard", "bzip2"}) {
    const auto file = AvroFile::Parse(FileWithBlock(kNumberSchema, 1, "\x02", codec));
    EXPECT_THAT(file, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(file.status().message(), testing::HasSubstr(codec));
  }
}

TEST(AvroFileTest, RefusesCountsThatDoNotFitTheBlock) {
  for (const int64_t count :
       {int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{3}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_THAT(ReadNumbers(FileWithBlock(kNumberSchema, count, "\x02\x04")),
                FailsWith(ErrorCode::kCorrupt))
        << count;
  }
  ASSERT_OK_AND_ASSIGN(const auto read, ReadNumbers(FileWithBlock(kNumberSchema, 2, "\x02\x04")));
  EXPECT_THAT(read, testing::ElementsAre(1, 2));
}

TEST(AvroFileTest, RefusesABlockThatInflatesBeyondTheLimit) {
  // 80 MiB of zeros are about 80 KiB of deflate data.
  AvroFileBuilder builder(kNumberSchema, {});
  ASSERT_OK(builder.Append(std::string(80 << 20, '\0')));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, builder.Finish());
  ASSERT_LT(bytes.size(), 100U << 10);
  EXPECT_THAT(ReadNumbers(bytes), FailsWith(ErrorCode::kCorrupt));
}

TEST(AvroFileTest, RefusesBytesBehindTheLastRecordOfABlock) {
  AvroFileBuilder builder(kNumberSchema, {});
  ASSERT_OK(builder.Append("\x02\x04"));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, builder.Finish());
  EXPECT_THAT(ReadNumbers(bytes), FailsWith(ErrorCode::kCorrupt));
}

TEST(SkipAvroTest, PassesOverEveryType) {
  ASSERT_OK_AND_ASSIGN(const auto type, ParseAvroSchema(R"({"type":"record","name":"r","fields":[
      {"name":"a","type":"null"},{"name":"b","type":"boolean"},{"name":"c","type":"int"},
      {"name":"d","type":"float"},{"name":"e","type":"double"},{"name":"f","type":"bytes"},
      {"name":"g","type":{"type":"fixed","name":"two","size":2}},
      {"name":"h","type":{"type":"enum","name":"en","symbols":["x"]}},
      {"name":"i","type":{"type":"array","items":"two"}},
      {"name":"j","type":{"type":"map","values":["null","long"]}}]})"));
  AvroEncoder value;
  value.PutBoolean(true);
  value.PutLong(-300);
  value.PutFixed("1234");
  value.PutFixed("12345678");
  value.PutBytes("bytes");
  value.PutFixed("ab");
  value.PutLong(0);
  value.PutLong(-2);  // two items, in a block of four bytes
  value.PutLong(4);
  value.PutFixed("cdef");
  value.PutLong(0);
  value.PutLong(1);
  value.PutBytes("key");
  value.PutPresent(true);
  value.PutLong(9);
  value.PutLong(0);
  AvroDecoder decoder(value.bytes());
  EXPECT_OK(SkipAvro(*type, &decoder));
  EXPECT_EQ(decoder.remaining(), 0U);
  for (size_t size = 0; size < value.bytes().size(); ++size) {
    AvroDecoder cut(std::string_view(value.bytes()).substr(0, size));
    EXPECT_THAT(SkipAvro(*type, &cut), FailsWith(ErrorCode::kCorrupt)) << size;
  }
}

TEST(AvroSchemaTest, RefusesRecursionAndExplosion) {
  const std::string recursive =
      R"({"type":"record","name":"r","fields":[{"name":"x","type":["null","r"]}]})";
  EXPECT_THAT(ParseAvroSchema(recursive), FailsWith(ErrorCode::kCorrupt));
  // Each record holds the one before it twice: 2^40 types in 40 lines.
  std::string doubling = R"({"type":"record","name":"r0","fields":[{"name":"x","type":"int"}]})";
  for (int i = 1; i <= 40; ++i) {
    doubling = R"({"type":"record","name":"r)" + std::to_string(i) +
               R"(","fields":[{"name":"a","type":)" + doubling + R"(},{"name":"b","type":"r)" +
               std::to_string(i - 1) + R"("}]})";
  }
  EXPECT_THAT(ParseAvroSchema(doubling), FailsWith(ErrorCode::kCorrupt));
  std::string deep;
  std::string end;
  for (int i = 0; i < 100'000; ++i) {
    deep += R"({"type":"array","items":)";
    end += "}";
  }
  deep += "\"int\"" + end;
  EXPECT_THAT(ParseAvroSchema(deep), FailsWith(ErrorCode::kCorrupt));
}

TEST(AvroSchemaTest, RefusesArraysWhoseItemsTakeNoBytes) {
  for (const std::string item : {R"("null")", R"({"type":"record","name":"e","fields":[]})",
                                 R"({"type":"fixed","name":"z","size":0})"}) {
    EXPECT_THAT(ParseAvroSchema(R"({"type":"array","items":)" + item + "}"),
                FailsWith(ErrorCode::kCorrupt))
        << item;
  }
}

TEST(AvroSchemaTest, RefusesWhatIsNoSchema) {
  for (const std::string text :
       {"", "{", "7", "[]", "{}", R"("unknown")", R"({"type":"record","name":"r"})",
        R"({"type":"fixed","name":"f"})", R"({"type":"fixed","name":"f","size":-1})",
        R"({"type":"array"})", R"({"type":"record","name":"r","fields":[{"type":"int"}]})"}) {
    EXPECT_THAT(ParseAvroSchema(text), FailsWith(ErrorCode::kCorrupt)) << text;
  }
}

}  // namespace
}  // namespace tusk::iceberg
