#include "tusk/lance/table/conflicts.h"

#include <algorithm>

namespace tusk::lance {
namespace {

enum class Verdict {
  kCompatible,
  kRetryable,     ///< the same call on the newer version may succeed
  kIncompatible,  ///< what the call was based on is gone
};

Verdict JudgeAppend(const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kOverwrite:
    case Operation::kRestore:
    case Operation::kUpdateMemWalState:
    case Operation::kUnknown:
      return Verdict::kIncompatible;
    // A column that became required may be missing or null in the appended rows.
    case Operation::kMerge:
      return theirs.As<MergeColumns>()->preserves_nullability ? Verdict::kCompatible
                                                              : Verdict::kRetryable;
    case Operation::kProject:
      return theirs.As<ProjectSchema>()->preserves_nullability ? Verdict::kCompatible
                                                               : Verdict::kRetryable;
    default:
      return Verdict::kCompatible;
  }
}

bool Names(const MapUpdate& update, const std::string& key) {
  return std::ranges::find(update.entries, key, &MapUpdate::Entry::key) != update.entries.end();
}

Verdict JudgeOverwrite(const OverwriteTable& ours, const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kOverwrite:
      return Verdict::kRetryable;
    case Operation::kUpdateMemWalState:
    case Operation::kUnknown:
      return Verdict::kIncompatible;
    case Operation::kUpdateConfig: {
      const auto& config = theirs.As<UpdateMetadata>()->config;
      const bool same_key =
          config && std::ranges::any_of(ours.config_upserts, [&](const auto& pair) {
            return Names(*config, pair.first);
          });
      return same_key ? Verdict::kIncompatible : Verdict::kCompatible;
    }
    default:
      return Verdict::kCompatible;
  }
}

/// Where rows may have changed or moved, the rows to delete have to be found again.
Verdict JudgeDelete(const Transaction& theirs) {
  switch (theirs.kind()) {
    case Operation::kAppend:
    case Operation::kCreateIndex:
    case Operation::kReserveFragments:
    case Operation::kProject:
    case Operation::kUpdateConfig:
    case Operation::kClone:
    case Operation::kUpdateBases:
      return Verdict::kCompatible;
    case Operation::kOverwrite:
    case Operation::kRestore:
    case Operation::kUpdateMemWalState:
    case Operation::kUnknown:
      return Verdict::kIncompatible;
    default:
      return Verdict::kRetryable;
  }
}

/// What a restore brings back does not depend on what came in between.
Verdict JudgeRestore(const Transaction& theirs) {
  return theirs.kind() == Operation::kUpdateMemWalState || theirs.kind() == Operation::kUnknown
             ? Verdict::kIncompatible
             : Verdict::kCompatible;
}

Verdict Judge(const Transaction& ours, const Transaction& theirs) {
  switch (ours.kind()) {
    case Operation::kAppend:
      return JudgeAppend(theirs);
    case Operation::kDelete:
      return JudgeDelete(theirs);
    case Operation::kRestore:
      return JudgeRestore(theirs);
    case Operation::kOverwrite:
      return JudgeOverwrite(*ours.As<OverwriteTable>(), theirs);
    default:
      return Verdict::kRetryable;
  }
}

}  // namespace

Status CheckConflict(const Transaction& ours, const Transaction& theirs, uint64_t their_version) {
  const Verdict verdict = Judge(ours, theirs);
  if (verdict == Verdict::kCompatible) return Status::OK();
  return CommitConflict("cannot commit ", OperationName(ours.kind()), " based on version ",
                        ours.read_version, ": version ", their_version, " (",
                        OperationName(theirs.kind()), ") was committed in between",
                        verdict == Verdict::kRetryable
                            ? "; open the latest version and try again"
                            : " and does not go with it; look at the table before you try again");
}

}  // namespace tusk::lance
