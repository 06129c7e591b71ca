// Binds include/tusk/lake/lake.h.
#include "tusk/lake/lake.h"

#include <arrow/record_batch.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "tables.h"

namespace tusk::python {
namespace {

using catalog::TableName;
using lake::Lake;

catalog::TableKind ParseKind(std::string_view kind) {
  for (const auto known : {catalog::TableKind::kLance, catalog::TableKind::kIceberg}) {
    if (kind == catalog::TableKindName(known)) return known;
  }
  throw StatusError(InvalidArgument("a table is lance or iceberg, not '", kind, "'"));
}

lake::TableAppend MakeAppend(std::string_view name, std::string_view kind, const nb::object& data,
                             std::map<std::string, std::string> properties) {
  return {.name = OrRaise(TableName::Parse(name)),
          .kind = ParseKind(kind),
          .data = ImportStream(data),
          .properties = std::move(properties)};
}

}  // namespace

void BindLake(nb::module_& module) {
  nb::class_<lake::TableAppend>(module, "TableAppend");
  nb::class_<Lake>(module, "Lake")
      .def_prop_ro("uri", &Lake::uri)
      .def_prop_ro("catalog_name", &Lake::catalog_name)
      .def_prop_ro("at", &Lake::at)
      .def("tables",
           [](const Lake& lake) {
             return Call().Run(
                 [&](const OperationContext& context) { return lake.Tables(context); });
           })
      .def(
          "open_lance",
          [](const Lake& lake, std::string_view name) {
            const TableName parsed = OrRaise(TableName::Parse(name));
            LanceTable table;
            table.dataset = Call(table.io).Run(
                [&](const OperationContext& context) { return lake.OpenLance(parsed, context); });
            return table;
          },
          nb::arg("name"))
      .def(
          "open_iceberg",
          [](const Lake& lake, std::string_view name) {
            const TableName parsed = OrRaise(TableName::Parse(name));
            IcebergTable table;
            table.table = Call(table.io).Run(
                [&](const OperationContext& context) { return lake.OpenIceberg(parsed, context); });
            return table;
          },
          nb::arg("name"))
      .def(
          "append",
          [](Lake& lake, const std::vector<lake::TableAppend>& appends, std::string message,
             std::string author, std::map<std::string, std::string> properties,
             nb::object progress) {
            const lake::CommitInfo info{std::move(message), std::move(author),
                                        std::move(properties)};
            return Call(nullptr, std::move(progress)).Run([&](const OperationContext& context) {
              return lake.Append(appends, info, context);
            });
          },
          nb::arg("appends"), nb::arg("message"), nb::arg("author"), nb::arg("properties"),
          nb::arg("progress") = nb::none())
      .def(
          "log",
          [](const Lake& lake, std::optional<int64_t> limit) {
            return Call().Run(
                [&](const OperationContext& context) { return lake.Log(limit, context); });
          },
          nb::arg("limit") = nb::none());
  module.def("table_append", &MakeAppend, nb::arg("name"), nb::arg("kind"), nb::arg("data"),
             nb::arg("properties"));
  module.def(
      "init_lake",
      [](std::string_view uri) {
        return Call().Run(
            [&](const OperationContext& context) { return Lake::Init(uri, context); });
      },
      nb::arg("uri"));
  module.def(
      "open_lake",
      [](std::string_view uri, std::optional<int64_t> at) {
        return Call().Run(
            [&](const OperationContext& context) { return Lake::Open(uri, at, context); });
      },
      nb::arg("uri"), nb::arg("at") = nb::none());
}

}  // namespace tusk::python
