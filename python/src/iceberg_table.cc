// Binds include/tusk/iceberg/table.h.
#include <arrow/record_batch.h>
#include <arrow/table.h>
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

#include "tusk/iceberg/table.h"

namespace tusk::python {
namespace {

ArrowStream Scan(const IcebergTable& table, const iceberg::ScanOptions& options) {
  auto call = std::make_shared<Call>(table.io);
  auto reader = call->Run(
      [&](const OperationContext& context) { return table.table->Scan(options, context); });
  return ArrowStream(std::move(reader), std::move(call));
}

ArrowStream ToTable(const IcebergTable& table, const iceberg::ScanOptions& options) {
  return ArrowStream(Call(table.io).Run(
      [&](const OperationContext& context) -> Result<std::shared_ptr<arrow::Table>> {
        ARROW_ASSIGN_OR_RAISE(auto reader, table.table->Scan(options, context));
        return reader->ToTable();
      }));
}

}  // namespace

void BindIcebergTable(nb::module_& module) {
  using iceberg::ScanOptions;
  using iceberg::SnapshotInfo;
  nb::class_<SnapshotInfo>(module, "IcebergSnapshot")
      .def_ro("snapshot_id", &SnapshotInfo::snapshot_id)
      .def_ro("parent_snapshot_id", &SnapshotInfo::parent_snapshot_id)
      .def_ro("sequence_number", &SnapshotInfo::sequence_number)
      .def_ro("timestamp_ms", &SnapshotInfo::timestamp_ms)
      .def_ro("summary", &SnapshotInfo::summary);
  nb::class_<ScanOptions>(module, "IcebergScanOptions")
      .def(nb::init<>())
      .def_rw("columns", &ScanOptions::columns, nb::arg().none())
      .def_prop_rw(
          "filter", [](const ScanOptions&) { return nb::none(); },
          [](ScanOptions& options, const nb::object& filter) {
            options.filter = ImportFilter(filter);
          },
          nb::arg("filter").none())
      .def_rw("snapshot_id", &ScanOptions::snapshot_id, nb::arg().none())
      .def_rw("limit", &ScanOptions::limit, nb::arg().none())
      .def_rw("batch_rows", &ScanOptions::batch_rows);
  nb::class_<IcebergTable>(module, "IcebergTable")
      .def_prop_ro("metadata_location",
                   [](const IcebergTable& table) { return table.table->metadata_location(); })
      .def_prop_ro("uuid", [](const IcebergTable& table) { return table.table->uuid(); })
      .def_prop_ro("location", [](const IcebergTable& table) { return table.table->location(); })
      .def_prop_ro(
          "schema",
          [](const IcebergTable& table) { return ArrowSchemaValue{table.table->schema()}; })
      .def_prop_ro("current_snapshot_id",
                   [](const IcebergTable& table) { return table.table->current_snapshot_id(); })
      .def_prop_ro("snapshots", [](const IcebergTable& table) { return table.table->snapshots(); })
      .def_prop_ro("properties",
                   [](const IcebergTable& table) { return table.table->properties(); })
      .def_prop_ro("io", [](const IcebergTable& table) { return table.io; })
      .def(
          "count_rows",
          [](const IcebergTable& table, const nb::object& filter,
             std::optional<int64_t> snapshot_id) {
            const auto bound = ImportFilter(filter);
            return Call(table.io).Run([&](const OperationContext& context) {
              return table.table->CountRows(bound, snapshot_id, context);
            });
          },
          nb::arg("filter") = nb::none(), nb::arg("snapshot_id") = nb::none())
      .def("scan", &Scan, nb::arg("options"))
      .def("to_table", &ToTable, nb::arg("options"));
}

}  // namespace tusk::python
