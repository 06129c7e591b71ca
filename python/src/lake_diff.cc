// Binds include/tusk/lake/diff.h.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"

#include "tusk/lake/diff.h"

namespace tusk::python {

void BindLakeDiff(nb::module_& module) {
  using lake::LabelCount;
  using lake::TableDiff;
  const lake::DiffOptions defaults;
  nb::class_<LabelCount>(module, "LabelCount")
      .def_ro("label", &LabelCount::label)
      .def_ro("before", &LabelCount::before)
      .def_ro("after", &LabelCount::after);
  nb::class_<TableDiff>(module, "TableDiff")
      .def_prop_ro("name", [](const TableDiff& diff) { return diff.name.ToString(); })
      .def_prop_ro("kind", [](const TableDiff& diff) { return TableKindName(diff.kind); })
      .def_ro("rows_before", &TableDiff::rows_before)
      .def_ro("rows_after", &TableDiff::rows_after)
      .def_ro("schema_changed", &TableDiff::schema_changed)
      .def_ro("has_ids", &TableDiff::has_ids)
      .def_ro("added", &TableDiff::added)
      .def_ro("removed", &TableDiff::removed)
      .def_ro("changed", &TableDiff::changed)
      .def_ro("added_ids", &TableDiff::added_ids)
      .def_ro("removed_ids", &TableDiff::removed_ids)
      .def_ro("changed_ids", &TableDiff::changed_ids)
      .def_ro("labels", &TableDiff::labels);
  module.def(
      "diff",
      [](const lake::Lake& lake, int64_t before, int64_t after,
         const std::vector<std::string>& tables, std::string id_column, std::string label_column,
         bool compare_binary, int64_t max_listed, nb::object progress) {
        lake::DiffOptions options{.id_column = std::move(id_column),
                                  .label_column = std::move(label_column),
                                  .compare_binary = compare_binary,
                                  .max_listed = max_listed};
        for (const std::string& table : tables) {
          options.tables.push_back(OrRaise(catalog::TableName::Parse(table)));
        }
        return Call(nullptr, std::move(progress)).Run([&](const OperationContext& context) {
          return lake::Diff(lake, before, after, options, context);
        });
      },
      nb::arg("lake"), nb::arg("before"), nb::arg("after"),
      nb::arg("tables") = std::vector<std::string>(), nb::arg("id_column") = defaults.id_column,
      nb::arg("label_column") = defaults.label_column,
      nb::arg("compare_binary") = defaults.compare_binary,
      nb::arg("max_listed") = defaults.max_listed, nb::arg("progress") = nb::none());
}

}  // namespace tusk::python
