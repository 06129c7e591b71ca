#include "tusk/expr/predicate_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/expression.h>
#include <gtest/gtest.h>

#include "tusk/expr/filter.h"
#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using Kind = Predicate::Kind;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Columns i (int32), d (double) and s (text) of few values, with nulls and perhaps NaN.
std::shared_ptr<arrow::RecordBatch> RandomBatch(std::mt19937* random, bool has_nan = true) {
  arrow::Int32Builder i;
  arrow::DoubleBuilder d;
  arrow::StringBuilder s;
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  for (int row = 0; row < 40; ++row) {
    EXPECT_OK(draw(5) == 0 ? i.AppendNull() : i.Append(draw(6)));
    EXPECT_OK(draw(5) == 0 ? d.AppendNull() : d.Append(has_nan && draw(4) == 0 ? kNan : draw(6)));
    EXPECT_OK(draw(5) == 0 ? s.AppendNull() : s.Append(std::string(1, 'a' + draw(6))));
  }
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int32()), arrow::field("d", arrow::float64()),
                     arrow::field("s", arrow::utf8())});
  return arrow::RecordBatch::Make(
      schema, 40, {i.Finish().ValueOrDie(), d.Finish().ValueOrDie(), s.Finish().ValueOrDie()});
}

arrow::Datum RandomLiteral(const std::string& column, std::mt19937* random) {
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  if (column == "i") return arrow::Datum(int32_t{draw(6)});
  if (column == "d") return arrow::Datum(draw(5) == 0 ? kNan : draw(6));
  return arrow::Datum(std::string(1, 'a' + draw(6)));
}

cp::Expression RandomIsIn(const std::string& column, std::mt19937* random) {
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  arrow::ScalarVector values;
  const int count = draw(4);
  for (int k = 0; k < count; ++k) values.push_back(RandomLiteral(column, random).scalar());
  const auto type = RandomLiteral(column, random).type();
  auto builder = arrow::MakeBuilder(type).ValueOrDie();
  for (const auto& value : values) EXPECT_OK(builder->AppendScalar(*value));
  if (draw(3) == 0) {
    EXPECT_OK(builder->AppendNull());
  }
  const cp::SetLookupOptions::NullMatchingBehavior behaviors[] = {
      cp::SetLookupOptions::MATCH, cp::SetLookupOptions::SKIP, cp::SetLookupOptions::EMIT_NULL,
      cp::SetLookupOptions::INCONCLUSIVE};
  return cp::call("is_in", {cp::field_ref(column)},
                  cp::SetLookupOptions(builder->Finish().ValueOrDie(), behaviors[draw(4)]));
}

cp::Expression RandomFilter(int depth, std::mt19937* random) {
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  if (depth > 0 && draw(3) != 0) {
    if (draw(3) == 0) return cp::not_(RandomFilter(depth - 1, random));
    auto left = RandomFilter(depth - 1, random);
    auto right = RandomFilter(depth - 1, random);
    return draw(2) == 0 ? cp::and_(left, right) : cp::or_(left, right);
  }
  const std::string column = std::vector<std::string>{"i", "d", "s"}[draw(3)];
  const auto field = cp::field_ref(column);
  switch (draw(5)) {
    case 0:
      return cp::is_null(field);
    case 1:
      return cp::is_valid(field);
    case 2:
      return RandomIsIn(column, random);
    default: {
      const std::vector<std::string> functions = {"less",          "less_equal", "greater",
                                                  "greater_equal", "equal",      "not_equal"};
      const auto literal = cp::literal(RandomLiteral(column, random));
      return draw(2) == 0 ? cp::call(functions[draw(6)], {field, literal})
                          : cp::call(functions[draw(6)], {literal, field});
    }
  }
}

bool IsNan(const arrow::Scalar& scalar) {
  return scalar.type->id() == arrow::Type::DOUBLE &&
         std::isnan(static_cast<const arrow::DoubleScalar&>(scalar).value);
}

