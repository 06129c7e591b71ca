#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include <arrow/type_fwd.h>

#include "tusk/base/little_endian.h"
#include "tusk/base/result.h"

namespace tusk {

/// Cuts a fuzzer's input into parts, from the front; little-endian. Behind its end all is zero.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : bytes_(data, size) {}

  template <typename T>
    requires std::is_integral_v<T>
  T Read() {
    const auto from = Take(sizeof(T));
    if (from.size() < sizeof(T)) return 0;
    return LoadLittle<T>(from.data());
  }
  /// A number in [first, last], which are 65,536 apart at the most; takes two bytes.
  int64_t ReadBetween(int64_t first, int64_t last) {
    return first + Read<uint16_t>() % (last - first + 1);
  }
  /// The next `size` bytes, or all that are left.
  std::span<const uint8_t> Take(size_t size);
  /// As many bytes as the 16 bits in front of them say, or all that are left.
  std::span<const uint8_t> TakeSized() { return Take(Read<uint16_t>()); }
  std::span<const uint8_t> Rest() { return Take(bytes_.size()); }
  size_t left() const { return bytes_.size(); }

 private:
  std::span<const uint8_t> bytes_;
};

/// A copy with nothing before and behind it, so that a sanitizer sees what reaches beyond.
std::shared_ptr<arrow::Buffer> ExactCopy(std::span<const uint8_t> bytes);

inline std::string_view AsText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Aborts, which is how a fuzzer tells of a finding, if `holds` is false.
void Require(bool holds, std::string_view law);
/// The same if `status` failed.
void Require(const Status& status, std::string_view law);
/// The same if `error` is none that broken bytes may lead to: Corrupt, Unsupported, or
/// InvalidArgument ("read fewer rows"), or OutOfBudget from a pool with a limit.
void RequireRefusal(const Status& error);
/// The same unless `array` has `length` rows and is valid throughout. What values mean is not
/// looked at, by readers neither: text that is not UTF-8, decimals beyond their precision, a 25th
/// hour.
void RequireValid(const std::shared_ptr<arrow::ArrayData>& array, int64_t length);
/// A valid array without dictionaries, at any depth, so that rows can be compared which have
/// dictionaries of their own.
std::shared_ptr<arrow::Array> PlainValues(const arrow::ArrayData& array);

}  // namespace tusk
