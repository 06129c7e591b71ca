#include "tusk/expr/geometry_engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <geos_c.h>

namespace tusk::expr {
namespace {

struct Destroy {
  GEOSContextHandle_t context;
  void operator()(GEOSGeometry* geometry) const { GEOSGeom_destroy_r(context, geometry); }
};
using GeometryPtr = std::unique_ptr<GEOSGeometry, Destroy>;

}  // namespace

struct GeometryEngine::State {
  GEOSContextHandle_t context = nullptr;
  std::string message;
  /// The last left and right side that was prepared, since one side is often a constant.
  Shape prepared_shape;
  GeometryPtr prepared_geometry{nullptr, Destroy{nullptr}};
  const GEOSPreparedGeometry* prepared = nullptr;

  ~State() {
    if (context == nullptr) return;
    if (prepared != nullptr) GEOSPreparedGeom_destroy_r(context, prepared);
    prepared_geometry.reset();
    GEOS_finish_r(context);
  }

  Status Failed(std::string_view what) {
    std::string said = std::exchange(message, {});
    return InvalidArgument("geometries: ", what, " failed: ", said.empty() ? "GEOS" : said);
  }
  Result<GeometryPtr> Own(GEOSGeometry* geometry, std::string_view what) {
    if (geometry == nullptr) return Failed(what);
    return GeometryPtr(geometry, Destroy{context});
  }

  Result<GEOSCoordSequence*> Sequence(const std::vector<Position>& positions, bool has_z);
  Result<GeometryPtr> Ring(const std::vector<Position>& positions, bool has_z);
  Result<GeometryPtr> ToGeos(const Shape& shape);
  Result<GeometryPtr> PolygonToGeos(const Shape& shape);
  Result<GeometryPtr> PartsToGeos(const Shape& shape);
  Result<std::vector<Position>> PositionsOf(const GEOSGeometry* geometry, bool has_z);
  Result<Shape> FromGeos(const GEOSGeometry* geometry);
  Status PolygonFromGeos(const GEOSGeometry* geometry, Shape* shape);
  Result<bool> Truth(char value, std::string_view what) {
    if (value == 2) return Failed(what);
    return value == 1;
  }
  Status Prepare(const Shape& shape);
  Result<Shape> Derive(const Shape& shape, std::string_view what,
                       GEOSGeometry* (*function)(GEOSContextHandle_t, const GEOSGeometry*));
};

Result<GEOSCoordSequence*> GeometryEngine::State::Sequence(const std::vector<Position>& positions,
                                                           bool has_z) {
  std::vector<double> numbers;
  numbers.reserve(positions.size() * (has_z ? 3 : 2));
  for (const Position& position : positions) {
    numbers.insert(numbers.end(), position.values.begin(),
                   position.values.begin() + (has_z ? 3 : 2));
  }
  GEOSCoordSequence* sequence = GEOSCoordSeq_copyFromBuffer_r(
      context, numbers.data(), static_cast<unsigned>(positions.size()), has_z ? 1 : 0, 0);
  if (sequence == nullptr) return Failed("coordinates");
  return sequence;
}

Result<GeometryPtr> GeometryEngine::State::Ring(const std::vector<Position>& positions,
                                                bool has_z) {
  ARROW_ASSIGN_OR_RAISE(GEOSCoordSequence * sequence, Sequence(positions, has_z));
  return Own(GEOSGeom_createLinearRing_r(context, sequence), "a ring");
}

Result<GeometryPtr> GeometryEngine::State::PolygonToGeos(const Shape& shape) {
  if (shape.rings.empty()) return Own(GEOSGeom_createEmptyPolygon_r(context), "a polygon");
  ARROW_ASSIGN_OR_RAISE(GeometryPtr outer, Ring(shape.rings[0], shape.has_z));
  std::vector<GeometryPtr> holes;
  for (size_t i = 1; i < shape.rings.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(GeometryPtr hole, Ring(shape.rings[i], shape.has_z));
    holes.push_back(std::move(hole));
  }
  // From here on the polygon owns its rings.
  std::vector<GEOSGeometry*> released;
  released.reserve(holes.size());
  for (GeometryPtr& hole : holes) released.push_back(hole.release());
  return Own(GEOSGeom_createPolygon_r(context, outer.release(), released.data(),
                                      static_cast<unsigned>(released.size())),
             "a polygon");
}

Result<GeometryPtr> GeometryEngine::State::PartsToGeos(const Shape& shape) {
  static constexpr std::array kTypes = {GEOS_MULTIPOINT, GEOS_MULTILINESTRING, GEOS_MULTIPOLYGON,
                                        GEOS_GEOMETRYCOLLECTION};
  std::vector<GeometryPtr> parts;
  for (const Shape& part : shape.parts) {
    ARROW_ASSIGN_OR_RAISE(GeometryPtr one, ToGeos(part));
    parts.push_back(std::move(one));
  }
  std::vector<GEOSGeometry*> released;
  released.reserve(parts.size());
  for (GeometryPtr& part : parts) released.push_back(part.release());
  return Own(GEOSGeom_createCollection_r(context, kTypes[static_cast<size_t>(shape.kind) - 4],
                                         released.data(), static_cast<unsigned>(released.size())),
             "a collection");
}

Result<GeometryPtr> GeometryEngine::State::ToGeos(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::kPoint: {
      if (shape.points.empty()) return Own(GEOSGeom_createEmptyPoint_r(context), "a point");
      if (!shape.has_z) {
        return Own(GEOSGeom_createPointFromXY_r(context, shape.points[0].x(), shape.points[0].y()),
                   "a point");
      }
      ARROW_ASSIGN_OR_RAISE(GEOSCoordSequence * sequence, Sequence(shape.points, true));
      return Own(GEOSGeom_createPoint_r(context, sequence), "a point");
    }
    case Shape::Kind::kLineString: {
      ARROW_ASSIGN_OR_RAISE(GEOSCoordSequence * sequence, Sequence(shape.points, shape.has_z));
      return Own(GEOSGeom_createLineString_r(context, sequence), "a line");
    }
    case Shape::Kind::kPolygon:
      return PolygonToGeos(shape);
    default:
      return PartsToGeos(shape);
  }
}

