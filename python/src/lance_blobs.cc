// Binds include/tusk/lance/blob.h.
#include "lance_blobs.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <arrow/table.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "tables.h"

#include "tusk/lance/blob.h"

namespace tusk::python {
namespace {

/// A blob of a table as Python holds it, with what was read through the table.
struct LanceBlob {
  std::shared_ptr<const lance::Blob> blob;
  std::shared_ptr<IoCounters> io;
};

lance::RowNumbers ParseRowNumbers(std::string_view name) {
  if (name == "ids") return lance::RowNumbers::kIds;
  if (name == "addresses") return lance::RowNumbers::kAddresses;
  if (name == "indices") return lance::RowNumbers::kPositions;
  throw StatusError(InvalidArgument("rows must be ids, addresses or indices, not '", name, "'"));
}

std::vector<lance::FoundBlob> Find(const LanceTable& table, const std::string& column,
                                   std::string_view numbers, const std::vector<uint64_t>& rows) {
  const auto kind = ParseRowNumbers(numbers);
  return Call(table.io).Run([&](const OperationContext& context) {
    return lance::FindBlobs(*table.dataset, column, kind, rows, context);
  });
}

/// Bytes objects that are read at once, without a copy.
class BytesReads {
 public:
  explicit BytesReads(std::shared_ptr<IoCounters> io) : io_(std::move(io)) {}

  /// A bytes object that Read will fill, or an error: it is made only for what the blob has.
  nb::object Add(const lance::Blob& blob, int64_t offset, int64_t length) {
    if (offset < 0 || length < 0 || length > blob.size() || offset > blob.size() - length) {
      throw StatusError(InvalidArgument("cannot read ", length, " bytes at ", offset,
                                        " of a blob of ", blob.size()));
    }
    auto bytes = nb::steal(PyBytes_FromStringAndSize(nullptr, length));
    if (!bytes.is_valid()) throw nb::python_error();
    auto* into = reinterpret_cast<uint8_t*>(PyBytes_AS_STRING(bytes.ptr()));
    reads_.push_back(
        {.blob = &blob, .offset = offset, .into = {into, static_cast<size_t>(length)}});
    return bytes;
  }
  void Read() {
    Call(io_).Run([&](const OperationContext& context) -> Result<bool> {
      ARROW_RETURN_NOT_OK(lance::ReadBlobs(reads_, context));
      return true;
    });
  }

 private:
  std::shared_ptr<IoCounters> io_;
  std::vector<lance::BlobRead> reads_;
};

nb::list TakeBlobs(const LanceTable& table, const std::string& column, std::string_view numbers,
                   const std::vector<uint64_t>& rows) {
  nb::list blobs;
  for (lance::FoundBlob& found : Find(table, column, numbers, rows)) {
    if (found.blob == nullptr) {
      blobs.append(nb::none());
    } else {
      blobs.append(LanceBlob{std::move(found.blob), table.io});
    }
  }
  return blobs;
}

nb::list ReadBlobs(const LanceTable& table, const std::string& column, std::string_view numbers,
                   const std::vector<uint64_t>& rows) {
  const auto found = Find(table, column, numbers, rows);
  BytesReads reads(table.io);
  nb::list values;
  for (const lance::FoundBlob& row : found) {
    const nb::object bytes =
        row.blob == nullptr ? nb::none() : reads.Add(*row.blob, 0, row.blob->size());
    values.append(nb::make_tuple(row.row_address, bytes));
  }
  reads.Read();
  return values;
}

using RangeRequest = std::tuple<uint64_t, int64_t, int64_t>;

nb::list ReadBlobRanges(const LanceTable& table, const std::string& column,
                        std::string_view numbers, const std::vector<RangeRequest>& requests) {
  std::vector<uint64_t> rows;
  rows.reserve(requests.size());
  for (const auto& [row, offset, length] : requests) rows.push_back(row);
  const auto found = Find(table, column, numbers, rows);
  BytesReads reads(table.io);
  nb::list values;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& [row, offset, length] = requests[i];
    const nb::object bytes =
        found[i].blob == nullptr ? nb::none() : reads.Add(*found[i].blob, offset, length);
    values.append(nb::make_tuple(i, found[i].row_address, bytes));
  }
  reads.Read();
  return values;
}

nb::object ReadRange(const LanceBlob& blob, int64_t offset, int64_t length) {
  BytesReads reads(blob.io);
  nb::object bytes = reads.Add(*blob.blob, offset, length);
  reads.Read();
  return bytes;
}

nb::list ReadRanges(const LanceBlob& blob, const std::vector<std::pair<int64_t, int64_t>>& ranges) {
  BytesReads reads(blob.io);
  nb::list values;
  for (const auto& [offset, length] : ranges) {
    values.append(reads.Add(*blob.blob, offset, length));
  }
  reads.Read();
  return values;
}

/// Memory of a Python object that can be written to.
class WritableBuffer {
 public:
  explicit WritableBuffer(const nb::object& object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS) != 0) {
      throw nb::python_error();
    }
  }
  ~WritableBuffer() { PyBuffer_Release(&view_); }
  WritableBuffer(const WritableBuffer&) = delete;
  WritableBuffer& operator=(const WritableBuffer&) = delete;

  std::span<uint8_t> bytes() const {
    return {static_cast<uint8_t*>(view_.buf), static_cast<size_t>(view_.len)};
  }

 private:
  Py_buffer view_;
};

