// LZ4 and ZSTD, the chunks and single values in them, and byte stream split.

#include "tusk/lance/encodings/compression.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4.h>
#include <zstd.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/single_value_decoder.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using Compression = ValueEncoding::Compression;
using Kind = ValueEncoding::Kind;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// As the format's text has it.
std::string Stored(Compression compression, const std::string& plain) {
  std::string out;
  if (compression == Compression::kLz4) {
    std::string block(LZ4_compressBound(static_cast<int>(plain.size())), '\0');
    block.resize(LZ4_compress_default(plain.data(), block.data(), static_cast<int>(plain.size()),
                                      static_cast<int>(block.size())));
    AppendLittle(static_cast<uint32_t>(plain.size()), &out);
    return out + block;
  }
  std::string frame(ZSTD_compressBound(plain.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), plain.data(), plain.size(), 3));
  AppendLittle(static_cast<uint64_t>(plain.size()), &out);
  return out + frame;
}

Result<std::string> Plain(Compression compression, const std::string& bytes, uint64_t max_size) {
  ARROW_ASSIGN_OR_RAISE(const auto buffer, Decompress(compression, Bytes(bytes), max_size,
                                                      arrow::default_memory_pool()));
  return buffer->ToString();
}

std::string RandomText(size_t size) {
  std::mt19937_64 random(size);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % 3);
  return text;
}

class LanceCompressionTest : public testing::TestWithParam<Compression> {};

TEST_P(LanceCompressionTest, GivesBackWhatWasCompressed) {
  for (const size_t size : {0, 1, 100, 4096, 300000, 3000000}) {
    const std::string text = RandomText(size);
    ASSERT_OK_AND_ASSIGN(const std::string plain,
                         Plain(GetParam(), Stored(GetParam(), text), size));
    EXPECT_EQ(plain, text) << size;
  }
  const std::string zeros(20 << 20, '\0');
  ASSERT_OK_AND_ASSIGN(const std::string plain,
                       Plain(GetParam(), Stored(GetParam(), zeros), zeros.size()));
  EXPECT_EQ(plain, zeros);
  ASSERT_OK_AND_ASSIGN(const std::string nothing, Plain(GetParam(), "", 10));
  EXPECT_EQ(nothing, "");
}

TEST_P(LanceCompressionTest, StoresTheLengthBeforeOneBlockOrFrame) {
  const std::string text = RandomText(5000);
  for (const auto level : {std::optional<int>(), std::optional<int>(0)}) {
    ASSERT_OK_AND_ASSIGN(const auto stored,
                         Compress(GetParam(), level, Bytes(text), arrow::default_memory_pool()));
    EXPECT_EQ(stored->ToString(), Stored(GetParam(), text));
  }
}

TEST_P(LanceCompressionTest, CompressesAnyLengthAtAnyLevel) {
  for (const size_t size : {0, 1, 2, 3, 12, 13, 100, 4096, 70000, 3000000}) {
    const std::string text = RandomText(size);
    for (const auto level : {std::optional<int>(), std::optional<int>(-5), std::optional<int>(1),
                             std::optional<int>(19), std::optional<int>(1000)}) {
      if (size > 100000 && level.value_or(0) > 1) continue;
      ASSERT_OK_AND_ASSIGN(const auto stored,
                           Compress(GetParam(), level, Bytes(text), arrow::default_memory_pool()));
      ASSERT_GT(stored->size(), 0);
      ASSERT_OK_AND_ASSIGN(const std::string plain, Plain(GetParam(), stored->ToString(), size));
      EXPECT_EQ(plain, text) << size << " in level " << level.value_or(0);
    }
  }
  ASSERT_OK_AND_ASSIGN(const auto nothing, Compress(GetParam(), {}, std::span<const uint8_t>(),
                                                    arrow::default_memory_pool()));
  ASSERT_OK_AND_ASSIGN(const std::string plain, Plain(GetParam(), nothing->ToString(), 0));
  EXPECT_EQ(plain, "");
}

