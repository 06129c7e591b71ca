#pragma once

#include <memory>

#include "tusk/base/operation_context.h"

namespace tusk::python {

/// Counters of a handle of Python's, which count for the process too, also when the handle is gone.
std::shared_ptr<IoCounters> MakeCounters();

}  // namespace tusk::python
