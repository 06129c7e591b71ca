// The bytes of chunks and levels, pinned to the format's text, and what is refused.

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

ValueShape Shape(const arrow::DataType& type) { return *ValueShape::Of(type); }

ColumnOutput Output(const arrow::DataType& type, int64_t num_rows) {
  return ColumnOutput(Shape(type), num_rows, arrow::default_memory_pool());
}

/// Rows of strings; borrows everything.
RowsView Texts(const ValueShape& shape, const std::vector<int32_t>& offsets, const char* bytes) {
  RowsView view;
  view.shape = &shape;
  view.num_rows = static_cast<int64_t>(offsets.size()) - 1;
  view.values = reinterpret_cast<const uint8_t*>(bytes);
  view.offsets = reinterpret_cast<const uint8_t*>(offsets.data());
  return view;
}

Status DecodeBytes(const ValueEncoding& encoding, const std::vector<uint8_t>& bytes,
                   int64_t num_values, const arrow::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(const auto decoder, MakeValueDecoder(encoding));
  ColumnOutput range = Output(type, num_values);
  const std::span<const uint8_t> buffer(bytes);
  const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = num_values};
  const Status decoded = decoder->DecodeInto(chunk, {.begin = 0, .end = num_values}, 0, &range);
  // Both ways to read must agree on what is broken in the rows they see.
  std::vector<TakenRow> rows;
  for (int64_t i = 0; i < num_values; ++i) rows.push_back({.row = i + 10, .position = i});
  ColumnOutput taken = Output(type, num_values);
  const Status gathered = decoder->GatherInto(chunk, rows, 10, &taken);
  EXPECT_EQ(decoded.ok(), gathered.ok()) << decoded.ToString() << gathered.ToString();
  return decoded;
}

TEST(LanceChunkTest, PutsOffsetsFromTheStartOfTheBufferBeforeTexts) {
  const ValueShape shape = Shape(*arrow::utf8());
  const std::vector<int32_t> offsets = {3, 5, 5, 8};
  const RowsView rows = Texts(shape, offsets, "xxxabcde");
  ASSERT_EQ(EncodedVariableSize(rows), 24);
  std::vector<uint8_t> bytes(24);
  EncodeVariable(rows, bytes.data());
  EXPECT_THAT(bytes, ElementsAre(16, 0, 0, 0, 18, 0, 0, 0, 18, 0, 0, 0, 21, 0, 0, 0, 'a', 'b', 'c',
                                 'd', 'e', 0x48, 0x48, 0x48));
}

TEST(LanceChunkTest, RefusesTextsOutsideTheirChunk) {
  const ValueEncoding encoding = VariableEncoding(32);
  const std::vector<uint8_t> good = {12, 0, 0, 0, 13, 0, 0, 0, 14, 0, 0, 0, 'a', 'b'};
  ASSERT_OK(DecodeBytes(encoding, good, 2, *arrow::utf8()));
  const auto refuse = [&](size_t at, uint8_t value) {
    std::vector<uint8_t> bytes = good;
    bytes[at] = value;
    EXPECT_THAT(DecodeBytes(encoding, bytes, 2, *arrow::utf8()), FailsWith(ErrorCode::kCorrupt));
  };
  refuse(0, 11);  // begins in the table
  refuse(0, 14);  // ends before it begins
  refuse(4, 15);  // ends outside
  refuse(8, 15);
  refuse(11, 0x80);  // beyond what an offset can be
  for (size_t length = 0; length < good.size(); ++length) {
    const std::vector<uint8_t> cut(good.begin(), good.begin() + length);
    EXPECT_THAT(DecodeBytes(encoding, cut, 2, *arrow::utf8()), FailsWith(ErrorCode::kCorrupt));
  }
}

