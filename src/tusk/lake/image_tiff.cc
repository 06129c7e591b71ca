#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <tiffio.h>

#include "tusk/lake/image.h"

namespace tusk::lake {
namespace {

using Bytes = std::span<const uint8_t>;

/// What libtiff may allocate at once: the pixels of the largest picture, and some more.
constexpr tmsize_t kMaxAllocation = tmsize_t{5} << 28;

/// What libtiff reads from, and the first thing that it complains about.
struct Source {
  Bytes bytes;
  size_t at = 0;
  std::string error = {};
};

Source& Of(thandle_t handle) { return *static_cast<Source*>(handle); }

tmsize_t Read(thandle_t handle, void* out, tmsize_t count) {
  Source& source = Of(handle);
  if (count < 0 || source.at >= source.bytes.size()) return 0;
  const auto size = std::min<size_t>(count, source.bytes.size() - source.at);
  std::memcpy(out, source.bytes.data() + source.at, size);
  source.at += size;
  return static_cast<tmsize_t>(size);
}

tmsize_t RefuseToWrite(thandle_t, void*, tmsize_t) { return 0; }

toff_t Seek(thandle_t handle, toff_t offset, int whence) {
  Source& source = Of(handle);
  if (whence == SEEK_CUR) offset += source.at;
  if (whence == SEEK_END) offset += source.bytes.size();
  source.at = offset;
  return offset;
}

int Close(thandle_t) { return 0; }

toff_t Size(thandle_t handle) { return Of(handle).bytes.size(); }

/// Without a map every read is checked against the size.
int RefuseToMap(thandle_t, void**, toff_t*) { return 0; }
void Unmap(thandle_t, void*, toff_t) {}

int KeepError(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  char text[256];
  std::vsnprintf(text, sizeof(text), format, arguments);
  if (source.error.empty()) source.error = text;
  return 1;
}

int IgnoreWarning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

/// Null if the bytes are no TIFF file. `source` must outlive it.
Tiff Open(Source* source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (options == nullptr) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), KeepError, source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), IgnoreWarning, source);
  return Tiff(TIFFClientOpenExt("picture", "rm", source, Read, RefuseToWrite, Seek, Close, Size,
                                RefuseToMap, Unmap, options.get()));
}

PictureSize SizeOf(TIFF* tiff) {
  uint32_t width = 0;
  uint32_t height = 0;
  (void)TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  (void)TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  return {.width = width, .height = height};
}

Status Broken(const Source& source) {
  return Corrupt("TIFF: ", source.error.empty() ? "it cannot be decoded" : source.error);
}

}  // namespace

PictureSize ClaimedTiffSize(Bytes bytes) {
  Source source{.bytes = bytes};
  const Tiff tiff = Open(&source);
  return tiff == nullptr ? PictureSize() : SizeOf(tiff.get());
}

Result<Image> DecodeTiff(Bytes bytes) {
  Source source{.bytes = bytes};
  const Tiff tiff = Open(&source);
  if (tiff == nullptr) return Broken(source);
  const PictureSize size = SizeOf(tiff.get());
  ARROW_RETURN_NOT_OK(CheckSize(size.width, size.height, "TIFF"));
  ARROW_RETURN_NOT_OK(CheckHoldsPixels(size.width, size.height, bytes, "TIFF"));
  char why[1024] = "";
  if (TIFFRGBAImageOK(tiff.get(), why) == 0) return Unsupported("TIFF: ", why);
  uint16_t orientation = ORIENTATION_TOPLEFT;
  (void)TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  // libtiff only mirrors: all of it is done here, from the rows as they are stored.
  (void)TIFFSetField(tiff.get(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  std::vector<uint32_t> raster(static_cast<size_t>(size.width * size.height));
  if (TIFFReadRGBAImageOriented(tiff.get(), static_cast<uint32_t>(size.width),
                                static_cast<uint32_t>(size.height), raster.data(),
                                ORIENTATION_TOPLEFT, /*stopOnError=*/1) == 0 ||
      !source.error.empty()) {
    return Broken(source);
  }
  Image image = BlankImage(size.width, size.height, "image/tiff");
  uint8_t* rgb = image.rgb.data();
  for (const uint32_t pixel : raster) {
    // Colors come multiplied by alpha: over white there is 255 - alpha to add.
    const uint32_t white = 255 - TIFFGetA(pixel);
    *rgb++ = static_cast<uint8_t>(std::min<uint32_t>(255, TIFFGetR(pixel) + white));
    *rgb++ = static_cast<uint8_t>(std::min<uint32_t>(255, TIFFGetG(pixel) + white));
    *rgb++ = static_cast<uint8_t>(std::min<uint32_t>(255, TIFFGetB(pixel) + white));
  }
  return Upright(std::move(image), orientation);
}

}  // namespace tusk::lake
