#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Bits of a manifest's two feature words. Source: docs/format/lance_table.md, "Feature flags".
enum FeatureFlag : uint64_t {
  kFlagDeletionFiles = uint64_t{1} << 0,
  kFlagStableRowIds = uint64_t{1} << 1,
  kFlagUseV2Format = uint64_t{1} << 2,  ///< no longer means anything
  kFlagTableConfig = uint64_t{1} << 3,
  kFlagBasePaths = uint64_t{1} << 4,
  kFlagNoTransactionFile = uint64_t{1} << 5,
  kFlagDataOverlays = uint64_t{1} << 6,
  kFlagCoveringIndexColumns = uint64_t{1} << 7,
  kFlagMixedDataVersions = uint64_t{1} << 8,
  kFlagFragmentReuseWithStableRowIds = uint64_t{1} << 9,
  kFlagFragmentReuseIndex = uint64_t{1} << 10,
  kFlagSpilledRowLineage = uint64_t{1} << 11,
  kFlagFragmentTree = uint64_t{1} << 12,
  kFlagIndependentCoveringFields = uint64_t{1} << 13,
  kFlagManagedBlobs = uint64_t{1} << 14,
  kFlagNonReusableFieldIds = uint64_t{1} << 15,
  kFlagZoneWriteSeeds = uint64_t{1} << 16,
  kFlagObjectMetadata = uint64_t{1} << 17,
};

bool HasStableRowIds(const Manifest& manifest);

/// Unsupported, naming the features, if the table needs something to be read that is not covered.
Status CheckReadable(const Manifest& manifest);

/// The same for adding a version to the table.
Status CheckWritable(const Manifest& manifest);

}  // namespace tusk::lance
