// Accounts of moved rows of any bytes: what is read is written and read again, and rows that moved
// are found in the fragments that they moved into, each in another place.

#include <algorithm>
#include <set>
#include <string>

#include "tusk/lance/table/fragment_reuse.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

/// Of one compaction alone, so that no other one moves its rows again.
void CheckMoves(const FragmentReuse::Version& version) {
  const auto rows = MovedRows::Make({.versions = {version}});
  if (!rows.ok()) {
    RequireRefusal(rows.status());
    return;
  }
  for (const FragmentReuse::Group& group : version.groups) {
    const auto moved = ParseAddresses(group.moved);
    Require(moved.status(), "rows that are found were read");
    std::set<uint64_t> found;
    for (const auto& [fragment, offsets] : *moved) {
      for (const DeletedRows::Run& run : offsets.runs()) {
        for (const int64_t offset : {run.begin, run.end - 1}) {
          const auto address = rows->Find(fragment << 32 | static_cast<uint64_t>(offset));
          Require(address.has_value(), "a row that moved is found");
          const bool is_new = found.insert(*address).second;
          Require(is_new || run.begin == run.end - 1, "rows move to places of their own");
          const auto target = std::ranges::find_if(group.after, [&](const auto& digest) {
            return digest.id == *address >> 32 && (*address & 0xFFFFFFFF) < digest.physical_rows;
          });
          Require(target != group.after.end(), "a row is in a fragment that rows moved into");
        }
        if (run.begin > 0 && !offsets.Contains(run.begin - 1)) {
          const auto gone = static_cast<uint64_t>(run.begin - 1);
          Require(!rows->Find(fragment << 32 | gone), "a row that did not move was deleted");
        }
      }
    }
  }
}

void Check(std::string_view bytes) {
  const auto reuse = ParseFragmentReuse(bytes);
  if (!reuse.ok()) {
    RequireRefusal(reuse.status());
    return;
  }
  const std::string written = SerializeFragmentReuse(*reuse);
  const auto again = ParseFragmentReuse(written);
  Require(again.status(), "what is written is read");
  Require(SerializeFragmentReuse(*again) == written, "what is read again is the same");
  for (const FragmentReuse::Version& version : reuse->versions) CheckMoves(version);
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tusk::lance::Check(tusk::AsText({data, size}));
  return 0;
}
