#include "tusk/expr/shape_arrays.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr std::string_view kExtensionName = "ARROW:extension:name";
constexpr std::array<std::pair<ShapeLayout, std::string_view>, 9> kExtensions = {{
    {ShapeLayout::kPoint, "geoarrow.point"},
    {ShapeLayout::kLineString, "geoarrow.linestring"},
    {ShapeLayout::kPolygon, "geoarrow.polygon"},
    {ShapeLayout::kMultiPoint, "geoarrow.multipoint"},
    {ShapeLayout::kMultiLineString, "geoarrow.multilinestring"},
    {ShapeLayout::kMultiPolygon, "geoarrow.multipolygon"},
    {ShapeLayout::kBox, "geoarrow.box"},
    {ShapeLayout::kBytes, "geoarrow.wkb"},
    {ShapeLayout::kText, "geoarrow.wkt"},
}};

/// How many lists stand around the positions of a layout.
int DepthOf(ShapeLayout layout) {
  switch (layout) {
    case ShapeLayout::kLineString:
    case ShapeLayout::kMultiPoint:
      return 1;
    case ShapeLayout::kPolygon:
    case ShapeLayout::kMultiLineString:
      return 2;
    case ShapeLayout::kMultiPolygon:
      return 3;
    default:
      return 0;
  }
}

std::string ExtensionNameOf(const Node& node) {
  if (node.field == nullptr) return {};
  if (node.field->type()->id() == arrow::Type::EXTENSION) {
    return static_cast<const arrow::ExtensionType&>(*node.field->type()).extension_name();
  }
  if (node.field->metadata() == nullptr) return {};
  const int found = node.field->metadata()->FindKey(std::string(kExtensionName));
  return found < 0 ? std::string() : node.field->metadata()->value(found);
}

bool IsCoordinate(const arrow::DataType& type) {
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    return list.value_type()->id() == arrow::Type::DOUBLE && list.list_size() >= 2 &&
           list.list_size() <= 4;
  }
  if (type.id() != arrow::Type::STRUCT) return false;
  const auto& fields = type.fields();
  return fields.size() >= 2 && fields.size() <= 4 && fields[0]->name() == "x" &&
         fields[1]->name() == "y" && std::ranges::all_of(fields, [](const auto& field) {
           return field->type()->id() == arrow::Type::DOUBLE;
         });
}

bool IsBox(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT || type.num_fields() % 2 != 0 || type.num_fields() < 4) {
    return false;
  }
  return type.num_fields() <= 8 && type.field(0)->name() == "xmin" &&
         std::ranges::all_of(type.fields(), [](const auto& field) {
           return field->type()->id() == arrow::Type::DOUBLE;
         });
}

/// Whether an array of `type` can be of the layout.
bool Fits(ShapeLayout layout, TypePtr type) {
  if (layout == ShapeLayout::kBytes) return IsBytes(*type);
  if (layout == ShapeLayout::kText) return IsText(*type);
  if (layout == ShapeLayout::kBox) return IsBox(*type);
  for (int i = 0; i < DepthOf(layout); ++i) {
    if (!IsList(*type)) return false;
    type = static_cast<const arrow::BaseListType&>(*type).value_type();
  }
  return IsCoordinate(*type);
}

}  // namespace

Result<ShapeLayout> LayoutOf(const Binder& binder, const NodePtr& node) {
  const std::string name = ExtensionNameOf(*node);
  for (const auto& [layout, extension] : kExtensions) {
    if (name != extension) continue;
    if (Fits(layout, node->type)) return layout;
    return binder.Error(node->span, "a " + NameOfType(*node->type) + " is no " + name);
  }
  if (node->type->id() == arrow::Type::NA) return ShapeLayout::kText;
  if (IsText(*node->type)) return ShapeLayout::kText;
  if (IsBytes(*node->type)) return ShapeLayout::kBytes;
  if (IsCoordinate(*node->type)) return ShapeLayout::kPoint;
  if (IsBox(*node->type)) return ShapeLayout::kBox;
  return binder.Error(node->span, "a geometry is expected here, but this is a " +
                                      NameOfType(*node->type) +
                                      " whose column names no extension type of geoarrow");
}

