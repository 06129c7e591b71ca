#include "tusk/expr/truth_bits.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace tusk::expr {
namespace {

bool IsTrue(int32_t code, uint32_t truths) {
  const auto number = static_cast<uint32_t>(code);
  return number < kMostTruths && (truths >> number & 1) != 0;
}

#ifdef __x86_64__
/// Of a multiple of eight codes.
__attribute__((target("avx2"))) void ToBitsInAvx2(std::span<const int32_t> codes, uint32_t truths,
                                                  uint8_t* bits) {
  const __m256i all = _mm256_set1_epi32(static_cast<int32_t>(truths));
  for (size_t i = 0; i < codes.size(); i += 8) {
    const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&codes[i]));
    // Shifted by 32 or more nothing is left. The truth comes first, where the sign of a float is.
    const __m256i first = _mm256_slli_epi32(_mm256_srlv_epi32(all, eight), 31);
    *bits++ = static_cast<uint8_t>(_mm256_movemask_ps(_mm256_castsi256_ps(first)));
  }
}
#endif

}  // namespace

void ToTruthBits(std::span<const int32_t> codes, uint32_t truths, SimdLevel level, uint8_t* bits) {
  size_t done = 0;
#ifdef __x86_64__
  if (level != SimdLevel::kPlain) {
    done = codes.size() / 8 * 8;
    ToBitsInAvx2(codes.first(done), truths, bits);
  }
#else
  (void)level;
#endif
  for (size_t i = done; i < codes.size(); i += 8) {
    unsigned byte = 0;
    for (size_t bit = 0; bit < 8 && i + bit < codes.size(); ++bit) {
      byte |= static_cast<unsigned>(IsTrue(codes[i + bit], truths)) << bit;
    }
    bits[i / 8] = static_cast<uint8_t>(byte);
  }
}

}  // namespace tusk::expr
