#include "tusk/expr/lists.h"

#include <algorithm>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/compare.h"
#include "tusk/expr/type_name.h"
#include "tusk/expr/value_key.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Runs `kernel` for `length` rows that are not those of the batch.
Result<Datum> RunFor(const Kernel& kernel, const std::vector<Datum>& arguments, int64_t length,
                     const Evaluation& evaluation) {
  const auto rows = arrow::RecordBatch::Make(arrow::schema({}), length, arrow::ArrayVector());
  Evaluation inner = evaluation;
  inner.batch = rows.get();
  return kernel(arguments, inner);
}

}  // namespace

Lists::Lists(Operand operand) : Operand(std::move(operand)) {
  switch (array().type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      list_ = static_cast<const arrow::ListArray*>(&array());
      values_ = list_->values();
      break;
    case arrow::Type::LARGE_LIST:
      large_ = static_cast<const arrow::LargeListArray*>(&array());
      values_ = large_->values();
      break;
    default:
      fixed_ = static_cast<const arrow::FixedSizeListArray*>(&array());
      values_ = fixed_->values();
  }
}

int64_t Lists::Begin(int64_t row) const {
  const int64_t i = Index(row);
  if (list_ != nullptr) return list_->value_offset(i);
  return large_ != nullptr ? large_->value_offset(i) : fixed_->value_offset(i);
}

int64_t Lists::Size(int64_t row) const {
  if (IsNull(row)) return 0;
  const int64_t i = Index(row);
  if (list_ != nullptr) return list_->value_length(i);
  return large_ != nullptr ? large_->value_length(i) : fixed_->value_length();
}

Result<Lists> MakeLists(const Datum& datum, const Evaluation& evaluation) {
  ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(datum, evaluation.context->pool));
  return Lists(std::move(operand));
}

Lists MakeListView(const std::shared_ptr<arrow::Array>& array) { return Lists(Operand(array)); }

bool IsUntypedNull(const NodePtr& node) {
  return node->is_constant() && node->type->id() == arrow::Type::NA;
}

Status CheckList(const Binder& binder, const NodePtr& node) {
  if (IsList(*node->type)) return Status::OK();
  return binder.Error(node->span,
                      "a list is expected here, but this is a " + NameOfType(*node->type));
}

const TypePtr& ValueType(const NodePtr& list) {
  return static_cast<const arrow::BaseListType&>(*list->type).value_type();
}

bool IsNullAt(const Datum& datum, int64_t row) {
  return datum.is_scalar() ? !datum.scalar()->is_valid : datum.make_array()->IsNull(row);
}

Result<ValueTest> MakeTest(const Binder& binder, const Call& call, const NodePtr& list,
                           const NodePtr& value) {
  ARROW_RETURN_NOT_OK(CheckList(binder, list));
  const TypePtr type = ValueType(list);
  ValueTest test{.value = value};
  if (value->literal || value->type->id() == arrow::Type::NA) {
    ARROW_ASSIGN_OR_RAISE(test.value, binder.Widen(value, PlainType(type)));
  }
  auto types = TypesToCompare(PlainType(type), test.value->type);
  if (!types.ok()) return binder.Error(call.span, types.status().message());
  ARROW_ASSIGN_OR_RAISE(test.value, binder.Widen(test.value, types->right));
  if (!types->left->Equals(*type)) {
    ARROW_ASSIGN_OR_RAISE(test.widen, WidenFunction(type, types->left));
  }
  ARROW_ASSIGN_OR_RAISE(test.equal, CompareFunction(Comparison::kEqual, *types, binder.compute()));
  return test;
}

Result<Matches> MatchValues(const ValueTest& test, const Lists& lists, const Datum& value,
                            int64_t rows, const Evaluation& evaluation) {
  arrow::MemoryPool* pool = evaluation.context->pool;
  arrow::Int64Builder places(pool);
  arrow::Int64Builder owners(pool);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < lists.Size(row); ++i) {
      ARROW_RETURN_NOT_OK(places.Append(lists.Begin(row) + i));
      ARROW_RETURN_NOT_OK(owners.Append(row));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto rows_of, owners.Finish());
  const auto options = cp::TakeOptions::NoBoundsCheck();
  ARROW_ASSIGN_OR_RAISE(
      Datum values, cp::Take(Datum(lists.values()), Datum(indices), options, evaluation.compute));
  if (test.widen != nullptr) {
    ARROW_ASSIGN_OR_RAISE(values, RunFor(test.widen, {values}, indices->length(), evaluation));
  }
  Datum wanted = value;
  if (value.is_array()) {
    ARROW_ASSIGN_OR_RAISE(wanted, cp::Take(value, Datum(rows_of), options, evaluation.compute));
  }
  ARROW_ASSIGN_OR_RAISE(const Datum truths,
                        RunFor(test.equal, {values, wanted}, indices->length(), evaluation));
  Matches matches;
  ARROW_ASSIGN_OR_RAISE(matches.truths, ToArray(truths, indices->length(), pool));
  return matches;
}

bool IsSame(const Matches& matches, const Lists& lists, const Datum& value, int64_t row, int64_t at,
            int64_t i) {
  if (!IsNullAt(value, row)) return matches.IsTrue(at + i);
  return lists.values()->IsNull(lists.Begin(row) + i);
}

