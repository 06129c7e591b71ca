#include "tusk/expr/compare.h"

#include <cmath>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compare.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/base/simd_level.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/real_order.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

const char* ArrowName(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return "equal";
    case Comparison::kNotEqual:
      return "not_equal";
    case Comparison::kLess:
      return "less";
    case Comparison::kLessEqual:
      return "less_equal";
    case Comparison::kGreater:
      return "greater";
    case Comparison::kGreaterEqual:
      break;
  }
  return "greater_equal";
}

template <typename Order>
bool Holds(Comparison comparison, Order order) {
  switch (comparison) {
    case Comparison::kEqual:
      return order == 0;
    case Comparison::kNotEqual:
      return order != 0;
    case Comparison::kLess:
      return order < 0;
    case Comparison::kLessEqual:
      return order <= 0;
    case Comparison::kGreater:
      return order > 0;
    case Comparison::kGreaterEqual:
      break;
  }
  return order >= 0;
}

/// -1, 0 or 1; NaN is above all numbers.
template <typename Real>
int OrderOfReals(Real a, Real b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
}

int OrderOf(int64_t a, uint64_t b) {
  if (a < 0) return -1;
  const auto value = static_cast<uint64_t>(a);
  return value < b ? -1 : static_cast<int>(value > b);
}

/// The 64 bits of the fraction of a long double hold every 64-bit integer.
static_assert(std::numeric_limits<long double>::digits >= 64);
template <typename Integer>
int OrderOf(Integer a, double b) {
  return OrderOfReals<long double>(static_cast<long double>(a), static_cast<long double>(b));
}

/// `a` in units that are `factor` of those of `b`.
int OrderOfUnits(int64_t a, int64_t b, int64_t factor) {
  int64_t whole = b / factor;
  int64_t rest = b % factor;
  if (rest < 0) {
    rest += factor;
    --whole;
  }
  if (a != whole) return a < whole ? -1 : 1;
  return rest > 0 ? -1 : 0;
}

/// The rows in which neither column is null; null if none can be.
Result<std::shared_ptr<arrow::Buffer>> AndValidity(const arrow::Array& left,
                                                   const arrow::Array& right,
                                                   arrow::MemoryPool* pool) {
  const uint8_t* one = left.null_bitmap_data();
  const uint8_t* other = right.null_bitmap_data();
  const int64_t rows = left.length();
  if (one != nullptr && other != nullptr) {
    return arrow::internal::BitmapAnd(pool, one, left.offset(), other, right.offset(), rows, 0);
  }
  if (one != nullptr) return arrow::internal::CopyBitmap(pool, one, left.offset(), rows);
  if (other != nullptr) return arrow::internal::CopyBitmap(pool, other, right.offset(), rows);
  return nullptr;
}

/// Booleans whose bits stand in `values` where neither operand is null.
Result<Datum> WithValidity(const Operand& left, const Operand& right, int64_t rows,
                           const std::shared_ptr<arrow::Buffer>& values, arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Buffer> validity;
  const auto tells_by_bits = [](const Operand& side) {
    return !side.is_scalar() && (side.array().null_bitmap_data() != nullptr || !side.may_be_null());
  };
  if (tells_by_bits(left) && tells_by_bits(right)) {
    ARROW_ASSIGN_OR_RAISE(validity, AndValidity(left.array(), right.array(), pool));
  } else if (left.may_be_null() || right.may_be_null()) {
    const int64_t bytes = (rows + 7) / 8;
    ARROW_ASSIGN_OR_RAISE(auto bits, arrow::AllocateBuffer(bytes, pool));
    for (int64_t byte = 0; byte < bytes; ++byte) {
      uint8_t valid = 0;
      const int64_t first = byte * 8;
      const int64_t count = std::min<int64_t>(8, rows - first);
      for (int64_t i = 0; i < count; ++i) {
        const bool is_null = left.IsNull(first + i) || right.IsNull(first + i);
        valid |= static_cast<uint8_t>(static_cast<unsigned>(!is_null) << i);
      }
      bits->mutable_data()[byte] = valid;
    }
    validity = std::move(bits);
  }
  const auto array = std::make_shared<arrow::BooleanArray>(rows, values, std::move(validity));
  return ToResult(array, left.is_scalar() && right.is_scalar());
}

