// Geometries as well-known text and bytes, and as geohashes.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/shape.h"
#include "tusk/expr/shape_kernel.h"
#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
using ShapeList = std::vector<Shape>;

/// The geometry in another way to keep it.
template <ShapeLayout layout>
Result<NodePtr> BindAs(const Binder& binder, const Call& call) {
  using Builder = ShapeBuilderOf<layout>;
  return ShapesOfShapes<Builder>(binder, call, [](const ShapeList& shapes, Builder* builder) {
    return builder->Append(shapes[0]);
  });
}

/// What is checked to be a geometry, as well-known bytes.
Result<NodePtr> BindFromText(const Binder& binder, const Call& call) {
  ARROW_RETURN_NOT_OK(AsText(binder, call.arguments[0]).status());
  return BindAs<ShapeLayout::kBytes>(binder, call);
}
Result<NodePtr> BindFromBytes(const Binder& binder, const Call& call) {
  const arrow::DataType& type = *call.arguments[0]->type;
  if (!IsBytes(type) && type.id() != arrow::Type::NA) {
    return binder.Error(call.arguments[0]->span, "well-known bytes are expected here");
  }
  return BindAs<ShapeLayout::kBytes>(binder, call);
}

constexpr std::string_view kGeohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz";
constexpr size_t kGeohashSize = 12;

/// Halves the ranges of longitude and latitude in turns.
class GeohashCell {
 public:
  void Add(bool is_upper) {
    auto& [low, high] = is_longitude_ ? longitude_ : latitude_;
    (is_upper ? low : high) = (low + high) / 2;
    is_longitude_ = !is_longitude_;
  }
  bool IsUpper(double x, double y) const {
    const auto& [low, high] = is_longitude_ ? longitude_ : latitude_;
    return (is_longitude_ ? x : y) >= (low + high) / 2;
  }
  Position least() const { return {.values = {longitude_.first, latitude_.first}}; }
  Position greatest() const { return {.values = {longitude_.second, latitude_.second}}; }
  Position middle() const {
    return {.values = {(longitude_.first + longitude_.second) / 2,
                       (latitude_.first + latitude_.second) / 2}};
  }

 private:
  std::pair<double, double> longitude_ = {-180, 180};
  std::pair<double, double> latitude_ = {-90, 90};
  bool is_longitude_ = true;
};

Result<NodePtr> BindGeohash(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const ShapeLayout layout, LayoutOf(binder, call.arguments[0]));
  if (layout != ShapeLayout::kPoint && call.arguments[0]->type->id() != arrow::Type::NA) {
    return binder.Error(call.arguments[0]->span, "a point is expected here");
  }
  return OfShapes<arrow::StringBuilder>(
      binder, call, 1, arrow::utf8(),
      [](const ShapeList& shapes, arrow::StringBuilder* builder) -> Status {
        const Position& point = shapes[0].points[0];
        const bool is_place =
            point.x() >= -180 && point.x() <= 180 && point.y() >= -90 && point.y() <= 90;
        if (!is_place) {
          return InvalidArgument("a point at ", point.x(), ", ", point.y(),
                                 " is no longitude and latitude");
        }
        GeohashCell cell;
        std::string hash;
        while (hash.size() < kGeohashSize) {
          size_t digit = 0;
          for (int bit = 0; bit < 5; ++bit) {
            const bool is_upper = cell.IsUpper(point.x(), point.y());
            cell.Add(is_upper);
            digit = digit * 2 + (is_upper ? 1 : 0);
          }
          hash += kGeohashDigits[digit];
        }
        return builder->Append(hash);
      });
}

Result<GeohashCell> CellOf(std::string_view hash) {
  GeohashCell cell;
  if (hash.empty() || hash.size() > kGeohashSize) {
    return InvalidArgument("a geohash has 1 to 12 digits, not ", hash.size());
  }
  for (const char c : hash) {
    const size_t digit = kGeohashDigits.find(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
    if (digit == std::string_view::npos) {
      return InvalidArgument("'", Excerpt(hash, {0, hash.size()}), "' is no geohash");
    }
    for (int bit = 4; bit >= 0; --bit) cell.Add((digit >> bit & 1) != 0);
  }
  return cell;
}

/// A geometry of each geohash.
template <typename Builder>
Result<NodePtr> OfGeohashes(const Binder& binder, const Call& call,
                            Shape (*make)(const GeohashCell& cell)) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr hash, AsText(binder, call.arguments[0]));
  const ShapeType type = Builder::type();
  Kernel kernel = [make](const std::vector<Datum>& values,
                         const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(values, evaluation));
    Builder builder(evaluation.context->pool);
    for (int64_t row = 0; row < rows.length(); ++row) {
      if (rows.HasNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const GeohashCell cell, CellOf(rows.Text(0, row)));
      ARROW_RETURN_NOT_OK(builder.Append(make(cell)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, rows.is_scalar());
  };
  ARROW_ASSIGN_OR_RAISE(const NodePtr shapes,
                        binder.MakeCall(call.span, type.ToArrow(), {hash}, std::move(kernel)));
  return WithExtension(shapes, type);
}

