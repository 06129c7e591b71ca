#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/file/page_layout.h"

namespace tusk::lance {

struct LeafRows;

/// What one page stores: value slots, and an entry of levels for each of them and for each null or
/// empty list.
struct PageSlots {
  int64_t num_rows = 0;     ///< that begin in the page; of fixed-size lists of structs, the items
  int64_t num_entries = 0;  ///< slots and what has levels only
  int64_t num_nulls = 0;    ///< slots without a value
  /// The slots; those without a value are null.
  RowsView values;
  /// Which of its nulls and empty lists each layer has, inner-most first.
  std::vector<LevelLayer> layers;
  std::vector<uint16_t> repetition;  ///< of each entry; empty without lists
  std::vector<uint16_t> definition;  ///< of each entry; empty if all are 0
  uint16_t max_repetition = 0;
  uint16_t max_definition = 0;
  uint16_t max_visible = 0;  ///< entries up to this definition level have a slot
  /// Of what `values` are indices; null if they are the values themselves. It has no null.
  std::shared_ptr<arrow::ArrayData> dictionary;
  /// Own what `values` borrows.
  std::vector<ItemBitmap> item_bitmaps;
  std::vector<std::shared_ptr<arrow::Buffer>> owned;

  /// Whether each entry has a slot.
  bool has_all_slots() const { return num_entries == values.num_rows; }
  /// Whether an entry begins a row.
  bool BeginsRow(int64_t entry) const {
    return max_repetition == 0 || repetition[entry] == max_repetition;
  }

  /// The slots of `rows`, whose values have `shape` and whose levels are those of `layers`. Levels
  /// are numbered anew, without those that no entry has and that need not be kept. `rows` is left
  /// without levels;
  /// its values stay, and `shape` too. Errors of RowsView::Of.
  static Result<PageSlots> Of(LeafRows rows, const std::vector<LevelLayer>& layers,
                              const ValueShape& shape, arrow::MemoryPool* pool);

  /// The values without a bitmap: where it was, zeros or empty texts stand for what is null. In
  /// memory of `pool` if something had to be changed, which `owner` then holds.
  Result<RowsView> CleanValues(arrow::MemoryPool* pool,
                               std::vector<std::shared_ptr<arrow::Buffer>>* owner) const;
};

}  // namespace tusk::lance
