#pragma once

#include <memory>
#include <string_view>

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
  /// As PutIfAbsent, and durable on return, also of a store that defers: the bytes together with
  /// all else that was written through this store, then the name. So no loss of power leaves the
  /// object without what was written before it. If it fails, what was written may not be durable.
  virtual Status SyncAndPutIfAbsent(std::string_view path, std::string_view bytes,
                                    const OperationContext& context) = 0;
};

/// DeferringStore::SyncAndPutIfAbsent, or PutIfAbsent of a store that cannot defer.
inline Status SyncAndPutIfAbsent(ObjectStore* store, std::string_view path, std::string_view bytes,
                                 const OperationContext& context) {
  auto* deferring = dynamic_cast<DeferringStore*>(store);
  if (deferring == nullptr) return store->PutIfAbsent(path, bytes, context);
  return deferring->SyncAndPutIfAbsent(path, bytes, context);
}

/// `place` with a store that defers, if its own can.
inline StorePath Deferring(const StorePath& place) {
  auto* store = dynamic_cast<DeferringStore*>(place.store.get());
  return store == nullptr ? place : StorePath{.store = store->Defer(), .path = place.path};
}

}  // namespace tusk::io
