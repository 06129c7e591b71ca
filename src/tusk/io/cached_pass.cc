#include "tusk/io/cached_pass.h"

#include <algorithm>
#include <atomic>

namespace tusk::io {
namespace {

constexpr size_t kReadsWorthThreads = 256;
constexpr int64_t kBytesWorthThreads = int64_t{1} << 20;

/// Reads that a thread does before it looks what others have left.
constexpr size_t kMostAtOnce = 16;

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
  const auto helpers = static_cast<int64_t>(std::min(threads, (count + at_once - 1) / at_once)) - 1;
  const auto others = context.executor->Start(helpers, work, context.stop);
  ARROW_RETURN_NOT_OK(work(helpers));
  return others->Wait();
}

}  // namespace tusk::io
