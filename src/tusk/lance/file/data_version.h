#pragma once

#include <cstdint>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk::lance {

/// The minor number of the data version that a writer is asked for by `name`, in any case: 1 for
/// "2.1", 2 for "2.2" and "stable". Unsupported for other versions that there are ("0.1", "legacy",
/// "2.0", "0.3", "2.3", "next"); InvalidArgument for every other text.
Result<uint16_t> ParseDataVersion(std::string_view name);

}  // namespace tusk::lance
