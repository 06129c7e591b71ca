// Columns of data version 2.0 made of literal bytes: those that pylance 14.0.2 writes, those that
// older writers may have made, and those that none may.

#include "tusk/lance/file/array/array_field_read.h"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/pretty_print.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using namespace std::string_literals;

// Messages of protobuf, byte by byte.
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string Number(int field, uint64_t value) { return Varint(field << 3) + Varint(value); }
std::string Message(int field, const std::string& bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + bytes;
}
std::string Any(const std::string& type, const std::string& message) {
  return Message(1, type) + Message(2, message);
}

// Encodings, with the numbers of the format.
constexpr int kOfPage = 0;
constexpr int kOfColumn = 1;
constexpr int kOfFile = 2;
std::string Buffer(int index, int place = kOfPage) { return Number(1, index) + Number(2, place); }
std::string Flat(int bits, int index, int place = kOfPage) {
  return Message(1, Number(1, bits) + Message(2, Buffer(index, place)));
}
std::string Compressed(int bits, int index, const std::string& scheme) {
  return Message(1, Number(1, bits) + Message(2, Buffer(index)) + Message(3, Message(1, scheme)));
}
std::string NoNulls(const std::string& values) {
  return Message(2, Message(1, Message(1, values)));
}
std::string SomeNulls(const std::string& validity, const std::string& values) {
  return Message(2, Message(2, Message(1, validity) + Message(2, values)));
}
std::string AllNulls() { return Message(2, Message(3, "")); }
std::string FixedSizeList(int size, const std::string& items) {
  return Message(3, Number(1, size) + Message(2, items));
}
std::string List(const std::string& ends, uint64_t null_adjustment, uint64_t num_items) {
  return Message(4, Message(1, ends) + Number(2, null_adjustment) + Number(3, num_items));
}
std::string Struct() { return Message(5, ""); }
std::string Binary(const std::string& ends, const std::string& bytes, uint64_t null_adjustment) {
  return Message(6, Message(1, ends) + Message(2, bytes) + Number(3, null_adjustment));
}
std::string Dictionary(const std::string& indices, const std::string& items, int num_items) {
  return Message(7, Message(1, indices) + Message(2, items) + Number(3, num_items));
}
std::string Fsst(const std::string& texts, const std::string& symbols) {
  return Message(8, Message(1, texts) + Message(2, symbols));
}
std::string PackedStruct(const std::vector<std::string>& fields, int index) {
  std::string message;
  for (const std::string& field : fields) message += Message(1, field);
  return Message(9, message + Message(2, Buffer(index)));
}
std::string Bitpacked(int bits, int value_bits, bool is_signed) {
  return Message(
      10, Number(1, bits) + Number(2, value_bits) + Message(3, Buffer(0)) + Number(4, is_signed));
}
std::string FixedSizeBinary(int width, const std::string& bytes) {
  return Message(11, Message(1, bytes) + Number(2, width));
}
std::string BitpackedForNonNeg(int bits, int value_bits) {
  return Message(12, Number(1, bits) + Number(2, value_bits) + Message(3, Buffer(0)));
}
/// As pylance has texts: ends in one buffer, bytes in the next.
std::string Texts(int index, uint64_t null_adjustment) {
  return Binary(NoNulls(Flat(64, index)), Flat(8, index + 1), null_adjustment);
}
/// As pylance has the ends of lists.
std::string Lists(uint64_t num_items) {
  return List(NoNulls(Flat(64, 0)), num_items + 1, num_items);
}

std::string U64(const std::vector<uint64_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * 8};
}
std::string U32(const std::vector<uint32_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * 4};
}

struct TestPage {
  uint64_t num_rows;
  std::string encoding;
  std::vector<std::string> buffers;
};

const std::string kValues = Message(1, "");
const std::string kBlobs = Message(3, Message(1, kValues));

/// The columns of one field in a file that has nothing else.
class ColumnFile {
 public:
  explicit ColumnFile(std::vector<std::vector<TestPage>> columns, std::string encoding = kValues)
      : encoding_(std::move(encoding)) {
    for (const auto& pages : columns) Add(pages);
  }

  /// Buffers in the other two places, for the columns added later.
  void SetOtherBuffers(const std::string& of_column, const std::string& of_file) {
    column_buffer_ = Append(of_column);
    file_buffers_.push_back(Append(of_file));
  }
  void Add(const std::vector<TestPage>& pages) {
    std::string metadata =
        Message(1, Message(2, Message(1, Any("/lance.encodings.ColumnEncoding", encoding_))));
    for (const TestPage& page : pages) {
      std::string message;
      for (const std::string& buffer : page.buffers) {
        const io::ByteRange range = Append(buffer);
        message += Number(1, range.offset) + Number(2, range.length);
      }
      const std::string any = Any("/lance.encodings.ArrayEncoding", page.encoding);
      message += Number(3, page.num_rows) + Message(4, Message(2, Message(1, any)));
      metadata += Message(2, message);
    }
    if (column_buffer_.length > 0) {
      metadata += Number(3, column_buffer_.offset) + Number(4, column_buffer_.length);
    }
    metadata_.push_back(metadata);
  }
  std::string bytes_of_column(size_t i) const { return metadata_[i]; }
  void set_bytes_of_column(size_t i, std::string metadata) { metadata_[i] = std::move(metadata); }