/// Booleans of `holds(row)` where neither operand is null.
template <typename HoldsRow>
Result<Datum> MakeBooleans(const Operand& left, const Operand& right, int64_t length,
                           const HoldsRow& holds, arrow::MemoryPool* pool) {
  const bool is_scalar = left.is_scalar() && right.is_scalar();
  const int64_t rows = is_scalar ? 1 : length;
  const int64_t bytes = (rows + 7) / 8;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, arrow::AllocateBuffer(bytes, pool));
  for (int64_t byte = 0; byte < bytes; ++byte) {
    uint8_t bits = 0;
    const int64_t first = byte * 8;
    const int64_t count = std::min<int64_t>(8, rows - first);
    for (int64_t i = 0; i < count; ++i) {
      bits |= static_cast<uint8_t>(static_cast<unsigned>(holds(first + i)) << i);
    }
    values->mutable_data()[byte] = bits;
  }
  return WithValidity(left, right, rows, values, pool);
}

/// A kernel over arrays of L and of R, by `order`, which is called with one value of each.
template <typename L, typename R, typename Order>
Kernel ByOrder(Comparison comparison, Order order) {
  return [comparison, order](const std::vector<Datum>& arguments,
                             const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(Operand first, Operand::Make(arguments[0], pool));
    ARROW_ASSIGN_OR_RAISE(Operand second, Operand::Make(arguments[1], pool));
    const Values<L> left(std::move(first));
    const Values<R> right(std::move(second));
    const auto holds = [&](int64_t row) { return Holds(comparison, order(left[row], right[row])); };
    return MakeBooleans(left, right, evaluation.length(), holds, pool);
  };
}

/// Of two columns of floats.
template <typename Real>
Result<Datum> CompareColumns(Comparison comparison, const std::vector<Datum>& columns,
                             const Evaluation& evaluation) {
  static const SimdLevel level = SupportedSimdLevels().back();
  arrow::MemoryPool* pool = evaluation.context->pool;
  ARROW_ASSIGN_OR_RAISE(Operand first, Operand::Make(columns[0], pool));
  ARROW_ASSIGN_OR_RAISE(Operand second, Operand::Make(columns[1], pool));
  const Values<Real> left(std::move(first));
  const Values<Real> right(std::move(second));
  const int64_t rows = evaluation.length();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer((rows + 7) / 8, pool));
  CompareToBits(comparison, left.data(), right.data(), rows, level, values->mutable_data());
  return WithValidity(left, right, rows, values, pool);
}

/// Of floats, some of whose comparisons are Arrow's.
template <typename Real>
Kernel CompareReals(Comparison comparison) {
  const Kernel any =
      ByOrder<Real, Real>(comparison, [](Real a, Real b) { return OrderOfReals(a, b); });
  return [comparison, any](const std::vector<Datum>& arguments,
                           const Evaluation& evaluation) -> Result<Datum> {
    const auto is_number = [](const Datum& side) {
      if (!side.is_scalar() || !side.scalar()->is_valid) return false;
      using Scalar = typename arrow::CTypeTraits<Real>::ScalarType;
      return !std::isnan(side.scalar_as<Scalar>().value);
    };
    if (arguments[0].is_array() && arguments[1].is_array()) {
      return CompareColumns<Real>(comparison, arguments, evaluation);
    }
    const bool is_mirrored = is_number(arguments[0]) && arguments[1].is_array();
    if (!is_mirrored && !(arguments[0].is_array() && is_number(arguments[1]))) {
      return any(arguments, evaluation);
    }
    // Beside a number, Arrow goes wrong only where NaN is above it.
    const Comparison wanted = is_mirrored ? Mirrored(comparison) : comparison;
    const bool is_above = wanted == Comparison::kGreater || wanted == Comparison::kGreaterEqual;
    const std::vector<Datum> sides = {arguments[is_mirrored ? 1 : 0],
                                      arguments[is_mirrored ? 0 : 1]};
    const Comparison plain = is_above ? Opposite(wanted) : wanted;
    ARROW_ASSIGN_OR_RAISE(
        Datum holds, arrow::compute::CallFunction(ArrowName(plain), sides, evaluation.compute));
    if (!is_above) return holds;
    return arrow::compute::CallFunction("invert", {holds}, evaluation.compute);
  };
}

