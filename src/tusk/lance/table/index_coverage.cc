#include "tusk/lance/table/index_coverage.h"

#include <optional>
#include <utility>

#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/fragment_reuse.h"
#include "tusk/lance/table/manifest_file.h"

namespace tusk::lance {

Result<std::vector<IndexCoverage>> ReadIndexCoverage(const Dataset::State& state,
                                                     const OperationContext& context) {
  std::vector<IndexCoverage> coverage;
  ARROW_ASSIGN_OR_RAISE(
      const std::string section,
      ReadIndexSection(state.location, state.manifest_path, state.manifest, context));
  if (section.empty()) return coverage;
  ARROW_ASSIGN_OR_RAISE(auto indices, ParseIndexSection(section));
  ARROW_ASSIGN_OR_RAISE(const auto reuse,
                        ReadFragmentReuse(state.location, state.manifest, indices, context));
  if (reuse) ARROW_RETURN_NOT_OK(FollowMovedRows(*reuse, &indices));
  for (IndexMetadata& index : indices) {
    if (IsFragmentReuse(index)) continue;
    if (index.is_system()) {
      return Unsupported("cannot compact ", state.location.path, ": its index '", index.name,
                         "' keeps account of rows that move, which is not supported yet");
    }
    IndexCoverage& each = coverage.emplace_back();
    each.name = index.name;
    each.holds_addresses = !HasStableRowIds(state.manifest) || index.answers_addresses();
    if (index.fragments) {
      each.fragments = *std::move(index.fragments);
    } else {
      // Nobody knows: it may be all of them.
      ARROW_RETURN_NOT_OK(each.fragments.Add(0, int64_t{1} << 32));
    }
  }
  return coverage;
}

}  // namespace tusk::lance
