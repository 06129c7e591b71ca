#include "tusk/lake/image.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lake/encoder.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/pictures.h"

namespace tusk::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<Image> Decode(std::string_view bytes) {
  // A heap block of exactly this size: the address sanitizer then sees a byte too many.
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  return DecodeImage(copy);
}

int64_t Claimed(std::string_view bytes) {
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  return ClaimedPixelBytes(copy);
}

std::vector<int> Pixel(const Image& image, int x, int y) {
  const auto* rgb = image.rgb.data() + (y * image.width + x) * 3;
  return {rgb[0], rgb[1], rgb[2]};
}

std::vector<int> AllBytes(const Image& image) { return {image.rgb.begin(), image.rgb.end()}; }

TEST(DecodeImageTest, ReadsRgbPng) {
  ASSERT_OK_AND_ASSIGN(const Image image, Decode(kRgbPng));
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.media_type, "image/png");
  EXPECT_THAT(AllBytes(image), ElementsAre(255, 0, 0, 0, 255, 0, 0, 0, 255,  //
                                           0, 0, 0, 255, 255, 255, 10, 20, 30));
}

TEST(DecodeImageTest, SpreadsGrayOverTheChannels) {
  ASSERT_OK_AND_ASSIGN(const Image gray, Decode(kGrayPng));
  EXPECT_THAT(AllBytes(gray), ElementsAre(0, 0, 0, 128, 128, 128, 255, 255, 255));
  ASSERT_OK_AND_ASSIGN(const Image bits, Decode(kBitPng));
  EXPECT_THAT(AllBytes(bits), ElementsAre(255, 255, 255, 0, 0, 0, 255, 255, 255));
}

TEST(DecodeImageTest, ScalesSixteenBitsToEight) {
  ASSERT_OK_AND_ASSIGN(const Image image, Decode(kGray16Png));
  EXPECT_THAT(AllBytes(image), ElementsAre(0, 0, 0, 0x12, 0x12, 0x12, 255, 255, 255));
}

TEST(DecodeImageTest, LooksColorsUpInThePalette) {
  ASSERT_OK_AND_ASSIGN(const Image image, Decode(kPalettePng));
  EXPECT_THAT(AllBytes(image), ElementsAre(1, 2, 3, 200, 100, 50, 9, 8, 7));
}

TEST(DecodeImageTest, PutsTransparentPixelsOnWhite) {
  // 128 / 255 of (10, 20, 30) and the rest white.
  for (const std::string_view bytes : {kRgbaPng, kAlphaWebP}) {
    ASSERT_OK_AND_ASSIGN(const Image image, Decode(bytes));
    EXPECT_THAT(Pixel(image, 0, 0), ElementsAre(10, 20, 30));
    EXPECT_THAT(Pixel(image, 1, 0), ElementsAre(255, 255, 255));
    EXPECT_THAT(Pixel(image, 2, 0), ElementsAre(132, 137, 142));
  }
  ASSERT_OK_AND_ASSIGN(const Image gray, Decode(kGrayAlphaPng));
  EXPECT_THAT(AllBytes(gray), ElementsAre(50, 50, 50, 255, 255, 255));
  ASSERT_OK_AND_ASSIGN(const Image palette, Decode(kTransparentPalettePng));
  EXPECT_THAT(AllBytes(palette), ElementsAre(1, 2, 3, 255, 255, 255, 9, 8, 7));
}

/// A pixel and what Pillow reads there.
struct Expected {
  int x;
  int y;
  std::vector<int> rgb;
};

void ExpectNear(const Image& image, const std::vector<Expected>& expected, int tolerance) {
  for (const Expected& pixel : expected) {
    const std::vector<int> actual = Pixel(image, pixel.x, pixel.y);
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(actual[channel], pixel.rgb[channel], tolerance)
          << "channel " << channel << " at " << pixel.x << ", " << pixel.y;
    }
  }
}