Status Shapes::TakeCoordinates(const std::shared_ptr<arrow::Array>& array) {
  keep_.push_back(array);
  if (array->type_id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*array);
    const auto& numbers = static_cast<const arrow::DoubleArray&>(*lists.values());
    stride_ = lists.list_type()->list_size();
    // Positions say by the name of their numbers what the third is: xyz or xym.
    const std::string& name = lists.list_type()->value_field()->name();
    has_m_ = stride_ == 4 || (stride_ == 3 && name.ends_with('m'));
    has_z_ = stride_ == 4 || (stride_ == 3 && !has_m_);
    for (int64_t i = 0; i < stride_; ++i) {
      columns_.push_back(numbers.raw_values() + lists.offset() * stride_ + i);
    }
    return Status::OK();
  }
  const auto& structs = static_cast<const arrow::StructArray&>(*array);
  for (int i = 0; i < structs.num_fields(); ++i) {
    const auto numbers = std::static_pointer_cast<arrow::DoubleArray>(structs.field(i));
    keep_.push_back(numbers);
    columns_.push_back(numbers->raw_values());
    const std::string& name = structs.type()->field(i)->name();
    has_z_ = has_z_ || name == "z" || name == "zmin";
    has_m_ = has_m_ || name == "m" || name == "mmin";
  }
  return Status::OK();
}

Result<Shapes> Shapes::Make(const Datum& datum, ShapeLayout layout, const Evaluation& evaluation) {
  Shapes shapes;
  shapes.layout_ = layout;
  ARROW_ASSIGN_OR_RAISE(shapes.operand_, Operand::Make(datum, evaluation.context->pool));
  if (layout == ShapeLayout::kBytes || layout == ShapeLayout::kText) return shapes;
  std::shared_ptr<arrow::Array> array = arrow::MakeArray(shapes.operand_.array().data()->Copy());
  for (int i = 0; i < DepthOf(layout); ++i) {
    shapes.levels_.push_back(MakeListView(array));
    array = shapes.levels_.back().values();
  }
  ARROW_RETURN_NOT_OK(shapes.TakeCoordinates(array));
  return shapes;
}

Position Shapes::At(int64_t i) const {
  Position position;
  for (size_t j = 0; j < columns_.size(); ++j) position.values[j] = columns_[j][i * stride_];
  return position;
}

Shape Shapes::Make(Shape::Kind kind) const {
  return Shape{.kind = kind, .has_z = has_z_, .has_m = has_m_};
}

std::vector<Position> Shapes::Line(const Lists& lists, int64_t i) const {
  std::vector<Position> line;
  line.reserve(static_cast<size_t>(lists.Size(i)));
  for (int64_t j = 0; j < lists.Size(i); ++j) line.push_back(At(lists.Begin(i) + j));
  return line;
}

Shape Shapes::Polygon(const Lists& lists, const Lists& rings, int64_t i) const {
  Shape polygon = Make(Shape::Kind::kPolygon);
  for (int64_t j = 0; j < lists.Size(i); ++j) {
    polygon.rings.push_back(Line(rings, lists.Begin(i) + j));
  }
  return polygon;
}

Shape Shapes::Box(int64_t i) const {
  // The least values stand before the greatest, in as many dimensions.
  const size_t half = columns_.size() / 2;
  const double left = columns_[0][i];
  const double low = columns_[1][i];
  const double right = columns_[half][i];
  const double high = columns_[half + 1][i];
  Shape box{.kind = Shape::Kind::kPolygon};
  if (left > right || low > high) return box;
  const auto corner = [](double x, double y) { return Position{.values = {x, y}}; };
  box.rings.push_back({corner(left, low), corner(left, high), corner(right, high),
                       corner(right, low), corner(left, low)});
  return box;
}