Kernel CompareNested(bool is_equal) {
  return [is_equal](const std::vector<Datum>& arguments,
                    const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Operand left, Operand::Make(arguments[0], pool));
    ARROW_ASSIGN_OR_RAISE(const Operand right, Operand::Make(arguments[1], pool));
    const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
    const auto holds = [&](int64_t row) {
      const int64_t i = left.Index(row);
      return left.array().RangeEquals(right.array(), i, i + 1, right.Index(row), options) ==
             is_equal;
    };
    return MakeBooleans(left, right, evaluation.length(), holds, pool);
  };
}

/// The unit of a timestamp or duration.
arrow::TimeUnit::type UnitOf(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP ? static_cast<const arrow::TimestampType&>(type).unit()
                                             : static_cast<const arrow::DurationType&>(type).unit();
}

Kernel CompareUnits(Comparison comparison, arrow::TimeUnit::type left,
                    arrow::TimeUnit::type right) {
  if (left == right) {
    return ByOrder<int64_t, int64_t>(
        comparison, [](int64_t a, int64_t b) { return a < b ? -1 : static_cast<int>(a > b); });
  }
  int64_t factor = 1;
  for (int i = std::min(left, right); i < std::max(left, right); ++i) factor *= 1000;
  if (left < right) {
    return ByOrder<int64_t, int64_t>(
        comparison, [factor](int64_t a, int64_t b) { return OrderOfUnits(a, b, factor); });
  }
  return ByOrder<int64_t, int64_t>(
      comparison, [factor](int64_t a, int64_t b) { return -OrderOfUnits(b, a, factor); });
}

bool HasUnit(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::DURATION;
}

/// Widens an integer to 64 bits.
TypePtr Widest(const arrow::DataType& integer) {
  return arrow::is_signed_integer(integer.id()) ? arrow::int64() : arrow::uint64();
}

ComparedTypes NumbersToCompare(const TypePtr& left, const TypePtr& right, const TypePtr& common) {
  const bool left_integer = arrow::is_integer(left->id());
  const bool right_integer = arrow::is_integer(right->id());
  if (left_integer && right_integer && arrow::is_decimal(common->id())) {
    return {.left = Widest(*left), .right = Widest(*right)};
  }
  if (left_integer && arrow::is_floating(right->id())) {
    return {.left = Widest(*left), .right = arrow::float64()};
  }
  if (right_integer && arrow::is_floating(left->id())) {
    return {.left = arrow::float64(), .right = Widest(*right)};
  }
  if (common->id() == arrow::Type::HALF_FLOAT) {
    return {.left = arrow::float32(), .right = arrow::float32()};
  }
  return {.left = common, .right = common};
}

/// Days as seconds, which hold them all; a timestamp stays as it is but for a zone that it has not.
TypePtr MomentToCompare(const arrow::DataType& type, const std::string& zone) {
  if (type.id() == arrow::Type::DATE32) return arrow::timestamp(arrow::TimeUnit::SECOND, zone);
  if (type.id() == arrow::Type::DATE64) return arrow::timestamp(arrow::TimeUnit::MILLI, zone);
  const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
  return timestamp.timezone().empty() ? arrow::timestamp(timestamp.unit(), zone)
                                      : type.GetSharedPtr();
}

bool IsNested(const arrow::DataType& type) {
  return IsList(type) || type.id() == arrow::Type::STRUCT || type.id() == arrow::Type::MAP;
}

}  // namespace

Comparison Mirrored(Comparison comparison) {
  switch (comparison) {
    case Comparison::kLess:
      return Comparison::kGreater;
    case Comparison::kLessEqual:
      return Comparison::kGreaterEqual;
    case Comparison::kGreater:
      return Comparison::kLess;
    case Comparison::kGreaterEqual:
      return Comparison::kLessEqual;
    default:
      return comparison;
  }
}