TEST_P(LanceCompressionTest, AppendsBehindWhatIsThere) {
  const std::string text = RandomText(1000);
  arrow::BufferBuilder out;
  ASSERT_OK(out.Append("front", 5));
  ASSERT_OK(AppendCompressed(GetParam(), {}, Bytes(text), &out));
  ASSERT_OK(AppendCompressed(GetParam(), {}, Bytes(text), &out));
  ASSERT_OK_AND_ASSIGN(const auto bytes, out.Finish());
  const std::string stored = Stored(GetParam(), text);
  EXPECT_EQ(bytes->ToString(), "front" + stored + stored);
}

std::string IncompressibleBytes(size_t size) {
  std::mt19937_64 random(size);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(LanceCompressionTest, FindsWhatZstdLeftAsItIs) {
  // Around where the length in the frame takes 1, 2 and 4 bytes, and a frame a second block.
  for (const size_t size : {1, 17, 255, 256, 257, 0, 50'000, 65'535, 65'791, 65'792, 131'072}) {
    const std::string plain = IncompressibleBytes(size);
    const std::string stored = Stored(Compression::kZstd, plain);
    const auto found = FindUncompressed(Compression::kZstd, Bytes(stored));
    ASSERT_TRUE(found.has_value()) << size;
    EXPECT_EQ(std::string(found->begin(), found->end()), plain) << size;
    EXPECT_FALSE(FindUncompressed(Compression::kLz4, Bytes(stored)).has_value()) << size;
  }
  for (const std::string& other : {IncompressibleBytes(131'073), RandomText(1000)}) {
    const std::string stored = Stored(Compression::kZstd, other);
    EXPECT_FALSE(FindUncompressed(Compression::kZstd, Bytes(stored)).has_value()) << other.size();
  }
}

TEST(LanceCompressionTest, FindsNothingInBytesThatZstdReadsOtherwise) {
  std::mt19937 random(20261127);
  int num_found = 0;
  for (const size_t size : {1, 30, 300, 70'000}) {
    const std::string stored = Stored(Compression::kZstd, IncompressibleBytes(size));
    const auto check = [&](const std::string& bytes) {
      const auto found = FindUncompressed(Compression::kZstd, Bytes(bytes));
      if (!found) return;
      ++num_found;
      ASSERT_OK_AND_ASSIGN(const std::string plain, Plain(Compression::kZstd, bytes, 1 << 20));
      ASSERT_EQ(std::string(found->begin(), found->end()), plain);
    };
    // Every change of a byte in front of the content, and random ones of two.
    const size_t front = stored.size() - size;
    for (size_t at = 0; at < front; ++at) {
      for (int change = 0; change < 256; ++change) {
        std::string bytes = stored;
        bytes[at] = static_cast<char>(bytes[at] ^ change);
        check(bytes);
        bytes[random() % front] ^= static_cast<char>(1 << random() % 8);
        check(bytes);
      }
    }
    for (size_t length = 0; length < std::min<size_t>(stored.size(), 100); ++length) {
      check(stored.substr(0, length));
      check(stored.substr(0, stored.size() - 1 - length));
    }
    check(stored + "more");
  }
  EXPECT_GT(num_found, 0);
}

TEST(LanceCompressTest, RefusesWhatNoDecoderReads) {
  EXPECT_THAT(Compress(Compression::kUnknown, {}, {}, arrow::default_memory_pool()),
              FailsWith(ErrorCode::kInvalidArgument));
  // Never read: only the size is looked at.
  const uint8_t byte = 0;
  const std::span<const uint8_t> huge(&byte, 2'113'929'217);
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    EXPECT_THAT(Compress(compression, {}, huge, arrow::default_memory_pool()),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_P(LanceCompressionTest, RefusesWhatIsCutOrClaimsTooMuch) {
  const std::string text = RandomText(1000);
  const std::string good = Stored(GetParam(), text);
  EXPECT_THAT(Plain(GetParam(), good, 999), FailsWith(ErrorCode::kCorrupt));
  for (size_t length = 1; length < good.size(); ++length) {
    EXPECT_THAT(Plain(GetParam(), good.substr(0, length), 1000), FailsWith(ErrorCode::kCorrupt));
  }
  for (const int change : {-1, 1}) {
    std::string other = good;
    other[0] = static_cast<char>(other[0] + change);
    EXPECT_THAT(Plain(GetParam(), other, 2000), FailsWith(ErrorCode::kCorrupt));
  }
  std::string huge = good;
  huge[3] = '\x7F';
  EXPECT_THAT(Plain(GetParam(), huge, ~uint64_t{0}), FailsWith(ErrorCode::kCorrupt));
  // Any byte may be wrong: nothing but an error or other bytes may come of it.
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {1, 0x80, 0xFF}) {
      std::string broken = good;
      broken[at] = static_cast<char>(broken[at] ^ flip);
      const auto plain = Plain(GetParam(), broken, 1000);
      if (!plain.ok()) continue;
      EXPECT_LE(plain->size(), 1000U);
    }
  }
}

TEST_P(LanceCompressionTest, DecodesChunksAndSingleValues) {
  ValueEncoding encoding;
  encoding.kind = Kind::kGeneral;
  encoding.compression = GetParam();
  ValueEncoding split;
  split.kind = Kind::kByteStreamSplit;
  split.children.push_back(ValueEncoding::Flat(32));
  encoding.children.push_back(split);
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(encoding));
  const ValueShape shape = *ValueShape::Of(*arrow::float32());
  ASSERT_OK(decoder->CheckShape(shape));
  std::mt19937 random(3);
  std::vector<uint32_t> values(1024);
  for (uint32_t& value : values) value = random();
  std::string streams;
  for (int byte = 0; byte < 4; ++byte) {
    for (const uint32_t value : values) streams += static_cast<char>(value >> (8 * byte));
  }
  const std::string bytes = Stored(GetParam(), streams);
  const auto buffer = Bytes(bytes);
  const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = 1024};
  ColumnOutput range(shape, 1000, arrow::default_memory_pool());
  ASSERT_OK(decoder->DecodeInto(chunk, {.begin = 5, .end = 1005}, 0, &range));
  const auto* decoded = reinterpret_cast<const uint32_t*>(*range.MutableValues());
  EXPECT_TRUE(std::equal(decoded, decoded + 1000, values.begin() + 5));
  ColumnOutput taken(shape, 2, arrow::default_memory_pool());
  const std::vector<TakenRow> rows = {{.row = 7, .position = 1}, {.row = 1030, .position = 0}};
  ASSERT_OK(decoder->GatherInto(chunk, rows, 7, &taken));
  const auto* gathered = reinterpret_cast<const uint32_t*>(*taken.MutableValues());
  EXPECT_EQ(gathered[1], values[0]);
  EXPECT_EQ(gathered[0], values[1023]);
  const EncodedChunk more{.buffers = {&buffer, 1}, .num_values = 1023};
  EXPECT_THAT(decoder->DecodeInto(more, {.begin = 0, .end = 1}, 0, &range),
              FailsWith(ErrorCode::kCorrupt));

  ValueEncoding texts = encoding;
  texts.children[0] = {};
  texts.children[0].kind = Kind::kVariable;
  ASSERT_OK_AND_ASSIGN(const auto single, MakeSingleValueDecoder(texts));
  ASSERT_OK_AND_ASSIGN(const auto value, single->Decode(buffer, arrow::default_memory_pool()));
  EXPECT_EQ(value->ToString(), streams);
  texts.compression = Compression::kUnknown;
  EXPECT_THAT(MakeSingleValueDecoder(texts), FailsWith(ErrorCode::kUnsupported));
  encoding.compression = Compression::kUnknown;
  EXPECT_THAT(MakeValueDecoder(encoding), FailsWith(ErrorCode::kUnsupported));
}

INSTANTIATE_TEST_SUITE_P(All, LanceCompressionTest,
                         testing::Values(Compression::kLz4, Compression::kZstd));

}  // namespace
}  // namespace tusk::lance
