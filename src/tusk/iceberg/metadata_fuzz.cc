// Any text is refused as table metadata, or: its schemas are written and read the same, and a next
// state of the table with a further snapshot can be read and has what the one before had.

#include <string>

#include <arrow/type.h>

#include "tusk/iceberg/metadata.h"
#include "tusk/iceberg/metadata_edit.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table_state.h"
#include "tusk/iceberg/transform.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::iceberg {
namespace {

void CheckSchemas(const TableMetadata& metadata) {
  for (const auto& [id, schema] : metadata.schemas) {
    const auto written = FormatSchema({.schema_id = id, .fields = schema});
    Require(written.status(), "a schema is written");
    const auto again = ParseSchema(*written);
    Require(again.status(), "a schema that is written is read");
    Require(again->schema_id == id && again->fields->Equals(*schema, /*check_metadata=*/true),
            "a schema is read as written");
  }
  for (const auto& [id, spec] : metadata.specs) {
    const auto fields =
        PartitionFields(spec, [&](int32_t source_id) { return metadata.FindColumn(source_id); });
    if (!fields.ok()) RequireRefusal(fields.status());
  }
}

void CheckChoices(const Table::State& table) {
  for (const auto& [name, ref] : table.metadata.refs) {
    const auto chosen = ChooseSnapshot(table, {.ref = name});
    Require(chosen.status(), "a reference leads to a snapshot");
    Require((*chosen)->info.snapshot_id == ref.snapshot_id, "a reference leads to its snapshot");
  }
  for (const SnapshotLogEntry& entry : table.metadata.snapshot_log) {
    const auto chosen = ChooseSnapshot(table, {.as_of_ms = entry.timestamp_ms});
    // The log may know snapshots that are expired.
    Require(chosen.ok() || GetErrorCode(chosen.status()) == ErrorCode::kNotFound,
            "a time leads to a snapshot, or to none that is there");
  }
}

Result<std::string> NextState(const Table::State& table, const MetadataSnapshot* parent,
                              const MetadataSnapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(MetadataEdit edit, MetadataEdit::Of(table.metadata, "/t/metadata/v1.json"));
  ARROW_RETURN_NOT_OK(edit.AddSnapshot(snapshot, kMainBranch));
  ARROW_RETURN_NOT_OK(edit.SetProperties({{"colour", "blue"}}));
  ARROW_RETURN_NOT_OK(edit.SetSchema(table.metadata.schema(), table.metadata.last_column_id));
  ARROW_RETURN_NOT_OK(edit.SetSpec(table.metadata.spec()));
  if (parent != nullptr) {
    ARROW_RETURN_NOT_OK(
        edit.SetRef({.name = "kept", .is_tag = true, .snapshot_id = parent->info.snapshot_id}, 1));
  }
  return edit.Finish(snapshot.info.timestamp_ms);
}

void CheckNextState(const Table::State& table) {
  const auto parent = BranchHead(table, kMainBranch);
  if (!parent.ok()) return RequireRefusal(parent.status());
  MetadataSnapshot snapshot = NextSnapshot(&table, *parent);
  snapshot.manifest_list = "/t/metadata/list.avro";
  snapshot.info.summary = {{"operation", "append"}, {"added-records", "3"}};
  SetTotals(&snapshot.info.summary, *parent);
  const auto document = NextState(table, *parent, snapshot);
  if (!document.ok()) return RequireRefusal(document.status());
  const auto next = ParseMetadata(*document);
  Require(next.status(), "the next state of a table is read");
  const TableMetadata& before = table.metadata;
  Require(next->uuid == before.uuid && next->location == before.location,
          "a table keeps what it is");
  Require(next->current_snapshot_id == snapshot.info.snapshot_id, "the new snapshot is current");
  Require(next->snapshots.size() == before.snapshots.size() + 1, "snapshots stay");
  Require(next->last_sequence_number > before.last_sequence_number &&
              next->last_updated_ms > before.last_updated_ms,
          "a table goes on");
  Require(next->schema()->Equals(*before.schema(), /*check_metadata=*/true) &&
              next->spec().fields == before.spec().fields,
          "schema and spec are those that were set");
}

}  // namespace
}  // namespace tusk::iceberg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::iceberg;
  const auto bytes = tusk::ExactCopy({data, size});
  auto metadata = ParseMetadata(std::string_view(*bytes));
  if (!metadata.ok()) {
    tusk::RequireRefusal(metadata.status());
    return 0;
  }
  Table::State table;
  table.metadata_location = "/t/metadata/v1.json";
  table.folder = "/t";
  table.metadata = *std::move(metadata);
  CheckSchemas(table.metadata);
  CheckChoices(table);
  if (table.metadata.format_version == 2) CheckNextState(table);
  return 0;
}
