// What encoders make of values of every width, length and kind, read by our decoders; and the rules
// that chunks keep.

#include "tusk/lance/encodings/value_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/byte_stream_split.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/general.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/random_arrays.h"

namespace tusk::lance {
namespace {

using Compression = ValueEncoding::Compression;
using testing::ElementsAre;

constexpr int64_t kLengths[] = {1, 2, 3, 1023, 1024, 1025, 4095, 4096, 4097, 10000};

using Buffers = std::vector<std::string>;

Result<Buffers> EncodeChunk(ValueEncoder* encoder, const RowsView& rows) {
  std::vector<arrow::BufferBuilder> builders(encoder->num_buffers());
  ARROW_RETURN_NOT_OK(encoder->EncodeChunk(rows, builders));
  Buffers buffers;
  for (arrow::BufferBuilder& builder : builders) {
    ARROW_ASSIGN_OR_RAISE(const auto buffer, builder.Finish());
    buffers.push_back(buffer->ToString());
  }
  return buffers;
}

RowsView Rows(const arrow::ArrayData& array, const ValueShape& shape,
              std::span<const ItemBitmap> items = {}) {
  RowsView rows = RowsView::Of(array, shape, items).ValueOrDie();
  rows.validity = nullptr;
  return rows;
}

class Chunk {
 public:
  Chunk(const Buffers& buffers, int64_t num_values) : num_values_(num_values) {
    for (const std::string& buffer : buffers) {
      spans_.emplace_back(reinterpret_cast<const uint8_t*>(buffer.data()), buffer.size());
    }
  }
  EncodedChunk view() const { return {.buffers = spans_, .num_values = num_values_}; }

