#pragma once

#include <exception>
#include <string>
#include <utility>

#include <nanobind/nanobind.h>

#include "call.h"

#include "tusk/lance/dataset.h"

namespace tusk::python {

/// Tells a Python function (fragment as JSON, is_complete) of each fragment of a write. What the
/// function raises ends the write and is raised by it.
class PythonObserver {
 public:
  explicit PythonObserver(nb::object function) : function_(std::move(function)) {}

  /// Null without a function. Borrows this object.
  lance::FragmentObserver ToObserver();

  /// Runs an operation that was given the observer; raises what the function did.
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
  Status Tell(const std::string& fragment, bool is_complete);

  nb::object function_;
  std::exception_ptr error_;
};

}  // namespace tusk::python
