#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lake/encoder.h"

// What the decoders of picture formats share; each format that needs more than a few lines has a
// source of its own.
namespace tusk::lake {

/// The bytes of the pixels that DecodeImage would make, by what the header of the picture says; 0
/// for what it would refuse by the header.
int64_t ClaimedPixelBytes(std::span<const uint8_t> bytes);

/// Width and height of a picture by its header alone, as it is stored; zeros if it tells none.
struct PictureSize {
  int64_t width = 0;
  int64_t height = 0;
};
PictureSize ClaimedSize(std::span<const uint8_t> bytes);

/// The media type by content: "image/png", ..., "application/pdf", "text/plain" for UTF-8 text
/// without control characters; "application/octet-stream" for everything else.
std::string_view MediaTypeOf(std::span<const uint8_t> bytes);

/// True if `bytes` has `magic` at `offset`.
bool HasAt(std::span<const uint8_t> bytes, size_t offset, std::string_view magic);

/// Corrupt for no pixels, Unsupported for more than 2^28.
Status CheckSize(int64_t width, int64_t height, std::string_view format);

/// Corrupt if a picture claims more pixels than its bytes can hold: a pixel takes at least one bit,
/// and zlib, the densest of the codecs, makes at most 1,032 bytes of one.
Status CheckHoldsPixels(int64_t width, int64_t height, std::span<const uint8_t> bytes,
                        std::string_view format);

/// An image of that size, all zeros. The size has passed CheckSize.
Image BlankImage(int64_t width, int64_t height, std::string_view media_type);

/// Puts `rgba` (not premultiplied) over white, into `rgb`, which has room for as many pixels.
void CompositeOnWhite(const std::vector<uint8_t>& rgba, std::vector<uint8_t>* rgb);

/// The orientation (1 to 8, as in EXIF) that a TIFF header with its first directory tells; 1 if it
/// tells none or is broken: it is a hint of the camera and no reason to refuse a picture.
int TiffOrientation(std::span<const uint8_t> tiff);

/// The orientation that the EXIF data of a PNG, JPEG or WebP tell; 1 without.
int ExifOrientation(std::span<const uint8_t> bytes);

/// `image` as it is to be looked at. Orientations are 1 (as it is) to 8; others count as 1.
Image Upright(Image image, int orientation);

/// The decoders. Errors as DecodeImage.
Result<Image> DecodeBmp(std::span<const uint8_t> bytes);
Result<Image> DecodeGif(std::span<const uint8_t> bytes);
Result<Image> DecodeTiff(std::span<const uint8_t> bytes);

/// By the header alone; zeros if there is none.
PictureSize ClaimedBmpSize(std::span<const uint8_t> bytes);
PictureSize ClaimedGifSize(std::span<const uint8_t> bytes);
PictureSize ClaimedTiffSize(std::span<const uint8_t> bytes);

}  // namespace tusk::lake
