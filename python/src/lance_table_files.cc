// Binds include/tusk/lance/table_files.h.
#include <arrow/record_batch.h>
#include <nanobind/nanobind.h>

#include "arrow_data.h"
#include "call.h"
#include "table_modules.h"
#include "tables.h"

#include "tusk/lance/table_files.h"

namespace tusk::python {

void BindLanceTableFiles(nb::module_& module) {
  module.def(
      "list_lance_files",
      [](const LanceTable& table) {
        return ArrowBatch{Call(table.io).Run([&](const OperationContext& context) {
          return lance::ListFiles(*table.dataset, context);
        })};
      },
      nb::arg("table"));
  module.def(
      "list_lance_version_files",
      [](const LanceTable& table, uint64_t version) {
        return ArrowBatch{Call(table.io).Run([&](const OperationContext& context) {
          return lance::ListVersionFiles(*table.dataset, version, context);
        })};
      },
      nb::arg("table"), nb::arg("version"));
}

}  // namespace tusk::python
