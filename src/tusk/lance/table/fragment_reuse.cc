#include "tusk/lance/table/fragment_reuse.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/fragment_reuse_details.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kName = "__lance_frag_reuse";
constexpr std::string_view kDetailsType = "/lance.table.FragmentReuseIndexDetails";
constexpr std::string_view kDetailsFile = "details.binpb";
/// More is not kept in the manifest.
constexpr size_t kMostInline = 200 << 10;

std::string FolderOf(const IndexMetadata& index) {
  std::array<uint8_t, 16> uuid = {};
  std::ranges::copy(index.uuid, uuid.begin());
  return "_indices/" + FormatUuid(uuid);
}

bool Covers(const IndexMetadata& index, uint64_t fragment) {
  return !index.fragments || index.fragments->Contains(static_cast<int64_t>(fragment));
}

Result<FragmentIds> ToIds(const std::set<uint64_t>& ids) {
  FragmentIds result;
  for (const uint64_t id : ids) {
    const auto begin = static_cast<int64_t>(id);
    ARROW_RETURN_NOT_OK(result.Add(begin, begin + 1));
  }
  return result;
}

Result<FragmentIds> ToIds(const std::vector<FragmentReuse::Digest>& fragments) {
  std::set<uint64_t> ids;
  for (const FragmentReuse::Digest& fragment : fragments) ids.insert(fragment.id);
  return ToIds(ids);
}

/// The fragments that rows came into.
std::set<uint64_t> TargetsOf(const FragmentReuse& reuse) {
  std::set<uint64_t> ids;
  for (const FragmentReuse::Version& version : reuse.versions) {
    for (const FragmentReuse::Group& group : version.groups) {
      for (const FragmentReuse::Digest& fragment : group.after) ids.insert(fragment.id);
    }
  }
  return ids;
}

FragmentReuse::Digest DigestOf(const Fragment& fragment) {
  return {.id = fragment.id,
          .physical_rows = static_cast<uint64_t>(fragment.physical_rows),
          .deleted_rows = static_cast<uint64_t>(fragment.physical_rows - fragment.CountRows())};
}

Status FollowGroup(const FragmentReuse::Group& group, FragmentIds* ids) {
  const auto has = [ids](const FragmentReuse::Digest& fragment) {
    return ids->Contains(static_cast<int64_t>(fragment.id));
  };
  const auto count = std::ranges::count_if(group.before, has);
  if (count == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const FragmentIds gone, ToIds(group.before));
  ARROW_ASSIGN_OR_RAISE(*ids, Difference(*ids, gone));
  if (count < std::ssize(group.before)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const FragmentIds came, ToIds(group.after));
  return Union(*ids, came).Value(ids);
}

/// Whether the index, as it is stored, may still have addresses that rows of `version` left.
bool Needs(const IndexMetadata& index, const FragmentReuse::Version& version,
           const std::set<uint64_t>& chain) {
  if (index.is_system()) return false;
  // Who has no fragment that rows left or came into has no address of such a row.
  if (index.fragments &&
      std::ranges::none_of(chain, [&](uint64_t id) { return Covers(index, id); })) {
    return false;
  }
  if (index.dataset_version <= version.dataset_version) return true;
  if (!index.fragments) return false;
  return std::ranges::any_of(version.groups, [&](const FragmentReuse::Group& group) {
    return std::ranges::any_of(group.before,
                               [&](const auto& each) { return Covers(index, each.id); });
  });
}

}  // namespace

bool IsFragmentReuse(const IndexMetadata& index) {
  return index.name == kName && index.has_details &&
         index.details_type.ends_with("FragmentReuseIndexDetails");
}

