#include "tusk/lance/table/feature_flags.h"

#include <array>
#include <bit>
#include <string>
#include <string_view>

namespace tusk::lance {
namespace {

/// Features that change nothing for a reader of rows who asks no index. Files that another version
/// wrote are refused one by one, where they are opened.
constexpr uint64_t kReadable = kFlagDeletionFiles | kFlagStableRowIds | kFlagUseV2Format |
                               kFlagTableConfig | kFlagBasePaths | kFlagNoTransactionFile |
                               kFlagCoveringIndexColumns | kFlagMixedDataVersions |
                               kFlagFragmentReuseIndex | kFlagSpilledRowLineage;

/// Features that commits keep right, or keep by carrying what they do not change.
constexpr uint64_t kWritable = kFlagDeletionFiles | kFlagStableRowIds | kFlagUseV2Format |
                               kFlagTableConfig | kFlagBasePaths | kFlagNoTransactionFile |
                               kFlagCoveringIndexColumns | kFlagMixedDataVersions |
                               kFlagSpilledRowLineage;

constexpr std::array<std::string_view, 18> kNames = {"deletion files",
                                                     "stable row ids",
                                                     "V2 format",
                                                     "table config",
                                                     "base paths",
                                                     "no transaction files",
                                                     "data overlay files",
                                                     "covering index columns",
                                                     "mixed data file versions",
                                                     "fragment reuse with stable row ids",
                                                     "tagged fragment reuse index",
                                                     "spilled row lineage",
                                                     "fragment tree",
                                                     "independent covering fields",
                                                     "managed blobs",
                                                     "non-reusable field ids",
                                                     "zone write seeds",
                                                     "object metadata"};

Status Refuse(std::string_view verb, uint64_t version, uint64_t flags) {
  std::string names;
  while (flags != 0) {
    const int bit = std::countr_zero(flags);
    flags &= flags - 1;
    if (!names.empty()) names += ", ";
    names += "bit " + std::to_string(bit) + " (";
    names += static_cast<size_t>(bit) < kNames.size() ? kNames[bit] : "unknown to this build";
    names += ")";
  }
  return Unsupported("cannot ", verb, " version ", version,
                     " of the table: it uses features that are not supported yet: ", names);
}

}  // namespace

bool HasStableRowIds(const Manifest& manifest) {
  return (manifest.reader_flags & kFlagStableRowIds) != 0;
}

Status CheckReadable(const Manifest& manifest) {
  const uint64_t unknown = manifest.reader_flags & ~kReadable;
  return unknown == 0 ? Status::OK() : Refuse("read", manifest.version, unknown);
}

Status CheckWritable(const Manifest& manifest) {
  ARROW_RETURN_NOT_OK(CheckReadable(manifest));
  const uint64_t unknown = manifest.writer_flags & ~kWritable;
  return unknown == 0 ? Status::OK() : Refuse("write", manifest.version, unknown);
}

}  // namespace tusk::lance
