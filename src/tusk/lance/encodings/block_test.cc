// Blocks as they are stored; what is refused of them is tested in dictionary_test.cc.

#include "tusk/lance/encodings/block.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"
#include "tusk/testing/random_arrays.h"

namespace tusk::lance {
namespace {

using Compression = ValueEncoding::Compression;
using Kind = ValueEncoding::Kind;

arrow::MemoryPool* Pool() { return arrow::default_memory_pool(); }

ValueShape WordShape(int64_t bits) {
  ValueShape shape;
  shape.bits = bits;
  return shape;
}

RowsView Words(const std::string& bytes, const ValueShape& shape) {
  return {.shape = &shape,
          .num_rows = static_cast<int64_t>(bytes.size()) * 8 / shape.bits,
          .values = reinterpret_cast<const uint8_t*>(bytes.data())};
}

template <typename Next>
std::string MakeWords(int64_t bits, int64_t count, const Next& next) {
  std::string bytes;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t word = next(i);
    bytes.append(reinterpret_cast<const char*>(&word), bits / 8);
  }
  return bytes;
}

TEST(LanceEncodeBlockTest, StoresWordsThatAreReadBack) {
  std::mt19937_64 random(15);
  for (const int64_t bits : {8, 16, 32, 64}) {
    const ValueShape shape = WordShape(bits);
    for (const int64_t count : {0, 1, 2, 3, 100, 1023, 1024, 1025, 1100, 2048, 4095, 4097}) {
      for (int64_t width = 0; width <= bits; width += bits > 16 ? 5 : 1) {
        for (const uint64_t mean_run : {1, 30}) {
          uint64_t word = 0;
          const std::string bytes = MakeWords(bits, count, [&](int64_t) {
            if (random() % mean_run == 0) word = width == 0 ? 0 : random() >> (64 - width);
            return word;
          });
          for (const int minor_version : {1, 2}) {
            for (const auto compression : {Compression::kUnknown, Compression::kLz4}) {
              SCOPED_TRACE(testing::Message() << count << " words of " << width << " in " << bits);
              ASSERT_OK_AND_ASSIGN(
                  const EncodedBlock encoded,
                  EncodeBlock(Words(bytes, shape),
                              {.minor_version = minor_version, .compression = compression},
                              Pool()));
              const Kind kind = encoded.encoding.kind;
              EXPECT_TRUE(minor_version > 1 || (kind != Kind::kRle && kind != Kind::kGeneral));
              EXPECT_LE(encoded.bytes->size(), static_cast<int64_t>(bytes.size()));
              ASSERT_OK_AND_ASSIGN(const Block block,
                                   Block::Decode(encoded.encoding, count, encoded.bytes, Pool()));
              const std::string decoded(reinterpret_cast<const char*>(block.values()),
                                        block.buffer()->size());
              ASSERT_EQ(decoded, bytes);
            }
          }
        }
      }
    }
  }
}

TEST(LanceEncodeBlockTest, TakesTheEncodingOfFewestBytes) {
  std::mt19937_64 random(16);
  const auto kind = [&](const std::string& bytes, int minor_version, Compression compression) {
    const ValueShape shape = WordShape(64);
    return EncodeBlock(Words(bytes, shape),
                       {.minor_version = minor_version, .compression = compression}, Pool())
        .ValueOrDie()
        .encoding.kind;
  };
  const auto any = MakeWords(64, 2000, [&](int64_t) { return random(); });
  EXPECT_EQ(kind(any, 2, Compression::kUnknown), Kind::kFlat);
  EXPECT_EQ(kind(any, 2, Compression::kZstd), Kind::kFlat);
  const auto small = MakeWords(64, 2000, [&](int64_t) { return random() % 1000; });
  EXPECT_EQ(kind(small, 2, Compression::kLz4), Kind::kOutOfLineBitpacking);
  EXPECT_EQ(kind(small.substr(0, 1000 * 8), 1, Compression::kLz4), Kind::kInlineBitpacking);
  const auto runs = MakeWords(64, 2000, [&](int64_t i) { return uint64_t{1} << (i / 100 + 40); });
  EXPECT_EQ(kind(runs, 2, Compression::kUnknown), Kind::kRle);
  EXPECT_EQ(kind(runs, 1, Compression::kUnknown), Kind::kOutOfLineBitpacking);
  const auto high = MakeWords(64, 2000, [&](int64_t i) { return ~static_cast<uint64_t>(i); });
  EXPECT_EQ(kind(high, 2, Compression::kLz4), Kind::kGeneral);
  EXPECT_EQ(kind(high, 1, Compression::kLz4), Kind::kFlat);
}

TEST(LanceEncodeBlockTest, StoresOtherWidthsFlatOrCompressed) {
  std::mt19937_64 random(17);
  for (const auto& type : {arrow::decimal128(38, 0), arrow::fixed_size_binary(3)}) {
    const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
    const auto array = RandomArray(type, 105, {}, &random)->Slice(5);
    const RowsView rows = RowsView::Of(*array->data(), shape).ValueOrDie();
    for (const auto compression : {Compression::kUnknown, Compression::kZstd}) {
      ASSERT_OK_AND_ASSIGN(const EncodedBlock encoded,
                           EncodeBlock(rows, {.compression = compression}, Pool()));
      EXPECT_EQ(encoded.encoding.kind, Kind::kFlat);
      EXPECT_EQ(std::memcmp(encoded.bytes->data(), rows.values + rows.values_bit / 8,
                            encoded.bytes->size()),
                0);
      EXPECT_EQ(encoded.bytes->size(), 100 * shape.bits / 8);
    }
  }
  const ValueShape lists = *ValueShape::Of(*arrow::fixed_size_list(arrow::int8(), 2));
  EXPECT_THAT(EncodeBlock({.shape = &lists, .num_rows = 1}, {}, Pool()),
              FailsWith(ErrorCode::kUnsupported));
  const ValueShape booleans = WordShape(1);
  EXPECT_THAT(EncodeBlock({.shape = &booleans, .num_rows = 1}, {}, Pool()),
              FailsWith(ErrorCode::kUnsupported));
}

TEST(LanceEncodeBlockTest, StoresTextsThatAreReadBack) {
  std::mt19937_64 random(18);
  for (const auto& type : {arrow::utf8(), arrow::large_binary()}) {
    const ValueShape shape = ValueShape::Of(*type).ValueOrDie();
    for (const int64_t count : {0, 1, 2, 100, 5000}) {
      const auto array = RandomArray(type, count + 7, {}, &random)->Slice(7);
      const RowsView rows = RowsView::Of(*array->data(), shape).ValueOrDie();
      for (const auto compression : {Compression::kUnknown, Compression::kLz4}) {
        ASSERT_OK_AND_ASSIGN(const EncodedBlock encoded,
                             EncodeBlock(rows, {.compression = compression}, Pool()));
        // Offsets of 64 bits compress whatever the texts are.
        const bool is_compressed =
            encoded.encoding.kind == Kind::kGeneral && encoded.encoding.compression == compression;
        EXPECT_TRUE(is_compressed || encoded.encoding.kind == Kind::kVariable);
        if (shape.bits == 64 && count >= 100) {
          EXPECT_EQ(is_compressed, compression == Compression::kLz4);
        }
        ASSERT_OK_AND_ASSIGN(const Block block,
                             Block::Decode(encoded.encoding, count, encoded.bytes, Pool()));
        for (int64_t i = 0; i < count; ++i) {
          const auto text = block.Text(i);
          ASSERT_EQ(static_cast<int64_t>(text.size()), rows.Length(i));
          ASSERT_TRUE(text.empty() ||
                      std::memcmp(text.data(), rows.values + rows.Offset(i), text.size()) == 0);
        }
      }
    }
  }
}

// Bytes as docs/format/lance_encodings.md describes them under "Blocks".
TEST(LanceEncodeBlockTest, CountsOffsetsFromWhereTheBytesBegin) {
  const ValueShape shape = *ValueShape::Of(*arrow::utf8());
  const std::vector<int32_t> offsets = {2, 3, 3, 5};
  const RowsView rows{.shape = &shape,
                      .num_rows = 3,
                      .values = reinterpret_cast<const uint8_t*>("..abc"),
                      .offsets = reinterpret_cast<const uint8_t*>(offsets.data())};
  ASSERT_OK_AND_ASSIGN(const EncodedBlock encoded, EncodeBlock(rows, {}, Pool()));
  EXPECT_EQ(encoded.bytes->ToString(),
            std::string("\x20\0\0\0\x18\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\3\0\0\0abc", 27));
}

}  // namespace
}  // namespace tusk::lance