Result<std::vector<Position>> GeometryEngine::State::PositionsOf(const GEOSGeometry* geometry,
                                                                 bool has_z) {
  std::vector<Position> positions;
  if (GEOSisEmpty_r(context, geometry) == 1) return positions;
  const GEOSCoordSequence* sequence = GEOSGeom_getCoordSeq_r(context, geometry);
  unsigned size = 0;
  if (sequence == nullptr || GEOSCoordSeq_getSize_r(context, sequence, &size) == 0) {
    return Failed("reading coordinates");
  }
  positions.resize(size);
  for (unsigned i = 0; i < size; ++i) {
    auto& values = positions[i].values;
    const int is_read =
        has_z ? GEOSCoordSeq_getXYZ_r(context, sequence, i, &values[0], &values[1], &values[2])
              : GEOSCoordSeq_getXY_r(context, sequence, i, &values[0], &values[1]);
    if (is_read == 0) return Failed("reading coordinates");
  }
  return positions;
}

Status GeometryEngine::State::PolygonFromGeos(const GEOSGeometry* geometry, Shape* shape) {
  if (GEOSisEmpty_r(context, geometry) == 1) return Status::OK();
  const GEOSGeometry* outer = GEOSGetExteriorRing_r(context, geometry);
  ARROW_ASSIGN_OR_RAISE(shape->rings.emplace_back(), PositionsOf(outer, shape->has_z));
  const int holes = GEOSGetNumInteriorRings_r(context, geometry);
  for (int i = 0; i < holes; ++i) {
    const GEOSGeometry* hole = GEOSGetInteriorRingN_r(context, geometry, i);
    ARROW_ASSIGN_OR_RAISE(shape->rings.emplace_back(), PositionsOf(hole, shape->has_z));
  }
  return Status::OK();
}

