#include "tusk/lance/file/file_cache.h"

#include <utility>

namespace tusk::lance {

Result<std::shared_ptr<const FileReader>> FileCache::Open(io::ObjectStore* store,
                                                          const std::string& path,
                                                          std::string_view tag,
                                                          const OperationContext& context) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = Find(path, tag)) return found;
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(store, path, context));
  std::lock_guard lock(mutex_);
  if (auto found = Find(path, tag)) return found;
  const auto old = by_path_.find(path);
  if (old != by_path_.end()) Forget(old->second);
  const int64_t bytes = reader->memory_bytes();
  entries_.push_front({.path = path, .tag = std::string(tag), .reader = reader, .bytes = bytes});
  by_path_.emplace(entries_.front().path, entries_.begin());
  bytes_ += bytes;
  Shrink();
  return reader;
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
}

void FileCache::Shrink() {
  while (entries_.size() > 1 &&
         (bytes_ > options_.bytes || std::ssize(entries_) > options_.files)) {
    Forget(std::prev(entries_.end()));
  }
}

}  // namespace tusk::lance
