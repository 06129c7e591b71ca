#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "tusk/expr/format_value.h"
#include "tusk/expr/shape.h"
#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

constexpr int kDeepest = 32;

/// Takes a well-known text from its front.
class ShapeTextParser {
 public:
  explicit ShapeTextParser(std::string_view text) : text_(text) {}

  Result<Shape> Parse() {
    ARROW_ASSIGN_OR_RAISE(Shape shape, TakeShape(/*depth=*/0));
    SkipBlanks();
    if (at_ < text_.size()) return Broken("the geometry ends before this");
    return shape;
  }

 private:
  Status Broken(std::string_view what) const {
    return InvalidArgument("'", Excerpt(text_, {0, text_.size()}), "' is no geometry: ", what,
                           ", at character ", at_ + 1);
  }
  void SkipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status Expect(char c) {
    if (Take(c)) return Status::OK();
    return Broken(std::string("'") + c + "' is expected");
  }
  std::string TakeWord() {
    SkipBlanks();
    const size_t begin = at_;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return ToLowerAscii(text_.substr(begin, at_ - begin));
  }
  bool TakeEmpty() {
    const size_t begin = at_;
    if (TakeWord() == "empty") return true;
    at_ = begin;
    return false;
  }
  Result<Position> TakePosition(const Shape& shape) {
    Position position;
    for (int i = 0; i < shape.dimensions(); ++i) {
      SkipBlanks();
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(),
                                                position.values[static_cast<size_t>(i)]);
      if (error != std::errc()) return Broken("a number is expected");
      at_ += static_cast<size_t>(end - begin);
    }
    return position;
  }
  Status TakePositions(const Shape& shape, std::vector<Position>* positions) {
    if (TakeEmpty()) return Status::OK();
    ARROW_RETURN_NOT_OK(Expect('('));
    do {
      ARROW_ASSIGN_OR_RAISE(positions->emplace_back(), TakePosition(shape));
    } while (Take(','));
    return Expect(')');
  }
  Result<Shape> TakeShape(int depth);
  Status TakeDimensions(std::string* word, Shape* shape);
  Status TakeBody(int depth, Shape* shape);
  Status TakeParts(int depth, Shape* shape);

  const std::string_view text_;
  size_t at_ = 0;
};

/// Z, M or ZM behind the kind's name, or as its end.
Status ShapeTextParser::TakeDimensions(std::string* word, Shape* shape) {
  const auto is_kind = [](std::string_view name) {
    for (int kind = 1; kind <= 7; ++kind) {
      if (name == ToLowerAscii(NameOfKind(static_cast<Shape::Kind>(kind)))) return true;
    }
    return false;
  };
  std::string suffix;
  if (!is_kind(*word)) {
    for (const std::string_view end : {"zm", "z", "m"}) {
      if (!word->ends_with(end) || !is_kind(word->substr(0, word->size() - end.size()))) continue;
      suffix = end;
      word->resize(word->size() - end.size());
      break;
    }
  } else {
    const size_t begin = at_;
    suffix = TakeWord();
    if (suffix != "z" && suffix != "m" && suffix != "zm") {
      suffix.clear();
      at_ = begin;
    }
  }
  shape->has_z = suffix.starts_with('z');
  shape->has_m = suffix.ends_with('m');
  return Status::OK();
}

Result<Shape> ShapeTextParser::TakeShape(int depth) {
  if (depth > kDeepest) return Broken("collections are nested too deep");
  std::string word = TakeWord();
  Shape shape;
  ARROW_RETURN_NOT_OK(TakeDimensions(&word, &shape));
  for (int kind = 1; kind <= 7; ++kind) {
    if (word != ToLowerAscii(NameOfKind(static_cast<Shape::Kind>(kind)))) continue;
    shape.kind = static_cast<Shape::Kind>(kind);
    ARROW_RETURN_NOT_OK(TakeBody(depth, &shape));
    return shape;
  }
  return Broken("POINT, LINESTRING, POLYGON or another kind is expected");
}

