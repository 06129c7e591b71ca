#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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

  /// Variable shapes: where `bytes` of consecutive rows go, and `ends`, entries as in Arrow for the
  /// end of each of the rows, counted on from `begin`.
  struct Room {
    uint8_t* bytes;
    uint8_t* ends;
    int64_t begin;
  };
  /// Whether rows from `position` on that are written to a Room stand in the array at once: all
  /// rows before them that are not empty were written so too. Else they cost a copy more than runs.
  bool is_in_order(int64_t position) const { return !has_lengths_ && position >= appended_rows_; }
  /// Room for at most `size` bytes of the rows from `position` on, which Append takes.
  Result<Room> MakeRoom(int64_t position, int64_t size);
  /// Takes the first `size` bytes of the last room and the ends of its first `count` rows.
  /// InvalidArgument if values with 32-bit offsets have more than 2 GiB together.
  Status Append(int64_t count, int64_t size);

  /// Variable shapes: memory for the bytes of all rows, each from its entry of `offsets` on up to
  /// the next one. These ascend from 0, one more than there are rows. InvalidArgument as Append.
  Result<uint8_t*> PlaceAll(std::span<const int64_t> offsets);

  /// Variable shapes: one more than num_rows entries, int32_t or int64_t by shape().bits, zero at
  /// first. Until Finish makes offsets of them, entry `i + 1` is the length of row `i`.
  Result<uint8_t*> MutableLengths();
  /// Variable shapes: the bytes of `count` rows from `position` on stand one after the other at
  /// `bytes`, as long as their lengths say. They must stay there until Finish (see Keep).
  void AddRun(int64_t position, int64_t count, const uint8_t* bytes);
  /// Whether bytes that AddRun told of must stay.
  bool has_runs() const { return !runs_.empty(); }
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

  /// `count` rows whose bytes begin at `offset` of bytes_.
  struct Rows {
    int64_t position;
    int64_t count;
    int64_t offset;
  };

  int64_t offset_width() const { return shape_.bits / 8; }
  Status AllocateLengths();
  /// Makes room for `size` bytes behind those that were appended, and for those of the rows from
  /// `position` on that the rows before them let expect.
  Status Reserve(int64_t position, int64_t size);
  /// Makes the rows that were not appended before `position` empty.
  void SkipTo(int64_t position);
  Status TooLarge() const;

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
  /// What was appended: rows [0, appended_rows_) have their offsets in lengths_ and their bytes in
  /// bytes_; but for those of `appended_` they were left out. Nothing, once lengths and runs are
  /// used.
  std::vector<Rows> appended_;
  int64_t appended_rows_ = 0;
  int64_t appended_bytes_ = 0;
  std::shared_ptr<arrow::ResizableBuffer> bytes_;
  bool has_lengths_ = false;
  int64_t room_position_ = 0;
  std::shared_ptr<arrow::ResizableBuffer> room_;  ///< of rows that are not in order
  std::vector<Run> runs_;
  std::vector<std::shared_ptr<arrow::Buffer>> kept_;
};

}  // namespace tusk::lance