TEST(DecodeImageTest, ReadsJpegAsPillowDoes) {
  const std::vector<Expected> expected = {{0, 0, {0, 3, 127}},
                                          {7, 0, {253, 0, 131}},
                                          {0, 7, {0, 252, 125}},
                                          {7, 7, {255, 250, 130}},
                                          {4, 3, {145, 108, 126}}};
  for (const std::string_view bytes : {kJpeg, kProgressiveJpeg}) {
    ASSERT_OK_AND_ASSIGN(const Image image, Decode(bytes));
    EXPECT_EQ(image.width, 8);
    EXPECT_EQ(image.height, 8);
    EXPECT_EQ(image.media_type, "image/jpeg");
    ExpectNear(image, expected, 2);
  }
  ASSERT_OK_AND_ASSIGN(const Image gray, Decode(kGrayJpeg));
  EXPECT_THAT(gray.rgb, ::testing::Each(::testing::AllOf(::testing::Ge(76), ::testing::Le(78))));
}

TEST(DecodeImageTest, TurnsPicturesAsTheirExifSays) {
  ASSERT_OK_AND_ASSIGN(const Image image, Decode(kTurnedJpeg));
  EXPECT_EQ(image.width, 8);
  EXPECT_EQ(image.height, 16);
}

TEST(DecodeImageTest, TurnsPixelsByEachOfTheEightOrientations) {
  // Six gray pixels, 3 x 2, and what EXIF 2.3 says of where row 0 and column 0 belong.
  const auto gray = [](int width, std::vector<uint8_t> values) {
    Image image = BlankImage(width, std::ssize(values) / width, "image/png");
    for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = values[i / 3];
    return image;
  };
  const Image stored = gray(3, {1, 2, 3, 4, 5, 6});
  const std::vector<Image> upright = {
      gray(3, {1, 2, 3, 4, 5, 6}), gray(3, {3, 2, 1, 6, 5, 4}), gray(3, {6, 5, 4, 3, 2, 1}),
      gray(3, {4, 5, 6, 1, 2, 3}), gray(2, {1, 4, 2, 5, 3, 6}), gray(2, {4, 1, 5, 2, 6, 3}),
      gray(2, {6, 3, 5, 2, 4, 1}), gray(2, {3, 6, 2, 5, 1, 4}),
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const Image turned = Upright(stored, orientation);
    EXPECT_EQ(turned.width, upright[orientation - 1].width);
    EXPECT_EQ(turned.rgb, upright[orientation - 1].rgb);
  }
  EXPECT_EQ(Upright(stored, 0).rgb, stored.rgb);
  EXPECT_EQ(Upright(stored, 9).rgb, stored.rgb);
}

TEST(DecodeImageTest, ReadsWebP) {
  ASSERT_OK_AND_ASSIGN(const Image lossless, Decode(kLosslessWebP));
  ASSERT_OK_AND_ASSIGN(const Image png, Decode(kRgbPng));
  EXPECT_EQ(lossless.media_type, "image/webp");
  EXPECT_EQ(lossless.rgb, png.rgb);
  ASSERT_OK_AND_ASSIGN(const Image lossy, Decode(kLossyWebP));
  ExpectNear(lossy,
             {{0, 0, {2, 2, 118}},
              {7, 0, {228, 14, 125}},
              {0, 7, {24, 240, 133}},
              {7, 7, {249, 251, 139}},
              {4, 3, {145, 107, 131}}},
             2);
}

TEST(DecodeImageTest, RefusesEveryTruncation) {
  for (const std::string_view whole :
       {kRgbPng, kGrayPng, kBitPng, kGray16Png, kPalettePng, kRgbaPng, kGrayAlphaPng,
        kTransparentPalettePng, kJpeg, kProgressiveJpeg, kGrayJpeg, kTurnedJpeg, kLosslessWebP,
        kAlphaWebP, kLossyWebP}) {
    ASSERT_OK(Decode(whole));
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(Decode(whole.substr(0, size)).ok()) << size << " of " << whole.size();
    }
  }
}

