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
#include "tusk/io/direct_read.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/column_pages.h"
#include "tusk/lance/file/field_read.h"
#include "tusk/lance/file/page.h"
#include "tusk/lance/file/placed_rows.h"
#include "tusk/lance/file/placed_texts.h"
#include "tusk/lance/file/structure.h"

namespace tusk::lance {

/// A read of one physical column: first the indices of the pages that are not known yet, then the
/// parts of the pages that hold the rows.
class LeafRead {
 public:
  /// `is_list` has the layers of the column's nesting, inner-most first; `scale` rows of the column
  /// stand for each row that is asked for. Columns with more than one layer, and those in
  /// `keeps_structure`, give distinct rows in the order of the file, others the rows as asked.
  struct Options {
    ValueShape shape;
    std::vector<bool> is_list;
    int64_t scale = 1;
    bool keeps_structure = false;
    bool may_be_codes = false;  ///< as in RowsToRead
  };
  LeafRead(const ColumnPages* pages, Options options, const RowsToRead& rows,
           arrow::MemoryPool* pool);
  LeafRead(LeafRead&&) noexcept;
  ~LeafRead();

  const ValueShape& shape() const { return options_.shape; }

  /// As FieldRead has them. Errors name the page.
  Status Plan(std::vector<io::ByteRange>* ranges);
  void PlanTargets(std::vector<io::ReadTarget>* targets);
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes);

  /// The values as an array of `type`: of the rows or, if the structure is kept, of the value slots
  /// without their validity. If values may be codes, perhaps as a dictionary array of `type`.
  Result<std::shared_ptr<arrow::ArrayData>> Finish(const std::shared_ptr<arrow::DataType>& type);
  /// Of the rows read, after Finish; absent if it is not kept.
  Structure* structure() { return structure_ ? &*structure_ : nullptr; }

 private:
  /// What the read wants of one page.
  struct Part {
    const ColumnPages::Entry* entry = nullptr;
    PageRequest request;         ///< if the structure is not kept
    std::vector<RowRange> runs;  ///< else
    std::vector<PlannedRead> reads;
    std::vector<std::shared_ptr<arrow::Buffer>> bytes;
    std::optional<PlacedRows> placed;  ///< if there, nothing else is read
  };
  enum class Step { kIndices, kPages, kDone };

  void AddPart(const ColumnPages::Entry& entry, PageRequest request);
  void AddRun(const ColumnPages::Entry& entry, RowRange run);
  /// Whether the page tells nothing of what is around its rows. pylance makes such pages for
  /// structs without fields that nothing around is null in.
  bool IsBare(const Page& page) const;
  Status CheckPage(const Page& page) const;
  /// How many items all pages have together; nothing if values shall not be codes of them.
  std::optional<int64_t> CountItems() const;
  Result<std::shared_ptr<arrow::ArrayData>> FinishCodes(
      int64_t num_items, const std::shared_ptr<arrow::DataType>& type) const;
  /// Plans to read long texts of a take right to their places, if all pages have them so.
  Status PlanTexts();
  Status PlanPages(std::vector<io::ByteRange>* ranges);
  Status AcceptIndices(std::span<const std::shared_ptr<arrow::Buffer>> bytes);
  static Status InPage(const Part& part, const Status& status);

  const ColumnPages* pages_;
  Options options_;
  arrow::MemoryPool* pool_;
  int64_t num_rows_;  ///< of the column, in the result
  bool keeps_structure_;
  Step step_ = Step::kIndices;
  std::vector<Part> parts_;
  std::vector<size_t> waiting_;  ///< parts whose indices were asked for
  ColumnOutput output_;          ///< used if the structure is not kept
  std::vector<io::ReadTarget> targets_;
  std::optional<PlacedTexts> texts_;  ///< if there, nothing else is read of the parts
  std::optional<Structure> structure_;
};

}  // namespace tusk::lance