Result<NodePtr> AsItem(const Binder& binder, Span span, const NodePtr& list, const NodePtr& value) {
  // A constant of no value stands for the type of the others.
  const NodePtr other =
      binder.MakeLiteral(list->span, arrow::MakeNullScalar(PlainType(ValueType(list))));
  ARROW_ASSIGN_OR_RAISE(const auto both, binder.Unify(span, {other, value}));
  // By now its type is known, and is not taken from what it meets.
  return both[1]->literal ? binder.MakeLiteral(both[1]->span, both[1]->value) : both[1];
}

Result<TypePtr> CommonListType(const Binder& binder, Span span, const std::vector<NodePtr>& nodes) {
  TypePtr value_type;
  for (const NodePtr& node : nodes) {
    if (node->type->id() == arrow::Type::NA) continue;
    ARROW_RETURN_NOT_OK(CheckList(binder, node));
    const TypePtr type = PlainType(ValueType(node));
    value_type = value_type == nullptr ? type : CommonType(value_type, type);
    if (value_type == nullptr) {
      return binder.Error(span, "the values of the lists have no type in common");
    }
  }
  return value_type == nullptr ? arrow::null() : arrow::list(value_type);
}

Result<std::vector<NodePtr>> AsLists(const Binder& binder, const std::vector<NodePtr>& nodes,
                                     const TypePtr& type) {
  std::vector<NodePtr> lists;
  lists.reserve(nodes.size());
  for (const NodePtr& node : nodes) {
    const bool is_null = node->type->id() == arrow::Type::NA;
    lists.push_back(is_null ? binder.MakeLiteral(node->span, arrow::MakeNullScalar(type)) : node);
  }
  return lists;
}

Result<Datum> PlainItems(const Lists& lists, const TypePtr& type, const Evaluation& evaluation) {
  const TypePtr& value_type = type->field(0)->type();
  if (lists.values()->type()->Equals(*value_type)) return Datum(lists.values());
  return cp::Cast(Datum(lists.values()), cp::CastOptions::Safe(value_type), evaluation.compute);
}

Result<JoinedLists> JoinLists(const std::vector<Datum>& arguments, const TypePtr& type,
                              const Evaluation& evaluation) {
  JoinedLists joined;
  arrow::ArrayVector pieces;
  int64_t offset = 0;
  for (const Datum& argument : arguments) {
    ARROW_ASSIGN_OR_RAISE(Lists lists, MakeLists(argument, evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum items, PlainItems(lists, type, evaluation));
    pieces.push_back(items.make_array());
    joined.offsets.push_back(offset);
    offset += items.length();
    joined.lists.push_back(std::move(lists));
  }
  ARROW_ASSIGN_OR_RAISE(joined.items, arrow::Concatenate(pieces, evaluation.context->pool));
  return joined;
}

Result<Datum> GatherLists(const TypePtr& type, const Datum& values, int64_t rows, bool is_scalar,
                          const Evaluation& evaluation, const AddPlaces& add) {
  arrow::Int64Builder places(evaluation.context->pool);
  arrow::Int32Builder offsets(evaluation.context->pool);
  for (int64_t row = 0; row < rows; ++row) {
    if (row % 1024 == 0) ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
    const int64_t begin = places.length();
    ARROW_ASSIGN_OR_RAISE(const bool is_valid, add(row, &places));
    if (places.length() > std::numeric_limits<int32_t>::max()) {
      return InvalidArgument("the lists have more than 2^31 values together");
    }
    ARROW_RETURN_NOT_OK(is_valid ? offsets.Append(static_cast<int32_t>(begin))
                                 : offsets.AppendNull());
  }
  ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(places.length())));
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(
      const Datum gathered,
      cp::Take(values, Datum(indices), cp::TakeOptions::NoBoundsCheck(), evaluation.compute));
  ARROW_ASSIGN_OR_RAISE(const auto begins, offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto lists,
                        arrow::ListArray::FromArrays(type, *begins, *gathered.make_array(),
                                                     evaluation.context->pool));
  return ToResult(lists, is_scalar);
}

Result<std::vector<int64_t>> NumberValues(const Datum& items, const Evaluation& evaluation) {
  const auto array = items.make_array();
  std::vector<int64_t> numbers(static_cast<size_t>(array->length()));
  const auto id = array->type_id();
  const bool is_nested =
      IsList(*array->type()) || id == arrow::Type::STRUCT || id == arrow::Type::MAP;
  if (!is_nested && id != arrow::Type::NA) {
    const auto options = cp::DictionaryEncodeOptions(cp::DictionaryEncodeOptions::ENCODE);
    ARROW_ASSIGN_OR_RAISE(const Datum encoded,
                          cp::DictionaryEncode(items, options, evaluation.compute));
    const auto codes = encoded.array_as<arrow::DictionaryArray>();
    for (int64_t i = 0; i < array->length(); ++i) {
      numbers[static_cast<size_t>(i)] = codes->IsNull(i) ? -1 : codes->GetValueIndex(i);
    }
    return numbers;
  }
  std::unordered_map<std::string, int64_t> known;
  std::string key;
  for (int64_t i = 0; i < array->length(); ++i) {
    key.clear();
    ARROW_RETURN_NOT_OK(AppendKey(*array, i, &key));
    numbers[static_cast<size_t>(i)] =
        known.emplace(key, static_cast<int64_t>(known.size())).first->second;
  }
  return numbers;
}

}  // namespace tusk::expr
