#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gif_lib.h>

#include "tusk/lake/image.h"

namespace tusk::lake {
namespace {

using Bytes = std::span<const uint8_t>;

/// What giflib reads from.
struct Source {
  Bytes bytes;
  size_t at = 0;
};

int Read(GifFileType* gif, GifByteType* out, int count) {
  auto& source = *static_cast<Source*>(gif->UserData);
  const size_t size = std::min<size_t>(count, source.bytes.size() - source.at);
  std::memcpy(out, source.bytes.data() + source.at, size);
  source.at += size;
  return static_cast<int>(size);
}

struct CloseGif {
  void operator()(GifFileType* gif) const { (void)DGifCloseFile(gif, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, CloseGif>;

Status Broken(int error) {
  const char* text = GifErrorString(error);
  return Corrupt("GIF: ", text == nullptr ? "it is truncated" : text);
}

/// Reads an extension; gives the transparent color if it tells one.
Status ReadExtension(GifFileType* gif, std::optional<int>* transparent) {
  int code = 0;
  GifByteType* block = nullptr;
  if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) return Broken(gif->Error);
  while (block != nullptr) {
    GraphicsControlBlock control;
    if (code == GRAPHICS_EXT_FUNC_CODE && block[0] == 4 &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK &&
        control.TransparentColor != NO_TRANSPARENT_COLOR) {
      *transparent = control.TransparentColor;
    }
    if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) return Broken(gif->Error);
  }
  return Status::OK();
}

/// The rows of an interlaced frame come in four passes.
int64_t RowAt(int64_t i, int64_t height, bool is_interlaced) {
  if (!is_interlaced) return i;
  constexpr std::array<int64_t, 4> kFirst = {0, 4, 2, 1};
  constexpr std::array<int64_t, 4> kStep = {8, 8, 4, 2};
  for (size_t pass = 0; pass < kFirst.size(); ++pass) {
    const int64_t rows = (height - kFirst[pass] + kStep[pass] - 1) / kStep[pass];
    if (i < rows) return kFirst[pass] + i * kStep[pass];
    i -= rows;
  }
  return height - 1;
}

/// Decodes the frame that the record at hand begins onto the canvas.
Status ReadFrame(GifFileType* gif, std::optional<int> transparent, Image* canvas) {
  const GifImageDesc& frame = gif->Image;
  if (frame.Width <= 0 || frame.Height <= 0 || frame.Left < 0 || frame.Top < 0 ||
      frame.Left > canvas->width - frame.Width || frame.Top > canvas->height - frame.Height) {
    return Corrupt("GIF has a frame of ", frame.Width, " x ", frame.Height,
                   " pixels that leaves its ", canvas->width, " x ", canvas->height, " canvas");
  }
  const ColorMapObject* colors = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
  if (colors == nullptr) return Corrupt("GIF has no colors");
  std::vector<GifPixelType> row(frame.Width);
  for (int64_t i = 0; i < frame.Height; ++i) {
    if (DGifGetLine(gif, row.data(), frame.Width) == GIF_ERROR) return Broken(gif->Error);
    const int64_t y = frame.Top + RowAt(i, frame.Height, frame.Interlace);
    uint8_t* rgb = canvas->rgb.data() + (y * canvas->width + frame.Left) * 3;
    for (const GifPixelType index : row) {
      if (index < colors->ColorCount && index != transparent) {
        const GifColorType& color = colors->Colors[index];
        rgb[0] = color.Red;
        rgb[1] = color.Green;
        rgb[2] = color.Blue;
      }
      rgb += 3;
    }
  }
  return Status::OK();
}

/// Passes over the codes of a frame that is not shown.
Status SkipFrame(GifFileType* gif) {
  int size = 0;
  GifByteType* block = nullptr;
  if (DGifGetCode(gif, &size, &block) == GIF_ERROR) return Broken(gif->Error);
  while (block != nullptr) {
    if (DGifGetCodeNext(gif, &block) == GIF_ERROR) return Broken(gif->Error);
  }
  return Status::OK();
}

}  // namespace

PictureSize ClaimedGifSize(Bytes bytes) {
  if (bytes.size() < 10) return {};
  return {.width = bytes[6] | bytes[7] << 8, .height = bytes[8] | bytes[9] << 8};
}

Result<Image> DecodeGif(Bytes bytes) {
  Source source{.bytes = bytes};
  int error = 0;
  const Gif gif(DGifOpen(&source, Read, &error));
  if (gif == nullptr) return Broken(error);
  ARROW_RETURN_NOT_OK(CheckSize(gif->SWidth, gif->SHeight, "GIF"));
  ARROW_RETURN_NOT_OK(CheckHoldsPixels(gif->SWidth, gif->SHeight, bytes, "GIF"));
  Image canvas = BlankImage(gif->SWidth, gif->SHeight, "image/gif");
  std::ranges::fill(canvas.rgb, uint8_t{255});
  std::optional<int> transparent;
  bool has_frame = false;
  while (true) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(gif.get(), &type) == GIF_ERROR) return Broken(gif->Error);
    if (type == TERMINATE_RECORD_TYPE) break;
    if (type == EXTENSION_RECORD_TYPE) {
      std::optional<int> found;
      ARROW_RETURN_NOT_OK(ReadExtension(gif.get(), &found));
      if (!has_frame && found) transparent = found;
    } else if (type == IMAGE_DESC_RECORD_TYPE) {
      if (DGifGetImageDesc(gif.get()) == GIF_ERROR) return Broken(gif->Error);
      ARROW_RETURN_NOT_OK(has_frame ? SkipFrame(gif.get())
                                    : ReadFrame(gif.get(), transparent, &canvas));
      has_frame = true;
    }
  }
  if (!has_frame) return Corrupt("GIF without a picture");
  return canvas;
}

}  // namespace tusk::lake
