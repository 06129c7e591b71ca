#pragma once

#include <cstdint>

namespace tusk::lance {

// What stands in a data file's list of fields beside ids of the schema.

/// There was a field, which is gone or in another file now. Ids below are hidden columns.
constexpr int32_t kTombstone = -2;
/// The row ids, and the versions in which rows were made and last changed.
constexpr int32_t kRowIdField = -3;
constexpr int32_t kCreatedAtField = -4;
constexpr int32_t kLastUpdatedAtField = -5;

}  // namespace tusk::lance
