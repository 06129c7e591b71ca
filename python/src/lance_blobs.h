#pragma once

#include <nanobind/nanobind.h>

namespace tusk::python {

/// Blobs of Lance tables: include/tusk/lance/blob.h.
void BindLanceBlobs(nanobind::module_& module);

}  // namespace tusk::python
