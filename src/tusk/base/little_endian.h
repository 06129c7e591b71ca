#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tusk {

static_assert(std::endian::native == std::endian::little,
              "the formats are little-endian and so must the host be");

/// Reads a little-endian T at `offset` of `bytes`, which must hold it.
template <typename T>
  requires std::is_trivially_copyable_v<T>
T LoadLittle(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <typename T>
  requires std::is_trivially_copyable_v<T>
T LoadLittle(std::string_view bytes, size_t offset) {
  return LoadLittle<T>(reinterpret_cast<const uint8_t*>(bytes.data()) + offset);
}

/// Appends `value` to `out`, little-endian.
template <typename T>
  requires std::is_trivially_copyable_v<T>
void AppendLittle(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

/// Writes `value` to `bytes`, little-endian.
template <typename T>
  requires std::is_trivially_copyable_v<T>
void StoreLittle(T value, uint8_t* bytes) {
  std::memcpy(bytes, &value, sizeof(T));
}

/// `value` rounded up to the next multiple of `alignment`, a power of two.
constexpr uint64_t RoundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace tusk
