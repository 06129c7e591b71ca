#include <cstring>
#include <utility>

#include "tusk/lake/image.h"

namespace tusk::lake {
namespace {

using Bytes = std::span<const uint8_t>;
using namespace std::string_view_literals;

constexpr uint16_t kOrientationTag = 0x0112;

/// Numbers of a TIFF header, in its byte order; 0 beyond the end.
class TiffNumbers {
 public:
  TiffNumbers(Bytes bytes, bool is_big) : bytes_(bytes), is_big_(is_big) {}

  uint32_t U16(size_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < 2) return 0;
    const uint32_t first = bytes_[offset];
    const uint32_t second = bytes_[offset + 1];
    return is_big_ ? first << 8 | second : second << 8 | first;
  }
  uint32_t U32(size_t offset) const {
    const uint32_t first = U16(offset);
    const uint32_t second = U16(offset + 2);
    return is_big_ ? first << 16 | second : second << 16 | first;
  }

 private:
  Bytes bytes_;
  bool is_big_;
};

uint32_t Big32(Bytes bytes, size_t offset) { return TiffNumbers(bytes, true).U32(offset); }

/// The EXIF data of a JPEG: the first segment APP1 that holds them.
Bytes ExifOfJpeg(Bytes bytes) {
  constexpr std::string_view kExif = "Exif\0\0"sv;
  size_t offset = 2;
  while (offset + 4 <= bytes.size() && bytes[offset] == 0xFF) {
    const uint8_t marker = bytes[offset + 1];
    const size_t length = TiffNumbers(bytes, true).U16(offset + 2);
    // The picture itself begins, or the segment is broken.
    if (marker == 0xDA || length < 2 || length > bytes.size() - offset - 2) return {};
    if (marker == 0xE1 && HasAt(bytes, offset + 4, kExif)) {
      return bytes.subspan(offset + 4, length - 2).subspan(kExif.size());
    }
    offset += 2 + length;
  }
  return {};
}

Bytes ExifOfPng(Bytes bytes) {
  size_t offset = 8;
  while (offset + 12 <= bytes.size()) {
    const size_t length = Big32(bytes, offset);
    if (length > bytes.size() - offset - 12) return {};
    if (HasAt(bytes, offset + 4, "eXIf"sv)) return bytes.subspan(offset + 8, length);
    offset += 12 + length;
  }
  return {};
}

Bytes ExifOfWebP(Bytes bytes) {
  constexpr std::string_view kExif = "Exif\0\0"sv;
  size_t offset = 12;
  while (offset + 8 <= bytes.size()) {
    const size_t length = TiffNumbers(bytes, false).U32(offset + 4);
    if (length > bytes.size() - offset - 8) return {};
    if (HasAt(bytes, offset, "EXIF"sv)) {
      const Bytes exif = bytes.subspan(offset + 8, length);
      return HasAt(exif, 0, kExif) ? exif.subspan(kExif.size()) : exif;
    }
    offset += 8 + length + length % 2;
  }
  return {};
}

}  // namespace

int TiffOrientation(Bytes tiff) {
  const bool is_big = HasAt(tiff, 0, "MM\0*"sv);
  if (!is_big && !HasAt(tiff, 0, "II*\0"sv)) return 1;
  const TiffNumbers numbers(tiff, is_big);
  const size_t directory = numbers.U32(4);
  const size_t entries = numbers.U16(directory);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (entry > tiff.size()) return 1;
    if (numbers.U16(entry) != kOrientationTag) continue;
    const auto orientation = static_cast<int>(numbers.U16(entry + 8));
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

int ExifOrientation(Bytes bytes) {
  if (HasAt(bytes, 0, "\xFF\xD8"sv)) return TiffOrientation(ExifOfJpeg(bytes));
  if (HasAt(bytes, 0, "\x89PNG"sv)) return TiffOrientation(ExifOfPng(bytes));
  if (HasAt(bytes, 8, "WEBP"sv)) return TiffOrientation(ExifOfWebP(bytes));
  return 1;
}

Image Upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  // In the words of EXIF: where row 0 and column 0 of the stored picture belong.
  const bool swaps_sides = orientation >= 5;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int64_t width = image.width;
  const int64_t height = image.height;
  Image upright =
      BlankImage(swaps_sides ? height : width, swaps_sides ? width : height, image.media_type);
  uint8_t* to = upright.rgb.data();
  for (int64_t y = 0; y < upright.height; ++y) {
    for (int64_t x = 0; x < upright.width; ++x) {
      const int64_t column = swaps_sides ? y : x;
      const int64_t row = swaps_sides ? x : y;
      const int64_t from_x = from_right ? width - 1 - column : column;
      const int64_t from_y = from_bottom ? height - 1 - row : row;
      std::memcpy(to, image.rgb.data() + (from_y * width + from_x) * 3, 3);
      to += 3;
    }
  }
  return upright;
}

}  // namespace tusk::lake
