#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tusk/lance/table/manifest.h"

namespace tusk::lance {
namespace {

/// A version of a table of `count` fragments of ten columns.
Manifest WithFragments(int64_t count) {
  Manifest manifest;
  manifest.version = 1;
  manifest.data_version = "2.2";
  const std::vector<int32_t> columns = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (int64_t id = 0; id < count; ++id) {
    Fragment& fragment = manifest.fragments.emplace_back();
    fragment.id = static_cast<uint64_t>(id);
    fragment.physical_rows = 100'000;
    fragment.files.push_back({.path = "000001110010101001000001" + std::to_string(1'000'000 + id) +
                                      "0000000000000000.lance",
                              .field_ids = columns,
                              .column_indices = columns,
                              .size_bytes = 12'345'678,
                              .base_id = std::nullopt,
                              .carried = {}});
  }
  return manifest;
}

// To open a table parses its manifest; the floor is one copy of the names.
void BM_ParseManifest(benchmark::State& state) {
  const std::string bytes = SerializeManifest(WithFragments(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(ParseManifest(bytes));
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_ParseManifest)->Arg(10)->Arg(1'000)->Arg(100'000);

// To commit copies it for the next version and writes it.
void BM_CopyManifest(benchmark::State& state) {
  const Manifest manifest = WithFragments(state.range(0));
  for (auto _ : state) {
    Manifest copy = manifest;
    benchmark::DoNotOptimize(copy);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CopyManifest)->Arg(1'000);

void BM_SerializeManifest(benchmark::State& state) {
  const Manifest manifest = WithFragments(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(SerializeManifest(manifest));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_SerializeManifest)->Arg(10)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace tusk::lance
