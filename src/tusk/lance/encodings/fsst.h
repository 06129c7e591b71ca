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
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {

/// The symbols of FSST (Boncz, Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB
/// 2020): each code is a byte that stands for up to 8; 255 stands before a byte that is meant as it
/// is.
class FsstSymbols {
 public:
  /// Of the table that Parse reads and FsstTable::Serialize makes.
  static constexpr uint64_t kMagic = 0x46535354;
  static constexpr uint64_t kUsesCodes = uint64_t{1} << 24;
  static constexpr size_t kHeaderSize = 8;
  static constexpr size_t kMaxSymbol = 8;  ///< bytes

  /// Parses a table: u64 with the number of symbols in its lowest byte, a flag at bit 24 that codes
  /// are used at all, and a magic number in the upper half; 8 bytes for each symbol; then a byte
  /// with the length of each. Corrupt if it breaks that.
  static Result<FsstSymbols> Parse(std::string_view table);

  /// False if texts stand as they are.
  bool uses_codes() const { return uses_codes_; }
  /// Bytes that `codes` stand for. Corrupt for a code without a symbol, or if nothing follows the
  /// last 255.
  Result<size_t> DecodedSize(std::span<const uint8_t> codes) const;
  /// Room that Decode needs behind the decoded bytes.
  static constexpr size_t kSlack = 8;
  /// Writes those bytes to `to` and answers their end; `codes` were checked by DecodedSize.
  uint8_t* Decode(std::span<const uint8_t> codes, uint8_t* to) const;

  /// Room that DecodeTexts and DecodeText need for `num_codes`: each may stand for as much as a
  /// symbol can have.
  static constexpr size_t MaxDecodedSize(size_t num_codes) {
    return num_codes * kMaxSymbol + kSlack;
  }
  /// Both at once, of one text: writes its bytes to `to`, which has MaxDecodedSize of room, and
  /// answers their end. Corrupt as in DecodedSize.
  Result<uint8_t*> DecodeText(std::span<const uint8_t> codes, uint8_t* to) const;
  /// Decodes `rows` of `chunk`, whose texts are `codes`, one behind the other; writes their ends,
  /// `end_width` bytes each, and answers how many bytes they take. Corrupt as in DecodedSize. For
  /// symbols that use codes.
  Result<size_t> DecodeTexts(const VariableChunk& chunk, RowRange rows,
                             std::span<const uint8_t> codes, int64_t end_width,
                             ColumnOutput::Room room) const;

 private:
  /// Decoding a piece of a stream of codes.
  struct Window;

  template <typename Stored, typename End>
  Result<size_t> DecodeTextsAs(const VariableChunk& chunk, RowRange rows,
                               std::span<const uint8_t> codes, ColumnOutput::Room room) const;

  bool uses_codes_ = false;
  /// Codes at least as large have no symbol, or are 255.
  uint8_t num_symbols_ = 0;
  /// What a byte stands for: as a code, and then as what follows a 255, where it is itself.
  std::array<uint64_t, 512> symbols_{};
  std::array<uint8_t, 512> lengths_{};  ///< 0 for codes without a symbol
};

/// FSST: texts as codes, in the encoding of the values inside.
Result<std::unique_ptr<const ValueDecoder>> MakeFsstDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> codes);

}  // namespace tusk::lance
