#include "tusk/lake/encoder.h"

#include <algorithm>

#include "tusk/lake/trigrams_encoder.h"

namespace tusk::lake {
namespace {

constexpr int64_t kLumaCells = 8;
constexpr int64_t kChromaCells = 4;

/// How much each channel weighs in a sum of a pixel, an integer so that sums are exact.
struct Weights {
  int32_t red;
  int32_t green;
  int32_t blue;
};

// ITU-R BT.601 in thousandths: Y, then B - Y and R - Y.
constexpr Weights kY = {299, 587, 114};
constexpr Weights kBlueMinusY = {-299, -587, 886};
constexpr Weights kRedMinusY = {701, -587, -114};

/// What one row or column of pixels covers of one cell, when a side of `size` pixels is divided
/// into `cells`. Both are measured in units of 1 / (size * cells) of the side: a pixel is `cells`
/// long, a cell `size`.
int64_t Overlap(int64_t pixel, int64_t cell, int64_t size, int64_t cells) {
  const int64_t begin = std::max(pixel * cells, cell * size);
  const int64_t end = std::min((pixel + 1) * cells, (cell + 1) * size);
  return std::max<int64_t>(0, end - begin);
}

/// The pixels that a cell touches: [first, last).
struct PixelRange {
  int64_t first;
  int64_t last;
};

PixelRange PixelsOf(int64_t cell, int64_t size, int64_t cells) {
  return {.first = cell * size / cells, .last = ((cell + 1) * size + cells - 1) / cells};
}

/// The weighted sum over the pixels of one cell times the part of each that lies in it, so that
/// the parts of a cell add up to width * height. Exact: at most 2^28 * 255 * 1,000 < 2^46.
int64_t SumCell(const Image& image, int64_t cell_x, int64_t cell_y, int64_t cells,
                const Weights& weights) {
  const PixelRange columns = PixelsOf(cell_x, image.width, cells);
  const PixelRange rows = PixelsOf(cell_y, image.height, cells);
  int64_t sum = 0;
  for (int64_t y = rows.first; y < rows.last; ++y) {
    int64_t row_sum = 0;
    for (int64_t x = columns.first; x < columns.last; ++x) {
      const uint8_t* rgb = image.rgb.data() + (y * image.width + x) * 3;
      const int64_t value = weights.red * rgb[0] + weights.green * rgb[1] + weights.blue * rgb[2];
      row_sum += value * Overlap(x, cell_x, image.width, cells);
    }
    sum += row_sum * Overlap(y, cell_y, image.height, cells);
  }
  return sum;
}

/// The means of the cells, left to right and top to bottom, each divided by `scale` (in
/// thousandths of a channel's full range), into `out` [cells * cells].
void AverageCells(const Image& image, int64_t cells, const Weights& weights, int64_t scale,
                  float* out) {
  const auto divisor = static_cast<double>(int64_t{image.width} * image.height * 255 * scale);
  for (int64_t y = 0; y < cells; ++y) {
    for (int64_t x = 0; x < cells; ++x) {
      const auto sum = static_cast<double>(SumCell(image, x, y, cells, weights));
      *out++ = static_cast<float>(sum / divisor);
    }
  }
}

/// docs/format/pixels_encoder.md.
class PixelsEncoder final : public Encoder {
 public:
  const std::string& model() const override {
    static const std::string model = "pixels-v2";
    return model;
  }

  int32_t dimension() const override { return int32_t{kDimension}; }

  Status Encode(std::span<const Image> images, std::span<float> out,
                const OperationContext& context) override {
    if (out.size() != images.size() * kDimension) {
      return InvalidArgument("the encoder has ", images.size(), " pictures but room for ",
                             out.size(), " numbers instead of ", images.size() * kDimension);
    }
    for (size_t i = 0; i < images.size(); ++i) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      ARROW_RETURN_NOT_OK(EncodeOne(images[i], out.data() + i * kDimension));
    }
    return Status::OK();
  }

 private:
  static constexpr int64_t kDimension = kLumaCells * kLumaCells + 2 * kChromaCells * kChromaCells;

  static Status EncodeOne(const Image& image, float* out) {
    const int64_t pixels = int64_t{image.width} * image.height;
    if (image.width <= 0 || image.height <= 0 || std::ssize(image.rgb) != pixels * 3) {
      return InvalidArgument("a picture of ", image.width, " x ", image.height, " pixels has ",
                             image.rgb.size(), " bytes");
    }
    AverageCells(image, kLumaCells, kY, 1000, out);
    out += kLumaCells * kLumaCells;
    // Scaled to [-1, 1], twice the usual chroma: a chroma cell stands for four luma cells and so
    // counts four times in a squared distance.
    AverageCells(image, kChromaCells, kBlueMinusY, 886, out);
    AverageCells(image, kChromaCells, kRedMinusY, 701, out + kChromaCells * kChromaCells);
    return Status::OK();
  }
};

}  // namespace

Status Encoder::Encode(std::span<const Image>, std::span<float>, const OperationContext&) {
  return Unsupported("encoder ", model(), " does not work on pictures");
}

Status Encoder::EncodeFiles(std::span<const std::span<const uint8_t>>, std::span<float>,
                            const OperationContext&) {
  return Unsupported("encoder ", model(), " does not work on files");
}

Result<std::shared_ptr<Encoder>> MakeEncoder(std::string_view name) {
  if (name == "pixels") return std::make_shared<PixelsEncoder>();
  if (name == "trigrams") return MakeTrigramsEncoder();
  return NotFound("no encoder '", name, "': there are 'pixels' and 'trigrams'");
}

}  // namespace tusk::lake
