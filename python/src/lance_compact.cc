// Binds include/tusk/lance/compact.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/compact.h"

namespace tusk::python {
namespace {

using lance::CompactedFragments;
using lance::CompactionMetrics;
using lance::CompactionOptions;
using lance::CompactionTask;

using Outcome = std::pair<LanceTable, CompactionMetrics>;

Outcome Committed(lance::CompactionResult result) {
  LanceTable table;
  table.dataset = std::move(result.dataset);
  return {std::move(table), result.metrics};
}

/// Does what makes a version with the lock of the caller.
template <typename Operation>
Outcome CommitWith(const nb::object& commit_lock, CompactionOptions options,
                   const Operation& operation) {
  PythonLock lock(commit_lock);
  options.commit_lock = lock.ToCommitLock();
  return Committed(lock.RunWith([&] {
    return Call(nullptr).Run(
        [&](const OperationContext& context) { return operation(options, context); });
  }));
}

Outcome Commit(std::string_view uri, const std::vector<CompactedFragments>& done,
               const CompactionOptions& options, const io::StorageOptions& storage_options,
               const nb::object& commit_lock) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  return CommitWith(commit_lock, options, [&](const auto& how, const auto& context) {
    return lance::CommitCompaction(place, done, how, context);
  });
}

Outcome Compact(std::string_view uri, const CompactionOptions& options,
                const io::StorageOptions& storage_options, const nb::object& commit_lock) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  return CommitWith(commit_lock, options, [&](const auto& how, const auto& context) {
    return lance::Compact(place, how, context);
  });
}

}  // namespace

void BindLanceCompact(nb::module_& module) {
  module.def("lance_compaction_options", [](const LanceTable& table) {
    return OrRaise(lance::WithConfig({}, table.dataset->config()));
  });
  nb::class_<CompactionOptions>(module, "LanceCompactionOptions")
      .def(nb::init<>())
      .def_rw("target_rows_per_fragment", &CompactionOptions::target_rows_per_fragment)
      .def_rw("max_bytes_per_file", &CompactionOptions::max_bytes_per_file)
      .def_rw("materialize_deletions", &CompactionOptions::materialize_deletions)
      .def_rw("materialize_deletions_threshold",
              &CompactionOptions::materialize_deletions_threshold)
      .def_rw("keep_large", &CompactionOptions::keep_large)
      .def_rw("defer_index_remap", &CompactionOptions::defer_index_remap)
      .def_rw("num_threads", &CompactionOptions::num_threads)
      .def_rw("batch_size", &CompactionOptions::batch_rows)
      .def_rw("binary_copy_read_batch_bytes", &CompactionOptions::copy_read_bytes)
      .def("set_mode",
           [](CompactionOptions& options, std::string_view name) {
             options.mode = OrRaise(lance::ParseCompactionMode(name));
           })
      .def_rw("max_source_fragments", &CompactionOptions::max_source_fragments)
      .def_rw("max_source_rows", &CompactionOptions::max_source_rows)
      .def_rw("max_source_bytes", &CompactionOptions::max_source_bytes)
      .def_rw("excluded_fragment_ids", &CompactionOptions::excluded_fragments)
      .def_rw("data_storage_version", &CompactionOptions::data_storage_version)
      .def_rw("transaction_properties", &CompactionOptions::transaction_properties);
  nb::class_<CompactionMetrics>(module, "LanceCompactionMetrics")
      .def("__init__",
           [](CompactionMetrics* metrics, int64_t fragments_removed, int64_t fragments_added,
              int64_t files_removed, int64_t files_added) {
             new (metrics)
                 CompactionMetrics{fragments_removed, fragments_added, files_removed, files_added};
           })
      .def_ro("fragments_removed", &CompactionMetrics::fragments_removed)
      .def_ro("fragments_added", &CompactionMetrics::fragments_added)
      .def_ro("files_removed", &CompactionMetrics::files_removed)
      .def_ro("files_added", &CompactionMetrics::files_added);
  nb::class_<CompactedFragments>(module, "LanceCompactedFragments")
      .def("__init__",
           [](CompactedFragments* done, uint64_t read_version, const CompactionMetrics& metrics,
              std::string rewrite) {
             new (done) CompactedFragments{read_version, metrics, std::move(rewrite)};
           })
      .def_ro("metrics", &CompactedFragments::metrics)
      .def_ro("rewrite", &CompactedFragments::rewrite);
  module.def(
      "plan_lance_compaction",
      [](const LanceTable& table, const CompactionOptions& options) {
        const auto tasks = Call(table.io).Run([&](const OperationContext& context) {
          return lance::PlanCompaction(*table.dataset, options, context);
        });
        std::vector<std::vector<uint64_t>> ids;
        for (const CompactionTask& task : tasks) ids.push_back(task.fragments);
        return ids;
      },
      nb::arg("table"), nb::arg("options"));
  module.def(
      "execute_lance_compaction",
      [](const LanceTable& table, uint64_t read_version, std::vector<uint64_t> fragments,
         const CompactionOptions& options) {
        const CompactionTask task{.read_version = read_version, .fragments = std::move(fragments)};
        return Call(table.io).Run([&](const OperationContext& context) {
          return lance::ExecuteCompaction(*table.dataset, task, options, context);
        });
      },
      nb::arg("table"), nb::arg("read_version"), nb::arg("fragments"), nb::arg("options"));
  module.def("commit_lance_compaction", &Commit, nb::arg("uri"), nb::arg("done"),
             nb::arg("options"), nb::arg("storage_options"), nb::arg("commit_lock") = nb::none());
  module.def("compact_lance", &Compact, nb::arg("uri"), nb::arg("options"),
             nb::arg("storage_options"), nb::arg("commit_lock") = nb::none());
}

}  // namespace tusk::python
