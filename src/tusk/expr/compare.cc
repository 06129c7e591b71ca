#include "tusk/expr/compare.h"

#include <cmath>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/base/simd_level.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/number_order.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/type_name.h"
#include "tusk/expr/value_order.h"

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

/// Its bitmap of nulls; null of a scalar, and of a column that has none.
const uint8_t* NullBitmap(const Operand& side) {
  return side.is_scalar() ? nullptr : side.array().null_bitmap_data();
}

/// The rows in which neither side's bitmap has a null; null if there is no bitmap.
Result<std::shared_ptr<arrow::Buffer>> AndValidity(const Operand& left, const Operand& right,
                                                   int64_t rows, arrow::MemoryPool* pool) {
  const uint8_t* one = NullBitmap(left);
  const uint8_t* other = NullBitmap(right);
  const int64_t offset = left.array().offset();
  const int64_t other_offset = right.array().offset();
  if (one != nullptr && other != nullptr) {
    return arrow::internal::BitmapAnd(pool, one, offset, other, other_offset, rows, 0);
  }
  if (one != nullptr) return arrow::internal::CopyBitmap(pool, one, offset, rows);
  if (other != nullptr) return arrow::internal::CopyBitmap(pool, other, other_offset, rows);
  return nullptr;
}

/// Booleans whose bits stand in `values` where neither operand is null.
Result<Datum> WithValidity(const Operand& left, const Operand& right, int64_t rows,
                           const std::shared_ptr<arrow::Buffer>& values, arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Buffer> validity;
  const auto tells_by_bits = [](const Operand& side) {
    return NullBitmap(side) != nullptr || !side.may_be_null();
  };
  if (tells_by_bits(left) && tells_by_bits(right)) {
    ARROW_ASSIGN_OR_RAISE(validity, AndValidity(left, right, rows, pool));
  } else {
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

template <typename T>
int OrderOfNumbers(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return OrderOfReals(a, b);
  return a < b ? -1 : static_cast<int>(a > b);
}

/// Of numbers of one type, and what is stored as such.
template <ComparedNumber T>
Kernel CompareNumbers(Comparison comparison) {
  const Kernel any = ByOrder<T, T>(comparison, [](T a, T b) { return OrderOfNumbers<T>(a, b); });
  return [comparison, any](const std::vector<Datum>& arguments,
                           const Evaluation& evaluation) -> Result<Datum> {
    static const SimdLevel level = SupportedSimdLevels().back();
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(Operand first, Operand::Make(arguments[0], pool));
    ARROW_ASSIGN_OR_RAISE(Operand second, Operand::Make(arguments[1], pool));
    const bool is_mirrored = first.is_scalar();
    if (is_mirrored) std::swap(first, second);
    const auto is_null = [](const Operand& side) { return side.is_scalar() && side.IsNull(0); };
    if (first.is_scalar() || is_null(second)) return any(arguments, evaluation);
    const Values<T> left(std::move(first));
    const Values<T> right(std::move(second));
    const Comparison wanted = is_mirrored ? Mirrored(comparison) : comparison;
    const int64_t rows = evaluation.length();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                          arrow::AllocateBuffer((rows + 7) / 8, pool));
    if (right.is_scalar()) {
      CompareToBits(wanted, left.data(), right[0], rows, level, values->mutable_data());
    } else {
      CompareToBits(wanted, left.data(), right.data(), rows, level, values->mutable_data());
    }
    return WithValidity(left, right, rows, values, pool);
  };
}

/// Of two columns of the same type; null of a type that is not stored as numbers of 32 or 64 bits.
Kernel CompareStored(Comparison comparison, arrow::Type::type type) {
  switch (type) {
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return CompareNumbers<int32_t>(comparison);
    case arrow::Type::UINT32:
      return CompareNumbers<uint32_t>(comparison);
    case arrow::Type::INT64:
    case arrow::Type::DATE64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return CompareNumbers<int64_t>(comparison);
    case arrow::Type::UINT64:
      return CompareNumbers<uint64_t>(comparison);
    case arrow::Type::FLOAT:
      return CompareNumbers<float>(comparison);
    case arrow::Type::DOUBLE:
      return CompareNumbers<double>(comparison);
    default:
      return nullptr;
  }
}

/// Of values that are compared part by part.
Kernel CompareParts(Comparison comparison) {
  return [comparison](const std::vector<Datum>& arguments,
                      const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Operand left, Operand::Make(arguments[0], pool));
    ARROW_ASSIGN_OR_RAISE(const Operand right, Operand::Make(arguments[1], pool));
    ARROW_ASSIGN_OR_RAISE(
        const ValueOrder order,
        ValueOrder::Make(left.array(), right.array(), NullOrder::kBelow, evaluation.compute));
    const auto holds = [&](int64_t row) {
      return Holds(comparison, order.Compare(left.Index(row), right.Index(row)));
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
  if (left == right) return CompareNumbers<int64_t>(comparison);
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
  if (left.Equals(right)) {
    if (Kernel kernel = CompareStored(comparison, left.id()); kernel != nullptr) return kernel;
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
  if (left.id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    return InvalidArgument("intervals are not compared, since months and days differ in length");
  }
  if (IsNested(left)) {
    ARROW_RETURN_NOT_OK(CheckOrder(types.left, compute));
    return CompareParts(comparison);
  }
  ARROW_ASSIGN_OR_RAISE(
      ArrowFunction function,
      FindArrowFunction(ArrowName(comparison), {types.left, types.right}, nullptr, compute));
  return function.kernel;
}

}  // namespace tusk::expr
