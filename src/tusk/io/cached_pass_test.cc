#include "tusk/io/cached_pass.h"

#include <atomic>
#include <memory>
#include <stop_token>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::io {
namespace {

TEST(CachedPassTest, ReadsEachOnceOnOneThreadAndOnSeveral) {
  for (const int threads : {1, 2, 5}) {
    const std::shared_ptr<Executor> executor = MakeExecutor(threads);
    OperationContext context;
    context.executor = executor.get();
    for (const size_t count : {0, 1, 15, 17, 1000}) {
      std::vector<std::atomic<int>> calls(count);
      const auto read = [&](size_t i) {
        ++calls[i];
        return true;
      };
      ASSERT_OK(TryCached(count, read, context));
      EXPECT_THAT(calls, testing::Each(testing::Eq(1)));
    }
  }
}

TEST(CachedPassTest, LeavesTheRestWhereMostIsMissing) {
  const std::shared_ptr<Executor> executor = MakeExecutor(3);
  OperationContext context;
  context.executor = executor.get();
  std::atomic<size_t> calls = 0;
  const auto nothing = [&](size_t /*i*/) {
    ++calls;
    return false;
  };
  ASSERT_OK(TryCached(10'000, nothing, context));
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, 3 * 16);
  // One in four is not most.
  calls = 0;
  const auto three_in_four = [&](size_t i) {
    ++calls;
    return i % 4 != 0;
  };
  ASSERT_OK(TryCached(10'000, three_in_four, context));
  EXPECT_EQ(calls, 10'000);
}

TEST(CachedPassTest, StopsWhenAskedTo) {
  std::stop_source source;
  OperationContext context;
  context.stop = source.get_token();
  std::atomic<size_t> calls = 0;
  const auto read = [&](size_t /*i*/) {
    if (++calls == 100) source.request_stop();
    return true;
  };
  EXPECT_THAT(TryCached(100'000, read, context), FailsWith(ErrorCode::kCancelled));
  EXPECT_LT(calls, 50'000);
}

}  // namespace
}  // namespace tusk::io
