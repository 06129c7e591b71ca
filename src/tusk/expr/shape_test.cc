#include "tusk/expr/shape.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/expr/geometry_engine.h"
#include "tusk/expr/simplify_line.h"
#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

/// Matches a Result of this value.
MATCHER_P(Holds, value, "holds a value") {
  *result_listener << arg.status().ToString();
  return arg.ok() && *arg == value;
}

const std::vector<std::string>& Texts() {
  static const std::vector<std::string> texts = {
      "POINT(1 2)",
      "POINT EMPTY",
      "POINT Z(1 2 3)",
      "POINT M(1 2 3)",
      "POINT ZM(1 2 3 4)",
      "LINESTRING(0 0,0.5 -1.25)",
      "LINESTRING EMPTY",
      "POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,2 1,2 2,1 2,1 1))",
      "MULTIPOINT((0 0),(1 1))",
      "MULTILINESTRING((0 0,4 0),(1 1,2 2))",
      "MULTIPOLYGON(((0 0,4 0,4 4,0 0)),((10 10,11 10,11 11,10 10)))",
      "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1),GEOMETRYCOLLECTION(POINT(3 4)))",
  };
  return texts;
}

std::string TextOf(const Shape& shape) {
  std::string text;
  AppendShapeText(shape, &text);
  return text;
}

std::string BytesOf(const Shape& shape) {
  std::string bytes;
  AppendShapeBytes(shape, &bytes);
  return bytes;
}

Shape Parsed(const std::string& text) { return ParseShapeText(text).ValueOrDie(); }

TEST(ShapeTest, TextsAndBytesComeBack) {
  for (const std::string& text : Texts()) {
    ASSERT_OK_AND_ASSIGN(const Shape shape, ParseShapeText(text));
    EXPECT_EQ(TextOf(shape), text);
    ASSERT_OK_AND_ASSIGN(const Shape again, ParseShapeBytes(BytesOf(shape)));
    EXPECT_EQ(TextOf(again), text);
  }
}

TEST(ShapeTest, ReadsOtherWaysOfWriting) {
  EXPECT_EQ(TextOf(Parsed(" point z ( 1  2 3 ) ")), "POINT Z(1 2 3)");
  EXPECT_EQ(TextOf(Parsed("POINTZM(1 2 3 4)")), "POINT ZM(1 2 3 4)");
  EXPECT_EQ(TextOf(Parsed("MULTIPOINT(0 0, 1 1e0)")), "MULTIPOINT((0 0),(1 1))");
  // A point of PostGIS, big endian, with the number of its reference system.
  const std::string bytes(
      "\x00\x20\x00\x00\x01\x00\x00\x10\xe6\x3f\xf0\x00\x00\x00\x00\x00\x00"
      "\x40\x00\x00\x00\x00\x00\x00\x00",
      25);
  ASSERT_OK_AND_ASSIGN(const Shape point, ParseShapeBytes(bytes));
  EXPECT_EQ(TextOf(point), "POINT(1 2)");
}

TEST(ShapeTest, RefusesEveryTruncation) {
  for (const std::string& text : Texts()) {
    const std::string bytes = BytesOf(Parsed(text));
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_THAT(ParseShapeBytes(bytes.substr(0, size)), FailsWith(ErrorCode::kInvalidArgument));
    }
    EXPECT_THAT(ParseShapeBytes(bytes + "x"), FailsWith(ErrorCode::kInvalidArgument));
    for (size_t size = 0; size < text.size(); ++size) {
      EXPECT_THAT(ParseShapeText(text.substr(0, size)), FailsWith(ErrorCode::kInvalidArgument))
          << text.substr(0, size);
    }
  }
}

TEST(ShapeTest, RefusesHostileBytesAndTexts) {
  for (const std::string& text : Texts()) {
    const std::string bytes = BytesOf(Parsed(text));
    for (size_t i = 0; i < bytes.size(); ++i) {
      for (const char value : {'\xff', '\x7f', '\x00', '\x07'}) {
        std::string hostile = bytes;
        hostile[i] = value;
        const auto parsed = ParseShapeBytes(hostile);
        if (parsed.ok()) continue;
        EXPECT_THAT(parsed, FailsWith(ErrorCode::kInvalidArgument));
      }
    }
  }
  std::string deep_text;
  std::string deep_bytes;
  for (int i = 0; i < 10'000; ++i) {
    deep_text += "GEOMETRYCOLLECTION(";
    deep_bytes += std::string("\x01\x07\x00\x00\x00\x01\x00\x00\x00", 9);
  }
  EXPECT_THAT(ParseShapeText(deep_text), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseShapeBytes(deep_bytes), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseShapeText("POINT(1 2, 3 4)"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseShapeText("MULTIPOINT(1 2, x)"), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(GeometryEngineTest, RelatesWhatIsPreparedAndWhatIsNot) {
  ASSERT_OK_AND_ASSIGN(const auto engine, GeometryEngine::Make());
  const Shape square = Parsed("POLYGON((0 0,4 0,4 4,0 4,0 0))");
  const Shape inside = Parsed("POINT(1 1)");
  const Shape border = Parsed("POINT(4 2)");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(engine->Test(Relation::kContains, square, inside), Holds(true));
    EXPECT_THAT(engine->Test(Relation::kWithin, inside, square), Holds(true));
    EXPECT_THAT(engine->Test(Relation::kContains, inside, square), Holds(false));
    EXPECT_THAT(engine->Test(Relation::kContains, square, border), Holds(false));
    EXPECT_THAT(engine->Test(Relation::kCovers, square, border), Holds(true));
    EXPECT_THAT(engine->Test(Relation::kTouches, border, square), Holds(true));
  }
  EXPECT_THAT(engine->Distance(square, Parsed("POINT(7 8)")), Holds(std::optional(5.0)));
  EXPECT_THAT(engine->Distance(square, Parsed("POINT EMPTY")), Holds(std::optional<double>()));
}

TEST(GeometryEngineTest, RefusesRingsThatAreNotClosed) {
  ASSERT_OK_AND_ASSIGN(const auto engine, GeometryEngine::Make());
  const Shape open = Parsed("POLYGON((0 0,4 0,4 4,0 4))");
  EXPECT_THAT(engine->Test(Relation::kIntersects, open, Parsed("POINT(1 1)")),
              FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto fault, engine->FindFault(open));
  EXPECT_TRUE(fault);
  // What failed leaves the engine as it was.
  EXPECT_THAT(engine->Test(Relation::kEquals, Parsed("POINT(1 1)"), Parsed("POINT(1 1)")),
              Holds(true));
}

TEST(SimplifyLineTest, LeavesOutTheLeastAreasFirst) {
  const Shape line = Parsed("LINESTRING(0 0,1 0.1,2 0,3 5,4 0)");
  Shape simple = line;
  simple.points = SimplifyByArea(line.points, 0.1);
  EXPECT_EQ(TextOf(simple), "LINESTRING(0 0,2 0,3 5,4 0)");
  simple.points = SimplifyByArea(line.points, 100);
  EXPECT_EQ(TextOf(simple), "LINESTRING(0 0,4 0)");
  EXPECT_EQ(SimplifyByArea(line.points, 0), line.points);
}

}  // namespace
}  // namespace tusk::expr
