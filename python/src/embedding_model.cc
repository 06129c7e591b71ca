// Binds include/tusk/lake/embedding_model.h.
#include "tusk/lake/embedding_model.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "call.h"
#include "module.h"

namespace tusk::python {

void BindEmbeddingModel(nb::module_& module) {
  module.def(
      "embedding_model",
      [](const lake::Lake& lake, std::string_view name) {
        const auto table = OrRaise(catalog::TableName::Parse(name));
        return Call().Run([&](const OperationContext& context) {
          return lake::EmbeddingModel(lake, table, context);
        });
      },
      nb::arg("lake"), nb::arg("name"));
}

}  // namespace tusk::python
