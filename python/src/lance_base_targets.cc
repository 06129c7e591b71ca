// Binds include/tusk/lance/base_targets.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "table_modules.h"
#include "tables.h"

#include "tusk/lance/base_targets.h"

namespace nb = nanobind;

namespace tusk::python {

void BindLanceBaseTargets(nb::module_& module) {
  using lance::BaseChoice;
  using lance::BaseTargets;
  using lance::NewBasePath;
  nb::class_<NewBasePath>(module, "LanceBasePath")
      .def(
          "__init__",
          [](NewBasePath* base, uint32_t id, std::optional<std::string> name, bool is_dataset_root,
             std::string path) {
            new (base) NewBasePath{.id = id,
                                   .name = std::move(name),
                                   .is_dataset_root = is_dataset_root,
                                   .path = std::move(path)};
          },
          nb::arg("id"), nb::arg("name").none(), nb::arg("is_dataset_root"), nb::arg("path"));
  nb::enum_<BaseChoice>(module, "LanceBaseChoice")
      .value("NAMED", BaseChoice::kNamed)
      .value("BASES", BaseChoice::kBases)
      .value("ROOT_AND_BASES", BaseChoice::kRootAndBases);
  nb::class_<BaseTargets>(module, "LanceBaseTargets")
      .def(nb::init<>())
      .def_rw("initial_bases", &BaseTargets::initial_bases)
      .def_rw("targets", &BaseTargets::targets)
      .def_rw("choice", &BaseTargets::choice)
      .def_rw("store_options", &BaseTargets::store_options);
  module.def(
      "with_base_stores",
      [](const LanceTable& table, const lance::BaseStoreOptions& options) {
        LanceTable with{.dataset = nullptr, .io = table.io};
        with.dataset = Call(table.io).Run([&](const OperationContext& /*context*/) {
          return lance::WithBaseStores(*table.dataset, options);
        });
        return with;
      },
      nb::arg("table"), nb::arg("options"));
}

}  // namespace tusk::python
