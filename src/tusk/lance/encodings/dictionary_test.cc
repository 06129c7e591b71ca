// Blocks of values, and chunks of indices into them.

#include "tusk/lance/encodings/dictionary.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

std::string TextBlock(const std::vector<std::string>& texts) {
  std::string head;
  std::string bytes;
  AppendLittle(uint32_t{32}, &head);
  AppendLittle(static_cast<uint32_t>(8 + 4 * (texts.size() + 1)), &head);
  AppendLittle(uint32_t{0}, &head);
  for (const std::string& text : texts) {
    bytes += text;
    AppendLittle(static_cast<uint32_t>(bytes.size()), &head);
  }
  return head + bytes;
}

ValueEncoding Lz4(ValueEncoding inner) {
  ValueEncoding encoding;
  encoding.kind = Kind::kGeneral;
  encoding.compression = ValueEncoding::Compression::kLz4;
  encoding.children.push_back(std::move(inner));
  return encoding;
}

std::string CompressLz4(const std::string& plain) {
  std::string block(LZ4_compressBound(static_cast<int>(plain.size())), '\0');
  block.resize(LZ4_compress_default(plain.data(), block.data(), static_cast<int>(plain.size()),
                                    static_cast<int>(block.size())));
  std::string out;
  AppendLittle(static_cast<uint32_t>(plain.size()), &out);
  return out + block;
}

Result<Block> DecodeBlock(const ValueEncoding& encoding, int64_t num_values,
                          const std::string& bytes) {
  return Block::Decode(encoding, num_values, arrow::Buffer::FromString(bytes),
                       arrow::default_memory_pool());
}

std::string_view View(std::span<const uint8_t> text) {
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

TEST(LanceBlockTest, ReadsTextsPlainAndCompressed) {
  const std::vector<std::string> texts = {"one", "", "three", std::string(1000, 'x')};
  const std::string bytes = TextBlock(texts);
  ASSERT_OK_AND_ASSIGN(const Block plain, DecodeBlock(VariableEncoding(32), 4, bytes));
  ASSERT_OK_AND_ASSIGN(const Block compressed,
                       DecodeBlock(Lz4(VariableEncoding(32)), 4, CompressLz4(bytes)));
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(View(plain.Text(static_cast<int64_t>(i))), texts[i]);
    EXPECT_EQ(View(compressed.Text(static_cast<int64_t>(i))), texts[i]);
  }
}

TEST(LanceBlockTest, RefusesBrokenTexts) {
  const std::string good = TextBlock({"ab", "c"});
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_THAT(DecodeBlock(VariableEncoding(32), 2, good.substr(0, length)),
                FailsWith(ErrorCode::kCorrupt));
  }
  for (const int64_t num_values : {int64_t{3}, int64_t{1} << 30, int64_t{1} << 62}) {
    EXPECT_THAT(DecodeBlock(VariableEncoding(32), num_values, good),
                FailsWith(ErrorCode::kCorrupt));
  }
  for (const size_t at : {0, 4, 8, 12, 16}) {
    std::string broken = good;
    broken[at] = 77;
    EXPECT_THAT(DecodeBlock(VariableEncoding(32), 2, broken), FailsWith(ErrorCode::kCorrupt)) << at;
  }
}

TEST(LanceBlockTest, ReadsFixedValuesInEveryEncoding) {
  std::mt19937_64 random(9);
  for (const int64_t count : {1, 100, 1023, 1024, 1025, 3000}) {
    std::vector<uint64_t> values(count);
    for (uint64_t& value : values) value = random() % 5000;
    const auto expect = [&](const ValueEncoding& encoding, const std::string& bytes) {
      ASSERT_OK_AND_ASSIGN(const Block block, DecodeBlock(encoding, count, bytes));
      EXPECT_EQ(std::memcmp(block.values(), values.data(), count * 8), 0) << count;
      EXPECT_THAT(DecodeBlock(encoding, count, bytes.substr(0, bytes.size() / 2)),
                  FailsWith(ErrorCode::kCorrupt));
    };
    std::string flat(reinterpret_cast<const char*>(values.data()), count * 8);
    expect(ValueEncoding::Flat(64), flat);

    constexpr int kWidth = 13;
    std::string padded;
    std::string plain_tail;
    for (int64_t i = 0; i < count; i += kPackedBlock) {
      std::vector<uint64_t> block(values.begin() + i,
                                  values.begin() + std::min(count, i + kPackedBlock));
      const bool is_whole = block.size() == kPackedBlock;
      block.resize(kPackedBlock);
      std::string packed(PackedBytes(kWidth), '\0');
      PackBlock(block.data(), kWidth, reinterpret_cast<uint8_t*>(packed.data()));
      padded += packed;
      plain_tail += is_whole ? packed : flat.substr(i * 8);
    }
    ValueEncoding packed;
    packed.kind = Kind::kOutOfLineBitpacking;
    packed.bits = 64;
    packed.children.push_back(ValueEncoding::Flat(kWidth));
    expect(packed, padded);
    expect(packed, plain_tail);
    if (count <= kPackedBlock) {
      ValueEncoding inline_packed;
      inline_packed.kind = Kind::kInlineBitpacking;
      inline_packed.bits = 64;
      std::string width;
      AppendLittle(uint64_t{kWidth}, &width);
      expect(inline_packed, width + padded);
    }
    std::string runs;
    AppendLittle(static_cast<uint64_t>(count) * 8, &runs);
    ValueEncoding rle;
    rle.kind = Kind::kRle;
    rle.children = {ValueEncoding::Flat(64), ValueEncoding::Flat(8)};
    expect(rle, runs + flat + std::string(count, '\1'));
  }
  EXPECT_THAT(DecodeBlock(ValueEncoding::Flat(1), 8, "x"), FailsWith(ErrorCode::kUnsupported));
}

