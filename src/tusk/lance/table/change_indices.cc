#include "tusk/lance/table/change_indices.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "tusk/lance/table/change_fragments.h"
#include "tusk/lance/table/merge_schema.h"

namespace tusk::lance {
namespace {

Result<FragmentIds> ToIds(std::vector<uint64_t> ids) {
  std::ranges::sort(ids);
  FragmentIds result;
  int64_t last = -1;
  for (const uint64_t id : ids) {
    const auto begin = static_cast<int64_t>(id);
    if (begin == last) continue;
    ARROW_RETURN_NOT_OK(result.Add(begin, begin + 1));
    last = begin;
  }
  return result;
}

std::vector<uint64_t> IdsOf(const std::vector<Fragment>& fragments) {
  std::vector<uint64_t> ids;
  ids.reserve(fragments.size());
  for (const Fragment& fragment : fragments) ids.push_back(fragment.id);
  return ids;
}

bool HasField(const IndexMetadata& index, std::span<const uint32_t> fields) {
  return std::ranges::any_of(index.field_ids, [&](int32_t id) {
    return std::ranges::find(fields, static_cast<uint32_t>(id)) != fields.end();
  });
}

bool HasAll(const FragmentIds& ids, std::span<const uint64_t> wanted) {
  return std::ranges::all_of(wanted,
                             [&](uint64_t id) { return ids.Contains(static_cast<int64_t>(id)); });
}

/// Whether none of the fragments is there any more.
bool IsEmpty(const IndexMetadata& index, const std::vector<Fragment>& fragments) {
  return std::ranges::none_of(fragments, [&](const Fragment& fragment) {
    return index.fragments->Contains(static_cast<int64_t>(fragment.id));
  });
}

/// Of segments without a live fragment the one to keep: the first that was made.
std::string OldestUuid(const std::vector<const IndexMetadata*>& segments) {
  const auto age = [](const IndexMetadata* index) {
    return std::tuple(!index->created_at_ms, index->created_at_ms.value_or(0),
                      index->dataset_version);
  };
  return (*std::ranges::min_element(segments, {}, age))->uuid;
}

/// The paths of the files that a fragment's fields are in.
std::map<int32_t, std::string_view> PathsOfFields(const Fragment& fragment) {
  std::map<int32_t, std::string_view> paths;
  for (const DataFile& file : fragment.files) {
    for (const int32_t id : file.field_ids) {
      if (id >= 0) paths[id] = file.path;
    }
  }
  return paths;
}

/// The fields of both that are in another file now.
std::vector<uint32_t> MovedFields(const Fragment& before, const Fragment& after) {
  const auto old_paths = PathsOfFields(before);
  std::vector<uint32_t> moved;
  for (const auto& [id, path] : PathsOfFields(after)) {
    const auto old = old_paths.find(id);
    if (old != old_paths.end() && old->second != path) moved.push_back(static_cast<uint32_t>(id));
  }
  return moved;
}

/// `ids` with the fragments of each group that it has replaced by what they became.
Result<FragmentIds> Replaced(FragmentIds ids, const RewriteFragments& rewrite, bool follow) {
  for (const RewriteFragments::Group& group : rewrite.groups) {
    const std::vector<uint64_t> before = IdsOf(group.before);
    const bool has_any = std::ranges::any_of(
        before, [&](uint64_t id) { return ids.Contains(static_cast<int64_t>(id)); });
    if (!has_any) continue;
    if (follow && !HasAll(ids, before)) {
      return InvalidArgument("a rewrite puts fragments that an index covers together with others");
    }
    ARROW_ASSIGN_OR_RAISE(const FragmentIds gone, ToIds(before));
    ARROW_ASSIGN_OR_RAISE(ids, Difference(ids, gone));
    if (!follow) continue;
    ARROW_ASSIGN_OR_RAISE(const FragmentIds came, ToIds(IdsOf(group.after)));
    ARROW_ASSIGN_OR_RAISE(ids, Union(ids, came));
  }
  return ids;
}

/// The index under its new uuid, if the rewrite has written it anew.
Result<bool> TakeRewritten(const RewriteFragments& rewrite, IndexMetadata* index) {
  const auto rewritten =
      std::ranges::find(rewrite.indices, index->uuid, &RewriteFragments::RewrittenIndex::old_uuid);
  if (rewritten == rewrite.indices.end()) return false;
  if (!index->fragments) {
    return InvalidArgument("cannot rewrite index '", index->name,
                           "', which does not say what fragments it covers");
  }
  ARROW_ASSIGN_OR_RAISE(index->fragments, Replaced(*index->fragments, rewrite, /*follow=*/true));
  index->uuid = rewritten->new_uuid;
  index->files = rewritten->files;
  return true;
}

}  // namespace

void RetainIndices(const Schema& schema, const std::vector<Fragment>& fragments,
                   std::vector<IndexMetadata>* indices) {
  const std::set<int32_t> fields = AllFieldIds(schema.fields);
  std::erase_if(*indices, [&](const IndexMetadata& index) {
    return !index.is_system() &&
           !std::ranges::all_of(index.field_ids, [&](int32_t id) { return fields.contains(id); });
  });
  std::map<std::string_view, std::vector<const IndexMetadata*>> empty;
  std::map<std::string_view, size_t> counts;
  for (const IndexMetadata& index : *indices) {
    if (!index.fragments) continue;  // not known is not empty
    ++counts[index.name];
    if (IsEmpty(index, fragments)) empty[index.name].push_back(&index);
  }
  std::set<std::string> dropped;
  for (const auto& [name, segments] : empty) {
    if (counts[name] == 1 || segments.front()->name == "__lance_frag_reuse") continue;
    const std::string kept = segments.size() == counts[name] ? OldestUuid(segments) : std::string();
    for (const IndexMetadata* segment : segments) {
      if (segment->uuid != kept) dropped.insert(segment->uuid);
    }
  }
  std::erase_if(*indices, [&](const IndexMetadata& index) { return dropped.contains(index.uuid); });
}

Status UncoverFragments(std::span<const uint64_t> fragment_ids, std::span<const uint32_t> fields,
                        std::vector<IndexMetadata>* indices) {
  if (fragment_ids.empty() || fields.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const FragmentIds gone, ToIds({fragment_ids.begin(), fragment_ids.end()}));
  for (IndexMetadata& index : *indices) {
    if (!index.fragments || !HasField(index, fields)) continue;
    ARROW_ASSIGN_OR_RAISE(index.fragments, Difference(*index.fragments, gone));
  }
  return Status::OK();
}

Status UncoverRewrittenFields(const Schema& schema, const std::vector<Fragment>& before,
                              const std::vector<Fragment>& after,
                              std::vector<IndexMetadata>* indices) {
  if (indices->empty()) return Status::OK();
  std::map<uint64_t, const Fragment*> old;
  for (const Fragment& fragment : before) old[fragment.id] = &fragment;
  for (const Fragment& fragment : after) {
    const auto found = old.find(fragment.id);
    if (found == old.end()) continue;
    const std::vector<uint32_t> moved = MovedFields(*found->second, fragment);
    ARROW_RETURN_NOT_OK(UncoverFragments({&fragment.id, 1}, RelatedFields(schema, moved), indices));
  }
  return Status::OK();
}

Status CoverMovedRows(std::span<const uint64_t> from, std::span<const uint64_t> to,
                      std::span<const uint32_t> changed, std::vector<IndexMetadata>* indices) {
  if (to.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const FragmentIds added, ToIds({to.begin(), to.end()}));
  for (IndexMetadata& index : *indices) {
    // Addresses cannot follow rows into another fragment.
    if (index.answers_addresses() || !index.fragments || HasField(index, changed) ||
        !HasAll(*index.fragments, from)) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(index.fragments, Union(*index.fragments, added));
  }
  return Status::OK();
}

Status FollowRewrite(const RewriteFragments& rewrite, bool stable_row_ids,
                     std::vector<IndexMetadata>* indices) {
  std::set<std::string_view> old_uuids;
  for (const RewriteFragments::RewrittenIndex& index : rewrite.indices) {
    if (!old_uuids.insert(index.old_uuid).second) {
      return InvalidArgument("a rewrite writes one index twice");
    }
  }
  for (IndexMetadata& index : *indices) {
    ARROW_ASSIGN_OR_RAISE(const bool is_rewritten, TakeRewritten(rewrite, &index));
    if (is_rewritten || !stable_row_ids || !index.fragments || index.is_system()) continue;
    // Row ids stay when rows move; addresses that were not rewritten lead nowhere.
    ARROW_ASSIGN_OR_RAISE(index.fragments,
                          Replaced(*index.fragments, rewrite, !index.answers_addresses()));
  }
  return Status::OK();
}

Status ReplaceIndices(const CreateIndices& create, std::vector<IndexMetadata>* indices) {
  std::erase_if(*indices, [&](const IndexMetadata& index) {
    const auto is_it = [&](const IndexMetadata& other) { return other.uuid == index.uuid; };
    return std::ranges::any_of(create.removed, is_it) || std::ranges::any_of(create.added, is_it);
  });
  indices->insert(indices->end(), create.added.begin(), create.added.end());
  for (const IndexMetadata& added : create.added) {
    const bool is_mixed = std::ranges::any_of(*indices, [&](const IndexMetadata& other) {
      return other.name == added.name && other.answers_addresses() != added.answers_addresses();
    });
    if (is_mixed) {
      return InvalidArgument("segments of index '", added.name,
                             "' would answer partly with row ids, partly with row addresses: build "
                             "all of them anew in one commit");
    }
  }
  return Status::OK();
}

}  // namespace tusk::lance
