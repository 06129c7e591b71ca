// Binds include/tusk/lance/schema_json.h.
#include <string_view>

#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include "arrow_data.h"
#include "call.h"
#include "table_modules.h"

#include "tusk/lance/schema_json.h"

namespace tusk::python {

void BindLanceSchemaJson(nb::module_& module) {
  module.def("read_lance_schema", [](std::string_view json) {
    return ArrowSchemaValue{OrRaise(lance::ReadSchemaJson(json))};
  });
}

}  // namespace tusk::python
