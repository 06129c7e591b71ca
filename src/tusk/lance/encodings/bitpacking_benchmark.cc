// Measures bit-packing and bit-unpacking of whole blocks in values/s and in bytes/s of unpacked
// values, per word and width, in cache. Compare with BM_Memcpy of chunk_benchmark.cc over the same
// bytes: every value must be read or written once.
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "tusk/lance/encodings/bitpacking.h"

namespace tusk::lance {
namespace {

std::vector<uint8_t> RandomBytes(int64_t size) {
  std::mt19937_64 random(1);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

template <typename T>
void BM_UnpackBlock(benchmark::State& state) {
  const auto width = static_cast<int>(state.range(0));
  const std::vector<uint8_t> packed = RandomBytes(PackedBytes(width));
  std::array<T, kPackedBlock> values;
  for (auto _ : state) {
    UnpackBlock(packed.data(), width, values.data());
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kPackedBlock);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof(values)));
}
BENCHMARK(BM_UnpackBlock<uint8_t>)->Arg(1)->Arg(5)->Arg(8);
BENCHMARK(BM_UnpackBlock<uint16_t>)->Arg(1)->Arg(10)->Arg(16);
BENCHMARK(BM_UnpackBlock<uint32_t>)->Arg(1)->Arg(10)->Arg(17)->Arg(32);
BENCHMARK(BM_UnpackBlock<uint64_t>)->Arg(1)->Arg(10)->Arg(41)->Arg(64);

template <typename T>
void BM_PackBlock(benchmark::State& state) {
  const auto width = static_cast<int>(state.range(0));
  std::array<T, kPackedBlock> values;
  const std::vector<uint8_t> random = RandomBytes(sizeof(values));
  std::memcpy(values.data(), random.data(), sizeof(values));
  for (T& value : values) value &= LowBits<T>(width);
  std::vector<uint8_t> packed(PackedBytes(width));
  for (auto _ : state) {
    PackBlock(values.data(), width, packed.data());
    benchmark::DoNotOptimize(packed.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kPackedBlock);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof(values)));
}
BENCHMARK(BM_PackBlock<uint8_t>)->Arg(1)->Arg(5)->Arg(8);
BENCHMARK(BM_PackBlock<uint16_t>)->Arg(1)->Arg(10)->Arg(16);
BENCHMARK(BM_PackBlock<uint32_t>)->Arg(1)->Arg(10)->Arg(17)->Arg(32);
BENCHMARK(BM_PackBlock<uint64_t>)->Arg(1)->Arg(10)->Arg(41)->Arg(64);

/// Single values of a block, as a take of few rows reads them.
void BM_UnpackOne(benchmark::State& state) {
  const auto width = static_cast<int>(state.range(0));
  const std::vector<uint8_t> packed = RandomBytes(PackedBytes(width));
  int64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(UnpackOne<uint32_t>(packed.data(), width, i));
    i = (i + 397) % kPackedBlock;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_UnpackOne)->Arg(10)->Arg(17);

}  // namespace
}  // namespace tusk::lance
