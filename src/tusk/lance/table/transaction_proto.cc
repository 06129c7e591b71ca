#include <algorithm>
#include <type_traits>
#include <utility>

#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/schema_proto.h"
#include "tusk/lance/table/table_proto.h"
#include "tusk/lance/table/transaction.h"
#include "tusk/lance/table/transaction.pb.h"

namespace tusk::lance {
namespace {

using google::protobuf::RepeatedPtrField;

template <typename T, typename Message>
Status ParseAll(const RepeatedPtrField<Message>& messages, std::vector<T>* out) {
  out->reserve(messages.size());
  for (const Message& message : messages) {
    ARROW_ASSIGN_OR_RAISE(out->emplace_back(), FromProto(message));
  }
  return Status::OK();
}

template <typename T, typename Message>
void AddAll(const std::vector<T>& values, RepeatedPtrField<Message>* out) {
  out->Reserve(static_cast<int>(values.size()));
  for (const T& value : values) *out->Add() = ToProto(value);
}

/// Moves the fields and the metadata, which stand beside each other in operations, into a schema.
Result<Schema> TakeSchema(RepeatedPtrField<proto::Field>* fields,
                          RepeatedPtrField<proto::MetadataEntry>* metadata) {
  proto::Schema schema;
  schema.mutable_fields()->Swap(fields);
  if (metadata != nullptr) schema.mutable_metadata()->Swap(metadata);
  return FromProto(schema);
}

void SetSchema(const Schema& schema, RepeatedPtrField<proto::Field>* fields,
               RepeatedPtrField<proto::MetadataEntry>* metadata) {
  proto::Schema out = ToProto(schema);
  fields->Swap(out.mutable_fields());
  if (metadata != nullptr) metadata->Swap(out.mutable_metadata());
}

MapUpdate ParseMap(const proto::Transaction::UpdateMap& update) {
  MapUpdate result;
  result.replace = update.replace();
  for (const auto& entry : update.update_entries()) {
    result.entries.push_back({.key = entry.key()});
    if (entry.has_value()) result.entries.back().value = entry.value();
  }
  return result;
}

proto::Transaction::UpdateMap ToProto(const MapUpdate& update) {
  proto::Transaction::UpdateMap out;
  out.set_replace(update.replace);
  for (const MapUpdate::Entry& entry : update.entries) {
    auto* to = out.add_update_entries();
    to->set_key(entry.key);
    if (entry.value) to->set_value(*entry.value);
  }
  return out;
}

/// What older writers give in place of a map's updates: all of it.
MapUpdate Replacement(const google::protobuf::Map<std::string, std::string>& map) {
  MapUpdate update{.replace = true};
  for (const auto& [key, value] : map) update.entries.push_back({.key = key, .value = value});
  return update;
}

// Each operation to its message.

void Serialize(const AppendRows& append, proto::Transaction* out) {
  AddAll(append.fragments, out->mutable_append()->mutable_fragments());
}

void Serialize(const DeleteRowsOp& deletion, proto::Transaction* out) {
  auto* to = out->mutable_delete_();
  AddAll(deletion.updated, to->mutable_updated_fragments());
  to->mutable_deleted_fragment_ids()->Assign(deletion.removed.begin(), deletion.removed.end());
  to->set_predicate(deletion.predicate);
}

void Serialize(const OverwriteTable& overwrite, proto::Transaction* out) {
  auto* to = out->mutable_overwrite();
  AddAll(overwrite.fragments, to->mutable_fragments());
  SetSchema(overwrite.schema, to->mutable_schema(), to->mutable_schema_metadata());
  to->mutable_config_upsert_values()->insert(overwrite.config_upserts.begin(),
                                             overwrite.config_upserts.end());
  AddAll(overwrite.initial_bases, to->mutable_initial_bases());
}

void Serialize(const UpdateRows& update, proto::Transaction* out) {
  auto* to = out->mutable_update();
  to->mutable_removed_fragment_ids()->Assign(update.removed.begin(), update.removed.end());
  AddAll(update.updated, to->mutable_updated_fragments());
  AddAll(update.added, to->mutable_new_fragments());
  to->mutable_fields_modified()->Assign(update.fields_modified.begin(),
                                        update.fields_modified.end());
  to->mutable_fields_for_preserving_frag_bitmap()->Assign(update.fields_preserving_indices.begin(),
                                                          update.fields_preserving_indices.end());
  for (const std::string& sstable : update.compacted_sstables) to->add_compacted_sstables(sstable);
  to->set_update_mode(static_cast<uint32_t>(update.mode));
  if (!update.inserted_rows.empty()) to->set_inserted_rows(update.inserted_rows);
  to->mutable_updated_fragment_offset_bitmaps()->insert(update.updated_offsets.begin(),
                                                        update.updated_offsets.end());
}

void Serialize(const MergeColumns& merge, proto::Transaction* out) {
  auto* to = out->mutable_merge();
  AddAll(merge.fragments, to->mutable_fragments());
  SetSchema(merge.schema, to->mutable_schema(), to->mutable_schema_metadata());
  to->set_preserves_nullability(merge.preserves_nullability);
}

void Serialize(const ProjectSchema& project, proto::Transaction* out) {
  SetSchema(project.schema, out->mutable_project()->mutable_schema(), nullptr);
  out->mutable_project()->set_preserves_nullability(project.preserves_nullability);
}

void Serialize(const RewriteFragments& rewrite, proto::Transaction* out) {
  auto* to = out->mutable_rewrite();
  for (const RewriteFragments::Group& group : rewrite.groups) {
    auto* to_group = to->add_groups();
    AddAll(group.before, to_group->mutable_old_fragments());
    AddAll(group.after, to_group->mutable_new_fragments());
  }
  for (const RewriteFragments::RewrittenIndex& index : rewrite.indices) {
    auto* to_index = to->add_rewritten_indices();
    to_index->mutable_old_id()->set_uuid(index.old_uuid);
    to_index->mutable_new_id()->set_uuid(index.new_uuid);
    to_index->mutable_new_index_details()->set_type_url(index.details_type);
    to_index->mutable_new_index_details()->set_value(index.details);
    to_index->set_new_index_version(index.index_version);
    for (const IndexFile& file : index.files) {
      auto* to_file = to_index->add_new_index_files();
      to_file->set_path(file.path);
      to_file->set_size_bytes(file.size_bytes);
    }
  }
}

void Serialize(const ReserveFragmentIds& reserve, proto::Transaction* out) {
  out->mutable_reserve_fragments()->set_num_fragments(reserve.count);
}

void Serialize(const RestoreVersion& restore, proto::Transaction* out) {
  out->mutable_restore()->set_version(restore.version);
}

void Serialize(const CreateIndices& create, proto::Transaction* out) {
  AddAll(create.added, out->mutable_create_index()->mutable_new_indices());
  AddAll(create.removed, out->mutable_create_index()->mutable_removed_indices());
}

void Serialize(const ReplaceData& replace, proto::Transaction* out) {
  auto* to = out->mutable_data_replacement();
  for (const ReplaceData::Replacement& replacement : replace.replacements) {
    auto* group = to->add_replacements();
    group->set_fragment_id(replacement.fragment_id);
    *group->mutable_new_file() = ToProto(replacement.file);
  }
}

void Serialize(const UpdateMetadata& update, proto::Transaction* out) {
  auto* to = out->mutable_update_config();
  if (update.config) *to->mutable_config_updates() = ToProto(*update.config);
  if (update.table_metadata) {
    *to->mutable_table_metadata_updates() = ToProto(*update.table_metadata);
  }
  if (update.schema_metadata) {
    *to->mutable_schema_metadata_updates() = ToProto(*update.schema_metadata);
  }
  for (const auto& [field_id, map] : update.field_metadata) {
    (*to->mutable_field_metadata_updates())[field_id] = ToProto(map);
  }
}

void Serialize(const AddBases& add, proto::Transaction* out) {
  AddAll(add.bases, out->mutable_update_bases()->mutable_new_bases());
}

void Serialize(const CloneTable& clone, proto::Transaction* out) {
  auto* to = out->mutable_clone();
  to->set_is_shallow(clone.is_shallow);
  if (clone.ref_name) to->set_ref_name(*clone.ref_name);
  to->set_ref_version(clone.ref_version);
  to->set_ref_path(clone.ref_path);
  if (clone.branch_name) to->set_branch_name(*clone.branch_name);
}

// Each message to its operation.

Result<OverwriteTable> Parse(proto::Transaction::Overwrite* in) {
  OverwriteTable overwrite;
  ARROW_RETURN_NOT_OK(ParseAll(in->fragments(), &overwrite.fragments));
  ARROW_ASSIGN_OR_RAISE(overwrite.schema,
                        TakeSchema(in->mutable_schema(), in->mutable_schema_metadata()));
  overwrite.config_upserts.insert(in->config_upsert_values().begin(),
                                  in->config_upsert_values().end());
  for (const proto::BasePath& base : in->initial_bases()) {
    overwrite.initial_bases.push_back(FromProto(base));
  }
  return overwrite;
}

Result<DeleteRowsOp> Parse(proto::Transaction::Delete* in) {
  DeleteRowsOp deletion;
  ARROW_RETURN_NOT_OK(ParseAll(in->updated_fragments(), &deletion.updated));
  deletion.removed.assign(in->deleted_fragment_ids().begin(), in->deleted_fragment_ids().end());
  deletion.predicate = in->predicate();
  return deletion;
}

/// The rows that older writers list one by one.
Result<std::string> OffsetBitmap(const proto::Transaction::UInt32List& list) {
  std::vector<uint32_t> offsets(list.values().begin(), list.values().end());
  std::ranges::sort(offsets);
  DeletedRows rows;
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (i > 0 && offsets[i] == offsets[i - 1]) continue;
    ARROW_RETURN_NOT_OK(rows.Add(offsets[i], int64_t{offsets[i]} + 1));
  }
  return SerializeRoaringBitmap(rows);
}

Result<UpdateRows> Parse(proto::Transaction::Update* in) {
  UpdateRows update;
  update.removed.assign(in->removed_fragment_ids().begin(), in->removed_fragment_ids().end());
  ARROW_RETURN_NOT_OK(ParseAll(in->updated_fragments(), &update.updated));
  ARROW_RETURN_NOT_OK(ParseAll(in->new_fragments(), &update.added));
  update.fields_modified.assign(in->fields_modified().begin(), in->fields_modified().end());
  update.fields_preserving_indices.assign(in->fields_for_preserving_frag_bitmap().begin(),
                                          in->fields_for_preserving_frag_bitmap().end());
  update.compacted_sstables.assign(in->compacted_sstables().begin(),
                                   in->compacted_sstables().end());
  if (in->update_mode() == 1) update.mode = UpdateMode::kRewriteColumns;
  update.inserted_rows = in->inserted_rows();
  for (const auto& [id, bitmap] : in->updated_fragment_offset_bitmaps()) {
    if (!bitmap.empty()) update.updated_offsets[id] = bitmap;
  }
  if (!in->updated_fragment_offset_bitmaps().empty()) return update;
  for (const auto& [id, list] : in->updated_fragment_offsets()) {
    if (list.values().empty()) continue;
    ARROW_ASSIGN_OR_RAISE(update.updated_offsets[id], OffsetBitmap(list));
  }
  return update;
}

Result<MergeColumns> Parse(proto::Transaction::Merge* in) {
  MergeColumns merge;
  ARROW_RETURN_NOT_OK(ParseAll(in->fragments(), &merge.fragments));
  ARROW_ASSIGN_OR_RAISE(merge.schema,
                        TakeSchema(in->mutable_schema(), in->mutable_schema_metadata()));
  merge.preserves_nullability = in->preserves_nullability();
  return merge;
}

Result<ProjectSchema> Parse(proto::Transaction::Project* in) {
  ProjectSchema project;
  ARROW_ASSIGN_OR_RAISE(project.schema, TakeSchema(in->mutable_schema(), nullptr));
  project.preserves_nullability = in->preserves_nullability();
  return project;
}

Result<RewriteFragments> Parse(proto::Transaction::Rewrite* in) {
  RewriteFragments rewrite;
  if (in->groups().empty() && !in->old_fragments().empty()) {
    auto* group = in->add_groups();
    group->mutable_old_fragments()->Swap(in->mutable_old_fragments());
    group->mutable_new_fragments()->Swap(in->mutable_new_fragments());
  }
  for (const auto& from : in->groups()) {
    RewriteFragments::Group& group = rewrite.groups.emplace_back();
    ARROW_RETURN_NOT_OK(ParseAll(from.old_fragments(), &group.before));
    ARROW_RETURN_NOT_OK(ParseAll(from.new_fragments(), &group.after));
  }
  for (const auto& from : in->rewritten_indices()) {
    RewriteFragments::RewrittenIndex& index = rewrite.indices.emplace_back();
    index = {.old_uuid = from.old_id().uuid(),
             .new_uuid = from.new_id().uuid(),
             .details_type = from.new_index_details().type_url(),
             .details = from.new_index_details().value(),
             .index_version = from.new_index_version()};
    for (const proto::IndexFile& file : from.new_index_files()) {
      index.files.push_back({.path = file.path(), .size_bytes = file.size_bytes()});
    }
  }
  return rewrite;
}

Result<CreateIndices> Parse(proto::Transaction::CreateIndex* in) {
  CreateIndices create;
  ARROW_RETURN_NOT_OK(ParseAll(in->new_indices(), &create.added));
  ARROW_RETURN_NOT_OK(ParseAll(in->removed_indices(), &create.removed));
  return create;
}

Result<ReplaceData> Parse(proto::Transaction::DataReplacement* in) {
  ReplaceData replace;
  for (const auto& from : in->replacements()) {
    if (!from.has_new_file()) {
      return Corrupt("a data replacement of fragment ", from.fragment_id(), " names no file");
    }
    auto& replacement = replace.replacements.emplace_back();
    replacement.fragment_id = from.fragment_id();
    ARROW_ASSIGN_OR_RAISE(replacement.file, FromProto(from.new_file()));
  }
  return replace;
}

/// Of an older writer.
UpdateMetadata ParseOld(const proto::Transaction::UpdateConfig& in) {
  UpdateMetadata update;
  if (!in.upsert_values().empty() || !in.delete_keys().empty()) {
    MapUpdate& config = update.config.emplace();
    for (const auto& [key, value] : in.upsert_values()) {
      config.entries.push_back({.key = key, .value = value});
    }
    for (const std::string& key : in.delete_keys()) config.entries.push_back({.key = key});
  }
  if (!in.schema_metadata().empty()) update.schema_metadata = Replacement(in.schema_metadata());
  for (const auto& [field_id, map] : in.field_metadata()) {
    update.field_metadata[static_cast<int32_t>(field_id)] = Replacement(map.metadata());
  }
  return update;
}

Result<UpdateMetadata> Parse(proto::Transaction::UpdateConfig* in) {
  const bool has_new = in->has_config_updates() || in->has_table_metadata_updates() ||
                       in->has_schema_metadata_updates() || !in->field_metadata_updates().empty();
  if (!has_new) return ParseOld(*in);
  UpdateMetadata update;
  if (in->has_config_updates()) update.config = ParseMap(in->config_updates());
  if (in->has_table_metadata_updates()) {
    update.table_metadata = ParseMap(in->table_metadata_updates());
  }
  if (in->has_schema_metadata_updates()) {
    update.schema_metadata = ParseMap(in->schema_metadata_updates());
  }
  for (const auto& [field_id, map] : in->field_metadata_updates()) {
    update.field_metadata[field_id] = ParseMap(map);
  }
  return update;
}

AddBases Parse(const proto::Transaction::UpdateBases& in) {
  AddBases add;
  for (const proto::BasePath& base : in.new_bases()) add.bases.push_back(FromProto(base));
  return add;
}

CloneTable Parse(const proto::Transaction::Clone& in) {
  CloneTable clone;
  clone.is_shallow = in.is_shallow();
  if (in.has_ref_name()) clone.ref_name = in.ref_name();
  clone.ref_version = in.ref_version();
  clone.ref_path = in.ref_path();
  if (in.has_branch_name()) clone.branch_name = in.branch_name();
  return clone;
}

Status ParseOperation(proto::Transaction* in, Transaction* out) {
  switch (in->operation_case()) {
    case proto::Transaction::kAppend: {
      AppendRows append;
      ARROW_RETURN_NOT_OK(ParseAll(in->append().fragments(), &append.fragments));
      out->operation = std::move(append);
      return Status::OK();
    }
    case proto::Transaction::kDelete:
      return Parse(in->mutable_delete_()).Value(&out->operation.emplace<DeleteRowsOp>());
    case proto::Transaction::kOverwrite:
      return Parse(in->mutable_overwrite()).Value(&out->operation.emplace<OverwriteTable>());
    case proto::Transaction::kCreateIndex:
      return Parse(in->mutable_create_index()).Value(&out->operation.emplace<CreateIndices>());
    case proto::Transaction::kRewrite:
      return Parse(in->mutable_rewrite()).Value(&out->operation.emplace<RewriteFragments>());
    case proto::Transaction::kMerge:
      return Parse(in->mutable_merge()).Value(&out->operation.emplace<MergeColumns>());
    case proto::Transaction::kRestore:
      out->operation = RestoreVersion{.version = in->restore().version()};
      return Status::OK();
    case proto::Transaction::kReserveFragments:
      out->operation = ReserveFragmentIds{.count = in->reserve_fragments().num_fragments()};
      return Status::OK();
    case proto::Transaction::kUpdate:
      return Parse(in->mutable_update()).Value(&out->operation.emplace<UpdateRows>());
    case proto::Transaction::kProject:
      return Parse(in->mutable_project()).Value(&out->operation.emplace<ProjectSchema>());
    case proto::Transaction::kUpdateConfig:
      return Parse(in->mutable_update_config()).Value(&out->operation.emplace<UpdateMetadata>());
    case proto::Transaction::kDataReplacement:
      return Parse(in->mutable_data_replacement()).Value(&out->operation.emplace<ReplaceData>());
    case proto::Transaction::kUpdateBases:
      out->operation = Parse(in->update_bases());
      return Status::OK();
    case proto::Transaction::kClone:
      out->operation = Parse(in->clone());
      return Status::OK();
    case proto::Transaction::kUpdateMemWalState:
      out->operation = OtherOperation{.kind = Operation::kUpdateMemWalState};
      return Status::OK();
    case proto::Transaction::kDataOverlay:
      out->operation = OtherOperation{.kind = Operation::kDataOverlay};
      return Status::OK();
    case proto::Transaction::OPERATION_NOT_SET:
      break;
  }
  out->operation = OtherOperation{.kind = Operation::kUnknown};
  return Status::OK();
}

}  // namespace

