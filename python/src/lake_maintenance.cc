// Binds include/tusk/lake/maintenance.h.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"

#include "tusk/lake/maintenance.h"

namespace tusk::python {

namespace {

std::optional<std::string> TextOfError(const Status& status) {
  return status.ok() ? std::nullopt : std::optional(status.message());
}

void BindRetention(nb::module_& module) {
  nb::class_<catalog::Retention>(module, "Retention")
      .def_ro("older_than_ms", &catalog::Retention::older_than_ms)
      .def_ro("keep_last", &catalog::Retention::keep_last);
  module.def(
      "retention",
      [](const lake::Lake& lake) {
        return Call().Run([&](const OperationContext& context) { return lake.Retention(context); });
      },
      nb::arg("lake"));
  module.def(
      "set_retention",
      [](lake::Lake& lake, std::optional<int64_t> older_than_ms, std::optional<int64_t> keep_last) {
        Call().Run([&](const OperationContext& context) {
          return lake.SetRetention({.older_than_ms = older_than_ms, .keep_last = keep_last},
                                   context);
        });
      },
      nb::arg("lake"), nb::arg("older_than_ms") = nb::none(), nb::arg("keep_last") = nb::none());
}

void BindDoctor(nb::module_& module) {
  using lake::DoctorReport;
  using lake::Finding;
  const lake::DoctorOptions defaults;
  nb::class_<Finding>(module, "Finding")
      .def_prop_ro("kind", [](const Finding& finding) { return FindingKindName(finding.kind); })
      .def_ro("table", &Finding::table)
      .def_ro("path", &Finding::path)
      .def_ro("size_bytes", &Finding::size_bytes)
      .def_ro("detail", &Finding::detail)
      .def_ro("is_young", &Finding::is_young)
      .def_ro("removed", &Finding::removed);
  nb::class_<DoctorReport>(module, "DoctorReport")
      .def_ro("findings", &DoctorReport::findings)
      .def_ro("leftover_files", &DoctorReport::leftover_files)
      .def_ro("leftover_bytes", &DoctorReport::leftover_bytes)
      .def_ro("removed_files", &DoctorReport::removed_files)
      .def_ro("removed_bytes", &DoctorReport::removed_bytes)
      .def_prop_ro("is_damaged", &DoctorReport::is_damaged);
  module.def(
      "examine",
      [](lake::Lake& lake, bool clean, int64_t min_age_ms, nb::object progress) {
        const lake::DoctorOptions options{.clean = clean, .min_age_ms = min_age_ms};
        return Call(nullptr, std::move(progress)).Run([&](const OperationContext& context) {
          return lake::Examine(&lake, options, context);
        });
      },
      nb::arg("lake"), nb::arg("clean") = defaults.clean,
      nb::arg("min_age_ms") = defaults.min_age_ms, nb::arg("progress") = nb::none());
}

void BindCleanup(nb::module_& module) {
  using lake::CleanupReport;
  const lake::CleanupOptions defaults;
  nb::class_<CleanupReport>(module, "CleanupReport")
      .def_ro("older_than_ms", &CleanupReport::older_than_ms)
      .def_ro("keep_last", &CleanupReport::keep_last)
      .def_ro("given_up", &CleanupReport::given_up)
      .def_ro("lance_versions", &CleanupReport::lance_versions)
      .def_ro("iceberg_snapshots", &CleanupReport::iceberg_snapshots)
      .def_ro("removed_files", &CleanupReport::removed_files)
      .def_ro("removed_bytes", &CleanupReport::removed_bytes)
      .def_ro("skipped", &CleanupReport::skipped);
  module.def(
      "clean_up",
      [](lake::Lake& lake, std::optional<int64_t> older_than_ms, std::optional<int64_t> keep_last,
         bool dry_run, int64_t min_age_ms, std::string author, nb::object progress) {
        const lake::CleanupOptions options{.older_than_ms = older_than_ms,
                                           .keep_last = keep_last,
                                           .dry_run = dry_run,
                                           .min_age_ms = min_age_ms,
                                           .author = std::move(author)};
        return Call(nullptr, std::move(progress)).Run([&](const OperationContext& context) {
          return lake::CleanUp(&lake, options, context);
        });
      },
      nb::arg("lake"), nb::arg("older_than_ms") = nb::none(), nb::arg("keep_last") = nb::none(),
      nb::arg("dry_run") = defaults.dry_run, nb::arg("min_age_ms") = defaults.min_age_ms,
      nb::arg("author") = "", nb::arg("progress") = nb::none());
}

void BindOptimize(nb::module_& module) {
  using lake::OptimizeReport;
  using lake::TableOptimization;
  const lake::OptimizeOptions defaults;
  nb::class_<TableOptimization>(module, "TableOptimization")
      .def_prop_ro("name", [](const TableOptimization& table) { return table.name.ToString(); })
      .def_prop_ro("kind", [](const TableOptimization& table) { return TableKindName(table.kind); })
      .def_ro("version", &TableOptimization::version)
      .def_ro("files_removed", &TableOptimization::files_removed)
      .def_ro("files_added", &TableOptimization::files_added)
      .def_prop_ro("error",
                   [](const TableOptimization& table) { return TextOfError(table.error); });
  nb::class_<OptimizeReport>(module, "OptimizeReport")
      .def_ro("tables", &OptimizeReport::tables)
      .def_ro("cleanup", &OptimizeReport::cleanup)
      .def_prop_ro("cleanup_error",
                   [](const OptimizeReport& report) { return TextOfError(report.cleanup_error); });
  module.def(
      "optimize",
      [](lake::Lake& lake, const std::vector<std::string>& tables,
         std::optional<int64_t> target_rows_per_fragment, int64_t target_file_bytes, bool clean_up,
         std::optional<int64_t> older_than_ms, std::optional<int64_t> keep_last, int64_t min_age_ms,
         std::string author, nb::object progress) {
        return Call(nullptr, std::move(progress))
            .Run([&](const OperationContext& context) -> Result<OptimizeReport> {
              lake::OptimizeOptions options{.author = author};
              for (const std::string& table : tables) {
                ARROW_ASSIGN_OR_RAISE(options.tables.emplace_back(),
                                      catalog::TableName::Parse(table));
              }
              options.target_rows_per_fragment = target_rows_per_fragment;
              options.iceberg.target_file_bytes = target_file_bytes;
              options.cleanup->older_than_ms = older_than_ms;
              options.cleanup->keep_last = keep_last;
              options.cleanup->min_age_ms = min_age_ms;
              options.cleanup->author = std::move(author);
              if (!clean_up) options.cleanup.reset();
              return lake::Optimize(&lake, options, context);
            });
      },
      nb::arg("lake"), nb::arg("tables"), nb::arg("target_rows_per_fragment") = nb::none(),
      nb::arg("target_file_bytes") = defaults.iceberg.target_file_bytes, nb::arg("clean_up") = true,
      nb::arg("older_than_ms") = nb::none(), nb::arg("keep_last") = nb::none(),
      nb::arg("min_age_ms") = lake::CleanupOptions().min_age_ms, nb::arg("author") = "",
      nb::arg("progress") = nb::none());
}

}  // namespace

void BindLakeMaintenance(nb::module_& module) {
  BindRetention(module);
  BindDoctor(module);
  BindCleanup(module);
  BindOptimize(module);
}

}  // namespace tusk::python
