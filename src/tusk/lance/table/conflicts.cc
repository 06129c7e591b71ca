#include "tusk/lance/table/conflicts.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tusk/base/final_error.h"
#include "tusk/lance/table/key_filter.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kFragmentReuseIndex = "__lance_frag_reuse";
constexpr std::string_view kMemWalIndex = "__lance_mem_wal";

using Ids = std::set<uint64_t>;

Verdict RetryIf(bool clashes) { return clashes ? Verdict::kRetryable : Verdict::kCompatible; }
Verdict RefuseIf(bool clashes) { return clashes ? Verdict::kIncompatible : Verdict::kCompatible; }

void AddIds(const std::vector<Fragment>& fragments, Ids* ids) {
  for (const Fragment& fragment : fragments) ids->insert(fragment.id);
}

/// The fragments that are there before and that an operation changes or removes. Empty for those
/// that change none, or all.
Ids TouchedFragments(const Transaction& transaction) {
  Ids ids;
  if (const auto* deletion = transaction.As<DeleteRowsOp>()) {
    AddIds(deletion->updated, &ids);
    ids.insert(deletion->removed.begin(), deletion->removed.end());
  } else if (const auto* update = transaction.As<UpdateRows>()) {
    AddIds(update->updated, &ids);
    ids.insert(update->removed.begin(), update->removed.end());
  } else if (const auto* rewrite = transaction.As<RewriteFragments>()) {
    for (const RewriteFragments::Group& group : rewrite->groups) AddIds(group.before, &ids);
  } else if (const auto* replace = transaction.As<ReplaceData>()) {
    for (const auto& replacement : replace->replacements) ids.insert(replacement.fragment_id);
  }
  return ids;
}

bool Intersect(const Ids& a, const Ids& b) {
  return std::ranges::any_of(a, [&](uint64_t id) { return b.contains(id); });
}

bool TouchSame(const Transaction& ours, const Transaction& theirs) {
  return Intersect(TouchedFragments(ours), TouchedFragments(theirs));
}

bool HasFieldId(const std::vector<Field>& fields, int32_t id) {
  return std::ranges::any_of(
      fields, [&](const Field& field) { return field.id == id || HasFieldId(field.children, id); });
}

/// Whether a column may now be without nulls that rows written in ignorance of that can bring.
bool MayAlterNullability(const Transaction& transaction) {
  if (const auto* merge = transaction.As<MergeColumns>()) return !merge->preserves_nullability;
  if (const auto* project = transaction.As<ProjectSchema>()) return !project->preserves_nullability;
  return false;
}

bool SuppliesValues(const Transaction& transaction) {
  switch (transaction.kind()) {
    case Operation::kAppend:
    case Operation::kUpdate:
    case Operation::kDataReplacement:
    case Operation::kDataOverlay:
      return true;
    default:
      return false;
  }
}

bool UpdatesSchemaMetadata(const Transaction& transaction) {
  const auto* update = transaction.As<UpdateMetadata>();
  if (update == nullptr) return false;
  if (update->schema_metadata && !update->schema_metadata->empty()) return true;
  return std::ranges::any_of(update->field_metadata,
                             [](const auto& field) { return !field.second.empty(); });
}

struct ConfigKeys {
  std::set<std::string> set;
  std::set<std::string> removed;
};

ConfigKeys ConfigKeysOf(const Transaction& transaction) {
  ConfigKeys keys;
  if (const auto* overwrite = transaction.As<OverwriteTable>()) {
    for (const auto& [key, value] : overwrite->config_upserts) keys.set.insert(key);
  } else if (const auto* update = transaction.As<UpdateMetadata>(); update && update->config) {
    for (const MapUpdate::Entry& entry : update->config->entries) {
      (entry.value ? keys.set : keys.removed).insert(entry.key);
    }
  }
  return keys;
}

/// Whether both set a key, or one sets what the other removes.
bool SetSameConfigKey(const Transaction& ours, const Transaction& theirs) {
  const ConfigKeys a = ConfigKeysOf(ours);
  const ConfigKeys b = ConfigKeysOf(theirs);
  const auto in_b = [&](const std::string& key) {
    return b.set.contains(key) || b.removed.contains(key);
  };
  const auto in_b_set = [&](const std::string& key) { return b.set.contains(key); };
  return std::ranges::any_of(a.set, in_b) || std::ranges::any_of(a.removed, in_b_set);
}

