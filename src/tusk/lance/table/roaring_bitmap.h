#pragma once

#include <string_view>

#include "tusk/base/result.h"
#include "tusk/lance/table/deletion_file.h"

namespace tusk::lance {

/// As ParseRoaringBitmap of one at the front of `bytes`, which is taken from them.
Result<DeletedRows> TakeRoaringBitmap(std::string_view* bytes);

}  // namespace tusk::lance
