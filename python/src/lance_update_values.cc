// Binds include/tusk/lance/update_values.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/chrono.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/update_values.h"

namespace tusk::python {
namespace {

std::pair<LanceTable, int64_t> Update(
    std::string_view uri, const std::vector<std::pair<std::string, std::string>>& values,
    const nb::object& filter, int max_retries, std::chrono::milliseconds retry_timeout,
    std::optional<std::string> data_storage_version, const io::StorageOptions& storage_options,
    const nb::object& commit_lock) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  const auto bound = ImportFilter(filter);
  std::vector<lance::NamedExpression> named;
  for (const auto& [name, expression] : values) named.push_back({name, expression});
  PythonLock lock(commit_lock);
  const lance::UpdateOptions options{.max_retries = max_retries,
                                     .retry_timeout = retry_timeout,
                                     .data_storage_version = std::move(data_storage_version),
                                     .transaction_properties = {},
                                     .commit_lock = lock.ToCommitLock()};
  LanceTable table;
  const lance::UpdateResult result = lock.RunWith([&] {
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::UpdateValues(place, named, bound, options, context);
    });
  });
  table.dataset = result.dataset;
  return {std::move(table), result.num_updated_rows};
}

}  // namespace

void BindLanceUpdateValues(nb::module_& module) {
  module.def("update_lance", &Update, nb::arg("uri"), nb::arg("values"),
             nb::arg("filter") = nb::none(), nb::arg("max_retries"), nb::arg("retry_timeout"),
             nb::arg("data_storage_version") = nb::none(),
             nb::arg("storage_options") = io::StorageOptions(),
             nb::arg("commit_lock") = nb::none());
}

}  // namespace tusk::python
