#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/io/object_store.h"

namespace tusk::lance {

/// Small ranges of open files that random reads asked for more than once, in memory. A range is
/// kept from its second time on; once the cache is full, one in four of those is. What was not
/// found lately makes room for others. Thread-safe.
class RangeCache {
 public:
  /// Longer ranges are not kept.
  static constexpr int64_t kLongest = 32 << 10;

  /// Keeps at most `bytes`, or nothing if that is 0.
  explicit RangeCache(int64_t bytes) : most_bytes_(bytes) {}

  /// A number for a file that no other file gets.
  static uint64_t NumberFile();

  /// The bytes of those of `ranges` that are here; null for the others.
  std::vector<std::shared_ptr<arrow::Buffer>> Find(uint64_t file,
                                                   std::span<const io::ByteRange> ranges);
  /// Tells of ranges that were read since they were not here. Some are kept, as copies.
  void Offer(uint64_t file, std::span<const io::ByteRange> ranges,
             std::span<const std::shared_ptr<arrow::Buffer>> bytes);

  int64_t num_bytes() const;

 private:
  struct Key {
    uint64_t file = 0;
    int64_t offset = 0;
    bool operator==(const Key&) const = default;
  };
  static size_t Hash(const Key& key);
  struct Entry {
    Key key;
    std::shared_ptr<arrow::Buffer> bytes;  ///< null if it was dropped
    bool was_found = false;                ///< since the hand last passed
  };
  /// One bit for ranges of the same hash; as many as there are, half set at most.
  static constexpr size_t kSeenBits = 1 << 16;

  // All of these with the lock held.
  /// Whether the range was asked for before, as a rule; notes that it was.
  bool WasSeen(const Key& key);
  void Keep(const Key& key, std::shared_ptr<arrow::Buffer> bytes);
  /// The place of `places_` that has the key's entry, or the free one that it would get.
  size_t PlaceOf(const Key& key) const;
  /// Twice as many places, or the first ones.
  void Grow();
  void Drop(size_t entry);

  const int64_t most_bytes_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;  ///< entries that were dropped, for others
  /// By hashes of keys, as many as a power of two: one more than the number of an entry, or 0. An
  /// entry stands at its hash or behind, with no free place between. At most half of them are
  /// taken.
  std::vector<uint32_t> places_;
  size_t hand_ = 0;  ///< goes round the entries, if one must go: which was not found meanwhile
  int64_t num_bytes_ = 0;
  bool is_full_ = false;  ///< some were dropped
  uint64_t num_passed_ = 0;
  std::array<uint64_t, kSeenBits / 64> seen_{};
  size_t num_seen_ = 0;
};

}  // namespace tusk::lance
