// Measures the building of dictionaries of a page of a million rows, in rows/s: texts and 64-bit
// values of which `values` are different, in random order, and rows that all differ, where the cost
// is that of giving up.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <benchmark/benchmark.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/dictionary_builder.h"

namespace tusk::lance {
namespace {

constexpr int64_t kRows = int64_t{1} << 20;

void Build(const RowsView& rows, benchmark::State& state) {
  bool is_built = false;
  for (auto _ : state) {
    const auto built = BuildDictionary(rows, {}, arrow::default_memory_pool()).ValueOrDie();
    is_built = built.has_value();
    benchmark::DoNotOptimize(is_built);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetLabel(is_built ? "" : "given up");
}

/// Texts of `length` bytes, give or take half of them.
void BM_BuildTextDictionary(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::vector<std::string> values(state.range(0));
  for (std::string& value : values) {
    value.resize(state.range(1) / 2 + random() % (state.range(1) + 1));
    for (char& letter : value) letter = static_cast<char>('a' + random() % 26);
  }
  std::string offsets;
  std::string bytes;
  AppendLittle(int32_t{0}, &offsets);
  for (int64_t row = 0; row < kRows; ++row) {
    bytes += values[state.range(0) == kRows ? row : random() % values.size()];
    AppendLittle(static_cast<int32_t>(bytes.size()), &offsets);
  }
  ValueShape shape;
  shape.is_variable = true;
  shape.bits = 32;
  Build({.shape = &shape,
         .num_rows = kRows,
         .values = reinterpret_cast<const uint8_t*>(bytes.data()),
         .offsets = reinterpret_cast<const uint8_t*>(offsets.data())},
        state);
}
BENCHMARK(BM_BuildTextDictionary)
    ->ArgNames({"values", "length"})
    ->Args({6, 10})
    ->Args({500, 10})
    ->Args({50'000, 10})
    ->Args({kRows, 10})
    ->Args({6, 40})
    ->Args({500, 40})
    ->Args({kRows, 40})
    ->Unit(benchmark::kMicrosecond);

void BM_BuildWordDictionary(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> words(kRows);
  for (uint64_t& word : words) {
    word = random();
    if (state.range(0) < kRows) word %= static_cast<uint64_t>(state.range(0));
  }
  ValueShape shape;
  shape.bits = 64;
  Build({.shape = &shape,
         .num_rows = kRows,
         .values = reinterpret_cast<const uint8_t*>(words.data())},
        state);
}
BENCHMARK(BM_BuildWordDictionary)
    ->ArgName("values")
    ->Arg(6)
    ->Arg(500)
    ->Arg(50'000)
    ->Arg(kRows)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tusk::lance