Result<Shape> Shapes::Read(int64_t row) const {
  const int64_t i = operand_.Index(row);
  switch (layout_) {
    case ShapeLayout::kText:
      return ParseShapeText(Texts(operand_)[row]);
    case ShapeLayout::kBytes:
      if (operand_.array().type_id() == arrow::Type::FIXED_SIZE_BINARY) {
        return ParseShapeBytes(
            static_cast<const arrow::FixedSizeBinaryArray&>(operand_.array()).GetView(i));
      }
      return ParseShapeBytes(Texts(operand_)[row]);
    case ShapeLayout::kBox:
      return Box(i);
    case ShapeLayout::kPoint: {
      Shape point = Make(Shape::Kind::kPoint);
      point.points.push_back(At(i));
      return point;
    }
    case ShapeLayout::kLineString: {
      Shape line = Make(Shape::Kind::kLineString);
      line.points = Line(levels_[0], i);
      return line;
    }
    case ShapeLayout::kPolygon:
      return Polygon(levels_[0], levels_[1], i);
    default:
      break;
  }
  static constexpr std::array kKinds = {Shape::Kind::kMultiPoint, Shape::Kind::kMultiLineString,
                                        Shape::Kind::kMultiPolygon};
  const int kind = static_cast<int>(layout_) - static_cast<int>(ShapeLayout::kMultiPoint);
  Shape whole = Make(kKinds[static_cast<size_t>(kind)]);
  for (int64_t j = 0; j < levels_[0].Size(i); ++j) {
    const int64_t at = levels_[0].Begin(i) + j;
    if (layout_ == ShapeLayout::kMultiPolygon) {
      whole.parts.push_back(Polygon(levels_[1], levels_[2], at));
      continue;
    }
    const bool is_point = layout_ == ShapeLayout::kMultiPoint;
    Shape& part =
        whole.parts.emplace_back(Make(is_point ? Shape::Kind::kPoint : Shape::Kind::kLineString));
    part.points = is_point ? std::vector<Position>{At(at)} : Line(levels_[1], at);
  }
  return whole;
}

TypePtr ShapeType::ToArrow() const {
  const auto number = [](const char* name) {
    return arrow::field(name, arrow::float64(), /*nullable=*/false);
  };
  if (layout == ShapeLayout::kBytes) return arrow::binary();
  if (layout == ShapeLayout::kText) return arrow::utf8();
  if (layout == ShapeLayout::kBox) {
    if (!has_z) {
      return arrow::struct_({number("xmin"), number("ymin"), number("xmax"), number("ymax")});
    }
    return arrow::struct_({number("xmin"), number("ymin"), number("zmin"), number("xmax"),
                           number("ymax"), number("zmax")});
  }
  arrow::FieldVector fields = {number("x"), number("y")};
  if (has_z) fields.push_back(number("z"));
  if (has_m) fields.push_back(number("m"));
  TypePtr type = arrow::struct_(fields);
  if (DepthOf(layout) >= 1) {
    const bool is_points = layout == ShapeLayout::kMultiPoint;
    type = arrow::list(arrow::field(is_points ? "points" : "vertices", type, /*nullable=*/false));
  }
  if (DepthOf(layout) >= 2) {
    const bool is_lines = layout == ShapeLayout::kMultiLineString;
    type = arrow::list(arrow::field(is_lines ? "linestrings" : "rings", type, /*nullable=*/false));
  }
  if (DepthOf(layout) >= 3) {
    type = arrow::list(arrow::field("polygons", type, /*nullable=*/false));
  }
  return type;
}

std::string ShapeType::ExtensionName() const {
  const auto* found =
      std::ranges::find(kExtensions, layout, &std::pair<ShapeLayout, std::string_view>::first);
  return std::string(found->second);
}