/// Negative, 0 or positive, as `a` is less than, equal to or greater than `b`.
int Compare(const arrow::Scalar& a, const arrow::Scalar& b) {
  if (a.type->id() == arrow::Type::STRING) return a.ToString().compare(b.ToString());
  const auto number = [](const arrow::Scalar& s) {
    return s.type->id() == arrow::Type::DOUBLE
               ? static_cast<const arrow::DoubleScalar&>(s).value
               : static_cast<double>(static_cast<const arrow::Int32Scalar&>(s).value);
  };
  return number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0;
}

/// The plain meaning of a predicate for one row.
bool IsTrue(const Predicate& predicate, const arrow::RecordBatch& batch, int64_t row) {
  const auto child_is_true = [&](const Predicate& child) { return IsTrue(child, batch, row); };
  if (predicate.kind == Kind::kAnything) return true;
  if (predicate.kind == Kind::kNever) return false;
  if (predicate.kind == Kind::kAnd) return std::ranges::all_of(predicate.children, child_is_true);
  if (predicate.kind == Kind::kOr) return std::ranges::any_of(predicate.children, child_is_true);
  const auto value = batch.GetColumnByName(predicate.path.front())->GetScalar(row).ValueOrDie();
  if (predicate.kind == Kind::kIsNull) return !value->is_valid;
  if (!value->is_valid) return false;
  if (predicate.kind == Kind::kIsNotNull) return true;
  if (predicate.kind == Kind::kIsNan) return IsNan(*value);
  if (IsNan(*value)) return false;
  const auto is_equal = [&](const auto& other) { return Compare(*value, *other) == 0; };
  if (predicate.kind == Kind::kIn) return std::ranges::any_of(predicate.values, is_equal);
  if (predicate.kind == Kind::kNotIn) return std::ranges::none_of(predicate.values, is_equal);
  const int order = Compare(*value, *predicate.values.front());
  switch (predicate.kind) {
    case Kind::kLess:
      return order < 0;
    case Kind::kLessEqual:
      return order <= 0;
    case Kind::kGreater:
      return order > 0;
    case Kind::kGreaterEqual:
      return order >= 0;
    case Kind::kEqual:
      return order == 0;
    default:
      return order != 0;
  }
}

TEST(PredicateTest, IsTrueOfTheRowsThatTheFilterKeeps) {
  std::mt19937 random(20);
  const OperationContext context;
  for (int round = 0; round < 2000; ++round) {
    const auto batch = RandomBatch(&random);
    const auto expression = RandomFilter(3, &random);
    ASSERT_OK_AND_ASSIGN(const auto bound,
                         Filter::FromArrow(expression)->Bind(*batch->schema(), context));
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      ASSERT_OK_AND_ASSIGN(const auto kept, bound->Apply(batch->Slice(row, 1), context));
      ASSERT_EQ(IsTrue(bound->predicate(), *batch, row), kept->num_rows() == 1)
          << expression.ToString() << " in row " << batch->Slice(row, 1)->ToString();
    }
  }
}

TEST(PredicateTest, ItsComplementHoldsForTheRowsThatTheFilterDoesNotKeep) {
  std::mt19937 random(21);
  const OperationContext context;
  int understood = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto batch = RandomBatch(&random);
    const auto filter = Filter::FromArrow(RandomFilter(2, &random));
    ASSERT_OK_AND_ASSIGN(const auto bound, filter->Bind(*batch->schema(), context));
    ASSERT_OK_AND_ASSIGN(const auto kept, bound->Judge(*batch, context));
    if (bound->complement().kind != Kind::kAnything) ++understood;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      if (kept->Value(row)) continue;
      ASSERT_TRUE(IsTrue(bound->complement(), *batch, row)) << filter->ToString();
    }
  }
  EXPECT_GT(understood, 500);
}

