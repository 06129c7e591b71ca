// Lists taken as sets, in the order in which their values come.
#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/function.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Whether the value of a list is kept, by which of the two lists have it.
enum class SetOperation { kUnion, kIntersect, kExcept };

/// Finds out which values two lists of a row have.
class SetRow {
 public:
  explicit SetRow(const std::vector<int64_t>& numbers) : numbers_(numbers) {}

  void Begin() { marks_.clear(); }
  void Mark(int64_t place) { marks_[Number(place)] |= kIsMarked; }
  bool IsMarked(int64_t place) const {
    const auto found = marks_.find(Number(place));
    return found != marks_.end() && (found->second & kIsMarked) != 0;
  }
  /// True the first time.
  bool Take(int64_t place) {
    int& mark = marks_[Number(place)];
    const bool is_first = (mark & kIsTaken) == 0;
    mark |= kIsTaken;
    return is_first;
  }

 private:
  static constexpr int kIsMarked = 1;
  static constexpr int kIsTaken = 2;

  int64_t Number(int64_t place) const { return numbers_[static_cast<size_t>(place)]; }

  const std::vector<int64_t>& numbers_;
  std::unordered_map<int64_t, int> marks_;
};

Status AppendSet(const JoinedLists& joined, int64_t row, SetOperation operation, SetRow* set,
                 arrow::Int64Builder* places) {
  set->Begin();
  const int64_t right = joined.Begin(1, row);
  const int64_t right_end = right + joined.lists[1].Size(row);
  if (operation != SetOperation::kUnion) {
    for (int64_t place = right; place < right_end; ++place) set->Mark(place);
  }
  const int64_t left = joined.Begin(0, row);
  for (int64_t place = left; place < left + joined.lists[0].Size(row); ++place) {
    const bool is_kept = operation == SetOperation::kUnion ||
                         set->IsMarked(place) == (operation == SetOperation::kIntersect);
    if (is_kept && set->Take(place)) ARROW_RETURN_NOT_OK(places->Append(place));
  }
  if (operation != SetOperation::kUnion) return Status::OK();
  for (int64_t place = right; place < right_end; ++place) {
    if (set->Take(place)) ARROW_RETURN_NOT_OK(places->Append(place));
  }
  return Status::OK();
}

/// Each value once. Null where either list is; nulls in them are values.
Result<NodePtr> Combine(const Binder& binder, const Call& call, SetOperation operation) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr type, CommonListType(binder, call.span, call.arguments));
  if (std::ranges::any_of(call.arguments, [](const NodePtr& argument) {
        return argument->type->id() == arrow::Type::NA;
      })) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(type));
  }
  Kernel kernel = [type, operation](const std::vector<Datum>& values,
                                    const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const JoinedLists joined, JoinLists(values, type, evaluation));
    ARROW_ASSIGN_OR_RAISE(const auto numbers, NumberValues(joined.items, evaluation));
    SetRow set(numbers);
    const auto add = [&](int64_t row, arrow::Int64Builder* places) -> Result<bool> {
      if (joined.lists[0].IsNull(row) || joined.lists[1].IsNull(row)) return false;
      ARROW_RETURN_NOT_OK(AppendSet(joined, row, operation, &set, places));
      return true;
    };
    return GatherLists(type, joined.items, RowsOf(values, evaluation.length()),
                       std::ranges::all_of(values, &Datum::is_scalar), evaluation, add);
  };
  return binder.MakeCall(call.span, type, call.arguments, std::move(kernel));
}
Result<NodePtr> BindUnion(const Binder& binder, const Call& call) {
  return Combine(binder, call, SetOperation::kUnion);
}
Result<NodePtr> BindIntersect(const Binder& binder, const Call& call) {
  return Combine(binder, call, SetOperation::kIntersect);
}
Result<NodePtr> BindExcept(const Binder& binder, const Call& call) {
  return Combine(binder, call, SetOperation::kExcept);
}