bool ChangeSameKey(const std::optional<MapUpdate>& a, const std::optional<MapUpdate>& b) {
  if (!a || !b) return false;
  if (a->replace || b->replace) return true;
  return std::ranges::any_of(a->entries, [&](const MapUpdate::Entry& entry) {
    return std::ranges::find(b->entries, entry.key, &MapUpdate::Entry::key) != b->entries.end();
  });
}

bool ChangeSameMetadata(const UpdateMetadata& a, const UpdateMetadata& b) {
  if (ChangeSameKey(a.table_metadata, b.table_metadata)) return true;
  if (a.schema_metadata && b.schema_metadata) return true;
  return std::ranges::any_of(
      a.field_metadata, [&](const auto& field) { return b.field_metadata.contains(field.first); });
}

bool HasName(std::span<const IndexMetadata> indices, std::string_view name) {
  return std::ranges::find(indices, name, &IndexMetadata::name) != indices.end();
}

/// Whether one of `a` extends an index, without removing a segment of it, of which `b` removes one.
bool ExtendsWhatIsDropped(const CreateIndices& a, const CreateIndices& b) {
  return std::ranges::any_of(a.added, [&](const IndexMetadata& added) {
    return !HasName(a.removed, added.name) && HasName(b.removed, added.name);
  });
}

/// Whether both remove one segment, and one of them puts another in its place.
bool ReplaceSameSegment(const CreateIndices& a, const CreateIndices& b) {
  return std::ranges::any_of(a.removed, [&](const IndexMetadata& removed) {
    const bool is_removed_twice =
        std::ranges::find(b.removed, removed.uuid, &IndexMetadata::uuid) != b.removed.end();
    return is_removed_twice && (HasName(a.added, removed.name) || HasName(b.added, removed.name));
  });
}

Verdict JudgeIndices(const CreateIndices& ours, const CreateIndices& theirs) {
  const bool same_name = std::ranges::any_of(
      ours.added, [&](const IndexMetadata& index) { return HasName(theirs.added, index.name); });
  return RetryIf(same_name || ExtendsWhatIsDropped(ours, theirs) ||
                 ExtendsWhatIsDropped(theirs, ours) || ReplaceSameSegment(ours, theirs));
}

/// Whether a rewrite moves rows that the new indices have. They do not follow.
bool MovesIndexedRows(const RewriteFragments& rewrite, std::span<const IndexMetadata> added) {
  return std::ranges::any_of(added, [&](const IndexMetadata& index) {
    if (!index.fragments) return true;
    return std::ranges::any_of(rewrite.groups, [&](const RewriteFragments::Group& group) {
      return std::ranges::any_of(group.before, [&](const Fragment& fragment) {
        return index.fragments->Contains(static_cast<int64_t>(fragment.id));
      });
    });
  });
}

bool ReplacesIndexedField(const ReplaceData& replace, std::span<const IndexMetadata> added) {
  return std::ranges::any_of(replace.replacements, [&](const auto& replacement) {
    return std::ranges::any_of(replacement.file.field_ids, [&](int32_t id) {
      return std::ranges::any_of(added, [&](const IndexMetadata& index) {
        return std::ranges::find(index.field_ids, id) != index.field_ids.end();
      });
    });
  });
}

/// What no operation on rows goes with.
bool ReplacesTable(const Transaction& theirs) {
  const Operation kind = theirs.kind();
  return kind == Operation::kOverwrite || kind == Operation::kRestore ||
         kind == Operation::kUpdateMemWalState;
}

// One function for each kind of ours. kUnknown is judged before.

Verdict JudgeAppend(const Transaction& theirs) { return RefuseIf(ReplacesTable(theirs)); }

