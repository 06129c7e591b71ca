#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk {

/// What an operation asked of the stores. Threads add to it at the same time.
struct IoCounters {
  std::atomic<int64_t> read_requests{0};
  std::atomic<int64_t> read_bytes{0};
  std::atomic<int64_t> write_requests{0};
  std::atomic<int64_t> write_bytes{0};
  std::atomic<int64_t> list_requests{0};
  std::atomic<int64_t> head_requests{0};
  std::atomic<int64_t> delete_requests{0};
};

/// Hears how far a long operation is. Called on the thread that called the operation only.
class TUSK_EXPORT ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  /// `done` of `total` units of `what` (a plural noun: "files", "rows"); `total` is -1 while
  /// unknown.
  virtual void Report(std::string_view what, int64_t done, int64_t total) = 0;
};

/// Work that was begun on other threads. Destroying it stops what has not begun and waits for what
/// has. A child after fork() has no part in its parent's work: there it only ends.
class TUSK_EXPORT BackgroundWork {
 public:
  virtual ~BackgroundWork() = default;
  /// Helps with what has not begun and returns when all that began has ended: OK, the first error,
  /// or Cancelled. InvalidArgument in a forked child.
  virtual Status Wait() = 0;
};

/// Threads for large work. Small work stays on the caller's thread and never comes here.
class TUSK_EXPORT Executor {
 public:
  virtual ~Executor() = default;
  /// Threads that work at the same time, the calling one included; at least 1.
  virtual int parallelism() const = 0;
  /// Runs `task(i)` for every i in [0, count), on the pool and on the calling thread, and returns
  /// when all that began have ended. The first error stops what has not begun and is returned;
  /// so is Cancelled once `stop` is triggered. If there is a `while_waiting`, the calling thread
  /// runs it at least every 50 ms and no task.
  virtual Status ParallelFor(int64_t count, const std::function<Status(int64_t)>& task,
                             const std::stop_token& stop,
                             const std::function<void()>& while_waiting) = 0;
  /// Begins to run `task(i)` for every i in [0, count) on the pool and returns at once. Errors and
  /// `stop` as in ParallelFor. What `task` uses must stay until the work has ended. Without other
  /// threads, as inside a task, all is done in Wait.
  virtual std::unique_ptr<BackgroundWork> Start(int64_t count, std::function<Status(int64_t)> task,
                                                std::stop_token stop) = 0;
};

/// A pool of `threads` that start on first use; 0 takes the number of cores. A child after fork()
/// starts threads of its own.
TUSK_EXPORT std::shared_ptr<Executor> MakeExecutor(int threads = 0);

/// The process's shared executor, one thread per core.
TUSK_EXPORT Executor* DefaultExecutor();

/// What an operation that reads or writes may use. It borrows all of it. A default-made one has
/// Arrow's default pool, no way to stop, the process's executor, no progress and no counters.
struct TUSK_EXPORT OperationContext {
  OperationContext();

  arrow::MemoryPool* pool;           ///< counts against the operation's budget, refuses beyond it
  std::stop_token stop;              ///< looked at between morsels and between requests
  Executor* executor;                ///< the threads for large work; never null
  ProgressSink* progress = nullptr;  ///< may be null; called on the calling thread
  IoCounters* io = nullptr;          ///< may be null

  /// Cancelled if the stop token was triggered.
  Status CheckStop() const;
};

}  // namespace tusk
