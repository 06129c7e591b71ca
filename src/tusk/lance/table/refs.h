#pragma once

#include <cstdint>
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
  std::set<uint64_t> tagged = {};  ///< versions that tags name
  bool has_branches = false;       ///< whose versions may name files of this table
};

/// Corrupt, naming the file, if a tag is not one.
Result<TableRefs> ReadRefs(const io::StorePath& table, const OperationContext& context);

/// What a file of _refs/tags or _refs/branches says. Corrupt if it is none.
Result<Tag> ParseTagJson(std::string_view text);
Result<Branch> ParseBranchJson(std::string_view text);

std::string ToJson(const Tag& tag);
std::string ToJson(const Branch& branch);

}  // namespace tusk::lance
