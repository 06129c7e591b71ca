// Measures JSON texts becoming JSONB and back, in documents/s and bytes/s of the texts: records of
// about 110 B with a number, a float, two strings and a list.
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include <arrow/array/array_binary.h>
#include <arrow/array/builder_binary.h>
#include <arrow/memory_pool.h>
#include <benchmark/benchmark.h>

#include "tusk/lance/encodings/jsonb.h"

namespace tusk::lance {
namespace {

constexpr int kRows = 20'000;

std::shared_ptr<arrow::StringArray> Documents() {
  std::mt19937_64 random(1);
  arrow::StringBuilder builder;
  for (int row = 0; row < kRows; ++row) {
    const std::string json = R"({"id": )" + std::to_string(random() % 1'000'000) +
                             R"(, "user": "user )" + std::to_string(random() % 1000) +
                             R"(", "score": 0.)" + std::to_string(random() % 100'000'000) +
                             R"(, "title": "na\u00efve\n)" + std::to_string(row) +
                             R"(", "tags": ["red", "blue", null, true]})";
    if (const Status status = builder.Append(json); !status.ok()) status.Abort();
  }
  return std::static_pointer_cast<arrow::StringArray>(builder.Finish().ValueOrDie());
}

void BM_JsonbOf(benchmark::State& state) {
  const auto texts = Documents();
  for (auto _ : state) {
    benchmark::DoNotOptimize(JsonbOf(*texts, arrow::default_memory_pool()).ValueOrDie());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() * texts->total_values_length());
}
BENCHMARK(BM_JsonbOf);

void BM_JsonTextOf(benchmark::State& state) {
  const auto texts = Documents();
  const auto jsonb = std::static_pointer_cast<arrow::LargeBinaryArray>(
      JsonbOf(*texts, arrow::default_memory_pool()).ValueOrDie());
  for (auto _ : state) {
    benchmark::DoNotOptimize(JsonTextOf(*jsonb, arrow::default_memory_pool()).ValueOrDie());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() * texts->total_values_length());
}
BENCHMARK(BM_JsonTextOf);

}  // namespace
}  // namespace tusk::lance
