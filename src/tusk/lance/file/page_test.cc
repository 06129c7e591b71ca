// Pages made of literal bytes: what another writer may have made, and what none may.

#include "tusk/lance/file/page.h"

#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/array_binary.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/column_pages.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

/// Reads rows of a page whose buffers stand one after the other in a file of its own.
class PageFile {
 public:
  PageFile(PageLayout layout, int64_t num_rows, std::vector<std::string> buffers)
      : layout_(std::move(layout)), num_rows_(num_rows) {
    for (const std::string& buffer : buffers) {
      ranges_.push_back({.offset = static_cast<int64_t>(bytes_.size()),
                         .length = static_cast<int64_t>(buffer.size())});
      bytes_ += buffer;
    }
  }

  Result<std::shared_ptr<arrow::Array>> Read(const std::shared_ptr<arrow::DataType>& type) const {
    PageRequest request;
    request.rows = {.begin = 0, .end = num_rows_};
    return Read(type, request, num_rows_);
  }
  /// The rows asked, each at the position of its place in `rows`.
  Result<std::shared_ptr<arrow::Array>> Take(const std::shared_ptr<arrow::DataType>& type,
                                             const std::vector<int64_t>& rows) const {
    std::vector<TakenRow> taken;
    for (const int64_t row : rows) {
      taken.push_back({.row = row, .position = static_cast<int64_t>(taken.size())});
    }
    PageRequest request;
    request.taken = taken;
    return Read(type, request, static_cast<int64_t>(rows.size()));
  }

 private:
  Result<std::shared_ptr<arrow::Array>> Read(const std::shared_ptr<arrow::DataType>& type,
                                             const PageRequest& request, int64_t num_rows) const {
    ARROW_ASSIGN_OR_RAISE(const auto page, MakePage(layout_, num_rows_, ranges_));
    ARROW_ASSIGN_OR_RAISE(const ValueShape shape, ValueShape::Of(*type));
    ARROW_RETURN_NOT_OK(page->CheckShape(shape));
    std::unique_ptr<const PageIndex> index;
    std::vector<std::shared_ptr<arrow::Buffer>> index_bytes;
    for (const io::ByteRange range : page->index_ranges()) index_bytes.push_back(Bytes(range));
    if (!index_bytes.empty()) {
      ARROW_ASSIGN_OR_RAISE(index, page->ParseIndex(index_bytes, arrow::default_memory_pool()));
    }
    std::vector<PlannedRead> reads;
    ARROW_RETURN_NOT_OK(page->Plan(index.get(), request, &reads));
    std::vector<std::shared_ptr<arrow::Buffer>> buffers;
    for (const PlannedRead& read : reads) buffers.push_back(Bytes(read.bytes));
    ColumnOutput out(shape, num_rows, arrow::default_memory_pool());
    ARROW_RETURN_NOT_OK(page->Decode(index.get(), request, reads, buffers, &out));
    ARROW_ASSIGN_OR_RAISE(const auto data, out.Finish(type));
    return arrow::MakeArray(data);
  }

  /// A copy of exactly these bytes, so that a sanitizer sees what reaches beyond.
  std::shared_ptr<arrow::Buffer> Bytes(io::ByteRange range) const {
    return arrow::Buffer::FromString(bytes_.substr(range.offset, range.length));
  }

  PageLayout layout_;
  int64_t num_rows_;
  std::string bytes_;
  std::vector<io::ByteRange> ranges_;
};

/// Reads the levels of all rows of a page of lists that lies in `bytes`.
Status UnravelRows(const PageLayout& layout, std::span<const io::ByteRange> buffers,
                   const std::string& bytes, int64_t num_rows) {
  const auto cut = [&](io::ByteRange range) {
    return arrow::Buffer::FromString(bytes.substr(range.offset, range.length));
  };
  ARROW_ASSIGN_OR_RAISE(const auto page, MakePage(layout, num_rows, buffers));
  std::vector<std::shared_ptr<arrow::Buffer>> index_bytes;
  for (const io::ByteRange range : page->index_ranges()) index_bytes.push_back(cut(range));
  ARROW_ASSIGN_OR_RAISE(const auto index,
                        page->ParseIndex(index_bytes, arrow::default_memory_pool()));
  const RowRange rows{.begin = 0, .end = num_rows};
  std::vector<PlannedRead> reads;
  ARROW_RETURN_NOT_OK(page->PlanRuns(index.get(), {&rows, 1}, &reads));
  std::vector<std::shared_ptr<arrow::Buffer>> pieces;
  for (const PlannedRead& read : reads) pieces.push_back(cut(read.bytes));
  Structure structure({false, true}, arrow::default_memory_pool());
  return page
      ->Unravel(index.get(), {&rows, 1}, reads, pieces, arrow::default_memory_pool(), &structure)
      .status();
}

