#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>
#include <nanobind/nanobind.h>

#include "call.h"

#include "tusk/expr/filter.h"

namespace tusk::python {

/// A batch on its way to Python by the Arrow C data interface.
struct ArrowBatch {
  std::shared_ptr<arrow::RecordBatch> batch;
};

/// Batches on their way to Python, one by one or by the Arrow C stream interface, once.
class ArrowStream {
 public:
  /// `call` is what `reader` reads with; it lives as long as the reader. Each batch is read without
  /// the GIL and can be interrupted.
  ArrowStream(std::shared_ptr<arrow::RecordBatchReader> reader, std::shared_ptr<Call> call);
  explicit ArrowStream(const std::shared_ptr<arrow::Table>& table);

  /// The PyCapsule that `__arrow_c_stream__` gives.
  nb::object ToCapsule();
  /// The next batch; StopIteration after the last.
  ArrowBatch Next();
  /// All that is left, read at once.
  ArrowStream ReadAll();

 private:
  std::shared_ptr<Call> call_;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
};

/// A schema on its way to Python.
struct ArrowSchemaValue {
  std::shared_ptr<arrow::Schema> schema;
};

/// Takes the batches of any object with `__arrow_c_stream__`. TypeError if it has none.
std::shared_ptr<arrow::RecordBatchReader> ImportStream(const nb::object& object);

/// Takes the schema of any object with `__arrow_c_schema__`; null for None. TypeError if it has
/// none.
std::shared_ptr<arrow::Schema> ImportSchema(const nb::object& object);

/// The filter as SQL text (str) or in Arrow's serialization (bytes); null for None. TypeError for
/// other objects.
std::shared_ptr<const expr::Filter> ImportFilter(const nb::object& filter);

/// The classes ArrowStream and ArrowSchema, filter_columns and apply_filter.
void BindArrowData(nb::module_& module);

}  // namespace tusk::python
