#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/range_cache.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/file_session.h"

namespace tusk::lance {

/// Open files of one store, by path. Those that are forgotten stay open for who still has them.
/// What a file takes is looked at when it is asked for; it grows as columns of it are read.
/// Thread-safe.
class FileCache {
 public:
  explicit FileCache(const FileCacheOptions& options = {})
      : options_(options), ranges_(std::make_shared<RangeCache>(options.range_bytes)) {}
  ~FileCache();
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  /// The file, opened unless it is here with the same `tag` (see io::ObjectInfo; empty for objects
  /// that nobody replaces). Of threads that open a file at the same time the first one's stays.
  Result<std::shared_ptr<const FileReader>> Open(io::ObjectStore* store, const std::string& path,
                                                 std::string_view tag,
                                                 const OperationContext& context);
  /// Whether the file is here.
  bool Holds(const std::string& path) const;
  int64_t num_files() const;
  int64_t num_bytes() const;
  int64_t num_range_bytes() const { return ranges_->num_bytes(); }

 private:
  struct Entry {
    std::string path;
    std::string tag;
    std::shared_ptr<const FileReader> reader;
    int64_t bytes = 0;
  };

  // All of these with the lock held.
  std::shared_ptr<const FileReader> Find(const std::string& path, std::string_view tag);
  void Forget(std::list<Entry>::iterator entry);
  /// Forgets until the rest is inside the limits; never the newest.
  void Shrink();

  const FileCacheOptions options_;
  const std::shared_ptr<RangeCache> ranges_;  ///< of all these files
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                                                  // the last used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_path_;  // into the entries
  int64_t bytes_ = 0;
};

}  // namespace tusk::lance
