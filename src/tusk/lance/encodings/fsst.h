#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// The symbols of FSST (Boncz, Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB
/// 2020): each code is a byte that stands for up to 8; 255 stands before a byte that is meant as it
/// is.
class FsstSymbols {
 public:
  /// Parses a table: u64 with the number of symbols in its lowest byte, a flag at bit 24 that codes
  /// are used at all, and a magic number in the upper half; 8 bytes for each symbol; then a byte
  /// with the length of each. Corrupt if it breaks that.
  static Result<FsstSymbols> Parse(std::string_view table);

  /// Bytes that `codes` stand for. Corrupt for a code without a symbol, or if nothing follows the
  /// last 255.
  Result<size_t> DecodedSize(std::span<const uint8_t> codes) const;
  /// Room that Decode needs behind the decoded bytes.
  static constexpr size_t kSlack = 8;
  /// Writes those bytes to `to` and answers their end; `codes` were checked by DecodedSize.
  uint8_t* Decode(std::span<const uint8_t> codes, uint8_t* to) const;

 private:
  bool uses_codes_ = false;
  std::array<uint64_t, 256> symbols_{};
  std::array<uint8_t, 256> lengths_{};  ///< 0 for codes without a symbol
};

/// FSST: texts as codes, in the encoding of the values inside.
Result<std::unique_ptr<const ValueDecoder>> MakeFsstDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> codes);

}  // namespace tusk::lance
