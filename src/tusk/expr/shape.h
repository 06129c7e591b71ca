#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::expr {

/// A position: x, y, then z and m as far as its shape has them.
struct Position {
  std::array<double, 4> values = {};
  double x() const { return values[0]; }
  double y() const { return values[1]; }
  bool operator==(const Position&) const = default;
};

/// A geometry of the simple features of OGC, as well-known bytes and texts have them.
struct Shape {
  /// The numbers are those of well-known bytes.
  enum class Kind : uint8_t {
    kPoint = 1,
    kLineString,
    kPolygon,
    kMultiPoint,
    kMultiLineString,
    kMultiPolygon,
    kCollection,
  };

  Kind kind = Kind::kPoint;
  bool has_z = false;
  bool has_m = false;
  std::vector<Position> points = {};              ///< of a point, at most one; of a line
  std::vector<std::vector<Position>> rings = {};  ///< of a polygon, the outer first
  std::vector<Shape> parts = {};                  ///< of the others

  int dimensions() const { return 2 + (has_z ? 1 : 0) + (has_m ? 1 : 0); }
  bool IsEmpty() const;
  int64_t CountPoints() const;
};

/// Calls `visit(position)` for every position of a shape.
template <typename Visit>
void VisitPositions(const Shape& shape, const Visit& visit) {
  for (const Position& point : shape.points) visit(point);
  for (const auto& ring : shape.rings) {
    for (const Position& point : ring) visit(point);
  }
  for (const Shape& part : shape.parts) VisitPositions(part, visit);
}

/// The name of a kind as well-known texts have it: POINT, MULTILINESTRING.
std::string_view NameOfKind(Shape::Kind kind);

/// Well-known bytes of either byte order, with the identifier of a reference system or not.
/// InvalidArgument for what is none.
Result<Shape> ParseShapeBytes(std::string_view bytes);
/// In little endian, as ISO has them.
void AppendShapeBytes(const Shape& shape, std::string* out);

/// A well-known text. InvalidArgument, with the place, for what is none.
Result<Shape> ParseShapeText(std::string_view text);
/// As POLYGON((0 0,1 0,1 1,0 0)); numbers in the shortest digits that give them again.
void AppendShapeText(const Shape& shape, std::string* out);

}  // namespace tusk::expr
