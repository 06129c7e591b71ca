#include "tusk/expr/value_order.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "tusk/expr/bound_expression.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {

/// The order of two arrays that are the whole, or a part of all values of it.
class ValueOrder::Part {
 public:
  virtual ~Part() = default;
  virtual int Compare(int64_t i, int64_t j) const = 0;
  /// Of `count` values from `i` on with as many from `j` on.
  virtual int CompareRuns(int64_t i, int64_t j, int64_t count) const = 0;
};

namespace {

namespace cp = arrow::compute;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using PartPtr = std::unique_ptr<const ValueOrder::Part>;

/// A part whose nulls are taken care of; `Derived` compares what is there.
template <typename Derived>
class NullablePart : public ValueOrder::Part {
 public:
  int Compare(int64_t i, int64_t j) const final {
    if (may_be_null_) {
      const bool left_null = left_->IsNull(i);
      const bool right_null = right_->IsNull(j);
      if (left_null && right_null) return 0;
      if (left_null || right_null) return left_null ? of_null_ : -of_null_;
    }
    return static_cast<const Derived*>(this)->CompareValues(i, j);
  }

  int CompareRuns(int64_t i, int64_t j, int64_t count) const final {
    for (int64_t at = 0; at < count; ++at) {
      const int order = Compare(i + at, j + at);
      if (order != 0) return order;
    }
    return 0;
  }

 protected:
  const arrow::Array& left() const { return *left_; }
  const arrow::Array& right() const { return *right_; }

 private:
  friend Derived;

  NullablePart(ArrayPtr left, ArrayPtr right, NullOrder nulls)
      : left_(std::move(left)),
        right_(std::move(right)),
        of_null_(nulls == NullOrder::kBelow ? -1 : 1),
        may_be_null_(left_->null_count() > 0 || right_->null_count() > 0) {}

  const ArrayPtr left_;
  const ArrayPtr right_;
  const int of_null_;
  const bool may_be_null_;
};

template <typename Value>
int OrderOf(const Value& a, const Value& b) {
  return a < b ? -1 : static_cast<int>(b < a);
}
template <typename Real>
int OrderOfReals(Real a, Real b) {
  if (a < b) return -1;
  if (b < a) return 1;
  return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
}
int OrderOf(float a, float b) { return OrderOfReals(a, b); }
int OrderOf(double a, double b) { return OrderOfReals(a, b); }
int OrderOf(std::string_view a, std::string_view b) { return a.compare(b); }
int OrderOf(const arrow::MonthDayNanoIntervalType::MonthDayNanos& a,
            const arrow::MonthDayNanoIntervalType::MonthDayNanos& b) {
  return OrderOf(std::tie(a.months, a.days, a.nanoseconds),
                 std::tie(b.months, b.days, b.nanoseconds));
}

/// Values that are in an array of type Array themselves.
template <typename Array>
class LeafPart final : public NullablePart<LeafPart<Array>> {
 public:
  LeafPart(ArrayPtr left, ArrayPtr right, NullOrder nulls)
      : NullablePart<LeafPart>(std::move(left), std::move(right), nulls) {}
  int CompareValues(int64_t i, int64_t j) const {
    return OrderOf(ValueAt(this->left(), i), ValueAt(this->right(), j));
  }

 private:
  static auto ValueAt(const arrow::Array& array, int64_t i) {
    const auto& values = static_cast<const Array&>(array);
    if constexpr (std::is_same_v<Array, arrow::Decimal128Array>) {
      return arrow::Decimal128(values.GetValue(i));
    } else if constexpr (std::is_same_v<Array, arrow::Decimal256Array>) {
      return arrow::Decimal256(values.GetValue(i));
    } else if constexpr (requires { values.GetView(i).size(); }) {
      return values.GetView(i);
    } else {
      return values.Value(i);
    }
  }
};

template <typename Left, typename Right>
class ListPart final : public NullablePart<ListPart<Left, Right>> {
 public:
  ListPart(ArrayPtr left, ArrayPtr right, NullOrder nulls, PartPtr values)
      : NullablePart<ListPart>(std::move(left), std::move(right), nulls),
        values_(std::move(values)) {}
  int CompareValues(int64_t i, int64_t j) const {
    const auto& left = static_cast<const Left&>(this->left());
    const auto& right = static_cast<const Right&>(this->right());
    const int64_t left_size = left.value_length(i);
    const int64_t right_size = right.value_length(j);
    const int order = values_->CompareRuns(left.value_offset(i), right.value_offset(j),
                                           std::min(left_size, right_size));
    return order != 0 ? order : OrderOf(left_size, right_size);
  }

 private:
  const PartPtr values_;
};

class StructPart final : public NullablePart<StructPart> {
 public:
  StructPart(ArrayPtr left, ArrayPtr right, NullOrder nulls, std::vector<PartPtr> fields)
      : NullablePart(std::move(left), std::move(right), nulls), fields_(std::move(fields)) {}
  int CompareValues(int64_t i, int64_t j) const {
    for (const PartPtr& field : fields_) {
      const int order = field->Compare(i, j);
      if (order != 0) return order;
    }
    return 0;
  }

