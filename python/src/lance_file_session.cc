// Binds include/tusk/lance/file_session.h.
#include <memory>

#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string_view.h>

#include "call.h"
#include "module.h"
#include "tables.h"

#include "tusk/lance/file_session.h"

namespace tusk::python {

void BindLanceFileSession(nb::module_& module) {
  using lance::FileSession;
  const lance::FileCacheOptions defaults;
  nb::class_<FileSession>(module, "LanceFileSession")
      .def(
          "__init__",
          [](FileSession* self, const io::StorePath& base, int64_t metadata_bytes, int64_t files) {
            new (self) FileSession(base, {.bytes = metadata_bytes, .files = files});
          },
          nb::arg("base"), nb::arg("metadata_bytes") = defaults.bytes,
          nb::arg("files") = defaults.files)
      .def_prop_ro("base", [](const FileSession& session) { return session.base(); })
      .def(
          "open",
          [](const FileSession& session, std::string_view path) {
            LanceFile file;
            file.file = Call(file.io).Run(
                [&](const OperationContext& context) { return session.OpenFile(path, context); });
            return file;
          },
          nb::arg("path"));
}

}  // namespace tusk::python