std::string U16(uint16_t value) { return {reinterpret_cast<const char*>(&value), 2}; }
std::string U32(uint32_t value) { return {reinterpret_cast<const char*>(&value), 4}; }

PageLayout FlatMiniBlock(uint64_t bits, int64_t num_rows, bool has_levels) {
  MiniBlockLayout layout;
  layout.values = ValueEncoding::Flat(bits);
  if (has_levels) layout.definition = ValueEncoding::Flat(16);
  layout.num_buffers = 1;
  layout.num_items = static_cast<uint64_t>(num_rows);
  return {.layout = layout, .layers = FlatLayers(has_levels)};
}

/// Chunks of 2 and 1 16-bit values: 10, null, 30.
const std::string kFirstChunk =
    U16(2) + U16(4) + U32(4) + U16(0) + U16(1) + "PPPP" + U16(10) + U16(20) + "PPPP";
const std::string kLastChunk = U16(1) + U16(2) + U32(2) + U16(0) + "PPPPPP" + U16(30) + "PPPPPP";
const std::string kTable = U32((3 - 1) << 4 | 1) + U32((3 - 1) << 4 | 0);

TEST(LancePageTest, ReadsChunksAsTheFormatLaysThemOut) {
  const PageFile page(FlatMiniBlock(16, 3, true), 3, {kTable, kFirstChunk + kLastChunk});
  ASSERT_OK_AND_ASSIGN(const auto array, page.Read(arrow::int16()));
  EXPECT_EQ(array->ToString(), "[\n  10,\n  null,\n  30\n]");
  ASSERT_OK_AND_ASSIGN(const auto taken, page.Take(arrow::int16(), {1, 2, 2}));
  EXPECT_EQ(taken->ToString(), "[\n  null,\n  30,\n  30\n]");
}

TEST(LancePageTest, ReadsChunksWithNarrowWordsToo) {
  PageLayout layout = FlatMiniBlock(16, 3, false);
  std::get<MiniBlockLayout>(layout.layout).has_large_chunk = false;
  const std::string chunk = U16(0) + U16(6) + "PPPP" + U16(1) + U16(2) + U16(3) + "PP";
  const PageFile page(layout, 3, {U16((2 - 1) << 4), chunk});
  ASSERT_OK_AND_ASSIGN(const auto array, page.Read(arrow::int16()));
  EXPECT_EQ(array->ToString(), "[\n  1,\n  2,\n  3\n]");
}

