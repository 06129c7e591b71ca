#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/refs.h"

namespace tusk::lance {

/// What lies in `_refs` and `tree` of a table.
struct TableRefs {
  std::set<uint64_t> tagged = {};    ///< versions of one branch that tags name
  std::set<uint64_t> branched = {};  ///< versions of it at which branches begin
  bool has_branches = false;         ///< whose versions may name files of this table
};

/// Of the table at this root, for this branch (the main line without one). Corrupt, naming the
/// file, if a tag is not one.
Result<TableRefs> ReadRefs(const io::StorePath& root, const std::optional<std::string>& branch,
                           const OperationContext& context);

/// What a file of _refs/tags or _refs/branches says. Corrupt if it is none.
Result<Tag> ParseTagJson(std::string_view text);
Result<Branch> ParseBranchJson(std::string_view text);

std::string ToJson(const Tag& tag);
std::string ToJson(const Branch& branch);

}  // namespace tusk::lance
