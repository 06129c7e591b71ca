#include "tusk/lance/file/file_cache.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include <sys/resource.h>

namespace tusk::lance {
namespace {

/// Files that are kept in this process, in all caches.
std::atomic<int64_t> kept_files = 0;

/// Files that one task forgets.
constexpr ptrdiff_t kFilesOfATask = 64;

/// Half of the descriptors that the process may have: the others are the caller's.
int64_t MostKeptFiles() {
  static const int64_t most = [] {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return int64_t{512};
    return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 20) / 2);
  }();
  return most;
}

}  // namespace

FileCache::~FileCache() {
  kept_files -= std::ssize(entries_);
  by_path_.clear();
  // What a file knows is in a hundred pieces of memory: with a thousand files, giving them back
  // takes as long as reading small ones.
  std::vector<std::list<Entry>> parts;
  while (!entries_.empty()) {
    const auto count = std::min<ptrdiff_t>(kFilesOfATask, std::ssize(entries_));
    std::list<Entry>& part = parts.emplace_back();
    part.splice(part.end(), entries_, entries_.begin(), std::next(entries_.begin(), count));
  }
  if (parts.size() < 2) return;
  const auto forget = [&](int64_t i) {
    parts[i].clear();
    return Status::OK();
  };
  // Without threads it does all of it in the end.
  (void)DefaultExecutor()->Start(std::ssize(parts), forget, /*stop=*/{})->Wait();
}

Result<std::shared_ptr<const FileReader>> FileCache::Open(io::ObjectStore* store,
                                                          const std::string& path,
                                                          std::string_view tag,
                                                          const OperationContext& context) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = Find(path, tag)) return found;
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(store, path, context, ranges_));
  std::lock_guard lock(mutex_);
  if (auto found = Find(path, tag)) return found;
  const auto old = by_path_.find(path);
  if (old != by_path_.end()) Forget(old->second);
  const int64_t bytes = reader->memory_bytes();
  entries_.push_front({.path = path, .tag = std::string(tag), .reader = reader, .bytes = bytes});
  by_path_.emplace(entries_.front().path, entries_.begin());
  ++kept_files;
  bytes_ += bytes;
  Shrink();
  return reader;
}

bool FileCache::Holds(const std::string& path) const {
  std::lock_guard lock(mutex_);
  return by_path_.contains(path);
}

int64_t FileCache::num_files() const {
  std::lock_guard lock(mutex_);
  return std::ssize(entries_);
}

int64_t FileCache::num_bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

std::shared_ptr<const FileReader> FileCache::Find(const std::string& path, std::string_view tag) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end() || found->second->tag != tag) return nullptr;
  Entry& entry = *found->second;
  entries_.splice(entries_.begin(), entries_, found->second);
  const int64_t bytes = entry.reader->memory_bytes();
  bytes_ += bytes - std::exchange(entry.bytes, bytes);
  std::shared_ptr<const FileReader> reader = entry.reader;
  Shrink();
  return reader;
}

void FileCache::Forget(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  by_path_.erase(entry->path);
  entries_.erase(entry);
  --kept_files;
}

void FileCache::Shrink() {
  while (entries_.size() > 1 && (bytes_ > options_.bytes || std::ssize(entries_) > options_.files ||
                                 kept_files > MostKeptFiles())) {
    Forget(std::prev(entries_.end()));
  }
}

}  // namespace tusk::lance
