// Geometries made of numbers, and what they are made of.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/shape.h"
#include "tusk/expr/shape_kernel.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
using ShapeList = std::vector<Shape>;

// What geometries are made of.

/// A number of a point: its x, y, z or m; null if it has none.
Result<NodePtr> Ordinate(const Binder& binder, const Call& call, char name) {
  ARROW_ASSIGN_OR_RAISE(const ShapeLayout layout, LayoutOf(binder, call.arguments[0]));
  const bool may_be_point = layout == ShapeLayout::kPoint || layout == ShapeLayout::kBytes ||
                            layout == ShapeLayout::kText;
  if (!may_be_point) return binder.Error(call.arguments[0]->span, "a point is expected here");
  return OfShapes<arrow::DoubleBuilder>(
      binder, call, 1, arrow::float64(),
      [name](const ShapeList& shapes, arrow::DoubleBuilder* builder) -> Status {
        const Shape& point = shapes[0];
        if (point.kind != Shape::Kind::kPoint) {
          return InvalidArgument("a ", NameOfKind(point.kind), " is no point");
        }
        const bool is_there =
            !point.points.empty() && (name == 'x' || name == 'y' || (name == 'z' && point.has_z) ||
                                      (name == 'm' && point.has_m));
        if (!is_there) return builder->AppendNull();
        const size_t place = name == 'x' ? 0 : name == 'y' ? 1 : name == 'm' && point.has_z ? 3 : 2;
        return builder->Append(point.points[0].values[place]);
      });
}
Result<NodePtr> BindX(const Binder& binder, const Call& call) {
  return Ordinate(binder, call, 'x');
}
Result<NodePtr> BindY(const Binder& binder, const Call& call) {
  return Ordinate(binder, call, 'y');
}
Result<NodePtr> BindZ(const Binder& binder, const Call& call) {
  return Ordinate(binder, call, 'z');
}
Result<NodePtr> BindM(const Binder& binder, const Call& call) {
  return Ordinate(binder, call, 'm');
}

/// The least or greatest of the numbers at a place; infinite of what is empty.
template <size_t place, bool is_greatest>
Result<NodePtr> BindBound(const Binder& binder, const Call& call) {
  return OfShapes<arrow::DoubleBuilder>(
      binder, call, 1, arrow::float64(),
      [](const ShapeList& shapes, arrow::DoubleBuilder* builder) -> Status {
        if (place == 2 && !shapes[0].has_z) return builder->AppendNull();
        double bound = std::numeric_limits<double>::infinity() * (is_greatest ? -1 : 1);
        VisitPositions(shapes[0], [&](const Position& position) {
          const double value = position.values[place];
          bound = is_greatest ? std::max(bound, value) : std::min(bound, value);
        });
        return builder->Append(bound);
      });
}

Result<NodePtr> BindNumPoints(const Binder& binder, const Call& call) {
  return OfShapes<arrow::UInt32Builder>(
      binder, call, 1, arrow::uint32(), [](const ShapeList& shapes, arrow::UInt32Builder* builder) {
        return builder->Append(static_cast<uint32_t>(shapes[0].CountPoints()));
      });
}

Result<NodePtr> BindNumInteriorRings(const Binder& binder, const Call& call) {
  return OfShapes<arrow::UInt32Builder>(
      binder, call, 1, arrow::uint32(), [](const ShapeList& shapes, arrow::UInt32Builder* builder) {
        if (shapes[0].kind != Shape::Kind::kPolygon) return builder->AppendNull();
        return builder->Append(
            static_cast<uint32_t>(std::max<size_t>(shapes[0].rings.size(), 1) - 1));
      });
}

Result<NodePtr> BindDimensions(const Binder& binder, const Call& call) {
  return OfShapes<arrow::UInt8Builder>(
      binder, call, 1, arrow::uint8(), [](const ShapeList& shapes, arrow::UInt8Builder* builder) {
        return builder->Append(static_cast<uint8_t>(shapes[0].dimensions()));
      });
}

Result<NodePtr> BindIsEmpty(const Binder& binder, const Call& call) {
  return OfShapes<arrow::BooleanBuilder>(
      binder, call, 1, arrow::boolean(),
      [](const ShapeList& shapes, arrow::BooleanBuilder* builder) {
        return builder->Append(shapes[0].IsEmpty());
      });
}

/// Whether its lines end where they begin.
bool IsClosed(const Shape& shape) {
  if (shape.kind == Shape::Kind::kLineString) {
    return !shape.points.empty() && shape.points.front() == shape.points.back();
  }
  return std::ranges::all_of(shape.parts, IsClosed);
}