class LanceDictionaryTest : public testing::TestWithParam<int> {};

TEST_P(LanceDictionaryTest, LooksUpRangesAndSingleRows) {
  const int index_bits = GetParam();
  const auto type = arrow::utf8();
  const ValueShape shape = *ValueShape::Of(*type);
  const std::vector<std::string> items = {"zero", "", "two", "three"};
  ASSERT_OK_AND_ASSIGN(const auto indices,
                       MakeValueDecoder(ValueEncoding::Flat(static_cast<uint64_t>(index_bits))));
  ASSERT_OK_AND_ASSIGN(const auto decoder,
                       DictionaryDecoder::Make(*indices, VariableEncoding(32), 4));
  ASSERT_OK(decoder.CheckShape(shape));
  EXPECT_THAT(decoder.CheckShape(*ValueShape::Of(*arrow::int64())), FailsWith(ErrorCode::kCorrupt));
  ASSERT_OK_AND_ASSIGN(const Block block,
                       decoder.DecodeItems(arrow::Buffer::FromString(TextBlock(items)),
                                           arrow::default_memory_pool()));
  std::mt19937 random(index_bits);
  std::vector<size_t> picks(500);
  std::string words;
  for (size_t& pick : picks) {
    pick = random() % items.size();
    words += static_cast<char>(pick) + std::string(index_bits / 8 - 1, '\0');
  }
  const std::span<const uint8_t> buffer(reinterpret_cast<const uint8_t*>(words.data()),
                                        words.size());
  const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = 500};
  ColumnOutput range(shape, 400, arrow::default_memory_pool());
  ASSERT_OK(decoder.DecodeInto(*indices, block, chunk, {.begin = 50, .end = 450}, 0, &range));
  ASSERT_OK_AND_ASSIGN(const auto data, range.Finish(type));
  const auto array = std::static_pointer_cast<arrow::StringArray>(arrow::MakeArray(data));
  for (int64_t i = 0; i < 400; ++i) EXPECT_EQ(array->GetView(i), items[picks[i + 50]]);
  ColumnOutput taken(shape, 2, arrow::default_memory_pool());
  const std::vector<TakenRow> rows = {{.row = 13, .position = 1}, {.row = 300, .position = 0}};
  ASSERT_OK(decoder.GatherInto(*indices, block, chunk, rows, 10, &taken));
  ASSERT_OK_AND_ASSIGN(const auto taken_data, taken.Finish(type));
  const auto gathered = std::static_pointer_cast<arrow::StringArray>(arrow::MakeArray(taken_data));
  EXPECT_EQ(gathered->GetView(1), items[picks[3]]);
  EXPECT_EQ(gathered->GetView(0), items[picks[290]]);

  words[100 * (index_bits / 8)] = 4;
  ColumnOutput broken(shape, 500, arrow::default_memory_pool());
  EXPECT_THAT(decoder.DecodeInto(*indices, block, chunk, {.begin = 0, .end = 500}, 0, &broken),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(decoder.GatherInto(*indices, block, chunk,
                                 std::vector<TakenRow>{{.row = 100, .position = 0}}, 0, &broken),
              FailsWith(ErrorCode::kCorrupt));
}

INSTANTIATE_TEST_SUITE_P(Widths, LanceDictionaryTest, testing::Values(8, 16, 32, 64));

TEST(LanceDictionaryLimitsTest, RefusesWhatCannotBeOne) {
  ASSERT_OK_AND_ASSIGN(const auto indices, MakeValueDecoder(ValueEncoding::Flat(32)));
  ASSERT_OK_AND_ASSIGN(const auto texts, MakeValueDecoder(VariableEncoding(32)));
  EXPECT_THAT(DictionaryDecoder::Make(*texts, VariableEncoding(32), 4),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(DictionaryDecoder::Make(*indices, VariableEncoding(32), 0),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(DictionaryDecoder::Make(*indices, VariableEncoding(32), uint64_t{1} << 40),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(DictionaryDecoder::Make(*indices, Lz4(Lz4(VariableEncoding(32))), 4),
              FailsWith(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace tusk::lance