TEST(DecodeImageTest, SurvivesEveryChangedByte) {
  for (const std::string_view whole :
       {kRgbPng, kPalettePng, kGray16Png, kTransparentPalettePng, kJpeg, kProgressiveJpeg,
        kGrayJpeg, kCmykJpeg, kLosslessWebP, kAlphaWebP, kLossyWebP, kAnimatedWebP}) {
    for (size_t i = 0; i < whole.size(); ++i) {
      for (const int change : {0x01, 0x80, 0xFF}) {
        std::string changed(whole);
        changed[i] = static_cast<char>(changed[i] ^ change);
        const Result<Image> image = Decode(changed);
        if (!image.ok()) continue;
        EXPECT_EQ(std::ssize(image->rgb), int64_t{image->width} * image->height * 3);
      }
    }
  }
}

/// A PNG header that claims `width` x `height` pixels, with the CRC that belongs to it.
std::string ClaimingPng(std::string_view width_height_and_crc) {
  std::string png(kGrayPng);
  png.replace(16, 8, width_height_and_crc.substr(0, 8));
  png.replace(29, 4, width_height_and_crc.substr(8, 4));
  return png;
}

TEST(DecodeImageTest, RefusesSizesThatTheBytesCannotHold) {
  // CRC-32 by Python's zlib.crc32 of the IHDR chunk.
  const Result<Image> too_large =
      Decode(ClaimingPng("\x00\x00\x40\x01\x00\x00\x40\x00\x63\x61\x24\x66"sv));
  EXPECT_THAT(too_large, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(too_large.status().message(), HasSubstr("16385 x 16384"));
  const Result<Image> unjustified =
      Decode(ClaimingPng("\x00\x00\x40\x00\x00\x00\x40\x00\x8C\xA3\x4F\x58"sv));
  EXPECT_THAT(unjustified, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(unjustified.status().message(), HasSubstr("16384 x 16384"));
}

TEST(ClaimedPixelBytesTest, EqualsWhatIsDecoded) {
  for (const std::string_view bytes : {kRgbPng, kBitPng, kRgbaPng, kJpeg, kGrayJpeg, kAlphaWebP}) {
    ASSERT_OK_AND_ASSIGN(const Image image, Decode(bytes));
    EXPECT_EQ(Claimed(bytes), std::ssize(image.rgb));
  }
}

TEST(ClaimedPixelBytesTest, IsNothingForWhatIsRefused) {
  EXPECT_EQ(Claimed(""), 0);
  EXPECT_EQ(Claimed("GIF89a"), 0);
  EXPECT_EQ(Claimed(ClaimingPng("\x00\x00\x40\x01\x00\x00\x40\x00\x63\x61\x24\x66"sv)), 0);
  for (const std::string_view bytes : {kRgbPng, kJpeg, kLosslessWebP}) {
    for (size_t length = 0; length < bytes.size(); ++length) {
      const int64_t claimed = Claimed(bytes.substr(0, length));
      EXPECT_THAT(claimed, ::testing::AnyOf(0, Claimed(bytes))) << length;
    }
  }
}

TEST(DecodeImageTest, RefusesOtherFormatsByName) {
  const std::vector<std::pair<std::string_view, std::string_view>> formats = {
      {"II+\0\x08\0\0\0"sv, "BigTIFF"},
      {"\0\0\0 ftypavif\0\0\0\0"sv, "AVIF"},
      {"\0\0\0\x18"
       "ftypheic\0\0\0\0"sv,
       "HEIC"},
      {"\0\0\0\x18"
       "ftypisom\0\0\0\0"sv,
       "MP4"},
      {"%PDF-1.7"sv, "PDF"},
      {"hello"sv, "68 65 6c 6c 6f"},
  };
  for (const auto& [bytes, name] : formats) {
    const Result<Image> image = Decode(bytes);
    EXPECT_THAT(image, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(image.status().message(), HasSubstr(std::string(name)));
  }
  EXPECT_THAT(Decode(kCmykJpeg), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Decode(kAnimatedWebP), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Decode(""), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lake