Result<NodePtr> BindPointFromGeohash(const Binder& binder, const Call& call) {
  return OfGeohashes<ShapeBuilderOf<ShapeLayout::kPoint>>(
      binder, call, [](const GeohashCell& cell) { return Shape{.points = {cell.middle()}}; });
}

Result<NodePtr> BindBoxFromGeohash(const Binder& binder, const Call& call) {
  return OfGeohashes<ShapeBuilderOf<ShapeLayout::kBox>>(binder, call, [](const GeohashCell& cell) {
    return Shape{.kind = Shape::Kind::kLineString, .points = {cell.least(), cell.greatest()}};
  });
}

// Parts.

/// Lists of the parts of geometries that are of one kind, each with the numbers that lead to it.
class DumpBuilder {
 public:
  explicit DumpBuilder(arrow::MemoryPool* pool)
      : paths_(pool, std::make_shared<arrow::Int32Builder>(pool), PathType()),
        geometries_(pool),
        offsets_(pool) {}

  static std::shared_ptr<arrow::DataType> PathType() {
    return arrow::list(arrow::field("item", arrow::int32(), /*nullable=*/false));
  }
  static std::shared_ptr<arrow::DataType> type() {
    return arrow::list(arrow::struct_({arrow::field("path", PathType(), /*nullable=*/false),
                                       arrow::field("geom", arrow::binary())}));
  }
  Status Append(const Shape& shape) {
    ARROW_RETURN_NOT_OK(offsets_.Append(static_cast<int32_t>(geometries_.length())));
    std::vector<int32_t> path;
    return AppendParts(shape, &path);
  }
  Status AppendNull() { return offsets_.AppendNull(); }
  Result<std::shared_ptr<arrow::Array>> Finish() {
    ARROW_RETURN_NOT_OK(offsets_.Append(static_cast<int32_t>(geometries_.length())));
    ARROW_ASSIGN_OR_RAISE(const auto paths, paths_.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto geometries, geometries_.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto offsets, offsets_.Finish());
    const auto parts = std::make_shared<arrow::StructArray>(
        type()->field(0)->type(), paths->length(), arrow::ArrayVector{paths, geometries});
    return arrow::ListArray::FromArrays(type(), *offsets, *parts);
  }

 private:
  Status AppendParts(const Shape& shape, std::vector<int32_t>* path) {
    if (shape.kind < Shape::Kind::kMultiPoint) {
      if (shape.IsEmpty()) return Status::OK();
      ARROW_RETURN_NOT_OK(paths_.Append());
      ARROW_RETURN_NOT_OK(
          static_cast<arrow::Int32Builder*>(paths_.value_builder())->AppendValues(*path));
      std::string bytes;
      AppendShapeBytes(shape, &bytes);
      return geometries_.Append(bytes);
    }
    path->push_back(0);
    for (const Shape& part : shape.parts) {
      ++path->back();
      ARROW_RETURN_NOT_OK(AppendParts(part, path));
    }
    path->pop_back();
    return Status::OK();
  }

  arrow::ListBuilder paths_;
  arrow::BinaryBuilder geometries_;
  arrow::Int32Builder offsets_;
};

Result<NodePtr> BindDump(const Binder& binder, const Call& call) {
  return OfShapes<DumpBuilder>(
      binder, call, 1, DumpBuilder::type(),
      [](const ShapeList& shapes, DumpBuilder* builder) { return builder->Append(shapes[0]); });
}

constexpr std::array kFunctions = {
    FunctionEntry{"st_astext", 1, 1, BindAs<ShapeLayout::kText>},
    FunctionEntry{"st_asbinary", 1, 1, BindAs<ShapeLayout::kBytes>},
    FunctionEntry{"st_geomfromtext", 1, 1, BindFromText},
    FunctionEntry{"st_geometryfromtext", 1, 1, BindFromText},
    FunctionEntry{"st_wkttosql", 1, 1, BindFromText},
    FunctionEntry{"st_geomfromwkb", 1, 1, BindFromBytes},
    FunctionEntry{"st_wkbtosql", 1, 1, BindFromBytes},
    FunctionEntry{"st_dump", 1, 1, BindDump},
    FunctionEntry{"st_geohash", 1, 1, BindGeohash},
    FunctionEntry{"st_pointfromgeohash", 1, 1, BindPointFromGeohash},
    FunctionEntry{"st_box2dfromgeohash", 1, 1, BindBoxFromGeohash},
};

}  // namespace

std::span<const FunctionEntry> GeometryTextFunctions() { return kFunctions; }

}  // namespace tusk::expr
