#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "tusk/base/operation_context.h"

namespace tusk {
namespace {

constexpr auto kWaitInterval = std::chrono::milliseconds(50);

/// Cleared on the pool's own threads, and on a calling thread while it works with them: a
/// ParallelFor inside a task runs inline, or it could wait for threads that all wait.
// Not zero at first: mold 1.10 lets the part of a program that becomes read-only begin at zeroed
// thread-local memory, even where no page is, and such a program does not start.
thread_local bool is_outside_pool = true;

/// The tasks of one call: threads draw indices from it until none is left or one has failed. Tasks
/// are morsels of large work, so one lock per draw costs nothing that shows.
class Batch {
 public:
  Batch(int64_t count, std::function<Status(int64_t)> task, std::stop_token stop)
      : count_(count), task_(std::move(task)), stop_(std::move(stop)) {}

  /// Draws and runs until nothing is left to begin.
  void Work() {
    std::unique_lock lock(mutex_);
    while (!NothingToBegin()) {
      const int64_t index = next_++;
      ++running_;
      lock.unlock();
      Status status = task_(index);
      lock.lock();
      --running_;
      if (status_.ok() && !status.ok()) status_ = std::move(status);
    }
    if (running_ == 0) finished_.notify_all();
  }

  /// Waits for the end, or one interval. True at the end.
  bool WaitFinished() {
    std::unique_lock lock(mutex_);
    return finished_.wait_for(lock, kWaitInterval,
                              [&] { return NothingToBegin() && running_ == 0; });
  }

  Status status() {
    std::lock_guard lock(mutex_);
    return status_;
  }

  /// Nothing more begins.
  void Cancel() {
    std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = Cancelled("nobody waits for this work any more");
  }

 private:
  bool NothingToBegin() {
    if (next_ >= count_ || !status_.ok()) return true;
    if (stop_.stop_requested()) status_ = Cancelled("operation was cancelled");
    return !status_.ok();
  }

  const int64_t count_;
  const std::function<Status(int64_t)> task_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable finished_;
  int64_t next_ = 0;
  int64_t running_ = 0;
  Status status_;
};

/// The threads of one process.
class Threads {
 public:
  explicit Threads(int count) : process_(getpid()) {
    threads_.reserve(count);
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { Loop(); });
  }

  ~Threads() {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  pid_t process() const { return process_; }

  /// Asks up to `count` threads to work on `batch`.
  void Offer(const std::shared_ptr<Batch>& batch, int64_t count) {
    const auto offers = std::min<int64_t>(count, std::ssize(threads_));
    {
      std::lock_guard lock(mutex_);
      offers_.insert(offers_.end(), offers, batch);
    }
    for (int64_t i = 0; i < offers; ++i) wake_.notify_one();
  }

 private:
  void Loop() {
    is_outside_pool = false;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return closing_ || !offers_.empty(); });
      if (offers_.empty()) return;
      std::shared_ptr<Batch> batch = std::move(offers_.front());
      offers_.pop_front();
      lock.unlock();
      batch->Work();
      batch.reset();
      lock.lock();
    }
  }

  const pid_t process_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Batch>> offers_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

class StartedBatch final : public BackgroundWork {
 public:
  explicit StartedBatch(std::shared_ptr<Batch> batch)
      : process_(getpid()), batch_(std::move(batch)) {}

  ~StartedBatch() override {
    if (process_ != getpid()) return;
    batch_->Cancel();
    while (!batch_->WaitFinished()) {
    }
  }

  Status Wait() override {
    if (process_ != getpid()) {
      return InvalidArgument("this work was begun before the process forked: begin it again");
    }
    batch_->Work();
    while (!batch_->WaitFinished()) {
    }
    return batch_->status();
  }

 private:
  const pid_t process_;
  const std::shared_ptr<Batch> batch_;
};

class PoolExecutor final : public Executor {
 public:
  explicit PoolExecutor(int threads) : parallelism_(threads) {}

  ~PoolExecutor() override {
    // The threads of a parent process do not exist here: forget them, nobody can join them.
    if (threads_ != nullptr && threads_->process() != getpid()) (void)threads_.release();
  }

  int parallelism() const override { return parallelism_; }

  Status ParallelFor(int64_t count, const std::function<Status(int64_t)>& task,
                     const std::stop_token& stop,
                     const std::function<void()>& while_waiting) override {
    auto batch = std::make_shared<Batch>(count, task, stop);
    if (count <= 1 || parallelism_ == 1 || !is_outside_pool) {
      batch->Work();
      return batch->status();
    }
    if (while_waiting) {
      OwnThreads().Offer(batch, count);
    } else {
      OwnThreads().Offer(batch, std::min<int64_t>(count, parallelism_) - 1);
      is_outside_pool = false;
      batch->Work();
      is_outside_pool = true;
    }
    while (!batch->WaitFinished()) {
      if (while_waiting) while_waiting();
    }
    return batch->status();
  }

  std::unique_ptr<BackgroundWork> Start(int64_t count, std::function<Status(int64_t)> task,
                                        std::stop_token stop) override {
    auto batch = std::make_shared<Batch>(count, std::move(task), std::move(stop));
    if (parallelism_ > 1 && is_outside_pool) OwnThreads().Offer(batch, count);
    return std::make_unique<StartedBatch>(std::move(batch));
  }

 private:
  Threads& OwnThreads() {
    std::lock_guard lock(mutex_);
    if (threads_ != nullptr && threads_->process() != getpid()) (void)threads_.release();
    if (threads_ == nullptr) threads_ = std::make_unique<Threads>(parallelism_);
    return *threads_;
  }

  const int parallelism_;
  std::mutex mutex_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace

std::shared_ptr<Executor> MakeExecutor(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return std::make_shared<PoolExecutor>(threads);
}

Executor* DefaultExecutor() {
  // Never destroyed: at exit its threads may still hold locks that other destructors wait for.
  static auto* executor = new std::shared_ptr<Executor>(MakeExecutor());
  return executor->get();
}

}  // namespace tusk