/// What a delete and an update have in common.
Verdict JudgeRowChange(const Transaction& ours, const Transaction& theirs, bool knows_rows) {
  switch (theirs.kind()) {
    case Operation::kRewrite:
    case Operation::kDataReplacement:
      return RetryIf(TouchSame(ours, theirs));
    case Operation::kDelete:
    case Operation::kUpdate: {
      const auto* deletion = ours.As<DeleteRowsOp>();
      const auto* update = ours.As<UpdateRows>();
      // Without a fragment that keeps some rows, all rows of the others are concerned.
      const bool is_whole =
          deletion != nullptr ? deletion->updated.empty() : update->updated.empty();
      return RetryIf(TouchSame(ours, theirs) && (!knows_rows || is_whole));
    }
    case Operation::kMerge:
      return Verdict::kRetryable;
    default:
      return RefuseIf(ReplacesTable(theirs));
  }
}

Verdict JudgeUpdate(const Transaction& ours, const Transaction& theirs, bool knows_rows) {
  const UpdateRows& update = *ours.As<UpdateRows>();
  switch (theirs.kind()) {
    case Operation::kAppend:
      // Nobody knows what keys were appended.
      return RetryIf(!update.inserted_rows.empty());
    case Operation::kProject: {
      const Schema& schema = theirs.As<ProjectSchema>()->schema;
      return RetryIf(std::ranges::any_of(update.fields_modified, [&](uint32_t id) {
        return !HasFieldId(schema.fields, static_cast<int32_t>(id));
      }));
    }
    case Operation::kUpdate:
      if (!update.inserted_rows.empty() &&
          MayShareKeys(update.inserted_rows, theirs.As<UpdateRows>()->inserted_rows)) {
        return Verdict::kRetryable;
      }
      return JudgeRowChange(ours, theirs, knows_rows);
    case Operation::kUpdateMemWalState:
      return Verdict::kCompatible;  // our updates compact no MemWAL tables
    case Operation::kDataOverlay:
      return Verdict::kRetryable;  // which rows it is for is not known here
    default:
      return JudgeRowChange(ours, theirs, knows_rows);
  }
}

Verdict JudgeOverwrite(const Transaction& ours, const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kOverwrite:
      return SetSameConfigKey(ours, theirs) ? Verdict::kIncompatible : Verdict::kRetryable;
    case Operation::kUpdateConfig:
      return RefuseIf(SetSameConfigKey(ours, theirs));
    default:
      return RefuseIf(theirs.kind() == Operation::kUpdateMemWalState);
  }
}

Verdict JudgeCreateIndex(const CreateIndices& ours, const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kCreateIndex:
      return JudgeIndices(ours, *theirs.As<CreateIndices>());
    case Operation::kMerge:
      return RetryIf(HasName(ours.added, kMemWalIndex));
    case Operation::kRewrite:
      // It may have moved rows; its transaction does not say whether the table keeps account.
      return RetryIf(HasName(ours.added, kFragmentReuseIndex) ||
                     MovesIndexedRows(*theirs.As<RewriteFragments>(), ours.added));
    case Operation::kDataReplacement:
      return RetryIf(ReplacesIndexedField(*theirs.As<ReplaceData>(), ours.added));
    case Operation::kUpdateMemWalState:
      return RefuseIf(!HasName(ours.added, kMemWalIndex));
    default:
      return RefuseIf(ReplacesTable(theirs));
  }
}

Verdict JudgeRewrite(const Transaction& ours, const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kDelete:
    case Operation::kUpdate:
    case Operation::kRewrite:
    case Operation::kDataReplacement:
      return RetryIf(TouchSame(ours, theirs));
    case Operation::kMerge:
    case Operation::kDataOverlay:
      return Verdict::kRetryable;
    case Operation::kCreateIndex: {
      const auto& create = *theirs.As<CreateIndices>();
      if (HasName(create.added, kFragmentReuseIndex)) {
        return RefuseIf(create.added.size() != 1 || create.removed.size() != 1);
      }
      return RetryIf(MovesIndexedRows(*ours.As<RewriteFragments>(), create.added));
    }
    default:
      return RefuseIf(theirs.kind() == Operation::kOverwrite ||
                      theirs.kind() == Operation::kRestore);
  }
}

