#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <utility>

#include "tusk/lake/image.h"

namespace tusk::lake {
namespace {

using Bytes = std::span<const uint8_t>;
using namespace std::string_view_literals;

/// How the pixels are stored.
enum Compression : uint32_t {
  kNone = 0,
  kRle8 = 1,
  kRle4 = 2,
  kBitFields = 3,
  kAlphaBitFields = 6
};

/// What the two headers of a BMP file say. Integers are little-endian.
///   offset  size
///        0     2  "BM"
///       10     4  where the pixels begin
///       14     4  size of the second header: 12 (OS/2), 40, 52, 56, 64, 108 or 124
///       18        width, height (2 bytes each in OS/2, else 4; a height below 0 is top-down),
///                 planes (2), bits per pixel (2), compression (4), ..., colors in the palette (4)
struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool is_top_down = false;
  uint32_t bits = 0;
  uint32_t compression = kNone;
  size_t pixels = 0;          ///< where they begin
  size_t palette = 0;         ///< where it begins
  size_t palette_entry = 4;   ///< bytes of an entry: blue, green, red, and perhaps one more
  size_t palette_colors = 0;  ///< 0 for 16 bits and more
  std::array<uint32_t, 4> masks = {};  ///< red, green, blue, alpha
};

uint32_t U16(Bytes bytes, size_t offset) { return bytes[offset] | bytes[offset + 1] << 8; }
uint32_t U32(Bytes bytes, size_t offset) {
  return U16(bytes, offset) | U16(bytes, offset + 2) << 16;
}

Status ReadMasks(Bytes bytes, size_t info_size, Header* header) {
  if (header->compression != kBitFields && header->compression != kAlphaBitFields) {
    if (header->bits == 16) header->masks = {0x7C00, 0x03E0, 0x001F, 0};
    if (header->bits == 32) header->masks = {0xFF0000, 0xFF00, 0xFF, 0};
    return Status::OK();
  }
  if (header->bits != 16 && header->bits != 32) {
    return Corrupt("BMP with bit fields of ", header->bits, " bits per pixel");
  }
  constexpr size_t kMasksOffset = 54;
  const bool has_alpha = header->compression == kAlphaBitFields || info_size >= 56;
  const size_t count = has_alpha ? 4 : 3;
  if (bytes.size() < kMasksOffset + count * 4) return Corrupt("BMP ends in its header");
  for (size_t i = 0; i < count; ++i) header->masks[i] = U32(bytes, kMasksOffset + i * 4);
  // With the short header the masks stand between it and what follows.
  if (info_size == 40) header->palette += count * 4;
  return Status::OK();
}

Result<Header> ReadHeader(Bytes bytes) {
  constexpr size_t kFileHeader = 14;
  if (bytes.size() < kFileHeader + 12) return Corrupt("BMP ends in its header");
  Header header;
  header.pixels = U32(bytes, 10);
  const size_t info_size = U32(bytes, 14);
  header.palette = kFileHeader + info_size;
  size_t colors = 0;
  if (info_size == 12) {
    header.width = U16(bytes, 18);
    header.height = U16(bytes, 20);
    header.bits = U16(bytes, 24);
    header.palette_entry = 3;
  } else if (info_size >= 40 && info_size <= 124 && bytes.size() >= kFileHeader + info_size) {
    header.width = std::bit_cast<int32_t>(U32(bytes, 18));
    header.height = std::bit_cast<int32_t>(U32(bytes, 22));
    header.bits = U16(bytes, 28);
    header.compression = U32(bytes, 30);
    colors = U32(bytes, 46);
    header.is_top_down = header.height < 0;
    header.height = std::abs(header.height);
  } else {
    return Unsupported("BMP with a header of ", info_size, " bytes");
  }
  ARROW_RETURN_NOT_OK(ReadMasks(bytes, info_size, &header));
  if (header.bits <= 8) {
    const size_t most = size_t{1} << header.bits;
    header.palette_colors = colors == 0 ? most : std::min(colors, most);
  }
  return header;
}

Status CheckHeader(const Header& header, Bytes bytes) {
  ARROW_RETURN_NOT_OK(CheckSize(header.width, header.height, "BMP"));
  constexpr std::array<uint32_t, 6> kBits = {1, 4, 8, 16, 24, 32};
  const bool is_rle = header.compression == kRle8 || header.compression == kRle4;
  const bool has_known_bits = std::ranges::find(kBits, header.bits) != kBits.end();
  if (!has_known_bits || header.compression > kAlphaBitFields || header.compression == 4 ||
      header.compression == 5) {
    return Unsupported("BMP of ", header.bits, " bits per pixel with compression ",
                       header.compression);
  }
  if (is_rle && header.bits != (header.compression == kRle8 ? 8U : 4U)) {
    return Corrupt("BMP with compression ", header.compression, " of ", header.bits,
                   " bits per pixel");
  }
  const size_t palette_bytes = header.palette_colors * header.palette_entry;
  if (header.palette > bytes.size() || palette_bytes > bytes.size() - header.palette ||
      header.pixels > bytes.size()) {
    return Corrupt("BMP claims a palette or pixels beyond its ", bytes.size(),
                   " bytes: it is truncated");
  }
  return Status::OK();
}

/// One channel of a pixel, by its mask, as 8 bits.
uint8_t Channel(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const uint64_t most = mask >> shift;
  return static_cast<uint8_t>((uint64_t{(pixel & mask) >> shift} * 255 + most / 2) / most);
}

/// Puts pixels where they belong, whichever way the rows go.
class Canvas {
 public:
  Canvas(const Header& header, Bytes bytes, Image* image)
      : header_(header), bytes_(bytes), image_(*image) {}