 private:
  std::vector<std::span<const uint8_t>> spans_;
  int64_t num_values_;
};

/// Encodes `array`, which has no nulls, decodes it chunk by chunk and row by row, and compares.
void ExpectReadBack(ValueEncoder* encoder, const std::shared_ptr<arrow::ArrayData>& array) {
  const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
  const auto items = RowsView::ItemBitmapsOf(*array, shape);
  const RowsView page = Rows(*array, shape, items);
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(encoder->encoding()));
  ASSERT_OK(decoder->CheckShape(shape));
  ASSERT_EQ(decoder->num_buffers(), encoder->num_buffers());
  ColumnOutput range(shape, array->length, arrow::default_memory_pool());
  ColumnOutput taken(shape, array->length, arrow::default_memory_pool());
  std::vector<Buffers> kept;  // until the output is finished
  for (int64_t row = 0; row < array->length;) {
    const RowsView rest = page.Slice({.begin = row, .end = array->length});
    const int64_t count = encoder->ChunkRows(rest);
    ASSERT_GE(count, 1);
    ASSERT_LE(count, std::min(rest.num_rows, kMaxChunkValues));
    if (count < rest.num_rows) {
      ASSERT_GT(count, 1);
      ASSERT_TRUE(std::has_single_bit(static_cast<uint64_t>(count))) << count;
    }
    ASSERT_OK_AND_ASSIGN(Buffers buffers,
                         EncodeChunk(encoder, rest.Slice({.begin = 0, .end = count})));
    kept.push_back(std::move(buffers));
    const Chunk chunk(kept.back(), count);
    ASSERT_OK(decoder->DecodeInto(chunk.view(), {.begin = 0, .end = count}, row, &range));
    std::vector<TakenRow> rows(count);
    for (int64_t i = 0; i < count; ++i) rows[i] = {.row = row + i, .position = row + i};
    ASSERT_OK(decoder->GatherInto(chunk.view(), rows, row, &taken));
    row += count;
  }
  const auto expected = arrow::MakeArray(array);
  for (ColumnOutput* output : {&range, &taken}) {
    ASSERT_OK_AND_ASSIGN(const auto decoded, output->Finish(array->type));
    ASSERT_TRUE(arrow::MakeArray(decoded)->Equals(expected)) << expected->type()->ToString();
  }
}

std::shared_ptr<arrow::DataType> WordType(int64_t bits) {
  switch (bits) {
    case 8:
      return arrow::uint8();
    case 16:
      return arrow::int16();
    case 32:
      return arrow::uint32();
    default:
      return arrow::int64();
  }
}

/// Words of `bits` bits, of which `next` says the lowest 64; they begin at an offset in the array.
std::shared_ptr<arrow::ArrayData> Words(int64_t bits, int64_t length,
                                        const std::function<uint64_t()>& next) {
  constexpr int64_t kOffset = 5;
  std::string bytes;
  for (int64_t i = 0; i < length + kOffset; ++i) {
    const uint64_t word = next();
    bytes.append(reinterpret_cast<const char*>(&word), bits / 8);
  }
  return arrow::ArrayData::Make(WordType(bits), length,
                                {nullptr, arrow::Buffer::FromString(std::move(bytes))}, 0, kOffset);
}

/// Words of every kind: of each width, in runs short and long, all the same.
std::vector<std::shared_ptr<arrow::ArrayData>> AllWords(int64_t bits, int64_t length) {
  std::mt19937_64 random(bits * 100000 + length);
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (int64_t width = 1; width <= bits; width += length > 3 && bits > 16 ? 7 : 1) {
    arrays.push_back(Words(bits, length, [&] { return random() >> (64 - width); }));
  }
  for (const uint64_t mean : {2, 20, 255, 3000}) {
    uint64_t value = 0;
    arrays.push_back(Words(bits, length, [&] {
      if (random() % mean == 0) value = random();
      return value;
    }));
  }
  arrays.push_back(Words(bits, length, [] { return 0; }));
  arrays.push_back(Words(bits, length, [] { return ~uint64_t{0}; }));
  // Runs of exactly the lengths at which they are cut.
  for (const int64_t run : {255, 256, 510, 511}) {
    int64_t i = 0;
    arrays.push_back(Words(bits, length, [&] { return static_cast<uint64_t>(i++ / run); }));
  }
  return arrays;
}

class LanceValueEncoderTest : public testing::TestWithParam<SimdLevel> {
 protected:
  ForcedSimdLevel forced_{GetParam()};
};

TEST_P(LanceValueEncoderTest, StoresWordsThatAreReadBack) {
  for (const int64_t bits : {8, 16, 32, 64}) {
    const ValueShape shape = ValueShape::Of(*WordType(bits)).ValueOrDie();
    std::vector<std::unique_ptr<ValueEncoder>> encoders;
    encoders.push_back(MakeFlatEncoder(shape));
    encoders.push_back(MakeInlineBitpackingEncoder(bits));
    encoders.push_back(MakeRleEncoder(bits));
    if (bits >= 32) encoders.push_back(MakeByteStreamSplitEncoder(bits));
    for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
      encoders.push_back(MakeGeneralEncoder(compression, {}, MakeRleEncoder(bits)));
    }
    for (const int64_t length : kLengths) {
      SCOPED_TRACE(testing::Message() << length << " words of " << bits << " bits");
      for (const auto& array : AllWords(bits, length)) {
        for (const auto& encoder : encoders) {
          SCOPED_TRACE(EncodingName(encoder->encoding().kind));
          ASSERT_NO_FATAL_FAILURE(ExpectReadBack(encoder.get(), array));
        }
      }
    }
  }
}

