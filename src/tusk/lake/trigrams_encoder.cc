#include "tusk/lake/trigrams_encoder.h"

#include <array>
#include <cmath>
#include <string>

namespace tusk::lake {
namespace {

constexpr int32_t kDimension = 256;

/// FNV-1a of three bytes.
uint32_t Hash(uint8_t a, uint8_t b, uint8_t c) {
  uint32_t hash = 2166136261U;
  for (const uint8_t byte : {a, b, c}) hash = (hash ^ byte) * 16777619U;
  return hash;
}

/// ASCII letters in lower case, everything else that is ASCII and no digit as a space; bytes of
/// other characters as they are.
uint8_t Normalize(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A' + 'a';
  const bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
  return is_word ? c : ' ';
}

class TrigramsEncoder final : public Encoder {
 public:
  const std::string& model() const override {
    static const std::string model = "trigrams-v1";
    return model;
  }
  int32_t dimension() const override { return kDimension; }
  EncoderInput input() const override { return EncoderInput::kFiles; }

  Status EncodeFiles(std::span<const std::span<const uint8_t>> files, std::span<float> out,
                     const OperationContext& context) override {
    if (out.size() != files.size() * kDimension) {
      return InvalidArgument("the encoder has ", files.size(), " texts but room for ", out.size(),
                             " numbers instead of ", files.size() * kDimension);
    }
    for (size_t i = 0; i < files.size(); ++i) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      EncodeOne(files[i], out.subspan(i * kDimension, kDimension));
    }
    return Status::OK();
  }

 private:
  static void EncodeOne(std::span<const uint8_t> text, std::span<float> out) {
    std::array<uint32_t, kDimension> counts = {};
    // Spaces in a row count as one, and one stands before and after the text.
    uint8_t before = 0;
    uint8_t last = ' ';
    const auto add = [&](uint8_t c) {
      if (c == ' ' && last == ' ') return;
      if (before != 0) ++counts[Hash(before, last, c) % kDimension];
      before = last;
      last = c;
    };
    for (const uint8_t c : text) add(Normalize(c));
    add(' ');
    double squares = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double value = std::sqrt(static_cast<double>(counts[i]));
      out[i] = static_cast<float>(value);
      squares += value * value;
    }
    if (squares == 0) return;
    const auto norm = static_cast<float>(std::sqrt(squares));
    for (float& value : out) value /= norm;
  }
};

}  // namespace

std::shared_ptr<Encoder> MakeTrigramsEncoder() { return std::make_shared<TrigramsEncoder>(); }

}  // namespace tusk::lake
