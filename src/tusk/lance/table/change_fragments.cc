#include "tusk/lance/table/change_fragments.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/field_ids.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/lance/table/row_lineage.h"

namespace tusk::lance {
namespace {

/// Sets the flag of tables with files of another data version than they say. It is never cleared.
void FlagMixedVersions(const Fragment& fragment, Manifest* manifest) {
  for (const DataFile& file : fragment.files) {
    const std::string version =
        std::to_string(file.major_version) + "." + std::to_string(file.minor_version);
    if (version == manifest->data_version) continue;
    manifest->reader_flags |= kFlagMixedDataVersions;
    manifest->writer_flags |= kFlagMixedDataVersions;
  }
}

Result<uint64_t> TakeFragmentId(Manifest* manifest) {
  const uint64_t id = manifest->max_fragment_id ? uint64_t{*manifest->max_fragment_id} + 1 : 0;
  if (id > std::numeric_limits<uint32_t>::max()) {
    return Unsupported("the table has used up its 2^32 fragment ids: write it as a new table");
  }
  manifest->max_fragment_id = static_cast<uint32_t>(id);
  return id;
}

Fragment* Find(uint64_t id, std::vector<Fragment>* fragments) {
  const auto found = std::ranges::lower_bound(*fragments, id, {}, &Fragment::id);
  return found == fragments->end() || found->id != id ? nullptr : &*found;
}

/// Keeps an id that the table has reserved; gives one to a fragment without.
Status PlaceFragment(Fragment* fragment, Manifest* manifest) {
  if (fragment->id == 0) {
    ARROW_ASSIGN_OR_RAISE(fragment->id, TakeFragmentId(manifest));
    return Status::OK();
  }
  if (!manifest->max_fragment_id || fragment->id > *manifest->max_fragment_id) {
    return InvalidArgument("a new fragment has id ", fragment->id,
                           ", which the table has not reserved");
  }
  if (Find(fragment->id, &manifest->fragments) != nullptr) {
    return InvalidArgument("a new fragment has id ", fragment->id, ", as another of the table");
  }
  return Status::OK();
}

Status CheckNewFragment(const Fragment& fragment, const Manifest& manifest) {
  if (fragment.deletion_file) {
    return InvalidArgument(
        "a new fragment cannot have a deletion file: its name holds an id that "
        "the fragment does not get");
  }
  for (const DataFile& file : fragment.files) {
    if (file.field_ids.empty()) {
      return InvalidArgument("data file '", file.path, "' of a new fragment has no field");
    }
    if (!file.base_id) continue;
    if (std::ranges::find(manifest.base_paths, *file.base_id, &BasePath::id) ==
        manifest.base_paths.end()) {
      return InvalidArgument("data file '", file.path, "' of a new fragment lies at base path ",
                             *file.base_id, ", which is not registered in the table");
    }
  }
  return Status::OK();
}

void RemoveFragments(std::vector<uint64_t> ids, std::vector<Fragment>* fragments) {
  std::ranges::sort(ids);
  std::erase_if(*fragments, [&](const Fragment& fragment) {
    return std::ranges::binary_search(ids, fragment.id);
  });
}

Status CheckPresent(const std::vector<uint64_t>& ids, std::vector<Fragment>* fragments) {
  for (const uint64_t id : ids) {
    if (Find(id, fragments) == nullptr) {
      return CommitConflict("fragment ", id, ", of which rows are to be deleted, is gone");
    }
  }
  return Status::OK();
}

/// Drops the files that have no field of `live`, unless they keep the lineage of rows.
void DropFilesWithout(const std::set<int32_t>& live, Fragment* fragment) {
  std::erase_if(fragment->files, [&](const DataFile& file) {
    return std::ranges::none_of(file.field_ids, [&](int32_t id) {
      return live.contains(id) || (id == kRowIdField && fragment->row_ids_in_column) ||
             (id == kCreatedAtField && fragment->created_at_in_column) ||
             (id == kLastUpdatedAtField && fragment->last_updated_at_in_column);
    });
  });
}

/// Whether the columns of the fragment are stored in other files or places.
bool IsRewritten(const Fragment& before, const Fragment& after) {
  return !std::ranges::equal(before.files, after.files, [](const DataFile& a, const DataFile& b) {
    return a.path == b.path && a.field_ids == b.field_ids && a.column_indices == b.column_indices &&
           a.major_version == b.major_version && a.minor_version == b.minor_version &&
           a.base_id == b.base_id;
  });
}

/// The fragments as an update leaves them, without those that it adds.
Status ReplaceUpdated(const UpdateRows& update, const std::set<int32_t>& live, Manifest* manifest) {
  for (Fragment changed : update.updated) {
    Fragment* fragment = Find(changed.id, &manifest->fragments);
    if (fragment == nullptr) {
      return CommitConflict("fragment ", changed.id, ", of which rows are to be updated, is gone");
    }
    // A projection that was committed since may have dropped files.
    DropFilesWithout(live, &changed);
    FlagMixedVersions(changed, manifest);
    const auto offsets = update.updated_offsets.find(changed.id);
    if (HasStableRowIds(*manifest) && update.mode == UpdateMode::kRewriteColumns &&
        offsets != update.updated_offsets.end()) {
      ARROW_RETURN_NOT_OK(StampUpdatedRows(offsets->second, manifest->version, &changed));
    }
    *fragment = std::move(changed);
  }
  return Status::OK();
}

bool BringsAllRowIds(const Fragment& fragment) {
  if (fragment.row_ids_in_column) return true;
  if (!fragment.row_ids) return false;
  const auto ids = RowIdSequence::Parse(*fragment.row_ids);
  return ids.ok() && ids->length() == fragment.physical_rows;
}

/// Checks the list of a merge and splits it: first the fragments that the table has, then new ones.
Result<size_t> CountMerged(const MergeColumns& merge, Manifest* manifest) {
  size_t merged = 0;
  for (; merged < merge.fragments.size(); ++merged) {
    const Fragment& fragment = merge.fragments[merged];
    const Fragment* before = Find(fragment.id, &manifest->fragments);
    const bool is_again = merged > 0 && fragment.id <= merge.fragments[merged - 1].id;
    if (before == nullptr || is_again) break;
    if (before->physical_rows != fragment.physical_rows) {
      return InvalidArgument("a merge gives fragment ", fragment.id, " ", fragment.physical_rows,
                             " rows; it has ", before->physical_rows);
    }
    if (HasStableRowIds(*manifest) && !fragment.row_ids && !fragment.row_ids_in_column) {
      return InvalidArgument("a merge drops the row ids of fragment ", fragment.id);
    }
  }
  if (merged != manifest->fragments.size()) {
    return InvalidArgument("a merge names ", merged, " of the table's ", manifest->fragments.size(),
                           " fragments: it needs all, ascending by id, before any new one");
  }
  return merged;
}

/// Every field above `id` in the tree, and `id`, if it is there.
bool CollectPath(const std::vector<Field>& fields, int32_t id, std::set<int32_t>* related) {
  for (const Field& field : fields) {
    if (field.id == id) {
      related->insert(id);
      related->merge(AllFieldIds(field.children));
      return true;
    }
    if (CollectPath(field.children, id, related)) {
      related->insert(field.id);
      return true;
    }
  }
  return false;
}

/// Puts `file` into the fragment in place of the columns that it has.
Status ReplaceFile(const DataFile& file, const std::set<int32_t>& live, Fragment* fragment) {
  std::set<int32_t> covered;
  bool replaced = false;
  for (DataFile& old : fragment->files) {
    covered.insert(old.field_ids.begin(), old.field_ids.end());
    if (old.field_ids != file.field_ids || old.major_version != file.major_version ||
        old.minor_version != file.minor_version) {
      continue;
    }
    old = file;
    replaced = true;
  }
  if (replaced) return Status::OK();
  const auto is_covered = [&](int32_t id) { return covered.contains(id); };
  // Of a column that is in no file all values were null.
  if (std::ranges::none_of(file.field_ids, is_covered)) {
    fragment->files.push_back(file);
    return Status::OK();
  }
  if (!std::ranges::all_of(file.field_ids, is_covered)) {
    return InvalidArgument("data file '", file.path, "' has columns that fragment ", fragment->id,
                           " has in its files and others that it has not");
  }
  for (DataFile& old : fragment->files) {
    for (int32_t& id : old.field_ids) {
      if (std::ranges::find(file.field_ids, id) != file.field_ids.end()) id = kTombstone;
    }
  }
  DropFilesWithout(live, fragment);
  fragment->files.push_back(file);
  return Status::OK();
}

}  // namespace

Status AddFragments(const std::vector<Fragment>& added, Manifest* manifest) {
  for (Fragment fragment : added) {
    ARROW_RETURN_NOT_OK(CheckNewFragment(fragment, *manifest));
    FlagMixedVersions(fragment, manifest);
    ARROW_ASSIGN_OR_RAISE(fragment.id, TakeFragmentId(manifest));
    if (HasStableRowIds(*manifest)) {
      ARROW_RETURN_NOT_OK(GiveRowIds(&fragment, &manifest->next_row_id));
      StampCreated(manifest->version, &fragment);
      StampUpdated(manifest->version, &fragment);
    }
    manifest->fragments.push_back(std::move(fragment));
  }
  return Status::OK();
}

Status DeleteRowsOf(const DeleteRowsOp& deletion, Manifest* manifest) {
  for (const Fragment& changed : deletion.updated) {
    Fragment* fragment = Find(changed.id, &manifest->fragments);
    if (fragment == nullptr) {
      return CommitConflict("fragment ", changed.id, ", of which rows are to be deleted, is gone");
    }
    fragment->deletion_file = changed.deletion_file;
  }
  ARROW_RETURN_NOT_OK(CheckPresent(deletion.removed, &manifest->fragments));
  RemoveFragments(deletion.removed, &manifest->fragments);
  return Status::OK();
}

Result<std::vector<uint64_t>> UpdateRowsOf(const UpdateRows& update, Manifest* manifest) {
  const std::set<int32_t> live = AllFieldIds(manifest->schema.fields);
  for (const auto& [id, offsets] : update.updated_offsets) {
    if (update.mode == UpdateMode::kRewriteColumns &&
        std::ranges::find(update.updated, id, &Fragment::id) == update.updated.end()) {
      return InvalidArgument("an update names updated rows of fragment ", id,
                             ", which it does not update");
    }
  }
  // Rows that moved are looked for in the version before, also those of fragments that go.
  const std::vector<Fragment> before = HasStableRowIds(*manifest) && !update.added.empty()
                                           ? manifest->fragments
                                           : std::vector<Fragment>();
  ARROW_RETURN_NOT_OK(CheckPresent(update.removed, &manifest->fragments));
  ARROW_RETURN_NOT_OK(ReplaceUpdated(update, live, manifest));
  RemoveFragments(update.removed, &manifest->fragments);
  std::vector<Fragment> added = update.added;
  std::vector<uint64_t> moved;
  for (Fragment& fragment : added) {
    ARROW_RETURN_NOT_OK(CheckNewFragment(fragment, *manifest));
    DropFilesWithout(live, &fragment);
    FlagMixedVersions(fragment, manifest);
    ARROW_ASSIGN_OR_RAISE(fragment.id, TakeFragmentId(manifest));
    if (!HasStableRowIds(*manifest)) continue;
    if (BringsAllRowIds(fragment)) moved.push_back(fragment.id);
    ARROW_RETURN_NOT_OK(GiveRowIds(&fragment, &manifest->next_row_id));
  }
  if (HasStableRowIds(*manifest)) {
    ARROW_RETURN_NOT_OK(StampMovedRows(before, manifest->version, &added));
  }
  std::ranges::move(added, std::back_inserter(manifest->fragments));
  return moved;
}

Status MergeColumnsOf(const MergeColumns& merge, Manifest* manifest) {
  ARROW_ASSIGN_OR_RAISE(const size_t merged, CountMerged(merge, manifest));
  std::vector<Fragment> before = std::move(manifest->fragments);
  manifest->fragments.assign(merge.fragments.begin(),
                             merge.fragments.begin() + static_cast<std::ptrdiff_t>(merged));
  for (size_t i = 0; i < merged; ++i) {
    Fragment& fragment = manifest->fragments[i];
    if (!IsRewritten(before[i], fragment)) continue;
    FlagMixedVersions(fragment, manifest);
    if (HasStableRowIds(*manifest)) StampUpdated(manifest->version, &fragment);
  }
  for (size_t i = merged; i < merge.fragments.size(); ++i) {
    Fragment fragment = merge.fragments[i];
    ARROW_RETURN_NOT_OK(CheckNewFragment(fragment, *manifest));
    if (fragment.row_ids || fragment.row_ids_in_column) {
      return InvalidArgument("a new fragment of a merge brings row ids: they are given at commit");
    }
    FlagMixedVersions(fragment, manifest);
    ARROW_RETURN_NOT_OK(PlaceFragment(&fragment, manifest));
    if (HasStableRowIds(*manifest)) {
      ARROW_RETURN_NOT_OK(GiveRowIds(&fragment, &manifest->next_row_id));
      StampCreated(manifest->version, &fragment);
      StampUpdated(manifest->version, &fragment);
    }
    const auto place =
        std::ranges::lower_bound(manifest->fragments, fragment.id, {}, &Fragment::id);
    manifest->fragments.insert(place, std::move(fragment));
  }
  manifest->schema = merge.schema;
  manifest->encoded_schema.clear();
  return Status::OK();
}

Status ProjectFragments(const ProjectSchema& project, Manifest* manifest) {
  const std::map<std::string, std::string> metadata = manifest->schema.metadata;
  manifest->schema = project.schema;
  manifest->encoded_schema.clear();
  if (manifest->schema.metadata.empty()) manifest->schema.metadata = metadata;
  const std::set<int32_t> live = AllFieldIds(manifest->schema.fields);
  for (Fragment& fragment : manifest->fragments) DropFilesWithout(live, &fragment);
  return Status::OK();
}

Status RewriteFragmentsOf(RewriteFragments* rewrite, Manifest* manifest) {
  std::vector<uint64_t> gone;
  for (const RewriteFragments::Group& group : rewrite->groups) {
    for (const Fragment& fragment : group.before) {
      if (Find(fragment.id, &manifest->fragments) == nullptr) {
        return CommitConflict("fragment ", fragment.id, ", which is to be rewritten, is gone");
      }
      gone.push_back(fragment.id);
    }
  }
  std::ranges::sort(gone);
  if (std::ranges::adjacent_find(gone) != gone.end()) {
    return InvalidArgument("a rewrite names a fragment twice");
  }
  for (RewriteFragments::Group& group : rewrite->groups) {
    for (Fragment& fragment : group.after) {
      ARROW_RETURN_NOT_OK(CheckNewFragment(fragment, *manifest));
      FlagMixedVersions(fragment, manifest);
      ARROW_RETURN_NOT_OK(PlaceFragment(&fragment, manifest));
      if (HasStableRowIds(*manifest) && !BringsAllRowIds(fragment)) {
        return InvalidArgument("a rewritten fragment of ", fragment.physical_rows,
                               " rows does not bring the row ids of all of them");
      }
    }
  }
  RemoveFragments(gone, &manifest->fragments);
  for (const RewriteFragments::Group& group : rewrite->groups) {
    manifest->fragments.insert(manifest->fragments.end(), group.after.begin(), group.after.end());
  }
  std::ranges::stable_sort(manifest->fragments, {}, &Fragment::id);
  const auto twice = std::ranges::adjacent_find(manifest->fragments, {}, &Fragment::id);
  if (twice != manifest->fragments.end()) {
    return InvalidArgument("a rewrite gives two fragments the id ", twice->id);
  }
  return Status::OK();
}

Status ReserveIds(const ReserveFragmentIds& reserve, Manifest* manifest) {
  const uint64_t last = uint64_t{manifest->max_fragment_id.value_or(0)} + reserve.count;
  if (last > std::numeric_limits<uint32_t>::max()) {
    return Unsupported("the table has no ", reserve.count,
                       " fragment ids left of its 2^32: write it as a new table");
  }
  manifest->max_fragment_id = static_cast<uint32_t>(last);
  return Status::OK();
}

Status ReplaceFiles(const ReplaceData& replace, Manifest* manifest) {
  const std::set<int32_t> live = AllFieldIds(manifest->schema.fields);
  for (const ReplaceData::Replacement& replacement : replace.replacements) {
    if (replacement.file.field_ids != replace.replacements.front().file.field_ids) {
      return InvalidArgument("the files of a data replacement must all have the same fields");
    }
    Fragment* fragment = Find(replacement.fragment_id, &manifest->fragments);
    if (fragment == nullptr) {
      return InvalidArgument("fragment ", replacement.fragment_id,
                             ", of which data is to be replaced, is not in the table");
    }
    ARROW_RETURN_NOT_OK(ReplaceFile(replacement.file, live, fragment));
    FlagMixedVersions(*fragment, manifest);
    if (HasStableRowIds(*manifest)) StampUpdated(manifest->version, fragment);
  }
  return Status::OK();
}

void RemoveDeadFiles(Manifest* manifest) {
  for (Fragment& fragment : manifest->fragments) {
    std::erase_if(fragment.files, [](const DataFile& file) {
      return std::ranges::all_of(file.field_ids, [](int32_t id) { return id == kTombstone; });
    });
  }
}

std::vector<uint32_t> RelatedFields(const Schema& schema, const std::vector<uint32_t>& ids) {
  std::set<int32_t> related(ids.begin(), ids.end());
  for (const uint32_t id : ids) CollectPath(schema.fields, static_cast<int32_t>(id), &related);
  std::vector<uint32_t> result;
  for (const int32_t id : related) {
    if (id >= 0) result.push_back(static_cast<uint32_t>(id));
  }
  return result;
}

}  // namespace tusk::lance
