#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::lake {

/// A decoded picture: 8 bits per channel, rows from the top, no padding between rows.
struct Image {
  int32_t width = 0;
  int32_t height = 0;
  std::vector<uint8_t> rgb;  ///< [height, width, 3]
  std::string media_type;    ///< "image/png", "image/jpeg", "image/webp", "image/gif", ...
};

/// Decodes PNG, JPEG, WebP, GIF, BMP and TIFF by content, as they are to be looked at: turned as
/// their EXIF or TIFF orientation says. Gray, palette and 16-bit pictures become RGB, transparency
/// is put on white; of a GIF the first frame counts, of a TIFF the first page (docs/decisions/050).
/// Corrupt for bytes that are broken or end too early; Unsupported, naming what it looks like, for
/// other formats, for animated WebP and CMYK JPEG, and for more than 2^28 pixels.
TUSK_EXPORT Result<Image> DecodeImage(std::span<const uint8_t> bytes);

/// What an encoder works on.
enum class EncoderInput {
  kPictures,  ///< pictures, decoded; other files are skipped by the ingestion
  kFiles,     ///< the bytes of files of any kind
};

/// Makes vectors from media. Called on the thread that called the ingestion only. One of the two
/// Encode functions is called, as `input` says.
class TUSK_EXPORT Encoder {
 public:
  virtual ~Encoder() = default;
  /// Stored with every row: names the method and its version ("pixels-v1").
  virtual const std::string& model() const = 0;
  virtual int32_t dimension() const = 0;
  virtual EncoderInput input() const { return EncoderInput::kPictures; }
  /// Vectors [images.size(), dimension()] row-major into `out`.
  virtual Status Encode(std::span<const Image> images, std::span<float> out,
                        const OperationContext& context);
  /// The same of the bytes of files.
  virtual Status EncodeFiles(std::span<const std::span<const uint8_t>> files, std::span<float> out,
                             const OperationContext& context);
};

/// The encoder with this name. Built in are "pixels" (docs/format/pixels_encoder.md), a classical
/// descriptor of pictures, and "trigrams" (docs/format/trigrams_encoder.md), one of texts; neither
/// needs a model. NotFound names those there are.
TUSK_EXPORT Result<std::shared_ptr<Encoder>> MakeEncoder(std::string_view name);

}  // namespace tusk::lake