Result<Shape> GeometryEngine::State::FromGeos(const GEOSGeometry* geometry) {
  Shape shape;
  shape.has_z = GEOSHasZ_r(context, geometry) == 1;
  switch (GEOSGeomTypeId_r(context, geometry)) {
    case GEOS_POINT:
      shape.kind = Shape::Kind::kPoint;
      break;
    case GEOS_LINESTRING:
    case GEOS_LINEARRING:
      shape.kind = Shape::Kind::kLineString;
      break;
    case GEOS_POLYGON:
      shape.kind = Shape::Kind::kPolygon;
      ARROW_RETURN_NOT_OK(PolygonFromGeos(geometry, &shape));
      return shape;
    case GEOS_MULTIPOINT:
      shape.kind = Shape::Kind::kMultiPoint;
      break;
    case GEOS_MULTILINESTRING:
      shape.kind = Shape::Kind::kMultiLineString;
      break;
    case GEOS_MULTIPOLYGON:
      shape.kind = Shape::Kind::kMultiPolygon;
      break;
    default:
      shape.kind = Shape::Kind::kCollection;
  }
  if (shape.kind <= Shape::Kind::kLineString) {
    ARROW_ASSIGN_OR_RAISE(shape.points, PositionsOf(geometry, shape.has_z));
    return shape;
  }
  const int parts = GEOSGetNumGeometries_r(context, geometry);
  for (int i = 0; i < parts; ++i) {
    ARROW_ASSIGN_OR_RAISE(shape.parts.emplace_back(),
                          FromGeos(GEOSGetGeometryN_r(context, geometry, i)));
  }
  return shape;
}

Result<Shape> GeometryEngine::State::Derive(const Shape& shape, std::string_view what,
                                            GEOSGeometry* (*function)(GEOSContextHandle_t,
                                                                      const GEOSGeometry*)) {
  ARROW_ASSIGN_OR_RAISE(const GeometryPtr geometry, ToGeos(shape));
  ARROW_ASSIGN_OR_RAISE(const GeometryPtr derived, Own(function(context, geometry.get()), what));
  return FromGeos(derived.get());
}

GeometryEngine::GeometryEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
GeometryEngine::~GeometryEngine() = default;

Result<std::unique_ptr<GeometryEngine>> GeometryEngine::Make() {
  auto state = std::make_unique<State>();
  state->context = GEOS_init_r();
  if (state->context == nullptr) return IoError("the GEOS library could not be started");
  GEOSContext_setErrorMessageHandler_r(
      state->context,
      [](const char* message, void* to) { *static_cast<std::string*>(to) = message; },
      &state->message);
  return std::unique_ptr<GeometryEngine>(new GeometryEngine(std::move(state)));
}

namespace {

bool IsSame(const Shape& a, const Shape& b) {
  return a.kind == b.kind && a.points == b.points && a.rings == b.rings &&
         std::ranges::equal(a.parts, b.parts, IsSame);
}

/// The relation of the second to the first where this is that of the first to the second.
Relation Inverse(Relation relation) {
  switch (relation) {
    case Relation::kContains:
      return Relation::kWithin;
    case Relation::kWithin:
      return Relation::kContains;
    case Relation::kCovers:
      return Relation::kCoveredBy;
    case Relation::kCoveredBy:
      return Relation::kCovers;
    default:
      return relation;
  }
}

}  // namespace

Status GeometryEngine::State::Prepare(const Shape& shape) {
  if (prepared != nullptr && IsSame(shape, prepared_shape)) return Status::OK();
  if (prepared != nullptr) GEOSPreparedGeom_destroy_r(context, std::exchange(prepared, nullptr));
  ARROW_ASSIGN_OR_RAISE(prepared_geometry, ToGeos(shape));
  prepared = GEOSPrepare_r(context, prepared_geometry.get());
  if (prepared == nullptr) return Failed("preparing");
  prepared_shape = shape;
  return Status::OK();
}