Result<std::optional<FragmentReuse>> ReadFragmentReuse(const io::StorePath& table,
                                                       const Manifest& manifest,
                                                       std::span<const IndexMetadata> indices,
                                                       const OperationContext& context) {
  const auto index = std::ranges::find_if(indices, IsFragmentReuse);
  if (index == indices.end()) return std::nullopt;
  const auto read = [&]() -> Result<FragmentReuse> {
    if (index->index_version.value_or(0) != 0) {
      return Unsupported("index version ", *index->index_version, " is not supported yet");
    }
    ARROW_ASSIGN_OR_RAISE(const ReuseDetails details, ParseReuseDetails(index->details));
    if (details.path.empty()) return ParseFragmentReuse(details.content);
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(details.path));
    ARROW_ASSIGN_OR_RAISE(const TableBase base, FindBase(table, manifest, index->base_id));
    const std::string path =
        io::JoinPath(io::JoinPath(base.place.path, FolderOf(*index)), details.path);
    ARROW_ASSIGN_OR_RAISE(const auto bytes, base.place.store->Get(path, context));
    const std::string_view all(*bytes);
    if (details.offset > all.size() || details.size > all.size() - details.offset) {
      return Corrupt(path, " has ", all.size(), " bytes, not ", details.size, " at ",
                     details.offset);
    }
    return ParseFragmentReuse(all.substr(details.offset, details.size));
  };
  auto reuse = read();
  if (!reuse.ok()) {
    return WithContext(reuse.status(), "index '" + index->name + "' of " + table.path);
  }
  return std::optional(*std::move(reuse));
}

Result<IndexMetadata> WriteFragmentReuse(const io::StorePath& table, const FragmentReuse& reuse,
                                         uint64_t dataset_version,
                                         std::vector<std::string>* written,
                                         const OperationContext& context) {
  IndexMetadata index;
  const std::array<uint8_t, 16> uuid = RandomUuid();
  index.uuid.assign(uuid.begin(), uuid.end());
  index.name = kName;
  index.dataset_version = dataset_version;
  ARROW_ASSIGN_OR_RAISE(index.fragments, ToIds(TargetsOf(reuse)));
  index.details_type = kDetailsType;
  index.has_details = true;
  index.index_version = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  index.created_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  ReuseDetails details{.content = SerializeFragmentReuse(reuse)};
  if (details.content.size() > kMostInline) {
    details.path = kDetailsFile;
    details.size = details.content.size();
    const std::string path = io::JoinPath(FolderOf(index), details.path);
    written->push_back(path);
    ARROW_RETURN_NOT_OK(table.store->Put(io::JoinPath(table.path, path), details.content, context));
  }
  index.details = SerializeReuseDetails(details);
  return index;
}

Status FollowMovedRows(const FragmentReuse& reuse, std::vector<IndexMetadata>* indices) {
  for (IndexMetadata& index : *indices) {
    if (index.is_system() || !index.fragments) continue;
    for (const FragmentReuse::Version& version : reuse.versions) {
      for (const FragmentReuse::Group& group : version.groups) {
        ARROW_RETURN_NOT_OK(FollowGroup(group, &*index.fragments));
      }
    }
  }
  return Status::OK();
}

Result<bool> KeepMovedRows(const RewriteFragments& rewrite, uint64_t dataset_version,
                           std::span<const IndexMetadata> indices, MovedRowsAccount* account) {
  if (account->moved == nullptr) return false;
  std::optional<FragmentReuse>& reuse = account->reuse;
  const std::set<uint64_t> targets = reuse ? TargetsOf(*reuse) : std::set<uint64_t>();
  const auto is_known = [&](const Fragment& fragment) {
    return targets.contains(fragment.id) ||
           std::ranges::any_of(indices, [&](const IndexMetadata& index) {
             return !index.is_system() && Covers(index, fragment.id);
           });
  };
  const bool is_needed =
      std::ranges::any_of(rewrite.groups, [&](const RewriteFragments::Group& group) {
        return std::ranges::any_of(group.before, is_known);
      });
  if (!is_needed) return false;
  // All or nothing: an index that another writer commits at the same time may have any of them.
  if (account->moved->size() != rewrite.groups.size()) {
    return InvalidArgument("the rows that moved are told of ", account->moved->size(),
                           " groups, but the rewrite has ", rewrite.groups.size());
  }
  FragmentReuse::Version version{.dataset_version = dataset_version};
  for (size_t i = 0; i < rewrite.groups.size(); ++i) {
    const RewriteFragments::Group& group = rewrite.groups[i];
    FragmentReuse::Group& moved = version.groups.emplace_back();
    moved.moved = (*account->moved)[i];
    std::ranges::transform(group.before, std::back_inserter(moved.before), DigestOf);
    std::ranges::transform(group.after, std::back_inserter(moved.after), DigestOf);
  }
  if (!reuse) reuse.emplace();
  reuse->versions.push_back(std::move(version));
  return true;
}

