#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/encodings/fsst_matcher.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// Symbols that texts are encoded with. Threads may share one.
class FsstTable {
 public:
  /// For symbols as FsstMatcher::Reset takes them.
  explicit FsstTable(std::vector<FsstSymbol> symbols);

  /// Of a table of symbols in a page: what is not used is zero, since pylance reads no shorter one.
  static constexpr size_t kSerializedSize =
      FsstSymbols::kHeaderSize + 256 * (FsstSymbols::kMaxSymbol + 1);
  /// The table as FsstSymbols parses it.
  std::string Serialize() const;

  /// Room that the codes of a text need: each byte may have to be escaped.
  static constexpr size_t MaxEncodedSize(size_t text_size) { return 2 * text_size; }
  /// Writes the codes of `text` to `to` and answers their size.
  size_t Encode(std::span<const uint8_t> text, uint8_t* to) const;

  const FsstMatcher& matcher() const { return *matcher_; }

 private:
  std::vector<FsstSymbol> symbols_;
  std::unique_ptr<const FsstMatcher> matcher_;
};

/// The texts of a page as codes.
struct FsstPage {
  /// fsst(variable), with the symbols.
  ValueEncoding encoding;
  /// The rows that were encoded, with their bitmap and their shape, but codes in place of texts.
  RowsView codes;
  /// What `codes` points to.
  std::shared_ptr<arrow::Buffer> offsets;
  std::shared_ptr<arrow::Buffer> bytes;
};

/// Encodes the texts of a page; what stands under a null is encoded as well. Nothing if that is not
/// worth the while: if no text has 5 bytes, all of them have less than 32 KiB, or the codes and the
/// table take more than seven eighths of the texts. The same rows give the same bytes.
Result<std::optional<FsstPage>> EncodeFsstPage(const RowsView& texts, arrow::MemoryPool* pool);

/// Encodes rows of FsstPage::codes in chunks as `codes` does, under the name of `encoding`.
std::unique_ptr<ValueEncoder> MakeFsstEncoder(ValueEncoding encoding,
                                              std::unique_ptr<ValueEncoder> codes);

}  // namespace tusk::lance
