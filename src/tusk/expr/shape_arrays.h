#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/datum.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/node.h"
#include "tusk/expr/shape.h"

namespace tusk::expr {

/// How an array keeps geometries.
enum class ShapeLayout {
  kPoint,            ///< struct of x, y, z, m, or fixed_size_list of them
  kLineString,       ///< list of positions
  kPolygon,          ///< list of rings, which are lists of positions
  kMultiPoint,       ///< list of positions
  kMultiLineString,  ///< list of lists of positions
  kMultiPolygon,     ///< list of polygons
  kBox,              ///< struct of xmin, ymin, [zmin,] xmax, ymax, [zmax]
  kBytes,            ///< well-known bytes
  kText,             ///< well-known text
};

/// The layout of the geometries that `node` gives: by its extension type of geoarrow; without one,
/// structs of x and y are points, bytes well-known bytes and texts well-known texts.
/// InvalidArgument, with the place, for what is no geometry.
Result<ShapeLayout> LayoutOf(const Binder& binder, const NodePtr& node);

/// The geometries of an argument, one for each row.
class Shapes {
 public:
  static Result<Shapes> Make(const arrow::Datum& datum, ShapeLayout layout,
                             const Evaluation& evaluation);

  bool is_scalar() const { return operand_.is_scalar(); }
  bool IsNull(int64_t row) const { return operand_.IsNull(row); }
  /// Of a row that is not null. InvalidArgument for bytes and texts that are none.
  Result<Shape> Read(int64_t row) const;

 private:
  Status TakeCoordinates(const std::shared_ptr<arrow::Array>& array);
  Position At(int64_t i) const;
  Shape Make(Shape::Kind kind) const;
  std::vector<Position> Line(const Lists& lists, int64_t i) const;
  Shape Polygon(const Lists& lists, const Lists& rings, int64_t i) const;
  Shape Box(int64_t i) const;

  Operand operand_;
  ShapeLayout layout_ = ShapeLayout::kPoint;
  std::vector<Lists> levels_;  ///< from the outer-most list to the positions
  std::vector<std::shared_ptr<arrow::Array>> keep_;
  std::vector<const double*> columns_;  ///< of the positions, or of the numbers of boxes
  int64_t stride_ = 1;
  bool has_z_ = false;
  bool has_m_ = false;
};

/// What functions make: the type, and the name of the extension type of geoarrow.
struct ShapeType {
  ShapeLayout layout = ShapeLayout::kBytes;
  bool has_z = false;
  bool has_m = false;
  std::shared_ptr<arrow::DataType> ToArrow() const;
  std::string ExtensionName() const;
};

/// Geometries, or null, as an array of `type`. InvalidArgument for one that it has no place for.
Result<std::shared_ptr<arrow::Array>> ToArray(const std::vector<std::optional<Shape>>& shapes,
                                              const ShapeType& type, arrow::MemoryPool* pool);

/// `node` with the extension type of `type` as its column's metadata; `metadata` is that type's
/// own.
NodePtr WithExtension(const NodePtr& node, const ShapeType& type, const std::string& metadata = "");

}  // namespace tusk::expr
