// Binds include/tusk/lance/fragment_changes.h.
#include <optional>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_observer.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/base_targets.h"
#include "tusk/lance/fragment_changes.h"

namespace tusk::python {
namespace {

/// A function that changes one fragment by data and a key: `change` is one of those of the header.
template <auto change>
std::string ByKey(const LanceTable& table, uint64_t fragment, const nb::object& data,
                  const std::string& left_on, const std::string& right_on) {
  const auto reader = ImportStream(data);
  return Call(table.io).Run([&](const OperationContext& context) {
    return change(*table.dataset, fragment, reader.get(), left_on, right_on, context);
  });
}

}  // namespace

void BindLanceFragmentChanges(nb::module_& module) {
  module.def(
      "prepare_lance_write",
      [](const nb::object& data, std::string_view uri, std::string_view mode,
         lance::WriteOptions options, const io::StorageOptions& storage_options,
         nb::object observer, const lance::BaseTargets& targets) {
        options.mode = ParseMode(mode);
        const auto place = OrRaise(io::ResolveUri(uri, storage_options));
        const auto reader = ImportStream(data);
        PythonObserver watch(std::move(observer));
        options.observer = watch.ToObserver();
        return watch.RunWith([&] {
          return Call().Run([&](const OperationContext& context) {
            return lance::PrepareWrite(reader.get(), place, options, targets, context);
          });
        });
      },
      nb::arg("data"), nb::arg("uri"), nb::arg("mode"), nb::arg("options"),
      nb::arg("storage_options") = io::StorageOptions(), nb::arg("observer") = nb::none(),
      nb::arg("targets") = lance::BaseTargets());
  module.def("add_lance_fragment_columns", [](const LanceTable& table, uint64_t fragment,
                                              const nb::object& data,
                                              const lance::ChangeColumnsOptions& options) {
    const auto reader = ImportStream(data);
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::AddFragmentColumns(*table.dataset, fragment, reader.get(), options, context);
    });
  });
  module.def("join_lance_fragment_columns", &ByKey<&lance::JoinFragmentColumns>);
  module.def("update_lance_fragment_columns", &ByKey<&lance::UpdateFragmentColumns>);
  module.def(
      "delete_lance_fragment_rows",
      [](const LanceTable& table, uint64_t fragment, const nb::object& filter,
         const std::vector<int64_t>& offsets) {
        const auto bound = ImportFilter(filter);
        return Call(table.io).Run([&](const OperationContext& context) {
          return lance::DeleteFragmentRows(*table.dataset, fragment, bound, offsets, context);
        });
      },
      nb::arg("table"), nb::arg("fragment"), nb::arg("filter").none(), nb::arg("offsets"));
  module.def(
      "describe_lance_data_file",
      [](const LanceTable& table, std::string_view path, std::optional<uint32_t> base_id) {
        return Call(table.io).Run([&](const OperationContext& context) {
          return lance::DescribeDataFile(*table.dataset, path, base_id, context);
        });
      },
      nb::arg("table"), nb::arg("path"), nb::arg("base_id") = nb::none());
}

}  // namespace tusk::python
