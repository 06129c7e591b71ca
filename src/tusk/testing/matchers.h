#pragma once

#include <ostream>

#include <gmock/gmock.h>

#include "tusk/base/result.h"

namespace tusk {

inline Status ToStatus(const Status& status) { return status; }
template <typename T>
Status ToStatus(const Result<T>& result) {
  return result.status();
}

/// Matches an OK Status or Result.
MATCHER(IsOk, "is OK") {
  const Status status = ToStatus(arg);
  *result_listener << status.ToString();
  return status.ok();
}

/// Matches a failed Status or Result with `code`.
MATCHER_P(FailsWith, code, "fails with " + std::string(ErrorCodeName(code))) {
  const Status status = ToStatus(arg);
  *result_listener << status.ToString();
  return GetErrorCode(status) == code;
}

}  // namespace tusk

#define TUSK_TEST_CONCAT_INNER(a, b) a##b
#define TUSK_TEST_CONCAT(a, b) TUSK_TEST_CONCAT_INNER(a, b)
// `lhs` may be a declaration, which takes no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define TUSK_ASSERT_OK_AND_ASSIGN_INNER(name, lhs, expression) \
  auto name = (expression);                                    \
  ASSERT_TRUE(name.ok()) << name.status().ToString();          \
  lhs = std::move(name).ValueUnsafe()
// NOLINTEND(bugprone-macro-parentheses)
/// Fails the test if `expression` (a Result) failed, else moves its value into `lhs`.
#define ASSERT_OK_AND_ASSIGN(lhs, expression) \
  TUSK_ASSERT_OK_AND_ASSIGN_INNER(TUSK_TEST_CONCAT(result_, __LINE__), lhs, expression)
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::tusk::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT((expression), ::tusk::IsOk())
