// Binds include/tusk/lance/dataset_description.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"
#include "tables.h"

#include "tusk/lance/dataset_description.h"

namespace tusk::python {

void BindLanceDatasetDescription(nb::module_& module) {
  using lance::DatasetColumn;
  using lance::DatasetDescription;
  nb::class_<DatasetColumn>(module, "LanceDatasetColumn")
      .def_ro("field", &DatasetColumn::field)
      .def_ro("logical_type", &DatasetColumn::logical_type)
      .def_ro("num_files", &DatasetColumn::num_files)
      .def_ro("num_pages", &DatasetColumn::num_pages)
      .def_ro("num_values", &DatasetColumn::num_values)
      .def_ro("num_bytes", &DatasetColumn::num_bytes)
      .def_ro("encodings", &DatasetColumn::encodings);
  nb::class_<DatasetDescription>(module, "LanceDatasetDescription")
      .def_ro("num_rows", &DatasetDescription::num_rows)
      .def_ro("num_files", &DatasetDescription::num_files)
      .def_ro("num_bytes", &DatasetDescription::num_bytes)
      .def_ro("columns", &DatasetDescription::columns);
  module.def(
      "describe_lance",
      [](const LanceTable& table) {
        return Call(table.io).Run([&](const OperationContext& context) {
          return lance::DescribeDataset(*table.dataset, context);
        });
      },
      nb::arg("table"));
  using lance::DatasetVerification;
  nb::class_<DatasetVerification>(module, "LanceDatasetVerification")
      .def_ro("num_files", &DatasetVerification::num_files)
      .def_ro("num_files_with_checksums", &DatasetVerification::num_files_with_checksums)
      .def_ro("num_bytes", &DatasetVerification::num_bytes)
      .def_ro("damages", &DatasetVerification::damages);
  module.def(
      "verify_lance",
      [](const LanceTable& table) {
        return Call(table.io).Run([&](const OperationContext& context) {
          return lance::VerifyDataset(*table.dataset, context);
        });
      },
      nb::arg("table"));
}

}  // namespace tusk::python
