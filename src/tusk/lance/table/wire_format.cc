#include "tusk/lance/table/wire_format.h"

#include <array>

namespace tusk::lance {

bool WireReader::ReadLongVarint(uint64_t* value) {
  constexpr int kLastShift = 63;
  uint64_t result = 0;
  const char* at = at_;
  for (int shift = 0; shift <= kLastShift && at < end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    result |= uint64_t{byte & 0x7FU} << shift;
    if (byte >= 0x80) continue;
    if (shift == kLastShift && byte > 1) return false;  // more than 64 bits
    at_ = at;
    *value = result;
    return true;
  }
  return false;
}

bool WireReader::Skip(uint32_t tag) {
  uint64_t number = 0;
  std::string_view bytes;
  size_t size = 0;
  switch (static_cast<WireType>(tag & 7U)) {
    case WireType::kVarint:
      return ReadVarint(&number);
    case WireType::kBytes:
      return ReadBytes(&bytes);
    case WireType::kFixed64:
      size = 8;
      break;
    case WireType::kFixed32:
      size = 4;
      break;
    default:
      return false;
  }
  if (size > left()) return false;
  at_ += size;
  return true;
}

void AppendVarint(uint64_t value, std::string* out) {
  std::array<char, 10> bytes;
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out->append(bytes.data(), size);
}

void AppendNumber(uint32_t field, uint64_t value, std::string* out) {
  if (value != 0) AppendOptional(field, value, out);
}

void AppendOptional(uint32_t field, uint64_t value, std::string* out) {
  AppendVarint(WireTag(field, WireType::kVarint), out);
  AppendVarint(value, out);
}

void AppendBytes(uint32_t field, std::string_view bytes, std::string* out) {
  AppendVarint(WireTag(field, WireType::kBytes), out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

}  // namespace tusk::lance
