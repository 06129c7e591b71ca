#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

// What operations do to the fragments of a table. Each changes `manifest`, which begins as the
// version before under the number of the new one, and gives new fragments ids that no fragment of
// the table has ever had, and row ids if the table has stable ones. InvalidArgument for an
// operation that does not fit the table.

Status AddFragments(const std::vector<Fragment>& added, Manifest* manifest);
Status DeleteRowsOf(const DeleteRowsOp& deletion, Manifest* manifest);
/// Answers the ids of the added fragments to which rows moved under the ids that they had, and no
/// others.
Result<std::vector<uint64_t>> UpdateRowsOf(const UpdateRows& update, Manifest* manifest);
/// Also sets the schema.
Status MergeColumnsOf(const MergeColumns& merge, Manifest* manifest);
/// Also sets the schema.
Status ProjectFragments(const ProjectSchema& project, Manifest* manifest);
/// Sets the ids of the new fragments in `rewrite`.
Status RewriteFragmentsOf(RewriteFragments* rewrite, Manifest* manifest);
Status ReserveIds(const ReserveFragmentIds& reserve, Manifest* manifest);
Status ReplaceFiles(const ReplaceData& replace, Manifest* manifest);

/// Drops files of which no field is left.
void RemoveDeadFiles(Manifest* manifest);

/// The ids of the fields with these ids, of all below them and of all above them.
std::vector<uint32_t> RelatedFields(const Schema& schema, const std::vector<uint32_t>& ids);

}  // namespace tusk::lance
