// Inline bitpacking of any bytes; and packing turned round is what was packed.

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/decoder_laws.h"

namespace tusk::lance {
namespace {

/// Packs the values in `bytes`, as wide as `width` says, and unpacks them as a block and one by
/// one.
template <typename T>
void CheckPacking(int width, std::span<const uint8_t> bytes) {
  std::array<T, kPackedBlock> values{};
  if (!bytes.empty()) {
    std::memcpy(values.data(), bytes.data(), std::min(bytes.size(), sizeof(values)));
  }
  const int bits = 8 * sizeof(T);
  for (T& value : values) {
    if (width < bits) value = static_cast<T>(value & ((T{1} << width) - 1));
  }
  std::vector<uint8_t> packed(PackedBytes(width));
  PackBlock(values.data(), width, packed.data());
  std::array<T, kPackedBlock> unpacked;
  UnpackBlock(packed.data(), width, unpacked.data());
  Require(values == unpacked, "what is packed is unpacked");
  for (int64_t i = 0; i < kPackedBlock; ++i) {
    Require(UnpackOne<T>(packed.data(), width, i) == values[i], "one value is that of the block");
  }
  // And of bytes that nobody packed.
  std::fill(packed.begin(), packed.end(), 0);
  if (!packed.empty() && !bytes.empty()) {
    std::memcpy(packed.data(), bytes.data(), std::min(bytes.size(), packed.size()));
  }
  UnpackBlock(packed.data(), width, unpacked.data());
  std::vector<uint8_t> again(packed.size());
  PackBlock(unpacked.data(), width, again.data());
  Require(again == packed, "what is unpacked packs to the same");
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  switch (input.Read<uint8_t>() % 5) {
    case 0:
      CheckPacking<uint8_t>(static_cast<int>(input.ReadBetween(0, 8)), input.Rest());
      return 0;
    case 1:
      CheckPacking<uint16_t>(static_cast<int>(input.ReadBetween(0, 16)), input.Rest());
      return 0;
    case 2:
      CheckPacking<uint32_t>(static_cast<int>(input.ReadBetween(0, 32)), input.Rest());
      return 0;
    case 3:
      CheckPacking<uint64_t>(static_cast<int>(input.ReadBetween(0, 64)), input.Rest());
      return 0;
    default:
      return size == 0 ? -1
                       : CheckDecoder(ValueEncoding::Kind::kInlineBitpacking, data + 1, size - 1);
  }
}
