#include "tusk/expr/filter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/expr/bound_text.h"
#include "tusk/expr/predicate_builder.h"
#include "tusk/expr/pruning.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;

/// Arrow says NotImplemented or KeyError where the caller's predicate makes no sense; what is left
/// as it is tells about the process and not about the predicate.
Status InvalidFilter(const Status& status, const cp::Expression& expression) {
  if (status.IsOutOfMemory() || status.IsCancelled()) return status;
  return InvalidArgument("filter ", expression.ToString(), ": ", status.message());
}

/// The names from the top-level column down to what `ref` refers to, as far as it names it.
Result<std::vector<std::string>> PathOf(const arrow::FieldRef& ref) {
  const std::vector<arrow::FieldRef> steps =
      ref.IsNested() ? *ref.nested_refs() : std::vector<arrow::FieldRef>{ref};
  std::vector<std::string> names;
  for (const arrow::FieldRef& step : steps) {
    if (!step.IsName()) break;
    names.push_back(*step.name());
  }
  if (!names.empty()) return names;
  return InvalidArgument("a filter must name its columns, but one is given as ", ref.ToString());
}

/// True if `expression` compares with NaN anywhere. Arrow's simplification takes NaN for a value
/// among others and would conclude from x >= 1 that not (x < NaN) is false.
bool MentionsNan(const cp::Expression& expression) {
  if (const arrow::Datum* literal = expression.literal()) {
    if (!literal->is_scalar() || !literal->scalar()->is_valid) return false;
    const arrow::Scalar& scalar = *literal->scalar();
    switch (scalar.type->id()) {
      case arrow::Type::HALF_FLOAT:  // not worth decoding
        return true;
      case arrow::Type::FLOAT:
        return std::isnan(static_cast<const arrow::FloatScalar&>(scalar).value);
      case arrow::Type::DOUBLE:
        return std::isnan(static_cast<const arrow::DoubleScalar&>(scalar).value);
      default:
        return false;
    }
  }
  const auto* call = expression.call();
  return call != nullptr && std::ranges::any_of(call->arguments, MentionsNan);
}

/// `comparison` with the bound of a column, if there is one, joined to `guarantee`. Nulls are let
/// through one comparison at a time, which is the form that Arrow's simplification understands.
void AddBound(cp::Expression (*comparison)(cp::Expression, cp::Expression), const std::string& name,
              const std::shared_ptr<arrow::Scalar>& bound, bool may_be_null,
              std::vector<cp::Expression>* guarantee) {
  if (bound == nullptr) return;
  cp::Expression fact = comparison(cp::field_ref(name), cp::literal(bound));
  if (may_be_null) fact = cp::or_(std::move(fact), cp::is_null(cp::field_ref(name)));
  guarantee->push_back(std::move(fact));
}

}  // namespace

struct Filter::State {
  std::shared_ptr<const ParsedText> parsed;  ///< null if the filter is an Arrow expression
  cp::Expression expression;
};

struct Filter::Bound::State {
  std::optional<BoundText> text;  ///< absent if the filter is an Arrow expression
  cp::Expression expression;
  std::shared_ptr<arrow::Schema> schema;
  Predicate predicate = {};
  Predicate complement = {};

  /// The value of each row, or a scalar of all of them.
  Result<arrow::Datum> Evaluate(const arrow::RecordBatch& batch,
                                const OperationContext& context) const;
};

Filter::Filter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Filter::~Filter() = default;

Filter::Bound::Bound(std::unique_ptr<State> state) : state_(std::move(state)) {}
Filter::Bound::~Bound() = default;

Result<std::shared_ptr<const Filter>> Filter::FromSql(std::string_view text) {
  auto parsed = ParsedText::Parse(text);
  if (!parsed.ok()) return WithContext(parsed.status(), "filter");
  return std::shared_ptr<const Filter>(
      new Filter(std::make_unique<State>(State{.parsed = *std::move(parsed), .expression = {}})));
}

std::shared_ptr<const Filter> Filter::FromArrow(cp::Expression expression) {
  return std::shared_ptr<const Filter>(new Filter(
      std::make_unique<State>(State{.parsed = nullptr, .expression = std::move(expression)})));
}

Result<std::shared_ptr<const Filter>> Filter::Deserialize(std::shared_ptr<arrow::Buffer> bytes) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const int64_t size = bytes->size();
  Result<cp::Expression> expression = cp::Deserialize(std::move(bytes));
  if (!expression.ok()) {
    return InvalidArgument("filter: ", size, " bytes are not a serialized Arrow expression: ",
                           expression.status().message());
  }
  return FromArrow(*std::move(expression));
}

Result<std::vector<std::vector<std::string>>> Filter::Paths(const arrow::Schema& schema) const {
  if (state_->parsed != nullptr) {
    auto paths = state_->parsed->Paths(schema);
    if (!paths.ok()) return WithContext(paths.status(), "filter");
    return paths;
  }
  std::set<std::vector<std::string>> paths;
  for (const arrow::FieldRef& ref : cp::FieldsInExpression(state_->expression)) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> path, PathOf(ref));
    paths.insert(std::move(path));
  }
  return std::vector<std::vector<std::string>>(paths.begin(), paths.end());
}

