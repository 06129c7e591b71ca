#include "tusk/lake/image.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <png.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include "tusk/base/utf8.h"
#include "tusk/lake/encoder.h"

namespace tusk::lake {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr int64_t kMaxPixels = int64_t{1} << 28;

}  // namespace

bool HasAt(Bytes bytes, size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() &&
         std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

Status CheckSize(int64_t width, int64_t height, std::string_view format) {
  if (width <= 0 || height <= 0) {
    return Corrupt(format, " picture of ", width, " x ", height, " pixels");
  }
  if (width > kMaxPixels / height) {
    return Unsupported(format, " picture of ", width, " x ", height,
                       " pixels: more than 2^28 are not supported");
  }
  return Status::OK();
}

Status CheckHoldsPixels(int64_t width, int64_t height, Bytes bytes, std::string_view format) {
  const int64_t limit = std::ssize(bytes) * 8 * 1032;
  if (width * height <= limit) return Status::OK();
  return Corrupt(format, " claims ", width, " x ", height, " pixels in only ", bytes.size(),
                 " bytes");
}

Image BlankImage(int64_t width, int64_t height, std::string_view media_type) {
  return {.width = static_cast<int32_t>(width),
          .height = static_cast<int32_t>(height),
          .rgb = std::vector<uint8_t>(static_cast<size_t>(width * height * 3)),
          .media_type = std::string(media_type)};
}

void CompositeOnWhite(const std::vector<uint8_t>& rgba, std::vector<uint8_t>* rgb) {
  for (size_t from = 0, to = 0; from < rgba.size(); from += 4, to += 3) {
    const uint32_t alpha = rgba[from + 3];
    for (size_t channel = 0; channel < 3; ++channel) {
      const uint32_t sum = rgba[from + channel] * alpha + 255U * (255U - alpha);
      (*rgb)[to + channel] = static_cast<uint8_t>((sum + 127U) / 255U);
    }
  }
}

namespace {

uint32_t LoadBig32(Bytes bytes, size_t offset) {
  return uint32_t{bytes[offset]} << 24 | uint32_t{bytes[offset + 1]} << 16 |
         uint32_t{bytes[offset + 2]} << 8 | uint32_t{bytes[offset + 3]};
}

uint32_t LoadLittle32(Bytes bytes, size_t offset) {
  return uint32_t{bytes[offset + 3]} << 24 | uint32_t{bytes[offset + 2]} << 16 |
         uint32_t{bytes[offset + 1]} << 8 | uint32_t{bytes[offset]};
}

/// Walks the chunks (length, type, data, CRC) up to IEND. libpng stops reading behind the last
/// pixel and would not notice that the end is missing.
Status CheckPngIsWhole(Bytes bytes) {
  constexpr size_t kSignatureSize = 8;
  constexpr size_t kChunkOverhead = 12;
  size_t offset = kSignatureSize;
  while (true) {
    if (bytes.size() - offset < kChunkOverhead) {
      return Corrupt("PNG ends at byte ", bytes.size(), " without an IEND chunk: it is truncated");
    }
    const size_t length = LoadBig32(bytes, offset);
    if (length > bytes.size() - offset - kChunkOverhead) {
      return Corrupt("PNG chunk at byte ", offset, " claims ", length, " bytes but the file has ",
                     bytes.size(), ": it is truncated");
    }
    if (HasAt(bytes, offset + 4, "IEND")) return Status::OK();
    offset += kChunkOverhead + length;
  }
}

Result<Image> DecodePng(Bytes bytes) {
  ARROW_RETURN_NOT_OK(CheckPngIsWhole(bytes));
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> guard(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
    return Corrupt("PNG: ", png.message);
  }
  ARROW_RETURN_NOT_OK(CheckSize(png.width, png.height, "PNG"));
  ARROW_RETURN_NOT_OK(CheckHoldsPixels(png.width, png.height, bytes, "PNG"));
  Image image = BlankImage(png.width, png.height, "image/png");
  const bool has_alpha = (png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  // Without this flag libpng takes 16-bit channels that say nothing of their gamma for linear.
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  png.format = has_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  std::vector<uint8_t> rgba(has_alpha ? PNG_IMAGE_SIZE(png) : 0);
  uint8_t* pixels = has_alpha ? rgba.data() : image.rgb.data();
  if (png_image_finish_read(&png, /*background=*/nullptr, pixels, /*row_stride=*/0,
                            /*colormap=*/nullptr) == 0) {
    return Corrupt("PNG: ", png.message);
  }
  if (has_alpha) CompositeOnWhite(rgba, &image.rgb);
  return image;
}

Result<Image> DecodeJpeg(Bytes bytes) {
  const std::unique_ptr<void, decltype(&tjDestroy)> jpeg(tjInitDecompress(), tjDestroy);
  if (jpeg == nullptr) return Status::OutOfMemory("cannot make a JPEG decoder");
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colors = 0;
  const auto fail = [&] { return Corrupt("JPEG: ", tjGetErrorStr2(jpeg.get())); };
  if (tjDecompressHeader3(jpeg.get(), bytes.data(), bytes.size(), &width, &height, &subsampling,
                          &colors) != 0) {
    return fail();
  }
  if (colors == TJCS_CMYK || colors == TJCS_YCCK) {
    return Unsupported("CMYK JPEG pictures are not supported yet");
  }
  ARROW_RETURN_NOT_OK(CheckSize(width, height, "JPEG"));
  Image image = BlankImage(width, height, "image/jpeg");
  // Warnings are damage that libjpeg papers over with gray: here they are errors. The limit of
  // scans keeps a small hostile file from taking minutes.
  constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT;
  if (tjDecompress2(jpeg.get(), bytes.data(), bytes.size(), image.rgb.data(), width,
                    /*pitch=*/0, height, TJPF_RGB, kFlags) != 0) {
    return fail();
  }
  return image;
}

std::string_view WebPErrorText(VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case VP8_STATUS_BITSTREAM_ERROR:
      return "broken bits";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that libwebp does not know";
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "it is truncated";
    default:
      return "cannot be decoded";
  }
}

Result<Image> DecodeWebP(Bytes bytes) {
  constexpr size_t kRiffHeader = 8;
  const uint64_t riff_size = LoadLittle32(bytes, 4);
  if (riff_size > bytes.size() - kRiffHeader) {
    return Corrupt("WebP claims ", riff_size + kRiffHeader, " bytes but the file has ",
                   bytes.size(), ": it is truncated");
  }
  WebPBitstreamFeatures features;
  VP8StatusCode code = WebPGetFeatures(bytes.data(), bytes.size(), &features);
  if (code != VP8_STATUS_OK) return Corrupt("WebP: ", WebPErrorText(code));
  if (features.has_animation != 0) {
    return Unsupported("animated WebP pictures are not supported yet");
  }
  ARROW_RETURN_NOT_OK(CheckSize(features.width, features.height, "WebP"));
  Image image = BlankImage(features.width, features.height, "image/webp");
  const bool has_alpha = features.has_alpha != 0;
  const int channels = has_alpha ? 4 : 3;
  std::vector<uint8_t> rgba(has_alpha ? image.rgb.size() / 3 * 4 : 0);
  std::vector<uint8_t>& pixels = has_alpha ? rgba : image.rgb;
  const auto decode = has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(bytes.data(), bytes.size(), pixels.data(), pixels.size(), features.width * channels) ==
      nullptr) {
    return Corrupt("WebP of ", features.width, " x ", features.height,
                   " pixels: its image data are broken or truncated");
  }
  if (has_alpha) CompositeOnWhite(rgba, &image.rgb);
  return image;
}

/// What a format that is not decoded begins with.
struct Signature {
  std::string_view name;
  size_t offset;
  std::string_view magic;
};

using namespace std::string_view_literals;
constexpr Signature kOtherFormats[] = {
    {"BigTIFF", 0, "II+\0"sv},
    {"BigTIFF", 0, "MM\0+"sv},
    {"AVIF", 4, "ftypavif"sv},
    {"AVIF", 4, "ftypavis"sv},
    {"HEIC", 4, "ftyphei"sv},
    {"HEIC", 4, "ftyphev"sv},
    {"HEIF", 4, "ftypmif1"sv},
    {"HEIF", 4, "ftypmsf1"sv},
    {"MP4 or another ISO media", 4, "ftyp"sv},
    {"JPEG XL", 0, "\xFF\x0A"sv},
    {"JPEG XL", 0, "\0\0\0\x0CJXL "sv},
    {"JPEG 2000", 0, "\0\0\0\x0CjP  "sv},
    {"JPEG 2000", 0, "\xFF\x4F\xFF\x51"sv},
    {"icon (ICO)", 0, "\0\0\x01\0"sv},
    {"Photoshop", 0, "8BPS"sv},
    {"OpenEXR", 0, "\x76\x2F\x31\x01"sv},
    {"QOI", 0, "qoif"sv},
    {"PDF", 0, "%PDF"sv},
    {"SVG", 0, "<svg"sv},
    {"XML", 0, "<?xml"sv},
};

Status RefuseOther(Bytes bytes) {
  if (bytes.empty()) return Corrupt("the file is empty");
  for (const Signature& signature : kOtherFormats) {
    if (HasAt(bytes, signature.offset, signature.magic)) {
      return Unsupported("it is a ", signature.name,
                         " file: only PNG, JPEG, WebP, GIF, BMP and TIFF are supported yet");
    }
  }
  std::string start;
  for (const uint8_t byte : bytes.first(std::min<size_t>(bytes.size(), 8))) {
    std::array<char, 4> hex;
    std::snprintf(hex.data(), hex.size(), " %02x", byte);
    start += hex.data();
  }
  return Unsupported("it is no PNG, JPEG, WebP, GIF, BMP or TIFF: it begins with", start);
}

enum class Format { kPng, kJpeg, kWebP, kGif, kBmp, kTiff, kOther };

Format FormatOf(Bytes bytes) {
  if (HasAt(bytes, 0, "\x89PNG\r\n\x1A\n"sv)) return Format::kPng;
  if (HasAt(bytes, 0, "\xFF\xD8\xFF"sv)) return Format::kJpeg;
  if (HasAt(bytes, 0, "RIFF"sv) && HasAt(bytes, 8, "WEBP"sv)) return Format::kWebP;
  if (HasAt(bytes, 0, "GIF87a"sv) || HasAt(bytes, 0, "GIF89a"sv)) return Format::kGif;
  // Two letters alone would take many a text for a picture.
  if (HasAt(bytes, 0, "BM"sv) && HasAt(bytes, 15, "\0\0\0"sv)) return Format::kBmp;
  if (HasAt(bytes, 0, "II*\0"sv) || HasAt(bytes, 0, "MM\0*"sv)) return Format::kTiff;
  return Format::kOther;
}

PictureSize ClaimedPngSize(Bytes bytes) {
  constexpr size_t kWidthOffset = 16;  // signature, then length and type of the chunk IHDR
  if (bytes.size() < kWidthOffset + 8) return {};
  return {.width = LoadBig32(bytes, kWidthOffset), .height = LoadBig32(bytes, kWidthOffset + 4)};
}

PictureSize ClaimedJpegSize(Bytes bytes) {
  const std::unique_ptr<void, decltype(&tjDestroy)> jpeg(tjInitDecompress(), tjDestroy);
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colors = 0;
  if (jpeg == nullptr || tjDecompressHeader3(jpeg.get(), bytes.data(), bytes.size(), &width,
                                             &height, &subsampling, &colors) != 0) {
    return {};
  }
  return {.width = width, .height = height};
}

PictureSize ClaimedWebPSize(Bytes bytes) {
  int width = 0;
  int height = 0;
  if (WebPGetInfo(bytes.data(), bytes.size(), &width, &height) == 0) return {};
  return {.width = width, .height = height};
}

/// Media types that are told by what a file begins with; of pictures, FormatOf.
struct TypeSignature {
  std::string_view media_type;
  size_t offset;
  std::string_view magic;
};
constexpr TypeSignature kMediaTypes[] = {
    {"application/pdf", 0, "%PDF"sv},
    {"audio/wav", 8, "WAVE"sv},
    {"audio/flac", 0, "fLaC"sv},
    {"audio/ogg", 0, "OggS"sv},
    {"audio/mpeg", 0, "ID3"sv},
    {"audio/mpeg", 0, "\xFF\xFB"sv},
    {"video/x-msvideo", 8, "AVI "sv},
    {"video/webm", 0, "\x1A\x45\xDF\xA3"sv},
    {"image/avif", 4, "ftypavif"sv},
    {"image/heic", 4, "ftyphei"sv},
    {"video/mp4", 4, "ftyp"sv},
    {"application/gzip", 0, "\x1F\x8B"sv},
    {"application/zip", 0, "PK\x03\x04"sv},
};

bool IsText(Bytes bytes) {
  const auto is_control = [](uint8_t c) {
    return c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  };
  return std::ranges::none_of(bytes, is_control) &&
         IsUtf8({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

PictureSize ClaimedSize(Bytes bytes) {
  switch (FormatOf(bytes)) {
    case Format::kPng:
      return ClaimedPngSize(bytes);
    case Format::kJpeg:
      return ClaimedJpegSize(bytes);
    case Format::kWebP:
      return ClaimedWebPSize(bytes);
    case Format::kGif:
      return ClaimedGifSize(bytes);
    case Format::kBmp:
      return ClaimedBmpSize(bytes);
    case Format::kTiff:
      return ClaimedTiffSize(bytes);
    case Format::kOther:
      return {};
  }
  return {};
}

std::string_view MediaTypeOf(Bytes bytes) {
  switch (FormatOf(bytes)) {
    case Format::kPng:
      return "image/png";
    case Format::kJpeg:
      return "image/jpeg";
    case Format::kWebP:
      return "image/webp";
    case Format::kGif:
      return "image/gif";
    case Format::kBmp:
      return "image/bmp";
    case Format::kTiff:
      return "image/tiff";
    case Format::kOther:
      break;
  }
  for (const TypeSignature& type : kMediaTypes) {
    if (HasAt(bytes, type.offset, type.magic)) return type.media_type;
  }
  return IsText(bytes) ? "text/plain" : "application/octet-stream";
}

int64_t ClaimedPixelBytes(std::span<const uint8_t> bytes) {
  const PictureSize size = ClaimedSize(bytes);
  if (!CheckSize(size.width, size.height, "").ok()) return 0;
  return size.width * size.height * 3;
}

Result<Image> DecodeImage(std::span<const uint8_t> bytes) {
  const auto upright = [&](Result<Image> image) -> Result<Image> {
    if (!image.ok()) return image;
    return Upright(*std::move(image), ExifOrientation(bytes));
  };
  try {
    switch (FormatOf(bytes)) {
      case Format::kPng:
        return upright(DecodePng(bytes));
      case Format::kJpeg:
        return upright(DecodeJpeg(bytes));
      case Format::kWebP:
        return upright(DecodeWebP(bytes));
      case Format::kGif:
        return DecodeGif(bytes);
      case Format::kBmp:
        return DecodeBmp(bytes);
      case Format::kTiff:
        return DecodeTiff(bytes);
      case Format::kOther:
        break;
    }
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory("no memory for the pixels of a picture in ", bytes.size(), " bytes");
  }
  return RefuseOther(bytes);
}

}  // namespace tusk::lake