Verdict JudgeMerge(const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kCreateIndex:
      return RetryIf(HasName(theirs.As<CreateIndices>()->added, kMemWalIndex));
    case Operation::kReserveFragments:
    case Operation::kClone:
    case Operation::kUpdateConfig:
    case Operation::kUpdateBases:
      return Verdict::kCompatible;
    default:
      return ReplacesTable(theirs) || theirs.kind() == Operation::kProject ? Verdict::kIncompatible
                                                                           : Verdict::kRetryable;
  }
}

Verdict JudgeProject(const Transaction& theirs) {
  if (theirs.kind() == Operation::kMerge || theirs.kind() == Operation::kProject) {
    return Verdict::kRetryable;
  }
  return RefuseIf(ReplacesTable(theirs));
}

Verdict JudgeReplacementOverUpdate(const ReplaceData& ours, const UpdateRows& theirs) {
  for (const auto& [fragment_id, file] : ours.replacements) {
    if (std::ranges::find(theirs.removed, fragment_id) != theirs.removed.end()) {
      return Verdict::kIncompatible;
    }
    if (std::ranges::find(theirs.updated, fragment_id, &Fragment::id) == theirs.updated.end()) {
      continue;
    }
    const bool moved_rows = !theirs.added.empty() && theirs.mode == UpdateMode::kRewriteRows;
    const bool same_field = std::ranges::any_of(file.field_ids, [&](int32_t id) {
      return id >= 0 && std::ranges::find(theirs.fields_modified, static_cast<uint32_t>(id)) !=
                            theirs.fields_modified.end();
    });
    if (moved_rows || same_field) return Verdict::kRetryable;
  }
  return Verdict::kCompatible;
}

bool ReplaceSameColumn(const ReplaceData& ours, const ReplaceData& theirs) {
  return std::ranges::any_of(ours.replacements, [&](const auto& a) {
    return std::ranges::any_of(theirs.replacements, [&](const auto& b) {
      return a.fragment_id == b.fragment_id &&
             std::ranges::find_first_of(a.file.field_ids, b.file.field_ids) !=
                 a.file.field_ids.end();
    });
  });
}

Verdict JudgeReplacement(const Transaction& ours, const Transaction& theirs) {
  const ReplaceData& replace = *ours.As<ReplaceData>();
  switch (theirs.kind()) {
    case Operation::kProject: {
      const Schema& schema = theirs.As<ProjectSchema>()->schema;
      return RefuseIf(std::ranges::any_of(replace.replacements, [&](const auto& replacement) {
        return std::ranges::any_of(replacement.file.field_ids, [&](int32_t id) {
          return id >= 0 && !HasFieldId(schema.fields, id);
        });
      }));
    }
    case Operation::kMerge:
      return Verdict::kRetryable;
    case Operation::kDelete: {
      const std::vector<uint64_t>& removed = theirs.As<DeleteRowsOp>()->removed;
      return RefuseIf(Intersect(TouchedFragments(ours), Ids(removed.begin(), removed.end())));
    }
    case Operation::kUpdate:
      return JudgeReplacementOverUpdate(replace, *theirs.As<UpdateRows>());
    case Operation::kCreateIndex:
      return RetryIf(ReplacesIndexedField(replace, theirs.As<CreateIndices>()->added));
    case Operation::kRewrite:
      return RetryIf(TouchSame(ours, theirs));
    case Operation::kDataReplacement:
      return RetryIf(ReplaceSameColumn(replace, *theirs.As<ReplaceData>()));
    default:
      return RefuseIf(ReplacesTable(theirs));
  }
}

Verdict JudgeUpdateConfig(const Transaction& ours, const Transaction& theirs) {
  const UpdateMetadata& update = *ours.As<UpdateMetadata>();
  switch (theirs.kind()) {
    case Operation::kOverwrite:
      return RefuseIf(update.schema_metadata || !update.field_metadata.empty() ||
                      SetSameConfigKey(ours, theirs));
    case Operation::kUpdateConfig:
      return RefuseIf(SetSameConfigKey(ours, theirs) ||
                      ChangeSameMetadata(update, *theirs.As<UpdateMetadata>()));
    default:
      return Verdict::kCompatible;
  }
}

