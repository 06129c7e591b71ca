// Binds include/tusk/catalog/catalog.h.
#include "tusk/catalog/catalog.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"

namespace tusk::python {

void BindCatalog(nb::module_& module) {
  using catalog::LogEntry;
  using catalog::TableChange;
  using catalog::TableEntry;
  using catalog::TablePointer;
  nb::class_<TablePointer>(module, "TablePointer")
      .def_ro("path", &TablePointer::path)
      .def_ro("version", &TablePointer::version);
  nb::class_<TableEntry>(module, "TableEntry")
      .def_prop_ro("name", [](const TableEntry& entry) { return entry.name.ToString(); })
      .def_prop_ro("kind", [](const TableEntry& entry) { return TableKindName(entry.kind); })
      .def_ro("uuid", &TableEntry::uuid)
      .def_ro("location", &TableEntry::location)
      .def_ro("pointer", &TableEntry::pointer)
      .def_ro("published", &TableEntry::published)
      .def_ro("drifted", &TableEntry::drifted);
  nb::class_<catalog::Tag>(module, "Tag")
      .def_ro("name", &catalog::Tag::name)
      .def_ro("number", &catalog::Tag::number)
      .def_ro("timestamp_us", &catalog::Tag::timestamp_us)
      .def_ro("message", &catalog::Tag::message)
      .def_ro("author", &catalog::Tag::author);
  nb::class_<TableChange>(module, "TableChange")
      .def_prop_ro("name", [](const TableChange& change) { return change.name.ToString(); })
      .def_prop_ro("kind", [](const TableChange& change) { return TableKindName(change.kind); })
      .def_ro("next", &TableChange::next)
      .def_ro("added_rows", &TableChange::added_rows);
  nb::class_<LogEntry>(module, "LogEntry")
      .def_ro("number", &LogEntry::number)
      .def_ro("parent", &LogEntry::parent)
      .def_ro("timestamp_us", &LogEntry::timestamp_us)
      .def_ro("message", &LogEntry::message)
      .def_ro("author", &LogEntry::author)
      .def_ro("properties", &LogEntry::properties)
      .def_ro("changes", &LogEntry::changes)
      .def_ro("tags", &LogEntry::tags)
      .def_ro("given_up", &LogEntry::given_up);
}

}  // namespace tusk::python
