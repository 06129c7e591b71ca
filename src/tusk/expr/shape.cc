#include "tusk/expr/shape.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace tusk::expr {
namespace {

/// Collections in collections, which are read and written by recursion.
constexpr int kDeepest = 32;

constexpr uint32_t kHasZ = 0x8000'0000;
constexpr uint32_t kHasM = 0x4000'0000;
constexpr uint32_t kHasReference = 0x2000'0000;

Status Broken(std::string_view what) {
  return InvalidArgument("the bytes are no geometry: ", what);
}

/// Takes well-known bytes from their front.
class BytesReader {
 public:
  explicit BytesReader(std::string_view bytes) : rest_(bytes) {}

  Result<Shape> ReadShape(int depth);
  bool at_end() const { return rest_.empty(); }

 private:
  template <typename T>
  Result<T> Take() {
    if (rest_.size() < sizeof(T)) return Broken("they end too early");
    T value;
    rest_.copy(reinterpret_cast<char*>(&value), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    if (!is_big_) return value;
    auto* first = reinterpret_cast<char*>(&value);
    std::reverse(first, first + sizeof(T));
    return value;
  }
  /// A count of things of at least `size` bytes each.
  Result<uint32_t> TakeCount(size_t size) {
    ARROW_ASSIGN_OR_RAISE(const auto count, Take<uint32_t>());
    if (count > rest_.size() / size) return Broken("they have fewer parts than they say");
    return count;
  }
  Result<Position> TakePosition(const Shape& shape) {
    Position position;
    for (int i = 0; i < shape.dimensions(); ++i) {
      ARROW_ASSIGN_OR_RAISE(position.values[static_cast<size_t>(i)], Take<double>());
    }
    return position;
  }
  Status TakePositions(const Shape& shape, std::vector<Position>* positions) {
    const size_t size = 8 * static_cast<size_t>(shape.dimensions());
    ARROW_ASSIGN_OR_RAISE(const uint32_t count, TakeCount(size));
    positions->reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      ARROW_ASSIGN_OR_RAISE(positions->emplace_back(), TakePosition(shape));
    }
    return Status::OK();
  }

  std::string_view rest_;
  bool is_big_ = false;
};

bool IsNan(const Position& position) {
  return position.x() != position.x() && position.y() != position.y();
}

Result<Shape> BytesReader::ReadShape(int depth) {
  if (depth > kDeepest) return Broken("collections are nested too deep");
  if (rest_.empty()) return Broken("they end too early");
  if (rest_[0] != 0 && rest_[0] != 1) return Broken("they begin with no byte order");
  is_big_ = rest_[0] == 0;
  rest_.remove_prefix(1);
  ARROW_ASSIGN_OR_RAISE(uint32_t type, Take<uint32_t>());
  Shape shape;
  shape.has_z = (type & kHasZ) != 0;
  shape.has_m = (type & kHasM) != 0;
  if ((type & kHasReference) != 0) ARROW_RETURN_NOT_OK(Take<uint32_t>().status());
  type &= ~(kHasZ | kHasM | kHasReference);
  const uint32_t dimensions = type / 1000;
  const uint32_t kind = type % 1000;
  if (dimensions > 3 || kind < 1 || kind > 7) return Broken("their type is none that is known");
  shape.kind = static_cast<Shape::Kind>(kind);
  shape.has_z = shape.has_z || dimensions == 1 || dimensions == 3;
  shape.has_m = shape.has_m || dimensions == 2 || dimensions == 3;
  switch (shape.kind) {
    case Shape::Kind::kPoint: {
      ARROW_ASSIGN_OR_RAISE(const Position position, TakePosition(shape));
      // A point of nothing is written as one of no numbers.
      if (!IsNan(position)) shape.points.push_back(position);
      break;
    }
    case Shape::Kind::kLineString:
      ARROW_RETURN_NOT_OK(TakePositions(shape, &shape.points));
      break;
    case Shape::Kind::kPolygon: {
      ARROW_ASSIGN_OR_RAISE(const uint32_t count, TakeCount(4));
      for (uint32_t i = 0; i < count; ++i) {
        ARROW_RETURN_NOT_OK(TakePositions(shape, &shape.rings.emplace_back()));
      }
      break;
    }
    default: {
      ARROW_ASSIGN_OR_RAISE(const uint32_t count, TakeCount(5));
      for (uint32_t i = 0; i < count; ++i) {
        ARROW_ASSIGN_OR_RAISE(shape.parts.emplace_back(), ReadShape(depth + 1));
        const bool fits =
            shape.kind == Shape::Kind::kCollection ||
            static_cast<int>(shape.parts.back().kind) + 3 == static_cast<int>(shape.kind);
        if (!fits) return Broken("a part is of another kind than the whole");
      }
    }
  }
  return shape;
}

template <typename T>
void AppendLittle(T value, std::string* out) {
  static_assert(std::endian::native == std::endian::little);
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendPosition(const Position& position, const Shape& shape, std::string* out) {
  for (int i = 0; i < shape.dimensions(); ++i) {
    AppendLittle(position.values[static_cast<size_t>(i)], out);
  }
}

void AppendPositions(const std::vector<Position>& positions, const Shape& shape, std::string* out) {
  AppendLittle(static_cast<uint32_t>(positions.size()), out);
  for (const Position& position : positions) AppendPosition(position, shape, out);
}

}  // namespace

bool Shape::IsEmpty() const { return CountPoints() == 0; }

int64_t Shape::CountPoints() const {
  int64_t count = 0;
  VisitPositions(*this, [&](const Position&) { ++count; });
  return count;
}

std::string_view NameOfKind(Shape::Kind kind) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "POINT",           "LINESTRING",   "POLYGON",           "MULTIPOINT",
      "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
  return kNames[static_cast<size_t>(kind) - 1];
}

Result<Shape> ParseShapeBytes(std::string_view bytes) {
  BytesReader reader(bytes);
  ARROW_ASSIGN_OR_RAISE(Shape shape, reader.ReadShape(/*depth=*/0));
  if (!reader.at_end()) return Broken("there are more than the geometry needs");
  return shape;
}

void AppendShapeBytes(const Shape& shape, std::string* out) {
  out->push_back(1);
  const uint32_t dimensions = (shape.has_z ? 1U : 0U) + (shape.has_m ? 2U : 0U);
  AppendLittle(static_cast<uint32_t>(shape.kind) + 1000 * dimensions, out);
  switch (shape.kind) {
    case Shape::Kind::kPoint: {
      Position nothing;
      nothing.values.fill(std::numeric_limits<double>::quiet_NaN());
      AppendPosition(shape.points.empty() ? nothing : shape.points[0], shape, out);
      break;
    }
    case Shape::Kind::kLineString:
      AppendPositions(shape.points, shape, out);
      break;
    case Shape::Kind::kPolygon:
      AppendLittle(static_cast<uint32_t>(shape.rings.size()), out);
      for (const auto& ring : shape.rings) AppendPositions(ring, shape, out);
      break;
    default:
      AppendLittle(static_cast<uint32_t>(shape.parts.size()), out);
      for (const Shape& part : shape.parts) AppendShapeBytes(part, out);
  }
}

}  // namespace tusk::expr
