// Binds include/tusk/lance/session.h.
#include <nanobind/nanobind.h>

#include "call.h"
#include "table_modules.h"
#include "tables.h"

#include "tusk/lance/session.h"

namespace tusk::python {
namespace {

/// A session as Python holds it.
struct LanceSession {
  std::shared_ptr<const lance::Session> session;
};

}  // namespace

void BindLanceSession(nb::module_& module) {
  nb::class_<LanceSession>(module, "LanceSession")
      .def(
          "__init__",
          [](LanceSession* session, int64_t metadata_bytes, int64_t value_bytes) {
            lance::FileCacheOptions options;
            options.bytes = metadata_bytes;
            options.range_bytes = value_bytes;
            new (session) LanceSession{lance::Session::Make(options)};
          },
          nb::arg("metadata_bytes"), nb::arg("value_bytes"))
      .def_static(
          "of",
          [](const LanceTable& table) { return LanceSession{lance::Session::Of(*table.dataset)}; })
      .def_prop_ro("num_bytes",
                   [](const LanceSession& session) { return session.session->num_bytes(); })
      .def("is_same_as",
           [](const LanceSession& session, const LanceSession& other) {
             return session.session->IsSameAs(*other.session);
           })
      .def("join", [](const LanceSession& session, const LanceTable& table) {
        LanceTable joined{.dataset = nullptr, .io = table.io};
        joined.dataset = Call(table.io).Run([&](const OperationContext& /*context*/) {
          return session.session->Join(*table.dataset);
        });
        return joined;
      });
}

}  // namespace tusk::python
