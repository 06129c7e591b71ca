#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>
#include <arrow/util/bit_util.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::lance {

/// The keys of some rows. The keys of two rows are equal iff neither has a null and their bytes are
/// the same. So floats are equal by their bits, as the reference implementation has it.
class JoinKeys {
 public:
  /// OK if a column of this type can be part of a key; Unsupported, naming it, if not.
  static Status CheckType(const arrow::Field& column);
  /// Whether keys of these columns are equal iff their hashes are.
  static bool IsHashTheKey(const arrow::FieldVector& columns);
  /// `columns`, all of `num_rows` rows, are the parts of the key.
  static Result<JoinKeys> Make(const arrow::ArrayVector& columns, int64_t num_rows,
                               const OperationContext& context);

  int64_t num_rows() const { return num_rows_; }
  /// Whether a part of the row's key is null: it then equals no key, and its hash says nothing.
  bool has_null(int64_t row) const { return !has_null_.empty() && has_null_[row] != 0; }
  uint64_t hash(int64_t row) const { return hashes_[row]; }
  /// Appends the bytes of the row's key, which has no null.
  void AppendKey(int64_t row, std::string* out) const;

 private:
  /// A part of the key of every row.
  struct Column {
    explicit Column(std::shared_ptr<arrow::ArrayData> data);
    std::string_view Text(int64_t row) const;
    /// The value of the row, which has a fixed width, in as many of the low bytes.
    uint64_t Word(int64_t row, int64_t begin) const;
    void AddTo(std::vector<uint64_t>* hashes) const;

    std::shared_ptr<arrow::ArrayData> values;
    int64_t width;  ///< of each value; 0 for texts
    bool is_large;  ///< texts with 64-bit offsets
  };

  int64_t num_rows_ = 0;
  std::vector<Column> columns_;
  std::vector<uint64_t> hashes_;
  std::vector<uint8_t> has_null_;  ///< empty if there is none
};

/// Finds the rows that have a key.
class JoinKeyTable {
 public:
  /// What a row needs beside the bytes of its key, its part of the buckets included.
  static constexpr int64_t kBytesPerRow = 48;

  /// `is_hash_the_key` as JoinKeys tells it: then no bytes of keys are kept.
  JoinKeyTable(bool is_hash_the_key, arrow::MemoryPool* pool)
      : is_hash_the_key_(is_hash_the_key),
        entries_(pool),
        key_ends_(pool),
        bytes_(pool),
        buckets_(pool),
        filter_(pool) {}

  /// Adds the key of row `row` of `keys`, which has no null, as that of the row `number`.
  Status Add(const JoinKeys& keys, int64_t row, int64_t number);
  /// After the last key was added.
  Status Finish();
  /// That it needs, or will need once it is finished.
  int64_t num_bytes() const { return entries_.length() * kBytesPerRow + bytes_.length(); }

  /// False if no key has this hash.
  bool MayHave(uint64_t hash) const {
    return arrow::bit_util::GetBit(filter_.data(), static_cast<int64_t>(hash & filter_mask_));
  }
  /// Begins to fetch what Find looks at first.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(buckets_.data() + (hash & mask_)); }
  /// Calls `visit` with the number of each row that has the key of row `row` of `keys`, in the
  /// order in which they were added.
  template <typename Visit>
  void Find(const JoinKeys& keys, int64_t row, const Visit& visit) {
    const Entry* entries = entries_.data();
    const uint64_t hash = keys.hash(row);
    bool is_encoded = is_hash_the_key_;
    for (uint32_t i = buckets_.data()[hash & mask_]; i != kNone; i = entries[i].next) {
      if (entries[i].hash != hash) continue;
      if (!is_encoded) {
        key_.clear();
        keys.AppendKey(row, &key_);
        is_encoded = true;
      }
      if (is_hash_the_key_ || KeyOf(i) == key_) visit(entries[i].row);
    }
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Entry {
    uint64_t hash;
    int64_t row;
    uint32_t next;  ///< in the bucket
  };
  std::string_view KeyOf(int64_t entry) const;

  bool is_hash_the_key_;
  arrow::TypedBufferBuilder<Entry> entries_;
  arrow::TypedBufferBuilder<int64_t> key_ends_;  ///< in `bytes_`
  arrow::BufferBuilder bytes_;
  arrow::TypedBufferBuilder<uint32_t> buckets_;  ///< the first entry of each
  arrow::TypedBufferBuilder<uint8_t> filter_;    ///< bits by hash, set for every key
  uint64_t mask_ = 0;
  uint64_t filter_mask_ = 0;
  std::string key_;
};

}  // namespace tusk::lance
