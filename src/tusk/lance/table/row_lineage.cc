#include "tusk/lance/table/row_lineage.h"

#include <algorithm>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/row_ids.h"

namespace tusk::lance {
namespace {

Result<std::vector<uint64_t>> ReadRowIds(const Fragment& fragment) {
  ARROW_ASSIGN_OR_RAISE(const RowIdSequence sequence, RowIdSequence::Parse(*fragment.row_ids));
  if (sequence.length() != fragment.physical_rows) {
    return Corrupt("fragment ", fragment.id, " has ", sequence.length(), " row ids for ",
                   fragment.physical_rows, " rows");
  }
  std::vector<uint64_t> ids(sequence.length());
  sequence.Fill(0, ids);
  return ids;
}

/// Tells in which version rows of `fragment` were made. `found` has (id, position) pairs.
Status TellCreated(const Fragment& fragment, const std::vector<std::pair<uint64_t, int64_t>>& found,
                   std::unordered_map<uint64_t, uint64_t>* created) {
  if (fragment.created_at_in_column) {
    return Unsupported("fragment ", fragment.id,
                       " keeps the versions of its rows in a column: that is not supported yet");
  }
  ARROW_ASSIGN_OR_RAISE(const RowVersions versions,
                        RowVersions::Parse(fragment.created_at_versions));
  for (const auto& [id, position] : found) {
    // The first fragment that has the id is where the row was made.
    created->try_emplace(id,
                         position < versions.length() ? versions.At(position) : kUnknownRowVersion);
  }
  return Status::OK();
}

/// In which version the rows with these ids were made, as far as they are in `before`.
Result<std::unordered_map<uint64_t, uint64_t>> FindCreated(const std::vector<Fragment>& before,
                                                           const std::vector<uint64_t>& ids) {
  std::unordered_map<uint64_t, uint64_t> created;
  for (const Fragment& fragment : before) {
    if (ids.empty()) break;
    if (fragment.row_ids_in_column) {
      return Unsupported("fragment ", fragment.id,
                         " keeps its row ids in a column: that is not supported yet");
    }
    if (!fragment.row_ids) continue;
    ARROW_ASSIGN_OR_RAISE(const RowIdSequence sequence, RowIdSequence::Parse(*fragment.row_ids));
    std::vector<std::pair<uint64_t, int64_t>> found;
    sequence.Find(ids, [&](uint64_t id, int64_t position) { found.emplace_back(id, position); });
    if (!found.empty()) ARROW_RETURN_NOT_OK(TellCreated(fragment, found, &created));
  }
  return created;
}

}  // namespace

Status GiveRowIds(Fragment* fragment, uint64_t* next_row_id) {
  if (fragment->row_ids_in_column) return Status::OK();
  int64_t given = 0;
  if (fragment->row_ids) {
    ARROW_ASSIGN_OR_RAISE(const RowIdSequence sequence, RowIdSequence::Parse(*fragment->row_ids));
    given = sequence.length();
  }
  if (given > fragment->physical_rows) {
    return InvalidArgument("a new fragment brings ", given, " row ids for ",
                           fragment->physical_rows, " rows");
  }
  const auto missing = static_cast<uint64_t>(fragment->physical_rows - given);
  if (missing > std::numeric_limits<uint64_t>::max() - *next_row_id) {
    return Corrupt("next row id ", *next_row_id, " leaves no room for ", missing, " rows");
  }
  if (given == 0) {
    fragment->row_ids = SerializeRowIdRange(*next_row_id, missing);
  } else if (missing > 0) {
    ARROW_ASSIGN_OR_RAISE(fragment->row_ids,
                          AppendRowIdRange(*fragment->row_ids, *next_row_id, missing));
  }
  *next_row_id += missing;
  return Status::OK();
}

void StampCreated(uint64_t version, Fragment* fragment) {
  const auto rows = static_cast<uint64_t>(fragment->physical_rows);
  fragment->created_at_versions = SerializeUniformVersion(rows, version);
  fragment->created_at_in_column = false;
}

void StampUpdated(uint64_t version, Fragment* fragment) {
  const auto rows = static_cast<uint64_t>(fragment->physical_rows);
  fragment->last_updated_at_versions = SerializeUniformVersion(rows, version);
  fragment->last_updated_at_in_column = false;
}

Status StampUpdatedRows(std::string_view offsets, uint64_t version, Fragment* fragment) {
  ARROW_ASSIGN_OR_RAISE(const DeletedRows rows, ParseRoaringBitmap(offsets));
  if (rows.runs().empty()) return Status::OK();
  if (rows.runs().back().end > fragment->physical_rows) {
    return InvalidArgument("row ", rows.runs().back().end - 1,
                           " is said to be updated in fragment ", fragment->id, ", which has ",
                           fragment->physical_rows, " rows");
  }
  if (fragment->last_updated_at_in_column) {
    return Unsupported("fragment ", fragment->id,
                       " keeps the versions of its rows in a column: that is not supported yet");
  }
  if (fragment->last_updated_at_versions.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const RowVersions before,
                        RowVersions::Parse(fragment->last_updated_at_versions));
  RowVersions after;
  const auto keep_until = [&](int64_t end) {
    after.AppendRowsOf(before, after.length(), std::min(end, before.length()));
    if (after.length() < end) after.Append(end - after.length(), kUnknownRowVersion);
  };
  for (const DeletedRows::Run& run : rows.runs()) {
    keep_until(run.begin);
    after.Append(run.end - run.begin, version);
  }
  keep_until(fragment->physical_rows);
  fragment->last_updated_at_versions = after.Serialize();
  return Status::OK();
}

Status StampMovedRows(const std::vector<Fragment>& before, uint64_t version,
                      std::vector<Fragment>* added) {
  std::vector<std::vector<uint64_t>> ids(added->size());
  std::vector<uint64_t> all;
  for (size_t i = 0; i < added->size(); ++i) {
    const Fragment& fragment = (*added)[i];
    if (fragment.row_ids_in_column) continue;
    ARROW_ASSIGN_OR_RAISE(ids[i], ReadRowIds(fragment));
    all.insert(all.end(), ids[i].begin(), ids[i].end());
  }
  std::ranges::sort(all);
  ARROW_ASSIGN_OR_RAISE(const auto created, FindCreated(before, all));
  for (size_t i = 0; i < added->size(); ++i) {
    Fragment& fragment = (*added)[i];
    StampUpdated(version, &fragment);
    // Their writer has said when they were made.
    if (fragment.row_ids_in_column || fragment.created_at_in_column) continue;
    RowVersions versions;
    for (const uint64_t id : ids[i]) {
      const auto found = created.find(id);
      versions.Append(1, found == created.end() ? version : found->second);
    }
    fragment.created_at_versions = versions.Serialize();
  }
  return Status::OK();
}

}  // namespace tusk::lance
