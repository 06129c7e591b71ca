#include "tusk/lance/table/blob_files.h"

#include <utility>

namespace tusk::lance {

Result<std::shared_ptr<const io::ObjectReader>> BlobFiles::Open(const io::StorePath& place,
                                                                const OperationContext& context) {
  {
    std::lock_guard lock(mutex_);
    const auto found = by_path_.find(place.path);
    if (found != by_path_.end() && found->second->place.store == place.store) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().reader;
    }
  }
  ARROW_ASSIGN_OR_RAISE(io::OpenedObject opened, place.store->Open(place.path, 0, context));
  std::lock_guard lock(mutex_);
  const auto other = by_path_.find(place.path);
  if (other != by_path_.end()) {
    const auto entry = other->second;
    by_path_.erase(other);
    entries_.erase(entry);
  }
  entries_.push_front({.place = place, .reader = std::move(opened.reader)});
  by_path_.emplace(entries_.front().place.path, entries_.begin());
  if (entries_.size() > kMaxOpen) {
    by_path_.erase(entries_.back().place.path);
    entries_.pop_back();
  }
  return entries_.front().reader;
}

}  // namespace tusk::lance
