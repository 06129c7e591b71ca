#include "tusk/lance/table/rebase.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/change_indices.h"

namespace tusk::lance {
namespace {

const Fragment* Find(uint64_t id, const Manifest& manifest) {
  const auto found = std::ranges::lower_bound(manifest.fragments, id, {}, &Fragment::id);
  return found == manifest.fragments.end() || found->id != id ? nullptr : &*found;
}

bool IsSame(const std::optional<DeletionFile>& a, const std::optional<DeletionFile>& b) {
  if (!a || !b) return !a && !b;
  return a->type == b->type && a->read_version == b->read_version && a->id == b->id &&
         a->base_id == b->base_id;
}

bool HasSameFiles(const Fragment& a, const Fragment& b) {
  return std::ranges::equal(a.files, b.files, [](const DataFile& x, const DataFile& y) {
    return x.path == y.path && x.field_ids == y.field_ids && x.base_id == y.base_id;
  });
}

/// What others have made of a fragment that ours changes.
enum class Change { kNone, kMoreDeleted, kOther };

Change ChangeOf(uint64_t id, const Manifest& before, const Manifest& latest) {
  const Fragment* old = Find(id, before);
  const Fragment* now = Find(id, latest);
  if (old == nullptr || now == nullptr || !HasSameFiles(*old, *now)) return Change::kOther;
  return IsSame(old->deletion_file, now->deletion_file) ? Change::kNone : Change::kMoreDeleted;
}

/// The rows of `now` that are deleted once those of `rows` are as well. CommitConflict if some of
/// these are gone already.
Result<DeletedRows> AllDeleted(const io::StorePath& table, const Manifest& latest,
                               const Fragment& now, const DeletedRows& rows,
                               const OperationContext& context) {
  DeletedRows deleted;
  if (now.deletion_file) {
    ARROW_ASSIGN_OR_RAISE(const TableBase base,
                          FindBase(table, latest, now.deletion_file->base_id));
    ARROW_ASSIGN_OR_RAISE(deleted, ReadDeletedRows(base.place, now, context));
  }
  ARROW_ASSIGN_OR_RAISE(DeletedRows all, Union(deleted, rows));
  if (all.count() != deleted.count() + rows.count()) {
    return CommitConflict("another writer has changed ",
                          deleted.count() + rows.count() - all.count(),
                          " of the same rows of fragment ", now.id, " up to version ",
                          latest.version, "; open the latest version and try again");
  }
  return all;
}

/// The lists of a delete or an update in which its fragments are.
struct ChangedFragments {
  std::vector<Fragment>* updated;
  std::vector<uint64_t>* removed;
};

Status MergeDeletions(const io::StorePath& table, const Manifest& before, const Manifest& latest,
                      const AffectedRows* rows, ChangedFragments changed, RebasedFiles* files,
                      const OperationContext& context) {
  for (const uint64_t id : *changed.removed) {
    if (ChangeOf(id, before, latest) == Change::kNone) continue;
    return CommitConflict("fragment ", id, ", all rows of which are concerned, was changed up to ",
                          "version ", latest.version, "; open the latest version and try again");
  }
  std::vector<uint64_t> emptied;
  for (Fragment& fragment : *changed.updated) {
    const Change change = ChangeOf(fragment.id, before, latest);
    if (change == Change::kNone) continue;
    const auto concerned =
        rows == nullptr ? AffectedRows::const_iterator() : rows->find(fragment.id);
    if (rows == nullptr || concerned == rows->end() || change == Change::kOther) {
      return CommitConflict("fragment ", fragment.id, " was changed up to version ", latest.version,
                            "; open the latest version and try again");
    }
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const Fragment& now = *Find(fragment.id, latest);
    ARROW_ASSIGN_OR_RAISE(const DeletedRows all,
                          AllDeleted(table, latest, now, concerned->second, context));
    if (fragment.deletion_file) files->replaced.push_back(DeletionPath(fragment));
    if (all.count() == fragment.physical_rows) {
      emptied.push_back(fragment.id);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(fragment.deletion_file,
                          WriteDeletedRows(table, fragment.id, latest.version, all, context));
    files->written.push_back(DeletionPath(fragment));
  }
  std::erase_if(*changed.updated, [&](const Fragment& fragment) {
    return std::ranges::find(emptied, fragment.id) != emptied.end();
  });
  changed.removed->insert(changed.removed->end(), emptied.begin(), emptied.end());
  return Status::OK();
}

}  // namespace

bool NeedsVersionBefore(const Transaction& transaction) {
  switch (transaction.kind()) {
    case Operation::kDelete:
    case Operation::kUpdate:
    case Operation::kCreateIndex:
      return true;
    default:
      return false;
  }
}

Status RebaseContent(const io::StorePath& table, const Manifest& before, const Manifest& latest,
                     const AffectedRows* rows, Transaction* transaction, RebasedFiles* files,
                     const OperationContext& context) {
  if (auto* deletion = std::get_if<DeleteRowsOp>(&transaction->operation)) {
    return MergeDeletions(table, before, latest, rows,
                          {.updated = &deletion->updated, .removed = &deletion->removed}, files,
                          context);
  }
  if (auto* update = std::get_if<UpdateRows>(&transaction->operation)) {
    // The files of rewritten columns were made of rows that may be others now.
    const bool knows_rows = update->mode == UpdateMode::kRewriteRows;
    return MergeDeletions(table, before, latest, knows_rows ? rows : nullptr,
                          {.updated = &update->updated, .removed = &update->removed}, files,
                          context);
  }
  if (auto* create = std::get_if<CreateIndices>(&transaction->operation)) {
    return UncoverRewrittenFields(latest.schema, before.fragments, latest.fragments,
                                  &create->added);
  }
  return Status::OK();
}

}  // namespace tusk::lance