Verdict JudgeUpdateBases(const AddBases& ours, const Transaction& theirs) {
  const auto* other = theirs.As<AddBases>();
  if (other == nullptr) return Verdict::kCompatible;
  return RefuseIf(std::ranges::any_of(ours.bases, [&](const BasePath& a) {
    return std::ranges::any_of(other->bases, [&](const BasePath& b) {
      return (a.id != 0 && a.id == b.id) || (a.name && a.name == b.name) || a.path == b.path;
    });
  }));
}

/// What holds whichever of the two comes first.
Verdict JudgeBothWays(const Transaction& ours, const Transaction& theirs) {
  const auto either = [&](auto first, auto second) {
    return (first(ours) && second(theirs)) || (second(ours) && first(theirs));
  };
  const auto is = [](Operation kind) {
    return [kind](const Transaction& transaction) { return transaction.kind() == kind; };
  };
  if (either(MayAlterNullability, SuppliesValues)) return Verdict::kRetryable;
  // A merge brings the whole schema, and with it the metadata that it has read.
  if (either(is(Operation::kMerge), UpdatesSchemaMetadata)) return Verdict::kRetryable;
  return RefuseIf(either(is(Operation::kRestore), UpdatesSchemaMetadata));
}

}  // namespace

Verdict JudgeConflict(const Transaction& ours, const Transaction& theirs, bool knows_rows) {
  const Verdict both_ways = JudgeBothWays(ours, theirs);
  if (both_ways != Verdict::kCompatible) return both_ways;
  const bool is_unknown = theirs.kind() == Operation::kUnknown;
  if (is_unknown && ours.kind() != Operation::kClone && ours.kind() != Operation::kUpdateBases) {
    return Verdict::kIncompatible;
  }
  switch (ours.kind()) {
    case Operation::kAppend:
      return JudgeAppend(theirs);
    case Operation::kDelete:
      return theirs.kind() == Operation::kDataOverlay ? Verdict::kCompatible
                                                      : JudgeRowChange(ours, theirs, knows_rows);
    case Operation::kUpdate:
      return JudgeUpdate(ours, theirs, knows_rows);
    case Operation::kOverwrite:
      return JudgeOverwrite(ours, theirs);
    case Operation::kCreateIndex:
      return JudgeCreateIndex(*ours.As<CreateIndices>(), theirs);
    case Operation::kRewrite:
      return JudgeRewrite(ours, theirs);
    case Operation::kMerge:
      return JudgeMerge(theirs);
    case Operation::kProject:
      return JudgeProject(theirs);
    case Operation::kRestore:
      // What a restore brings back does not depend on what came in between.
      return RefuseIf(theirs.kind() == Operation::kUpdateMemWalState);
    case Operation::kReserveFragments:
      return RefuseIf(theirs.kind() == Operation::kOverwrite ||
                      theirs.kind() == Operation::kRestore);
    case Operation::kDataReplacement:
      return JudgeReplacement(ours, theirs);
    case Operation::kUpdateConfig:
      return JudgeUpdateConfig(ours, theirs);
    case Operation::kUpdateBases:
      return JudgeUpdateBases(*ours.As<AddBases>(), theirs);
    case Operation::kClone:
      return Verdict::kCompatible;
    case Operation::kUpdateMemWalState:
    case Operation::kDataOverlay:
    case Operation::kUnknown:
      return Verdict::kIncompatible;  // never ours
  }
  return Verdict::kIncompatible;
}

Status CheckConflict(const Transaction& ours, const Transaction& theirs, uint64_t their_version,
                     bool knows_rows) {
  const Verdict verdict = JudgeConflict(ours, theirs, knows_rows);
  if (verdict == Verdict::kCompatible) return Status::OK();
  const bool is_retryable = verdict == Verdict::kRetryable;
  Status conflict = CommitConflict(
      "cannot commit ", OperationName(ours.kind()), " based on version ", ours.read_version,
      ": version ", their_version, " (", OperationName(theirs.kind()), ", transaction ",
      theirs.uuid, ") was committed in between",
      is_retryable ? "; open the latest version and try again"
                   : " and does not go with it; look at the table before you try again");
  return is_retryable ? conflict : AsFinal(conflict);
}

}  // namespace tusk::lance
