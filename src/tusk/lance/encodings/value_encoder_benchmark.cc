// Measures the encoding of whole pages, chunk after chunk, per encoding, in values/s and in bytes/s
// of the Arrow values. Compare with BM_Memcpy of chunk_benchmark.cc: every byte is read, and as
// much as is stored is written.
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <arrow/buffer_builder.h>
#include <benchmark/benchmark.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/byte_stream_split.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/general.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {
namespace {

/// Rows of a page, 1 MiB of 64-bit words.
constexpr int64_t kRows = int64_t{1} << 17;

void Check(const Status& status) {
  if (!status.ok()) status.Abort();
}

ValueShape WordShape(int64_t bits) {
  ValueShape shape;
  shape.bits = bits;
  return shape;
}

/// Words of `width` random bits that stay the same over runs of 1 to 2 * `mean_run` - 1.
std::string Words(int64_t bits, int64_t width, int64_t mean_run = 1) {
  std::mt19937_64 random(2);
  std::string words;
  while (static_cast<int64_t>(words.size()) < kRows * bits / 8) {
    const uint64_t word = random() >> (64 - width);
    const auto run = 1 + static_cast<int64_t>(random() % (2 * mean_run - 1));
    for (int64_t i = 0; i < run; ++i) {
      words.append(reinterpret_cast<const char*>(&word), bits / 8);
    }
  }
  return words;
}

/// Encodes `page` as a writer does: each chunk into the same buffers.
void EncodePage(const RowsView& page, ValueEncoder* encoder, int64_t page_bytes,
                benchmark::State& state) {
  std::vector<arrow::BufferBuilder> buffers(encoder->num_buffers());
  int64_t stored = 0;
  for (auto _ : state) {
    stored = 0;
    for (int64_t row = 0; row < page.num_rows;) {
      const RowsView rest = page.Slice({.begin = row, .end = page.num_rows});
      const int64_t rows = encoder->ChunkRows(rest);
      for (arrow::BufferBuilder& buffer : buffers) buffer.Rewind(0);
      Check(encoder->EncodeChunk(rest.Slice({.begin = 0, .end = rows}), buffers));
      for (const arrow::BufferBuilder& buffer : buffers) stored += buffer.length();
      row += rows;
    }
    benchmark::DoNotOptimize(stored);
  }
  state.SetItemsProcessed(state.iterations() * page.num_rows);
  state.SetBytesProcessed(state.iterations() * page_bytes);
  state.counters["stored"] = static_cast<double>(stored) / static_cast<double>(page_bytes);
}

void EncodeWords(const std::string& words, int64_t bits, ValueEncoder* encoder,
                 benchmark::State& state) {
  const ValueShape shape = WordShape(bits);
  const RowsView page{
      .shape = &shape, .num_rows = kRows, .values = reinterpret_cast<const uint8_t*>(words.data())};
  EncodePage(page, encoder, kRows * bits / 8, state);
}

void BM_EncodeFlat(benchmark::State& state) {
  const int64_t bits = state.range(0);
  EncodeWords(Words(bits, bits), bits, MakeFlatEncoder(WordShape(bits)).get(), state);
}
BENCHMARK(BM_EncodeFlat)->Arg(8)->Arg(64);

void BM_EncodeFlatBooleans(benchmark::State& state) {
  const std::string bytes = Words(8, 8);
  const ValueShape shape = WordShape(1);
  const RowsView page{.shape = &shape,
                      .num_rows = kRows * 8 - 3,
                      .values = reinterpret_cast<const uint8_t*>(bytes.data()),
                      .values_bit = state.range(0)};
  EncodePage(page, MakeFlatEncoder(shape).get(), kRows, state);
}
BENCHMARK(BM_EncodeFlatBooleans)->Arg(0)->Arg(3);

void BM_EncodeInlineBitpacking(benchmark::State& state) {
  const int64_t bits = state.range(0);
  EncodeWords(Words(bits, state.range(1)), bits, MakeInlineBitpackingEncoder(bits).get(), state);
}
BENCHMARK(BM_EncodeInlineBitpacking)
    ->Args({8, 3})
    ->Args({16, 10})
    ->Args({32, 10})
    ->Args({32, 17})
    ->Args({64, 10})
    ->Args({64, 41});

void BM_EncodeRle(benchmark::State& state) {
  const int64_t bits = state.range(0);
  EncodeWords(Words(bits, bits, state.range(1)), bits, MakeRleEncoder(bits).get(), state);
}
BENCHMARK(BM_EncodeRle)
    ->Args({8, 30})
    ->Args({32, 3})
    ->Args({32, 30})
    ->Args({32, 1000})
    ->Args({64, 3})
    ->Args({64, 30})
    ->Args({64, 1000});

void BM_EncodeByteStreamSplit(benchmark::State& state) {
  const int64_t bits = state.range(0);
  EncodeWords(Words(bits, bits), bits, MakeByteStreamSplitEncoder(bits).get(), state);
}
BENCHMARK(BM_EncodeByteStreamSplit)->Arg(32)->Arg(64);

/// Texts of 0 to 2 * `mean` bytes.
void BM_EncodeVariable(benchmark::State& state) {
  const int64_t mean = state.range(0);
  std::mt19937_64 random(3);
  std::vector<int32_t> offsets = {0};
  std::string bytes;
  for (int64_t i = 0; i < kRows; ++i) {
    bytes.append(random() % (2 * mean + 1), static_cast<char>('a' + random() % 26));
    offsets.push_back(static_cast<int32_t>(bytes.size()));
  }
  ValueShape shape;
  shape.is_variable = true;
  shape.bits = 32;
  const RowsView page{.shape = &shape,
                      .num_rows = kRows,
                      .values = reinterpret_cast<const uint8_t*>(bytes.data()),
                      .offsets = reinterpret_cast<const uint8_t*>(offsets.data())};
  EncodePage(page, MakeVariableEncoder(shape).get(), static_cast<int64_t>(bytes.size()) + kRows * 4,
             state);
}
BENCHMARK(BM_EncodeVariable)->Arg(4)->Arg(22)->Arg(80);

/// Rows, one in `rows_per_null` of which is null, in chunks of 1,024: their levels, the choice for
/// the page, and its chunks.
void BM_EncodeNulls(benchmark::State& state) {
  const auto rows_per_null = static_cast<uint64_t>(state.range(0));
  std::vector<uint8_t> validity(kRows / 8, 0xFF);
  std::mt19937_64 random(4);
  for (int64_t row = 0; row < kRows; ++row) {
    if (random() % rows_per_null == 0) ClearBit(validity.data(), row);
  }
  std::vector<uint16_t> levels(kRows);
  arrow::BufferBuilder out;
  for (auto _ : state) {
    NullLevels(validity.data(), 0, kRows, levels.data());
    const auto encoder = LevelEncoder::Make(levels, 2, 1024);
    out.Rewind(0);
    for (int64_t row = 0; row < kRows; row += 1024) {
      Check(encoder.EncodeChunk(std::span(levels).subspan(row, 1024), &out));
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["bits_a_level"] = static_cast<double>(out.length()) * 8 / kRows;
}
BENCHMARK(BM_EncodeNulls)->Arg(2)->Arg(10)->Arg(1000);

/// Levels up to 3, as lists of lists have.
void BM_EncodeLevels(benchmark::State& state) {
  std::vector<uint16_t> levels(kRows);
  std::mt19937_64 random(5);
  for (uint16_t& level : levels) level = random() % 4;
  arrow::BufferBuilder out;
  for (auto _ : state) {
    const auto encoder = LevelEncoder::Make(levels, 2, 1024);
    out.Rewind(0);
    for (int64_t row = 0; row < kRows; row += 1024) {
      Check(encoder.EncodeChunk(std::span(levels).subspan(row, 1024), &out));
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() * kRows * 2);
}
BENCHMARK(BM_EncodeLevels);

/// Words of 12 bits in 64, in streams of bytes or as they are.
void BM_EncodeGeneral(benchmark::State& state) {
  const bool is_zstd = state.range(0) != 0;
  const bool is_split = state.range(1) != 0;
  const auto encoder = MakeGeneralEncoder(
      is_zstd ? ValueEncoding::Compression::kZstd : ValueEncoding::Compression::kLz4, {},
      is_split ? MakeByteStreamSplitEncoder(64) : MakeFlatEncoder(WordShape(64)));
  EncodeWords(Words(64, 12), 64, encoder.get(), state);
  state.SetLabel(std::string(is_zstd ? "zstd" : "lz4") + (is_split ? " of streams" : ""));
}
BENCHMARK(BM_EncodeGeneral)->Args({0, 0})->Args({0, 1})->Args({1, 0})->Args({1, 1});

}  // namespace
}  // namespace tusk::lance
