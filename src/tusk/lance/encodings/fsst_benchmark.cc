// Measures the decoding of FSST texts, chunk after chunk into one ColumnOutput, in texts/s and in
// bytes/s of the Arrow array. The symbols are pieces of words; one code in fifty is an escape.
#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {
namespace {

constexpr int64_t kRows = int64_t{1} << 15;
constexpr int kSymbols = 250;

/// Symbols of 1 to 8 bytes, 3 on average, as natural text makes them.
std::string SymbolTable() {
  std::mt19937 random(1);
  std::string symbols;
  std::string lengths;
  AppendLittle(FsstSymbols::kMagic << 32 | FsstSymbols::kUsesCodes | kSymbols, &symbols);
  for (int i = 0; i < kSymbols; ++i) {
    static constexpr int kLengths[] = {1, 1, 2, 2, 2, 3, 3, 4, 4, 8};
    const int length = kLengths[random() % 10];
    for (int byte = 0; byte < 8; ++byte) {
      symbols += byte < length ? static_cast<char>('a' + random() % 26) : '\0';
    }
    lengths += static_cast<char>(length);
  }
  return symbols + lengths;
}

/// A chunk of `num_values` texts of 0 to 2 * `mean` codes.
std::string Chunk(int64_t num_values, int64_t mean) {
  std::mt19937 random(2);
  std::string offsets;
  std::string codes;
  const auto begin = static_cast<uint32_t>((num_values + 1) * 4);
  AppendLittle(begin, &offsets);
  for (int64_t i = 0; i < num_values; ++i) {
    for (uint64_t left = random() % (2 * mean + 1); left > 0; --left) {
      if (random() % 50 == 0) {
        codes += '\xFF';
        codes += static_cast<char>(random() % 256);
      } else {
        codes += static_cast<char>(random() % kSymbols);
      }
    }
    AppendLittle(static_cast<uint32_t>(begin + codes.size()), &offsets);
  }
  return offsets + codes;
}

void BM_Fsst(benchmark::State& state) {
  const int64_t mean = state.range(0);
  const int64_t num_values = mean > 100 ? 128 : 1024;
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kFsst;
  encoding.symbol_table = SymbolTable();
  encoding.children.push_back(VariableEncoding(32));
  const auto decoder = MakeValueDecoder(encoding).ValueOrDie();
  const std::string bytes = Chunk(num_values, mean);
  const std::span<const uint8_t> buffer(reinterpret_cast<const uint8_t*>(bytes.data()),
                                        bytes.size());
  const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = num_values};
  const ValueShape shape = *ValueShape::Of(*arrow::utf8());
  int64_t decoded = 0;
  for (auto _ : state) {
    ColumnOutput out(shape, kRows, arrow::default_memory_pool());
    for (int64_t row = 0; row < kRows; row += num_values) {
      const Status status = decoder->DecodeInto(chunk, {.begin = 0, .end = num_values}, row, &out);
      if (!status.ok()) status.Abort();
    }
    const auto array = out.Finish(arrow::utf8()).ValueOrDie();
    decoded = array->buffers[1]->size() + array->buffers[2]->size();
    benchmark::DoNotOptimize(array->buffers[2]->data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() * decoded);
}
BENCHMARK(BM_Fsst)->ArgName("codes")->Arg(3)->Arg(8)->Arg(30)->Arg(300);

}  // namespace
}  // namespace tusk::lance