Result<NodePtr> BindIsClosed(const Binder& binder, const Call& call) {
  return OfShapes<arrow::BooleanBuilder>(
      binder, call, 1, arrow::boolean(),
      [](const ShapeList& shapes, arrow::BooleanBuilder* builder) {
        return builder->Append(IsClosed(shapes[0]));
      });
}

/// POLYGON, or ST_Polygon.
Result<NodePtr> KindName(const Binder& binder, const Call& call, bool is_capital) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "ST_Point",           "ST_LineString",   "ST_Polygon",           "ST_MultiPoint",
      "ST_MultiLineString", "ST_MultiPolygon", "ST_GeometryCollection"};
  return OfShapes<arrow::StringBuilder>(
      binder, call, 1, arrow::utf8(),
      [is_capital](const ShapeList& shapes, arrow::StringBuilder* builder) {
        const auto kind = shapes[0].kind;
        return builder->Append(is_capital ? NameOfKind(kind)
                                          : kNames[static_cast<size_t>(kind) - 1]);
      });
}
Result<NodePtr> BindGeometryType(const Binder& binder, const Call& call) {
  return KindName(binder, call, /*is_capital=*/true);
}
Result<NodePtr> BindStGeometryType(const Binder& binder, const Call& call) {
  return KindName(binder, call, /*is_capital=*/false);
}

using Points = ShapeBuilderOf<ShapeLayout::kPoint>;

/// The first or last point of a line; null of all else.
Result<NodePtr> EndPoint(const Binder& binder, const Call& call, bool is_first) {
  return ShapesOfShapes<Points>(binder, call, [is_first](const ShapeList& shapes, Points* builder) {
    const Shape& line = shapes[0];
    if (line.kind != Shape::Kind::kLineString || line.points.empty()) {
      return builder->AppendNull();
    }
    return builder->Append(Shape{.points = {is_first ? line.points.front() : line.points.back()}});
  });
}
Result<NodePtr> BindStartPoint(const Binder& binder, const Call& call) {
  return EndPoint(binder, call, /*is_first=*/true);
}
Result<NodePtr> BindEndPoint(const Binder& binder, const Call& call) {
  return EndPoint(binder, call, /*is_first=*/false);
}

template <bool has_z>
Result<NodePtr> BindBox(const Binder& binder, const Call& call) {
  using Boxes = ShapeBuilderOf<ShapeLayout::kBox, has_z>;
  return ShapesOfShapes<Boxes>(binder, call, [](const ShapeList& shapes, Boxes* builder) -> Status {
    if (has_z && !shapes[0].has_z) {
      return InvalidArgument("a geometry of x and y has no box of three dimensions");
    }
    return builder->Append(shapes[0]);
  });
}

// Geometries made of others.

/// The box whose corners two points are.
template <bool has_z>
Result<NodePtr> BindMakeBox(const Binder& binder, const Call& call) {
  using Boxes = ShapeBuilderOf<ShapeLayout::kBox, has_z>;
  const ShapeType type = Boxes::type();
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr boxes,
      OfShapes<Boxes>(binder, call, 2, type.ToArrow(),
                      [](const ShapeList& shapes, Boxes* builder) -> Status {
                        Shape corners{.kind = Shape::Kind::kLineString, .has_z = has_z};
                        for (const Shape& point : shapes) {
                          if (point.kind != Shape::Kind::kPoint || point.points.empty()) {
                            return InvalidArgument("the corners of a box are points");
                          }
                          corners.points.push_back(point.points[0]);
                        }
                        return builder->Append(std::move(corners));
                      }));
  return WithExtension(boxes, type);
}

/// A struct of the numbers, with their names; null where one is.
Result<NodePtr> MakePoint(const Binder& binder, const Call& call, size_t count, bool has_z,
                          bool has_m, const std::string& metadata) {
  const ShapeType type{.layout = ShapeLayout::kPoint, .has_z = has_z, .has_m = has_m};
  std::vector<NodePtr> numbers;
  for (size_t i = 0; i < count; ++i) {
    const NodePtr& argument = call.arguments[i];
    if (!IsNumber(*argument->type) && argument->type->id() != arrow::Type::NA) {
      return binder.Error(argument->span, "a number is expected here");
    }
    ARROW_ASSIGN_OR_RAISE(numbers.emplace_back(),
                          argument->literal
                              ? binder.Widen(argument, arrow::float64())
                              : binder.Cast(argument->span, argument, arrow::float64(), false));
  }
  Kernel kernel = [type](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    std::vector<Values<double>> columns;
    for (const Datum& value : values) {
      ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(value, evaluation.context->pool));
      columns.emplace_back(std::move(operand));
    }
    const int64_t rows = RowsOf(values, evaluation.length());
    std::vector<std::optional<Shape>> points(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) {
      const auto is_null = [row](const Values<double>& one) { return one.IsNull(row); };
      if (std::ranges::any_of(columns, is_null)) continue;
      Position position;
      for (size_t i = 0; i < columns.size(); ++i) position.values[i] = columns[i][row];
      points[static_cast<size_t>(row)] = Shape{.points = {position}};
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, ToArray(points, type, evaluation.context->pool));
    return ToResult(array, std::ranges::all_of(values, &Datum::is_scalar));
  };
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr points,
      binder.MakeCall(call.span, type.ToArrow(), std::move(numbers), std::move(kernel)));
  return WithExtension(points, type, metadata);
}