Comparison Opposite(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return Comparison::kNotEqual;
    case Comparison::kNotEqual:
      return Comparison::kEqual;
    case Comparison::kLess:
      return Comparison::kGreaterEqual;
    case Comparison::kLessEqual:
      return Comparison::kGreater;
    case Comparison::kGreater:
      return Comparison::kLessEqual;
    case Comparison::kGreaterEqual:
      break;
  }
  return Comparison::kLess;
}

Result<ComparedTypes> TypesToCompare(const TypePtr& left, const TypePtr& right) {
  const auto common = CommonType(left, right);
  if (common == nullptr) {
    return InvalidArgument("a ", NameOfType(*left), " cannot be compared with a ",
                           NameOfType(*right));
  }
  if (IsNumber(*common)) return NumbersToCompare(left, right, common);
  if (common->id() == arrow::Type::TIMESTAMP && left->id() != arrow::Type::NA &&
      right->id() != arrow::Type::NA) {
    const std::string& zone = static_cast<const arrow::TimestampType&>(*common).timezone();
    return ComparedTypes{.left = MomentToCompare(*left, zone),
                         .right = MomentToCompare(*right, zone)};
  }
  if (common->id() == arrow::Type::DURATION && left->id() == right->id()) {
    return ComparedTypes{.left = left, .right = right};
  }
  return ComparedTypes{.left = common, .right = common};
}

Result<Kernel> CompareFunction(Comparison comparison, const ComparedTypes& types,
                               arrow::compute::ExecContext* compute) {
  const arrow::DataType& left = *types.left;
  const arrow::DataType& right = *types.right;
  if (left.id() == arrow::Type::DOUBLE && right.id() == arrow::Type::DOUBLE) {
    return CompareReals<double>(comparison);
  }
  if (left.id() == arrow::Type::FLOAT && right.id() == arrow::Type::FLOAT) {
    return CompareReals<float>(comparison);
  }
  if (left.id() == arrow::Type::DOUBLE || right.id() == arrow::Type::DOUBLE) {
    const bool is_left = left.id() == arrow::Type::DOUBLE;
    const bool is_signed = arrow::is_signed_integer(is_left ? right.id() : left.id());
    if (is_left && is_signed) {
      return ByOrder<double, int64_t>(comparison,
                                      [](double a, int64_t b) { return -OrderOf(b, a); });
    }
    if (is_left) {
      return ByOrder<double, uint64_t>(comparison,
                                       [](double a, uint64_t b) { return -OrderOf(b, a); });
    }
    if (is_signed) {
      return ByOrder<int64_t, double>(comparison,
                                      [](int64_t a, double b) { return OrderOf(a, b); });
    }
    return ByOrder<uint64_t, double>(comparison,
                                     [](uint64_t a, double b) { return OrderOf(a, b); });
  }
  if (left.id() == arrow::Type::INT64 && right.id() == arrow::Type::UINT64) {
    return ByOrder<int64_t, uint64_t>(comparison,
                                      [](int64_t a, uint64_t b) { return OrderOf(a, b); });
  }
  if (left.id() == arrow::Type::UINT64 && right.id() == arrow::Type::INT64) {
    return ByOrder<uint64_t, int64_t>(comparison,
                                      [](uint64_t a, int64_t b) { return -OrderOf(b, a); });
  }
  if (HasUnit(left) && HasUnit(right) && !left.Equals(right)) {
    return CompareUnits(comparison, UnitOf(left), UnitOf(right));
  }
  if (IsNested(left)) {
    if (comparison != Comparison::kEqual && comparison != Comparison::kNotEqual) {
      return InvalidArgument("values of type ", NameOfType(left), " have no order");
    }
    return CompareNested(comparison == Comparison::kEqual);
  }
  ARROW_ASSIGN_OR_RAISE(
      ArrowFunction function,
      FindArrowFunction(ArrowName(comparison), {types.left, types.right}, nullptr, compute));
  return function.kernel;
}

}  // namespace tusk::expr
