#pragma once

#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include <nanobind/nanobind.h>

#include "interrupt.h"

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::python {

namespace nb = nanobind;

/// A failed Status on its way to Python, where it becomes the class of tusk.errors for its code.
class StatusError : public std::exception {
 public:
  explicit StatusError(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }

 private:
  Status status_;
};

/// Registers the translation of StatusError to the classes of tusk.errors.
void BindErrors();

template <typename T>
T OrRaise(Result<T> result) {
  if (!result.ok()) throw StatusError(result.status());
  return std::move(result).ValueUnsafe();
}
inline void OrRaise(Status status) {
  if (!status.ok()) throw StatusError(std::move(status));
}

/// Hands progress to a Python function (what, done, total). What the function raises stops the
/// operation and is raised by it.
class PythonProgress final : public ProgressSink {
 public:
  PythonProgress(nb::object function, std::stop_source stop)
      : function_(std::move(function)), stop_(std::move(stop)) {}
  void Report(std::string_view what, int64_t done, int64_t total) override;
  void RaiseIfFailed();

 private:
  nb::object function_;
  std::stop_source stop_;
  std::exception_ptr error_;
};

/// The context of one call from Python, which Ctrl-C can stop. Made with the GIL.
class Call {
 public:
  explicit Call(std::shared_ptr<IoCounters> io = nullptr, nb::object progress = nb::none());

  const OperationContext& context() const { return context_; }
  std::stop_source stop() const { return stop_; }
  bool interruptible() const { return interruptible_; }

  /// Runs `operation(context)` without the GIL and gives its value or raises its error;
  /// KeyboardInterrupt if that was what stopped it.
  template <typename Operation>
  auto Run(Operation&& operation) {
    auto result = [&] {
      const nb::gil_scoped_release release;
      const InterruptScope scope(stop_, interruptible_);
      return operation(context_);
    }();
    if (!result.ok()) RaisePending();
    return OrRaise(std::move(result));
  }

 private:
  void RaisePending();

  std::stop_source stop_;
  std::shared_ptr<IoCounters> io_;
  std::unique_ptr<PythonProgress> progress_;
  OperationContext context_;
  bool interruptible_;
};

}  // namespace tusk::python
