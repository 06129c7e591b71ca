#pragma once

#include <nanobind/nanobind.h>

namespace tusk::python {

// What goes with an open Lance table, one per public header.
void BindLanceBaseTargets(nanobind::module_& module);
void BindLanceRowIdBytes(nanobind::module_& module);
void BindLanceSchemaJson(nanobind::module_& module);
void BindLanceSession(nanobind::module_& module);
void BindLanceTableFiles(nanobind::module_& module);

}  // namespace tusk::python
