#include "tusk/base/operation_context.h"

#include <arrow/memory_pool.h>

namespace tusk {

OperationContext::OperationContext()
    : pool(arrow::default_memory_pool()), executor(DefaultExecutor()) {}

Status OperationContext::CheckStop() const {
  return stop.stop_requested() ? Cancelled("operation was cancelled") : Status::OK();
}

}  // namespace tusk
