// Copies, fills and counts of bits against loops over single bits.

#include <vector>

#include "tusk/lance/encodings/bits.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const int64_t first = input.ReadBetween(0, 130);
  const int64_t to_first = input.ReadBetween(0, 130);
  const auto bytes = input.Rest();
  const int64_t count = static_cast<int64_t>(bytes.size()) * 8 - first;
  if (count < 0) return 0;
  const std::vector<uint8_t> from(bytes.begin(), bytes.end());

  int64_t zeros = 0;
  for (int64_t i = 0; i < count; ++i) zeros += GetBit(from.data(), first + i) ? 0 : 1;
  tusk::Require(CountZeroBits(from.data(), first, count) == zeros, "zeros are counted");

  // Ones all around, which must stay.
  std::vector<uint8_t> to(BytesForBits(to_first + count), 0xFF);
  CopyBits(from.data(), first, count, to.data(), to_first);
  for (int64_t i = 0; i < static_cast<int64_t>(to.size()) * 8; ++i) {
    const bool is_copied = i >= to_first && i < to_first + count;
    const bool expected = is_copied ? GetBit(from.data(), first + i - to_first) : true;
    tusk::Require(GetBit(to.data(), i) == expected, "bits are copied and those around them stay");
  }
  ClearBits(to.data(), to_first, count);
  for (int64_t i = 0; i < static_cast<int64_t>(to.size()) * 8; ++i) {
    const bool is_cleared = i >= to_first && i < to_first + count;
    tusk::Require(GetBit(to.data(), i) == !is_cleared, "bits are cleared");
  }
  SetBits(to.data(), to_first, count);
  tusk::Require(CountZeroBits(to.data(), 0, static_cast<int64_t>(to.size()) * 8) == 0,
                "bits are set");
  return 0;
}
