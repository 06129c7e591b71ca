#include "tusk/expr/filter.h"

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

#include "tusk/expr/bound_expression.h"
#include "tusk/expr/predicate_builder.h"
#include "tusk/expr/pruning.h"
#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;

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

}  // namespace

struct Filter::State {
  std::shared_ptr<const ParsedText> parsed;  ///< null if the filter is an Arrow expression
  cp::Expression expression;
};

struct Filter::Bound::State {
  BoundExpression bound;
  std::string name;  ///< for messages
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
  std::string name = "filter";
  if (state_->parsed == nullptr) {
    // An error in a text shows where.
    const std::string text = ToString();
    name += " " + Excerpt(text, {.begin = 0, .end = text.size()});
    ARROW_RETURN_NOT_OK(Paths(schema));
  }
  auto bound = state_->parsed == nullptr
                   ? BoundExpression::BindCondition(state_->expression, schema, context)
                   : BoundExpression::Bind(state_->parsed, schema, /*is_condition=*/true, context);
  if (!bound.ok()) return WithContext(bound.status(), name);
  auto state = std::make_unique<Bound::State>(
      Bound::State{.bound = *std::move(bound), .name = std::move(name)});
  state->predicate = BuildPredicate(*state->bound.node, *state->bound.schema);
  state->complement = BuildComplement(*state->bound.node, *state->bound.schema);
  return std::shared_ptr<const Bound>(new Bound(std::move(state)));
}

const Predicate& Filter::Bound::predicate() const { return state_->predicate; }

const Predicate& Filter::Bound::complement() const { return state_->complement; }

std::string Filter::ToString() const {
  return state_->parsed != nullptr ? state_->parsed->text : state_->expression.ToString();
}

Result<arrow::Datum> Filter::Bound::State::Evaluate(const arrow::RecordBatch& batch,
                                                    const OperationContext& context) const {
  auto values = bound.Evaluate(batch, context);
  if (!values.ok()) return WithContext(values.status(), name);
  return values;
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
  return MayBeTrue(state_->predicate, ranges);
}

}  // namespace tusk::expr
