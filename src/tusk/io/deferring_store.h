#pragma once

#include <memory>

#include "tusk/io/object_store.h"

namespace tusk::io {

/// A store that can leave it for later to make durable what it writes. Many objects together cost
/// about what one alone costs, since the disk's journal is written once.
class TUSK_EXPORT DeferringStore : public ObjectStore {
 public:
  /// The same objects. What Put, PutIfAbsent and writers write through the store that is given
  /// back is visible at once, but durable only after its Sync. Before it links, it syncs: a name
  /// that becomes true never stands for bytes that may be lost.
  virtual std::shared_ptr<DeferringStore> Defer() = 0;
  /// Makes durable all that was written through this store. Nothing is left to do for one that was
  /// not made by Defer.
  virtual Status Sync(const OperationContext& context) = 0;
};

}  // namespace tusk::io
