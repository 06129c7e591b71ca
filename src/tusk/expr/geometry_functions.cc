// How geometries lie to each other, and what they measure.
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/type.h>

#include "tusk/expr/function.h"
#include "tusk/expr/geometry_engine.h"
#include "tusk/expr/shape.h"
#include "tusk/expr/shape_kernel.h"
#include "tusk/expr/simplify_line.h"

namespace tusk::expr {
namespace {

using ShapePair = std::vector<Shape>;

/// An engine that is started when it is first used. Copies begin without one.
class LazyEngine {
 public:
  LazyEngine() = default;
  LazyEngine(const LazyEngine&) {}
  LazyEngine& operator=(const LazyEngine&) = delete;
  LazyEngine(LazyEngine&&) = default;
  LazyEngine& operator=(LazyEngine&&) = default;
  ~LazyEngine() = default;

  Result<GeometryEngine*> Get() {
    if (engine_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(engine_, GeometryEngine::Make());
    }
    return engine_.get();
  }

 private:
  std::unique_ptr<GeometryEngine> engine_;
};

template <Relation relation>
Result<NodePtr> BindRelation(const Binder& binder, const Call& call) {
  return OfShapes<arrow::BooleanBuilder>(
      binder, call, 2, arrow::boolean(),
      [lazy = LazyEngine()](const ShapePair& shapes,
                            arrow::BooleanBuilder* builder) mutable -> Status {
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(const bool holds, engine->Test(relation, shapes[0], shapes[1]));
        return builder->Append(holds);
      });
}

Result<NodePtr> BindDistance(const Binder& binder, const Call& call) {
  return OfShapes<arrow::DoubleBuilder>(
      binder, call, 2, arrow::float64(),
      [lazy = LazyEngine()](const ShapePair& shapes,
                            arrow::DoubleBuilder* builder) mutable -> Status {
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(const auto distance, engine->Distance(shapes[0], shapes[1]));
        return distance ? builder->Append(*distance) : builder->AppendNull();
      });
}

/// Twice the area on the left of a ring.
double TwiceArea(const std::vector<Position>& ring) {
  double sum = 0;
  // From the first position on, so that digits are not lost far from the origin.
  for (size_t i = 1; i + 1 < ring.size(); ++i) {
    const double ax = ring[i].x() - ring[0].x();
    const double ay = ring[i].y() - ring[0].y();
    const double bx = ring[i + 1].x() - ring[0].x();
    const double by = ring[i + 1].y() - ring[0].y();
    sum += ax * by - bx * ay;
  }
  return sum;
}

double AreaOf(const Shape& shape) {
  double area = 0;
  for (size_t i = 0; i < shape.rings.size(); ++i) {
    const double ring = std::abs(TwiceArea(shape.rings[i])) / 2;
    area += i == 0 ? ring : -ring;
  }
  for (const Shape& part : shape.parts) area += AreaOf(part);
  return area;
}

Result<NodePtr> BindArea(const Binder& binder, const Call& call) {
  return OfShapes<arrow::DoubleBuilder>(binder, call, 1, arrow::float64(),
                                        [](const ShapePair& shapes, arrow::DoubleBuilder* builder) {
                                          return builder->Append(AreaOf(shapes[0]));
                                        });
}

/// Of lines; polygons have none.
double LengthOf(const Shape& shape) {
  double length = 0;
  for (size_t i = 1; i < shape.points.size(); ++i) {
    length += std::hypot(shape.points[i].x() - shape.points[i - 1].x(),
                         shape.points[i].y() - shape.points[i - 1].y());
  }
  for (const Shape& part : shape.parts) length += LengthOf(part);
  return length;
}

Result<NodePtr> BindLength(const Binder& binder, const Call& call) {
  return OfShapes<arrow::DoubleBuilder>(binder, call, 1, arrow::float64(),
                                        [](const ShapePair& shapes, arrow::DoubleBuilder* builder) {
                                          return builder->Append(LengthOf(shapes[0]));
                                        });
}

Result<NodePtr> BindIsValid(const Binder& binder, const Call& call) {
  return OfShapes<arrow::BooleanBuilder>(
      binder, call, 1, arrow::boolean(),
      [lazy = LazyEngine()](const ShapePair& shapes,
                            arrow::BooleanBuilder* builder) mutable -> Status {
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(const auto fault, engine->FindFault(shapes[0]));
        return builder->Append(!fault.has_value());
      });
}

Result<NodePtr> BindIsValidReason(const Binder& binder, const Call& call) {
  return OfShapes<arrow::StringBuilder>(
      binder, call, 1, arrow::utf8(),
      [lazy = LazyEngine()](const ShapePair& shapes,
                            arrow::StringBuilder* builder) mutable -> Status {
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(const auto fault, engine->FindFault(shapes[0]));
        return builder->Append(fault.value_or("Valid Geometry"));
      });
}

using Points = ShapeBuilderOf<ShapeLayout::kPoint>;
using Polygons = ShapeBuilderOf<ShapeLayout::kPolygon>;

/// A point that an engine makes; null of what is empty.
template <Result<Shape> (GeometryEngine::*function)(const Shape&)>
Result<NodePtr> BindPointOf(const Binder& binder, const Call& call) {
  return ShapesOfShapes<Points>(
      binder, call,
      [lazy = LazyEngine()](const ShapePair& shapes, Points* builder) mutable -> Status {
        if (shapes[0].IsEmpty()) return builder->AppendNull();
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(Shape point, (engine->*function)(shapes[0]));
        return point.IsEmpty() ? builder->AppendNull() : builder->Append(std::move(point));
      });
}

/// A polygon, be it one of a point or a line only.
Shape AsPolygon(Shape shape) {
  if (shape.kind == Shape::Kind::kPolygon) return shape;
  Shape polygon{.kind = Shape::Kind::kPolygon};
  std::vector<Position> ring;
  VisitPositions(shape, [&](const Position& position) { ring.push_back(position); });
  if (ring.empty()) return polygon;
  ring.push_back(ring.front());
  polygon.rings.push_back(std::move(ring));
  return polygon;
}

template <Result<Shape> (GeometryEngine::*function)(const Shape&)>
Result<NodePtr> BindPolygonOf(const Binder& binder, const Call& call) {
  return ShapesOfShapes<Polygons>(
      binder, call,
      [lazy = LazyEngine()](const ShapePair& shapes, Polygons* builder) mutable -> Status {
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(Shape polygon, (engine->*function)(shapes[0]));
        return builder->Append(AsPolygon(std::move(polygon)));
      });
}

Result<double> ConstantTolerance(const Binder& binder, const NodePtr& node) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr number,
                        binder.Cast(node->span, node, arrow::float64(), /*is_try=*/false));
  if (number->kind == NodeKind::kLiteral && number->value->is_valid) {
    return static_cast<const arrow::DoubleScalar&>(*number->value).value;
  }
  return binder.Error(node->span, "a number that is a constant is expected here");
}

