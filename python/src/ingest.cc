// Binds include/tusk/lake/ingest.h.
#include "tusk/lake/ingest.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"

namespace tusk::python {
namespace {

lake::LabelFrom ParseLabelFrom(const std::optional<std::string>& label_from) {
  if (!label_from) return lake::LabelFrom::kNothing;
  if (*label_from == "folder") return lake::LabelFrom::kFolder;
  throw StatusError(InvalidArgument("labels come from 'folder', not '", *label_from, "'"));
}

/// A path as Python has them: bytes that are no UTF-8 become surrogates, as os.fsdecode does it.
nb::str PathToPython(const std::string& path) {
  const auto size = static_cast<Py_ssize_t>(path.size());
  PyObject* text = PyUnicode_DecodeFSDefaultAndSize(path.data(), size);
  if (text == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(text);
}

}  // namespace

void BindIngest(nb::module_& module) {
  using lake::IngestReport;
  using lake::SkippedFile;
  const lake::IngestOptions defaults;
  nb::class_<SkippedFile>(module, "SkippedFile")
      .def_prop_ro("path", [](const SkippedFile& file) { return PathToPython(file.path); })
      .def_ro("reason", &SkippedFile::reason);
  nb::class_<IngestReport>(module, "IngestReport")
      .def_ro("joint_version", &IngestReport::joint_version)
      .def_ro("files", &IngestReport::files)
      .def_ro("added", &IngestReport::added)
      .def_ro("duplicates", &IngestReport::duplicates)
      .def_ro("added_bytes", &IngestReport::added_bytes)
      .def_ro("skipped", &IngestReport::skipped);
  module.def(
      "ingest",
      [](lake::Lake& lake, std::string_view folder, std::string_view name,
         const std::optional<std::string>& label_from, std::shared_ptr<lake::Encoder> encoder,
         int64_t batch_files, std::string message, std::string author,
         std::map<std::string, std::string> properties, nb::object progress) {
        const lake::IngestOptions options{.name = OrRaise(catalog::TableName::Parse(name)),
                                          .label_from = ParseLabelFrom(label_from),
                                          .encoder = std::move(encoder),
                                          .batch_files = batch_files,
                                          .message = std::move(message),
                                          .author = std::move(author),
                                          .properties = std::move(properties)};
        return Call(nullptr, std::move(progress)).Run([&](const OperationContext& context) {
          return lake::Ingest(&lake, folder, options, context);
        });
      },
      nb::arg("lake"), nb::arg("folder"), nb::arg("name"), nb::arg("label_from") = nb::none(),
      nb::arg("encoder"), nb::arg("batch_files") = defaults.batch_files, nb::arg("message") = "",
      nb::arg("author") = "", nb::arg("properties") = std::map<std::string, std::string>(),
      nb::arg("progress") = nb::none());
  module.def(
      "split_of", [](std::string_view content_id) { return OrRaise(lake::SplitOf(content_id)); },
      nb::arg("content_id"));
}

}  // namespace tusk::python