TEST(PredicateTest, KnowsTheEndsOfALongList) {
  std::string list = "10";
  for (int i = 12; i <= 4000; i += 2) list += ", " + std::to_string(i);
  arrow::Int32Builder builder;
  ASSERT_OK(builder.AppendValues({-5, 9, 10, 11, 12, 4000, 4001}));
  ASSERT_OK(builder.AppendNull());
  const auto column = *builder.Finish();
  const auto schema = arrow::schema({arrow::field("i", arrow::int32())});
  const auto batch = arrow::RecordBatch::Make(schema, column->length(), {column});
  const auto rows_of = [&](const Predicate& predicate) {
    std::vector<bool> rows;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      rows.push_back(IsTrue(predicate, *batch, row));
    }
    return rows;
  };
  ASSERT_OK_AND_ASSIGN(const auto filter, Filter::FromSql("i IN (" + list + ")"));
  ASSERT_OK_AND_ASSIGN(const auto bound, filter->Bind(*schema, {}));
  ASSERT_OK_AND_ASSIGN(const auto kept, bound->Judge(*batch, {}));
  EXPECT_EQ(kept->true_count(), 3);
  EXPECT_THAT(rows_of(bound->predicate()),
              testing::ElementsAre(false, false, true, true, true, true, false, false));
  EXPECT_THAT(rows_of(bound->complement()), testing::Each(true));
  ASSERT_OK_AND_ASSIGN(const auto others, Filter::FromSql("i NOT IN (" + list + ")"));
  ASSERT_OK_AND_ASSIGN(const auto bound_others, others->Bind(*schema, {}));
  EXPECT_THAT(rows_of(bound_others->predicate()),
              testing::ElementsAre(true, true, true, true, true, true, true, false));
}

bool MentionsNan(const cp::Expression& expression) {
  return expression.ToString().find("nan") != std::string::npos;
}

TEST(PredicateTest, AnArrowExpressionKeepsWhatArrowKeepsWhereThereIsNoNan) {
  std::mt19937 random(23);
  const OperationContext context;
  int compared = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto batch = RandomBatch(&random, /*has_nan=*/false);
    const auto expression = RandomFilter(3, &random);
    if (MentionsNan(expression)) continue;
    ASSERT_OK_AND_ASSIGN(const auto ours,
                         Filter::FromArrow(expression)->Bind(*batch->schema(), context));
    ASSERT_OK_AND_ASSIGN(const auto kept, ours->Judge(*batch, context));
    ASSERT_OK_AND_ASSIGN(const auto theirs, expression.Bind(*batch->schema()));
    ASSERT_OK_AND_ASSIGN(const auto mask,
                         cp::ExecuteScalarExpression(theirs, cp::ExecBatch(*batch)));
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const auto truth =
          mask.is_scalar() ? mask.scalar() : mask.make_array()->GetScalar(row).ValueOrDie();
      const bool is_true =
          truth->is_valid && static_cast<const arrow::BooleanScalar&>(*truth).value;
      ASSERT_EQ(kept->Value(row), is_true) << expression.ToString() << " in row " << row;
    }
    ++compared;
  }
  EXPECT_GT(compared, 1000);
}

/// The same conditions as RandomFilter's, as text.
std::string RandomText(int depth, std::mt19937* random) {
  const auto draw = [&](int n) { return static_cast<int>((*random)() % n); };
  if (depth > 0 && draw(3) != 0) {
    if (draw(3) == 0) return "NOT (" + RandomText(depth - 1, random) + ")";
    const std::string left = RandomText(depth - 1, random);
    return "(" + left + (draw(2) == 0 ? ") AND (" : ") OR (") + RandomText(depth - 1, random) + ")";
  }
  const std::string column = std::vector<std::string>{"i", "d", "s"}[draw(3)];
  const auto literal = [&]() -> std::string {
    if (column == "i") return std::to_string(draw(6));
    if (column == "d") return std::to_string(draw(6)) + ".0";
    return "'" + std::string(1, 'a' + draw(6)) + "'";
  };
  switch (draw(5)) {
    case 0:
      return draw(2) == 0 ? column + " IS NULL" : column + " IS NOT NULL";
    case 2:
      return column + (draw(2) == 0 ? " IN (" : " NOT IN (") + literal() + ", " +
             (draw(4) == 0 ? "NULL" : literal()) + ")";
    default: {
      const std::vector<std::string> operators = {"<", "<=", ">", ">=", "=", "!="};
      return draw(2) == 0 ? column + " " + operators[draw(6)] + " " + literal()
                          : literal() + " " + operators[draw(6)] + " " + column;
    }
  }
}

