#include "tusk/lance/table/carried_lineage.h"

#include <cstdint>
#include <span>

#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/row_ids.h"

namespace tusk::lance {
namespace {

/// The stable ids of the rows of some fragments that are not deleted, in their order, and the
/// versions that these were made and last changed in.
class RowLineage {
 public:
  Status Add(const Dataset::State& state, const Fragment& fragment,
             const OperationContext& context) {
    if (fragment.created_at_in_column || fragment.last_updated_at_in_column) {
      return Unsupported("cannot compact fragment ", fragment.id, " of ", state.location.path,
                         ": it keeps the versions of its rows in a column, which is not supported "
                         "yet");
    }
    ARROW_ASSIGN_OR_RAISE(const auto ids, state.RowIds(fragment));
    ARROW_ASSIGN_OR_RAISE(const auto deleted, state.FindDeletedRows(fragment, context));
    ARROW_ASSIGN_OR_RAISE(const RowVersions created,
                          RowVersions::Parse(fragment.created_at_versions));
    ARROW_ASSIGN_OR_RAISE(const RowVersions updated,
                          RowVersions::Parse(fragment.last_updated_at_versions));
    const auto add = [&](int64_t begin, int64_t end) {
      const size_t before = ids_.size();
      ids_.resize(before + (end - begin));
      ids->Fill(begin, std::span(ids_).subspan(before));
      for (int64_t row = begin; row < end; ++row) {
        created_.Append(1, row < created.length() ? created.At(row) : kFirstVersion);
        updated_.Append(1, row < updated.length() ? updated.At(row) : kFirstVersion);
      }
    };
    int64_t begin = 0;
    if (deleted != nullptr) {
      for (const DeletedRows::Run& run : deleted->runs()) {
        add(begin, run.begin);
        begin = run.end;
      }
    }
    add(begin, fragment.physical_rows);
    return Status::OK();
  }

  /// Gives the next rows to `fragment`.
  Status GiveTo(Fragment* fragment) {
    const auto rows = static_cast<size_t>(fragment->physical_rows);
    if (rows > ids_.size() - next_) {
      return Corrupt("compaction wrote more rows than ", ids_.size());
    }
    fragment->row_ids = SerializeRowIds(std::span(ids_).subspan(next_, rows));
    RowVersions created;
    RowVersions updated;
    for (size_t row = next_; row < next_ + rows; ++row) {
      created.Append(1, created_.At(static_cast<int64_t>(row)));
      updated.Append(1, updated_.At(static_cast<int64_t>(row)));
    }
    fragment->created_at_versions = created.Serialize();
    fragment->last_updated_at_versions = updated.Serialize();
    next_ += rows;
    return Status::OK();
  }

 private:
  /// What readers take where no version is said.
  static constexpr uint64_t kFirstVersion = 1;

  std::vector<uint64_t> ids_;
  RowVersions created_;
  RowVersions updated_;
  size_t next_ = 0;
};

}  // namespace

Status CarryLineage(const Dataset::State& state, const std::vector<Fragment>& before,
                    std::vector<Fragment>* after, const OperationContext& context) {
  if (!HasStableRowIds(state.manifest)) return Status::OK();
  RowLineage lineage;
  for (const Fragment& fragment : before) {
    ARROW_RETURN_NOT_OK(lineage.Add(state, fragment, context));
  }
  for (Fragment& fragment : *after) ARROW_RETURN_NOT_OK(lineage.GiveTo(&fragment));
  return Status::OK();
}

}  // namespace tusk::lance
