#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tusk::lance {

/// How a field of a protobuf message is stored; the lower three bits of its tag.
enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// The number that stands before a field.
constexpr uint32_t WireTag(uint32_t field, WireType type) {
  return field << 3 | static_cast<uint32_t>(type);
}

/// Takes the bytes of a message apart, from the front. Refuses more than protobuf does: whoever
/// reads with it asks protobuf about what is refused here.
/// Source: the encoding of Protocol Buffers, https://protobuf.dev/programming-guides/encoding/.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool done() const { return at_ == end_; }
  /// Where the next byte stands.
  const char* at() const { return at_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  /// False if there is no whole number of at most 64 bits.
  bool ReadVarint(uint64_t* value) {
    if (at_ < end_ && static_cast<uint8_t>(*at_) < 0x80) {
      *value = static_cast<uint8_t>(*at_++);
      return true;
    }
    return ReadLongVarint(value);
  }
  /// The number of a field and its WireType. False if there is none.
  bool ReadTag(uint32_t* tag) { return ReadUint32InFive(tag) && *tag >> 3 != 0; }
  /// The bytes behind their length; they are not copied. False if they are not all there.
  bool ReadBytes(std::string_view* bytes) {
    uint32_t size = 0;
    if (!ReadUint32InFive(&size) || size > left()) return false;
    *bytes = {at_, size};
    at_ += size;
    return true;
  }
  /// Passes over the value that follows `tag`. False if it is not all there, or of a kind that is
  /// not among WireType.
  bool Skip(uint32_t tag);

 private:
  bool ReadLongVarint(uint64_t* value);
  /// Tags and lengths have five bytes at the most, even where the last ones say nothing.
  bool ReadUint32InFive(uint32_t* value) {
    const char* begin = at_;
    uint64_t number = 0;
    if (!ReadVarint(&number) || number > UINT32_MAX || at_ - begin > 5) return false;
    *value = static_cast<uint32_t>(number);
    return true;
  }

  const char* at_;
  const char* end_;
};

void AppendVarint(uint64_t value, std::string* out);
/// A field with the value `value`; nothing if that is 0, which is what its absence means.
void AppendNumber(uint32_t field, uint64_t value, std::string* out);
/// A field that may be absent.
void AppendOptional(uint32_t field, uint64_t value, std::string* out);
void AppendBytes(uint32_t field, std::string_view bytes, std::string* out);

}  // namespace tusk::lance
