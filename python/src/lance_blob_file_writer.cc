// Binds include/tusk/lance/blob_file_writer.h.
#include <memory>
#include <span>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "call.h"
#include "lance_blobs.h"

#include "tusk/lance/blob_file_writer.h"

namespace tusk::python {
namespace {

/// A file between its calls, which all write with one context.
struct LanceBlobFileWriter {
  std::shared_ptr<Call> call;  // outlives the file, which borrows its context
  std::unique_ptr<lance::BlobFileWriter> file;
};

/// Bytes of a Python object.
class ReadableBuffer {
 public:
  explicit ReadableBuffer(const nb::object& object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_C_CONTIGUOUS) != 0) throw nb::python_error();
  }
  ~ReadableBuffer() { PyBuffer_Release(&view_); }
  ReadableBuffer(const ReadableBuffer&) = delete;
  ReadableBuffer& operator=(const ReadableBuffer&) = delete;

  std::span<const uint8_t> bytes() const {
    return {static_cast<const uint8_t*>(view_.buf), static_cast<size_t>(view_.len)};
  }

 private:
  Py_buffer view_;
};

LanceBlobFileWriter Open(const io::StorePath& data_file, uint32_t blob_id) {
  LanceBlobFileWriter opened{.call = std::make_shared<Call>(), .file = nullptr};
  opened.file = opened.call->Run([&](const OperationContext& context) {
    return lance::BlobFileWriter::Open(data_file, blob_id, context);
  });
  return opened;
}

}  // namespace

void BindLanceBlobFileWriter(nb::module_& module) {
  nb::class_<LanceBlobFileWriter>(module, "LanceBlobFileWriter")
      .def(
          "append",
          [](LanceBlobFileWriter& writer, const nb::object& data) {
            const ReadableBuffer buffer(data);
            writer.call->Run(
                [&](const OperationContext&) { return writer.file->Append(buffer.bytes()); });
          },
          nb::arg("data"))
      .def("finish",
           [](LanceBlobFileWriter& writer) {
             writer.call->Run([&](const OperationContext&) { return writer.file->Finish(); });
           })
      .def_prop_ro("path", [](const LanceBlobFileWriter& writer) { return writer.file->path(); })
      .def_prop_ro("bytes_written",
                   [](const LanceBlobFileWriter& writer) { return writer.file->bytes_written(); });
  module.def("write_lance_blob_file", &Open, nb::arg("data_file"), nb::arg("blob_id"));
}

}  // namespace tusk::python
