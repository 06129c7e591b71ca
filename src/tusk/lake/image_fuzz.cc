// Pictures: any bytes are refused or become as many pixels as they claimed in their header, within
// limits, and turning them keeps all.

#include <span>

#include "tusk/lake/image.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk;
  const std::span bytes(data, size);
  // Large pictures take long and show nothing more.
  constexpr int64_t kMaxPixelBytes = int64_t{3} << 20;
  const int64_t claimed = lake::ClaimedPixelBytes(bytes);
  Require(!lake::MediaTypeOf(bytes).empty(), "every file has a media type");
  if (claimed > kMaxPixelBytes) return 0;
  const auto image = lake::DecodeImage(bytes);
  if (!image.ok()) {
    Require(GetErrorCode(image.status()).has_value(), "an error has its code");
    return 0;
  }
  const auto pixels = int64_t{image->width} * image->height * 3;
  Require(std::ssize(image->rgb) == pixels, "a picture has all of its pixels");
  Require(pixels == claimed, "a picture has the size that its header claims");
  const lake::Image turned = lake::Upright(lake::Upright(*image, 6), 8);
  Require(turned.width == image->width && turned.rgb == image->rgb, "turned forth and back");
  return 0;
}
