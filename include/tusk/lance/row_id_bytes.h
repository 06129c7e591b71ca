#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::lance {

// Stable row ids of a fragment's rows, in order, as the bytes that fragments carry them in
// (docs/format/lance_table.md).

/// Runs of ids that follow each other take no more room than one id.
TUSK_EXPORT std::string EncodeRowIds(std::span<const uint64_t> ids);
/// The ids [first, first + count).
TUSK_EXPORT std::string EncodeRowIdRange(uint64_t first, uint64_t count);

/// How many ids `bytes` hold. Corrupt if they are no sequence of row ids.
TUSK_EXPORT Result<int64_t> CountRowIds(std::string_view bytes);
/// The ids, 8 bytes each. Corrupt as CountRowIds; InvalidArgument for more than a fragment may have
/// rows.
TUSK_EXPORT Result<std::vector<uint64_t>> DecodeRowIds(std::string_view bytes);

}  // namespace tusk::lance
