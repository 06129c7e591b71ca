#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/file/page_layout.h"
#include "tusk/lance/file/physical_column.h"

namespace tusk::lance {

/// Rows of one column, taken out of the structs and lists around its values. Levels are numbered as
/// if every layer of the path had nulls and empty lists (LeafPath::layers).
struct LeafRows {
  int64_t num_rows = 0;
  /// The slots: what stands in null and empty lists is left out, what stands under a null is not.
  std::shared_ptr<arrow::ArrayData> values;
  std::vector<uint16_t> repetition;  ///< of each entry; empty without lists
  /// Of each entry; empty if the values are the only layer: then their bitmap says it all.
  std::vector<uint16_t> definition;
  /// Levels that the page has a number for even if no entry has them.
  std::vector<uint16_t> kept_levels;
};

/// The way from an array of a top-level field down to the values of one of its columns.
class LeafPath {
 public:
  /// The paths to the columns that `field` has in a file of data version 2.1 or 2.2, in their
  /// order. Unsupported, naming the field, for what cannot be stored: lists around or within
  /// fixed-size lists of structs.
  static Result<std::vector<LeafPath>> Of(const Field& field, uint16_t minor_version);

  /// The column at the end.
  const PhysicalColumn& column() const { return column_; }
  /// Inner-most first; every item nullable, every list null or empty.
  const std::vector<LevelLayer>& layers() const { return layers_; }
  bool has_lists() const { return num_lists_ > 0; }
  /// The levels of null structs and fixed-size lists, of which there is another number than of the
  /// items in lists below. pylance mistakes the one number for the other in columns where some
  /// pages have such nulls and others say that all is valid.
  std::vector<uint16_t> NullLevelsAboveItems() const;
  /// Rows of a page for each row of the table: the items of a fixed-size list of structs.
  int64_t entries_per_row() const { return entries_per_row_; }

  /// Bytes of Arrow memory, levels included, that `rows` of `array` take in this column; of
  /// dictionaries, their indices. O(depth).
  int64_t ArrowBytes(const arrow::ArrayData& array, RowRange rows) const;
  /// Takes `rows` out of `array`. The values are a slice of it where nothing has to be left out,
  /// else a copy in memory of `pool`; the values of a dictionary have no null. InvalidArgument if a
  /// field that is not nullable has a null.
  Result<LeafRows> Take(const arrow::ArrayData& array, RowRange rows,
                        arrow::MemoryPool* pool) const;

 private:
  enum class StepKind { kStruct, kList, kLargeList, kFixedSizeList };
  /// One layer above the values, outer-most first, and which child the path goes on with.
  struct Step {
    StepKind kind;
    const Field* field;
    int child = 0;
    int32_t list_size = 1;  ///< fixed-size lists
    uint16_t null_level = 0;
    uint16_t empty_level = 0;
    uint16_t repetition = 0;  ///< lists: of the items after the first

    bool is_list() const { return kind == StepKind::kList || kind == StepKind::kLargeList; }
  };
  class Walk;

  static Status AddPaths(const Field& field, uint16_t minor_version, const LeafPath& above,
                         std::vector<LeafPath>* out);
  /// Numbers the layers, once the path is whole.
  void Number();

  PhysicalColumn column_{};
  std::vector<Step> steps_;
  std::vector<LevelLayer> layers_;
  int num_lists_ = 0;
  int64_t entries_per_row_ = 1;
};

}  // namespace tusk::lance
