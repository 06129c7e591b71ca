// Binds include/tusk/base/operation_context.h.
#include "tusk/base/operation_context.h"

#include "module.h"

namespace tusk::python {

namespace nb = nanobind;

void BindOperationContext(nb::module_& module) {
  nb::class_<IoCounters>(module, "IoCounters")
      .def_prop_ro("read_requests", [](const IoCounters& io) { return io.read_requests.load(); })
      .def_prop_ro("read_bytes", [](const IoCounters& io) { return io.read_bytes.load(); })
      .def_prop_ro("write_requests", [](const IoCounters& io) { return io.write_requests.load(); })
      .def_prop_ro("write_bytes", [](const IoCounters& io) { return io.write_bytes.load(); })
      .def_prop_ro("list_requests", [](const IoCounters& io) { return io.list_requests.load(); })
      .def_prop_ro("head_requests", [](const IoCounters& io) { return io.head_requests.load(); })
      .def_prop_ro("delete_requests",
                   [](const IoCounters& io) { return io.delete_requests.load(); });
}

}  // namespace tusk::python
