// Binds include/tusk/lance/file.h.
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <nanobind/nanobind.h>
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

#include "tusk/lance/file.h"

namespace tusk::python {
namespace {

LanceFile Open(std::string_view uri, const io::StorageOptions& storage_options) {
  LanceFile file;
  file.file = Call(file.io).Run(
      [&](const OperationContext& context) -> Result<std::shared_ptr<const lance::File>> {
        ARROW_ASSIGN_OR_RAISE(const io::StorePath place, io::ResolveUri(uri, storage_options));
        return lance::File::Open(place, context);
      });
  return file;
}

ArrowStream Read(const LanceFile& file, int64_t first_row, int64_t num_rows,
                 const lance::FileReadOptions& options) {
  auto call = std::make_shared<Call>(file.io);
  auto reader = call->Run([&](const OperationContext& context) {
    return file.file->Read(first_row, num_rows, options, context);
  });
  return ArrowStream(std::move(reader), std::move(call));
}

ArrowStream Take(const LanceFile& file, std::vector<int64_t> rows,
                 const lance::FileReadOptions& options) {
  auto call = std::make_shared<Call>(file.io);
  auto reader = call->Run([&](const OperationContext& context) {
    return file.file->Take(std::move(rows), options, context);
  });
  return ArrowStream(std::move(reader), std::move(call));
}

}  // namespace

void BindLanceFile(nb::module_& module) {
  using lance::FileReadOptions;
  nb::class_<FileReadOptions>(module, "LanceFileReadOptions")
      .def(nb::init<>())
      .def("__copy__", [](const FileReadOptions& options) { return options; })
      .def_rw("columns", &FileReadOptions::columns, nb::arg().none())
      .def_rw("batch_rows", &FileReadOptions::batch_rows)
      .def_rw("batch_bytes", &FileReadOptions::batch_bytes)
      .def_rw("read_ahead_bytes", &FileReadOptions::read_ahead_bytes);
  using lance::FileVerification;
  nb::class_<FileVerification>(module, "LanceFileVerification")
      .def_ro("has_checksums", &FileVerification::has_checksums)
      .def_ro("num_bytes", &FileVerification::num_bytes)
      .def_ro("damages", &FileVerification::damages);
  nb::class_<LanceFile>(module, "LanceFile")
      .def_prop_ro("path", [](const LanceFile& file) { return file.file->path(); })
      .def_prop_ro("data_storage_version",
                   [](const LanceFile& file) { return file.file->data_storage_version(); })
      .def_prop_ro("num_rows", [](const LanceFile& file) { return file.file->num_rows(); })
      .def_prop_ro("schema",
                   [](const LanceFile& file) { return ArrowSchemaValue{file.file->schema()}; })
      .def_prop_ro("io", [](const LanceFile& file) { return file.io; })
      .def(
          "projected_schema",
          [](const LanceFile& file, const FileReadOptions& options) {
            return ArrowSchemaValue{OrRaise(file.file->ProjectedSchema(options))};
          },
          nb::arg("options"))
      .def(
          "read_global_buffer",
          [](const LanceFile& file, int64_t index) {
            const auto buffer = Call(file.io).Run([&](const OperationContext& context) {
              return file.file->ReadGlobalBuffer(index, context);
            });
            return nb::bytes(buffer->data(), static_cast<size_t>(buffer->size()));
          },
          nb::arg("index"))
      .def("describe",
           [](const LanceFile& file) {
             return Call(file.io).Run(
                 [&](const OperationContext& context) { return file.file->Describe(context); });
           })
      .def("verify",
           [](const LanceFile& file) {
             return Call(file.io).Run(
                 [&](const OperationContext& context) { return file.file->Verify(context); });
           })
      .def("read", &Read, nb::arg("first_row"), nb::arg("num_rows"), nb::arg("options"))
      .def("take", &Take, nb::arg("rows"), nb::arg("options"));
  module.def("open_lance_file", &Open, nb::arg("uri"),
             nb::arg("storage_options") = io::StorageOptions());
}

}  // namespace tusk::python
