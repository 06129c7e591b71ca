// Binds include/tusk/lake/overview.h.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"

#include "tusk/lake/overview.h"

namespace tusk::python {

void BindLakeOverview(nb::module_& module) {
  using lake::TableOverview;
  nb::class_<TableOverview>(module, "TableOverview")
      .def_prop_ro("name", [](const TableOverview& table) { return table.name.ToString(); })
      .def_prop_ro("kind", [](const TableOverview& table) { return TableKindName(table.kind); })
      .def_ro("location", &TableOverview::location)
      .def_ro("version", &TableOverview::version)
      .def_ro("rows", &TableOverview::rows)
      .def_ro("files", &TableOverview::files)
      .def_ro("bytes", &TableOverview::bytes)
      .def_ro("indices", &TableOverview::indices)
      .def_ro("model", &TableOverview::model)
      .def_ro("health", &TableOverview::health);
  module.def(
      "show_tables",
      [](const lake::Lake& lake) {
        return Call().Run(
            [&](const OperationContext& context) { return lake::ShowTables(lake, context); });
      },
      nb::arg("lake"));
}

}  // namespace tusk::python
