// Binds include/tusk/lance/merge_insert.h.
#include <nanobind/nanobind.h>
#include <nanobind/stl/chrono.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrow_data.h"
#include "call.h"
#include "module.h"
#include "python_lock.h"
#include "tables.h"

#include "tusk/io/object_store.h"
#include "tusk/lance/merge_insert.h"

namespace tusk::python {
namespace {

lance::WhenMatched ParseWhenMatched(std::string_view name) {
  if (name == "keep") return lance::WhenMatched::kKeep;
  if (name == "update") return lance::WhenMatched::kUpdate;
  if (name == "delete") return lance::WhenMatched::kDelete;
  if (name == "fail") return lance::WhenMatched::kFail;
  throw StatusError(InvalidArgument("matched rows are to be '", name, "', which is no choice"));
}

using Counts = std::map<std::string, int64_t>;

Counts CountsOf(const lance::MergeInsertResult& result) {
  return {{"num_inserted_rows", result.num_inserted_rows},
          {"num_updated_rows", result.num_updated_rows},
          {"num_deleted_rows", result.num_deleted_rows}};
}

std::pair<LanceTable, Counts> Merge(const nb::object& data, std::string_view uri,
                                    lance::MergeInsertOptions options,
                                    const io::StorageOptions& storage_options,
                                    const nb::object& commit_lock) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  const auto reader = ImportStream(data);
  PythonLock lock(commit_lock);
  options.commit_lock = lock.ToCommitLock();
  LanceTable table;
  const lance::MergeInsertResult result = lock.RunWith([&] {
    return Call(table.io).Run([&](const OperationContext& context) {
      return lance::MergeInsert(reader.get(), place, options, context);
    });
  });
  table.dataset = result.dataset;
  return {std::move(table), CountsOf(result)};
}

/// The transaction as JSON, and the counts.
std::pair<std::string, Counts> Prepare(const nb::object& data, std::string_view uri,
                                       const lance::MergeInsertOptions& options,
                                       const io::StorageOptions& storage_options) {
  const auto place = OrRaise(io::ResolveUri(uri, storage_options));
  const auto reader = ImportStream(data);
  const lance::MergeInsertResult result = Call().Run([&](const OperationContext& context) {
    return lance::PrepareMergeInsert(reader.get(), place, options, context);
  });
  return {result.transaction, CountsOf(result)};
}

}  // namespace

void BindLanceMergeInsert(nb::module_& module) {
  using lance::MergeInsertOptions;
  nb::class_<MergeInsertOptions>(module, "LanceMergeInsertOptions")
      .def(nb::init<>())
      .def_rw("on", &MergeInsertOptions::on)
      .def_prop_rw(
          "when_matched", [](const MergeInsertOptions&) { return nb::none(); },
          [](MergeInsertOptions& options, std::string_view name) {
            options.when_matched = ParseWhenMatched(name);
          })
      .def_prop_rw(
          "update_condition", [](const MergeInsertOptions&) { return nb::none(); },
          [](MergeInsertOptions& options, const nb::object& filter) {
            options.update_condition = ImportFilter(filter);
          },
          nb::arg("filter").none())
      .def_prop_rw(
          "rewrites_columns",
          [](const MergeInsertOptions& options) {
            return options.write_mode == lance::MergeWriteMode::kRewriteColumns;
          },
          [](MergeInsertOptions& options, bool rewrites_columns) {
            options.write_mode = rewrites_columns ? lance::MergeWriteMode::kRewriteColumns
                                                  : lance::MergeWriteMode::kRewriteRows;
          })
      .def_rw("insert_not_matched", &MergeInsertOptions::insert_not_matched)
      .def_rw("delete_not_matched_by_source", &MergeInsertOptions::delete_not_matched_by_source)
      .def_prop_rw(
          "delete_condition", [](const MergeInsertOptions&) { return nb::none(); },
          [](MergeInsertOptions& options, const nb::object& filter) {
            options.delete_condition = ImportFilter(filter);
          },
          nb::arg("filter").none())
      .def_rw("max_retries", &MergeInsertOptions::max_retries)
      .def_rw("retry_timeout", &MergeInsertOptions::retry_timeout)
      .def_rw("bases", &MergeInsertOptions::bases)
      .def_rw("data_storage_version", &MergeInsertOptions::data_storage_version, nb::arg().none());
  module.def("find_merge_key", [](const LanceTable& table, const std::vector<std::string>& on) {
    return OrRaise(lance::FindMergeKey(*table.dataset, on));
  });
  module.def("merge_insert_lance", &Merge, nb::arg("data"), nb::arg("uri"), nb::arg("options"),
             nb::arg("storage_options") = io::StorageOptions(),
             nb::arg("commit_lock") = nb::none());
  module.def(
      "explain_merge_insert_lance",
      [](const LanceTable& table, const nb::object& schema, const MergeInsertOptions& options) {
        return OrRaise(lance::ExplainMergeInsert(*table.dataset, *ImportSchema(schema), options));
      },
      nb::arg("table"), nb::arg("schema"), nb::arg("options"));
  module.def(
      "analyze_merge_insert_lance",
      [](const nb::object& data, std::string_view uri, const MergeInsertOptions& options,
         const io::StorageOptions& storage_options) {
        const auto place = OrRaise(io::ResolveUri(uri, storage_options));
        const auto reader = ImportStream(data);
        return Call().Run([&](const OperationContext& context) {
          return lance::AnalyzeMergeInsert(reader.get(), place, options, context);
        });
      },
      nb::arg("data"), nb::arg("uri"), nb::arg("options"), nb::arg("storage_options"));
  module.def("prepare_merge_insert_lance", &Prepare, nb::arg("data"), nb::arg("uri"),
             nb::arg("options"), nb::arg("storage_options") = io::StorageOptions());
}

}  // namespace tusk::python
