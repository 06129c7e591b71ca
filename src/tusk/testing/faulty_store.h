#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "tusk/io/deferring_store.h"
#include "tusk/io/last_change.h"

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
class FaultyStore final : public io::DeferringStore, public io::LastChangeStore {
 public:
  explicit FaultyStore(std::shared_ptr<io::ObjectStore> store)
      : FaultyStore(std::move(store), std::make_shared<Plan>()) {}

  /// Breaks request number `n` from now on, counted from 0, and all after it if `and_all_after`.
  void BreakRequest(int64_t n, StoreFault fault, bool and_all_after = false);
  /// The two most used.
  void FailRequest(int64_t n, bool and_all_after = false);
  void KillAtRequest(int64_t n);
  /// Calls `before` when request number `n` from now on comes, before it is done.
  void CallAtRequest(int64_t n, std::function<void()> before);
  /// Forgets all that and starts to count at 0 again.
  void Reset();
  int64_t requests() const { return plan_->requests; }
  /// True once a request has been failed.
  bool has_failed() const { return plan_->has_failed; }

  /// Counts into this one and breaks with it. Defers nothing if the wrapped store cannot.
  std::shared_ptr<io::DeferringStore> Defer() override;
  Status Sync(const OperationContext& context) override;
  Status SyncAndPutIfAbsent(std::string_view path, std::string_view bytes,
                            const OperationContext& context) override;

  /// Null if the wrapped store does not know.
  Result<std::shared_ptr<arrow::Buffer>> GetIfLastChange(std::string_view path,
                                                         const OperationContext& context) override;

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
  Result<std::vector<std::string>> ListNames(std::string_view folder,
                                             const OperationContext& context) override;
  Result<std::vector<io::ObjectInfo>> ListUnfinished(std::string_view prefix,
                                                     const OperationContext& context) override;
  Result<io::ObjectInfo> Head(std::string_view path, const OperationContext& context) override;
  Status Delete(std::string_view path, const OperationContext& context) override;

  /// What happens when; shared by the stores that defer, by readers and writers.
  struct Plan {
    /// Does `request` or what is planned for it; IoError if it is one to fail.
    Status Do(std::string_view call, std::string_view path, const std::function<Status()>& request);

    std::atomic<int64_t> requests{0};
    std::atomic<int64_t> fail_at{-1};
    std::atomic<bool> fail_all_after{false};
    std::atomic<StoreFault> fault{StoreFault::kRefuse};
    std::atomic<int64_t> call_at{-1};
    std::function<void()> before;
    std::atomic<bool> has_failed{false};
  };

 private:
  FaultyStore(std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Plan> plan)
      : store_(std::move(store)), plan_(std::move(plan)) {}

  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<Plan> plan_;
};

}  // namespace tusk