// Ranges of texts with offsets of either width, in arrays of either, over vectors of every length.
TEST(LanceChunkTest, ReadsRangesOfTexts) {
  constexpr int64_t kTexts = 100;
  std::mt19937_64 random(13);
  std::vector<std::string> texts(kTexts);
  std::string bytes;
  for (std::string& text : texts) {
    text = std::string(random() % 9, static_cast<char>(random()));
    bytes += text;
  }
  for (const int64_t bits : {32, 64}) {
    const int64_t width = bits / 8;
    std::vector<uint8_t> buffer((kTexts + 1) * width);
    uint64_t at = buffer.size();
    for (int64_t i = 0; i <= kTexts; ++i) {
      std::memcpy(buffer.data() + i * width, &at, width);
      if (i < kTexts) at += texts[i].size();
    }
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(VariableEncoding(bits)));
    const std::span<const uint8_t> span(buffer);
    const EncodedChunk chunk{.buffers = {&span, 1}, .num_values = kTexts};
    for (const SimdLevel level : SupportedSimdLevels()) {
      const ForcedSimdLevel forced(level);
      for (const auto& type : {arrow::binary(), arrow::large_binary()}) {
        for (int64_t begin = 0; begin <= kTexts; begin += 3) {
          const int64_t length = kTexts - begin;
          ColumnOutput out = Output(*type, length);
          const int64_t half = length / 2;
          const RowRange halves[] = {{.begin = begin, .end = begin + half},
                                     {.begin = begin + half, .end = kTexts}};
          const bool is_in_order = begin % 2 == 0;
          for (const int which : {is_in_order ? 0 : 1, is_in_order ? 1 : 0}) {
            ASSERT_OK(decoder->DecodeInto(chunk, halves[which], which * half, &out));
          }
          ASSERT_OK_AND_ASSIGN(const auto data, out.Finish(type));
          const auto array = arrow::MakeArray(data);
          ASSERT_OK(array->ValidateFull());
          for (int64_t i = 0; i < length; ++i) {
            ASSERT_OK_AND_ASSIGN(const auto text, array->GetScalar(i));
            ASSERT_EQ(static_cast<const arrow::BaseBinaryScalar&>(*text).view(), texts[begin + i]);
          }
        }
      }
    }
  }
}

// Offsets that fall somewhere, whichever part of a vector sees it.
TEST(LanceChunkTest, RefusesTextsThatEndBeforeTheyBeginAnywhere) {
  constexpr int64_t kTexts = 70;
  for (const int64_t bits : {32, 64}) {
    const int64_t width = bits / 8;
    std::vector<uint8_t> good((kTexts + 1) * width + 2 * kTexts);
    for (int64_t i = 0; i <= kTexts; ++i) {
      const int64_t at = (kTexts + 1) * width + 2 * i;
      std::memcpy(good.data() + i * width, &at, width);
    }
    for (const SimdLevel level : SupportedSimdLevels()) {
      const ForcedSimdLevel forced(level);
      ASSERT_OK(DecodeBytes(VariableEncoding(bits), good, kTexts, *arrow::binary()));
      for (int64_t i = 1; i < kTexts; ++i) {
        for (const int64_t change : {-3, 3, 1 << 20, -(1 << 20)}) {
          std::vector<uint8_t> broken = good;
          const int64_t at = (kTexts + 1) * width + 2 * i + change;
          std::memcpy(broken.data() + i * width, &at, width);
          EXPECT_THAT(DecodeBytes(VariableEncoding(bits), broken, kTexts, *arrow::binary()),
                      FailsWith(ErrorCode::kCorrupt))
              << i << ' ' << change;
        }
      }
    }
  }
}