Result<bool> GeometryEngine::Test(Relation relation, const Shape& a, const Shape& b) {
  // The larger side is prepared: it is the constant one, or the one that gains by it.
  const bool is_swapped = b.CountPoints() > a.CountPoints();
  if (is_swapped) relation = Inverse(relation);
  ARROW_RETURN_NOT_OK(state_->Prepare(is_swapped ? b : a));
  ARROW_ASSIGN_OR_RAISE(const GeometryPtr other, state_->ToGeos(is_swapped ? a : b));
  GEOSContextHandle_t context = state_->context;
  const auto truth = [&](auto* function) {
    return state_->Truth(function(context, state_->prepared, other.get()), "a relation");
  };
  switch (relation) {
    case Relation::kIntersects:
      return truth(GEOSPreparedIntersects_r);
    case Relation::kContains:
      return truth(GEOSPreparedContains_r);
    case Relation::kWithin:
      return truth(GEOSPreparedWithin_r);
    case Relation::kCovers:
      return truth(GEOSPreparedCovers_r);
    case Relation::kCoveredBy:
      return truth(GEOSPreparedCoveredBy_r);
    case Relation::kDisjoint:
      return truth(GEOSPreparedDisjoint_r);
    case Relation::kTouches:
      return truth(GEOSPreparedTouches_r);
    case Relation::kCrosses:
      return truth(GEOSPreparedCrosses_r);
    case Relation::kOverlaps:
      return truth(GEOSPreparedOverlaps_r);
    case Relation::kEquals:
      return state_->Truth(GEOSEquals_r(context, state_->prepared_geometry.get(), other.get()),
                           "a comparison");
  }
  return false;
}

Result<std::optional<double>> GeometryEngine::Distance(const Shape& a, const Shape& b) {
  if (a.IsEmpty() || b.IsEmpty()) return std::optional<double>();
  if (a.kind == Shape::Kind::kPoint && b.kind == Shape::Kind::kPoint) {
    return std::optional(
        std::hypot(a.points[0].x() - b.points[0].x(), a.points[0].y() - b.points[0].y()));
  }
  const bool is_swapped = b.CountPoints() > a.CountPoints();
  ARROW_RETURN_NOT_OK(state_->Prepare(is_swapped ? b : a));
  ARROW_ASSIGN_OR_RAISE(const GeometryPtr other, state_->ToGeos(is_swapped ? a : b));
  double distance = 0;
  if (GEOSPreparedDistance_r(state_->context, state_->prepared, other.get(), &distance) == 0) {
    return state_->Failed("a distance");
  }
  return std::optional(distance);
}

Result<std::optional<std::string>> GeometryEngine::FindFault(const Shape& shape) {
  // What cannot be made at all is not valid, for the reason that GEOS gives.
  auto geometry = state_->ToGeos(shape);
  if (!geometry.ok()) return std::optional(geometry.status().message());
  ARROW_ASSIGN_OR_RAISE(const bool is_valid,
                        state_->Truth(GEOSisValid_r(state_->context, geometry->get()), "a test"));
  if (is_valid) return std::optional<std::string>();
  char* reason = GEOSisValidReason_r(state_->context, geometry->get());
  if (reason == nullptr) return state_->Failed("a test");
  std::string text = reason;
  GEOSFree_r(state_->context, reason);
  return std::optional(std::move(text));
}

Result<Shape> GeometryEngine::Centroid(const Shape& shape) {
  return state_->Derive(shape, "a centroid", GEOSGetCentroid_r);
}
Result<Shape> GeometryEngine::ConvexHull(const Shape& shape) {
  return state_->Derive(shape, "a convex hull", GEOSConvexHull_r);
}
Result<Shape> GeometryEngine::PointOnSurface(const Shape& shape) {
  return state_->Derive(shape, "a point on the surface", GEOSPointOnSurface_r);
}
Result<Shape> GeometryEngine::OrientedEnvelope(const Shape& shape) {
  return state_->Derive(shape, "an envelope", GEOSMinimumRotatedRectangle_r);
}

Result<Shape> GeometryEngine::Simplify(const Shape& shape, double tolerance, bool keeps_topology) {
  ARROW_ASSIGN_OR_RAISE(const GeometryPtr geometry, state_->ToGeos(shape));
  GEOSGeometry* simple =
      keeps_topology ? GEOSTopologyPreserveSimplify_r(state_->context, geometry.get(), tolerance)
                     : GEOSSimplify_r(state_->context, geometry.get(), tolerance);
  ARROW_ASSIGN_OR_RAISE(const GeometryPtr owned, state_->Own(simple, "a simplification"));
  return state_->FromGeos(owned.get());
}

}  // namespace tusk::expr