/// How lines and rings are made simple.
enum class Simplification { kDistance, kTopology, kArea };

Shape SimplifyAreas(Shape shape, double tolerance) {
  if (shape.kind == Shape::Kind::kLineString) {
    shape.points = SimplifyByArea(shape.points, tolerance);
  }
  for (auto& ring : shape.rings) ring = SimplifyByArea(ring, tolerance);
  for (Shape& part : shape.parts) part = SimplifyAreas(std::move(part), tolerance);
  return shape;
}

template <typename Builder>
Result<NodePtr> SimplifyAs(const Binder& binder, const Call& call, double tolerance,
                           Simplification simplification) {
  return ShapesOfShapes<Builder>(
      binder, call,
      [lazy = LazyEngine(), tolerance, simplification](const ShapePair& shapes,
                                                       Builder* builder) mutable -> Status {
        if (shapes[0].IsEmpty()) return builder->Append(shapes[0]);
        if (simplification == Simplification::kArea) {
          return builder->Append(SimplifyAreas(shapes[0], tolerance));
        }
        ARROW_ASSIGN_OR_RAISE(GeometryEngine * engine, lazy.Get());
        ARROW_ASSIGN_OR_RAISE(
            Shape simple,
            engine->Simplify(shapes[0], tolerance, simplification == Simplification::kTopology));
        return builder->Append(std::move(simple));
      });
}

/// Lines and polygons stay of their type; all else becomes well-known bytes.
template <Simplification simplification>
Result<NodePtr> BindSimplify(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const double tolerance, ConstantTolerance(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(const ShapeLayout layout, LayoutOf(binder, call.arguments[0]));
  if (layout == ShapeLayout::kLineString) {
    return SimplifyAs<ShapeBuilderOf<ShapeLayout::kLineString>>(binder, call, tolerance,
                                                                simplification);
  }
  if (layout == ShapeLayout::kPolygon) {
    return SimplifyAs<Polygons>(binder, call, tolerance, simplification);
  }
  return SimplifyAs<ShapeBuilderOf<ShapeLayout::kBytes>>(binder, call, tolerance, simplification);
}

constexpr std::array kFunctions = {
    FunctionEntry{"st_intersects", 2, 2, BindRelation<Relation::kIntersects>},
    FunctionEntry{"st_contains", 2, 2, BindRelation<Relation::kContains>},
    FunctionEntry{"st_within", 2, 2, BindRelation<Relation::kWithin>},
    FunctionEntry{"st_covers", 2, 2, BindRelation<Relation::kCovers>},
    FunctionEntry{"st_coveredby", 2, 2, BindRelation<Relation::kCoveredBy>},
    FunctionEntry{"st_disjoint", 2, 2, BindRelation<Relation::kDisjoint>},
    FunctionEntry{"st_touches", 2, 2, BindRelation<Relation::kTouches>},
    FunctionEntry{"st_crosses", 2, 2, BindRelation<Relation::kCrosses>},
    FunctionEntry{"st_overlaps", 2, 2, BindRelation<Relation::kOverlaps>},
    FunctionEntry{"st_equals", 2, 2, BindRelation<Relation::kEquals>},
    FunctionEntry{"st_distance", 2, 2, BindDistance},
    FunctionEntry{"st_area", 1, 1, BindArea},
    FunctionEntry{"st_length", 1, 1, BindLength},
    FunctionEntry{"st_length2d", 1, 1, BindLength},
    FunctionEntry{"st_isvalid", 1, 1, BindIsValid},
    FunctionEntry{"st_isvalidreason", 1, 1, BindIsValidReason},
    FunctionEntry{"st_centroid", 1, 1, BindPointOf<&GeometryEngine::Centroid>},
    FunctionEntry{"st_pointonsurface", 1, 1, BindPointOf<&GeometryEngine::PointOnSurface>},
    FunctionEntry{"st_convexhull", 1, 1, BindPolygonOf<&GeometryEngine::ConvexHull>},
    FunctionEntry{"st_orientedenvelope", 1, 1, BindPolygonOf<&GeometryEngine::OrientedEnvelope>},
    FunctionEntry{"st_simplify", 2, 2, BindSimplify<Simplification::kDistance>},
    FunctionEntry{"st_simplifypreservetopology", 2, 2, BindSimplify<Simplification::kTopology>},
    FunctionEntry{"st_simplifyvw", 2, 2, BindSimplify<Simplification::kArea>},
};

}  // namespace

std::span<const FunctionEntry> GeometryFunctions() { return kFunctions; }

}  // namespace tusk::expr
