#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tusk/base/result.h"
#include "tusk/expr/shape.h"

namespace tusk::expr {

/// How one geometry lies to another, in the plane, as OGC defines it.
enum class Relation {
  kIntersects,
  kContains,
  kWithin,
  kCovers,
  kCoveredBy,
  kDisjoint,
  kTouches,
  kCrosses,
  kOverlaps,
  kEquals,
};

/// Computes with geometries by the GEOS library, in x and y. Used by one thread at a time.
class GeometryEngine {
 public:
  static Result<std::unique_ptr<GeometryEngine>> Make();
  ~GeometryEngine();

  // InvalidArgument, with what GEOS says, for geometries that it cannot take: rings that are not
  // closed, lines of one point, sides that cross where a relation needs them not to.
  Result<bool> Test(Relation relation, const Shape& a, const Shape& b);
  /// The least distance; nothing if either is empty.
  Result<std::optional<double>> Distance(const Shape& a, const Shape& b);
  /// What is wrong with it; nothing if it is valid.
  Result<std::optional<std::string>> FindFault(const Shape& shape);
  Result<Shape> Centroid(const Shape& shape);
  Result<Shape> ConvexHull(const Shape& shape);
  Result<Shape> PointOnSurface(const Shape& shape);
  /// The least rectangle of any direction.
  Result<Shape> OrientedEnvelope(const Shape& shape);
  /// By Douglas and Peucker, within `tolerance`.
  Result<Shape> Simplify(const Shape& shape, double tolerance, bool keeps_topology);

 private:
  struct State;
  explicit GeometryEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tusk::expr
