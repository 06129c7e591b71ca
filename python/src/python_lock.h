#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <utility>

#include <nanobind/nanobind.h>

#include "call.h"

#include "tusk/lance/commit_lock.h"

namespace tusk::python {

/// Publishes a version within the context manager that a Python function, or nothing at all if it
/// is None, gives for its number. What the function or the manager raises is raised by the commit,
/// unless it is a CommitConflictError: then another writer has the version.
class PythonLock {
 public:
  explicit PythonLock(nb::object function) : function_(std::move(function)) {}

  /// Null without a function. Borrows this object.
  lance::CommitLock ToCommitLock();

  /// Runs an operation that was given the lock; raises what the lock did.
  template <typename Operation>
  auto RunWith(Operation&& operation) {
    try {
      return operation();
    } catch (const StatusError&) {
      if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
      throw;
    }
  }

 private:
  Status Publish(uint64_t version, const std::function<Status()>& publish);

  nb::object function_;
  std::exception_ptr error_;
};

}  // namespace tusk::python
