// Binds include/tusk/lance/cleanup.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"
#include "tables.h"

#include "tusk/lance/cleanup.h"

namespace tusk::python {

void BindLanceCleanup(nb::module_& module) {
  using lance::CleanupOptions;
  using lance::RemovableFile;
  using lance::TableCleanupReport;
  nb::class_<CleanupOptions>(module, "LanceCleanupOptions")
      .def(nb::init<>())
      .def_rw("older_than_ms", &CleanupOptions::older_than_ms, nb::arg().none())
      .def_rw("keep_last", &CleanupOptions::keep_last, nb::arg().none())
      .def_rw("versions", &CleanupOptions::versions, nb::arg().none())
      .def_rw("delete_unverified", &CleanupOptions::delete_unverified)
      .def_rw("error_if_tagged", &CleanupOptions::error_if_tagged)
      .def_rw("dry_run", &CleanupOptions::dry_run)
      .def_rw("deletes_per_second", &CleanupOptions::deletes_per_second, nb::arg().none());
  nb::class_<RemovableFile>(module, "LanceRemovableFile")
      .def_ro("path", &RemovableFile::path)
      .def_prop_ro("kind",
                   [](const RemovableFile& file) { return lance::TableFileKindName(file.kind); })
      .def_ro("is_unverified", &RemovableFile::is_unverified)
      .def_ro("size_bytes", &RemovableFile::size_bytes);
  nb::class_<TableCleanupReport>(module, "LanceCleanupReport")
      .def_ro("files", &TableCleanupReport::files)
      .def_ro("failed_deletes", &TableCleanupReport::failed_deletes)
      .def_ro("first_failure", &TableCleanupReport::first_failure);
  module.def(
      "clean_up_lance",
      [](const LanceTable& table, const CleanupOptions& options) {
        return Call(table.io).Run([&](const OperationContext& context) {
          return lance::CleanUp(*table.dataset, options, context);
        });
      },
      nb::arg("table"), nb::arg("options"));
}

}  // namespace tusk::python