namespace {

Status NoPlace(const Shape& shape, const ShapeType& type) {
  return InvalidArgument("a ", NameOfKind(shape.kind), " is no ", type.ExtensionName());
}

/// The numbers of positions, and the lists around them from the outer-most on.
struct ShapeColumns {
  std::vector<std::vector<double>> numbers;
  std::vector<std::vector<int32_t>> offsets;

  void AddPosition(const Position& position) {
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i].push_back(position.values[i]);
  }
  void AddLine(const std::vector<Position>& line, size_t level) {
    for (const Position& position : line) AddPosition(position);
    offsets[level].push_back(static_cast<int32_t>(numbers[0].size()));
  }
  void AddPolygon(const Shape& polygon, size_t level) {
    for (const auto& ring : polygon.rings) AddLine(ring, level + 1);
    offsets[level].push_back(static_cast<int32_t>(offsets[level + 1].size() - 1));
  }
  void EndParts(size_t size) { offsets[0].push_back(static_cast<int32_t>(size)); }
};

Status AddShape(const Shape& shape, const ShapeType& type, ShapeColumns* columns) {
  using Kind = Shape::Kind;
  switch (type.layout) {
    case ShapeLayout::kPoint:
      if (shape.kind != Kind::kPoint || shape.points.empty()) return NoPlace(shape, type);
      columns->AddPosition(shape.points[0]);
      return Status::OK();
    case ShapeLayout::kLineString:
      if (shape.kind != Kind::kLineString) return NoPlace(shape, type);
      columns->AddLine(shape.points, 0);
      return Status::OK();
    case ShapeLayout::kPolygon:
      if (shape.kind != Kind::kPolygon) return NoPlace(shape, type);
      columns->AddPolygon(shape, 0);
      return Status::OK();
    default:
      break;
  }
  // Of several parts, or one alone.
  const std::vector<Shape> one = {shape};
  const auto& parts = shape.kind >= Kind::kMultiPoint ? shape.parts : one;
  for (const Shape& part : parts) {
    if (type.layout == ShapeLayout::kMultiPoint && part.kind == Kind::kPoint) {
      if (!part.points.empty()) columns->AddPosition(part.points[0]);
    } else if (type.layout == ShapeLayout::kMultiLineString && part.kind == Kind::kLineString) {
      columns->AddLine(part.points, 1);
    } else if (type.layout == ShapeLayout::kMultiPolygon && part.kind == Kind::kPolygon) {
      columns->AddPolygon(part, 1);
    } else {
      return NoPlace(shape, type);
    }
  }
  columns->EndParts(type.layout == ShapeLayout::kMultiPoint ? columns->numbers[0].size()
                                                            : columns->offsets[1].size() - 1);
  return Status::OK();
}

/// The box of a polygon of a box, or of nothing.
void AddBox(const Shape& shape, bool has_z, ShapeColumns* columns) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  std::array<double, 3> least = {kInfinite, kInfinite, kInfinite};
  std::array<double, 3> greatest = {-kInfinite, -kInfinite, -kInfinite};
  VisitPositions(shape, [&](const Position& position) {
    for (size_t i = 0; i < least.size(); ++i) {
      least[i] = std::min(least[i], position.values[i]);
      greatest[i] = std::max(greatest[i], position.values[i]);
    }
  });
  const size_t half = has_z ? 3 : 2;
  for (size_t i = 0; i < half; ++i) {
    columns->numbers[i].push_back(least[i]);
    columns->numbers[half + i].push_back(greatest[i]);
  }
}

Result<std::shared_ptr<arrow::Array>> EncodedArray(const std::vector<std::optional<Shape>>& shapes,
                                                   const ShapeType& type, arrow::MemoryPool* pool) {
  const bool is_text = type.layout == ShapeLayout::kText;
  arrow::BinaryBuilder bytes(pool);
  arrow::StringBuilder texts(pool);
  std::string out;
  for (const auto& shape : shapes) {
    if (!shape) {
      ARROW_RETURN_NOT_OK(is_text ? texts.AppendNull() : bytes.AppendNull());
      continue;
    }
    out.clear();
    is_text ? AppendShapeText(*shape, &out) : AppendShapeBytes(*shape, &out);
    ARROW_RETURN_NOT_OK(is_text ? texts.Append(out) : bytes.Append(out));
  }
  return is_text ? texts.Finish() : bytes.Finish();
}

