#include "arrow_data.h"

#include <utility>

#include <arrow/buffer.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace tusk::python {
namespace {

constexpr const char* kStreamCapsule = "arrow_array_stream";
constexpr const char* kSchemaCapsule = "arrow_schema";
constexpr const char* kArrayCapsule = "arrow_array";

/// Frees what the capsule `object` holds, and releases it first if nobody has taken it.
template <typename CStruct>
void FreeCapsule(PyObject* object) {
  const char* name = PyCapsule_GetName(object);
  auto* content = static_cast<CStruct*>(PyCapsule_GetPointer(object, name));
  if (content->release != nullptr) content->release(content);
  delete content;
}

template <typename CStruct>
nb::object MakeCapsule(std::unique_ptr<CStruct> content, const char* name) {
  PyObject* capsule = PyCapsule_New(content.get(), name, &FreeCapsule<CStruct>);
  if (capsule == nullptr) throw nb::python_error();
  content.release();
  return nb::steal(capsule);
}

/// Reads with what belongs to the call, and stops at Ctrl-C.
class CallReader final : public arrow::RecordBatchReader {
 public:
  CallReader(std::shared_ptr<arrow::RecordBatchReader> reader, std::shared_ptr<Call> call)
      : call_(std::move(call)), reader_(std::move(reader)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    const InterruptScope scope(call_->stop(), call_->interruptible());
    return reader_->ReadNext(batch);
  }
  Status Close() override { return reader_->Close(); }

 private:
  std::shared_ptr<Call> call_;  // outlives the reader, which borrows its context
  std::shared_ptr<arrow::RecordBatchReader> reader_;
};

/// The rows of `reader` that `filter` keeps.
Result<std::shared_ptr<arrow::Table>> KeepRows(arrow::RecordBatchReader* reader,
                                               const expr::Filter& filter,
                                               const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto bound, filter.Bind(*reader->schema(), context));
  std::vector<std::shared_ptr<arrow::RecordBatch>> kept;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) return arrow::Table::FromRecordBatches(reader->schema(), kept);
    ARROW_ASSIGN_OR_RAISE(batch, bound->Apply(batch, context));
    kept.push_back(std::move(batch));
  }
}

}  // namespace

ArrowStream::ArrowStream(std::shared_ptr<arrow::RecordBatchReader> reader,
                         std::shared_ptr<Call> call)
    : call_(std::move(call)), reader_(std::move(reader)) {}

ArrowStream::ArrowStream(const std::shared_ptr<arrow::Table>& table)
    : call_(std::make_shared<Call>()), reader_(std::make_shared<arrow::TableBatchReader>(table)) {}

nb::object ArrowStream::ToCapsule() {
  if (reader_ == nullptr) OrRaise(InvalidArgument("this Arrow stream was taken already"));
  auto reader = std::make_shared<CallReader>(std::exchange(reader_, nullptr), std::move(call_));
  auto stream = std::make_unique<ArrowArrayStream>();
  OrRaise(arrow::ExportRecordBatchReader(std::move(reader), stream.get()));
  return MakeCapsule(std::move(stream), kStreamCapsule);
}

ArrowBatch ArrowStream::Next() {
  if (reader_ == nullptr) OrRaise(InvalidArgument("this Arrow stream was taken already"));
  auto batch = call_->Run([this](const OperationContext&) { return reader_->Next(); });
  if (batch == nullptr) throw nb::stop_iteration();
  return {std::move(batch)};
}

ArrowStream ArrowStream::ReadAll() {
  if (reader_ == nullptr) OrRaise(InvalidArgument("this Arrow stream was taken already"));
  return ArrowStream(call_->Run([this](const OperationContext&) { return reader_->ToTable(); }));
}

std::shared_ptr<arrow::RecordBatchReader> ImportStream(const nb::object& object) {
  if (!nb::hasattr(object, "__arrow_c_stream__")) {
    throw nb::type_error("data has no __arrow_c_stream__ method");
  }
  const nb::object capsule = object.attr("__arrow_c_stream__")();
  auto* stream =
      static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), kStreamCapsule));
  if (stream == nullptr) throw nb::python_error();
  return OrRaise(arrow::ImportRecordBatchReader(stream));
}

std::shared_ptr<arrow::Schema> ImportSchema(const nb::object& object) {
  if (object.is_none()) return nullptr;
  if (!nb::hasattr(object, "__arrow_c_schema__")) {
    throw nb::type_error("schema has no __arrow_c_schema__ method");
  }
  const nb::object capsule = object.attr("__arrow_c_schema__")();
  auto* schema = static_cast<ArrowSchema*>(PyCapsule_GetPointer(capsule.ptr(), kSchemaCapsule));
  if (schema == nullptr) throw nb::python_error();
  return OrRaise(arrow::ImportSchema(schema));
}

std::shared_ptr<const expr::Filter> ImportFilter(const nb::object& filter) {
  if (filter.is_none()) return nullptr;
  if (nb::isinstance<nb::str>(filter)) {
    return OrRaise(expr::Filter::FromSql(nb::cast<std::string>(filter)));
  }
  if (!nb::isinstance<nb::bytes>(filter)) {
    throw nb::type_error("a filter is text in SQL or the bytes of an Arrow expression");
  }
  const auto serialized = nb::cast<nb::bytes>(filter);
  return OrRaise(expr::Filter::Deserialize(
      arrow::Buffer::FromString(std::string(serialized.c_str(), serialized.size()))));
}

void BindArrowData(nb::module_& module) {
  nb::class_<ArrowBatch>(module, "ArrowBatch")
      .def(
          "__arrow_c_array__",
          [](const ArrowBatch& value, const nb::object&) {
            auto array = std::make_unique<ArrowArray>();
            auto schema = std::make_unique<ArrowSchema>();
            OrRaise(arrow::ExportRecordBatch(*value.batch, array.get(), schema.get()));
            return nb::make_tuple(MakeCapsule(std::move(schema), kSchemaCapsule),
                                  MakeCapsule(std::move(array), kArrayCapsule));
          },
          nb::arg("requested_schema") = nb::none());
  nb::class_<ArrowStream>(module, "ArrowStream")
      .def("__iter__", [](const nb::object& self) { return self; })
      .def("__next__", &ArrowStream::Next)
      .def("read_all", &ArrowStream::ReadAll)
      .def(
          "__arrow_c_stream__",
          [](ArrowStream& stream, const nb::object&) { return stream.ToCapsule(); },
          nb::arg("requested_schema") = nb::none());
  nb::class_<ArrowSchemaValue>(module, "ArrowSchema")
      .def("__arrow_c_schema__", [](const ArrowSchemaValue& value) {
        auto schema = std::make_unique<ArrowSchema>();
        OrRaise(arrow::ExportSchema(*value.schema, schema.get()));
        return MakeCapsule(std::move(schema), kSchemaCapsule);
      });
  module.def(
      "filter_columns",
      [](const nb::object& filter, const nb::object& schema) {
        return OrRaise(ImportFilter(filter)->Columns(*ImportSchema(schema)));
      },
      nb::arg("filter"), nb::arg("schema"));
  module.def(
      "apply_filter",
      [](const nb::object& data, const nb::object& filter) {
        const auto reader = ImportStream(data);
        const auto predicate = ImportFilter(filter);
        return ArrowStream(Call().Run([&](const OperationContext& context) {
          return KeepRows(reader.get(), *predicate, context);
        }));
      },
      nb::arg("data"), nb::arg("filter"));
}

}  // namespace tusk::python
