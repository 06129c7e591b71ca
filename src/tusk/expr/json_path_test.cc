#include "tusk/expr/json_path.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

/// The values that the path leads to, one behind the other.
Result<std::string> Selected(std::string_view json, std::string_view path) {
  JsonParser parser;
  ARROW_RETURN_NOT_OK(parser.Parse(json));
  ARROW_ASSIGN_OR_RAISE(const JsonPath parsed, JsonPath::Parse(path));
  ARROW_ASSIGN_OR_RAISE(const auto selected, parsed.Select(parser.nodes()));
  std::string text;
  for (const uint32_t node : selected) {
    if (!text.empty()) text += ' ';
    AppendJson(parser.nodes(), node, &text);
  }
  return text;
}

TEST(JsonPathTest, LeadsWhereItsStepsSay) {
  const char* json = R"({"a": [1, [2, {"b": "x"}], []], "c d": {"e": null}, "f": true})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"$.a[0]", "1"},
      {"a[1][1].b", R"("x")"},
      {"$.a[0 to 1]", R"(1 [2,{"b":"x"}])"},
      {"$.a[ last , 0 ]", "[] 1"},
      {"$.a[last - 2]", "1"},
      {"$.a[2 to 1]", ""},
      {"$.a[-1]", ""},
      {"$.a[0 to 99]", R"(1 [2,{"b":"x"}] [])"},
      {R"($."c d".e)", "null"},
      {R"($["c d"])", R"({"e":null})"},
      {"$.*", R"([1,[2,{"b":"x"}],[]] {"e":null} true)"},
      {"$.f[*]", "true"},
      {"$.a[1].**", R"([2,{"b":"x"}] 2 {"b":"x"} "x")"},
      {"$.f.g", ""},
      {" $ ", R"({"a":[1,[2,{"b":"x"}],[]],"c d":{"e":null},"f":true})"},
  };
  for (const auto& [path, expected] : cases) {
    ASSERT_OK_AND_ASSIGN(const std::string selected, Selected(json, path));
    EXPECT_EQ(selected, expected) << path;
  }
}

TEST(JsonPathTest, RefusesEveryPrefixThatIsNoPath) {
  const std::string path = R"($.a["b c"][0 to last - 1, 2].*.**)";
  for (size_t length = 0; length <= path.size(); ++length) {
    const auto parsed = JsonPath::Parse(path.substr(0, length));
    if (parsed.ok()) continue;
    EXPECT_THAT(parsed, FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const char* wrong : {"$a",
                            "$.",
                            "$..a",
                            "$[",
                            "$[]",
                            "$[1",
                            "$[1,]",
                            "$[\"a]",
                            "$[\"\"]",
                            "$['a']",
                            "$[99999999999]",
                            "$.a b",
                            "$]",
                            "$.a?(@)",
                            "$.a?()",
                            "$.a?(@ = 1)",
                            "$.a?(@ == 1",
                            "$.a?(@ + 1 == 2)",
                            "$.a?(!(@ == 1))",
                            "@.a == 1",
                            "$.**{1",
                            "$.**{a}"}) {
    EXPECT_THAT(JsonPath::Parse(wrong), FailsWith(ErrorCode::kInvalidArgument)) << wrong;
  }
}

TEST(JsonPathTest, KeepsTheValuesForWhichAConditionIsTrue) {
  const std::string json =
      R"({"a":1,"c":[1,2,"z",null,2.5,[7]],"o":[{"p":1,"q":"ab"},{"p":2,"q":"cd"},{"q":3}]})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"$.c[*]?(@ > 1)", "2 2.5 [7]"},
      {R"($.c[*]?(@ == "z"))", R"("z")"},
      {"$.c[*]?(@ != 1)", R"(2 "z" null 2.5 [7])"},
      {"$.c[*]?(@ == null)", "null"},
      {"$.c[*]?(@ >= 2.5)", "2.5 [7]"},
      {"$.c?(@ == 2)", R"([1,2,"z",null,2.5,[7]])"},
      {"$.c[*]?(@ == $.a)", "1"},
      {"$.o[*]?(@.p == 2).q", R"("cd")"},
      {R"($.o[*]?(@.p > 0 && @.q == "cd").p)", "2"},
      {R"($.o[*]?(@.q starts with "a").p)", "1"},
      {"$.o[*]?(exists(@.p?(@ > 1))).q", R"("cd")"},
      // A side that is not compared makes the whole unknown, as in pylance.
      {"$.o[*]?(@.p == 1 || @.q == 3)", R"({"q":3})"},
      {R"($.o[*]?(@.p == 2 || (@.q == "ab" && @.p == 1)).p)", "1 2"},
      {"$.zz?(@ == 1)", ""},
      {"$.**{1}", R"(1 [1,2,"z",null,2.5,[7]] [{"p":1,"q":"ab"},{"p":2,"q":"cd"},{"q":3}])"},
      {"$.c.**{2 to last}", "7"},
  };
  for (const auto& [path, expected] : cases) {
    ASSERT_OK_AND_ASSIGN(const std::string selected, Selected(json, path));
    EXPECT_EQ(selected, expected) << path;
  }
}

TEST(JsonPathTest, RefusesConditionsThatAreNestedTooDeep) {
  for (const char* opening : {"(", "$.a?(", "exists($.a?("}) {
    std::string path = "$.a?(";
    for (int i = 0; i < 20'000; ++i) path += opening;
    EXPECT_THAT(JsonPath::Parse(path), FailsWith(ErrorCode::kInvalidArgument)) << opening;
  }
}

TEST(JsonPathTest, StaysBoundedWhateverTheText) {
  const size_t depth = 3000;
  const std::string json = std::string(depth, '[') + std::string(depth, ']');
  ASSERT_OK_AND_ASSIGN(const std::string whole, Selected(json, "$"));
  EXPECT_EQ(whole, json);
  EXPECT_THAT(Selected(json, "$.**.**"), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::expr