  /// Rows [begin, end).
  Result<std::shared_ptr<arrow::Array>> Read(const Field& field, int64_t begin, int64_t end) const {
    RowsToRead rows;
    rows.range = {.begin = begin, .end = end};
    return Read(field, rows);
  }
  Result<std::shared_ptr<arrow::Array>> Take(const Field& field,
                                             const std::vector<int64_t>& rows) const {
    std::vector<TakenRow> taken;
    for (const int64_t row : rows) {
      taken.push_back({.row = row, .position = static_cast<int64_t>(taken.size())});
    }
    std::ranges::stable_sort(taken, {}, &TakenRow::row);
    return Read(field, {.range = {}, .taken = taken});
  }
  /// All rows of the first column.
  Result<std::shared_ptr<arrow::Array>> ReadAll(const Field& field) const {
    ARROW_ASSIGN_OR_RAISE(const auto first, Parse(0));
    return Read(field, 0, first->num_rows);
  }
  /// What the last read asked for.
  const std::vector<io::ByteRange>& asked() const { return asked_; }

  Result<std::unique_ptr<const ArrayColumn>> Parse(size_t i) const {
    return ArrayColumn::Parse(metadata_[i], std::ssize(bytes_), file_buffers_);
  }

 private:
  io::ByteRange Append(const std::string& buffer) {
    const io::ByteRange range = {.offset = std::ssize(bytes_), .length = std::ssize(buffer)};
    bytes_ += buffer;
    return range;
  }

  Result<std::shared_ptr<arrow::Array>> Read(const Field& field, const RowsToRead& rows) const {
    std::vector<std::unique_ptr<const ArrayColumn>> owned;
    std::vector<const ArrayColumn*> columns;
    for (size_t i = 0; i < metadata_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto column, Parse(i));
      columns.push_back(column.get());
      owned.push_back(std::move(column));
    }
    const std::string path = "test.lance";
    const ReadSource source = {
        .path = &path, .file_size = std::ssize(bytes_), .num_rows = columns[0]->num_rows};
    ARROW_ASSIGN_OR_RAISE(const auto read, MakeArrayFieldRead(field, columns, rows, source,
                                                              arrow::default_memory_pool()));
    asked_.clear();
    for (;;) {
      std::vector<io::ByteRange> ranges;
      ARROW_RETURN_NOT_OK(read->Plan(&ranges));
      if (ranges.empty()) break;
      std::vector<std::shared_ptr<arrow::Buffer>> buffers;
      for (const io::ByteRange range : ranges) {
        EXPECT_GT(range.length, 0);
        EXPECT_LE(range.offset + range.length, std::ssize(bytes_));
        // A copy of exactly these bytes, so that a sanitizer sees what reaches beyond.
        buffers.push_back(arrow::Buffer::FromString(bytes_.substr(range.offset, range.length)));
      }
      asked_.insert(asked_.end(), ranges.begin(), ranges.end());
      ARROW_RETURN_NOT_OK(read->Accept(buffers));
    }
    ARROW_ASSIGN_OR_RAISE(const auto data, read->Finish());
    auto array = arrow::MakeArray(data);
    ARROW_RETURN_NOT_OK(array->ValidateFull());
    EXPECT_EQ(array->length(), rows.num_rows());
    return array;
  }

  std::string encoding_;
  std::string bytes_;
  io::ByteRange column_buffer_;
  std::vector<io::ByteRange> file_buffers_;
  std::vector<std::string> metadata_;
  mutable std::vector<io::ByteRange> asked_;
};

Field Leaf(std::string logical_type, std::string name = "x") {
  Field field;
  field.name = std::move(name);
  field.logical_type = std::move(logical_type);
  return field;
}
Field Nested(std::string logical_type, std::vector<Field> children, std::string name = "x") {
  Field field = Leaf(std::move(logical_type), std::move(name));
  field.children = std::move(children);
  return field;
}

