// Binds include/tusk/io/object_store.h.
#include "tusk/io/object_store.h"

#include <arrow/buffer.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"
#include "tables.h"

namespace tusk::python {

void BindObjectStore(nb::module_& module) {
  using io::StorePath;
  nb::class_<StorePath>(module, "StorePath")
      .def_ro("path", &StorePath::path)
      .def(
          "below",
          [](const StorePath& base, std::string_view path) {
            return OrRaise(io::ResolveBelow(base, path));
          },
          nb::arg("path"))
      .def("size",
           [](const StorePath& object) {
             return Call()
                 .Run([&](const OperationContext& context) {
                   return object.store->Head(object.path, context);
                 })
                 .size;
           })
      .def("list",
           [](const StorePath& folder) {
             std::vector<std::string> paths;
             for (io::ObjectInfo& info : Call().Run([&](const OperationContext& context) {
                    return folder.store->List(folder.path, context);
                  })) {
               paths.push_back(std::move(info.path));
             }
             return paths;
           })
      .def(
          "read",
          [](const StorePath& object, int64_t offset, int64_t length) {
            const auto bytes = Call().Run(
                [&](const OperationContext& context) -> Result<std::shared_ptr<arrow::Buffer>> {
                  ARROW_ASSIGN_OR_RAISE(const io::OpenedObject opened,
                                        object.store->Open(object.path, 0, context));
                  return opened.reader->ReadOne({.offset = offset, .length = length}, context);
                });
            return nb::bytes(bytes->data(), static_cast<size_t>(bytes->size()));
          },
          nb::arg("offset"), nb::arg("length"))
      .def("delete",
           [](const StorePath& object) {
             Call().Run([&](const OperationContext& context) {
               return object.store->Delete(object.path, context);
             });
           })
      .def(
          "copy_to",
          [](const StorePath& source, const StorePath& target) {
            Call().Run([&](const OperationContext& context) {
              return io::CopyObject(source, target, context);
            });
          },
          nb::arg("target"));
  module.def(
      "resolve",
      [](std::string_view uri, const io::StorageOptions& options) {
        return OrRaise(io::ResolveUri(uri, options));
      },
      nb::arg("uri"), nb::arg("options") = io::StorageOptions());
}

}  // namespace tusk::python