TEST(PredicateTest, OfATextIsTrueOfTheRowsThatTheFilterKeeps) {
  std::mt19937 random(22);
  const OperationContext context;
  int understood = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto batch = RandomBatch(&random);
    ASSERT_OK_AND_ASSIGN(const auto filter, Filter::FromSql(RandomText(3, &random)));
    ASSERT_OK_AND_ASSIGN(const auto bound, filter->Bind(*batch->schema(), context));
    ASSERT_OK_AND_ASSIGN(const auto kept, bound->Judge(*batch, context));
    if (bound->complement().kind != Kind::kAnything) ++understood;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      ASSERT_EQ(IsTrue(bound->predicate(), *batch, row), kept->Value(row))
          << filter->ToString() << " in row " << batch->Slice(row, 1)->ToString();
      if (!kept->Value(row)) {
        ASSERT_TRUE(IsTrue(bound->complement(), *batch, row)) << filter->ToString();
      }
    }
  }
  EXPECT_GT(understood, 1000);
}

Predicate Of(const cp::Expression& expression) {
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int32()), arrow::field("l", arrow::int64()),
                     arrow::field("m", arrow::decimal128(9, 2)),
                     arrow::field("p", arrow::struct_({arrow::field("x", arrow::int32())}))});
  const auto bound = Filter::FromArrow(expression)->Bind(*schema, OperationContext());
  EXPECT_OK(bound);
  return (*bound)->predicate();
}

TEST(PredicateTest, LooksThroughCastsThatKeepValues) {
  const Predicate wide = Of(cp::greater(cp::field_ref("i"), cp::literal(int64_t{1} << 40)));
  EXPECT_EQ(wide.kind, Kind::kGreater);
  EXPECT_EQ(wide.path, std::vector<std::string>{"i"});
  // A long does not fit into a double: 2^53 and 2^53 + 1 become the same.
  EXPECT_EQ(Of(cp::greater(cp::field_ref("l"), cp::literal(5.5))).kind, Kind::kAnything);
  const auto decimal =
      std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(5), arrow::decimal128(3, 1));
  EXPECT_EQ(Of(cp::equal(cp::field_ref("m"), cp::literal(decimal))).kind, Kind::kEqual);
}

TEST(PredicateTest, NamesNestedColumnsByTheirPath) {
  const auto x = cp::field_ref(arrow::FieldRef("p", "x"));
  EXPECT_EQ(Of(cp::less(x, cp::literal(int32_t{3}))).path, (std::vector<std::string>{"p", "x"}));
}

TEST(PredicateTest, TakesWhatItDoesNotUnderstandForAnything) {
  const auto sum = cp::call("add", {cp::field_ref("i"), cp::literal(int32_t{1})});
  const Predicate both = Of(cp::and_(cp::equal(sum, cp::literal(int32_t{2})),
                                     cp::equal(cp::field_ref("i"), cp::literal(int32_t{1}))));
  ASSERT_EQ(both.kind, Kind::kAnd);
  EXPECT_EQ(both.children[0].kind, Kind::kAnything);
  EXPECT_EQ(both.children[1].kind, Kind::kEqual);
}

}  // namespace
}  // namespace tusk::expr
