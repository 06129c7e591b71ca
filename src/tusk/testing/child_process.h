#pragma once

#include <functional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tusk {

/// Starts `work` in a child process, which ends with 0 afterwards, or 1 if an expectation failed.
inline pid_t StartChild(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  return child;
}

/// Waits for the child; true if a signal killed it. Expects that it did not end with an error.
inline bool WaitKilled(pid_t child) {
  int state = 0;
  EXPECT_EQ(waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFSIGNALED(state) || WEXITSTATUS(state) == 0) << "the child failed";
  return WIFSIGNALED(state);
}

}  // namespace tusk
