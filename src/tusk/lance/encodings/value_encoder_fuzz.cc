// Encoders of words, blocks and levels: whatever the words are, they are read back, and the
// statistics foretell what is stored.

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/block.h"
#include "tusk/lance/encodings/byte_stream_split.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/general.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/value_statistics.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMaxWords = 20000;

/// The bytes that all chunks of the page have; requires that each is read back.
int64_t RequireReadBack(const RowsView& page, ValueEncoder* encoder) {
  const auto decoder = MakeValueDecoder(encoder->encoding());
  Require(decoder.status(), "the encoding is known");
  const int64_t width = page.shape->bits / 8;
  int64_t stored = 0;
  for (int64_t row = 0; row < page.num_rows;) {
    const RowsView rest = page.Slice({.begin = row, .end = page.num_rows});
    const int64_t count = encoder->ChunkRows(rest);
    Require(
        count == rest.num_rows || (count > 1 && std::has_single_bit(static_cast<uint64_t>(count))),
        "a chunk has all rows or a power of two");
    const RowsView rows = rest.Slice({.begin = 0, .end = count});
    std::vector<arrow::BufferBuilder> builders(encoder->num_buffers());
    Require(encoder->EncodeChunk(rows, builders), "words can be encoded");
    std::vector<std::shared_ptr<arrow::Buffer>> exact;
    std::vector<std::span<const uint8_t>> buffers;
    for (const arrow::BufferBuilder& builder : builders) {
      stored += builder.length();
      exact.push_back(ExactCopy({builder.data(), static_cast<size_t>(builder.length())}));
      buffers.emplace_back(exact.back()->data(), exact.back()->size());
    }
    ColumnOutput out(*page.shape, count, arrow::default_memory_pool());
    Require((*decoder)->DecodeInto({.buffers = buffers, .num_values = count},
                                   {.begin = 0, .end = count}, 0, &out),
            "a chunk is whole");
    Require(
        std::memcmp(*out.MutableValues(), rows.values + rows.values_bit / 8, count * width) == 0,
        "a chunk is read back");
    row += count;
  }
  return stored;
}

void RequireBlock(const RowsView& page, const BlockOptions& options) {
  const auto encoded = EncodeBlock(page, options, arrow::default_memory_pool());
  Require(encoded.status(), "words make a block");
  const int64_t size = page.num_rows * page.shape->bits / 8;
  Require(encoded->bytes->size() <= size, "a block is no larger than its words");
  const auto block =
      Block::Decode(encoded->encoding, page.num_rows, encoded->bytes, arrow::default_memory_pool());
  Require(block.status(), "a block is whole");
  Require(size == 0 || std::memcmp(block->values(), page.values, size) == 0,
          "a block is read back");
}

void RequireLevels(std::span<const uint16_t> levels, int minor_version, int64_t chunk_levels) {
  const auto encoder = LevelEncoder::Make(levels, minor_version, chunk_levels);
  const auto decoder = LevelDecoder::Make(encoder.encoding());
  Require(decoder.status(), "the encoding of levels is known");
  for (size_t begin = 0; begin < levels.size(); begin += static_cast<size_t>(chunk_levels)) {
    const auto chunk =
        levels.subspan(begin, std::min(static_cast<size_t>(chunk_levels), levels.size() - begin));
    arrow::BufferBuilder out;
    Require(encoder.EncodeChunk(chunk, &out), "levels can be encoded");
    std::vector<uint16_t> decoded;
    Require(
        decoder->Decode({out.data(), static_cast<size_t>(out.length())},
                        static_cast<int64_t>(chunk.size()), arrow::default_memory_pool(), &decoded),
        "levels are whole");
    Require(std::equal(chunk.begin(), chunk.end(), decoded.begin()), "levels are read back");
  }
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const int64_t width = int64_t{1} << (input.Read<uint8_t>() % 4);
  const int64_t bits = 8 * width;
  const int64_t chunk_levels = input.ReadBetween(1, 5000);
  // Words, each behind how often it is repeated.
  std::vector<uint8_t> words;
  while (input.left() > 0 && static_cast<int64_t>(words.size()) < kMaxWords * width) {
    const int64_t run = 1 + input.Read<uint16_t>() % 700;
    const auto word = input.Read<uint64_t>();
    for (int64_t i = 0; i < run; ++i) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(&word);
      words.insert(words.end(), bytes, bytes + width);
    }
  }
  const auto exact = tusk::ExactCopy(words);
  ValueShape shape;
  shape.bits = bits;
  const RowsView page{.shape = &shape,
                      .num_rows = static_cast<int64_t>(words.size()) / width,
                      .values = exact->data()};

  const WordStatistics statistics = WordStatistics::Of(page);
  RequireReadBack(page, MakeFlatEncoder(shape).get());
  const int64_t packed = RequireReadBack(page, MakeInlineBitpackingEncoder(bits).get());
  tusk::Require(packed == statistics.bitpacked_bytes, "statistics foretell packed bytes");
  RequireReadBack(page, MakeRleEncoder(bits).get());
  if (bits >= 32) RequireReadBack(page, MakeByteStreamSplitEncoder(bits).get());
  using Compression = ValueEncoding::Compression;
  RequireReadBack(page, MakeGeneralEncoder(Compression::kLz4, {}, MakeFlatEncoder(shape)).get());
  RequireBlock(page, {.minor_version = 1});
  RequireBlock(page, {.compression = Compression::kLz4});
  if (bits == 16) {
    const std::span levels(reinterpret_cast<const uint16_t*>(words.data()), words.size() / 2);
    for (const int minor_version : {1, 2}) RequireLevels(levels, minor_version, chunk_levels);
  }
  return 0;
}
