// Measures FSST from texts to codes: the whole page with its training, in bytes/s of the texts, and
// the training by itself. `words` are those of a text. The floor is one copy of the bytes.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <benchmark/benchmark.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/fsst_encoder.h"
#include "tusk/lance/encodings/fsst_trainer.h"

namespace tusk::lance {
namespace {

constexpr size_t kPageBytes = size_t{8} << 20;

/// A page of texts: words, of which the n-th comes with a share of 1 / n, and a number.
class Page {
 public:
  explicit Page(int64_t words_per_text) {
    std::mt19937_64 random(1);
    std::vector<std::string> words(512);
    for (std::string& word : words) {
      word.resize(2 + random() % 9);
      for (char& letter : word) {
        letter = "etaoinshrdlucmfwypvbgkjqxz"[std::min(random() % 26, random() % 26)];
      }
    }
    std::vector<double> shares(words.size());
    for (size_t i = 0; i < shares.size(); ++i) shares[i] = 1 / static_cast<double>(i + 1);
    std::discrete_distribution<size_t> pick(shares.begin(), shares.end());
    shape_.is_variable = true;
    shape_.bits = 32;
    AppendLittle(int32_t{0}, &offsets_);
    while (bytes_.size() < kPageBytes) {
      for (int64_t i = 0; i < words_per_text; ++i) bytes_ += words[pick(random)] + " ";
      bytes_ += std::to_string(1'000'000 + random() % 9'000'000);
      AppendLittle(static_cast<int32_t>(bytes_.size()), &offsets_);
    }
  }

  RowsView rows() const {
    return {.shape = &shape_,
            .num_rows = static_cast<int64_t>(offsets_.size() / 4) - 1,
            .values = reinterpret_cast<const uint8_t*>(bytes_.data()),
            .offsets = reinterpret_cast<const uint8_t*>(offsets_.data())};
  }
  int64_t num_bytes() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  ValueShape shape_;
  std::string offsets_;
  std::string bytes_;
};

void BM_EncodeFsstPage(benchmark::State& state) {
  const Page page(state.range(0));
  int64_t code_bytes = 0;
  for (auto _ : state) {
    const auto encoded = EncodeFsstPage(page.rows(), arrow::default_memory_pool()).ValueOrDie();
    code_bytes = encoded->bytes->size();
    benchmark::DoNotOptimize(code_bytes);
  }
  state.SetItemsProcessed(state.iterations() * page.rows().num_rows);
  state.SetBytesProcessed(state.iterations() * page.num_bytes());
  state.counters["codes_of_text"] =
      static_cast<double>(code_bytes) / static_cast<double>(page.num_bytes());
}
BENCHMARK(BM_EncodeFsstPage)->ArgName("words")->Arg(2)->Arg(14)->Arg(1000);

void BM_TrainFsst(benchmark::State& state) {
  const Page page(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(TrainFsst(page.rows()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TrainFsst)->ArgName("words")->Arg(2)->Arg(14)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tusk::lance
