#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::lance {

/// The keys of some rows. The keys of two rows are equal iff neither has a null and their bytes are
/// the same. So floats are equal by their bits, as the reference implementation has it.
class JoinKeys {
 public:
  /// OK if a column of this type can be part of a key; Unsupported, naming it, if not.
  static Status CheckType(const arrow::Field& column);
  /// Whether the values of such a column all have the same few bytes.
  static bool IsNarrow(const arrow::Field& column);
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
  /// Whether these are the bytes of the row's key, which has no null.
  bool IsKey(int64_t row, std::string_view bytes) const;

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

/// One of several parts of all keys without nulls, by their hashes.
struct KeyPart {
  uint64_t number = 0;
  uint64_t count = 1;
  bool Has(uint64_t hash) const { return count == 1 || (hash >> 32) % count == number; }
};

/// Says of a hash that it was not added, or that it may have been: of those that were not, it says
/// the latter of one in a hundred or fewer. Threads share one that nothing is added to any more.
class HashFilter {
 public:
  explicit HashFilter(arrow::MemoryPool* pool) : words_(pool) {}
  /// Makes room for about so many, up to 4 bytes for each. Before any is added.
  Status Reserve(int64_t num_hashes);
  void Add(uint64_t hash) { words_.mutable_data()[(hash >> kShift) & mask_] |= Bits(hash); }
  bool MayHave(uint64_t hash) const {
    const uint64_t bits = Bits(hash);
    return (words_.data()[(hash >> kShift) & mask_] & bits) == bits;
  }

 private:
  /// Two bits of a word, by parts of the hash that do not tell which word it is.
  static constexpr int kShift = 12;
  static uint64_t Bits(uint64_t hash) {
    return uint64_t{1} << (hash & 63) | uint64_t{1} << (hash >> 6 & 63);
  }
  arrow::TypedBufferBuilder<uint64_t> words_;
  uint64_t mask_ = 0;
};

/// Finds the rows that have a key. Threads share one that is finished.
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

  /// Makes room for so many keys, if they have no bytes of their own.
  Status Reserve(int64_t num_keys) { return entries_.Reserve(num_keys); }
  /// Adds the key of row `row` of `keys`, which has no null, as that of the row `number`.
  Status Add(const JoinKeys& keys, int64_t row, int64_t number);
  /// After the last key was added.
  Status Finish();
  /// That it needs, or will need once it is finished.
  int64_t num_bytes() const { return entries_.length() * kBytesPerRow + bytes_.length(); }

  /// Of the hashes of all keys.
  const HashFilter& filter() const { return filter_; }
  /// False if no key has this hash.
  bool MayHave(uint64_t hash) const { return filter_.MayHave(hash); }
  /// Calls `visit` with the number of each row that has the key of row `row` of `keys`, in the
  /// order in which they were added.
  template <typename Visit>
  void Find(const JoinKeys& keys, int64_t row, const Visit& visit) const {
    const Entry* entries = entries_.data();
    const uint64_t hash = keys.hash(row);
    for (uint32_t i = buckets_.data()[hash & mask_]; i != kNone; i = entries[i].next) {
      if (entries[i].hash != hash) continue;
      if (is_hash_the_key_ || keys.IsKey(row, KeyOf(i))) visit(entries[i].row);
    }
  }
  /// Calls `visit` with each of `rows` of `keys` and the number of each row that has its key, in
  /// order: faster than one Find after the other where the table is larger than the caches.
  template <typename Visit>
  void FindAll(const JoinKeys& keys, std::span<const int32_t> rows, const Visit& visit) const {
    constexpr size_t kAhead = 8;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i + 2 * kAhead < rows.size()) {
        __builtin_prefetch(buckets_.data() + (keys.hash(rows[i + 2 * kAhead]) & mask_));
      }
      if (i + kAhead < rows.size()) {
        const uint32_t entry = buckets_.data()[keys.hash(rows[i + kAhead]) & mask_];
        if (entry != kNone) __builtin_prefetch(entries_.data() + entry);
      }
      Find(keys, rows[i], [&](int64_t number) { visit(rows[i], number); });
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
  HashFilter filter_;
  uint64_t mask_ = 0;
  std::string key_;  ///< that is added
};

}  // namespace tusk::lance
