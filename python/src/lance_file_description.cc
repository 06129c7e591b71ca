// Binds include/tusk/lance/file_description.h.
#include <arrow/type.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "module.h"

#include "tusk/lance/file_description.h"

namespace tusk::python {
namespace {

/// Pairs of position and size.
std::vector<std::pair<int64_t, int64_t>> Pairs(const std::vector<io::ByteRange>& ranges) {
  std::vector<std::pair<int64_t, int64_t>> pairs;
  pairs.reserve(ranges.size());
  for (const io::ByteRange& range : ranges) pairs.emplace_back(range.offset, range.length);
  return pairs;
}

}  // namespace

void BindLanceFileDescription(nb::module_& module) {
  using lance::ColumnDescription;
  using lance::FileDescription;
  using lance::PageDescription;
  nb::class_<PageDescription>(module, "LancePageDescription")
      .def_ro("first_row", &PageDescription::first_row)
      .def_ro("num_rows", &PageDescription::num_rows)
      .def_ro("num_values", &PageDescription::num_values)
      .def_ro("num_bytes", &PageDescription::num_bytes)
      .def_ro("layout", &PageDescription::layout)
      .def_ro("codecs", &PageDescription::codecs)
      .def_prop_ro("buffers", [](const PageDescription& page) { return Pairs(page.buffers); })
      .def_prop_ro("encoding",
                   [](const PageDescription& page) { return page.encoding.ToString(); });
  nb::class_<ColumnDescription>(module, "LanceColumnDescription")
      .def_ro("field", &ColumnDescription::field)
      .def_ro("logical_type", &ColumnDescription::logical_type)
      .def_ro("content", &ColumnDescription::content)
      .def_ro("num_values", &ColumnDescription::num_values)
      .def_ro("num_bytes", &ColumnDescription::num_bytes)
      .def_ro("num_metadata_bytes", &ColumnDescription::num_metadata_bytes)
      .def_prop_ro("encodings", &ColumnDescription::CountEncodings)
      .def_prop_ro("buffers", [](const ColumnDescription& column) { return Pairs(column.buffers); })
      .def_ro("pages", &ColumnDescription::pages);
  nb::class_<FileDescription>(module, "LanceFileDescription")
      .def_ro("num_bytes", &FileDescription::num_bytes)
      .def_ro("num_rows", &FileDescription::num_rows)
      .def_ro("version", &FileDescription::version)
      .def_ro("footer_major", &FileDescription::footer_major)
      .def_ro("footer_minor", &FileDescription::footer_minor)
      .def_prop_ro("schema",
                   [](const FileDescription& file) { return ArrowSchemaValue{file.schema}; })
      .def_prop_ro("global_buffers",
                   [](const FileDescription& file) { return Pairs(file.global_buffers); })
      .def_ro("num_data_bytes", &FileDescription::num_data_bytes)
      .def_ro("num_column_metadata_bytes", &FileDescription::num_column_metadata_bytes)
      .def_ro("num_global_buffer_bytes", &FileDescription::num_global_buffer_bytes)
      .def_ro("columns", &FileDescription::columns);
}

}  // namespace tusk::python
