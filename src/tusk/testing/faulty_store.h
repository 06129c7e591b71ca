#pragma once

#include <atomic>
#include <memory>

#include "tusk/io/object_store.h"

namespace tusk {

/// Wraps a store, counts its requests and fails the n-th: with it a test walks a failure through
/// every request of an operation. A request is one call of the store or of its readers and
/// writers; a failed write leaves nothing visible, as a store that refused it.
class FaultyStore final : public io::ObjectStore {
 public:
  explicit FaultyStore(std::shared_ptr<io::ObjectStore> store) : store_(std::move(store)) {}

  /// Fails request number `n` from now on, counted from 0, and all after it if `and_all_after`.
  void FailRequest(int64_t n, bool and_all_after = false);
  /// Ends the process with SIGKILL when request number `n` from now on comes, before it is done.
  void KillAtRequest(int64_t n);
  /// Forgets the failure and starts to count at 0 again.
  void Reset();
  int64_t requests() const { return requests_; }
  /// True once a request has been failed.
  bool has_failed() const { return has_failed_; }

  Result<io::OpenedObject> Open(std::string_view path, int64_t tail_length,
                                const OperationContext& context) override;
  Result<std::unique_ptr<io::ObjectWriter>> Create(std::string_view path,
                                                   const OperationContext& context) override;
  Status Put(std::string_view path, std::string_view bytes,
             const OperationContext& context) override;
  Status PutIfAbsent(std::string_view path, std::string_view bytes,
                     const OperationContext& context) override;
  Status LinkIfAbsent(std::string_view source, std::string_view path,
                      const OperationContext& context) override;
  Result<std::vector<io::ObjectInfo>> List(std::string_view prefix,
                                           const OperationContext& context) override;
  Result<io::ObjectInfo> Head(std::string_view path, const OperationContext& context) override;
  Status Delete(std::string_view path, const OperationContext& context) override;

  /// Counts one request; IoError if it is one to fail.
  Status Count(std::string_view call, std::string_view path);

 private:
  std::shared_ptr<io::ObjectStore> store_;
  std::atomic<int64_t> requests_{0};
  std::atomic<int64_t> fail_at_{-1};
  std::atomic<bool> fail_all_after_{false};
  std::atomic<bool> kill_{false};
  std::atomic<bool> has_failed_{false};
};

}  // namespace tusk