  void SetIndex(int64_t x, int64_t y, size_t index) {
    if (index >= header_.palette_colors) return;  // black, as elsewhere
    const size_t entry = header_.palette + index * header_.palette_entry;
    Set(x, y, bytes_[entry + 2], bytes_[entry + 1], bytes_[entry]);
  }

  void Set(int64_t x, int64_t y, uint8_t red, uint8_t green, uint8_t blue) {
    const int64_t row = header_.is_top_down ? y : header_.height - 1 - y;
    uint8_t* rgb = image_.rgb.data() + (row * header_.width + x) * 3;
    rgb[0] = red;
    rgb[1] = green;
    rgb[2] = blue;
  }

  void SetMasked(int64_t x, int64_t y, uint32_t pixel) {
    const auto& masks = header_.masks;
    const uint32_t alpha = masks[3] == 0 ? 255 : Channel(pixel, masks[3]);
    const auto over_white = [&](uint32_t mask) {
      const uint32_t sum = Channel(pixel, mask) * alpha + 255 * (255 - alpha);
      return static_cast<uint8_t>((sum + 127) / 255);
    };
    Set(x, y, over_white(masks[0]), over_white(masks[1]), over_white(masks[2]));
  }

 private:
  const Header& header_;
  Bytes bytes_;
  Image& image_;
};

Status DecodeRows(const Header& header, Bytes bytes, Canvas* canvas) {
  const auto row_bytes = static_cast<size_t>((header.width * header.bits + 31) / 32 * 4);
  const Bytes pixels = bytes.subspan(header.pixels);
  // The last row may lack its padding.
  const auto needed = row_bytes * (header.height - 1) + (header.width * header.bits + 7) / 8;
  if (pixels.size() < needed) {
    return Corrupt("BMP of ", header.width, " x ", header.height, " pixels has ", pixels.size(),
                   " bytes of them: it is truncated");
  }
  for (int64_t y = 0; y < header.height; ++y) {
    const Bytes row = pixels.subspan(row_bytes * y);
    for (int64_t x = 0; x < header.width; ++x) {
      switch (header.bits) {
        case 1:
          canvas->SetIndex(x, y, row[x / 8] >> (7 - x % 8) & 1);
          break;
        case 4:
          canvas->SetIndex(x, y, row[x / 2] >> (x % 2 == 0 ? 4 : 0) & 15);
          break;
        case 8:
          canvas->SetIndex(x, y, row[x]);
          break;
        case 16:
          canvas->SetMasked(x, y, U16(row, x * 2));
          break;
        case 24:
          canvas->Set(x, y, row[x * 3 + 2], row[x * 3 + 1], row[x * 3]);
          break;
        default:
          canvas->SetMasked(x, y, U32(row, x * 4));
      }
    }
  }
  return Status::OK();
}

/// Runs: (count, value), or 0 and: 0 end of row, 1 end of picture, 2 a jump (right, up), n literal
/// values, padded to 2 bytes. A value is one pixel of 8 bits or two of 4.
Status DecodeRuns(const Header& header, Bytes bytes, Canvas* canvas) {
  const Bytes in = bytes.subspan(header.pixels);
  const bool is_nibbles = header.compression == kRle4;
  size_t at = 0;
  int64_t x = 0;
  int64_t y = 0;
  const auto set = [&](uint8_t value, int64_t i) -> Status {
    if (x >= header.width || y >= header.height) {
      return Corrupt("BMP has a run beyond its ", header.width, " x ", header.height, " pixels");
    }
    canvas->SetIndex(x++, y, is_nibbles ? (i % 2 == 0 ? value >> 4 : value & 15) : value);
    return Status::OK();
  };
  while (at + 2 <= in.size()) {
    const uint8_t count = in[at];
    const uint8_t value = in[at + 1];
    at += 2;
    if (count > 0) {
      for (int64_t i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(set(value, i));
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      return Status::OK();
    } else if (value == 2) {
      if (at + 2 > in.size()) break;
      x += in[at];
      y += in[at + 1];
      at += 2;
    } else {
      const size_t literal = is_nibbles ? (value + 1U) / 2 : value;
      if (literal > in.size() - at) break;
      for (int64_t i = 0; i < value; ++i) {
        ARROW_RETURN_NOT_OK(set(in[at + (is_nibbles ? i / 2 : i)], i));
      }
      at += literal + literal % 2;
    }
  }
  return Corrupt("BMP ends at byte ", bytes.size(), " within its runs: it is truncated");
}

}  // namespace

PictureSize ClaimedBmpSize(Bytes bytes) {
  const auto header = ReadHeader(bytes);
  if (!header.ok()) return {};
  return {.width = header->width, .height = header->height};
}

Result<Image> DecodeBmp(Bytes bytes) {
  ARROW_ASSIGN_OR_RAISE(const Header header, ReadHeader(bytes));
  ARROW_RETURN_NOT_OK(CheckHeader(header, bytes));
  const bool is_rle = header.compression == kRle8 || header.compression == kRle4;
  if (is_rle) {
    ARROW_RETURN_NOT_OK(CheckHoldsPixels(header.width, header.height, bytes, "BMP"));
  } else if (header.width * header.height > std::ssize(bytes) * 8) {
    return Corrupt("BMP claims ", header.width, " x ", header.height, " pixels in only ",
                   bytes.size(), " bytes");
  }
  Image image = BlankImage(header.width, header.height, "image/bmp");
  Canvas canvas(header, bytes, &image);
  ARROW_RETURN_NOT_OK(is_rle ? DecodeRuns(header, bytes, &canvas)
                             : DecodeRows(header, bytes, &canvas));
  return image;
}

}  // namespace tusk::lake
