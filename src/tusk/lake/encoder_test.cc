#include "tusk/lake/encoder.h"

#include <cmath>
#include <random>
#include <stop_token>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lake {
namespace {

constexpr int kDimension = 96;

Image RandomImage(int32_t width, int32_t height, uint32_t seed) {
  std::mt19937 random(seed);
  Image image{.width = width, .height = height, .rgb = {}, .media_type = "image/png"};
  image.rgb.resize(static_cast<size_t>(width) * height * 3);
  for (uint8_t& value : image.rgb) value = static_cast<uint8_t>(random());
  return image;
}

std::vector<float> EncodeOne(const Image& image) {
  std::vector<float> vector(kDimension);
  const auto encoder = MakeEncoder("pixels").ValueOrDie();
  EXPECT_OK(encoder->Encode({&image, 1}, vector, OperationContext()));
  return vector;
}

/// The mean of `value(rgb)` over one cell, by the definition: the picture is blown up by `cells`
/// in both directions, then every cell is a block of whole pixels.
template <typename Value>
double SlowCell(const Image& image, int cells, int cell_x, int cell_y, const Value& value) {
  double sum = 0;
  for (int y = cell_y * image.height; y < (cell_y + 1) * image.height; ++y) {
    for (int x = cell_x * image.width; x < (cell_x + 1) * image.width; ++x) {
      const int64_t pixel = int64_t{y / cells} * image.width + x / cells;
      sum += value(image.rgb.data() + pixel * 3);
    }
  }
  return sum / (double{1} * image.width * image.height);
}

double Luma(const uint8_t* rgb) { return (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255; }

TEST(PixelsEncoderTest, AveragesAreasByTheDefinition) {
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{
           {1, 1}, {3, 2}, {7, 9}, {8, 8}, {16, 16}, {13, 40}, {1, 100}, {64, 5}}) {
    const Image image = RandomImage(width, height, width * 100 + height);
    const std::vector<float> vector = EncodeOne(image);
    for (int i = 0; i < 64; ++i) {
      EXPECT_NEAR(vector[i], SlowCell(image, 8, i % 8, i / 8, Luma), 1e-6)
          << width << " x " << height << " luma " << i;
    }
    const auto blue = [](const uint8_t* rgb) { return (rgb[2] / 255.0 - Luma(rgb)) / 0.886; };
    const auto red = [](const uint8_t* rgb) { return (rgb[0] / 255.0 - Luma(rgb)) / 0.701; };
    for (int i = 0; i < 16; ++i) {
      EXPECT_NEAR(vector[64 + i], SlowCell(image, 4, i % 4, i / 4, blue), 1e-6) << i;
      EXPECT_NEAR(vector[80 + i], SlowCell(image, 4, i % 4, i / 4, red), 1e-6) << i;
    }
  }
}

TEST(PixelsEncoderTest, KeepsTheValuesOfAnEightByEightGrayPicture) {
  Image image{.width = 8, .height = 8, .rgb = {}, .media_type = "image/png"};
  for (int i = 0; i < 64; ++i) image.rgb.insert(image.rgb.end(), 3, static_cast<uint8_t>(i * 4));
  const std::vector<float> vector = EncodeOne(image);
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(vector[i], static_cast<float>(i * 4 / 255.0)) << i;
  }
  for (int i = 64; i < kDimension; ++i) EXPECT_EQ(vector[i], 0.0F) << i;
}

TEST(PixelsEncoderTest, SeesNoDifferenceWhenEveryPixelIsRepeated) {
  const Image small = RandomImage(8, 8, 4);
  Image large{.width = 24, .height = 16, .rgb = {}, .media_type = "image/png"};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) {
      const uint8_t* rgb = small.rgb.data() + (y / 2 * 8 + x / 3) * 3;
      large.rgb.insert(large.rgb.end(), rgb, rgb + 3);
    }
  }
  EXPECT_EQ(EncodeOne(large), EncodeOne(small));
}

TEST(PixelsEncoderTest, StaysInRangeForPureColors) {
  const auto filled = [](uint8_t red, uint8_t green, uint8_t blue) {
    Image image{.width = 5, .height = 3, .rgb = {}, .media_type = "image/png"};
    for (int i = 0; i < 15; ++i) image.rgb.insert(image.rgb.end(), {red, green, blue});
    return EncodeOne(image);
  };
  EXPECT_EQ(filled(255, 255, 255)[0], 1.0F);
  EXPECT_EQ(filled(255, 255, 255)[64], 0.0F);
  EXPECT_EQ(filled(0, 0, 255)[64], 1.0F);
  EXPECT_EQ(filled(255, 255, 0)[64], -1.0F);
  EXPECT_EQ(filled(255, 0, 0)[80], 1.0F);
  EXPECT_EQ(filled(0, 255, 255)[80], -1.0F);
}

TEST(PixelsEncoderTest, SaysWhatItIsAndRefusesWhatDoesNotFit) {
  ASSERT_OK_AND_ASSIGN(const auto encoder, MakeEncoder("pixels"));
  EXPECT_EQ(encoder->model(), "pixels-v2");
  EXPECT_EQ(encoder->dimension(), kDimension);
  const Image image = RandomImage(2, 2, 1);
  std::vector<float> short_one(kDimension - 1);
  EXPECT_THAT(encoder->Encode({&image, 1}, short_one, OperationContext()),
              FailsWith(ErrorCode::kInvalidArgument));
  const Image broken{.width = 2, .height = 2, .rgb = {1, 2, 3}, .media_type = ""};
  std::vector<float> vector(kDimension);
  EXPECT_THAT(encoder->Encode({&broken, 1}, vector, OperationContext()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(MakeEncoder("clip"), FailsWith(ErrorCode::kNotFound));
}

TEST(PixelsEncoderTest, StopsWhenAskedTo) {
  ASSERT_OK_AND_ASSIGN(const auto encoder, MakeEncoder("pixels"));
  std::stop_source source;
  source.request_stop();
  OperationContext context;
  context.stop = source.get_token();
  const Image image = RandomImage(2, 2, 1);
  std::vector<float> vector(kDimension);
  EXPECT_THAT(encoder->Encode({&image, 1}, vector, context), FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace tusk::lake
