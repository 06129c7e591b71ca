#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tusk/base/operation_context.h"
#include "tusk/testing/matchers.h"

namespace tusk {
namespace {

TEST(ExecutorTest, RunsEveryTaskOnce) {
  const auto executor = MakeExecutor(3);
  std::vector<std::atomic<int>> runs(1000);
  const auto count = [&](int64_t i) {
    ++runs[i];
    return Status::OK();
  };
  ASSERT_TRUE(executor->ParallelFor(1000, count, {}, nullptr).ok());
  for (const auto& n : runs) EXPECT_EQ(n, 1);
}

TEST(ExecutorTest, ReturnsTheErrorAndStopsWhatHasNotBegun) {
  const auto executor = MakeExecutor(2);
  std::atomic<int64_t> begun = 0;
  const auto fail_at_ten = [&](int64_t i) {
    ++begun;
    return i == 10 ? IoError("task ", i) : Status::OK();
  };
  EXPECT_THAT(executor->ParallelFor(1'000'000, fail_at_ten, {}, nullptr),
              FailsWith(ErrorCode::kIo));
  EXPECT_LT(begun, 1'000'000);
}

TEST(ExecutorTest, StopsWhenAskedTo) {
  const auto executor = MakeExecutor(2);
  std::stop_source source;
  const auto stop_at_five = [&](int64_t i) {
    if (i == 5) source.request_stop();
    return Status::OK();
  };
  EXPECT_THAT(executor->ParallelFor(1'000'000, stop_at_five, source.get_token(), nullptr),
              FailsWith(ErrorCode::kCancelled));
}

TEST(ExecutorTest, RunsANestedLoopInline) {
  const auto executor = MakeExecutor(2);
  std::atomic<int> runs = 0;
  const auto inner = [&](int64_t) {
    ++runs;
    return Status::OK();
  };
  const auto outer = [&](int64_t) { return executor->ParallelFor(10, inner, {}, nullptr); };
  ASSERT_TRUE(executor->ParallelFor(10, outer, {}, nullptr).ok());
  EXPECT_EQ(runs, 100);
}

TEST(ExecutorTest, WorksOnTheCallingThreadToo) {
  const auto executor = MakeExecutor(3);
  std::array<std::thread::id, 3> threads;
  std::atomic<int> begun = 0;
  std::atomic<int> inner = 0;
  const auto nested = [&](int64_t) {
    ++inner;
    return Status::OK();
  };
  const auto wait_for_others = [&](int64_t i) {
    threads[i] = std::this_thread::get_id();
    ++begun;
    while (begun < 3) std::this_thread::yield();
    return executor->ParallelFor(5, nested, {}, nullptr);
  };
  ASSERT_OK(executor->ParallelFor(3, wait_for_others, {}, nullptr));
  EXPECT_EQ(std::ranges::count(threads, std::this_thread::get_id()), 1);
  EXPECT_EQ(inner, 15);
}

TEST(ExecutorTest, WorksOnNoMoreThreadsThanItSays) {
  const auto executor = MakeExecutor(3);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto sleep = [&](int64_t) {
    const int now = ++running;
    for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --running;
    return Status::OK();
  };
  ASSERT_OK(executor->ParallelFor(100, sleep, {}, nullptr));
  EXPECT_LE(most, executor->parallelism());
}

TEST(ExecutorTest, CallsBackOnTheCallingThreadWhileItWaits) {
  const auto executor = MakeExecutor(2);
  std::atomic<bool> called = false;
  const auto caller = std::this_thread::get_id();
  const auto wait_for_call = [&](int64_t) {
    while (!called) std::this_thread::yield();
    return Status::OK();
  };
  ASSERT_TRUE(executor
                  ->ParallelFor(2, wait_for_call, {},
                                [&] {
                                  EXPECT_EQ(std::this_thread::get_id(), caller);
                                  called = true;
                                })
                  .ok());
}

TEST(ExecutorTest, WorksWhileTheCallerGoesOn) {
  const auto executor = MakeExecutor(2);
  std::atomic<int> runs = 0;
  const auto work = executor->Start(100,
                                    [&](int64_t) {
                                      ++runs;
                                      return Status::OK();
                                    },
                                    {});
  while (runs == 0) std::this_thread::yield();
  EXPECT_TRUE(work->Wait().ok());
  EXPECT_EQ(runs, 100);
  EXPECT_TRUE(work->Wait().ok());
}

TEST(ExecutorTest, DoesStartedWorkInWaitWithoutOtherThreads) {
  const auto executor = MakeExecutor(1);
  const auto caller = std::this_thread::get_id();
  int runs = 0;
  const auto work = executor->Start(3,
                                    [&](int64_t i) {
                                      EXPECT_EQ(std::this_thread::get_id(), caller);
                                      ++runs;
                                      return i == 1 ? IoError("task ", i) : Status::OK();
                                    },
                                    {});
  EXPECT_EQ(runs, 0);
  EXPECT_THAT(work->Wait(), FailsWith(ErrorCode::kIo));
  EXPECT_EQ(runs, 2);
}

TEST(ExecutorTest, EndsStartedWorkThatNobodyWaitsFor) {
  const auto executor = MakeExecutor(2);
  std::atomic<int64_t> begun = 0;
  std::atomic<int64_t> ended = 0;
  {
    const auto work = executor->Start(1'000'000'000,
                                      [&](int64_t) {
                                        ++begun;
                                        std::this_thread::yield();
                                        ++ended;
                                        return Status::OK();
                                      },
                                      {});
    while (begun == 0) std::this_thread::yield();
  }
  EXPECT_EQ(begun, ended);
  EXPECT_LT(begun, 1'000'000'000);
}

TEST(ExecutorTest, RefusesToWaitForWorkOfTheParentProcess) {
  const auto executor = MakeExecutor(2);
  std::atomic<bool> may_end = false;
  const auto work = executor->Start(1,
                                    [&](int64_t) {
                                      while (!may_end) std::this_thread::yield();
                                      return Status::OK();
                                    },
                                    {});
  const pid_t child = fork();
  if (child == 0) _exit(GetErrorCode(work->Wait()) == ErrorCode::kInvalidArgument ? 0 : 1);
  may_end = true;
  int state = -1;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_EQ(state, 0);
  EXPECT_TRUE(work->Wait().ok());
}

TEST(ExecutorTest, WorksInAForkedChild) {
  const auto executor = MakeExecutor(2);
  const auto nothing = [](int64_t) { return Status::OK(); };
  ASSERT_TRUE(executor->ParallelFor(4, nothing, {}, nullptr).ok());
  const pid_t child = fork();
  if (child == 0) _exit(executor->ParallelFor(4, nothing, {}, nullptr).ok() ? 0 : 1);
  int state = -1;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_EQ(state, 0);
}

}  // namespace
}  // namespace tusk
