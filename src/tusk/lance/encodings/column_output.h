#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

/// Where the decoded rows of one column go: buffers of the final Arrow array, made on first use.
/// Decoders write each output position once. Rows are valid until they are made null; fixed values
/// that nobody writes are undefined, variable ones empty.
class ColumnOutput {
 public:
  ColumnOutput(ValueShape shape, int64_t num_rows, arrow::MemoryPool* pool);
  ColumnOutput(ColumnOutput&&) noexcept;
  ~ColumnOutput();

  const ValueShape& shape() const { return shape_; }
  int64_t num_rows() const { return num_rows_; }
  /// For what decoders need on the way.
  arrow::MemoryPool* pool() const { return pool_; }

  /// The bitmap of all rows, set at first.
  Result<uint8_t*> MutableValidity();
  /// Fixed shapes: the packed values of all rows.
  Result<uint8_t*> MutableValues();
  /// Fixed shapes: takes `values` as the packed values of all rows, without a copy.
  void AdoptValues(std::shared_ptr<arrow::Buffer> values);

  /// Fixed-size lists: the bitmap of the items of list layer `layer` in all rows, set at first.
  Result<uint8_t*> MutableItemValidity(size_t layer);

  /// Variable shapes: one more than num_rows entries, int32_t or int64_t by shape().bits, zero at
  /// first. Until Finish makes offsets of them, entry `i + 1` is the length of row `i`.
  Result<uint8_t*> MutableLengths();
  /// Variable shapes: the bytes of `count` rows from `position` on stand one after the other at
  /// `bytes`, as long as their lengths say. They must stay there until Finish (see Keep).
  void AddRun(int64_t position, int64_t count, const uint8_t* bytes);
  /// Holds `buffer` until Finish.
  void Keep(std::shared_ptr<arrow::Buffer> buffer);

  /// The array. InvalidArgument if values with 32-bit offsets have more than 2 GiB together.
  Result<std::shared_ptr<arrow::ArrayData>> Finish(const std::shared_ptr<arrow::DataType>& type);

 private:
  struct Run {
    int64_t position;
    int64_t count;
    const uint8_t* bytes;
  };

  template <typename Offset>
  Result<std::shared_ptr<arrow::ArrayData>> FinishVariable(
      const std::shared_ptr<arrow::DataType>& type, int64_t null_count);

  ValueShape shape_;
  int64_t num_rows_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::Buffer> validity_;
  std::vector<std::shared_ptr<arrow::Buffer>> item_validity_;  ///< by list layer; null if unused
  std::shared_ptr<arrow::Buffer> values_;
  std::shared_ptr<arrow::Buffer> lengths_;
  std::vector<Run> runs_;
  std::vector<std::shared_ptr<arrow::Buffer>> kept_;
};

}  // namespace tusk::lance
