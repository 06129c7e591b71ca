#include "tusk/lance/file/page_encoder.h"

#include <algorithm>

namespace tusk::lance {
namespace {

/// Bytes of the longest value that is not null.
int64_t MaxLength(const RowsView& rows) {
  int64_t max = 0;
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    if (!rows.IsNull(row)) max = std::max(max, rows.Length(row));
  }
  return max;
}

}  // namespace

Result<EncodedPage> EncodePage(const RowsView& rows, const OperationContext& context) {
  const int64_t num_nulls = rows.CountNulls();
  if (num_nulls == rows.num_rows) {
    EncodedPage page;
    page.layout = {.layout = ConstantLayout{.is_all_null = true}, .layers = FlatLayers(true)};
    return page;
  }
  const int64_t width =
      rows.shape->is_variable ? MaxLength(rows) : BytesForBits(rows.shape->row_bits());
  return width >= kFullZipBytes ? EncodeFullZipPage(rows, num_nulls, context)
                                : EncodeMiniBlockPage(rows, num_nulls, context);
}

}  // namespace tusk::lance
