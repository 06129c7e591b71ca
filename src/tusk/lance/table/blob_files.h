#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// Open files that hold bytes of blobs, by path. Those that were used last stay open. Thread-safe.
class BlobFiles {
 public:
  Result<std::shared_ptr<const io::ObjectReader>> Open(const io::StorePath& place,
                                                       const OperationContext& context);

 private:
  /// So many take few of the descriptors that a process may have.
  static constexpr size_t kMaxOpen = 128;

  struct Entry {
    io::StorePath place;
    std::shared_ptr<const io::ObjectReader> reader;
  };

  std::mutex mutex_;
  std::list<Entry> entries_;                                                  // the last used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_path_;  // into the entries
};

}  // namespace tusk::lance