TEST(LanceChunkTest, RefusesFlatChunksThatAreTooShort) {
  for (const auto& [type, bits, size] :
       {std::tuple(arrow::int32(), 32, 12), std::tuple(arrow::boolean(), 1, 1)}) {
    ASSERT_OK(DecodeBytes(ValueEncoding::Flat(bits), std::vector<uint8_t>(size), 3, *type));
    EXPECT_THAT(DecodeBytes(ValueEncoding::Flat(bits), std::vector<uint8_t>(size - 1), 3, *type),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(LanceChunkTest, RefusesPackedChunksThatBreakTheLayout) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kInlineBitpacking;
  encoding.bits = 32;
  std::vector<uint8_t> good(4 + PackedBytes(3));
  good[0] = 3;
  ASSERT_OK(DecodeBytes(encoding, good, 1024, *arrow::int32()));
  EXPECT_THAT(DecodeBytes(encoding, good, 1025, *arrow::int32()), FailsWith(ErrorCode::kCorrupt));
  good[0] = 4;
  EXPECT_THAT(DecodeBytes(encoding, good, 1024, *arrow::int32()), FailsWith(ErrorCode::kCorrupt));
  good[0] = 33;
  EXPECT_THAT(DecodeBytes(encoding, good, 1024, *arrow::int32()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(DecodeBytes(encoding, {0, 0, 0}, 1, *arrow::int32()), FailsWith(ErrorCode::kCorrupt));
  // A width of 0 is all there is to 1024 zeros.
  EXPECT_OK(DecodeBytes(encoding, {0, 0, 0, 0}, 1024, *arrow::int32()));
  encoding.bits = 12;
  EXPECT_THAT(MakeValueDecoder(encoding), FailsWith(ErrorCode::kCorrupt));
}

TEST(LanceChunkTest, RefusesEncodingsThatAreNotCoveredByName) {
  using Kind = ValueEncoding::Kind;
  for (const Kind kind : {Kind::kConstant, Kind::kDictionary, Kind::kVariablePackedStruct,
                          Kind::kBufferCompression}) {
    ValueEncoding encoding;
    encoding.kind = kind;
    const auto decoder = MakeValueDecoder(encoding);
    ASSERT_THAT(decoder, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(decoder.status().message(), testing::HasSubstr(std::string(EncodingName(kind))));
  }
}

TEST(LancePackedStructTest, RefusesRowsThatAreNotTheirFields) {
  const auto type =
      arrow::struct_({arrow::field("a", arrow::int16()), arrow::field("b", arrow::utf8())});
  ASSERT_OK_AND_ASSIGN(const ValueShape shape, ValueShape::OfPacked(*type));
  ASSERT_TRUE(shape.is_variable);
  // 7, and one text behind its length.
  const std::string row = std::string("\7\0\2\0\0\0\0\0\0\0hi", 12);
  const auto unpack = [&](const std::string& bytes) {
    arrow::LargeBinaryBuilder builder;
    EXPECT_OK(builder.Append(bytes));
    return UnpackStruct(*builder.Finish().ValueOrDie()->data(), shape, type,
                        arrow::default_memory_pool());
  };
  ASSERT_OK_AND_ASSIGN(const auto unpacked, unpack(row));
  EXPECT_EQ(arrow::MakeArray(unpacked)->GetScalar(0).ValueOrDie()->ToString(),
            "{a:int16 = 7, b:string = hi}");
  for (size_t length = 1; length < row.size(); ++length) {
    EXPECT_THAT(unpack(row.substr(0, length)), FailsWith(ErrorCode::kCorrupt)) << length;
  }
  EXPECT_THAT(unpack(row + "!"), FailsWith(ErrorCode::kCorrupt));
}

TEST(LanceColumnOutputTest, RefusesTextsBeyondWhatTheirOffsetsCount) {
  ColumnOutput out = Output(*arrow::utf8(), 3);
  auto* lengths = reinterpret_cast<int32_t*>(*out.MutableLengths());
  for (int i = 1; i <= 3; ++i) lengths[i] = 1'000'000'000;
  const auto array = out.Finish(arrow::utf8());
  ASSERT_THAT(array, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(array.status().message(), testing::HasSubstr("read fewer rows"));
}

/// Levels of `num_rows` rows, every seventh null, decoded from `bytes`.
void ExpectEverySeventhNull(const LevelDecoder& decoder, std::span<const uint8_t> bytes,
                            int64_t num_rows) {
  ColumnOutput out = Output(*arrow::int8(), num_rows);
  ASSERT_OK(decoder.DecodeInto(bytes, num_rows, {.begin = 0, .end = num_rows}, 0, &out));
  ColumnOutput reversed = Output(*arrow::int8(), num_rows);
  std::vector<TakenRow> rows;
  for (int64_t i = 0; i < num_rows; ++i) {
    rows.push_back({.row = 100 + i, .position = num_rows - 1 - i});
  }
  ASSERT_OK(decoder.GatherInto(bytes, num_rows, rows, 100, &reversed));
  const uint8_t* validity = *out.MutableValidity();
  const uint8_t* reversed_validity = *reversed.MutableValidity();
  for (int64_t i = 0; i < num_rows; ++i) {
    ASSERT_EQ(GetBit(validity, i), i % 7 != 0) << i;
    ASSERT_EQ(GetBit(reversed_validity, num_rows - 1 - i), i % 7 != 0) << i;
  }
}

TEST(LanceLevelsTest, AreReadInEveryForm) {
  ValueEncoding inline_packed;
  inline_packed.kind = ValueEncoding::Kind::kInlineBitpacking;
  inline_packed.bits = 16;
  ASSERT_OK_AND_ASSIGN(const auto flat, LevelDecoder::Make(ValueEncoding::Flat(16)));
  ASSERT_OK_AND_ASSIGN(const auto packed, LevelDecoder::Make(OutOfLineBitpackingEncoding(16, 1)));
  ASSERT_OK_AND_ASSIGN(const auto in_line, LevelDecoder::Make(inline_packed));
  ValueEncoding rle;
  rle.kind = ValueEncoding::Kind::kRle;
  rle.children = {ValueEncoding::Flat(16), ValueEncoding::Flat(8)};
  ASSERT_OK_AND_ASSIGN(const auto run_length, LevelDecoder::Make(rle));
  for (const int64_t num_rows : {1, 8, 63, 64, 65, 1023, 1024, 1025, 1088, 2047, 2048, 4096}) {
    SCOPED_TRACE(num_rows);
    std::vector<uint16_t> levels(num_rows);
    for (int64_t i = 0; i < num_rows; i += 7) levels[i] = 1;
    const std::span<const uint8_t> plain(reinterpret_cast<const uint8_t*>(levels.data()),
                                         levels.size() * 2);
    ExpectEverySeventhNull(flat, plain, num_rows);

    // With a tail that is padded, and with one that is not; 64 levels are always read as words.
    const int64_t whole = num_rows / 1024 * 1024;
    std::vector<uint16_t> filled = levels;
    filled.resize((num_rows + 1023) / 1024 * 1024);
    std::vector<uint8_t> padded(filled.size() / 8);
    for (size_t i = 0; i < filled.size(); i += 1024) {
      PackBlock(filled.data() + i, 1, padded.data() + i / 8);
    }
    if (num_rows % 1024 != 64) ExpectEverySeventhNull(packed, padded, num_rows);
    std::vector<uint8_t> unpadded(padded.begin(), padded.begin() + whole / 8);
    unpadded.insert(unpadded.end(), plain.begin() + whole * 2, plain.end());
    ExpectEverySeventhNull(packed, unpadded, num_rows);

    // A run for each null and one for each gap.
    std::vector<uint8_t> run_values;
    std::vector<uint8_t> run_lengths;
    for (int64_t i = 0; i < num_rows; i += 7) {
      run_values.insert(run_values.end(), {1, 0});
      run_lengths.push_back(1);
      if (i + 1 == num_rows) break;
      run_values.insert(run_values.end(), {0, 0});
      run_lengths.push_back(static_cast<uint8_t>(std::min<int64_t>(6, num_rows - i - 1)));
    }
    std::vector<uint8_t> runs(8);
    const uint64_t values_size = run_values.size();
    std::memcpy(runs.data(), &values_size, 8);
    runs.insert(runs.end(), run_values.begin(), run_values.end());
    runs.insert(runs.end(), run_lengths.begin(), run_lengths.end());
    ExpectEverySeventhNull(run_length, runs, num_rows);

    if (num_rows > 1024) continue;
    padded.insert(padded.begin(), {1, 0});
    ExpectEverySeventhNull(in_line, padded, num_rows);
  }
}

TEST(LanceLevelsTest, OfNoEntriesAreNothing) {
  ValueEncoding inline_packed;
  inline_packed.kind = ValueEncoding::Kind::kInlineBitpacking;
  inline_packed.bits = 16;
  ValueEncoding rle;
  rle.kind = ValueEncoding::Kind::kRle;
  rle.children = {ValueEncoding::Flat(16), ValueEncoding::Flat(8)};
  // A whole block, one bit a level.
  std::vector<uint8_t> bytes(2 + 128);
  bytes[0] = 1;
  for (const ValueEncoding& encoding :
       {ValueEncoding::Flat(16), OutOfLineBitpackingEncoding(16, 1), inline_packed, rle}) {
    SCOPED_TRACE(EncodingName(encoding.kind));
    ASSERT_OK_AND_ASSIGN(const auto decoder, LevelDecoder::Make(encoding));
    std::vector<uint16_t> levels;
    EXPECT_OK(decoder.Decode(bytes, 0, arrow::default_memory_pool(), &levels));
  }
}

TEST(LanceLevelsTest, RefuseLevelsThatARowCannotHave) {
  ASSERT_OK_AND_ASSIGN(const auto flat, LevelDecoder::Make(ValueEncoding::Flat(16)));
  const std::vector<uint8_t> levels = {0, 0, 1, 0, 2, 0};
  ColumnOutput out = Output(*arrow::int8(), 3);
  EXPECT_THAT(flat.DecodeInto(levels, 3, {.begin = 0, .end = 3}, 0, &out),
              FailsWith(ErrorCode::kCorrupt));
  const std::vector<TakenRow> last = {{.row = 2, .position = 0}};
  EXPECT_THAT(flat.GatherInto(levels, 3, last, 0, &out), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(flat.DecodeInto(levels, 4, {.begin = 0, .end = 1}, 0, &out),
              FailsWith(ErrorCode::kCorrupt));
  ASSERT_OK_AND_ASSIGN(const auto packed, LevelDecoder::Make(OutOfLineBitpackingEncoding(16, 1)));
  EXPECT_THAT(packed.DecodeInto(std::vector<uint8_t>(127), 1024, {.begin = 0, .end = 1}, 0, &out),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(packed.DecodeInto(std::vector<uint8_t>(130), 1030, {.begin = 0, .end = 1}, 0, &out),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(LevelDecoder::Make(ValueEncoding::Flat(8)), FailsWith(ErrorCode::kCorrupt));
  ValueEncoding fsst;
  fsst.kind = ValueEncoding::Kind::kFsst;
  EXPECT_THAT(LevelDecoder::Make(fsst), FailsWith(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace tusk::lance
