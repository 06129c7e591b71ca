#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// Whether `type` is a list or large_list, whose items are those from an offset to the next.
bool IsListOfItems(const arrow::DataType& type);

/// `lists`, of such a type, with the items of its rows alone: its first row has the first of them,
/// its last row the last. The items of null rows stay.
Result<std::shared_ptr<arrow::ArrayData>> TrimItems(const std::shared_ptr<arrow::ArrayData>& lists,
                                                    arrow::MemoryPool* pool);

/// Trimmed lists with others in the place of their items, one for each.
std::shared_ptr<arrow::ArrayData> WithItems(const arrow::ArrayData& lists,
                                            std::shared_ptr<arrow::ArrayData> items);

}  // namespace tusk::lance
