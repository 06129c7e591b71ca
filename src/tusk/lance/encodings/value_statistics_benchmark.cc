// Measures the statistics of pages of 8 MiB in bytes/s of their words, whose runs have `mean_run`
// words on average. Compare with BM_Memcpy of chunk_benchmark.cc: every byte is read once.
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "tusk/lance/encodings/value_statistics.h"

namespace tusk::lance {
namespace {

void BM_WordStatistics(benchmark::State& state) {
  const int64_t bits = state.range(0);
  const auto mean_run = static_cast<uint64_t>(state.range(1));
  std::vector<uint8_t> words(8 << 20);
  std::mt19937_64 random(1);
  uint64_t word = 0;
  for (size_t at = 0; at < words.size(); at += bits / 8) {
    if (random() % mean_run == 0) word = random();
    std::memcpy(words.data() + at, &word, bits / 8);
  }
  ValueShape shape;
  shape.bits = bits;
  const RowsView page{.shape = &shape,
                      .num_rows = static_cast<int64_t>(words.size()) * 8 / bits,
                      .values = words.data()};
  for (auto _ : state) benchmark::DoNotOptimize(WordStatistics::Of(page));
  state.SetItemsProcessed(state.iterations() * page.num_rows);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(words.size()));
}
BENCHMARK(BM_WordStatistics)
    ->ArgNames({"bits", "mean_run"})
    ->ArgsProduct({{8, 16, 32, 64}, {1, 30, 1 << 30}});

}  // namespace
}  // namespace tusk::lance
