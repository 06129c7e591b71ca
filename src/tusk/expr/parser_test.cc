#include "tusk/expr/parser.h"

#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

/// The tree as text, every operation in brackets.
std::string Show(const Syntax& syntax) {
  std::string children;
  for (const auto& child : syntax.children) {
    children += (children.empty() ? "" : " ") + Show(*child);
  }
  const std::string no = syntax.is_negated ? "not-" : "";
  switch (syntax.kind) {
    case SyntaxKind::kNull:
      return "null";
    case SyntaxKind::kTrue:
      return "true";
    case SyntaxKind::kNumber:
    case SyntaxKind::kName:
      return syntax.text;
    case SyntaxKind::kText:
      return "'" + syntax.text + "'";
    case SyntaxKind::kMember:
      return Show(*syntax.children[0]) + "." + syntax.text;
    case SyntaxKind::kSubscript:
      return Show(*syntax.children[0]) + "[" + Show(*syntax.children[1]) + "]";
    case SyntaxKind::kNegate:
      return "(- " + children + ")";
    case SyntaxKind::kNot:
      return "(not " + children + ")";
    case SyntaxKind::kAnd:
      return "(and " + children + ")";
    case SyntaxKind::kOr:
      return "(or " + children + ")";
    case SyntaxKind::kIsNull:
      return "(" + no + "null? " + children + ")";
    case SyntaxKind::kIn:
      return "(" + no + "in " + children + ")";
    case SyntaxKind::kBetween:
      return "(" + no + "between " + children + ")";
    case SyntaxKind::kLike:
      return "(" + no + "like " + children + ")";
    case SyntaxKind::kCast:
      return "(cast " + children + ")";
    case SyntaxKind::kCase:
      return "(case " + children + ")";
    case SyntaxKind::kDistinct:
      return "(" + no + "distinct " + children + ")";
    default:
      return "(" + syntax.text + (children.empty() ? "" : " ") + children + ")";
  }
}

std::string Parsed(std::string_view text) {
  const auto syntax = Parse(text);
  return syntax.ok() ? Show(**syntax) : syntax.status().message();
}

TEST(ParserTest, BindsOperatorsAsSqlDoes) {
  EXPECT_EQ(Parsed("a or b and not c = d + e * f"), "(or a (and b (not (= c (+ d (* e f))))))");
  EXPECT_EQ(Parsed("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(Parsed("a << 1 + 1"), "(<< a (+ 1 1))");
  EXPECT_EQ(Parsed("a = b is null"), "(null? (= a b))");
  EXPECT_EQ(Parsed("not a is not null"), "(not (not-null? a))");
  EXPECT_EQ(Parsed("- a::int * -1"), "(* (- (cast a)) -1)");
  EXPECT_EQ(Parsed("a between 1 and 2 and b"), "(and (between a 1 2) b)");
  EXPECT_EQ(Parsed("a not like 'x' or a not in (1, b)"), "(or (not-like a 'x') (not-in a 1 b))");
  EXPECT_EQ(Parsed("a is not distinct from null"), "(not-distinct a null)");
  EXPECT_EQ(Parsed("a || 'x' = 'y'"), "(= (|| a 'x') 'y')");
}

TEST(ParserTest, ReadsNamesPathsAndQuotes) {
  EXPECT_EQ(Parsed("`a b`.`c``d`.e"), "a b.c`d.e");
  EXPECT_EQ(Parsed("a['b'][1].c"), "a['b'][1].c");
  EXPECT_EQ(Parsed("date"), "date");
  EXPECT_EQ(Parsed("order = \"x\"\"y\""), "(= order 'x\"y')");
  EXPECT_EQ(Parsed("'it''s'"), "'it's'");
  EXPECT_EQ(Parsed("a.5"), "at character 3, '5': the name of a field is expected behind the dot");
}

TEST(ParserTest, ReadsCallsOfSqlsOwnForms) {
  EXPECT_EQ(Parsed("EXTRACT(YEAR FROM d)"), "(date_part 'YEAR' d)");
  EXPECT_EQ(Parsed("substring(s from 2 for 3)"), "(substr s 2 3)");
  EXPECT_EQ(Parsed("substring(s, 2)"), "(substr s 2)");
  EXPECT_EQ(Parsed("trim(leading 'x' from s)"), "(ltrim s 'x')");
  EXPECT_EQ(Parsed("trim(s)"), "(btrim s)");
  EXPECT_EQ(Parsed("position('x' in s)"), "(strpos s 'x')");
  EXPECT_EQ(Parsed("case a when 1 then 2 else 3 end"), "(case a 1 2 3)");
  EXPECT_EQ(Parsed("a in [1, 2]"), "(in a 1 2)");
  EXPECT_EQ(Parsed("current_date > d"), "(> (current_date) d)");
}

TEST(ParserTest, ReadsLiteralsWithTypes) {
  for (const char* text :
       {"date '2021-01-01'", "timestamp '2021-01-01'", "timestamp(3) 'x'", "time '1:00'",
        "decimal(8,3) '1.5'", "interval '1 day'", "interval 2 hours", "x'00ff'"}) {
    EXPECT_OK(Parse(text)) << text;
  }
  ASSERT_OK_AND_ASSIGN(const auto bytes, Parse("X'61ff'"));
  EXPECT_EQ(bytes->text, "a\xff");
}

TEST(ParserTest, LeavesCommentsOutAndTakesOneSemicolon) {
  EXPECT_EQ(Parsed("a /* b */ = -- c\n 1;"), "(= a 1)");
}

TEST(ParserTest, SaysWhereItFails) {
  EXPECT_EQ(Parsed("é = 'x' y"), "at character 9, 'y': the expression is complete before this");
  EXPECT_EQ(Parsed("(a"), "at character 3, the end of '(a': ')' is expected here");
  EXPECT_EQ(Parsed("a = 'x"), "at character 5, ''x': the quote ' is not closed");
  EXPECT_EQ(Parsed(""), "at character 1, the end of '': there is no expression");
  EXPECT_EQ(Parsed("1a"),
            "at character 1, '1a': this is neither a number nor a name (a name that "
            "begins with a digit stands in backticks)");
  EXPECT_EQ(Parsed("cast(a as strng)"),
            "at character 11, 'strng': there is no type 'strng', did you mean 'string'?");
}

TEST(ParserTest, RefusesEveryPrefixOfWhatNeedsItsEnd) {
  const std::string text = "CASE WHEN a.b[1] IN ('x', X'00') THEN CAST(c AS decimal(3, 1)) END";
  ASSERT_OK(Parse(text));
  // Shorter ones are names.
  for (size_t size = 4; size < text.size(); ++size) {
    EXPECT_THAT(Parse(text.substr(0, size)), FailsWith(ErrorCode::kInvalidArgument)) << size;
  }
}

TEST(ParserTest, RefusesWhatIsTooDeepAndTakesLongChains) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "(not ";
  EXPECT_THAT(Parse(deep), FailsWith(ErrorCode::kInvalidArgument));
  std::string sum = "a";
  for (int i = 0; i < 100'000; ++i) sum += " + 1";
  EXPECT_THAT(Parse(sum), FailsWith(ErrorCode::kInvalidArgument));
  std::string chain = "a";
  for (int i = 0; i < 100'000; ++i) chain += " and a";
  EXPECT_OK(Parse(chain));
}

}  // namespace
}  // namespace tusk::expr