TEST(LancePageTest, ReadsListsWhoseItemsMayBeNull) {
  const auto type = arrow::fixed_size_list(arrow::int16(), 2);
  const std::string expected =
      "[\n  [\n    1,\n    null\n  ],\n  [\n    3,\n    4\n  ],\n  [\n    null,\n    6\n  ]\n]";
  ValueEncoding lists;
  lists.kind = ValueEncoding::Kind::kFixedSizeList;
  lists.items = 2;
  lists.has_validity = true;
  lists.children.push_back(ValueEncoding::Flat(16));
  const std::string items = U16(1) + U16(2) + U16(3) + U16(4) + U16(5) + U16(6);

  PageLayout chunked = FlatMiniBlock(16, 3, false);
  std::get<MiniBlockLayout>(chunked.layout).values = lists;
  std::get<MiniBlockLayout>(chunked.layout).num_buffers = 2;
  const auto chunk = [&](const std::string& bitmap) {
    const std::string header =
        U16(0) + U32(static_cast<uint32_t>(bitmap.size())) + U32(12) + std::string(6, 'P');
    return header + bitmap + std::string(8 - bitmap.size(), 'P') + items + "PPPP";
  };
  const std::string table = U32((5 - 1) << 4);
  const PageFile mini_block(chunked, 3, {table, chunk("\x2D")});
  ASSERT_OK_AND_ASSIGN(const auto array, mini_block.Read(type));
  EXPECT_EQ(array->ToString(), expected);
  ASSERT_OK_AND_ASSIGN(const auto taken, mini_block.Take(type, {0, 1, 2}));
  EXPECT_EQ(taken->ToString(), expected);
  const PageFile no_bitmap(chunked, 3, {table, chunk("")});
  EXPECT_THAT(no_bitmap.Read(type), FailsWith(ErrorCode::kCorrupt));

  FullZipLayout zipped;
  zipped.bits = 8 + 32;
  zipped.num_items = 3;
  zipped.values = lists;
  const std::string rows =
      "\x01" + items.substr(0, 4) + "\x03" + items.substr(4, 4) + "\x02" + items.substr(8, 4);
  const PageFile full_zip({.layout = zipped, .layers = FlatLayers(false)}, 3, {rows});
  ASSERT_OK_AND_ASSIGN(const auto zipped_array, full_zip.Read(type));
  EXPECT_EQ(zipped_array->ToString(), expected);
  EXPECT_THAT(full_zip.Read(arrow::fixed_size_list(arrow::int16(), 4)),
              FailsWith(ErrorCode::kCorrupt));
  zipped.bits = 32;
  EXPECT_THAT(PageFile({.layout = zipped, .layers = FlatLayers(false)}, 3, {rows}).Read(type),
              FailsWith(ErrorCode::kCorrupt));
}

/// Three rows, the second null, whose 8-bit indices are 1, 0, 1.
PageFile DictionaryPage(const std::string& items, uint64_t num_items) {
  PageLayout layout = FlatMiniBlock(8, 3, true);
  auto& mini_block = std::get<MiniBlockLayout>(layout.layout);
  mini_block.dictionary.emplace();
  mini_block.dictionary->kind = ValueEncoding::Kind::kVariable;
  mini_block.dictionary->children.push_back(ValueEncoding::Flat(32));
  mini_block.num_dictionary_items = num_items;
  const std::string chunk = U16(3) + U16(6) + U32(3) + U16(0) + U16(1) + U16(0) + "PP" +
                            std::string("\1\0\1", 3) + "PPPPP";
  return PageFile(layout, 3, {U32((3 - 1) << 4), chunk, items});
}

