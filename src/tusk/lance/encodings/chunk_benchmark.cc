// Measures the decoding of whole columns, chunk after chunk into one ColumnOutput, per encoding, in
// values/s and in bytes/s of the Arrow array. Compare with BM_Memcpy: every byte of the array must
// be written once.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>
#include <lz4.h>
#include <zstd.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/dictionary.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

/// Rows of a column, 1 MiB of 64-bit words.
constexpr int64_t kRows = int64_t{1} << 17;

void Check(const Status& status) {
  if (!status.ok()) status.Abort();
}

std::span<const uint8_t> Bytes(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

std::string RandomWords(int64_t count, int64_t width, uint64_t below) {
  std::mt19937_64 random(2);
  std::string words;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t word = random() % below;
    words.append(reinterpret_cast<const char*>(&word), width);
  }
  return words;
}

ValueEncoding Around(Kind kind, std::vector<ValueEncoding> children) {
  ValueEncoding encoding;
  encoding.kind = kind;
  encoding.children = std::move(children);
  return encoding;
}

void BM_Memcpy(benchmark::State& state) {
  const std::vector<uint8_t> from(state.range(0), 1);
  std::vector<uint8_t> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Memcpy)->Arg(4 << 10)->Arg(1 << 20)->Arg(8 << 20)->Arg(256 << 20);

/// Chunks of a column, all the same, of `num_values` rows each.
struct Column {
  ValueEncoding encoding;
  std::shared_ptr<arrow::DataType> type;
  std::vector<std::string> buffers;
  int64_t num_values = 0;
};

