// Binds include/tusk/lance/output_file.h.
#include <memory>
#include <string>
#include <utility>

#include <arrow/record_batch.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"

#include "tusk/lance/output_file.h"

namespace tusk::python {
namespace {

/// A file between its calls, which all write with one context: Ctrl-C in one of them ends the file.
struct LanceOutputFile {
  std::shared_ptr<Call> call;  // outlives the file, which borrows its context
  std::unique_ptr<lance::OutputFile> file;
};

LanceOutputFile Open(const io::StorePath& place, const nb::object& schema,
                     const lance::OutputFileOptions& options) {
  LanceOutputFile opened{.call = std::make_shared<Call>(), .file = nullptr};
  opened.file =
      opened.call->Run([&, columns = ImportSchema(schema)](const OperationContext& context) {
        return lance::OutputFile::Open(place, columns, options, context);
      });
  return opened;
}

}  // namespace

void BindLanceOutputFile(nb::module_& module) {
  using lance::OutputFileOptions;
  using lance::PageOptions;
  nb::class_<PageOptions>(module, "LancePageOptions")
      .def_rw("data_cache_bytes", &PageOptions::data_cache_bytes, nb::arg().none())
      .def_rw("max_page_bytes", &PageOptions::max_page_bytes, nb::arg().none());
  nb::class_<OutputFileOptions>(module, "LanceOutputFileOptions")
      .def(nb::init<>())
      .def_rw("data_storage_version", &OutputFileOptions::data_storage_version)
      .def_rw("pages", &OutputFileOptions::pages);
  nb::class_<LanceOutputFile>(module, "LanceOutputFile")
      .def(
          "write",
          [](LanceOutputFile& output, const nb::object& data) {
            const auto reader = ImportStream(data);
            output.call->Run(
                [&](const OperationContext&) { return output.file->WriteAll(reader.get()); });
          },
          nb::arg("data"))
      .def(
          "add_global_buffer",
          [](LanceOutputFile& output, const nb::bytes& bytes) {
            return output.call->Run([&](const OperationContext&) {
              return output.file->AddGlobalBuffer(
                  {static_cast<const uint8_t*>(bytes.data()), bytes.size()});
            });
          },
          nb::arg("bytes"))
      .def(
          "add_schema_metadata",
          [](LanceOutputFile& output, std::string key, std::string value) {
            OrRaise(output.file->AddSchemaMetadata(std::move(key), std::move(value)));
          },
          nb::arg("key"), nb::arg("value"))
      .def("finish",
           [](LanceOutputFile& output) {
             output.call->Run([&](const OperationContext&) { return output.file->Finish(); });
           })
      .def("abandon", [](LanceOutputFile& output) { output.file->Abandon(); })
      .def_prop_ro("num_rows",
                   [](const LanceOutputFile& output) { return output.file->num_rows(); })
      .def_prop_ro("size_bytes",
                   [](const LanceOutputFile& output) { return output.file->size_bytes(); });
  module.def("write_lance_file", &Open, nb::arg("place"), nb::arg("schema").none(),
             nb::arg("options"));
}

}  // namespace tusk::python
