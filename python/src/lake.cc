// Binds include/tusk/lake/lake.h.
#include "tusk/lake/lake.h"

#include <arrow/record_batch.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "tables.h"

#include "tusk/io/object_store.h"

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
                             std::map<std::string, std::string> properties,
                             std::vector<std::string> partition_by, bool must_be_new,
                             std::string branch) {
  return {.name = OrRaise(TableName::Parse(name)),
          .kind = ParseKind(kind),
          .data = ImportStream(data),
          .properties = std::move(properties),
          .partition_by = std::move(partition_by),
          .branch = std::move(branch),
          .must_be_new = must_be_new};
}

using LakeClass = nb::class_<Lake>;

void BindTableDrift(nb::module_& module) {
  using lake::TableDrift;
  nb::class_<lake::TableAppend>(module, "TableAppend");
  nb::class_<TableDrift>(module, "TableDrift")
      .def_prop_ro("name", [](const TableDrift& drift) { return drift.name.ToString(); })
      .def_prop_ro("kind", [](const TableDrift& drift) { return TableKindName(drift.kind); })
      .def_ro("known_version", &TableDrift::known_version)
      .def_ro("foreign_version", &TableDrift::foreign_version)
      .def_ro("known_rows", &TableDrift::known_rows)
      .def_ro("foreign_rows", &TableDrift::foreign_rows);
}

void BindTables(LakeClass& bound) {
  bound.def_prop_ro("uri", &Lake::uri)
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
          nb::arg("name"));
}

void BindCommits(LakeClass& bound) {
  bound
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
          "commit_lance",
          [](Lake& lake,
             const std::vector<std::tuple<std::string, std::string, nb::object>>& changes,
             const std::vector<lake::TableAppend>& appends, std::string message, std::string author,
             std::map<std::string, std::string> properties) {
            std::vector<lake::LanceChange> parsed;
            for (const auto& [name, transaction, schema] : changes) {
              parsed.push_back({.name = OrRaise(TableName::Parse(name)),
                                .transaction = transaction,
                                .schema = ImportSchema(schema)});
            }
            const lake::CommitInfo info{std::move(message), std::move(author),
                                        std::move(properties)};
            return Call().Run([&](const OperationContext& context) {
              return lake.CommitLance(parsed, appends, info, context);
            });
          },
          nb::arg("changes"), nb::arg("appends"), nb::arg("message"), nb::arg("author"),
          nb::arg("properties"))
      .def(
          "update_iceberg",
          [](Lake& lake, std::string_view name, const iceberg::TableUpdate& update,
             std::string message, std::string author) {
            const TableName parsed = OrRaise(TableName::Parse(name));
            const lake::CommitInfo info{std::move(message), std::move(author), {}};
            return Call().Run([&](const OperationContext& context) {
              return lake.UpdateIceberg(parsed, update, info, context);
            });
          },
          nb::arg("name"), nb::arg("update"), nb::arg("message"), nb::arg("author"))
      .def(
          "overwrite_iceberg",
          [](Lake& lake, std::string_view name, const iceberg::Overwrite& overwrite,
             std::string message, std::string author) {
            const TableName parsed = OrRaise(TableName::Parse(name));
            const lake::CommitInfo info{std::move(message), std::move(author), {}};
            return Call().Run([&](const OperationContext& context) {
              return lake.OverwriteIceberg(parsed, overwrite, info, context);
            });
          },
          nb::arg("name"), nb::arg("overwrite"), nb::arg("message"), nb::arg("author"));
}

void BindHistory(LakeClass& bound) {
  bound
      .def(
          "log",
          [](const Lake& lake, std::optional<int64_t> limit) {
            return Call().Run(
                [&](const OperationContext& context) { return lake.Log(limit, context); });
          },
          nb::arg("limit") = nb::none())
      .def("tags",
           [](const Lake& lake) {
             return Call().Run([&](const OperationContext& context) { return lake.Tags(context); });
           })
      .def(
          "set_tag",
          [](Lake& lake, std::string name, int64_t number, std::string message, std::string author,
             bool move) {
            const catalog::Tag tag{.name = std::move(name),
                                   .number = number,
                                   .message = std::move(message),
                                   .author = std::move(author)};
            Call().Run(
                [&](const OperationContext& context) { return lake.SetTag(tag, move, context); });
          },
          nb::arg("name"), nb::arg("number"), nb::arg("message"), nb::arg("author"),
          nb::arg("move"))
      .def(
          "delete_tag",
          [](Lake& lake, std::string_view name) {
            Call().Run(
                [&](const OperationContext& context) { return lake.DeleteTag(name, context); });
          },
          nb::arg("name"))
      .def(
          "find_version",
          [](const Lake& lake, std::string_view text) {
            return Call().Run(
                [&](const OperationContext& context) { return lake.FindVersion(text, context); });
          },
          nb::arg("text"))
      .def(
          "find_version_at",
          [](const Lake& lake, int64_t timestamp_us) {
            return Call().Run([&](const OperationContext& context) {
              return lake.FindVersionAt(timestamp_us, context);
            });
          },
          nb::arg("timestamp_us"));
}

void BindRestoring(LakeClass& bound) {
  bound
      .def(
          "restore",
          [](Lake& lake, int64_t number, std::string message, std::string author,
             std::map<std::string, std::string> properties) {
            const lake::CommitInfo info{std::move(message), std::move(author),
                                        std::move(properties)};
            return Call().Run([&](const OperationContext& context) {
              return lake.Restore(number, info, context);
            });
          },
          nb::arg("number"), nb::arg("message"), nb::arg("author"), nb::arg("properties"))
      .def("drift",
           [](const Lake& lake) {
             return Call().Run(
                 [&](const OperationContext& context) { return lake.FindDrift(context); });
           })
      .def(
          "adopt",
          [](Lake& lake, std::string message, std::string author,
             std::map<std::string, std::string> properties) {
            const lake::CommitInfo info{std::move(message), std::move(author),
                                        std::move(properties)};
            return Call().Run(
                [&](const OperationContext& context) { return lake.Adopt(info, context); });
          },
          nb::arg("message"), nb::arg("author"), nb::arg("properties"));
}

}  // namespace

void BindLake(nb::module_& module) {
  BindTableDrift(module);
  LakeClass bound(module, "Lake");
  BindTables(bound);
  BindCommits(bound);
  BindHistory(bound);
  BindRestoring(bound);
  module.def("table_append", &MakeAppend, nb::arg("name"), nb::arg("kind"), nb::arg("data"),
             nb::arg("properties"), nb::arg("partition_by") = std::vector<std::string>(),
             nb::arg("must_be_new") = false, nb::arg("branch") = "main");
  module.def(
      "init_lake",
      [](std::string_view uri) {
        return Call().Run(
            [&](const OperationContext& context) { return Lake::Init(uri, context); });
      },
      nb::arg("uri"));
  module.def(
      "open_lake",
      [](std::string_view uri, std::optional<int64_t> at,
         const io::StorageOptions& storage_options) {
        const auto place = OrRaise(io::ResolveUri(uri, storage_options));
        return Call().Run(
            [&](const OperationContext& context) { return Lake::Open(place, at, context); });
      },
      nb::arg("uri"), nb::arg("at") = nb::none(),
      nb::arg("storage_options") = io::StorageOptions());
}

}  // namespace tusk::python
