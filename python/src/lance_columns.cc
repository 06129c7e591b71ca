// Binds include/tusk/lance/change_columns.h.
#include <arrow/type.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/function.h>
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
#include "tusk/lance/change_columns.h"

namespace tusk::python {
namespace {

using lance::ChangeColumnsOptions;
using lance::ColumnAlteration;
using DatasetPtr = std::shared_ptr<const lance::Dataset>;

/// Changes the newest version of a table.
template <typename Change>
LanceTable OnTable(std::string_view uri, const io::StorageOptions& storage_options,
                   ChangeColumnsOptions options, const nb::object& commit_lock,
                   const Change& change) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  PythonLock lock(commit_lock);
  options.commit_lock = lock.ToCommitLock();
  LanceTable table;
  table.dataset = lock.RunWith([&] {
    return Call(table.io).Run([&](const OperationContext& context) -> Result<DatasetPtr> {
      return change(place, options, context);
    });
  });
  return table;
}

LanceTable AddColumns(std::string_view uri,
                      const std::vector<std::pair<std::string, std::string>>& columns,
                      const ChangeColumnsOptions& options,
                      const io::StorageOptions& storage_options, const nb::object& commit_lock) {
  std::vector<lance::NamedExpression> named;
  for (const auto& [name, expression] : columns) named.push_back({name, expression});
  return OnTable(uri, storage_options, options, commit_lock,
                 [&](const auto& place, const auto& how, const auto& context) {
                   return lance::AddColumns(place, named, how, context);
                 });
}

LanceTable AddNullColumns(std::string_view uri, const nb::object& schema,
                          const ChangeColumnsOptions& options,
                          const io::StorageOptions& storage_options,
                          const nb::object& commit_lock) {
  const auto columns = ImportSchema(schema);
  return OnTable(uri, storage_options, options, commit_lock,
                 [&](const auto& place, const auto& how, const auto& context) {
                   return lance::AddNullColumns(place, columns, how, context);
                 });
}

LanceTable AddColumnsFrom(const LanceTable& base, const nb::object& data,
                          ChangeColumnsOptions options, const nb::object& commit_lock) {
  const auto reader = ImportStream(data);
  PythonLock lock(commit_lock);
  options.commit_lock = lock.ToCommitLock();
  LanceTable table;
  table.dataset = lock.RunWith([&] {
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::AddColumnsFrom(*base.dataset, reader.get(), options, context);
    });
  });
  return table;
}

LanceTable DropColumns(std::string_view uri, const std::vector<std::string>& paths,
                       const ChangeColumnsOptions& options,
                       const io::StorageOptions& storage_options, const nb::object& commit_lock) {
  return OnTable(uri, storage_options, options, commit_lock,
                 [&](const auto& place, const auto& how, const auto& context) {
                   return lance::DropColumns(place, paths, how, context);
                 });
}

/// `types` has a schema whose fields are named by the numbers of the alterations that have a type.
LanceTable AlterColumns(std::string_view uri, std::vector<ColumnAlteration> alterations,
                        const nb::object& types, const ChangeColumnsOptions& options,
                        const io::StorageOptions& storage_options, const nb::object& commit_lock) {
  const auto schema = ImportSchema(types);
  for (const auto& field : schema->fields()) {
    alterations.at(std::stoul(field->name())).type = field->type();
  }
  return OnTable(uri, storage_options, options, commit_lock,
                 [&](const auto& place, const auto& how, const auto& context) {
                   return lance::AlterColumns(place, alterations, how, context);
                 });
}

LanceTable ReorderColumns(std::string_view uri, const std::vector<std::string>& names,
                          const ChangeColumnsOptions& options,
                          const io::StorageOptions& storage_options,
                          const nb::object& commit_lock) {
  return OnTable(uri, storage_options, options, commit_lock,
                 [&](const auto& place, const auto& how, const auto& context) {
                   return lance::ReorderColumns(place, names, how, context);
                 });
}

}  // namespace

void BindLanceColumns(nb::module_& module) {
  nb::class_<ChangeColumnsOptions>(module, "LanceChangeColumnsOptions")
      .def(nb::init<>())
      .def_rw("batch_rows", &ChangeColumnsOptions::batch_rows)
      .def_rw("max_retries", &ChangeColumnsOptions::max_retries);
  nb::class_<ColumnAlteration>(module, "LanceColumnAlteration")
      .def(
          "__init__",
          [](ColumnAlteration* alteration, std::string path, std::optional<std::string> name,
             std::optional<bool> nullable) {
            new (alteration) ColumnAlteration{
                .path = std::move(path), .name = std::move(name), .nullable = nullable};
          },
          nb::arg("path"), nb::arg("name").none(), nb::arg("nullable").none());
  module.def("add_lance_columns", &AddColumns, nb::arg("uri"), nb::arg("columns"),
             nb::arg("options"), nb::arg("storage_options"), nb::arg("commit_lock") = nb::none());
  module.def("add_lance_null_columns", &AddNullColumns, nb::arg("uri"), nb::arg("schema"),
             nb::arg("options"), nb::arg("storage_options"), nb::arg("commit_lock") = nb::none());
  module.def("add_lance_columns_from", &AddColumnsFrom, nb::arg("base"), nb::arg("data"),
             nb::arg("options"), nb::arg("commit_lock") = nb::none());
  module.def("drop_lance_columns", &DropColumns, nb::arg("uri"), nb::arg("paths"),
             nb::arg("options"), nb::arg("storage_options"), nb::arg("commit_lock") = nb::none());
  module.def("alter_lance_columns", &AlterColumns, nb::arg("uri"), nb::arg("alterations"),
             nb::arg("types"), nb::arg("options"), nb::arg("storage_options"),
             nb::arg("commit_lock") = nb::none());
  module.def("reorder_lance_columns", &ReorderColumns, nb::arg("uri"), nb::arg("names"),
             nb::arg("options"), nb::arg("storage_options"), nb::arg("commit_lock") = nb::none());
}

}  // namespace tusk::python
