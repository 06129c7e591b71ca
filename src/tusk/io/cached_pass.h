#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::io {

/// Whether copying so much out of the page cache takes long enough for a second thread to wake up
/// and take its part.
bool IsWorthThreads(size_t num_reads, int64_t bytes);

/// Calls `read(i)` for the numbers i below `count`, each once, on this thread and on those of the
/// executor that come to help. `read` copies what the page cache has and tells whether that was
/// all. Stops as soon as much of it is missing: waiting for the disk is for one thread that has all
/// of the rest at once. Cancelled by the stop token.
Status TryCached(size_t count, const std::function<bool(size_t)>& read,
                 const OperationContext& context);

}  // namespace tusk::io
