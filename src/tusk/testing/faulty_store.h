#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "tusk/io/object_store.h"

namespace tusk {

/// What happens to a request to a store.
enum class StoreFault {
  kRefuse,      ///< it fails and nothing is done
  kFailAfter,   ///< it is done, and then reported as failed
  kKillBefore,  ///< SIGKILL instead of it
  kKillAfter,   ///< SIGKILL as soon as it is done
};

/// Wraps a store, counts its requests and breaks the n-th: with it a test walks a failure through
/// every request of an operation. A request is one call of the store or of its readers and
/// writers; a refused write leaves nothing visible.
class FaultyStore final : public io::ObjectStore {
 public:
  explicit FaultyStore(std::shared_ptr<io::ObjectStore> store) : store_(std::move(store)) {}

  /// Breaks request number `n` from now on, counted from 0, and all after it if `and_all_after`.
  void BreakRequest(int64_t n, StoreFault fault, bool and_all_after = false);
  /// The two most used.
  void FailRequest(int64_t n, bool and_all_after = false);
  void KillAtRequest(int64_t n);
  /// Calls `before` when request number `n` from now on comes, before it is done.
  void CallAtRequest(int64_t n, std::function<void()> before);
  /// Forgets all that and starts to count at 0 again.
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
  Result<std::vector<io::ObjectInfo>> ListUnfinished(std::string_view prefix,
                                                     const OperationContext& context) override;
  Result<io::ObjectInfo> Head(std::string_view path, const OperationContext& context) override;
  Status Delete(std::string_view path, const OperationContext& context) override;

  /// Does `request` or what the plan has for it; IoError if it is one to fail.
  Status Do(std::string_view call, std::string_view path, const std::function<Status()>& request);

 private:
  std::shared_ptr<io::ObjectStore> store_;
  std::atomic<int64_t> requests_{0};
  std::atomic<int64_t> fail_at_{-1};
  std::atomic<bool> fail_all_after_{false};
  std::atomic<StoreFault> fault_{StoreFault::kRefuse};
  std::atomic<int64_t> call_at_{-1};
  std::function<void()> before_;
  std::atomic<bool> has_failed_{false};
};

}  // namespace tusk
