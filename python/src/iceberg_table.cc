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

ArrowStream PlanFiles(const IcebergTable& table, const iceberg::ScanOptions& options) {
  auto call = std::make_shared<Call>(table.io);
  auto reader = call->Run(
      [&](const OperationContext& context) { return table.table->PlanFiles(options, context); });
  return ArrowStream(std::move(reader), std::move(call));
}

ArrowStream ReadMetadata(const IcebergTable& table, iceberg::MetadataTable which,
                         const iceberg::SnapshotChoice& snapshot) {
  return ArrowStream(Call(table.io).Run([&](const OperationContext& context) {
    return table.table->ReadMetadata(which, snapshot, context);
  }));
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
  using iceberg::MetadataTable;
  using iceberg::PartitionField;
  using iceberg::PartitionSpec;
  using iceberg::ScanOptions;
  using iceberg::SnapshotChoice;
  using iceberg::SnapshotInfo;
  using iceberg::SnapshotRef;
  nb::class_<SnapshotInfo>(module, "IcebergSnapshot")
      .def_ro("snapshot_id", &SnapshotInfo::snapshot_id)
      .def_ro("parent_snapshot_id", &SnapshotInfo::parent_snapshot_id)
      .def_ro("sequence_number", &SnapshotInfo::sequence_number)
      .def_ro("timestamp_ms", &SnapshotInfo::timestamp_ms)
      .def_ro("summary", &SnapshotInfo::summary);
  nb::class_<SnapshotRef>(module, "IcebergSnapshotRef")
      .def_ro("name", &SnapshotRef::name)
      .def_ro("is_tag", &SnapshotRef::is_tag)
      .def_ro("snapshot_id", &SnapshotRef::snapshot_id)
      .def_ro("max_ref_age_ms", &SnapshotRef::max_ref_age_ms)
      .def_ro("max_snapshot_age_ms", &SnapshotRef::max_snapshot_age_ms)
      .def_ro("min_snapshots_to_keep", &SnapshotRef::min_snapshots_to_keep);
  nb::class_<SnapshotChoice>(module, "IcebergSnapshotChoice")
      .def(
          "__init__",
          [](SnapshotChoice* self, std::optional<int64_t> snapshot_id,
             std::optional<int64_t> as_of_ms, std::optional<std::string> ref) {
            new (self) SnapshotChoice{
                .snapshot_id = snapshot_id, .as_of_ms = as_of_ms, .ref = std::move(ref)};
          },
          nb::arg("snapshot_id").none(), nb::arg("as_of_ms").none(), nb::arg("ref").none());
  nb::enum_<MetadataTable>(module, "IcebergMetadataTable")
      .value("snapshots", MetadataTable::kSnapshots)
      .value("history", MetadataTable::kHistory)
      .value("files", MetadataTable::kFiles)
      .value("manifests", MetadataTable::kManifests)
      .value("refs", MetadataTable::kRefs);
  nb::class_<PartitionField>(module, "IcebergPartitionField")
      .def_ro("source_id", &PartitionField::source_id)
      .def_ro("field_id", &PartitionField::field_id)
      .def_ro("name", &PartitionField::name)
      .def_prop_ro("transform",
                   [](const PartitionField& field) { return field.transform.ToString(); });
  nb::class_<PartitionSpec>(module, "IcebergPartitionSpec")
      .def_ro("spec_id", &PartitionSpec::spec_id)
      .def_ro("fields", &PartitionSpec::fields);
  nb::class_<ScanOptions>(module, "IcebergScanOptions")
      .def(nb::init<>())
      .def_rw("columns", &ScanOptions::columns, nb::arg().none())
      .def_prop_rw(
          "filter", [](const ScanOptions&) { return nb::none(); },
          [](ScanOptions& options, const nb::object& filter) {
            options.filter = ImportFilter(filter);
          },
          nb::arg("filter").none())
      .def_rw("snapshot", &ScanOptions::snapshot)
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
      .def_prop_ro("refs", [](const IcebergTable& table) { return table.table->refs(); })
      .def_prop_ro("partition_spec",
                   [](const IcebergTable& table) { return table.table->partition_spec(); })
      .def_prop_ro("partition_specs",
                   [](const IcebergTable& table) { return table.table->partition_specs(); })
      .def_prop_ro("io", [](const IcebergTable& table) { return table.io; })
      .def(
          "count_rows",
          [](const IcebergTable& table, const nb::object& filter, const SnapshotChoice& snapshot) {
            const auto bound = ImportFilter(filter);
            return Call(table.io).Run([&](const OperationContext& context) {
              return table.table->CountRows(bound, snapshot, context);
            });
          },
          nb::arg("filter").none(), nb::arg("snapshot"))
      .def("plan_files", &PlanFiles, nb::arg("options"))
      .def("read_metadata", &ReadMetadata, nb::arg("which"), nb::arg("snapshot"))
      .def("scan", &Scan, nb::arg("options"))
      .def("to_table", &ToTable, nb::arg("options"));
  module.def(
      "open_iceberg",
      [](std::string_view metadata_location) {
        IcebergTable table;
        table.table = Call(table.io).Run([&](const OperationContext& context) {
          return iceberg::Table::Open(io::MakeLocalStore(), metadata_location, context);
        });
        return table;
      },
      nb::arg("metadata_location"));
}

}  // namespace tusk::python