/// The values of a constant list that may be looked for one by one; nothing if it is none, or has a
/// null, or many.
std::vector<std::shared_ptr<arrow::Scalar>> FewValues(const NodePtr& list) {
  constexpr int64_t kMostValues = 8;
  std::vector<std::shared_ptr<arrow::Scalar>> few;
  if (list->kind != NodeKind::kLiteral || !list->value->is_valid) return few;
  const auto& values = *static_cast<const arrow::BaseListScalar&>(*list->value).value;
  if (values.length() > kMostValues || values.null_count() > 0) return few;
  for (int64_t i = 0; i < values.length(); ++i) {
    auto value = values.GetScalar(i);
    if (!value.ok()) return {};
    few.push_back(*std::move(value));
  }
  return few;
}

/// Whether the first list has any, or all, of the values of the second.
Result<NodePtr> HasEach(const Binder& binder, const Call& call, bool wants_all) {
  std::vector<NodePtr> tests;
  for (const NodePtr& list : call.arguments) {
    if (list->type->id() != arrow::Type::NA) ARROW_RETURN_NOT_OK(CheckList(binder, list));
  }
  for (auto& value : FewValues(call.arguments[1])) {
    const NodePtr wanted = binder.MakeLiteral(call.arguments[1]->span, std::move(value));
    ARROW_ASSIGN_OR_RAISE(tests.emplace_back(),
                          BindFunction(binder, {.name = "array_has",
                                                .span = call.span,
                                                .arguments = {call.arguments[0], wanted}}));
  }
  if (tests.size() == 1) return tests.front();
  if (!tests.empty()) {
    return binder.MakeChain(call.span, wants_all ? NodeKind::kAnd : NodeKind::kOr,
                            std::move(tests));
  }
  ARROW_ASSIGN_OR_RAISE(const TypePtr type, CommonListType(binder, call.span, call.arguments));
  if (std::ranges::any_of(call.arguments, [](const NodePtr& argument) {
        return argument->type->id() == arrow::Type::NA;
      })) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::boolean()));
  }
  Kernel kernel = [type, wants_all](const std::vector<Datum>& values,
                                    const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const JoinedLists joined, JoinLists(values, type, evaluation));
    ARROW_ASSIGN_OR_RAISE(const auto numbers, NumberValues(joined.items, evaluation));
    SetRow set(numbers);
    arrow::BooleanBuilder builder(evaluation.context->pool);
    for (int64_t row = 0; row < RowsOf(values, evaluation.length()); ++row) {
      if (joined.lists[0].IsNull(row) || joined.lists[1].IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      set.Begin();
      for (int64_t i = 0; i < joined.lists[0].Size(row); ++i) set.Mark(joined.Begin(0, row) + i);
      bool result = wants_all;
      for (int64_t i = 0; i < joined.lists[1].Size(row) && result == wants_all; ++i) {
        result = set.IsMarked(joined.Begin(1, row) + i);
      }
      ARROW_RETURN_NOT_OK(builder.Append(result));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, std::ranges::all_of(values, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, arrow::boolean(), call.arguments, std::move(kernel));
}
Result<NodePtr> BindHasAny(const Binder& binder, const Call& call) {
  return HasEach(binder, call, /*wants_all=*/false);
}
Result<NodePtr> BindHasAll(const Binder& binder, const Call& call) {
  return HasEach(binder, call, /*wants_all=*/true);
}

constexpr std::array kFunctions = {
    FunctionEntry{"array_union", 2, 2, BindUnion},
    FunctionEntry{"list_union", 2, 2, BindUnion},
    FunctionEntry{"array_intersect", 2, 2, BindIntersect},
    FunctionEntry{"list_intersect", 2, 2, BindIntersect},
    FunctionEntry{"array_except", 2, 2, BindExcept},
    FunctionEntry{"list_except", 2, 2, BindExcept},
    FunctionEntry{"array_has_any", 2, 2, BindHasAny},
    FunctionEntry{"list_has_any", 2, 2, BindHasAny},
    FunctionEntry{"arrays_overlap", 2, 2, BindHasAny},
    FunctionEntry{"array_has_all", 2, 2, BindHasAll},
    FunctionEntry{"list_has_all", 2, 2, BindHasAll},
};

}  // namespace

std::span<const FunctionEntry> ListSetFunctions() { return kFunctions; }

}  // namespace tusk::expr
