// Binds include/tusk/lance/join_columns.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/join_columns.h"

namespace tusk::python {

void BindLanceJoinColumns(nb::module_& module) {
  module.def(
      "join_columns_lance",
      [](const nb::object& data, std::string_view uri, const std::string& left_on,
         const std::string& right_on, const io::StorageOptions& storage_options,
         const nb::object& commit_lock) {
        const auto place = OrRaise(io::ResolveUri(uri, storage_options));
        const auto reader = ImportStream(data);
        PythonLock lock(commit_lock);
        lance::JoinColumnsOptions options;
        options.commit_lock = lock.ToCommitLock();
        LanceTable table;
        table.dataset = lock.RunWith([&] {
          return Call(table.io).Run([&](const OperationContext& context) {
            return lance::JoinColumns(reader.get(), place, left_on, right_on, options, context);
          });
        });
        return table;
      },
      nb::arg("data"), nb::arg("uri"), nb::arg("left_on"), nb::arg("right_on"),
      nb::arg("storage_options") = io::StorageOptions(), nb::arg("commit_lock") = nb::none());
}

}  // namespace tusk::python
