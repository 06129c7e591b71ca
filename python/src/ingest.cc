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
#include "python_encoder.h"

namespace tusk::python {
namespace {

lake::LabelFrom ParseLabelFrom(const std::optional<std::string>& label_from) {
  if (!label_from) return lake::LabelFrom::kNothing;
  return *label_from == "folder" ? lake::LabelFrom::kFolder : lake::LabelFrom::kFile;
}

lake::MediaPlace ParseMedia(std::string_view media) {
  if (media == "inline") return lake::MediaPlace::kInline;
  if (media == "reference") return lake::MediaPlace::kReference;
  throw StatusError(
      InvalidArgument("media are kept 'inline' or by 'reference', not '", media, "'"));
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
  using lake::IngestOptions;
  using lake::IngestReport;
  using lake::IngestSeconds;
  using lake::SkippedFile;
  nb::class_<SkippedFile>(module, "SkippedFile")
      .def_prop_ro("path", [](const SkippedFile& file) { return PathToPython(file.path); })
      .def_ro("reason", &SkippedFile::reason);
  nb::class_<IngestSeconds>(module, "IngestSeconds")
      .def_ro("reading", &IngestSeconds::reading)
      .def_ro("decoding", &IngestSeconds::decoding)
      .def_ro("encoding", &IngestSeconds::encoding)
      .def_ro("writing", &IngestSeconds::writing)
      .def_ro("total", &IngestSeconds::total);
  nb::class_<IngestReport>(module, "IngestReport")
      .def_ro("joint_version", &IngestReport::joint_version)
      .def_ro("commits", &IngestReport::commits)
      .def_ro("files", &IngestReport::files)
      .def_ro("added", &IngestReport::added)
      .def_ro("duplicates", &IngestReport::duplicates)
      .def_ro("added_bytes", &IngestReport::added_bytes)
      .def_ro("unlabelled", &IngestReport::unlabelled)
      .def_ro("seconds", &IngestReport::seconds)
      .def_ro("skipped", &IngestReport::skipped);
  nb::class_<IngestOptions>(module, "IngestOptions")
      .def(
          "__init__",
          [](IngestOptions* options, std::string_view name,
             const std::optional<std::string>& label_from, std::shared_ptr<lake::Encoder> encoder,
             std::string_view media) {
            new (options) IngestOptions{
                .name = OrRaise(catalog::TableName::Parse(name)),
                .label_from = ParseLabelFrom(label_from),
                .label_file = label_from && *label_from != "folder" ? *label_from : "",
                .encoder = std::move(encoder),
                .media = ParseMedia(media),
                .message = "",
                .author = ""};
          },
          nb::arg("name"), nb::arg("label_from").none(), nb::arg("encoder").none(),
          nb::arg("media"))
      .def_rw("batch_files", &IngestOptions::batch_files)
      .def_rw("batch_bytes", &IngestOptions::batch_bytes)
      .def_rw("commit_rows", &IngestOptions::commit_rows)
      .def_rw("commit_bytes", &IngestOptions::commit_bytes)
      .def_rw("commit_seconds", &IngestOptions::commit_seconds)
      .def_rw("message", &IngestOptions::message)
      .def_rw("author", &IngestOptions::author)
      .def_rw("properties", &IngestOptions::properties);
  module.def(
      "ingest",
      [](lake::Lake& lake, std::string_view folder, const IngestOptions& options,
         nb::object progress) {
        return RaisingOf(options.encoder.get(), [&] {
          return Call(nullptr, std::move(progress)).Run([&](const OperationContext& context) {
            return lake::Ingest(&lake, folder, options, context);
          });
        });
      },
      nb::arg("lake"), nb::arg("folder"), nb::arg("options"), nb::arg("progress") = nb::none());
  module.def(
      "split_of", [](std::string_view content_id) { return OrRaise(lake::SplitOf(content_id)); },
      nb::arg("content_id"));
}

}  // namespace tusk::python