Result<std::shared_ptr<arrow::Array>> NumbersArray(const std::vector<double>& numbers,
                                                   arrow::MemoryPool* pool) {
  arrow::DoubleBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.AppendValues(numbers));
  return builder.Finish();
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> ToArray(const std::vector<std::optional<Shape>>& shapes,
                                              const ShapeType& type, arrow::MemoryPool* pool) {
  if (type.layout == ShapeLayout::kBytes || type.layout == ShapeLayout::kText) {
    return EncodedArray(shapes, type, pool);
  }
  const TypePtr arrow_type = type.ToArrow();
  TypePtr inner = arrow_type;
  std::vector<TypePtr> list_types;
  while (inner->id() == arrow::Type::LIST) {
    list_types.push_back(inner);
    inner = inner->field(0)->type();
  }
  ShapeColumns columns;
  columns.numbers.resize(static_cast<size_t>(inner->num_fields()));
  columns.offsets.assign(list_types.size(), {0});
  arrow::TypedBufferBuilder<bool> validity(pool);
  int64_t nulls = 0;
  for (const auto& shape : shapes) {
    ARROW_RETURN_NOT_OK(validity.Append(shape.has_value()));
    nulls += shape ? 0 : 1;
    if (type.layout == ShapeLayout::kBox) {
      AddBox(shape.value_or(Shape()), type.has_z, &columns);
    } else if (shape) {
      ARROW_RETURN_NOT_OK(AddShape(*shape, type, &columns));
    } else if (list_types.empty()) {
      columns.AddPosition({});
    } else {
      columns.offsets[0].push_back(columns.offsets[0].back());
    }
    if (columns.numbers[0].size() > std::numeric_limits<int32_t>::max()) {
      return InvalidArgument("the geometries have more than 2^31 positions together");
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto valid, validity.Finish());
  arrow::ArrayVector children;
  for (const auto& numbers : columns.numbers) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), NumbersArray(numbers, pool));
  }
  const auto size = static_cast<int64_t>(columns.numbers[0].size());
  const bool is_plain = list_types.empty();
  std::shared_ptr<arrow::Array> array = std::make_shared<arrow::StructArray>(
      inner, size, children, is_plain && nulls > 0 ? valid : nullptr, is_plain ? nulls : 0);
  for (size_t level = list_types.size(); level-- > 0;) {
    arrow::Int32Builder builder(pool);
    ARROW_RETURN_NOT_OK(builder.AppendValues(columns.offsets[level]));
    ARROW_ASSIGN_OR_RAISE(const auto offsets, builder.Finish());
    const bool has_nulls = level == 0 && nulls > 0;
    array = std::make_shared<arrow::ListArray>(list_types[level], offsets->length() - 1,
                                               offsets->data()->buffers[1], array,
                                               has_nulls ? valid : nullptr, has_nulls ? nulls : 0);
  }
  return array;
}

NodePtr WithExtension(const NodePtr& node, const ShapeType& type, const std::string& metadata) {
  Node extended = *node;
  std::vector<std::string> keys = {std::string(kExtensionName)};
  std::vector<std::string> values = {type.ExtensionName()};
  if (!metadata.empty()) {
    keys.emplace_back("ARROW:extension:metadata");
    values.push_back(metadata);
  }
  extended.field = arrow::field("", node->type, /*nullable=*/true,
                                arrow::key_value_metadata(std::move(keys), std::move(values)));
  return std::make_shared<const Node>(std::move(extended));
}

}  // namespace tusk::expr
