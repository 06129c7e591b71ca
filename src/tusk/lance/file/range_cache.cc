#include "tusk/lance/file/range_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/lance/file/page.h"

namespace tusk::lance {
namespace {

/// Beside its bytes a range has a key, two buffers and their places.
constexpr int64_t kBesideBytes = 320;
constexpr uint64_t kOneInFour = 4;
/// So many ranges are looked up at a time: while the processor fetches what the next step of one
/// needs, it takes this step of the others.
constexpr size_t kAtATime = 64;
constexpr size_t kFirstPlaces = 256;

int64_t SizeOf(const arrow::Buffer& bytes) { return bytes.size() + kBesideBytes; }

}  // namespace

uint64_t RangeCache::NumberFile() {
  static std::atomic<uint64_t> next = 0;
  return next.fetch_add(1, std::memory_order_relaxed);
}

size_t RangeCache::Hash(const Key& key) {
  // Two odd numbers spread the bits; the high ones are the well mixed.
  const uint64_t mixed =
      (static_cast<uint64_t>(key.offset) + key.file * 0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15;
  return mixed ^ mixed >> 32;
}

std::vector<std::shared_ptr<arrow::Buffer>> RangeCache::Find(
    uint64_t file, std::span<const io::ByteRange> ranges) {
  std::vector<std::shared_ptr<arrow::Buffer>> found(ranges.size());
  std::lock_guard lock(mutex_);
  if (num_bytes_ == 0) return found;
  const size_t last_place = places_.size() - 1;
  const auto key_of = [&](const io::ByteRange& range) {
    return Key{.file = file, .offset = range.offset};
  };
  for (size_t begin = 0; begin < ranges.size(); begin += kAtATime) {
    const auto some = ranges.subspan(begin, std::min(kAtATime, ranges.size() - begin));
    for (const auto& range : some) {
      __builtin_prefetch(&places_[Hash(key_of(range)) & last_place]);
    }
    std::array<Entry*, kAtATime> entries{};
    for (size_t i = 0; i < some.size(); ++i) {
      // As a rule the one.
      const uint32_t number = places_[Hash(key_of(some[i])) & last_place];
      if (number > 0) __builtin_prefetch(&entries_[number - 1]);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      const uint32_t number = places_[PlaceOf(key_of(some[i]))];
      if (number == 0) continue;
      entries[i] = &entries_[number - 1];
      __builtin_prefetch(entries[i]->bytes.get());
    }
    for (size_t i = 0; i < some.size(); ++i) {
      // One of another length may be in its place.
      if (entries[i] == nullptr || entries[i]->bytes->size() != some[i].length) continue;
      entries[i]->was_found = true;
      found[begin + i] = entries[i]->bytes;
      // Where it is decoded first.
      __builtin_prefetch(found[begin + i]->data());
    }
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
  return num_bytes_;
}

bool RangeCache::WasSeen(const Key& key) {
  const size_t bit = Hash(key) % kSeenBits;
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
  while (num_bytes_ + size > most_bytes_) {
    is_full_ = true;
    if (hand_ >= entries_.size()) hand_ = 0;
    Entry& entry = entries_[hand_];
    if (!entry.was_found && entry.bytes != nullptr) Drop(hand_);
    entry.was_found = false;
    ++hand_;
  }
  if (2 * (entries_.size() + 1) > places_.size()) Grow();
  uint32_t& place = places_[PlaceOf(key)];
  if (place == 0) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(entries_.size()));
      entries_.emplace_back();
    }
    entries_[free_.back()].key = key;
    place = free_.back() + 1;
    free_.pop_back();
  }
  Entry& entry = entries_[place - 1];
  if (entry.bytes != nullptr) num_bytes_ -= SizeOf(*entry.bytes);
  // A slice stands beside its count of references: one thing less to fetch when it is found.
  entry.bytes = arrow::SliceBuffer(std::move(bytes), 0, size - kBesideBytes);
  num_bytes_ += size;
}

size_t RangeCache::PlaceOf(const Key& key) const {
  const size_t last_place = places_.size() - 1;
  size_t place = Hash(key) & last_place;
  while (places_[place] != 0 && entries_[places_[place] - 1].key != key) {
    place = (place + 1) & last_place;
  }
  return place;
}

void RangeCache::Grow() {
  places_.assign(std::max(kFirstPlaces, 2 * places_.size()), 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].bytes == nullptr) continue;
    places_[PlaceOf(entries_[i].key)] = static_cast<uint32_t>(i + 1);
  }
}

void RangeCache::Drop(size_t entry) {
  num_bytes_ -= SizeOf(*entries_[entry].bytes);
  const size_t last_place = places_.size() - 1;
  // What stands behind its hash moves up into the place that gets free.
  size_t free = PlaceOf(entries_[entry].key);
  for (size_t next = (free + 1) & last_place; places_[next] != 0; next = (next + 1) & last_place) {
    const size_t behind_hash = next - Hash(entries_[places_[next] - 1].key);
    if ((behind_hash & last_place) < ((next - free) & last_place)) continue;
    places_[free] = places_[next];
    free = next;
  }
  places_[free] = 0;
  entries_[entry].bytes = nullptr;
  free_.push_back(static_cast<uint32_t>(entry));
}

}  // namespace tusk::lance
