#include "tusk/lance/file/range_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/lance/file/page.h"

namespace tusk::lance {
namespace {

/// Beside its bytes a range has a key, a buffer and their places.
constexpr int64_t kBesideBytes = 160;
constexpr uint64_t kOneInFour = 4;

int64_t SizeOf(const arrow::Buffer& bytes) { return bytes.size() + kBesideBytes; }

}  // namespace

uint64_t RangeCache::NumberFile() {
  static std::atomic<uint64_t> next = 0;
  return next.fetch_add(1, std::memory_order_relaxed);
}

size_t RangeCache::KeyHash::operator()(const Key& key) const {
  // Two odd numbers spread the bits; the high ones are the well mixed.
  const uint64_t mixed =
      (static_cast<uint64_t>(key.offset) + key.file * 0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15;
  return mixed ^ mixed >> 32;
}

std::vector<std::shared_ptr<arrow::Buffer>> RangeCache::Find(
    uint64_t file, std::span<const io::ByteRange> ranges) {
  std::vector<std::shared_ptr<arrow::Buffer>> found(ranges.size());
  std::lock_guard lock(mutex_);
  if (young_.empty() && old_.empty()) return found;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Key key{.file = file, .offset = ranges[i].offset};
    const auto has_range = [&](const Buffers& buffers, Buffers::const_iterator at) {
      return at != buffers.end() && at->second->size() == ranges[i].length;
    };
    const auto young = young_.find(key);
    const auto old = old_.find(key);
    if (has_range(young_, young)) {
      found[i] = young->second;
    } else if (has_range(old_, old)) {
      found[i] = old->second;
      // One of another length may be in its place.
      if (young != young_.end()) continue;
      old_bytes_ -= SizeOf(*found[i]);
      young_bytes_ += SizeOf(*found[i]);
      young_.insert(old_.extract(old));
    }
    // Where it is decoded first.
    if (found[i] != nullptr) __builtin_prefetch(found[i]->data());
  }
  return found;
}

void RangeCache::Offer(uint64_t file, std::span<const io::ByteRange> ranges,
                       std::span<const std::shared_ptr<arrow::Buffer>> bytes) {
  if (most_bytes_ == 0) return;
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Key key{.file = file, .offset = ranges[i].offset};
    if (ranges[i].length > kLongest || !WasSeen(key)) continue;
    if (is_full_ && ++num_passed_ % kOneInFour != 0) continue;
    // A copy: what was read shares its memory with what was read beside it.
    auto copy = bytes[i]->CopySlice(0, bytes[i]->size(), KeptPool());
    if (copy.ok()) Keep(key, *std::move(copy));
  }
}

int64_t RangeCache::num_bytes() const {
  std::lock_guard lock(mutex_);
  return young_bytes_ + old_bytes_;
}

bool RangeCache::WasSeen(const Key& key) {
  const size_t bit = KeyHash()(key) % kSeenBits;
  const uint64_t mask = uint64_t{1} << bit % 64;
  if ((seen_[bit / 64] & mask) != 0) return true;
  if (++num_seen_ > kSeenBits / 2) {
    seen_.fill(0);
    num_seen_ = 1;
  }
  seen_[bit / 64] |= mask;
  return false;
}

void RangeCache::Keep(const Key& key, std::shared_ptr<arrow::Buffer> bytes) {
  const int64_t size = SizeOf(*bytes);
  if (size > most_bytes_) return;
  while (young_bytes_ + old_bytes_ + size > most_bytes_) {
    is_full_ = true;
    if (old_.empty()) {
      old_.swap(young_);
      std::swap(old_bytes_, young_bytes_);
    }
    old_bytes_ -= SizeOf(*old_.begin()->second);
    old_.erase(old_.begin());
  }
  std::shared_ptr<arrow::Buffer>& kept = young_[key];
  if (kept != nullptr) young_bytes_ -= SizeOf(*kept);
  kept = std::move(bytes);
  young_bytes_ += size;
}

}  // namespace tusk::lance
