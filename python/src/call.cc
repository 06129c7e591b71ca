#include "call.h"

#include <string>

#include <nanobind/stl/string.h>

namespace tusk::python {

namespace {

/// The text of an error, which may quote a path that is no UTF-8.
nb::object MessageToPython(const std::string& message) {
  const auto size = static_cast<Py_ssize_t>(message.size());
  PyObject* text = PyUnicode_DecodeUTF8(message.data(), size, "backslashreplace");
  if (text == nullptr) throw nb::python_error();
  return nb::steal(text);
}

}  // namespace

void BindErrors() {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const StatusError& error) {
      const std::string code(ErrorCodeName(*GetErrorCode(error.status())));
      const nb::object raised =
          nb::module_::import_("tusk.errors")
              .attr("make_error")(code, MessageToPython(error.status().message()));
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
    }
  });
}

void PythonProgress::Report(std::string_view what, int64_t done, int64_t total) {
  if (error_ != nullptr) return;
  const nb::gil_scoped_acquire acquire;
  try {
    function_(nb::str(what.data(), what.size()), done, total);
  } catch (...) {
    error_ = std::current_exception();
    stop_.request_stop();
  }
}

void PythonProgress::RaiseIfFailed() {
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

Call::Call(std::shared_ptr<IoCounters> io, nb::object progress)
    : io_(std::move(io)), interruptible_(CtrlCRaises()) {
  context_.stop = stop_.get_token();
  context_.io = io_.get();
  if (!progress.is_none()) {
    progress_ = std::make_unique<PythonProgress>(std::move(progress), stop_);
    context_.progress = progress_.get();
  }
}

void Call::RaisePending() {
  if (progress_ != nullptr) progress_->RaiseIfFailed();
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

}  // namespace tusk::python
