#include "tusk/iceberg/update.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/type.h>

#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/evolve_schema.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// The columns that the current spec needs.
std::set<int32_t> NeededColumns(const PartitionSpec& spec) {
  std::set<int32_t> ids;
  for (const PartitionField& field : spec.fields) {
    if (field.transform.kind != Transform::Kind::kVoid) ids.insert(field.source_id);
  }
  return ids;
}

Result<PartitionSpec> RemoveFields(PartitionSpec spec, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto field = std::ranges::find(spec.fields, name, &PartitionField::name);
    if (field == spec.fields.end()) return NotFound("there is no partition field '", name, "'");
    spec.fields.erase(field);
  }
  return spec;
}

/// Gives fields that an earlier spec had the ids they had there, as the specification asks.
void ReuseFieldIds(const TableMetadata& metadata, PartitionSpec* spec) {
  for (PartitionField& field : spec->fields) {
    for (const auto& [id, known] : metadata.specs) {
      for (const PartitionField& earlier : known.fields) {
        if (earlier.source_id == field.source_id && earlier.transform == field.transform &&
            earlier.name == field.name) {
          field.field_id = earlier.field_id;
        }
      }
    }
  }
}

Result<PartitionSpec> EvolveSpec(const TableMetadata& metadata, const TableUpdate& update,
                                 const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(PartitionSpec spec,
                        RemoveFields(metadata.spec(), update.remove_partition_fields));
  ARROW_ASSIGN_OR_RAISE(spec, AddPartitionFields(std::move(spec), update.add_partition_fields,
                                                 schema, metadata.last_partition_id));
  ReuseFieldIds(metadata, &spec);
  return spec;
}

Status SetRefs(const TableMetadata& metadata, const TableUpdate& update, int64_t time,
               MetadataEdit* edit) {
  for (const std::string& name : update.remove_refs) {
    if (!metadata.refs.contains(name)) return NotFound("there is no branch or tag '", name, "'");
    if (name == kMainBranch) return InvalidArgument("the branch main cannot be removed");
    ARROW_RETURN_NOT_OK(edit->RemoveRef(name));
  }
  for (const SnapshotRef& ref : update.set_refs) {
    if (ref.name.empty()) return InvalidArgument("a branch or tag needs a name");
    if (metadata.FindSnapshot(ref.snapshot_id) == nullptr) {
      return NotFound("there is no snapshot ", ref.snapshot_id, " for '", ref.name, "'");
    }
    const auto known = metadata.refs.find(ref.name);
    const bool is_tag =
        known == metadata.refs.end() ? ref.name != kMainBranch && ref.is_tag : known->second.is_tag;
    if (is_tag != ref.is_tag) {
      return InvalidArgument("'", ref.name, "' is a ", is_tag ? "tag" : "branch",
                             " and cannot become the other");
    }
    if (ref.is_tag && (ref.max_snapshot_age_ms || ref.min_snapshots_to_keep)) {
      return InvalidArgument("tag '", ref.name, "': only branches keep further snapshots");
    }
    ARROW_RETURN_NOT_OK(edit->SetRef(ref, time));
  }
  return Status::OK();
}

}  // namespace

Result<StagedMetadata> StageUpdate(const std::shared_ptr<io::ObjectStore>& store,
                                   const std::shared_ptr<const Table>& base,
                                   const TableUpdate& update, const OperationContext& context) {
  const Table::State& state = base->state();
  const TableMetadata& metadata = state.metadata;
  ARROW_RETURN_NOT_OK(CheckWritable(state));
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(TablePlace place, TablePlace::Parse(base->location()));
  const StagingArea area{
      .place = std::move(place), .store = store.get(), .written = &written, .context = context};
  const int64_t time = std::max(NowMs(), metadata.last_updated_ms + 1);
  ARROW_ASSIGN_OR_RAISE(MetadataEdit edit, MetadataEdit::Of(metadata, state.metadata_location));

  std::shared_ptr<arrow::Schema> schema = metadata.schema();
  if (!update.schema.empty()) {
    ARROW_ASSIGN_OR_RAISE(const PartitionSpec kept,
                          RemoveFields(metadata.spec(), update.remove_partition_fields));
    ARROW_ASSIGN_OR_RAISE(
        const EvolvedSchema evolved,
        EvolveSchema(schema, metadata.last_column_id, update.schema, NeededColumns(kept)));
    ARROW_RETURN_NOT_OK(edit.SetSchema(evolved.schema, evolved.last_column_id));
    schema = evolved.schema;
  }
  if (!update.remove_partition_fields.empty() || !update.add_partition_fields.empty()) {
    ARROW_ASSIGN_OR_RAISE(const PartitionSpec spec, EvolveSpec(metadata, update, *schema));
    ARROW_RETURN_NOT_OK(edit.SetSpec(spec));
  }
  if (!update.properties.empty()) ARROW_RETURN_NOT_OK(edit.SetProperties(update.properties));
  ARROW_RETURN_NOT_OK(SetRefs(metadata, update, time, &edit));
  ARROW_ASSIGN_OR_RAISE(StagedMetadata staged, StageMetadata(std::move(edit), time, &state, area));
  written.Keep();
  return staged;
}

}  // namespace tusk::iceberg