FragmentReuse NeededVersions(const FragmentReuse& reuse, std::span<const IndexMetadata> indices) {
  std::set<uint64_t> chain = TargetsOf(reuse);
  for (const FragmentReuse::Version& version : reuse.versions) {
    for (const FragmentReuse::Group& group : version.groups) {
      for (const FragmentReuse::Digest& fragment : group.before) chain.insert(fragment.id);
    }
  }
  FragmentReuse needed;
  for (const FragmentReuse::Version& version : reuse.versions) {
    const bool is_needed = std::ranges::any_of(
        indices, [&](const IndexMetadata& index) { return Needs(index, version, chain); });
    if (is_needed) needed.versions.push_back(version);
  }
  return needed;
}

Result<MovedRows> MovedRows::Make(const FragmentReuse& reuse) {
  MovedRows rows;
  for (const FragmentReuse::Version& version : reuse.versions) {
    Step& step = rows.steps_.emplace_back();
    for (const FragmentReuse::Group& group : version.groups) {
      ARROW_ASSIGN_OR_RAISE(auto moved, ParseAddresses(group.moved));
      int64_t left = 0;
      for (const FragmentReuse::Digest& fragment : group.before) {
        DeletedRows& offsets = moved[fragment.id];
        if (!offsets.runs().empty() &&
            offsets.runs().back().end > static_cast<int64_t>(fragment.physical_rows)) {
          return Corrupt("row ", offsets.runs().back().end - 1, " moved from fragment ",
                         fragment.id, ", which had ", fragment.physical_rows);
        }
        const int64_t count = offsets.count();
        const bool is_new =
            step.sources
                .try_emplace(fragment.id, Source{.physical_rows = fragment.physical_rows,
                                                 .moved = std::exchange(offsets, {}),
                                                 .rows_before = left,
                                                 .group = step.groups.size()})
                .second;
        if (!is_new) return Corrupt("rows moved twice from fragment ", fragment.id);
        left += count;
      }
      std::vector<Target>& targets = step.groups.emplace_back();
      std::set<uint64_t> ids;
      int64_t came = 0;
      for (const FragmentReuse::Digest& fragment : group.after) {
        if (!ids.insert(fragment.id).second) {
          return Corrupt("rows moved twice into fragment ", fragment.id);
        }
        targets.push_back({.rows_before = came, .id = fragment.id});
        came += static_cast<int64_t>(fragment.physical_rows);
      }
      const bool has_others = std::ranges::any_of(
          moved, [](const auto& fragment) { return !fragment.second.runs().empty(); });
      if (left != came || has_others) {
        return Corrupt(left, " rows moved from the fragments of a group",
                       has_others ? ", others" : "", " and ", came, " into others");
      }
    }
  }
  return rows;
}

std::optional<uint64_t> MovedRows::Find(uint64_t address) const {
  for (const Step& step : steps_) {
    const auto source = step.sources.find(address >> 32);
    const auto offset = static_cast<int64_t>(address & 0xFFFFFFFF);
    if (source == step.sources.end() ||
        offset >= static_cast<int64_t>(source->second.physical_rows)) {
      continue;
    }
    const auto& [physical_rows, moved, rows_before, group] = source->second;
    const auto run = std::ranges::upper_bound(moved.runs(), offset, {}, &DeletedRows::Run::begin);
    if (run == moved.runs().begin() || offset >= std::prev(run)->end) return std::nullopt;
    const int64_t row =
        rows_before + std::prev(run)->deleted_before + offset - std::prev(run)->begin;
    const std::vector<Target>& targets = step.groups[group];
    // Of fragments without rows the last begins at the row, too.
    const auto target = std::prev(std::ranges::upper_bound(targets, row, {}, &Target::rows_before));
    address = target->id << 32 | static_cast<uint64_t>(row - target->rows_before);
  }
  return address;
}

}  // namespace tusk::lance
