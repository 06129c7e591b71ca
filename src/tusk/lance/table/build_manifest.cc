#include "tusk/lance/table/build_manifest.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "tusk/lance/table/change_fragments.h"
#include "tusk/lance/table/change_indices.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/target_folders.h"
#include "tusk/lance/table/validate_operation.h"

namespace tusk::lance {
namespace {

/// What follows from the content of a version, so that it is found anew for each.
constexpr uint64_t kFlagsOfContent =
    kFlagDeletionFiles | kFlagTableConfig | kFlagBasePaths | kFlagSpilledRowLineage;
/// Each version has an inline transaction and a transaction file.
constexpr uint64_t kFlagsNotInherited = kFlagUseV2Format | kFlagNoTransactionFile;

constexpr const char* kPrimaryKey = "lance-schema:unenforced-primary-key";
constexpr const char* kPrimaryKeyPosition = "lance-schema:unenforced-primary-key:position";
constexpr const char* kClusteringKeyPosition = "lance-schema:unenforced-clustering-key:position";

/// What the table says of its data after an overwrite.
std::string DataVersion(const OverwriteTable& overwrite) {
  if (!overwrite.data_version.empty()) return overwrite.data_version;
  for (const Fragment& fragment : overwrite.fragments) {
    if (fragment.files.empty()) continue;
    const DataFile& file = fragment.files[0];
    return std::to_string(file.major_version) + "." + std::to_string(file.minor_version);
  }
  return "2.2";
}

/// The highest fragment id that the table of `manifest` has given. Older writers did not store it.
std::optional<uint32_t> MaxFragmentId(const Manifest& manifest) {
  if (manifest.max_fragment_id || manifest.fragments.empty()) return manifest.max_fragment_id;
  return static_cast<uint32_t>(manifest.fragments.back().id);  // they are ascending
}

/// Version `version` with all that `manifest`, its source, says and its transaction does not
/// change.
Manifest Inherit(Manifest manifest, const Transaction& transaction, uint64_t version,
                 int64_t timestamp_ns) {
  manifest.version = version;
  manifest.timestamp_ns = timestamp_ns;
  manifest.transaction_file = TransactionFileName(transaction);
  manifest.index_section.reset();
  manifest.transaction_section.reset();
  manifest.reader_flags &= ~kFlagsNotInherited;
  manifest.writer_flags &= ~kFlagsNotInherited;
  manifest.max_fragment_id = MaxFragmentId(manifest);
  return manifest;
}

bool HasSpilledLineage(const Fragment& fragment) {
  return fragment.row_ids_in_column || fragment.created_at_in_column ||
         fragment.last_updated_at_in_column;
}

/// Sets the flags that follow from what `manifest` now says.
void SetContentFlags(Manifest* manifest) {
  uint64_t both = 0;
  for (const Fragment& fragment : manifest->fragments) {
    if (fragment.deletion_file) both |= kFlagDeletionFiles;
    if (HasSpilledLineage(fragment)) both |= kFlagSpilledRowLineage;
  }
  if (!manifest->base_paths.empty()) both |= kFlagBasePaths;
  manifest->reader_flags = (manifest->reader_flags & ~kFlagsOfContent) | both;
  manifest->writer_flags = (manifest->writer_flags & ~kFlagsOfContent) | both;
  if (!manifest->config.empty()) manifest->writer_flags |= kFlagTableConfig;
}

void SetCoveringFlag(VersionContent* content) {
  const bool has_covering = std::ranges::any_of(
      content->indices, [](const IndexMetadata& index) { return !index.covering_fields.empty(); });
  const uint64_t flag = has_covering ? uint64_t{kFlagCoveringIndexColumns} : 0;
  for (uint64_t* flags : {&content->manifest.reader_flags, &content->manifest.writer_flags}) {
    *flags = (*flags & ~uint64_t{kFlagCoveringIndexColumns}) | flag;
  }
}

std::vector<uint64_t> IdsOf(const std::vector<Fragment>& fragments) {
  std::vector<uint64_t> ids;
  ids.reserve(fragments.size());
  for (const Fragment& fragment : fragments) ids.push_back(fragment.id);
  return ids;
}

void AddBasePath(const BasePath& base, Manifest* manifest) {
  const auto place = std::ranges::lower_bound(manifest->base_paths, base.id, {}, &BasePath::id);
  manifest->base_paths.insert(place, base);
}

/// The lowest id, from 0, that no base path has.
uint32_t FreeBaseId(const Manifest& manifest) {
  uint32_t id = 0;
  for (const BasePath& base : manifest.base_paths) {
    if (base.id == id) ++id;  // they are ascending
  }
  return id;
}

void CollectKey(const std::vector<Field>& fields, bool primary, std::vector<int32_t>* ids) {
  for (const Field& field : fields) {
    if (primary ? field.unenforced_primary_key : field.unenforced_clustering_key_position > 0) {
      ids->push_back(field.id);
    }
    CollectKey(field.children, primary, ids);
  }
}

std::vector<int32_t> KeyOf(const Schema& schema, bool primary) {
  std::vector<int32_t> ids;
  CollectKey(schema.fields, primary, &ids);
  return ids;
}

Field* FindFieldById(std::vector<Field>* fields, int32_t id) {
  for (Field& field : *fields) {
    if (field.id == id) return &field;
    if (Field* found = FindFieldById(&field.children, id)) return found;
  }
  return nullptr;
}

std::optional<uint32_t> NumberIn(const Field& field, const char* key) {
  const auto found = field.metadata.find(key);
  if (found == field.metadata.end()) return std::nullopt;
  uint32_t number = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stopped, error] = std::from_chars(found->second.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

/// Keys are set by metadata of their fields, once.
Status CheckKey(const char* name, const std::vector<int32_t>& before,
                const std::vector<int32_t>& after, bool is_written) {
  if (!before.empty() && (is_written || before != after)) {
    return InvalidArgument("the ", name, " of a table cannot be changed once it is set");
  }
  if (is_written && after.empty()) {
    return InvalidArgument("the metadata of the ", name, " has no valid value");
  }
  return Status::OK();
}

Status UpdateFields(const std::map<int32_t, MapUpdate>& updates, Schema* schema) {
  const std::vector<int32_t> primary = KeyOf(*schema, /*primary=*/true);
  const std::vector<int32_t> clustering = KeyOf(*schema, /*primary=*/false);
  bool writes_primary = false;
  bool writes_clustering = false;
  for (const auto& [id, update] : updates) {
    Field* field = FindFieldById(&schema->fields, id);
    if (field == nullptr) return InvalidArgument("the table has no field with id ", id);
    for (const MapUpdate::Entry& entry : update.entries) {
      writes_primary |= entry.key == kPrimaryKey || entry.key == kPrimaryKeyPosition;
      writes_clustering |= entry.key == kClusteringKeyPosition;
    }
    update.ApplyTo(&field->metadata);
    const auto position = NumberIn(*field, kPrimaryKeyPosition);
    field->unenforced_primary_key = position || field->HasFlag(kPrimaryKey);
    field->unenforced_primary_key_position = position.value_or(0);
    field->unenforced_clustering_key_position =
        NumberIn(*field, kClusteringKeyPosition).value_or(0);
  }
  ARROW_RETURN_NOT_OK(
      CheckKey("unenforced primary key", primary, KeyOf(*schema, true), writes_primary));
  return CheckKey("unenforced clustering key", clustering, KeyOf(*schema, false),
                  writes_clustering);
}

// Each operation on the content that it changes, which begins as that of the version before.

Status Apply(const AppendRows& append, VersionContent* content) {
  return AddFragments(append.fragments, &content->manifest);
}

Status Apply(const DeleteRowsOp& deletion, VersionContent* content) {
  ARROW_RETURN_NOT_OK(DeleteRowsOf(deletion, &content->manifest));
  RetainIndices(content->manifest.schema, content->manifest.fragments, &content->indices);
  return Status::OK();
}

Status Apply(const OverwriteTable& overwrite, VersionContent* content) {
  Manifest& manifest = content->manifest;
  if (!overwrite.initial_bases.empty()) {
    return InvalidArgument("an overwrite cannot register base paths in a table that exists");
  }
  manifest.schema = overwrite.schema;
  manifest.encoded_schema.clear();
  manifest.fragments.clear();
  manifest.data_version = DataVersion(overwrite);
  for (const auto& [key, value] : overwrite.config_upserts) manifest.config[key] = value;
  content->indices.clear();
  return AddFragments(overwrite.fragments, &manifest);
}

Status Apply(const UpdateRows& update, VersionContent* content) {
  Manifest& manifest = content->manifest;
  const Schema& schema = manifest.schema;
  if (!update.compacted_sstables.empty()) {
    return Unsupported("updates that compact MemWAL tables are not supported");
  }
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint64_t> moved, UpdateRowsOf(update, &manifest));
  const std::vector<uint64_t> updated = IdsOf(update.updated);
  ARROW_RETURN_NOT_OK(
      UncoverFragments(updated, RelatedFields(schema, update.fields_modified), &content->indices));
  if (update.mode == UpdateMode::kRewriteRows) {
    std::vector<uint64_t> from = update.removed;
    from.insert(from.end(), updated.begin(), updated.end());
    ARROW_RETURN_NOT_OK(CoverMovedRows(
        from, moved, RelatedFields(schema, update.fields_preserving_indices), &content->indices));
  }
  RetainIndices(schema, manifest.fragments, &content->indices);
  return Status::OK();
}

Status Apply(const MergeColumns& merge, VersionContent* content) {
  Manifest& manifest = content->manifest;
  ARROW_RETURN_NOT_OK(CheckMergeSchema(merge, manifest));
  const std::vector<Fragment> before = manifest.fragments;
  const Schema old_schema = manifest.schema;
  ARROW_RETURN_NOT_OK(MergeColumnsOf(merge, &manifest));
  ARROW_RETURN_NOT_OK(
      UncoverRewrittenFields(old_schema, before, manifest.fragments, &content->indices));
  RetainIndices(manifest.schema, manifest.fragments, &content->indices);
  return Status::OK();
}

Status Apply(const ProjectSchema& project, VersionContent* content) {
  ARROW_RETURN_NOT_OK(ProjectFragments(project, &content->manifest));
  RetainIndices(content->manifest.schema, content->manifest.fragments, &content->indices);
  return Status::OK();
}

Status Apply(RewriteFragments rewrite, VersionContent* content) {
  ARROW_RETURN_NOT_OK(RewriteFragmentsOf(&rewrite, &content->manifest));
  const bool stable_row_ids = (content->manifest.reader_flags & kFlagStableRowIds) != 0;
  ARROW_RETURN_NOT_OK(FollowRewrite(rewrite, stable_row_ids, &content->indices));
  ARROW_ASSIGN_OR_RAISE(const bool is_kept, KeepMovedRows(rewrite, content->manifest.version - 1,
                                                          content->indices, &content->account));
  if (!is_kept) content->account.reuse.reset();
  return Status::OK();
}

Status Apply(const ReserveFragmentIds& reserve, VersionContent* content) {
  return ReserveIds(reserve, &content->manifest);
}

Status Apply(const CreateIndices& create, VersionContent* content) {
  return ReplaceIndices(create, &content->indices);
}

Status Apply(const ReplaceData& replace, VersionContent* content) {
  ARROW_RETURN_NOT_OK(ReplaceFiles(replace, &content->manifest));
  std::vector<uint64_t> ids;
  ids.reserve(replace.replacements.size());
  for (const auto& replacement : replace.replacements) ids.push_back(replacement.fragment_id);
  if (ids.empty()) return Status::OK();
  std::vector<uint32_t> fields;
  for (const int32_t id : replace.replacements.front().file.field_ids) {
    if (id >= 0) fields.push_back(static_cast<uint32_t>(id));
  }
  return UncoverFragments(ids, RelatedFields(content->manifest.schema, fields), &content->indices);
}

Status Apply(const UpdateMetadata& update, VersionContent* content) {
  Manifest& manifest = content->manifest;
  if (update.config) update.config->ApplyTo(&manifest.config);
  if (update.table_metadata) update.table_metadata->ApplyTo(&manifest.table_metadata);
  if (!update.schema_metadata && update.field_metadata.empty()) return Status::OK();
  if (update.schema_metadata) update.schema_metadata->ApplyTo(&manifest.schema.metadata);
  if (manifest.schema.metadata.contains("lance.blob.managed")) {
    return Unsupported("managed blobs are not supported yet");
  }
  manifest.encoded_schema.clear();
  return UpdateFields(update.field_metadata, &manifest.schema);
}

Status Apply(const AddBases& add, VersionContent* content) {
  Manifest& manifest = content->manifest;
  ARROW_ASSIGN_OR_RAISE(const auto bases, NumberBases(add.bases, manifest.base_paths));
  for (const BasePath& base : bases) AddBasePath(base, &manifest);
  return Status::OK();
}

Status Apply(const RestoreVersion&, VersionContent*) {
  return Unsupported("a restore needs the version that it restores");
}

Status Apply(const CloneTable&, VersionContent*) {
  return InvalidArgument("a clone cannot be committed to a table that exists");
}

Status Apply(const OtherOperation& other, VersionContent*) {
  return Unsupported("commits of operation ", OperationName(other.kind), " are not supported");
}

/// Field ids up to it are never given again, in tables that keep such a mark.
void RaiseMaxFieldId(Manifest* manifest) {
  if (!manifest->max_allocated_field_id) return;
  int32_t highest = std::max(*manifest->max_allocated_field_id, manifest->schema.MaxFieldId());
  for (const Fragment& fragment : manifest->fragments) {
    for (const DataFile& file : fragment.files) {
      for (const int32_t id : file.field_ids) highest = std::max(highest, id);
    }
  }
  manifest->max_allocated_field_id = highest;
}

}  // namespace

bool KeepsIndices(const Transaction& transaction) {
  switch (transaction.kind()) {
    case Operation::kAppend:
    case Operation::kReserveFragments:
    case Operation::kUpdateConfig:
    case Operation::kUpdateBases:
      return true;
    default:
      return false;
  }
}

Result<Manifest> BuildFirstManifest(const Transaction& transaction, bool stable_row_ids,
                                    int64_t timestamp_ns) {
  const auto* overwrite = transaction.As<OverwriteTable>();
  if (overwrite == nullptr) {
    return NotFound("cannot commit ", OperationName(transaction.kind()),
                    ": there is no table, and only an overwrite makes one");
  }
  Manifest manifest;
  manifest.schema = overwrite->schema;
  manifest.version = 1;
  manifest.timestamp_ns = timestamp_ns;
  manifest.data_version = DataVersion(*overwrite);
  manifest.transaction_file = TransactionFileName(transaction);
  manifest.config = overwrite->config_upserts;
  ARROW_ASSIGN_OR_RAISE(const auto bases, NumberBases(overwrite->initial_bases));
  for (const BasePath& base : bases) AddBasePath(base, &manifest);
  if (stable_row_ids) {
    manifest.reader_flags = kFlagStableRowIds;
    manifest.writer_flags = kFlagStableRowIds;
  }
  ARROW_RETURN_NOT_OK(AddFragments(overwrite->fragments, &manifest));
  SetContentFlags(&manifest);
  return manifest;
}

Result<VersionContent> BuildNextManifest(const Transaction& transaction, Manifest previous,
                                         std::vector<IndexMetadata> indices, int64_t timestamp_ns,
                                         MovedRowsAccount account) {
  ARROW_RETURN_NOT_OK(CheckWritable(previous));
  // What an operation changes are the fragments in which the rows of an index are now.
  if (account.reuse) ARROW_RETURN_NOT_OK(FollowMovedRows(*account.reuse, &indices));
  const uint64_t version = previous.version + 1;
  VersionContent content{
      .manifest = Inherit(std::move(previous), transaction, version, timestamp_ns),
      .indices = std::move(indices)};
  if (transaction.kind() == Operation::kRewrite) content.account = std::move(account);
  ARROW_RETURN_NOT_OK(std::visit([&](const auto& operation) { return Apply(operation, &content); },
                                 transaction.operation));
  RemoveDeadFiles(&content.manifest);
  SetContentFlags(&content.manifest);
  if (!KeepsIndices(transaction)) SetCoveringFlag(&content);
  RaiseMaxFieldId(&content.manifest);
  return content;
}

Result<Manifest> BuildRestoredManifest(const Transaction& transaction, const Manifest& restored,
                                       const Manifest& previous, int64_t timestamp_ns) {
  ARROW_RETURN_NOT_OK(CheckWritable(previous));
  ARROW_RETURN_NOT_OK(CheckWritable(restored));
  if ((previous.reader_flags & ~restored.reader_flags & kFlagStableRowIds) != 0) {
    return InvalidArgument("cannot restore version ", restored.version,
                           ", which has no stable row ids: the table has given ids to rows since, "
                           "and they could not be told from row addresses");
  }
  Manifest manifest = Inherit(restored, transaction, previous.version + 1, timestamp_ns);
  manifest.max_fragment_id = std::max(manifest.max_fragment_id, MaxFragmentId(previous));
  manifest.next_row_id = std::max(manifest.next_row_id, previous.next_row_id);
  manifest.max_allocated_field_id =
      std::max(manifest.max_allocated_field_id, previous.max_allocated_field_id);
  manifest.reader_flags |= previous.reader_flags & kFlagMixedDataVersions;
  manifest.writer_flags |= previous.writer_flags & kFlagMixedDataVersions;
  return manifest;
}

VersionContent BuildClonedManifest(const Transaction& transaction, const VersionContent& source,
                                   int64_t timestamp_ns) {
  const CloneTable& clone = *transaction.As<CloneTable>();
  VersionContent content = source;
  Manifest& manifest = content.manifest;
  manifest = Inherit(source.manifest, transaction, source.manifest.version, timestamp_ns);
  manifest.branch = clone.branch_name;
  std::optional<uint32_t> base;
  if (clone.is_shallow) {
    base = FreeBaseId(manifest);
    AddBasePath(
        {.id = *base, .name = clone.ref_name, .is_dataset_root = true, .path = clone.ref_path},
        &manifest);
  } else {
    // External blobs are named by what lies in a folder; what lies in tables has been copied.
    std::erase_if(manifest.base_paths, [](const BasePath& each) { return each.is_dataset_root; });
  }
  // What lies at another place already is found there by a shallow clone, too.
  const auto place = [&](std::optional<uint32_t>* id) {
    if (!base || !*id) *id = base;
  };
  for (Fragment& fragment : manifest.fragments) {
    for (DataFile& file : fragment.files) place(&file.base_id);
    if (fragment.deletion_file) place(&fragment.deletion_file->base_id);
  }
  for (IndexMetadata& index : content.indices) place(&index.base_id);
  SetContentFlags(&manifest);
  return content;
}

}  // namespace tusk::lance