/// The number of a reference system behind `count` numbers, as metadata of geoarrow.
Result<std::string> ReferenceOf(const Binder& binder, const Call& call, size_t count) {
  if (call.arguments.size() == count) return std::string();
  ARROW_ASSIGN_OR_RAISE(const NodePtr number, AsInteger(binder, call.arguments[count]));
  if (number->kind != NodeKind::kLiteral || !number->value->is_valid) {
    return binder.Error(number->span, "the number of a reference system must be a constant");
  }
  const int64_t code = static_cast<const arrow::Int64Scalar&>(*number->value).value;
  return R"({"crs":"EPSG:)" + std::to_string(code) + R"(","crs_type":"authority_code"})";
}

template <size_t count, bool has_z, bool has_m>
Result<NodePtr> BindPoint(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const std::string metadata, ReferenceOf(binder, call, count));
  return MakePoint(binder, call, count, has_z, has_m, metadata);
}

/// Of two, three or four numbers.
Result<NodePtr> BindMakePoint(const Binder& binder, const Call& call) {
  const size_t count = call.arguments.size();
  return MakePoint(binder, call, count, count > 2, count > 3, "");
}

constexpr std::array kFunctions = {
    FunctionEntry{"st_x", 1, 1, BindX},
    FunctionEntry{"st_y", 1, 1, BindY},
    FunctionEntry{"st_z", 1, 1, BindZ},
    FunctionEntry{"st_m", 1, 1, BindM},
    FunctionEntry{"st_xmin", 1, 1, BindBound<0, false>},
    FunctionEntry{"st_ymin", 1, 1, BindBound<1, false>},
    FunctionEntry{"st_zmin", 1, 1, BindBound<2, false>},
    FunctionEntry{"st_xmax", 1, 1, BindBound<0, true>},
    FunctionEntry{"st_ymax", 1, 1, BindBound<1, true>},
    FunctionEntry{"st_zmax", 1, 1, BindBound<2, true>},
    FunctionEntry{"st_npoints", 1, 1, BindNumPoints},
    FunctionEntry{"st_numpoints", 1, 1, BindNumPoints},
    FunctionEntry{"st_numinteriorrings", 1, 1, BindNumInteriorRings},
    FunctionEntry{"st_numinteriorring", 1, 1, BindNumInteriorRings},
    FunctionEntry{"st_ndims", 1, 1, BindDimensions},
    FunctionEntry{"st_coorddim", 1, 1, BindDimensions},
    FunctionEntry{"st_isempty", 1, 1, BindIsEmpty},
    FunctionEntry{"st_isclosed", 1, 1, BindIsClosed},
    FunctionEntry{"geometrytype", 1, 1, BindGeometryType},
    FunctionEntry{"st_geometrytype", 1, 1, BindStGeometryType},
    FunctionEntry{"st_startpoint", 1, 1, BindStartPoint},
    FunctionEntry{"st_endpoint", 1, 1, BindEndPoint},
    FunctionEntry{"box2d", 1, 1, BindBox<false>},
    FunctionEntry{"box3d", 1, 1, BindBox<true>},
    FunctionEntry{"st_makebox2d", 2, 2, BindMakeBox<false>},
    FunctionEntry{"st_3dmakebox", 2, 2, BindMakeBox<true>},
    FunctionEntry{"st_point", 2, 3, BindPoint<2, false, false>},
    FunctionEntry{"st_pointz", 3, 4, BindPoint<3, true, false>},
    FunctionEntry{"st_pointm", 3, 4, BindPoint<3, false, true>},
    FunctionEntry{"st_pointzm", 4, 5, BindPoint<4, true, true>},
    FunctionEntry{"st_makepoint", 2, 4, BindMakePoint},
    FunctionEntry{"st_makepointm", 3, 3, BindPoint<3, false, true>},
};

}  // namespace

std::span<const FunctionEntry> GeometryShapeFunctions() { return kFunctions; }

}  // namespace tusk::expr
