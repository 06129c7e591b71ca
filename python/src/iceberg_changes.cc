// Binds include/tusk/iceberg/changes.h.
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"

#include "tusk/iceberg/changes.h"

namespace tusk::python {
namespace {

using iceberg::SchemaChange;
using iceberg::TableUpdate;

/// The type is that of the only field of `type`, a schema; null for None.
SchemaChange MakeSchemaChange(SchemaChange::Kind kind, std::string column, const nb::object& type,
                              std::string new_name, SchemaChange::Place place, std::string anchor,
                              std::string doc) {
  const auto schema = ImportSchema(type);
  return {.kind = kind,
          .column = std::move(column),
          .type = schema == nullptr ? nullptr : schema->field(0)->type(),
          .new_name = std::move(new_name),
          .place = place,
          .anchor = std::move(anchor),
          .doc = std::move(doc)};
}

iceberg::SnapshotRef MakeRef(std::string name, bool is_tag, int64_t snapshot_id,
                             std::optional<int64_t> max_ref_age_ms,
                             std::optional<int64_t> max_snapshot_age_ms,
                             std::optional<int64_t> min_snapshots_to_keep) {
  return {.name = std::move(name),
          .is_tag = is_tag,
          .snapshot_id = snapshot_id,
          .max_ref_age_ms = max_ref_age_ms,
          .max_snapshot_age_ms = max_snapshot_age_ms,
          .min_snapshots_to_keep = min_snapshots_to_keep};
}

iceberg::Overwrite MakeOverwrite(const nb::object& filter, const nb::object& data,
                                 std::string branch) {
  iceberg::Overwrite overwrite;
  overwrite.filter = ImportFilter(filter);
  if (!data.is_none()) overwrite.data = ImportStream(data);
  overwrite.branch = std::move(branch);
  return overwrite;
}

}  // namespace

void BindIcebergChanges(nb::module_& module) {
  nb::enum_<SchemaChange::Kind>(module, "IcebergSchemaChangeKind")
      .value("ADD", SchemaChange::Kind::kAdd)
      .value("DROP", SchemaChange::Kind::kDrop)
      .value("RENAME", SchemaChange::Kind::kRename)
      .value("MOVE", SchemaChange::Kind::kMove)
      .value("PROMOTE", SchemaChange::Kind::kPromote)
      .value("MAKE_OPTIONAL", SchemaChange::Kind::kMakeOptional)
      .value("SET_DOC", SchemaChange::Kind::kSetDoc);
  nb::enum_<SchemaChange::Place>(module, "IcebergColumnPlace")
      .value("FIRST", SchemaChange::Place::kFirst)
      .value("BEFORE", SchemaChange::Place::kBefore)
      .value("AFTER", SchemaChange::Place::kAfter);
  nb::class_<SchemaChange>(module, "IcebergSchemaChange")
      .def(
          "__init__",
          [](SchemaChange* self, SchemaChange::Kind kind, std::string column,
             const nb::object& type, std::string new_name, SchemaChange::Place place,
             std::string anchor, std::string doc) {
            new (self)
                SchemaChange(MakeSchemaChange(kind, std::move(column), type, std::move(new_name),
                                              place, std::move(anchor), std::move(doc)));
          },
          nb::arg("kind"), nb::arg("column"), nb::arg("type") = nb::none(),
          nb::arg("new_name") = "", nb::arg("place") = SchemaChange::Place::kFirst,
          nb::arg("anchor") = "", nb::arg("doc") = "");
  nb::class_<TableUpdate>(module, "IcebergTableUpdate")
      .def(nb::init<>())
      .def_rw("schema", &TableUpdate::schema)
      .def_rw("remove_partition_fields", &TableUpdate::remove_partition_fields)
      .def_prop_rw(
          "add_partition_fields", [](const TableUpdate&) { return nb::none(); },
          [](TableUpdate& update, const std::vector<std::string>& terms) {
            update.add_partition_fields.clear();
            for (const std::string& term : terms) {
              update.add_partition_fields.push_back(OrRaise(iceberg::PartitionTerm::Parse(term)));
            }
          })
      .def_rw("properties", &TableUpdate::properties)
      .def_rw("remove_refs", &TableUpdate::remove_refs)
      .def_rw("set_refs", &TableUpdate::set_refs);
  module.def("iceberg_ref", &MakeRef, nb::arg("name"), nb::arg("is_tag"), nb::arg("snapshot_id"),
             nb::arg("max_ref_age_ms") = nb::none(), nb::arg("max_snapshot_age_ms") = nb::none(),
             nb::arg("min_snapshots_to_keep") = nb::none());
  nb::class_<iceberg::Overwrite>(module, "IcebergOverwrite");
  module.def("iceberg_overwrite", &MakeOverwrite, nb::arg("filter").none(), nb::arg("data").none(),
             nb::arg("branch"));
}

}  // namespace tusk::python
