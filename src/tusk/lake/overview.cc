#include "tusk/lake/overview.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "tusk/lake/lake_state.h"
#include "tusk/lake/media_schema.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/named_files.h"

namespace tusk::lake {
namespace {

using Properties = std::map<std::string, std::string>;

std::optional<std::string> Find(const Properties& properties, const char* key) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int64_t> FindNumber(const Properties& properties, const char* key) {
  const auto text = Find(properties, key);
  int64_t number = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

Status ShowLance(const Lake& lake, TableOverview* table, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, lake.OpenLance(table->name, context));
  const lance::Dataset::State& state = dataset->state();
  ARROW_ASSIGN_OR_RAISE(table->rows, dataset->CountRows(nullptr, context));
  table->model = Find(dataset->config(), kModelProperty);
  int64_t files = 0;
  int64_t bytes = 0;
  for (const lance::Fragment& fragment : state.manifest.fragments) {
    for (const lance::DataFile& file : fragment.files) {
      ++files;
      auto size = static_cast<int64_t>(file.size_bytes);
      if (size == 0) {
        ARROW_ASSIGN_OR_RAISE(const io::StorePath path, state.Locate(fragment, file));
        ARROW_ASSIGN_OR_RAISE(const auto info, path.store->Head(path.path, context));
        size = info.size;
      }
      bytes += size;
    }
  }
  table->files = files;
  table->bytes = bytes;
  return lance::ListIndices(state.location, state.manifest_path, state.manifest, context)
      .Value(&table->indices);
}

Status ShowIceberg(const Lake& lake, TableOverview* out, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto table, lake.OpenIceberg(out->name, context));
  out->location = table->location();
  const auto current = table->current_snapshot_id();
  out->version = current.value_or(0);
  out->model = Find(table->properties(), kModelProperty);
  if (!current) {
    out->files = 0;
    out->bytes = 0;
    return Status::OK();
  }
  const auto snapshot =
      std::ranges::find(table->snapshots(), *current, &iceberg::SnapshotInfo::snapshot_id);
  if (snapshot != table->snapshots().end()) {
    out->files = FindNumber(snapshot->summary, "total-data-files");
    out->bytes = FindNumber(snapshot->summary, "total-files-size");
  }
  return table->CountRows(nullptr, {}, context).Value(&out->rows);
}

}  // namespace

Result<std::vector<TableOverview>> ShowTables(const Lake& lake, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto entries, lake.Tables(context));
  std::vector<TableDrift> drift;
  if (!lake.at()) {
    // What cannot be opened says so itself.
    const auto found = lake.FindDrift(context);
    if (found.ok()) drift = *found;
    ARROW_RETURN_NOT_OK(context.CheckStop());
  }
  std::vector<TableOverview> tables;
  for (const catalog::TableEntry& entry : entries) {
    TableOverview table{.name = entry.name,
                        .kind = entry.kind,
                        .location = entry.location,
                        .version = entry.pointer.version,
                        .rows = 0,
                        .files = std::nullopt,
                        .bytes = std::nullopt,
                        .indices = {},
                        .model = std::nullopt,
                        .health = "ok"};
    const Status shown = entry.kind == catalog::TableKind::kLance
                             ? ShowLance(lake, &table, context)
                             : ShowIceberg(lake, &table, context);
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (!shown.ok()) {
      table.health = shown.message();
    } else if (!entry.published) {
      table.health = "waits for publication";
    } else if (std::ranges::find(drift, entry.name, &TableDrift::name) != drift.end()) {
      table.health = "drifted";
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace tusk::lake