std::string SerializeTransaction(const Transaction& transaction) {
  proto::Transaction out;
  out.set_read_version(transaction.read_version);
  out.set_uuid(transaction.uuid);
  out.set_tag(transaction.tag);
  out.mutable_transaction_properties()->insert(transaction.properties.begin(),
                                               transaction.properties.end());
  const bool known = std::visit(
      [&]<typename T>(const T& operation) {
        if constexpr (std::is_same_v<T, OtherOperation>) {
          return false;
        } else {
          Serialize(operation, &out);
          return true;
        }
      },
      transaction.operation);
  return known ? out.SerializeAsString() : std::string();
}

Result<Transaction> ParseTransaction(std::string_view bytes) {
  proto::Transaction in;
  if (!ParseMessage(bytes, &in)) {
    return Corrupt("the transaction's ", bytes.size(), " bytes are not a transaction message");
  }
  Transaction transaction;
  transaction.read_version = in.read_version();
  transaction.uuid = in.uuid();
  transaction.tag = in.tag();
  transaction.properties.insert(in.transaction_properties().begin(),
                                in.transaction_properties().end());
  ARROW_RETURN_NOT_OK(ParseOperation(&in, &transaction));
  return transaction;
}

Status CheckReadable(const Transaction& transaction) {
  const Status read = ParseTransaction(SerializeTransaction(transaction)).status();
  return GetErrorCode(read) == ErrorCode::kCorrupt ? InvalidArgument(read.message()) : read;
}

}  // namespace tusk::lance
