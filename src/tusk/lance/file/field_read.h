#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/io/direct_read.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/row_range.h"

namespace tusk::lance {

/// The rows that a read asks for: a run, or single ones.
struct RowsToRead {
  RowRange range;  ///< the run; empty if single rows are asked for
  std::span<const TakenRow>
      taken;  ///< ascending by row, duplicates kept; positions are 0 ... n - 1
  /// A run: what is stored as codes of few values may come as a dictionary array of these.
  bool may_be_codes = false;

  bool is_take() const { return !taken.empty(); }
  /// Rows of the result.
  int64_t num_rows() const {
    return is_take() ? static_cast<int64_t>(taken.size()) : range.length();
  }
  /// The distinct rows as ascending runs that do not touch. `scale` rows stand for each.
  std::vector<RowRange> Runs(int64_t scale = 1) const;
  /// `array` has the distinct rows, ascending; the answer has them in the order asked.
  Result<std::shared_ptr<arrow::ArrayData>> InOrderAsked(std::shared_ptr<arrow::ArrayData> array,
                                                         arrow::MemoryPool* pool) const;
};

/// A read of one field, with all that lies below it, for some rows. It asks for bytes in steps,
/// because what to read next may stand in what was read before; the steps of all fields of a read
/// go to the store together. Used by one thread.
class FieldRead {
 public:
  virtual ~FieldRead() = default;
  /// Appends the byte ranges of the next step; once everything is there, neither these nor targets.
  virtual Status Plan(std::vector<io::ByteRange>* ranges) = 0;
  /// Appends what of the step that Plan has begun goes from the file right into the result. Who
  /// wraps a read asks it.
  virtual void PlanTargets(std::vector<io::ReadTarget>* /*targets*/) {}
  /// Takes the bytes of the ranges that Plan appended last, in that order.
  virtual Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) = 0;
  /// The rows in the order asked, with the Arrow type of the field. Called once, after Plan had
  /// nothing more to ask.
  virtual Result<std::shared_ptr<arrow::ArrayData>> Finish() = 0;
};

}  // namespace tusk::lance