Status ShapeTextParser::TakeBody(int depth, Shape* shape) {
  switch (shape->kind) {
    case Shape::Kind::kPoint:
      ARROW_RETURN_NOT_OK(TakePositions(*shape, &shape->points));
      return shape->points.size() > 1 ? Broken("a point has one position") : Status::OK();
    case Shape::Kind::kLineString:
      return TakePositions(*shape, &shape->points);
    case Shape::Kind::kPolygon:
      if (TakeEmpty()) return Status::OK();
      ARROW_RETURN_NOT_OK(Expect('('));
      do {
        ARROW_RETURN_NOT_OK(TakePositions(*shape, &shape->rings.emplace_back()));
      } while (Take(','));
      return Expect(')');
    default:
      return TakeParts(depth, shape);
  }
}

Status ShapeTextParser::TakeParts(int depth, Shape* shape) {
  if (TakeEmpty()) return Status::OK();
  ARROW_RETURN_NOT_OK(Expect('('));
  do {
    if (shape->kind == Shape::Kind::kCollection) {
      ARROW_ASSIGN_OR_RAISE(shape->parts.emplace_back(), TakeShape(depth + 1));
      continue;
    }
    Shape& part = shape->parts.emplace_back();
    part.kind = static_cast<Shape::Kind>(static_cast<int>(shape->kind) - 3);
    part.has_z = shape->has_z;
    part.has_m = shape->has_m;
    SkipBlanks();
    const bool is_bare = part.kind == Shape::Kind::kPoint && at_ < text_.size() &&
                         text_[at_] != '(' &&
                         std::isalpha(static_cast<unsigned char>(text_[at_])) == 0;
    if (is_bare) {
      ARROW_ASSIGN_OR_RAISE(part.points.emplace_back(), TakePosition(part));
    } else {
      ARROW_RETURN_NOT_OK(TakeBody(depth, &part));
    }
  } while (Take(','));
  return Expect(')');
}

void AppendPositions(const std::vector<Position>& positions, const Shape& shape, std::string* out) {
  out->push_back('(');
  for (size_t i = 0; i < positions.size(); ++i) {
    if (i > 0) out->push_back(',');
    for (int j = 0; j < shape.dimensions(); ++j) {
      if (j > 0) out->push_back(' ');
      out->append(FormatPlainReal(positions[i].values[static_cast<size_t>(j)]));
    }
  }
  out->push_back(')');
}

/// What stands behind the name of a kind.
void AppendBody(const Shape& shape, std::string* out) {
  switch (shape.kind) {
    case Shape::Kind::kPoint:
    case Shape::Kind::kLineString:
      AppendPositions(shape.points, shape, out);
      return;
    case Shape::Kind::kPolygon:
      out->push_back('(');
      for (size_t i = 0; i < shape.rings.size(); ++i) {
        if (i > 0) out->push_back(',');
        AppendPositions(shape.rings[i], shape, out);
      }
      out->push_back(')');
      return;
    default:
      break;
  }
  out->push_back('(');
  for (size_t i = 0; i < shape.parts.size(); ++i) {
    if (i > 0) out->push_back(',');
    const Shape& part = shape.parts[i];
    if (shape.kind == Shape::Kind::kCollection) {
      AppendShapeText(part, out);
    } else if (part.points.empty() && part.rings.empty()) {
      out->append("EMPTY");
    } else {
      AppendBody(part, out);
    }
  }
  out->push_back(')');
}

}  // namespace

Result<Shape> ParseShapeText(std::string_view text) { return ShapeTextParser(text).Parse(); }

void AppendShapeText(const Shape& shape, std::string* out) {
  out->append(NameOfKind(shape.kind));
  if (shape.has_z || shape.has_m) out->push_back(' ');
  if (shape.has_z) out->push_back('Z');
  if (shape.has_m) out->push_back('M');
  const bool is_empty = shape.points.empty() && shape.rings.empty() && shape.parts.empty();
  if (is_empty) {
    out->append(" EMPTY");
  } else {
    AppendBody(shape, out);
  }
}

}  // namespace tusk::expr
