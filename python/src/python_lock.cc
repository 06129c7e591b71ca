#include "python_lock.h"

#include <string>

#include <nanobind/stl/string.h>

namespace tusk::python {
namespace {

void Leave(const nb::object& manager, const Status& status) {
  if (status.ok()) {
    manager.attr("__exit__")(nb::none(), nb::none(), nb::none());
    return;
  }
  const std::string code(ErrorCodeName(*GetErrorCode(status)));
  const nb::object error =
      nb::module_::import_("tusk.errors").attr("make_error")(code, status.message());
  manager.attr("__exit__")(error.type(), error, nb::none());
}

}  // namespace

lance::CommitLock PythonLock::ToCommitLock() {
  if (function_.is_none()) return nullptr;
  return [this](uint64_t version, const std::function<Status()>& publish) {
    return Publish(version, publish);
  };
}

Status PythonLock::Publish(uint64_t version, const std::function<Status()>& publish) {
  const nb::gil_scoped_acquire acquire;
  Status status;
  try {
    const nb::object manager = function_(version);
    manager.attr("__enter__")();
    {
      const nb::gil_scoped_release release;
      status = publish();
    }
    Leave(manager, status);
  } catch (nb::python_error& error) {
    if (!status.ok()) return status;  // the manager has raised what it was given, or worse
    if (nb::cast<std::string>(error.type().attr("__name__")) == "CommitConflictError") {
      return CommitConflict(error.what());
    }
    error_ = std::current_exception();
    return InvalidArgument("the commit lock has raised an exception");
  }
  return status;
}

}  // namespace tusk::python