 private:
  const std::vector<PartPtr> fields_;
};

/// There are only nulls.
class NothingPart final : public ValueOrder::Part {
 public:
  int Compare(int64_t, int64_t) const override { return 0; }
  int CompareRuns(int64_t, int64_t, int64_t) const override { return 0; }
};

class PartMaker {
 public:
  PartMaker(NullOrder nulls, cp::ExecContext* compute) : nulls_(nulls), compute_(compute) {}

  Result<PartPtr> Make(ArrayPtr left, ArrayPtr right) const {
    ARROW_ASSIGN_OR_RAISE(left, AsPlain(std::move(left)));
    ARROW_ASSIGN_OR_RAISE(right, AsPlain(std::move(right)));
    switch (left->type_id()) {
      case arrow::Type::NA:
        return std::make_unique<NothingPart>();
      case arrow::Type::LIST:
      case arrow::Type::MAP:
        return MakeList<arrow::ListArray>(left, right);
      case arrow::Type::LARGE_LIST:
        return MakeList<arrow::LargeListArray>(left, right);
      case arrow::Type::FIXED_SIZE_LIST:
        return MakeList<arrow::FixedSizeListArray>(left, right);
      case arrow::Type::STRUCT:
        return MakeStruct(left, right);
      default:
        return MakeLeaf(left, right);
    }
  }

 private:
  /// What PlainType says, and half floats as floats.
  Result<ArrayPtr> AsPlain(ArrayPtr array) const {
    if (array->type_id() == arrow::Type::EXTENSION) {
      return AsPlain(static_cast<const arrow::ExtensionArray&>(*array).storage());
    }
    const bool is_half = array->type_id() == arrow::Type::HALF_FLOAT;
    const auto type = is_half ? arrow::float32() : PlainType(array->type());
    if (array->type_id() == type->id()) return array;
    ARROW_ASSIGN_OR_RAISE(const auto plain,
                          cp::Cast(arrow::Datum(array), type, cp::CastOptions::Safe(), compute_));
    return plain.make_array();
  }

  template <typename Left>
  Result<PartPtr> MakeList(const ArrayPtr& left, const ArrayPtr& right) const {
    switch (right->type_id()) {
      case arrow::Type::LIST:
      case arrow::Type::MAP:
        return MakeListOf<Left, arrow::ListArray>(left, right);
      case arrow::Type::LARGE_LIST:
        return MakeListOf<Left, arrow::LargeListArray>(left, right);
      case arrow::Type::FIXED_SIZE_LIST:
        return MakeListOf<Left, arrow::FixedSizeListArray>(left, right);
      default:
        return NoOrder(*right);
    }
  }

  template <typename Left, typename Right>
  Result<PartPtr> MakeListOf(const ArrayPtr& left, const ArrayPtr& right) const {
    ARROW_ASSIGN_OR_RAISE(PartPtr values, Make(static_cast<const Left&>(*left).values(),
                                               static_cast<const Right&>(*right).values()));
    return std::make_unique<ListPart<Left, Right>>(left, right, nulls_, std::move(values));
  }

  Result<PartPtr> MakeStruct(const ArrayPtr& left, const ArrayPtr& right) const {
    const auto& first = static_cast<const arrow::StructArray&>(*left);
    if (right->type_id() != arrow::Type::STRUCT ||
        right->type()->num_fields() != first.num_fields()) {
      return NoOrder(*right);
    }
    const auto& second = static_cast<const arrow::StructArray&>(*right);
    std::vector<PartPtr> fields;
    for (int i = 0; i < first.num_fields(); ++i) {
      ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), Make(first.field(i), second.field(i)));
    }
    return std::make_unique<StructPart>(left, right, nulls_, std::move(fields));
  }

  Result<PartPtr> MakeLeaf(const ArrayPtr& left, const ArrayPtr& right) const {
    // With the type go the scale of decimals and the unit of times.
    if (!left->type()->Equals(*right->type())) return NoOrder(*right);
    switch (left->type_id()) {
      case arrow::Type::BOOL:
        return MakeLeafOf<arrow::BooleanArray>(left, right);
      case arrow::Type::INT8:
        return MakeLeafOf<arrow::Int8Array>(left, right);
      case arrow::Type::INT16:
        return MakeLeafOf<arrow::Int16Array>(left, right);
      case arrow::Type::INT32:
        return MakeLeafOf<arrow::Int32Array>(left, right);
      case arrow::Type::INT64:
        return MakeLeafOf<arrow::Int64Array>(left, right);
      case arrow::Type::UINT8:
        return MakeLeafOf<arrow::UInt8Array>(left, right);
      case arrow::Type::UINT16:
        return MakeLeafOf<arrow::UInt16Array>(left, right);
      case arrow::Type::UINT32:
        return MakeLeafOf<arrow::UInt32Array>(left, right);
      case arrow::Type::UINT64:
        return MakeLeafOf<arrow::UInt64Array>(left, right);
      case arrow::Type::FLOAT:
        return MakeLeafOf<arrow::FloatArray>(left, right);
      case arrow::Type::DOUBLE:
        return MakeLeafOf<arrow::DoubleArray>(left, right);
      case arrow::Type::DATE32:
        return MakeLeafOf<arrow::Date32Array>(left, right);
      case arrow::Type::DATE64:
        return MakeLeafOf<arrow::Date64Array>(left, right);
      case arrow::Type::TIME32:
        return MakeLeafOf<arrow::Time32Array>(left, right);
      case arrow::Type::TIME64:
        return MakeLeafOf<arrow::Time64Array>(left, right);
      case arrow::Type::TIMESTAMP:
        return MakeLeafOf<arrow::TimestampArray>(left, right);
      case arrow::Type::DURATION:
        return MakeLeafOf<arrow::DurationArray>(left, right);
      case arrow::Type::DECIMAL128:
        return MakeLeafOf<arrow::Decimal128Array>(left, right);
      case arrow::Type::DECIMAL256:
        return MakeLeafOf<arrow::Decimal256Array>(left, right);
      // Arrays of texts are arrays of bytes.
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        return MakeLeafOf<arrow::BinaryArray>(left, right);
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY:
        return MakeLeafOf<arrow::LargeBinaryArray>(left, right);
      case arrow::Type::FIXED_SIZE_BINARY:
        return MakeLeafOf<arrow::FixedSizeBinaryArray>(left, right);
      case arrow::Type::INTERVAL_MONTH_DAY_NANO:
        return MakeLeafOf<arrow::MonthDayNanoIntervalArray>(left, right);
      default:
        return NoOrder(*left);
    }
  }

  template <typename Array>
  Result<PartPtr> MakeLeafOf(const ArrayPtr& left, const ArrayPtr& right) const {
    return std::make_unique<LeafPart<Array>>(left, right, nulls_);
  }

  static Status NoOrder(const arrow::Array& array) {
    return InvalidArgument("values of type ", NameOfType(*array.type()), " have no order");
  }

  const NullOrder nulls_;
  cp::ExecContext* const compute_;
};