/// The array on one line.
std::string Text(const Result<std::shared_ptr<arrow::Array>>& array) {
  if (!array.ok()) return array.status().ToString();
  arrow::PrettyPrintOptions options;
  options.window = 20;
  options.container_window = 20;
  std::string text;
  const Status status = arrow::PrettyPrint(**array, options, &text);
  if (!status.ok()) return status.ToString();
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

#define EXPECT_ARRAY(array, text) EXPECT_EQ(Text(array), text)

// ---------------------------------------------------------------------------- what pylance writes

/// 1, 2, null, 4.
ColumnFile IntsWithNull() {
  return ColumnFile({{{4, SomeNulls(Flat(1, 0), Flat(32, 1)), {"\x0b", U32({1, 2, 0, 4})}}}});
}

TEST(ArrayFieldReadTest, ReadsFlatValuesWithNulls) {
  const ColumnFile file = IntsWithNull();
  EXPECT_ARRAY(file.ReadAll(Leaf("int32")), "[1,2,null,4]");
  EXPECT_ARRAY(file.Read(Leaf("int32"), 1, 3), "[2,null]");
  EXPECT_ARRAY(file.Take(Leaf("int32"), {3, 0, 2, 3}), "[4,1,null,4]");
  EXPECT_ARRAY(file.Read(Leaf("int32"), 2, 2), "[]");
  EXPECT_ARRAY(file.ReadAll(Leaf("float")), "[1e-45,3e-45,null,6e-45]");
}

TEST(ArrayFieldReadTest, AsksOnlyForTheBytesOfItsRows) {
  const ColumnFile file({{{4, NoNulls(Flat(16, 0)), {"\1\0\2\0\3\0\4\0"s}}}});
  EXPECT_ARRAY(file.Take(Leaf("int16"), {3, 1, 3}), "[4,2,4]");
  ASSERT_EQ(file.asked().size(), 2);
  EXPECT_EQ(file.asked()[0].offset, 2);
  EXPECT_EQ(file.asked()[0].length, 2);
  EXPECT_EQ(file.asked()[1].offset, 6);
}

TEST(ArrayFieldReadTest, ReadsBits) {
  const ColumnFile file({{{11, NoNulls(Flat(1, 0)), {"\xa5\x06"}}}});
  EXPECT_ARRAY(file.Read(Leaf("bool"), 1, 4), "[false,true,false]");
  EXPECT_ARRAY(file.Take(Leaf("bool"), {10, 9, 7, 0}), "[true,true,true,true]");
}

TEST(ArrayFieldReadTest, ReadsPagesWithoutBytes) {
  const ColumnFile file({{{3, AllNulls(), {}}, {1, NoNulls(Flat(64, 0)), {U64({7})}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("int64")), "[null,null,null,7]");
  const ColumnFile nulls({{{3, AllNulls(), {}}}});
  ASSERT_OK_AND_ASSIGN(const auto array, nulls.ReadAll(Leaf("null")));
  EXPECT_EQ(array->type_id(), arrow::Type::NA);
  EXPECT_ARRAY(nulls.ReadAll(Leaf("fixed_size_list:float:2")), "[null,null,null]");
  EXPECT_ARRAY(nulls.ReadAll(Leaf("string")), "[null,null,null]");
}

/// "a", null, "", "bcd".
TestPage FourTexts() { return {4, Texts(0, 5), {U64({1, 6, 1, 4}), "abcd"}}; }

TEST(ArrayFieldReadTest, ReadsTexts) {
  const ColumnFile file({{FourTexts()}});
  EXPECT_ARRAY(file.ReadAll(Leaf("string")), R"(["a",null,"","bcd"])");
  EXPECT_ARRAY(file.Read(Leaf("large_string"), 2, 4), R"(["","bcd"])");
  EXPECT_ARRAY(file.Take(Leaf("binary"), {3, 1, 0}), "[626364,null,61]");
  // The ends before and of row 3, then its bytes.
  EXPECT_ARRAY(file.Take(Leaf("string"), {3}), R"(["bcd"])");
  ASSERT_EQ(file.asked().size(), 2);
  EXPECT_EQ(file.asked()[0].length, 16);
  EXPECT_EQ(file.asked()[1].length, 3);
}

TEST(ArrayFieldReadTest, ReadsTextsAcrossPages) {
  const ColumnFile file({{FourTexts(), {1, Texts(0, 3), {U64({2}), "ef"}}, FourTexts()}});
  EXPECT_ARRAY(file.Read(Leaf("string"), 3, 7), R"(["bcd","ef","a",null])");
  EXPECT_ARRAY(file.Take(Leaf("string"), {8, 4, 0}), R"(["bcd","ef","a"])");
}

TEST(ArrayFieldReadTest, ReadsTextsThroughADictionaryWhoseIndex0IsNull) {
  const ColumnFile file({{{5,
                           Dictionary(NoNulls(Flat(8, 0)), Texts(1, 5), 3),
                           {"\1\0\2\3\1"s, U64({1, 1, 4}), "abcd"}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("string")), R"(["a",null,"","bcd","a"])");
  EXPECT_ARRAY(file.Take(Leaf("string"), {3, 1}), R"(["bcd",null])");
}

TEST(ArrayFieldReadTest, ReadsDictionariesAndTheirNullItems) {
  const Field field = Leaf("dict:string:int8:false");
  const TestPage page = {
      5, Dictionary(NoNulls(Flat(8, 0)), Texts(1, 3), 3), {"\0\1\2\1\1"s, U64({1, 4, 2}), "xy"}};
  const ColumnFile file({{page}});
  EXPECT_ARRAY(file.ReadAll(field), R"(--dictionary:["x","y"]--indices:[0,null,1,null,null])");
  const ColumnFile other(
      {{page, {2, Dictionary(NoNulls(Flat(8, 0)), Texts(1, 3), 2), {"\1\0"s, U64({1, 2}), "zy"}}}});
  EXPECT_ARRAY(other.Read(field, 2, 7), R"(--dictionary:["x","y","z"]--indices:[1,null,null,1,2])");
  const ColumnFile nothing(
      {{{2, Dictionary(NoNulls(Flat(8, 0)), Texts(1, 1), 1), {"\0\0"s, U64({1}), ""}}}});
  EXPECT_ARRAY(nothing.ReadAll(field), "--dictionary:[]--indices:[null,null]");
}

TEST(ArrayFieldReadTest, ReadsFixedSizeListsWithNullRowsAndItems) {
  const std::string items = SomeNulls(Flat(1, 1), Flat(16, 2));
  const ColumnFile file({{{3,
                           SomeNulls(Flat(1, 0), FixedSizeList(2, items)),
                           {"\x05", "\x13", "\1\0\2\0\0\0\0\0\3\0\0\0"s}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("fixed_size_list:int16:2")), "[[1,2],null,[3,null]]");
  EXPECT_ARRAY(file.Take(Leaf("fixed_size_list:int16:2"), {2, 0}), "[[3,null],[1,2]]");
  const ColumnFile bits({{{5, NoNulls(FixedSizeList(3, NoNulls(Flat(1, 0)))), {"\x6d\x5b"}}}});
  EXPECT_ARRAY(bits.Take(Leaf("fixed_size_list:bool:3"), {4, 1}),
               "[[true,false,true],[true,false,true]]");
}

/// [1, 2], null, [], [3]; and [4, 5], null in a second page.
ColumnFile TwoPagesOfLists() {
  return ColumnFile({{{4, Lists(3), {U64({2, 6, 2, 3})}}, {2, Lists(2), {U64({2, 5})}}},
                     {{2, NoNulls(Flat(8, 0)), {"\1\2"}}, {3, NoNulls(Flat(8, 0)), {"\3\4\5"}}}});
}

TEST(ArrayFieldReadTest, ReadsListsAcrossPages) {
  const Field field = Nested("list", {Leaf("int8", "item")});
  const ColumnFile file = TwoPagesOfLists();
  EXPECT_ARRAY(file.ReadAll(field), "[[1,2],null,[],[3],[4,5],null]");
  EXPECT_ARRAY(file.Read(field, 1, 5), "[null,[],[3],[4,5]]");
  EXPECT_ARRAY(file.Read(field, 1, 3), "[null,[]]");
  EXPECT_ARRAY(file.Take(field, {4, 0, 5, 3, 4}), "[[4,5],[1,2],null,[3],[4,5]]");
  EXPECT_ARRAY(file.Read(field, 6, 6), "[]");
  EXPECT_ARRAY(file.ReadAll(Nested("large_list", {Leaf("uint8", "item")})),
               "[[1,2],null,[],[3],[4,5],null]");
}

TEST(ArrayFieldReadTest, KeepsTheItemsOfNullLists) {
  // The second list is null although it has an item.
  const ColumnFile file(
      {{{3, Lists(3), {U64({1, 6, 3})}}}, {{3, NoNulls(Flat(8, 0)), {"\1\2\3"}}}});
  const Field field = Nested("list", {Leaf("int8", "item")});
  EXPECT_ARRAY(file.ReadAll(field), "[[1],null,[3]]");
  EXPECT_ARRAY(file.Take(field, {2}), "[[3]]");
}

TEST(ArrayFieldReadTest, ReadsStructsAndListsWithinEachOther) {
  // {"a": 1, "b": ["a", null]}, {"a": 2, "b": ["", "bcd"]} in lists of one, none, one.
  const ColumnFile file({{{3, Lists(2), {U64({1, 1, 2})}}},
                         {{2, Struct(), {}}},
                         {{2, NoNulls(Flat(8, 0)), {"\1\2"}}},
                         {{2, Lists(4), {U64({2, 4})}}},
                         {FourTexts()}});
  const Field field =
      Nested("list.struct",
             {Nested("struct", {Leaf("int8", "a"), Nested("list", {Leaf("string", "item")}, "b")},
                     "item")});
  EXPECT_ARRAY(file.ReadAll(field),
               "[--is_valid:allnotnull--child0type:int8[1]--child1type:list<item:string>"
               "[[\"a\",null]],--is_valid:allnotnull--child0type:int8[]--child1type:list<item:"
               "string>[],--is_valid:allnotnull--child0type:int8[2]--child1type:list<item:string>"
               "[[\"\",\"bcd\"]]]");
}

TEST(ArrayFieldReadTest, ReadsStructsWithoutFields) {
  const ColumnFile file({{{2, Struct(), {}}}});
  ASSERT_OK_AND_ASSIGN(const auto array, file.ReadAll(Leaf("struct")));
  EXPECT_EQ(array->null_count(), 0);
}

TEST(ArrayFieldReadTest, ReadsPackedStructs) {
  Field field = Nested("struct", {Leaf("int32", "a"), Leaf("fixed_size_list:int8:2", "b")});
  field.metadata["packed"] = "true";
  const std::string items = FixedSizeList(2, NoNulls(Flat(8, 0)));
  const ColumnFile file({{{2,
                           PackedStruct({NoNulls(Flat(32, 0)), NoNulls(items)}, 0),
                           {"\1\0\0\0\2\3\3\0\0\0\4\5"s}}}});
  EXPECT_ARRAY(file.ReadAll(field),
               "--is_valid:allnotnull--child0type:int32[1,3]"
               "--child1type:fixed_size_list<item:int8>[2][[2,3],[4,5]]");
  field.children.pop_back();
  EXPECT_THAT(file.ReadAll(field), FailsWith(ErrorCode::kUnsupported));
}

/// "abc", null, "", all but the first without bytes.
ColumnFile Blobs(uint64_t position, uint64_t size) {
  return ColumnFile({{{3,
                       PackedStruct({NoNulls(Flat(64, 0)), NoNulls(Flat(64, 0))}, 1),
                       {"abc", U64({position, size, 1, 0, 0, 0})}}}},
                    kBlobs);
}

TEST(ArrayFieldReadTest, ReadsBlobsAndWhereTheyAre) {
  Field field = Leaf("large_binary");
  field.metadata["lance-encoding:blob"] = "true";
  const ColumnFile file = Blobs(0, 3);
  EXPECT_ARRAY(file.ReadAll(field), "[616263,null,]");
  EXPECT_ARRAY(file.Take(field, {2, 0}), "[,616263]");
  EXPECT_ARRAY(file.ReadAll(DescriptorOf(field)),
               "--is_valid:allnotnull--child0type:uint64[0,1,0]--child1type:uint64[3,0,0]");
  EXPECT_THAT(Blobs(0, 52).ReadAll(field), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Blobs(~uint64_t{0}, 2).ReadAll(field), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(file.ReadAll(Leaf("large_binary")), FailsWith(ErrorCode::kCorrupt));
}

TEST(ArrayFieldReadTest, ReadsCompressedBytes) {
  const auto texts = [](const std::string& scheme, const std::string& bytes) {
    const std::string encoding =
        Binary(NoNulls(Flat(64, 0)), Compressed(8, 1, scheme), /*null_adjustment=*/5);
    return ColumnFile({{{4, encoding, {U64({1, 6, 1, 4}), bytes}}}});
  };
  const std::string lz4 = "\4\0\0\0"s + "\x40" + "abcd";
  const std::string zstd = U64({4}) + "\x28\xb5\x2f\xfd\x20\4\x21\0\0"s + "abcd";
  EXPECT_ARRAY(texts("lz4", lz4).ReadAll(Leaf("string")), R"(["a",null,"","bcd"])");
  EXPECT_ARRAY(texts("zstd", zstd).Take(Leaf("string"), {3, 0}), R"(["bcd","a"])");
  EXPECT_ARRAY(texts("none", "abcd").ReadAll(Leaf("string")), R"(["a",null,"","bcd"])");
  EXPECT_THAT(texts("snappy", "abcd").ReadAll(Leaf("string")), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(texts("lz4", "abcd").ReadAll(Leaf("string")), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(texts("lz4", "\3\0\0\0\x30"s + "abc").ReadAll(Leaf("string")),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(ArrayFieldReadTest, ReadsTextsOfCodes) {
  // Code 0 stands for "ab", 255 for the byte behind it.
  const std::string symbols =
      U64({uint64_t{0x46535354} << 32 | 1 << 24 | 1}) + "ab" + std::string(6, '\0') + "\2";
  const ColumnFile file({{{3, Fsst(Texts(0, 5), symbols), {U64({1, 6, 4}), "\0\0\xff\x63"s}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("string")), R"(["ab",null,"abc"])");
  EXPECT_ARRAY(file.Take(Leaf("large_string"), {2}), R"(["abc"])");
}

// ------------------------------------------------------------------------ what others may have
// made

TEST(ArrayFieldReadTest, ReadsBitsOfIntegersAcrossBytes) {
  // 1, 2, 3, 7 in 3 bits each.
  const std::string bytes = "\xd1\x0e";
  const ColumnFile plain({{{4, Bitpacked(3, 8, false), {bytes}}}});
  EXPECT_ARRAY(plain.ReadAll(Leaf("uint8")), "[1,2,3,7]");
  EXPECT_ARRAY(plain.Take(Leaf("uint8"), {2, 0}), "[3,1]");
  const ColumnFile with_sign(
      {{{4, SomeNulls(Flat(1, 1), Bitpacked(3, 64, true)), {bytes, "\x0d"}}}});
  EXPECT_ARRAY(with_sign.ReadAll(Leaf("int64")), "[1,null,3,-1]");
  EXPECT_THAT(plain.ReadAll(Leaf("uint16")), FailsWith(ErrorCode::kCorrupt));
}

TEST(ArrayFieldReadTest, ReadsPackedBlocks) {
  // Value i of a block is i % 8; 16 bits wide, so there are 64 lanes.
  constexpr int kOrder[] = {0, 4, 2, 6, 1, 5, 3, 7};
  std::string block(1024 * 3 / 8, '\0');
  auto* bits = reinterpret_cast<uint8_t*>(block.data());
  for (int lane = 0; lane < 64; ++lane) {
    for (int row = 0; row < 16; ++row) {
      const int value = (kOrder[row / 8] * 16 + row % 8 * 128 + lane) % 8;
      for (int bit = 0; bit < 3; ++bit) {
        const int at = row * 3 + bit;
        // Word k of a lane stands at 64 * k + lane.
        if ((value >> bit & 1) != 0) SetBit(bits, (64 * (at / 16) + lane) * 16 + at % 16);
      }
    }
  }
  const ColumnFile file({{{1030, BitpackedForNonNeg(3, 16), {block + block}}}});
  ASSERT_OK_AND_ASSIGN(const auto array, file.ReadAll(Leaf("uint16")));
  for (int64_t i = 0; i < 1030; ++i) {
    EXPECT_EQ(static_cast<const arrow::UInt16Array&>(*array).Value(i), i % 1024 % 8);
  }
  EXPECT_ARRAY(file.Take(Leaf("int16"), {1029, 3, 1023, 1024, 7}), "[5,3,7,0,7]");
  EXPECT_ARRAY(file.Read(Leaf("int16"), 1022, 1026), "[6,7,0,1]");
}

TEST(ArrayFieldReadTest, ReadsTextsOfOneLength) {
  const ColumnFile file({{{3, FixedSizeBinary(2, Flat(8, 0)), {"abcdef"}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("string")), R"(["ab","cd","ef"])");
  EXPECT_ARRAY(file.Take(Leaf("large_binary"), {2, 0}), "[6566,6162]");
}

TEST(ArrayFieldReadTest, FindsBuffersOfTheColumnAndOfTheFile) {
  ColumnFile file({});
  file.SetOtherBuffers("\1\2\3", "\x06");
  file.Add({{3, SomeNulls(Flat(1, 0, kOfFile), Flat(8, 0, kOfColumn)), {}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("int8")), "[null,2,3]");
}

TEST(ArrayFieldReadTest, JoinsNullsOfTwoLayers) {
  const ColumnFile file({{{4,
                           SomeNulls(Flat(1, 0), SomeNulls(Flat(1, 1), Flat(8, 2))),
                           {"\x07", "\x0e", "\1\2\3\4"}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("int8")), "[null,2,3,null]");
}

TEST(ArrayFieldReadTest, PassesOverPagesWithoutRows) {
  const ColumnFile file({{{0, "no encoding", {}}, {1, NoNulls(Flat(8, 0)), {"\5"}}}});
  EXPECT_ARRAY(file.ReadAll(Leaf("int8")), "[5]");
}

// --------------------------------------------------------------------------------- what none may

void ExpectCorrupt(const ColumnFile& file, const Field& field) {
  EXPECT_THAT(file.ReadAll(field), FailsWith(ErrorCode::kCorrupt));
}

TEST(ArrayFieldReadTest, RefusesOtherEncodingsByName) {
  const std::pair<int, const char*> others[] = {
      {13, "constant"}, {14, "inline_bitpacking"},  {16, "variable"},         {18, "block"},
      {19, "rle"},      {20, "general_mini_block"}, {21, "byte_stream_split"}};
  for (const auto& [number, name] : others) {
    const auto read = ColumnFile({{{1, Message(number, ""), {}}}}).ReadAll(Leaf("int8"));
    ASSERT_THAT(read, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(read.status().message(), testing::HasSubstr(name));
    EXPECT_THAT(read.status().message(), testing::HasSubstr("page 0"));
  }
  ExpectCorrupt(ColumnFile({{{1, Message(22, ""), {}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, "", {}}}}), Leaf("int8"));
  const std::string with_validity =
      Message(3, Number(1, 2) + Message(2, Flat(8, 0)) + Number(3, 1));
  EXPECT_THAT(ColumnFile({{{1, with_validity, {"ab"}}}}).ReadAll(Leaf("fixed_size_list:int8:2")),
              FailsWith(ErrorCode::kUnsupported));
}

TEST(ArrayFieldReadTest, RefusesMoreRowsThanTheBytesHold) {
  const Field field = Leaf("int32");
  const std::string bytes(16, 'x');
  for (const uint64_t rows : {uint64_t{5}, uint64_t{1} << 40, ~uint64_t{0} >> 1, ~uint64_t{0}}) {
    ExpectCorrupt(ColumnFile({{{rows, NoNulls(Flat(32, 0)), {bytes}}}}), field);
    ExpectCorrupt(ColumnFile({{{rows, SomeNulls(Flat(1, 1), Flat(32, 0)), {bytes, "x"}}}}), field);
    ExpectCorrupt(ColumnFile({{{rows, Texts(0, 2), {bytes, "x"}}}}), Leaf("string"));
    ExpectCorrupt(ColumnFile({{{rows, FixedSizeList(4, Flat(32, 0)), {bytes}}}}),
                  Leaf("fixed_size_list:int32:4"));
  }
  ExpectCorrupt(ColumnFile({{{6, Bitpacked(3, 8, false), {"ab"}}}}), Leaf("uint8"));
  ExpectCorrupt(ColumnFile({{{1, BitpackedForNonNeg(3, 8), {"ab"}}}}), Leaf("uint8"));
  ExpectCorrupt(ColumnFile({{{2000, Compressed(1, 0, "lz4"), {}}}}), Leaf("bool"));
  ExpectCorrupt(ColumnFile({{{2, Lists(1), {U64({1})}}}, {{1, Flat(8, 0), {"x"}}}}),
                Nested("list", {Leaf("int8", "item")}));
  // Rows of two pages that cannot be counted together.
  const uint64_t many = ~uint64_t{0} >> 6;
  ExpectCorrupt(ColumnFile({{{many, AllNulls(), {}},
                             {many, AllNulls(), {}},
                             {many, AllNulls(), {}},
                             {many, AllNulls(), {}},
                             {many, AllNulls(), {}}}}),
                Leaf("null"));
}

TEST(ArrayFieldReadTest, RefusesToMakeManyNullsOfNothing) {
  const ColumnFile file({{{uint64_t{1} << 40, AllNulls(), {}}}});
  EXPECT_THAT(file.ReadAll(Leaf("int64")), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_ARRAY(file.Read(Leaf("int64"), 5, 7), "[null,null]");
  // Nor in lists, where one row may have them all.
  const uint64_t items = uint64_t{1} << 40;
  const ColumnFile lists({{{1, Lists(items), {U64({items})}}}, {{items, AllNulls(), {}}}});
  EXPECT_THAT(lists.ReadAll(Nested("large_list", {Leaf("string", "item")})),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lists.ReadAll(Nested("list", {Leaf("null", "item")})),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(ArrayFieldReadTest, RefusesEndsThatDoNotAscend) {
  const auto texts = [](std::vector<uint64_t> ends) {
    const uint64_t rows = ends.size();
    return ColumnFile({{{rows, Texts(0, 5), {U64(ends), "abcd"}}}});
  };
  ExpectCorrupt(texts({2, 1}), Leaf("string"));
  ExpectCorrupt(texts({2, 6}), Leaf("string"));
  ExpectCorrupt(texts({4, 5}), Leaf("string"));
  ExpectCorrupt(texts({1, 10}), Leaf("string"));
  ExpectCorrupt(texts({1, ~uint64_t{0}}), Leaf("large_string"));
  EXPECT_THAT(texts({4, 3, 1, 2}).Take(Leaf("string"), {0, 3}), FailsWith(ErrorCode::kCorrupt));
  const auto lists = [](std::vector<uint64_t> ends) {
    const uint64_t rows = ends.size();
    return ColumnFile({{{rows, Lists(3), {U64(ends)}}}, {{3, Flat(8, 0), {"abc"}}}});
  };
  const Field field = Nested("list", {Leaf("int8", "item")});
  EXPECT_ARRAY(lists({1, 7}).ReadAll(field), "[[97],null]");
  ExpectCorrupt(lists({2, 1}), field);
  ExpectCorrupt(lists({1, 8}), field);
  ExpectCorrupt(lists({1, ~uint64_t{0}}), field);
}

TEST(ArrayFieldReadTest, RefusesListsWithoutTheirItems) {
  const Field field = Nested("list", {Leaf("int8", "item")});
  ExpectCorrupt(ColumnFile({{{1, Lists(3), {U64({3})}}}, {{2, Flat(8, 0), {"ab"}}}}), field);
  ExpectCorrupt(
      ColumnFile({{{1, List(Flat(64, 0), 3, 3), {U64({3})}}}, {{3, Flat(8, 0), {"abc"}}}}), field);
  ExpectCorrupt(ColumnFile({{{1, NoNulls(Flat(64, 0)), {U64({1})}}}, {{1, Flat(8, 0), {"a"}}}}),
                field);
  ExpectCorrupt(ColumnFile({{{1, Lists(1), {U64({1})}}}}), field);
  ExpectCorrupt(
      ColumnFile({{{1, List(SomeNulls(Flat(1, 1), Flat(64, 0)), 2, 1), {U64({1}), "\0"s}}},
                  {{1, Flat(8, 0), {"a"}}}}),
      field);
}

TEST(ArrayFieldReadTest, RefusesStructsOfUnequalFields) {
  const Field field = Nested("struct", {Leaf("int8", "a"), Leaf("int8", "b")});
  const TestPage one = {1, Flat(8, 0), {"a"}};
  const TestPage two = {2, Flat(8, 0), {"ab"}};
  EXPECT_OK(ColumnFile({{{1, Struct(), {}}}, {one}, {one}}).ReadAll(field).status());
  ExpectCorrupt(ColumnFile({{{1, Struct(), {}}}, {one}, {two}}), field);
  ExpectCorrupt(ColumnFile({{{2, Struct(), {}}}, {one}, {two}}), field);
  ExpectCorrupt(ColumnFile({{one}, {one}, {one}}), field);
  ExpectCorrupt(ColumnFile({{{1, Struct(), {}}}}), Leaf("int8"));
}

TEST(ArrayFieldReadTest, RefusesIndicesWithoutAnItem) {
  const auto dictionary = [](const std::string& index) {
    return ColumnFile(
        {{{1, Dictionary(NoNulls(Flat(8, 0)), Texts(1, 3), 2), {index, U64({1, 2}), "ab"}}}});
  };
  EXPECT_ARRAY(dictionary("\2").ReadAll(Leaf("string")), R"(["b"])");
  ExpectCorrupt(dictionary("\3"), Leaf("string"));
  ExpectCorrupt(dictionary("\2"), Leaf("dict:string:int8:false"));
  ExpectCorrupt(dictionary("\xff"), Leaf("dict:string:int8:false"));
  ExpectCorrupt(dictionary("\1"), Leaf("dict:string:int16:false"));
  EXPECT_THAT(dictionary("\1").ReadAll(Leaf("int8")), FailsWith(ErrorCode::kUnsupported));
}

TEST(ArrayFieldReadTest, RefusesATextThatADictionaryMakesTooLong) {
  constexpr size_t kLength = 1 << 20;
  const ColumnFile file({{{2100,
                           Dictionary(Flat(8, 0), Texts(1, kLength + 1), 1),
                           {std::string(2100, '\1'), U64({kLength}), std::string(kLength, 'x')}}}});
  EXPECT_THAT(file.ReadAll(Leaf("string")), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(file.ReadAll(Leaf("large_string")), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_OK(file.Read(Leaf("string"), 7, 9).status());
}

TEST(ArrayFieldReadTest, RefusesBuffersThatAreNotThere) {
  ExpectCorrupt(ColumnFile({{{1, Flat(8, 1), {"a"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, Flat(8, 0, kOfColumn), {"a"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, Flat(8, 0, kOfFile), {"a"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, Flat(8, 0, 3), {"a"}}}}), Leaf("int8"));
}

TEST(ArrayFieldReadTest, RefusesWidthsThatAreNotThoseOfTheType) {
  ExpectCorrupt(ColumnFile({{{1, Flat(16, 0), {"ab"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, Flat(16, 0), {"ab"}}}}), Leaf("string"));
  ExpectCorrupt(ColumnFile({{{1, Flat(0, 0), {"ab"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{FourTexts()}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, FixedSizeList(3, Flat(8, 0)), {"abc"}}}}),
                Leaf("fixed_size_list:int8:2"));
  ExpectCorrupt(ColumnFile({{{1, FixedSizeList(0, Flat(8, 0)), {"abc"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, Bitpacked(9, 8, false), {"abc"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, Bitpacked(3, 24, false), {"abc"}}}}), Leaf("int8"));
  ExpectCorrupt(ColumnFile({{{1, FixedSizeBinary(0, Flat(8, 0)), {"a"}}}}), Leaf("string"));
  EXPECT_THAT(ColumnFile({{{1, Flat(12, 0), {"ab"}}}}).ReadAll(Leaf("int8")),
              FailsWith(ErrorCode::kUnsupported));
}

TEST(ArrayFieldReadTest, RefusesTreesThatAreVeryDeep) {
  std::string encoding = Flat(8, 0);
  for (int i = 0; i < 1000; ++i) encoding = NoNulls(encoding);
  ExpectCorrupt(ColumnFile({{{1, encoding, {"a"}}}}), Leaf("int8"));
}

/// Files of each encoding, with the field that they hold.
std::vector<std::pair<ColumnFile, Field>> SmallFiles() {
  const Field list = Nested("list", {Leaf("int8", "item")});
  const std::string items = SomeNulls(Flat(1, 1), Flat(16, 2));
  return {{IntsWithNull(), Leaf("int32")},
          {ColumnFile({{FourTexts()}}), Leaf("string")},
          {TwoPagesOfLists(), list},
          {ColumnFile({{{3,
                         SomeNulls(Flat(1, 0), FixedSizeList(2, items)),
                         {"\x05", "\x13", "\1\0\2\0\0\0\0\0\3\0\0\0"s}}}}),
           Leaf("fixed_size_list:int16:2")},
          {ColumnFile({{{5,
                         Dictionary(NoNulls(Flat(8, 0)), Texts(1, 5), 3),
                         {"\1\0\2\3\1"s, U64({1, 1, 4}), "abcd"}}}}),
           Leaf("string")},
          {ColumnFile({{{2,
                         Dictionary(NoNulls(Flat(8, 0)), Texts(1, 5), 3),
                         {"\1\0"s, U64({1, 1, 4}), "abcd"}}}}),
           Leaf("dict:string:uint8:false")},
          {ColumnFile({{{4, Bitpacked(3, 8, true), {"\xd1\x0e"}}}}), Leaf("int8")},
          {ColumnFile({{{3, FixedSizeBinary(2, Flat(8, 0)), {"abcdef"}}}}), Leaf("string")}};
}

TEST(ArrayFieldReadTest, RefusesEveryTruncationOfABuffer) {
  const auto read = [](std::vector<std::string> buffers) {
    return ColumnFile({{{5, Dictionary(NoNulls(Flat(8, 0)), Texts(1, 5), 3), std::move(buffers)}}})
        .ReadAll(Leaf("string"));
  };
  const std::vector<std::string> whole = {"\1\0\2\3\1"s, U64({1, 1, 4}), "abcd"};
  EXPECT_OK(read(whole).status());
  for (size_t i = 0; i < whole.size(); ++i) {
    for (size_t length = 0; length < whole[i].size(); ++length) {
      std::vector<std::string> cut = whole;
      cut[i].resize(length);
      EXPECT_THAT(read(cut), FailsWith(ErrorCode::kCorrupt)) << i << " " << length;
    }
  }
}

TEST(ArrayFieldReadTest, ReadsOrRefusesEveryTruncationAndEveryFlipOfTheMetadata) {
  for (auto& [file, field] : SmallFiles()) {
    EXPECT_OK(file.ReadAll(field).status());
    const std::string whole = file.bytes_of_column(0);
    for (size_t i = 0; i < whole.size(); ++i) {
      file.set_bytes_of_column(0, whole.substr(0, i));
      // Protobuf cannot see that pages or parts of them are missing. Rows are what is left.
      static_cast<void>(file.ReadAll(field));
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = whole;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
        file.set_bytes_of_column(0, std::move(flipped));
        static_cast<void>(file.ReadAll(field));
      }
    }
  }
}

}  // namespace
}  // namespace tusk::lance
