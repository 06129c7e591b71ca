#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/array.h>
#include <arrow/datum.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/function.h"
#include "tusk/expr/node.h"
#include "tusk/expr/operand.h"

namespace tusk::expr {

/// An operand of lists of any kind.
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

}  // namespace tusk::expr