Result<std::vector<std::string>> Filter::Columns(const arrow::Schema& schema) const {
  ARROW_ASSIGN_OR_RAISE(const auto paths, Paths(schema));
  std::set<std::string> names;
  for (const std::vector<std::string>& path : paths) names.insert(path.front());
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::shared_ptr<const Filter::Bound>> Filter::Bind(const arrow::Schema& schema,
                                                          const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  if (state_->parsed != nullptr) {
    auto text = BoundText::Bind(state_->parsed, schema, /*is_condition=*/true, context);
    if (!text.ok()) return WithContext(text.status(), "filter");
    auto state = std::make_unique<Bound::State>(
        Bound::State{.text = *std::move(text), .expression = {}, .schema = nullptr});
    state->predicate = BuildPredicate(*state->text->node, *state->text->schema);
    state->complement = BuildComplement(*state->text->node, *state->text->schema);
    return std::shared_ptr<const Bound>(new Bound(std::move(state)));
  }
  const cp::Expression& expression = state_->expression;
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> columns, Columns(schema));
  for (const std::string& column : columns) {
    if (schema.GetAllFieldIndices(column).empty()) {
      return InvalidArgument("filter ", expression.ToString(), ": there is no column '", column,
                             "'");
    }
  }
  cp::ExecContext exec_context(context.pool);
  Result<cp::Expression> bound = expression.Bind(schema, &exec_context);
  if (!bound.ok()) return InvalidFilter(bound.status(), expression);
  if (bound->type()->id() != arrow::Type::BOOL) {
    return InvalidArgument("filter ", expression.ToString(), " gives ", bound->type()->ToString(),
                           ", not bool");
  }
  if (!bound->IsScalarExpression()) {
    return InvalidArgument("filter ", expression.ToString(), " does not judge each row on its own");
  }
  auto state = std::make_unique<Bound::State>(
      Bound::State{.text = std::nullopt,
                   .expression = *std::move(bound),
                   .schema = std::make_shared<arrow::Schema>(schema)});
  state->predicate = BuildPredicate(state->expression);
  state->complement = BuildComplement(state->expression);
  return std::shared_ptr<const Bound>(new Bound(std::move(state)));
}

const Predicate& Filter::Bound::predicate() const { return state_->predicate; }

const Predicate& Filter::Bound::complement() const { return state_->complement; }

std::string Filter::ToString() const {
  return state_->parsed != nullptr ? state_->parsed->text : state_->expression.ToString();
}

Result<arrow::Datum> Filter::Bound::State::Evaluate(const arrow::RecordBatch& batch,
                                                    const OperationContext& context) const {
  if (text) {
    auto values = text->Evaluate(batch, context);
    if (!values.ok()) return WithContext(values.status(), "filter");
    return values;
  }
  if (!batch.schema()->Equals(*schema, /*check_metadata=*/false)) {
    return InvalidArgument("filter ", expression.ToString(), " is bound to schema\n",
                           schema->ToString(), "\nbut the batch has\n", batch.schema()->ToString());
  }
  cp::ExecContext exec_context(context.pool);
  return cp::ExecuteScalarExpression(expression, cp::ExecBatch(batch), &exec_context);
}

Result<std::shared_ptr<arrow::RecordBatch>> Filter::Bound::Apply(
    const std::shared_ptr<arrow::RecordBatch>& batch, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum mask, state_->Evaluate(*batch, context));
  if (mask.is_scalar()) {
    const auto& keep = mask.scalar_as<arrow::BooleanScalar>();
    return keep.is_valid && keep.value ? batch : batch->Slice(0, 0);
  }
  cp::ExecContext exec_context(context.pool);
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum kept,
                        cp::Filter(batch, mask, cp::FilterOptions::Defaults(), &exec_context));
  return kept.record_batch();
}

Result<std::shared_ptr<arrow::BooleanArray>> Filter::Bound::Judge(
    const arrow::RecordBatch& batch, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum mask, state_->Evaluate(batch, context));
  if (mask.is_scalar()) {
    const auto& keep = mask.scalar_as<arrow::BooleanScalar>();
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::MakeArrayFromScalar(
                                              arrow::BooleanScalar(keep.is_valid && keep.value),
                                              batch.num_rows(), context.pool));
    return std::static_pointer_cast<arrow::BooleanArray>(all);
  }
  const arrow::ArrayData& judged = *mask.array();
  if (judged.GetNullCount() == 0) return std::make_shared<arrow::BooleanArray>(mask.array());
  ARROW_ASSIGN_OR_RAISE(
      auto is_true,
      arrow::internal::BitmapAnd(context.pool, judged.buffers[0]->data(), judged.offset,
                                 judged.buffers[1]->data(), judged.offset, judged.length, 0));
  return std::make_shared<arrow::BooleanArray>(judged.length, std::move(is_true));
}

Result<bool> Filter::Bound::MayMatch(const std::map<std::string, ColumnRange>& ranges) const {
  if (state_->text) return MayBeTrue(*state_->text->node, *state_->text->schema, ranges);
  if (MentionsNan(state_->expression)) return true;
  std::vector<cp::Expression> facts;
  for (const auto& [name, range] : ranges) {
    if (range.is_all_null) {
      facts.push_back(cp::is_null(cp::field_ref(name)));
      continue;
    }
    AddBound(cp::greater_equal, name, range.least, range.may_be_null, &facts);
    AddBound(cp::less_equal, name, range.greatest, range.may_be_null, &facts);
    if (!range.may_be_null) facts.push_back(cp::is_valid(cp::field_ref(name)));
  }
  ARROW_ASSIGN_OR_RAISE(const cp::Expression guarantee, cp::and_(facts).Bind(*state_->schema));
  ARROW_ASSIGN_OR_RAISE(const cp::Expression simplified,
                        cp::SimplifyWithGuarantee(state_->expression, guarantee));
  return simplified.IsSatisfiable();
}

}  // namespace tusk::expr
