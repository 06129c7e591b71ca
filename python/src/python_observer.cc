#include "python_observer.h"

#include <nanobind/stl/string.h>

namespace tusk::python {

lance::FragmentObserver PythonObserver::ToObserver() {
  if (function_.is_none()) return nullptr;
  return
      [this](const std::string& fragment, bool is_complete) { return Tell(fragment, is_complete); };
}

Status PythonObserver::Tell(const std::string& fragment, bool is_complete) {
  const nb::gil_scoped_acquire acquire;
  try {
    function_(fragment, is_complete);
  } catch (nb::python_error&) {
    error_ = std::current_exception();
    return InvalidArgument("who watches the write has raised an exception");
  }
  return Status::OK();
}

}  // namespace tusk::python
