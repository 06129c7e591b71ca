#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>

#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/shape_arrays.h"

namespace tusk::expr {

/// Binds a value of each row of one geometry, or of two: `append(shapes, builder)`, which is called
/// for rows without nulls.
template <typename Builder, typename Append>
Result<NodePtr> OfShapes(const Binder& binder, const Call& call, size_t count,
                         const std::shared_ptr<arrow::DataType>& type, Append append) {
  std::vector<ShapeLayout> layouts;
  std::vector<NodePtr> arguments;
  for (size_t i = 0; i < count; ++i) {
    const NodePtr& argument = call.arguments[i];
    ARROW_ASSIGN_OR_RAISE(layouts.emplace_back(), LayoutOf(binder, argument));
    if (argument->type->id() == arrow::Type::NA) {
      return binder.MakeLiteral(call.span, arrow::MakeNullScalar(type));
    }
    arguments.push_back(argument);
  }
  Kernel kernel = [layouts, append = std::move(append)](
                      const std::vector<arrow::Datum>& values,
                      const Evaluation& evaluation) -> Result<arrow::Datum> {
    std::vector<Shapes> columns;
    for (size_t i = 0; i < values.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(Shapes shapes, Shapes::Make(values[i], layouts[i], evaluation));
      columns.push_back(std::move(shapes));
    }
    Builder builder(evaluation.context->pool);
    // Made anew in each evaluation, so that what it keeps belongs to one thread.
    auto append_row = append;
    std::vector<Shape> shapes(columns.size());
    std::vector<bool> is_read(columns.size(), false);
    const int64_t rows = RowsOf(values, evaluation.length());
    for (int64_t row = 0; row < rows; ++row) {
      if (row % 256 == 0) ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
      if (std::ranges::any_of(columns, [row](const Shapes& one) { return one.IsNull(row); })) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].is_scalar() && is_read[i]) continue;
        ARROW_ASSIGN_OR_RAISE(shapes[i], columns[i].Read(row));
        is_read[i] = true;
      }
      ARROW_RETURN_NOT_OK(append_row(shapes, &builder));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, std::ranges::all_of(values, &arrow::Datum::is_scalar));
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}

/// Collects geometries, or null, where a builder of Arrow would have values.
class ShapeBuilder {
 public:
  explicit ShapeBuilder(arrow::MemoryPool* pool) : pool_(pool) {}
  Status Append(Shape shape) {
    shapes_.emplace_back(std::move(shape));
    return Status::OK();
  }
  Status AppendNull() {
    shapes_.emplace_back();
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(const ShapeType& type) {
    return ToArray(shapes_, type, pool_);
  }

 private:
  arrow::MemoryPool* pool_;
  std::vector<std::optional<Shape>> shapes_;
};

/// A ShapeBuilder of one type.
template <ShapeLayout layout, bool has_z = false, bool has_m = false>
class ShapeBuilderOf : public ShapeBuilder {
 public:
  using ShapeBuilder::ShapeBuilder;
  static ShapeType type() { return {.layout = layout, .has_z = has_z, .has_m = has_m}; }
  Result<std::shared_ptr<arrow::Array>> Finish() { return ShapeBuilder::Finish(type()); }
};

/// Binds a geometry of each row of one geometry.
template <typename Builder, typename Append>
Result<NodePtr> ShapesOfShapes(const Binder& binder, const Call& call, Append append) {
  const ShapeType type = Builder::type();
  ARROW_ASSIGN_OR_RAISE(const NodePtr shapes,
                        (OfShapes<Builder>(binder, call, 1, type.ToArrow(), std::move(append))));
  return WithExtension(shapes, type);
}

}  // namespace tusk::expr
