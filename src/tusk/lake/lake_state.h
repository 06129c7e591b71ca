#pragma once

#include <cstdint>
#include <optional>

#include "tusk/lake/lake.h"
#include "tusk/lake/lake_parts.h"

namespace tusk::lake {

/// What an open lake knows; the operations of the room share it.
struct Lake::State {
  LakeParts parts;
  std::optional<int64_t> at;
};

/// InvalidArgument if the lake is opened at a fixed version; `what` is what it is to be opened for.
Status CheckNewest(const Lake& lake, std::string_view what);

}  // namespace tusk::lake