template <typename DecodeChunk>
void DecodeColumn(const Column& column, benchmark::State& state, const DecodeChunk& decode_chunk) {
  const ValueShape shape = *ValueShape::Of(*column.type);
  std::vector<std::span<const uint8_t>> buffers;
  buffers.reserve(column.buffers.size());
  for (const std::string& buffer : column.buffers) buffers.push_back(Bytes(buffer));
  const EncodedChunk chunk{.buffers = buffers, .num_values = column.num_values};
  int64_t bytes = 0;
  for (auto _ : state) {
    ColumnOutput out(shape, kRows, arrow::default_memory_pool());
    for (int64_t row = 0; row < kRows; row += column.num_values) {
      const RowRange rows{.begin = 0, .end = std::min(column.num_values, kRows - row)};
      Check(decode_chunk(chunk, rows, row, &out));
    }
    const std::shared_ptr<arrow::ArrayData> array = out.Finish(column.type).ValueOrDie();
    bytes = 0;
    for (const auto& buffer : array->buffers) bytes += buffer == nullptr ? 0 : buffer->size();
    benchmark::DoNotOptimize(array->buffers.back()->data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() * bytes);
}

void DecodeColumn(const Column& column, benchmark::State& state) {
  const auto decoder = MakeValueDecoder(column.encoding).ValueOrDie();
  DecodeColumn(column, state,
               [&](const EncodedChunk& chunk, RowRange rows, int64_t position, ColumnOutput* out) {
                 return decoder->DecodeInto(chunk, rows, position, out);
               });
}

void BM_Flat(benchmark::State& state) {
  DecodeColumn({.encoding = ValueEncoding::Flat(64),
                .type = arrow::int64(),
                .buffers = {RandomWords(1024, 8, ~uint64_t{0})},
                .num_values = 1024},
               state);
}
BENCHMARK(BM_Flat);

void BM_FlatBooleans(benchmark::State& state) {
  DecodeColumn({.encoding = ValueEncoding::Flat(1),
                .type = arrow::boolean(),
                .buffers = {RandomWords(4096, 1, 256)},
                .num_values = 32768},
               state);
}
BENCHMARK(BM_FlatBooleans);

/// Booleans that come to lie three bits further on in their bytes.
void BM_FlatBooleansShifted(benchmark::State& state) {
  DecodeColumn({.encoding = ValueEncoding::Flat(1),
                .type = arrow::boolean(),
                .buffers = {RandomWords(4096, 1, 256)},
                .num_values = 32765},
               state);
}
BENCHMARK(BM_FlatBooleansShifted);

void BM_InlineBitpacking(benchmark::State& state) {
  const int64_t width = state.range(0);
  ValueEncoding encoding;
  encoding.kind = Kind::kInlineBitpacking;
  encoding.bits = 32;
  std::string chunk;
  AppendLittle(static_cast<uint32_t>(width), &chunk);
  chunk += RandomWords(PackedBytes(width), 1, 256);
  DecodeColumn(
      {.encoding = encoding, .type = arrow::int32(), .buffers = {chunk}, .num_values = 1024},
      state);
}
BENCHMARK(BM_InlineBitpacking)->Arg(10)->Arg(17);

void BM_ByteStreamSplit(benchmark::State& state) {
  const int64_t width = state.range(0);
  DecodeColumn({.encoding = Around(Kind::kByteStreamSplit,
                                   {ValueEncoding::Flat(static_cast<uint64_t>(width) * 8)}),
                .type = width == 4 ? arrow::float32() : arrow::float64(),
                .buffers = {RandomWords(1024 * width, 1, 256)},
                .num_values = 1024},
               state);
}
BENCHMARK(BM_ByteStreamSplit)->Arg(4)->Arg(8);

/// Runs of 1 to 2 * `mean` values.
void BM_Rle(benchmark::State& state) {
  const int64_t width = state.range(0);
  const auto mean = static_cast<uint64_t>(state.range(1));
  std::mt19937 random(3);
  std::string lengths;
  int64_t values = 0;
  while (values < 4096) {
    const auto length = static_cast<uint8_t>(1 + random() % (2 * mean));
    lengths += static_cast<char>(length);
    values += length;
  }
  DecodeColumn(
      {.encoding = Around(Kind::kRle, {ValueEncoding::Flat(width * 8), ValueEncoding::Flat(8)}),
       .type = width == 4 ? arrow::int32() : arrow::int64(),
       .buffers = {RandomWords(static_cast<int64_t>(lengths.size()), width, ~uint64_t{0}), lengths},
       .num_values = 4096},
      state);
}
BENCHMARK(BM_Rle)->Args({4, 3})->Args({4, 30})->Args({8, 3})->Args({8, 30});

/// Texts of about `mean` bytes.
std::string TextChunk(int64_t num_values, int64_t mean) {
  std::mt19937 random(4);
  std::string offsets;
  std::string bytes;
  const auto begin = static_cast<uint32_t>((num_values + 1) * 4);
  AppendLittle(begin, &offsets);
  for (int64_t i = 0; i < num_values; ++i) {
    bytes.append(random() % (2 * mean + 1), static_cast<char>('a' + random() % 26));
    AppendLittle(static_cast<uint32_t>(begin + bytes.size()), &offsets);
  }
  return offsets + bytes;
}

void BM_Variable(benchmark::State& state) {
  DecodeColumn({.encoding = VariableEncoding(32),
                .type = arrow::utf8(),
                .buffers = {TextChunk(1024, state.range(0))},
                .num_values = 1024},
               state);
}
BENCHMARK(BM_Variable)->Arg(4)->Arg(22)->Arg(80);

void BM_VariableLarge(benchmark::State& state) {
  DecodeColumn({.encoding = VariableEncoding(32),
                .type = arrow::large_utf8(),
                .buffers = {TextChunk(1024, state.range(0))},
                .num_values = 1024},
               state);
}
BENCHMARK(BM_VariableLarge)->Arg(22);

void BM_General(benchmark::State& state) {
  const bool is_zstd = state.range(0) != 0;
  const std::string plain = TextChunk(1024, 22);
  std::string packed;
  if (is_zstd) {
    AppendLittle(uint64_t{plain.size()}, &packed);
    std::string body(ZSTD_compressBound(plain.size()), '\0');
    body.resize(ZSTD_compress(body.data(), body.size(), plain.data(), plain.size(), 0));
    packed += body;
  } else {
    AppendLittle(static_cast<uint32_t>(plain.size()), &packed);
    const int size = static_cast<int>(plain.size());
    std::string body(LZ4_compressBound(size), '\0');
    body.resize(
        LZ4_compress_default(plain.data(), body.data(), size, static_cast<int>(body.size())));
    packed += body;
  }
  ValueEncoding encoding = Around(Kind::kGeneral, {VariableEncoding(32)});
  encoding.compression =
      is_zstd ? ValueEncoding::Compression::kZstd : ValueEncoding::Compression::kLz4;
  DecodeColumn(
      {.encoding = encoding, .type = arrow::utf8(), .buffers = {packed}, .num_values = 1024},
      state);
  state.SetLabel(is_zstd ? "zstd" : "lz4");
}
BENCHMARK(BM_General)->Arg(0)->Arg(1);

/// Packed indices of 7 bits into 100 items.
void DecodeDictionary(const ValueEncoding& items, const std::string& item_bytes,
                      const std::shared_ptr<arrow::DataType>& type, benchmark::State& state) {
  constexpr int kWidth = 7;
  std::mt19937 random(5);
  std::vector<uint32_t> indices(kPackedBlock);
  for (uint32_t& index : indices) index = random() % 100;
  std::string chunk;
  AppendLittle(uint32_t{kWidth}, &chunk);
  std::string packed(PackedBytes(kWidth), '\0');
  PackBlock(indices.data(), kWidth, reinterpret_cast<uint8_t*>(packed.data()));
  ValueEncoding encoding;
  encoding.kind = Kind::kInlineBitpacking;
  encoding.bits = 32;
  const auto decoder = MakeValueDecoder(encoding).ValueOrDie();
  const auto dictionary = DictionaryDecoder::Make(*decoder, items, 100).ValueOrDie();
  const Block block =
      dictionary.DecodeItems(arrow::Buffer::FromString(item_bytes), arrow::default_memory_pool())
          .ValueOrDie();
  DecodeColumn(
      {.encoding = encoding, .type = type, .buffers = {chunk + packed}, .num_values = kPackedBlock},
      state, [&](const EncodedChunk& from, RowRange rows, int64_t position, ColumnOutput* out) {
        return dictionary.DecodeInto(*decoder, block, from, rows, position, out);
      });
}

void BM_Dictionary(benchmark::State& state) {
  DecodeDictionary(ValueEncoding::Flat(64), RandomWords(100, 8, ~uint64_t{0}), arrow::int64(),
                   state);
}
BENCHMARK(BM_Dictionary);

/// Items of about `mean` bytes.
void BM_DictionaryTexts(benchmark::State& state) {
  std::mt19937 random(6);
  std::string offsets;
  std::string bytes;
  AppendLittle(uint32_t{32}, &offsets);
  AppendLittle(uint32_t{(2 + 101) * 4}, &offsets);
  AppendLittle(uint32_t{0}, &offsets);
  for (int i = 0; i < 100; ++i) {
    bytes.append(random() % (2 * state.range(0) + 1), 'x');
    AppendLittle(static_cast<uint32_t>(bytes.size()), &offsets);
  }
  DecodeDictionary(VariableEncoding(32), offsets + bytes, arrow::utf8(), state);
}
BENCHMARK(BM_DictionaryTexts)->Arg(7)->Arg(40);

/// Levels of one bit, of which one in ten is null.
void BM_Levels(benchmark::State& state) {
  std::mt19937 random(7);
  std::vector<uint16_t> levels(kPackedBlock);
  for (uint16_t& level : levels) level = random() % 10 == 0 ? 1 : 0;
  std::string packed(PackedBytes(1), '\0');
  PackBlock(levels.data(), 1, reinterpret_cast<uint8_t*>(packed.data()));
  const LevelDecoder decoder = LevelDecoder::Make(OutOfLineBitpackingEncoding(16, 1)).ValueOrDie();
  Column column{
      .encoding = {}, .type = arrow::int8(), .buffers = {packed}, .num_values = kPackedBlock};
  DecodeColumn(column, state,
               [&](const EncodedChunk& chunk, RowRange rows, int64_t position, ColumnOutput* out) {
                 return decoder.DecodeInto(chunk.buffers[0], chunk.num_values, rows, position, out);
               });
}
BENCHMARK(BM_Levels);

}  // namespace
}  // namespace tusk::lance
