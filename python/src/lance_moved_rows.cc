// Binds include/tusk/lance/moved_rows.h.
#include <optional>
#include <string_view>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/moved_rows.h"

namespace tusk::python {
namespace {

/// The first column of `data`, remapped.
std::optional<ArrowBatch> Remap(const LanceTable& table, const nb::object& data) {
  const auto reader = ImportStream(data);
  return Call(table.io).Run(
      [&](const OperationContext& context) -> Result<std::optional<ArrowBatch>> {
        ARROW_ASSIGN_OR_RAISE(const auto rows, reader->ToTable());
        ARROW_ASSIGN_OR_RAISE(const auto batch, rows->CombineChunksToBatch(context.pool));
        ARROW_ASSIGN_OR_RAISE(auto moved,
                              lance::RemapRowAddresses(*table.dataset, batch->column(0), context));
        if (moved == nullptr) return std::nullopt;
        const auto schema = arrow::schema({arrow::field("address", moved->type())});
        const int64_t length = moved->length();
        return ArrowBatch{arrow::RecordBatch::Make(schema, length, {std::move(moved)})};
      });
}

LanceTable CleanUp(std::string_view uri, const io::StorageOptions& storage_options,
                   const nb::object& commit_lock) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  PythonLock lock(commit_lock);
  LanceTable table;
  table.dataset = lock.RunWith([&] {
    return Call(nullptr).Run([&](const OperationContext& context) {
      return lance::CleanUpMovedRows(place, lock.ToCommitLock(), context);
    });
  });
  return table;
}

}  // namespace

void BindLanceMovedRows(nb::module_& module) {
  module.def("remap_lance_row_addresses", &Remap, nb::arg("table"), nb::arg("data"));
  module.def("clean_up_lance_moved_rows", &CleanUp, nb::arg("uri"),
             nb::arg("storage_options") = io::StorageOptions(),
             nb::arg("commit_lock") = nb::none());
}

}  // namespace tusk::python
