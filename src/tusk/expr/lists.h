#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/datum.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/function.h"
#include "tusk/expr/node.h"
#include "tusk/expr/operand.h"

namespace tusk::expr {

/// An operand of lists of any kind, or of maps as lists of their entries.
class Lists : public Operand {
 public:
  explicit Lists(Operand operand);
  /// Where the values of a row begin in values(), and how many they are.
  int64_t Begin(int64_t row) const;
  int64_t Size(int64_t row) const;
  const std::shared_ptr<arrow::Array>& values() const { return values_; }

 private:
  const arrow::ListArray* list_ = nullptr;
  const arrow::LargeListArray* large_ = nullptr;
  const arrow::FixedSizeListArray* fixed_ = nullptr;
  std::shared_ptr<arrow::Array> values_;
};

Result<Lists> MakeLists(const arrow::Datum& datum, const Evaluation& evaluation);
/// `array`, which is of lists.
Lists MakeListView(const std::shared_ptr<arrow::Array>& array);

/// Whether `node` is the constant NULL, which stands for a list, map or struct of any type.
bool IsUntypedNull(const NodePtr& node);

/// InvalidArgument, with the place, if `node` is no list.
Status CheckList(const Binder& binder, const NodePtr& node);

/// Of a list.
const std::shared_ptr<arrow::DataType>& ValueType(const NodePtr& list);

bool IsNullAt(const arrow::Datum& datum, int64_t row);

/// How the values of a list are compared with a value.
struct ValueTest {
  NodePtr value;           ///< of the type on the right
  Kernel widen = nullptr;  ///< the values of the list to the type on the left; may be null
  Kernel equal = nullptr;
};
Result<ValueTest> MakeTest(const Binder& binder, const Call& call, const NodePtr& list,
                           const NodePtr& value);

/// Of all lists' values one behind the other whether they equal the value of their row.
struct Matches {
  std::shared_ptr<arrow::Array> truths;
  bool IsTrue(int64_t i) const {
    const auto& booleans = static_cast<const arrow::BooleanArray&>(*truths);
    return booleans.IsValid(i) && booleans.Value(i);
  }
};

Result<Matches> MatchValues(const ValueTest& test, const Lists& lists, const arrow::Datum& value,
                            int64_t rows, const Evaluation& evaluation);

/// Whether value `i` of the row's list is the wanted one, where null is one, too. `at` is where the
/// row's matches begin.
bool IsSame(const Matches& matches, const Lists& lists, const arrow::Datum& value, int64_t row,
            int64_t at, int64_t i);

/// The list type of a list of `list` with `value` in it, and `value` as one of its values.
Result<NodePtr> AsItem(const Binder& binder, Span span, const NodePtr& list, const NodePtr& value);

/// The type that holds the lists of all arguments, of which some may be null constants; null if all
/// are. InvalidArgument, with the place, if there is none.
Result<std::shared_ptr<arrow::DataType>> CommonListType(const Binder& binder, Span span,
                                                        const std::vector<NodePtr>& nodes);
/// Constants that are null as null lists of `type`; the others as they are.
Result<std::vector<NodePtr>> AsLists(const Binder& binder, const std::vector<NodePtr>& nodes,
                                     const std::shared_ptr<arrow::DataType>& type);

/// The values of the lists in the type that those of `type` have.
Result<arrow::Datum> PlainItems(const Lists& lists, const std::shared_ptr<arrow::DataType>& type,
                                const Evaluation& evaluation);

/// Lists whose values stand one behind the other in `items`.
struct JoinedLists {
  std::vector<Lists> lists;
  std::vector<int64_t> offsets;  ///< where the values of each begin in `items`
  arrow::Datum items;
  int64_t Begin(size_t list, int64_t row) const { return offsets[list] + lists[list].Begin(row); }
};
Result<JoinedLists> JoinLists(const std::vector<arrow::Datum>& arguments,
                              const std::shared_ptr<arrow::DataType>& type,
                              const Evaluation& evaluation);

/// Appends where among the values those of the row's list are, null for a null; false if the row
/// has no list.
using AddPlaces = std::function<Result<bool>(int64_t row, arrow::Int64Builder* places)>;
/// Makes lists of `type` of the values at places. InvalidArgument beyond 2^31 values.
Result<arrow::Datum> GatherLists(const std::shared_ptr<arrow::DataType>& type,
                                 const arrow::Datum& values, int64_t rows, bool is_scalar,
                                 const Evaluation& evaluation, const AddPlaces& add);

/// The number of each value among the different ones; nulls are one of them, and so are NaNs.
Result<std::vector<int64_t>> NumberValues(const arrow::Datum& items, const Evaluation& evaluation);

}  // namespace tusk::expr