/// Fills `object` with bytes from `offset` on, as far as there are so many; how many it were.
int64_t ReadInto(const LanceBlob& blob, int64_t offset, const nb::object& object) {
  const WritableBuffer buffer(object);
  const int64_t left = blob.blob->size() - std::min(offset, blob.blob->size());
  const std::span<uint8_t> into =
      buffer.bytes().first(std::min<size_t>(buffer.bytes().size(), left));
  const lance::BlobRead read{.blob = blob.blob.get(), .offset = offset, .into = into};
  if (into.empty()) return 0;
  return Call(blob.io).Run([&](const OperationContext& context) -> Result<int64_t> {
    ARROW_RETURN_NOT_OK(lance::ReadBlobs({&read, 1}, context));
    return std::ssize(into);
  });
}

ArrowStream TakeBytes(const LanceTable& table, const std::vector<int64_t>& rows,
                      std::optional<std::vector<std::string>> columns,
                      std::vector<std::pair<std::string, std::string>> expressions) {
  lance::TakeOptions options{.columns = std::move(columns), .expressions = {}, .nested = true};
  for (auto& [name, expression] : expressions) {
    options.expressions.push_back({std::move(name), std::move(expression)});
  }
  auto batch = Call(table.io).Run([&](const OperationContext& context) {
    return lance::TakeBlobBytes(*table.dataset, rows, options, context);
  });
  return ArrowStream(OrRaise(arrow::Table::FromRecordBatches({std::move(batch)})));
}

ArrowStream ScanBytes(const LanceTable& table, const lance::ScanOptions& options) {
  auto call = std::make_shared<Call>(table.io);
  auto reader = call->Run([&](const OperationContext& context) {
    return lance::ScanBlobBytes(table.dataset, options, context);
  });
  return ArrowStream(std::move(reader), std::move(call));
}

}  // namespace

void BindLanceBlobs(nb::module_& module) {
  using lance::BlobWriteOptions;
  nb::class_<BlobWriteOptions>(module, "LanceBlobWriteOptions")
      .def(nb::init<>())
      .def_rw("ingest_external", &BlobWriteOptions::ingest_external)
      .def_rw("allow_external_outside_bases", &BlobWriteOptions::allow_external_outside_bases)
      .def_rw("pack_file_bytes", &BlobWriteOptions::pack_file_bytes, nb::arg().none());
  nb::class_<LanceBlob>(module, "LanceBlob")
      .def_prop_ro("kind",
                   [](const LanceBlob& blob) { return static_cast<int>(blob.blob->kind()); })
      .def_prop_ro("size", [](const LanceBlob& blob) { return blob.blob->size(); })
      .def_prop_ro("position", [](const LanceBlob& blob) { return blob.blob->position(); })
      .def_prop_ro("uri", [](const LanceBlob& blob) { return blob.blob->uri(); })
      .def("read", &ReadRange, nb::arg("offset"), nb::arg("length"))
      .def("read_ranges", &ReadRanges, nb::arg("ranges"))
      .def("read_into", &ReadInto, nb::arg("offset"), nb::arg("buffer"));
  module.def("take_blobs", &TakeBlobs, nb::arg("table"), nb::arg("column"), nb::arg("numbers"),
             nb::arg("rows"));
  module.def("read_blobs", &ReadBlobs, nb::arg("table"), nb::arg("column"), nb::arg("numbers"),
             nb::arg("rows"));
  module.def("take_blob_bytes", &TakeBytes, nb::arg("table"), nb::arg("rows"),
             nb::arg("columns") = nb::none(),
             nb::arg("expressions") = std::vector<std::pair<std::string, std::string>>());
  module.def("scan_blob_bytes", &ScanBytes, nb::arg("table"), nb::arg("options"));
  module.def("read_blob_ranges", &ReadBlobRanges, nb::arg("table"), nb::arg("column"),
             nb::arg("numbers"), nb::arg("requests"));
}

}  // namespace tusk::python