TEST_P(LanceValueEncoderTest, StoresTextsThatAreReadBack) {
  std::mt19937_64 random(5);
  for (const auto& type :
       {arrow::utf8(), arrow::binary(), arrow::large_utf8(), arrow::large_binary()}) {
    const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
    for (const int64_t length : kLengths) {
      for (const int64_t max_length : {0, 3, 40, 255, 5000}) {
        if (max_length * length > 1 << 18) continue;
        auto array =
            RandomArray(type, length + 9, {.max_length = max_length}, &random)->Slice(9)->data();
        for (const int64_t chunk_bytes : {int64_t{1}, int64_t{64}, kVariableChunkBytes}) {
          const auto encoder = MakeVariableEncoder(shape, chunk_bytes);
          ASSERT_NO_FATAL_FAILURE(ExpectReadBack(encoder.get(), array)) << length;
        }
        const auto encoder = MakeGeneralEncoder(Compression::kZstd, 1, MakeVariableEncoder(shape));
        ASSERT_NO_FATAL_FAILURE(ExpectReadBack(encoder.get(), array)) << length;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, LanceValueEncoderTest,
                         testing::ValuesIn(SupportedSimdLevels().begin(),
                                           SupportedSimdLevels().end()));

TEST(LanceFlatEncoderTest, StoresAnyFixedShapeThatIsReadBack) {
  std::mt19937_64 random(6);
  const auto list = [](const std::shared_ptr<arrow::DataType>& item, int32_t size) {
    return arrow::fixed_size_list(item, size);
  };
  for (const auto& type :
       {arrow::boolean(), arrow::fixed_size_binary(3), arrow::fixed_size_binary(255),
        arrow::decimal128(38, 2), arrow::decimal256(70, 2), list(arrow::int16(), 7),
        list(arrow::boolean(), 3), list(arrow::boolean(), 8), list(list(arrow::boolean(), 5), 3),
        list(list(arrow::int32(), 2), 3)}) {
    SCOPED_TRACE(type->ToString());
    const auto encoder = MakeFlatEncoder(ValueShape::Of(*type).ValueOrDie());
    for (const int64_t length : kLengths) {
      for (const int64_t offset : {0, 1, 3, 8, 13}) {
        const auto array = RandomArray(type, length + offset, {}, &random)->Slice(offset);
        ASSERT_NO_FATAL_FAILURE(ExpectReadBack(encoder.get(), array->data())) << length;
      }
    }
  }
}

// Twice as many would reach the limits of 4,096 values and 8,186 bytes.
TEST(LanceFlatEncoderTest, CutsChunksAsLargeAsTheReferenceWriterDoes) {
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, int64_t>> cases = {
      {arrow::boolean(), 4096},
      {arrow::int8(), 4096},
      {arrow::int16(), 2048},
      {arrow::int32(), 1024},
      {arrow::int64(), 512},
      {arrow::decimal128(3, 0), 256},
      {arrow::fixed_size_binary(5), 1024},
      {arrow::fixed_size_binary(255), 32},
      {arrow::fixed_size_list(arrow::boolean(), 3), 4096},
      {arrow::fixed_size_list(arrow::float32(), 4), 256}};
  for (const auto& [type, rows] : cases) {
    const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
    const auto encoder = MakeFlatEncoder(shape);
    EXPECT_EQ(encoder->ChunkRows({.shape = &shape, .num_rows = 100000}), rows) << type->ToString();
    EXPECT_EQ(encoder->ChunkRows({.shape = &shape, .num_rows = rows - 1}), rows - 1);
  }
}

/// Lists of random items, of which one in `null_one_in[layer]` of each layer is null, or none if 0.
std::shared_ptr<arrow::ArrayData> ListsWithNulls(const std::shared_ptr<arrow::DataType>& type,
                                                 int64_t num_rows,
                                                 std::span<const uint64_t> null_one_in,
                                                 std::mt19937_64* random) {
  const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
  // The items begin at an offset of their own.
  constexpr int64_t kOffset = 3;
  const int64_t num_items = num_rows * list.list_size();
  std::shared_ptr<arrow::ArrayData> items;
  if (list.value_type()->id() == arrow::Type::FIXED_SIZE_LIST) {
    items = ListsWithNulls(list.value_type(), num_items + kOffset, null_one_in.subspan(1), random);
  } else {
    items = RandomArray(list.value_type(), num_items + kOffset, {}, random)->data()->Copy();
  }
  if (null_one_in[0] != 0) {
    std::string bits(BytesForBits(num_items + kOffset), '\xff');
    for (int64_t i = 0; i < num_items + kOffset; ++i) {
      if ((*random)() % null_one_in[0] == 0) {
        ClearBit(reinterpret_cast<uint8_t*>(bits.data()), i);
      }
    }
    items->buffers[0] = arrow::Buffer::FromString(std::move(bits));
    items->null_count = arrow::kUnknownNullCount;
  }
  return arrow::ArrayData::Make(type, num_rows, {nullptr}, {items->Slice(kOffset, num_items)}, 0);
}

TEST(LanceFixedSizeListEncoderTest, StoresNullItemsThatAreReadBack) {
  std::mt19937_64 random(11);
  const auto list = [](const std::shared_ptr<arrow::DataType>& item, int32_t size) {
    return arrow::fixed_size_list(item, size);
  };
  using NullOneIn = std::vector<uint64_t>;
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::vector<NullOneIn>>> cases = {
      {list(arrow::int16(), 3), {{1}, {2}, {1000}}},
      {list(arrow::boolean(), 3), {{3}}},
      {list(list(arrow::int32(), 2), 3), {{0, 2}, {2, 0}, {3, 2}}},
      {list(list(arrow::boolean(), 5), 3), {{3, 2}}},
      {list(list(list(arrow::uint8(), 2), 1), 3), {{2, 3, 4}, {2, 0, 2}}}};
  for (const auto& [type, nulls] : cases) {
    const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
    for (const NullOneIn& null_one_in : nulls) {
      for (const int64_t length : kLengths) {
        SCOPED_TRACE(testing::Message() << length << " of " << type->ToString());
        const auto array = ListsWithNulls(type, length + 5, null_one_in, &random)->Slice(5, length);
        const auto items = RowsView::ItemBitmapsOf(*array, shape);
        const auto encoder = MakeFixedSizeListEncoder(Rows(*array, shape, items));
        if (length > 5000) {
          EXPECT_EQ(encoder->num_buffers(),
                    1 + null_one_in.size() - std::ranges::count(null_one_in, 0U));
        }
        ASSERT_NO_FATAL_FAILURE(ExpectReadBack(encoder.get(), array));
        const auto compressed = MakeGeneralEncoder(
            Compression::kLz4, {}, MakeFixedSizeListEncoder(Rows(*array, shape, items)));
        ASSERT_NO_FATAL_FAILURE(ExpectReadBack(compressed.get(), array));
      }
    }
  }
}

// Bytes as docs/format/lance_encodings.md has them, "Fixed-size lists".
TEST(LanceFixedSizeListEncoderTest, PutsBitmapsBeforeItems) {
  const auto type = arrow::fixed_size_list(arrow::float32(), 2);
  const std::vector<float> floats = {1, 2, 7, 8, 9, 4};
  const auto items = arrow::ArrayData::Make(
      arrow::float32(), 6, {arrow::Buffer::FromString("\x23"), arrow::Buffer::FromVector(floats)});
  const auto array = arrow::ArrayData::Make(type, 3, {nullptr}, {items}, 0);
  const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
  const auto bitmaps = RowsView::ItemBitmapsOf(*array, shape);
  const RowsView rows = Rows(*array, shape, bitmaps);
  const auto encoder = MakeFixedSizeListEncoder(rows);
  EXPECT_TRUE(encoder->encoding().has_validity);
  ASSERT_OK_AND_ASSIGN(const Buffers buffers, EncodeChunk(encoder.get(), rows));
  ASSERT_EQ(buffers.size(), 2U);
  EXPECT_EQ(buffers[0], "\x23");
  const std::vector<float> stored = {1, 2, 0, 0, 0, 4};
  EXPECT_EQ(buffers[1], std::string(reinterpret_cast<const char*>(stored.data()), 24));
}

TEST(LanceFixedSizeListEncoderTest, HasNoBitmapWhereThePageHasNoNull) {
  std::mt19937_64 random(12);
  const auto type = arrow::fixed_size_list(arrow::int16(), 2);
  const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
  const auto array = ListsWithNulls(type, 100, std::vector<uint64_t>{1}, &random);
  auto* bits = const_cast<uint8_t*>(array->child_data[0]->buffers[0]->data());
  SetBits(bits, 3, 100);  // the first fifty lists
  const auto bitmaps = RowsView::ItemBitmapsOf(*array, shape);
  const RowsView rows = Rows(*array, shape, bitmaps);
  EXPECT_EQ(MakeFixedSizeListEncoder(rows)->num_buffers(), 2U);
  EXPECT_EQ(MakeFixedSizeListEncoder(rows.Slice({.begin = 10, .end = 50}))->num_buffers(), 1U);
  EXPECT_EQ(MakeFixedSizeListEncoder(rows.Slice({.begin = 10, .end = 51}))->num_buffers(), 2U);
}

TEST(LanceRowsViewTest, RefusesNullItemsWithoutTheirBitmaps) {
  std::mt19937_64 random(13);
  const auto type = arrow::fixed_size_list(arrow::fixed_size_list(arrow::int16(), 2), 2);
  const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
  for (const auto& null_one_in : {std::vector<uint64_t>{1, 0}, std::vector<uint64_t>{0, 1}}) {
    const auto array = ListsWithNulls(type, 3, null_one_in, &random);
    EXPECT_THAT(RowsView::Of(*array, shape), FailsWith(ErrorCode::kUnsupported));
    EXPECT_EQ(RowsView::ItemBitmapsOf(*array, shape).size(), 2U);
    // Under a null list they do not count.
    const auto nulls = array->Copy();
    nulls->buffers[0] = arrow::Buffer::FromString(std::string(1, '\0'));
    nulls->null_count = 3;
    EXPECT_OK(RowsView::Of(*nulls, shape));
    EXPECT_TRUE(RowsView::ItemBitmapsOf(*nulls, shape).empty());
  }
}

TEST(LanceFlatEncoderTest, DescribesPackedStructsByTheirFields) {
  const auto type = arrow::struct_({arrow::field("a", arrow::int32()),
                                    arrow::field("b", arrow::fixed_size_list(arrow::int8(), 3))});
  ASSERT_OK_AND_ASSIGN(const ValueShape shape, ValueShape::OfPacked(*type));
  const auto encoder = MakeFlatEncoder(shape);
  const ValueEncoding& encoding = encoder->encoding();
  ASSERT_EQ(encoding.kind, ValueEncoding::Kind::kPackedStruct);
  ASSERT_EQ(encoding.packed_fields.size(), 2U);
  EXPECT_EQ(encoding.packed_fields[0].bits, 32U);
  EXPECT_EQ(encoding.packed_fields[1].bits, 24U);
  EXPECT_EQ(encoding.children.at(0).bits, 56U);
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(encoding));
  EXPECT_OK(decoder->CheckShape(shape));
}

// Bytes as docs/format/lance_encodings.md has them, "Bitpacking".
TEST(LanceInlineBitpackingEncoderTest, PutsTheWidthBeforeTheBlock) {
  uint64_t i = 0;
  const auto array = Words(32, 1024, [&] { return (i++ + 3) % 8; });  // the first is the fifth
  const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
  const auto encoder = MakeInlineBitpackingEncoder(32);
  ASSERT_OK_AND_ASSIGN(const Buffers buffers, EncodeChunk(encoder.get(), Rows(*array, shape)));
  ASSERT_EQ(buffers.size(), 1U);
  EXPECT_EQ(buffers[0].size(), 388U);
  EXPECT_EQ(buffers[0].substr(0, 20),
            std::string("\x03\0\0\0\0\0\0\0\x49\x92\x24\x49\x92\x24\x49\x92\xdb\xb6\x6d\xdb", 20));
}

// Bytes as docs/format/lance_encodings.md has them, "Run-length".
TEST(LanceRleEncoderTest, PutsValuesAndLengthsOfRunsInTwoBuffers) {
  const std::string bytes("\5\x9\2\1\1\1\1\1\1\1\1\1\1", 13);
  const auto array =
      arrow::ArrayData::Make(arrow::uint8(), 13, {nullptr, arrow::Buffer::FromString(bytes)});
  const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
  const auto encoder = MakeRleEncoder(8);
  EXPECT_THAT(EncodeChunk(encoder.get(), Rows(*array, shape)).ValueOrDie(),
              ElementsAre("\5\x9\2\1", "\1\1\1\xa"));
}

TEST(LanceRleEncoderTest, CutsChunksBelowTheLimitOfTheirBytes) {
  std::mt19937_64 random(8);
  // Each value is a run of its own: so many fit 8,186 bytes.
  for (const auto& [bits, rows] :
       {std::pair(8, 2048), std::pair(16, 2048), std::pair(32, 1024), std::pair(64, 512)}) {
    uint64_t i = 0;
    const auto array = Words(bits, 10000, [&] { return ++i; });
    const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
    EXPECT_EQ(MakeRleEncoder(bits)->ChunkRows(Rows(*array, shape)), rows) << bits;
    const auto constant = Words(bits, 10000, [] { return 7; });
    EXPECT_EQ(MakeRleEncoder(bits)->ChunkRows(Rows(*constant, shape)), 4096) << bits;
  }
  // All that is left fits though it is no power of two.
  const auto array = Words(64, 909, [&] { return random(); });
  const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
  EXPECT_EQ(MakeRleEncoder(64)->ChunkRows(Rows(*array, shape)), 909);
}

// Bytes as docs/format/lance_encodings.md has them, "Byte stream split".
TEST(LanceByteStreamSplitEncoderTest, PutsBytesOfTheSameRankSideBySide) {
  const std::string bytes("abcdABCD0123", 12);
  const auto array =
      arrow::ArrayData::Make(arrow::uint32(), 3, {nullptr, arrow::Buffer::FromString(bytes)});
  const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
  const auto encoder = MakeByteStreamSplitEncoder(32);
  EXPECT_THAT(EncodeChunk(encoder.get(), Rows(*array, shape)).ValueOrDie(),
              ElementsAre("aA0bB1cC2dD3"));
}

TEST(LanceVariableEncoderTest, CutsChunksAtAPowerOfTwoThatFits) {
  std::mt19937_64 random(9);
  const auto type = arrow::utf8();
  const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
  const auto encoder = MakeVariableEncoder(shape);
  const auto empty = RandomArray(type, 5000, {.max_length = 0}, &random);
  // 1,024 offsets of 4 bytes are too many, as there is one more.
  EXPECT_EQ(encoder->ChunkRows(Rows(*empty->data(), shape)), 512);
  EXPECT_EQ(encoder->ChunkRows(Rows(*empty->Slice(0, 1023)->data(), shape)), 1023);
  EXPECT_EQ(encoder->ChunkRows(Rows(*empty->Slice(0, 1024)->data(), shape)), 512);
}

TEST(LanceGeneralEncoderTest, CompressesTheFirstBufferAlone) {
  uint64_t i = 0;
  const auto array = Words(64, 4096, [&] { return i++ / 5; });
  const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
  const auto plain = MakeRleEncoder(64);
  const auto encoder = MakeGeneralEncoder(Compression::kLz4, {}, MakeRleEncoder(64));
  EXPECT_EQ(encoder->encoding().compression, Compression::kLz4);
  const RowsView rows = Rows(*array, shape).Slice({.begin = 0, .end = 2048});
  ASSERT_OK_AND_ASSIGN(const Buffers expected, EncodeChunk(plain.get(), rows));
  ASSERT_OK_AND_ASSIGN(const Buffers buffers, EncodeChunk(encoder.get(), rows));
  ASSERT_EQ(buffers.size(), 2U);
  EXPECT_LT(buffers[0].size(), expected[0].size());
  EXPECT_EQ(buffers[1], expected[1]);
}

TEST(LanceGeneralEncoderTest, PaysWhereBytesRepeat) {
  std::mt19937_64 random(10);
  const auto pays = [&](const std::shared_ptr<arrow::ArrayData>& array) {
    const ValueShape shape = ValueShape::Of(*array->type).ValueOrDie();
    const auto values = MakeFlatEncoder(shape);
    bool all = true;
    for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
      const CompressionSample sample = SampleCompression(compression, {}, Rows(*array, shape),
                                                         values.get(), arrow::default_memory_pool())
                                           .ValueOrDie();
      EXPECT_GT(sample.plain_bytes, 0);
      all = all && sample.pays();
    }
    return all;
  };
  uint64_t i = 0;
  EXPECT_TRUE(pays(Words(64, 100000, [&] { return i++; })));
  EXPECT_TRUE(pays(Words(64, 512, [&] { return i++; })));
  EXPECT_FALSE(pays(Words(64, 511, [&] { return i++; })));  // less than 4 KiB
  EXPECT_FALSE(pays(Words(64, 100000, [&] { return random(); })));
}

}  // namespace
}  // namespace tusk::lance