/// The places of the values that are not null, in order.
Result<std::vector<int64_t>> SortValues(const arrow::Array& array, const ValueOrder& order,
                                        cp::ExecContext* compute) {
  std::vector<int64_t> sorted;
  sorted.reserve(static_cast<size_t>(array.length()));
  if (HasParts(*array.type())) {
    for (int64_t i = 0; i < array.length(); ++i) {
      if (array.IsValid(i)) sorted.push_back(i);
    }
    std::ranges::sort(sorted, [&](int64_t i, int64_t j) { return order.Compare(i, j) < 0; });
    return sorted;
  }
  ARROW_RETURN_NOT_OK(InitializeCompute());
  // Arrow has NaN above all others, and then the nulls.
  const cp::ArraySortOptions options;
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum indices,
      cp::CallFunction("array_sort_indices", {arrow::MakeArray(array.data())}, &options, compute));
  const auto places = indices.array_as<arrow::UInt64Array>();
  for (int64_t i = 0; i < array.length() - array.null_count(); ++i) {
    sorted.push_back(static_cast<int64_t>(places->Value(i)));
  }
  return sorted;
}

}  // namespace

bool HasParts(const arrow::DataType& type) {
  return IsNested(type) || type.id() == arrow::Type::INTERVAL_MONTH_DAY_NANO;
}

ValueOrder::ValueOrder(std::unique_ptr<const Part> whole) : whole_(std::move(whole)) {}
ValueOrder::~ValueOrder() = default;
ValueOrder::ValueOrder(ValueOrder&&) noexcept = default;
ValueOrder& ValueOrder::operator=(ValueOrder&&) noexcept = default;

Result<ValueOrder> ValueOrder::Make(const arrow::Array& left, const arrow::Array& right,
                                    NullOrder nulls, cp::ExecContext* compute) {
  const PartMaker maker(nulls, compute);
  ARROW_ASSIGN_OR_RAISE(PartPtr whole,
                        maker.Make(arrow::MakeArray(left.data()), arrow::MakeArray(right.data())));
  return ValueOrder(std::move(whole));
}

int ValueOrder::Compare(int64_t i, int64_t j) const { return whole_->Compare(i, j); }

Status CheckOrder(const std::shared_ptr<arrow::DataType>& type, cp::ExecContext* compute) {
  ARROW_ASSIGN_OR_RAISE(const auto none, arrow::MakeEmptyArray(type, compute->memory_pool()));
  return ValueOrder::Make(*none, *none, NullOrder::kBelow, compute).status();
}

Result<std::vector<int64_t>> RankValues(const arrow::Array& array, NullOrder nulls,
                                        cp::ExecContext* compute) {
  ARROW_ASSIGN_OR_RAISE(const ValueOrder order, ValueOrder::Make(array, array, nulls, compute));
  ARROW_ASSIGN_OR_RAISE(const std::vector<int64_t> sorted, SortValues(array, order, compute));
  std::vector<int64_t> ranks(static_cast<size_t>(array.length()), -1);
  int64_t rank = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && order.Compare(sorted[i - 1], sorted[i]) != 0) ++rank;
    ranks[static_cast<size_t>(sorted[i])] = rank;
  }
  return ranks;
}

}  // namespace tusk::expr
