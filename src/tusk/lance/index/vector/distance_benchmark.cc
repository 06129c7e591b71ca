// Measures exact distances of one query to many rows in rows/s and bytes/s, per metric, dimension
// and SIMD level, on rows that fit the second-level cache (1 MiB) and on rows that do not
// (256 MiB). Compare the latter with BM_ReadMemory: a sum over the same bytes is the floor, because
// every byte of the rows must be read once.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tusk/lance/index/vector/distance.h"

namespace tusk::lance {
namespace {

constexpr int64_t kInCache = int64_t{1} << 20;
constexpr int64_t kInMemory = int64_t{256} << 20;

const std::vector<float>& Rows() {
  static const std::vector<float> rows = [] {
    std::mt19937 random(1);
    std::vector<float> values(kInMemory / sizeof(float));
    for (float& value : values) value = static_cast<float>(random() % 1000) * 0.001F;
    return values;
  }();
  return rows;
}

void BM_ReadMemory(benchmark::State& state) {
  const auto* words = reinterpret_cast<const uint64_t*>(Rows().data());
  const int64_t count = state.range(0) / static_cast<int64_t>(sizeof(uint64_t));
  for (auto _ : state) {
    uint64_t sum[4] = {};
    for (int64_t i = 0; i + 4 <= count; i += 4) {
      for (int lane = 0; lane < 4; ++lane) sum[lane] += words[i + lane];
    }
    benchmark::DoNotOptimize(sum[0] + sum[1] + sum[2] + sum[3]);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ReadMemory)->Arg(kInCache)->Arg(kInMemory);

void BM_Distances(benchmark::State& state) {
  const auto metric = static_cast<Metric>(state.range(0));
  const auto level = static_cast<SimdLevel>(state.range(1));
  const int64_t dim = state.range(2);
  const int64_t n = state.range(3) / (dim * static_cast<int64_t>(sizeof(float)));
  if (level > SupportedSimdLevels().back()) {
    state.SkipWithError("not on this CPU");
    return;
  }
  const std::vector<float> query(dim, 0.25F);
  std::vector<float> distances(n);
  for (auto _ : state) {
    ComputeDistances(metric, query, Rows().data(), n, distances.data(), level);
    benchmark::DoNotOptimize(distances.data());
    benchmark::ClobberMemory();
  }
  static constexpr const char* kMetrics[] = {"l2", "cosine", "dot"};
  static constexpr const char* kLevels[] = {"plain", "avx2", "avx512"};
  state.SetLabel(std::string(kMetrics[state.range(0)]) + " " + kLevels[state.range(1)]);
  state.SetItemsProcessed(state.iterations() * n);
  state.SetBytesProcessed(state.iterations() * n * dim * static_cast<int64_t>(sizeof(float)));
}
BENCHMARK(BM_Distances)
    ->ArgNames({"metric", "level", "dim", "bytes"})
    ->ArgsProduct({{0, 1, 2}, {0, 1, 2}, {96, 128, 768}, {kInCache, kInMemory}});

}  // namespace
}  // namespace tusk::lance
