#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/file/page_layout.h"

namespace tusk::lance {

/// A page that is ready to be written.
struct EncodedPage {
  PageLayout layout;
  std::vector<std::span<const uint8_t>> buffers;
  /// Owns what `buffers` point to, unless that is the memory of the rows themselves.
  std::vector<std::shared_ptr<arrow::Buffer>> owned;
};

/// Values at least this wide go to full-zip pages, narrower ones to mini-block pages.
inline constexpr int64_t kFullZipBytes = 256;

/// Encodes `rows`, at least one, as one page; the rows stay until it is written. Chooses the
/// layout: all-null, mini-block, or full-zip if a value has kFullZipBytes or more.
Result<EncodedPage> EncodePage(const RowsView& rows, const OperationContext& context);

/// The layouts by themselves. `num_nulls` of the rows are null.
Result<EncodedPage> EncodeMiniBlockPage(const RowsView& rows, int64_t num_nulls,
                                        const OperationContext& context);
Result<EncodedPage> EncodeFullZipPage(const RowsView& rows, int64_t num_nulls,
                                      const OperationContext& context);

}  // namespace tusk::lance
