// Binds include/tusk/lance/transactions.h.
#include <chrono>
#include <utility>

#include <arrow/type.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "tables.h"

#include "tusk/lance/transactions.h"

namespace tusk::python {
namespace {

LanceTable Commit(std::string_view uri, std::string_view transaction, const nb::object& schema,
                  lance::TransactionOptions options, const nb::object& lock,
                  const io::StorageOptions& storage_options) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  const auto fields = ImportSchema(schema);
  PythonLock python_lock(lock);
  options.lock = python_lock.ToCommitLock();
  LanceTable table;
  table.dataset = python_lock.RunWith([&] {
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::CommitTransaction(place, transaction, fields, options, context);
    });
  });
  return table;
}

}  // namespace

void BindLanceTransactions(nb::module_& module) {
  using lance::TransactionOptions;
  nb::class_<TransactionOptions>(module, "LanceTransactionOptions")
      .def(nb::init<>())
      .def_rw("max_retries", &TransactionOptions::max_retries)
      .def_prop_rw(
          "timeout_ms", [](const TransactionOptions& options) { return options.timeout.count(); },
          [](TransactionOptions& options, int64_t milliseconds) {
            options.timeout = std::chrono::milliseconds(milliseconds);
          })
      .def_rw("detached", &TransactionOptions::detached)
      .def_rw("enable_v2_manifest_paths", &TransactionOptions::enable_v2_manifest_paths)
      .def_rw("enable_stable_row_ids", &TransactionOptions::enable_stable_row_ids);
  module.def("commit_lance", &Commit, nb::arg("uri"), nb::arg("transaction"),
             nb::arg("schema").none(), nb::arg("options"), nb::arg("lock").none(),
             nb::arg("storage_options") = io::StorageOptions());
  module.def("describe_lance_transaction", [](const LanceTable& table) {
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::DescribeTransaction(*table.dataset, context);
    });
  });
  module.def("list_lance_versions", [](const LanceTable& table) {
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::ListVersionNumbers(*table.dataset, context);
    });
  });
  module.def("describe_lance_fragments",
             [](const LanceTable& table) { return lance::DescribeFragments(*table.dataset); });
  module.def("describe_lance_schema",
             [](const LanceTable& table) { return lance::DescribeSchema(*table.dataset); });
  module.def("describe_arrow_schema", [](const nb::object& schema) {
    return OrRaise(lance::DescribeSchema(*ImportSchema(schema)));
  });
  module.def("describe_lance_table",
             [](const LanceTable& table) { return lance::DescribeTable(*table.dataset); });
  module.def("migrate_lance_manifests", [](std::string_view uri) {
    const auto place = OrRaise(io::ResolveUri(uri));
    Call().Run([&](const OperationContext& context) -> Result<bool> {
      ARROW_RETURN_NOT_OK(lance::MigrateManifestPaths(place, context));
      return true;
    });
  });
}

}  // namespace tusk::python
