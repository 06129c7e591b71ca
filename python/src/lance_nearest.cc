// Binds include/tusk/lance/nearest.h.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "tables.h"

#include "tusk/lance/nearest.h"

namespace tusk::python {

void BindLanceNearest(nb::module_& module) {
  const lance::NearestOptions defaults;
  module.def(
      "find_nearest",
      [](const LanceTable& table, std::string column, std::vector<float> query, int64_t k,
         std::string metric, std::optional<std::vector<std::string>> columns,
         const nb::object& filter) {
        const lance::NearestOptions options{.column = std::move(column),
                                            .query = std::move(query),
                                            .k = k,
                                            .metric = std::move(metric),
                                            .columns = std::move(columns),
                                            .filter = ImportFilter(filter)};
        return ArrowStream(Call(table.io).Run([&](const OperationContext& context) {
          return lance::FindNearest(*table.dataset, options, context);
        }));
      },
      nb::arg("table"), nb::arg("column"), nb::arg("query"), nb::arg("k") = defaults.k,
      nb::arg("metric") = defaults.metric, nb::arg("columns") = nb::none(),
      nb::arg("filter") = nb::none());
}

}  // namespace tusk::python
