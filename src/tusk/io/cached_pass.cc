#include "tusk/io/cached_pass.h"

#include <algorithm>
#include <atomic>
#include <chrono>

namespace tusk::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kReadsWorthThreads = 256;
constexpr int64_t kBytesWorthThreads = int64_t{1} << 20;

/// Reads that a thread does before it looks what others have left.
constexpr size_t kMostAtOnce = 16;

/// Whether other threads shall be asked to help, by how it went before: where others want the same
/// cores, a helper is stopped in the middle of its reads, and who waits for it loses more time than
/// it won. Thread-safe.
class Help {
 public:
  bool IsWorthAsking() {
    if (alone_.load(std::memory_order_relaxed) <= 0) return true;
    alone_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  /// How long the caller worked itself, and then waited for those who helped.
  void Tell(Clock::duration worked, Clock::duration waited) {
    if (waited * 2 <= worked) {
      next_alone_.store(kLeastAlone, std::memory_order_relaxed);
      return;
    }
    const int next = next_alone_.load(std::memory_order_relaxed);
    alone_.store(next, std::memory_order_relaxed);
    next_alone_.store(std::min(2 * next, kMostAlone), std::memory_order_relaxed);
  }

 private:
  static constexpr int kLeastAlone = 16;
  static constexpr int kMostAlone = 256;

  std::atomic<int> alone_ = 0;  ///< calls that are to do without
  std::atomic<int> next_alone_ = kLeastAlone;
};

}  // namespace

bool IsWorthThreads(size_t num_reads, int64_t bytes) {
  return num_reads >= kReadsWorthThreads || (num_reads > 1 && bytes >= kBytesWorthThreads);
}

Status TryCached(size_t count, const std::function<bool(size_t)>& read,
                 const OperationContext& context) {
  const auto threads = static_cast<size_t>(context.executor->parallelism());
  const size_t at_once = std::clamp<size_t>(count / (4 * threads), 1, kMostAtOnce);
  std::atomic<size_t> next = 0;
  std::atomic<bool> is_cold = false;
  const auto work = [&](int64_t /*thread*/) -> Status {
    while (!is_cold) {
      const size_t begin = next.fetch_add(at_once);
      if (begin >= count) break;
      ARROW_RETURN_NOT_OK(context.CheckStop());
      const size_t end = std::min(count, begin + at_once);
      size_t num_missing = 0;
      for (size_t i = begin; i < end; ++i) num_missing += read(i) ? 0 : 1;
      if (num_missing * 2 > end - begin) is_cold = true;
    }
    return Status::OK();
  };
  static Help help;
  const auto helpers = static_cast<int64_t>(std::min(threads, (count + at_once - 1) / at_once)) - 1;
  if (helpers <= 0 || !help.IsWorthAsking()) return work(0);
  const auto others = context.executor->Start(helpers, work, context.stop);
  const Clock::time_point begin = Clock::now();
  ARROW_RETURN_NOT_OK(work(helpers));
  const Clock::time_point done = Clock::now();
  ARROW_RETURN_NOT_OK(others->Wait());
  help.Tell(done - begin, Clock::now() - done);
  return Status::OK();
}

}  // namespace tusk::io