TEST(LancePageTest, ReadsIndicesAsTheItemsOfTheirDictionary) {
  const std::string items = U32(32) + U32(20) + U32(0) + U32(3) + U32(5) + "onetw";
  const PageFile page = DictionaryPage(items, 2);
  ASSERT_OK_AND_ASSIGN(const auto array, page.Read(arrow::utf8()));
  EXPECT_EQ(array->ToString(), "[\n  \"tw\",\n  null,\n  \"tw\"\n]");
  ASSERT_OK_AND_ASSIGN(const auto taken, page.Take(arrow::large_utf8(), {1, 2}));
  EXPECT_EQ(taken->ToString(), "[\n  null,\n  \"tw\"\n]");
  EXPECT_THAT(page.Read(arrow::uint8()), FailsWith(ErrorCode::kCorrupt));
  for (size_t length = 0; length < items.size(); ++length) {
    EXPECT_THAT(DictionaryPage(items.substr(0, length), 2).Read(arrow::utf8()),
                FailsWith(ErrorCode::kCorrupt))
        << length;
  }
  const std::string one = U32(32) + U32(16) + U32(0) + U32(3) + "one";
  EXPECT_THAT(DictionaryPage(one, 1).Read(arrow::utf8()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(DictionaryPage(items, 0).Read(arrow::utf8()), FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, KeepsItsDictionaryInMemoryOfItsOwn) {
  const std::string items = U32(32) + U32(20) + U32(0) + U32(3) + U32(5) + "onetw";
  MiniBlockLayout layout;
  layout.values = ValueEncoding::Flat(8);
  layout.dictionary.emplace();
  layout.dictionary->kind = ValueEncoding::Kind::kVariable;
  layout.dictionary->children.push_back(ValueEncoding::Flat(32));
  layout.num_dictionary_items = 2;
  layout.num_buffers = 1;
  layout.num_items = 3;
  const std::vector<io::ByteRange> ranges = {{.offset = 0, .length = 4},
                                             {.offset = 4, .length = 16},
                                             {.offset = 20, .length = std::ssize(items)}};
  ASSERT_OK_AND_ASSIGN(const auto page,
                       MakePage({.layout = layout, .layers = FlatLayers(false)}, 3, ranges));
  std::vector<std::shared_ptr<arrow::Buffer>> bytes;
  for (const std::string& part : {U32((2 - 1) << 4), items}) {
    bytes.push_back(arrow::Buffer::FromString(part));
  }
  BoundedPool pool(1 << 20);
  ASSERT_OK_AND_ASSIGN(const auto index, page->ParseIndex(bytes, &pool));
  EXPECT_GT(pool.total_bytes_allocated(), 0);
  EXPECT_EQ(pool.bytes_allocated(), 0);
}

TEST(LancePageTest, RefusesChunkTablesThatDoNotAddUp) {
  const std::string chunks = kFirstChunk + kLastChunk;
  for (const std::string& table :
       {std::string(), U32(2 << 4 | 1), U32(2 << 4 | 0) + U32(2 << 4 | 0),
        U32(2 << 4 | 1) + U32(2 << 4 | 1), U32(2 << 4 | 2) + U32(2 << 4 | 0),
        U32(2 << 4 | 1) + U32(3 << 4 | 0), U32(0xFFFFFFF1) + U32(2 << 4), kTable + U32(0),
        kTable.substr(0, 7)}) {
    const PageFile page(FlatMiniBlock(16, 3, true), 3, {table, chunks});
    EXPECT_THAT(page.Read(arrow::int16()), FailsWith(ErrorCode::kCorrupt))
        << testing::PrintToString(table);
  }
}

TEST(LancePageTest, RefusesChunksThatBreakTheLayout) {
  const auto refuse = [](size_t at, uint8_t value) {
    std::string chunks = kFirstChunk + kLastChunk;
    chunks[at] = static_cast<char>(value);
    const PageFile page(FlatMiniBlock(16, 3, true), 3, {kTable, chunks});
    EXPECT_THAT(page.Read(arrow::int16()), FailsWith(ErrorCode::kCorrupt)) << at;
    EXPECT_THAT(page.Take(arrow::int16(), {0, 1, 2}), FailsWith(ErrorCode::kCorrupt)) << at;
  };
  refuse(0, 3);  // levels of the first chunk
  refuse(2, 2);  // bytes of its levels
  refuse(2, 0xFF);
  refuse(4, 3);  // bytes of its values
  refuse(7, 0xFF);
  refuse(8, 2);  // a level that no row can have
}

TEST(LancePageTest, RefusesPagesThatClaimMoreThanTheyHold) {
  const int64_t many = int64_t{1} << 50;
  const PageFile flat(FlatMiniBlock(64, many, false), many, {kTable, kFirstChunk});
  EXPECT_THAT(flat.Read(arrow::int64()), FailsWith(ErrorCode::kCorrupt));

  FullZipLayout layout;
  layout.bits = 2048;
  layout.num_items = static_cast<uint64_t>(many);
  layout.values = ValueEncoding::Flat(2048);
  const PageFile zipped({.layout = layout, .layers = FlatLayers(false)}, many,
                        {std::string(256, 'x')});
  EXPECT_THAT(zipped.Read(arrow::fixed_size_binary(256)), FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, ReadsConstantsInlineAndFromABuffer) {
  PageLayout inline_layout = {.layout = ConstantLayout{.inline_value = U32(7)},
                              .layers = FlatLayers(false)};
  const PageFile number(inline_layout, 3, {});
  ASSERT_OK_AND_ASSIGN(const auto numbers, number.Read(arrow::int32()));
  EXPECT_EQ(numbers->ToString(), "[\n  7,\n  7,\n  7\n]");
  EXPECT_THAT(number.Read(arrow::int64()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(number.Read(arrow::utf8()), FailsWith(ErrorCode::kCorrupt));

  PageLayout blob_layout = {.layout = ConstantLayout(), .layers = FlatLayers(true)};
  const std::string blob = U32(2) + U32(8) + U32(3) + U32(0) + U32(3) + "abc";
  const std::string levels = U16(0) + U16(1) + U16(0);
  const PageFile text(blob_layout, 3, {blob, "", levels});
  ASSERT_OK_AND_ASSIGN(const auto texts, text.Read(arrow::utf8()));
  EXPECT_EQ(texts->ToString(), "[\n  \"abc\",\n  null,\n  \"abc\"\n]");
  ASSERT_OK_AND_ASSIGN(const auto taken, text.Take(arrow::utf8(), {1, 2}));
  EXPECT_EQ(taken->ToString(), "[\n  null,\n  \"abc\"\n]");

  for (size_t length = 1; length < blob.size(); ++length) {
    const PageFile cut(blob_layout, 3, {blob.substr(0, length)});
    EXPECT_THAT(cut.Read(arrow::utf8()), FailsWith(ErrorCode::kCorrupt)) << length;
  }
  const std::string outside = U32(2) + U32(8) + U32(3) + U32(0) + U32(4) + "abc";
  EXPECT_THAT(PageFile(blob_layout, 3, {outside}).Read(arrow::utf8()),
              FailsWith(ErrorCode::kCorrupt));
  const std::string short_levels = U16(0);
  EXPECT_THAT(PageFile(blob_layout, 3, {blob, "", short_levels}).Read(arrow::utf8()),
              FailsWith(ErrorCode::kCorrupt));
  const std::string bad_levels = U16(0) + U16(2) + U16(0);
  EXPECT_THAT(PageFile(blob_layout, 3, {blob, "", bad_levels}).Read(arrow::utf8()),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, TakesNoMemoryForNullsThatThePoolRefuses) {
  const int64_t many = int64_t{1} << 40;
  const std::vector<LevelLayer> layers = {LevelLayer::kNullableItem, LevelLayer::kNullableItem};
  ASSERT_OK_AND_ASSIGN(
      const auto page,
      MakePage({.layout = ConstantLayout{.is_all_null = true}, .layers = layers}, many, {}));
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), 1 << 20);
  Structure structure({false, false}, &pool);
  const RowRange all{.begin = 0, .end = many};
  const auto values = page->Unravel(nullptr, {&all, 1}, {}, {}, &pool, &structure);
  EXPECT_TRUE(values.status().IsOutOfMemory()) << values.status();
}

TEST(LancePageTest, TakesNoMemoryForRowsOfTheNullType) {
  const int64_t many = int64_t{1} << 40;
  const PageFile page({.layout = ConstantLayout{.is_all_null = true}, .layers = FlatLayers(true)},
                      many, {});
  const int64_t before = arrow::default_memory_pool()->bytes_allocated();
  ASSERT_OK_AND_ASSIGN(const auto nulls, page.Read(arrow::null()));
  EXPECT_EQ(nulls->length(), many);
  EXPECT_EQ(nulls->null_count(), many);
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated() - before, 1 << 10);
  EXPECT_THAT(PageFile({.layout = ConstantLayout{.is_all_null = true}, .layers = FlatLayers(false)},
                       many, {})
                  .Read(arrow::null()),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, RefusesConstantsThatAreTooManyBeforeItWritesAny) {
  const std::string text = U32(2) + U32(8) + U32(3) + U32(0) + U32(3) + "abc";
  const PageLayout layout = {.layout = ConstantLayout(), .layers = FlatLayers(false)};
  const PageFile many(layout, int64_t{1} << 40, {text});
  EXPECT_THAT(many.Read(arrow::utf8()), FailsWith(ErrorCode::kInvalidArgument));
  // More rows than copies that stand in memory one after the other.
  const int64_t num_rows = 20'000;
  ASSERT_OK_AND_ASSIGN(const auto array, PageFile(layout, num_rows, {text}).Read(arrow::utf8()));
  for (int64_t i = 0; i < num_rows; ++i) {
    ASSERT_EQ(static_cast<const arrow::StringArray&>(*array).GetView(i), "abc") << i;
  }
}

/// A page of lists of 16-bit integers, [10], [20], [30 ...: a chunk of two values, whose repetition
/// levels are 1 and 1, and one whose levels and entry in the repetition index are given.
Status UnravelLists(uint64_t rows_in_first, uint64_t left_over, uint64_t rows_in_last,
                    const std::vector<uint16_t>& last_levels, int64_t num_rows) {
  MiniBlockLayout lists;
  lists.repetition = ValueEncoding::Flat(16);
  lists.values = ValueEncoding::Flat(16);
  lists.num_buffers = 1;
  lists.num_items = 2 + last_levels.size();
  lists.repetition_index_depth = 1;
  const PageLayout layout = {.layout = lists,
                             .layers = {LevelLayer::kAllValidItem, LevelLayer::kAllValidList}};
  const auto chunk = [&](const std::vector<uint16_t>& levels) {
    std::string words;
    for (const uint16_t level : levels) words += U16(level);
    const auto size = static_cast<uint16_t>(words.size());
    words.resize(8, 'P');
    return U16(static_cast<uint16_t>(levels.size())) + U16(size) + U32(size) + words + words;
  };
  const auto index_entry = [](uint64_t ends, uint64_t rest) {
    return std::string(reinterpret_cast<const char*>(&ends), 8) +
           std::string(reinterpret_cast<const char*>(&rest), 8);
  };
  const std::vector<std::string> parts = {
      U32((3 - 1) << 4 | 1) + U32((3 - 1) << 4), chunk({1, 1}) + chunk(last_levels),
      index_entry(rows_in_first, left_over) + index_entry(rows_in_last, 0)};
  std::vector<io::ByteRange> ranges;
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  for (const std::string& part : parts) {
    const int64_t end = ranges.empty() ? 0 : ranges.back().offset + ranges.back().length;
    ranges.push_back({.offset = end, .length = static_cast<int64_t>(part.size())});
    buffers.push_back(arrow::Buffer::FromString(part));
  }
  ARROW_ASSIGN_OR_RAISE(const auto page, MakePage(layout, num_rows, ranges));
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(const auto index,
                        page->ParseIndex(std::vector{buffers[0], buffers[2]}, pool));
  const RowRange all{.begin = 0, .end = num_rows};
  std::vector<PlannedRead> reads;
  ARROW_RETURN_NOT_OK(page->PlanRuns(index.get(), {&all, 1}, &reads));
  Structure structure({false, true}, pool);
  ARROW_RETURN_NOT_OK(
      page->Unravel(index.get(), {&all, 1}, reads, {&buffers[1], 1}, pool, &structure).status());
  EXPECT_EQ(structure.num_rows(), num_rows);
  return Status::OK();
}

TEST(LancePageTest, RefusesRepetitionIndicesThatSayOtherThanTheLevels) {
  EXPECT_OK(UnravelLists(2, 0, 2, {1, 1}, 4));  // [10], [20], [30], [40]
  EXPECT_OK(UnravelLists(1, 1, 2, {0, 1}, 3));  // [10], [20, 30], [40]
  // The numbers of rows fit, but not where they begin and end.
  EXPECT_THAT(UnravelLists(1, 1, 2, {1, 0}, 3), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(UnravelLists(2, 0, 1, {0, 1}, 3), FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, ReadsAChunkOfBlobDescriptorsOnceForAllOfItsRows) {
  MiniBlockLayout descriptors;
  descriptors.values = ValueEncoding::Flat(128);
  descriptors.num_buffers = 1;
  descriptors.num_items = 4;
  BlobLayout blobs;
  blobs.inner = std::make_shared<const PageLayout>(
      PageLayout{.layout = descriptors, .layers = FlatLayers(false)});
  std::string chunk = U16(0) + U32(64) + "PP";
  // Of 5 bytes, null, empty, of 6 bytes.
  for (const auto& [position, size] :
       {std::pair(64U, 5U), std::pair(1U << 16, 0U), std::pair(0U, 0U), std::pair(128U, 6U)}) {
    chunk += U32(position) + U32(0) + U32(size) + U32(0);
  }
  const std::string table = U32((9 - 1) << 4);
  const std::vector<io::ByteRange> ranges = {{.offset = 0, .length = 4},
                                             {.offset = 4, .length = std::ssize(chunk)}};
  ASSERT_OK_AND_ASSIGN(const auto page,
                       MakePage({.layout = blobs, .layers = FlatLayers(true)}, 4, ranges));
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  const std::shared_ptr<arrow::Buffer> table_bytes = arrow::Buffer::FromString(table);
  ASSERT_OK_AND_ASSIGN(const auto index, page->ParseIndex({&table_bytes, 1}, pool));
  const std::vector<RowRange> runs = {{.begin = 0, .end = 2}, {.begin = 3, .end = 4}};
  std::vector<PlannedRead> reads;
  ASSERT_OK(page->PlanRuns(index.get(), runs, &reads));
  ASSERT_EQ(reads.size(), 1);
  const std::shared_ptr<arrow::Buffer> bytes = arrow::Buffer::FromString(chunk);
  Structure structure({false}, pool);
  ASSERT_OK_AND_ASSIGN(const auto values,
                       page->Unravel(index.get(), runs, reads, {&bytes, 1}, pool, &structure));
  ColumnOutput out(BlobDescriptorShape(), 3, pool);
  ASSERT_OK(values->DecodeInto(0, &out));
  ASSERT_OK_AND_ASSIGN(const uint8_t* rows, out.MutableValues());
  EXPECT_EQ(std::memcmp(rows, chunk.data() + 8, 16), 0);
  EXPECT_EQ(std::memcmp(rows + 32, chunk.data() + 8 + 48, 16), 0);
  ASSERT_OK_AND_ASSIGN(const auto layer, structure.Finish(0, false));
  EXPECT_EQ(layer.null_count, 1);
  EXPECT_EQ(layer.validity->data()[0] & 7, 0b101);
}

TEST(LancePageTest, RefusesMoreLayersThanTypesHave) {
  PageLayout layout = {.layout = ConstantLayout{.is_all_null = true}, .layers = {}};
  layout.layers.assign(65, LevelLayer::kNullableItem);
  EXPECT_OK(PageLayout::Parse(layout.Serialize(), 0));
  layout.layers.assign(1000, LevelLayer::kNullableItem);
  EXPECT_THAT(PageLayout::Parse(layout.Serialize(), 0), FailsWith(ErrorCode::kCorrupt));
}

TEST(LanceColumnPagesTest, AreNumberedAsInTheFile) {
  ColumnMetadata metadata;
  const PageLayout nulls = {.layout = ConstantLayout{.is_all_null = true},
                            .layers = FlatLayers(true)};
  metadata.pages.push_back({.num_rows = 0, .first_row = 0, .buffers = {}, .layout = nulls});
  metadata.pages.push_back({.num_rows = 5, .first_row = 0, .buffers = {}, .layout = nulls});
  metadata.pages.push_back({.num_rows = 3, .first_row = 5, .buffers = {}, .layout = nulls});
  ASSERT_OK_AND_ASSIGN(const auto pages, ColumnPages::Make(metadata));
  EXPECT_EQ(pages->Find(4).number, 1);
  EXPECT_EQ(pages->Find(5).number, 2);
}

TEST(LanceColumnMetadataTest, RefusesPagesThatShareTheirBytes) {
  ColumnMetadata metadata;
  const PageLayout nulls = {.layout = ConstantLayout{.is_all_null = true},
                            .layers = FlatLayers(true)};
  const std::vector<io::ByteRange> buffers = {{.offset = 0, .length = 30},
                                              {.offset = 30, .length = 30}};
  metadata.pages.push_back({.num_rows = 5, .first_row = 0, .buffers = buffers, .layout = nulls});
  EXPECT_OK(ColumnMetadata::Parse(metadata.Serialize(), 100));
  metadata.pages.push_back({.num_rows = 5, .first_row = 5, .buffers = buffers, .layout = nulls});
  EXPECT_OK(ColumnMetadata::Parse(metadata.Serialize(), 120));
  EXPECT_THAT(ColumnMetadata::Parse(metadata.Serialize(), 100), FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, RefusesDescriptorsOfBlobsThatStandInLists) {
  // A layer that is a list, under which rows and values are not the same.
  MiniBlockLayout descriptors;
  descriptors.repetition = ValueEncoding::Flat(16);
  descriptors.values = ValueEncoding::Flat(128);
  descriptors.num_buffers = 1;
  descriptors.num_items = 4;
  descriptors.repetition_index_depth = 1;
  for (const LevelLayer layer : {LevelLayer::kAllValidList, LevelLayer::kNullAndEmptyList}) {
    BlobLayout blobs;
    blobs.inner =
        std::make_shared<const PageLayout>(PageLayout{.layout = descriptors, .layers = {layer}});
    const std::vector<io::ByteRange> buffers = {
        {.offset = 0, .length = 8}, {.offset = 8, .length = 256}, {.offset = 264, .length = 32}};
    EXPECT_THAT(MakePage({.layout = blobs, .layers = FlatLayers(true)}, 5, buffers),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(LancePageTest, ReadsZippedRowsAsTheFormatLaysThemOut) {
  FullZipLayout layout;
  layout.bits_def = 1;
  layout.is_variable = true;
  layout.bits = 32;
  layout.num_items = 3;
  layout.values.kind = ValueEncoding::Kind::kVariable;
  layout.values.children.push_back(ValueEncoding::Flat(32));
  const PageLayout page_layout = {.layout = layout, .layers = FlatLayers(true)};
  const std::string data =
      std::string(1, '\0') + U32(2) + "ab" + "\1" + std::string(1, '\0') + U32(0);
  const std::string index("\0\x07\x08\x0D", 4);
  const PageFile page(page_layout, 3, {data, index});
  ASSERT_OK_AND_ASSIGN(const auto array, page.Read(arrow::utf8()));
  EXPECT_EQ(array->ToString(), "[\n  \"ab\",\n  null,\n  \"\"\n]");
  ASSERT_OK_AND_ASSIGN(const auto taken, page.Take(arrow::utf8(), {0, 2}));
  EXPECT_EQ(taken->ToString(), "[\n  \"ab\",\n  \"\"\n]");

  const auto refuse_index = [&](const std::string& broken) {
    const PageFile other(page_layout, 3, {data, broken});
    EXPECT_THAT(other.Read(arrow::utf8()), FailsWith(ErrorCode::kCorrupt))
        << testing::PrintToString(broken);
  };
  refuse_index(std::string("\0\x07\x08\x0E", 4));  // beyond the data
  refuse_index(std::string("\0\x08\x07\x0D", 4));  // out of order
  refuse_index(std::string("\0\x06\x08\x0D", 4));  // not where a row ends
  refuse_index(std::string("\x0D\x07\x08\0", 4));
  refuse_index(std::string("\0\x07\x08", 3));
  refuse_index("");
  std::string long_value = data;
  long_value[1] = 3;
  EXPECT_THAT(PageFile(page_layout, 3, {long_value, index}).Read(arrow::utf8()),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(LancePageTest, FindsListsOnlyWhereBothLevelsAndIndexHaveThem) {
  FullZipLayout layout;
  layout.bits_rep = 1;
  layout.bits = 16;
  layout.num_items = 3;
  layout.values = ValueEncoding::Flat(16);
  const PageLayout page_layout = {.layout = layout,
                                  .layers = {LevelLayer::kAllValidItem, LevelLayer::kAllValidList}};
  // [1, 2], [3]
  const std::string data = "\1" + U16(1) + std::string(1, '\0') + U16(2) + "\1" + U16(3);
  const auto read = [&](const std::string& row_index) {
    const std::vector<io::ByteRange> ranges = {
        {.offset = 0, .length = std::ssize(data)},
        {.offset = std::ssize(data), .length = std::ssize(row_index)}};
    return UnravelRows(page_layout, ranges, data + row_index, 2);
  };
  EXPECT_OK(read(std::string("\0\x06\x09", 3)));
  EXPECT_THAT(read(std::string("\0\x03\x09", 3)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(read(std::string("\0\x09\x09", 3)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(read(std::string("\x03\x06\x09", 3)), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
