#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/page_layout.h"
#include "tusk/lance/file/write/encoding_options.h"
#include "tusk/lance/file/write/page_slots.h"

namespace tusk::lance {

/// A page that is ready to be written.
struct EncodedPage {
  PageLayout layout;
  std::vector<std::span<const uint8_t>> buffers;
  /// Own what `buffers` point to.
  std::vector<std::shared_ptr<arrow::Buffer>> owned;
  std::shared_ptr<arrow::ArrayData> values;
  int64_t num_rows = 0;  ///< of fixed-size lists of structs, the items
  PageSummary summary;

  void Add(std::shared_ptr<arrow::Buffer> buffer);
  uint64_t ChecksumOfBuffers() const;
};

/// Values at least this wide go to full-zip pages, narrower ones to mini-block pages.
inline constexpr int64_t kFullZipBytes = 256;

/// What all pages of a column have in common.
struct PageFormat {
  ValueShape shape;
  uint16_t minor_version = 2;  ///< of the data version
  EncodingOptions options;
  bool is_text = false;  ///< UTF-8, which FSST may encode
  bool is_nullable = true;
  /// Of packed structs whose rows are in full-zip pages: those with texts or lists.
  std::optional<ValueEncoding> packed_rows = {};
  bool is_empty_struct = false;  ///< a struct without fields
  /// Bits of the indices of a column of dictionaries, whose pages must have one; 0 for others.
  int64_t index_bits = 0;
};

/// Encodes `slots`, at least one entry, as one page; they stay until it is written. Chooses the
/// layout and the encodings: docs/decisions/014-writing-lance-files.md.
Result<EncodedPage> EncodePage(const PageFormat& format, const PageSlots& slots,
                               const OperationContext& context);

// The layouts by themselves.

/// A page without a value.
Result<EncodedPage> EncodeAllNullPage(const PageFormat& format, const PageSlots& slots,
                                      const OperationContext& context);

/// A page of structs without fields. It has no levels: Unsupported if some are needed, as in
/// pylance. Where none is there, as all around is null or empty, the page is EncodeAllNullPage's.
Result<EncodedPage> EncodeEmptyStructPage(const PageSlots& slots);

/// Nothing if the slots that are not null, at least one, differ.
Result<std::optional<EncodedPage>> EncodeConstantPage(const PageSlots& slots);

/// Items that the values of a page are indices of.
struct PageDictionary {
  ValueEncoding encoding;
  std::shared_ptr<arrow::Buffer> bytes;
  int64_t num_items = 0;
};

/// `values` are the slots as `encoder` wants them. Nothing if a chunk would become too large for
/// the format, of few values or of many levels.
Result<std::optional<EncodedPage>> EncodeMiniBlockPage(
    const PageFormat& format, const PageSlots& slots, const RowsView& values, ValueEncoder* encoder,
    const PageDictionary* dictionary, const OperationContext& context);

/// `values` are the slots, fixed values of whole bytes, or texts as they are to be stored one by
/// one, which `encoding` describes.
Result<EncodedPage> EncodeFullZipPage(const PageSlots& slots, const RowsView& values,
                                      const ValueEncoding& encoding,
                                      const OperationContext& context);

}  // namespace tusk::lance
