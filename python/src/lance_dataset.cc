// Binds include/tusk/lance/dataset.h.
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/chrono.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "python_observer.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/append_or_create.h"
#include "tusk/lance/base_targets.h"
#include "tusk/lance/delete_rows.h"

namespace tusk::python {
namespace {

using Columns = std::optional<std::vector<std::string>>;
using Expressions = std::vector<std::pair<std::string, std::string>>;

std::vector<lance::NamedExpression> ToNamedExpressions(Expressions pairs) {
  std::vector<lance::NamedExpression> named;
  for (auto& [name, expression] : pairs) named.push_back({std::move(name), std::move(expression)});
  return named;
}

LanceTable Open(std::string_view uri, std::optional<uint64_t> version,
                io::StorageOptions storage_options) {
  const lance::OpenOptions options{
      .version = version, .manifest_path = {}, .storage_options = std::move(storage_options)};
  LanceTable table;
  table.dataset = Call(table.io).Run(
      [&](const OperationContext& context) { return lance::Dataset::Open(uri, options, context); });
  return table;
}

LanceTable Write(const nb::object& data, std::string_view uri, std::string_view mode,
                 lance::WriteOptions options, nb::object progress,
                 const io::StorageOptions& storage_options, const nb::object& commit_lock,
                 nb::object observer, const lance::BaseTargets& targets) {
  options.mode = ParseMode(mode);
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  const auto reader = ImportStream(data);
  PythonLock lock(commit_lock);
  PythonObserver watch(std::move(observer));
  options.commit_lock = lock.ToCommitLock();
  options.observer = watch.ToObserver();
  LanceTable table;
  table.dataset = watch.RunWith([&] {
    return lock.RunWith([&] {
      return Call(table.io, std::move(progress)).Run([&](const OperationContext& context) {
        // As pylance, an append to nothing makes the table.
        const bool is_append = options.mode == lance::WriteMode::kAppend;
        return is_append ? lance::AppendOrCreate(reader.get(), place, options, targets, context)
                         : lance::WriteDataset(reader.get(), place, options, targets, context);
      });
    });
  });
  return table;
}

ArrowStream Scan(const LanceTable& table, const lance::ScanOptions& options) {
  auto call = std::make_shared<Call>(table.io);
  auto reader = call->Run(
      [&](const OperationContext& context) { return table.dataset->Scan(options, context); });
  return ArrowStream(std::move(reader), std::move(call));
}

ArrowStream ToTable(const LanceTable& table, lance::ScanOptions options) {
  options.all_at_once = true;
  return ArrowStream(Call(table.io).Run(
      [&](const OperationContext& context) -> Result<std::shared_ptr<arrow::Table>> {
        ARROW_ASSIGN_OR_RAISE(auto reader, table.dataset->Scan(options, context));
        return reader->ToTable();
      }));
}

/// Rows by numbers of one kind: `take` is one of the members of Dataset that do it.
template <typename Number, auto take>
ArrowStream Take(const LanceTable& table, const std::vector<Number>& numbers, Columns columns,
                 Expressions expressions) {
  const lance::TakeOptions options{.columns = std::move(columns),
                                   .expressions = ToNamedExpressions(std::move(expressions)),
                                   .nested = true};
  return ArrowStream(Call(table.io).Run([&](const OperationContext& context) {
    return ((*table.dataset).*take)(numbers, options, context);
  }));
}

}  // namespace

lance::WriteMode ParseMode(std::string_view mode) {
  if (mode == "create") return lance::WriteMode::kCreate;
  if (mode == "append") return lance::WriteMode::kAppend;
  if (mode == "overwrite") return lance::WriteMode::kOverwrite;
  throw StatusError(InvalidArgument("mode must be create, append or overwrite, not '", mode, "'"));
}

namespace {

void BindScanOptions(nb::module_& module) {
  using lance::Ordering;
  using lance::ScanOptions;
  using lance::ScanStatistics;
  nb::class_<Ordering>(module, "LanceOrdering")
      .def(
          "__init__",
          [](Ordering* order, std::string column, bool ascending, bool nulls_first) {
            new (order) Ordering{std::move(column), ascending, nulls_first};
          },
          nb::arg("column"), nb::arg("ascending"), nb::arg("nulls_first"));
  nb::class_<ScanStatistics>(module, "LanceScanStatistics")
      .def(nb::init<>())
      .def("counts",
           [](const ScanStatistics& done) {
             return std::map<std::string, int64_t>{{"fragments_scanned", done.fragments},
                                                   {"ranges_scanned", done.pieces},
                                                   {"rows_scanned", done.rows},
                                                   {"rows_ruled_out", done.rows_ruled_out},
                                                   {"rows_kept", done.rows_kept}};
           })
      .def("nanoseconds", [](const ScanStatistics& done) {
        return std::map<std::string, int64_t>{{"filter_read", done.filter_read_ns},
                                              {"filter", done.filter_ns},
                                              {"read", done.read_ns}};
      });
  nb::class_<ScanOptions>(module, "LanceScanOptions")
      .def(nb::init<>())
      .def_rw("columns", &ScanOptions::columns, nb::arg().none())
      .def_prop_rw(
          "expressions", [](const ScanOptions&) { return nb::none(); },
          [](ScanOptions& options, Expressions expressions) {
            options.expressions = ToNamedExpressions(std::move(expressions));
          })
      .def_prop_rw(
          "filter", [](const ScanOptions&) { return nb::none(); },
          [](ScanOptions& options, const nb::object& filter) {
            options.filter = ImportFilter(filter);
          },
          nb::arg("filter").none())
      .def_rw("limit", &ScanOptions::limit, nb::arg().none())
      .def_rw("offset", &ScanOptions::offset)
      .def_rw("batch_rows", &ScanOptions::batch_rows)
      .def_rw("batch_bytes", &ScanOptions::batch_bytes)
      .def_rw("with_row_id", &ScanOptions::with_row_id)
      .def_rw("with_row_address", &ScanOptions::with_row_address)
      .def_rw("fragments", &ScanOptions::fragments, nb::arg().none())
      .def_rw("include_deleted_rows", &ScanOptions::include_deleted_rows)
      .def_rw("use_statistics", &ScanOptions::use_statistics)
      .def_rw("late_columns", &ScanOptions::late_columns, nb::arg().none())
      .def_rw("order_by", &ScanOptions::order_by)
      .def_rw("statistics", &ScanOptions::statistics, nb::arg().none());
}

void BindWriteOptions(nb::module_& module) {
  using lance::WriteOptions;
  nb::class_<WriteOptions>(module, "LanceWriteOptions")
      .def(nb::init<>())
      .def_rw("max_rows_per_file", &WriteOptions::max_rows_per_file)
      .def_rw("max_bytes_per_file", &WriteOptions::max_bytes_per_file)
      .def_rw("data_storage_version", &WriteOptions::data_storage_version, nb::arg().none())
      .def_rw("pages", &WriteOptions::pages)
      .def_rw("blobs", &WriteOptions::blobs)
      .def_rw("enable_stable_row_ids", &WriteOptions::enable_stable_row_ids)
      .def_rw("enable_v2_manifest_paths", &WriteOptions::enable_v2_manifest_paths)
      .def_rw("config", &WriteOptions::config)
      .def_rw("transaction_properties", &WriteOptions::transaction_properties);
}

void BindDescription(nb::class_<LanceTable>& bound) {
  bound.def_prop_ro("uri", [](const LanceTable& table) { return table.dataset->uri(); })
      .def_prop_ro("version", [](const LanceTable& table) { return table.dataset->version(); })
      .def_prop_ro("data_storage_version",
                   [](const LanceTable& table) { return table.dataset->data_storage_version(); })
      .def_prop_ro("has_stable_row_ids",
                   [](const LanceTable& table) { return table.dataset->has_stable_row_ids(); })
      .def_prop_ro("num_fragments",
                   [](const LanceTable& table) { return table.dataset->num_fragments(); })
      .def_prop_ro("config", [](const LanceTable& table) { return table.dataset->config(); })
      .def_prop_ro(
          "schema",
          [](const LanceTable& table) { return ArrowSchemaValue{table.dataset->schema()}; })
      .def_prop_ro("io", [](const LanceTable& table) { return table.io; });
}

void BindReads(nb::class_<LanceTable>& bound) {
  bound
      .def(
          "count_rows",
          [](const LanceTable& table, const nb::object& filter) {
            const auto bound = ImportFilter(filter);
            return Call(table.io).Run([&](const OperationContext& context) {
              return table.dataset->CountRows(bound, context);
            });
          },
          nb::arg("filter") = nb::none())
      .def("scan", &Scan, nb::arg("options"))
      .def("to_table", &ToTable, nb::arg("options"))
      .def("explain_scan",
           [](const LanceTable& table, const lance::ScanOptions& options) {
             return Call(table.io).Run([&](const OperationContext& context) {
               return table.dataset->ExplainScan(options, context);
             });
           })
      .def("analyze_scan",
           [](const LanceTable& table, const lance::ScanOptions& options) {
             return Call(table.io).Run([&](const OperationContext& context) {
               return table.dataset->AnalyzeScan(options, context);
             });
           })
      .def("fragments",
           [](const LanceTable& table) {
             std::vector<std::tuple<uint64_t, int64_t, int64_t>> rows;
             for (const lance::FragmentInfo& fragment : table.dataset->ListFragments()) {
               rows.emplace_back(fragment.id, fragment.num_rows, fragment.num_deleted_rows);
             }
             return rows;
           })
      .def("take", &Take<int64_t, &lance::Dataset::Take>, nb::arg("rows"),
           nb::arg("columns") = nb::none(), nb::arg("expressions") = Expressions())
      .def("take_row_ids", &Take<uint64_t, &lance::Dataset::TakeRowIds>, nb::arg("ids"),
           nb::arg("columns") = nb::none(), nb::arg("expressions") = Expressions())
      .def("take_addresses", &Take<uint64_t, &lance::Dataset::TakeAddresses>, nb::arg("addresses"),
           nb::arg("columns") = nb::none(), nb::arg("expressions") = Expressions())
      .def("versions",
           [](const LanceTable& table) {
             std::vector<std::tuple<uint64_t, int64_t, std::map<std::string, std::string>>> rows;
             for (auto& info : Call(table.io).Run([&](const OperationContext& context) {
                    return table.dataset->ListVersions(context);
                  })) {
               rows.emplace_back(info.version, info.timestamp_us, std::move(info.metadata));
             }
             return rows;
           })
      .def("latest_version", [](const LanceTable& table) {
        return Call(table.io).Run(
            [&](const OperationContext& context) { return table.dataset->LatestVersion(context); });
      });
}

}  // namespace

void BindLanceDataset(nb::module_& module) {
  BindScanOptions(module);
  BindWriteOptions(module);
  nb::class_<LanceTable> bound(module, "LanceTable");
  BindDescription(bound);
  BindReads(bound);
  module.def(
      "delete_lance",
      [](std::string_view uri, const nb::object& filter, int max_retries,
         std::chrono::milliseconds retry_timeout, const io::StorageOptions& storage_options,
         const nb::object& commit_lock) {
        const auto place = OrRaise(io::ResolveUri(uri, storage_options));
        const auto bound = ImportFilter(filter);
        PythonLock lock(commit_lock);
        const lance::DeleteOptions options{.max_retries = max_retries,
                                           .retry_timeout = retry_timeout,
                                           .transaction_properties = {},
                                           .commit_lock = lock.ToCommitLock()};
        LanceTable table;
        const lance::DeleteResult result = lock.RunWith([&] {
          return Call(table.io).Run([&](const OperationContext& context) {
            return lance::DeleteRows(place, bound, options, context);
          });
        });
        table.dataset = result.dataset;
        return std::make_pair(std::move(table), result.num_deleted_rows);
      },
      nb::arg("uri"), nb::arg("filter"), nb::arg("max_retries"), nb::arg("retry_timeout"),
      nb::arg("storage_options") = io::StorageOptions(), nb::arg("commit_lock") = nb::none());
  module.def("open_lance", &Open, nb::arg("uri"), nb::arg("version") = nb::none(),
             nb::arg("storage_options") = io::StorageOptions());
  module.def("write_lance", &Write, nb::arg("data"), nb::arg("uri"), nb::arg("mode"),
             nb::arg("options"), nb::arg("progress") = nb::none(),
             nb::arg("storage_options") = io::StorageOptions(), nb::arg("commit_lock") = nb::none(),
             nb::arg("observer") = nb::none(), nb::arg("targets") = lance::BaseTargets());
}

}  // namespace tusk::python
