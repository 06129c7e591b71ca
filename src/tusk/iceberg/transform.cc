#include "tusk/iceberg/transform.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/decimal.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/bounds.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"

namespace tusk::iceberg {
namespace {

using Kind = Transform::Kind;
__extension__ using Wide = __int128;

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

/// Beyond every timestamp and date, in microseconds.
constexpr Wide kEndOfTime = Wide{1} << 100;

template <typename T>
constexpr T FloorDivide(T value, T divisor) {
  const T quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

/// Days from 1970-01-01 to the first day of `year` of the Gregorian calendar, which may be any.
constexpr int64_t DaysBefore(int64_t year) {
  constexpr int64_t kDaysTo1970 = 719'162;  // from the first day of the year 1
  const int64_t before = year - 1;
  return 365 * before + FloorDivide<int64_t>(before, 4) - FloorDivide<int64_t>(before, 100) +
         FloorDivide<int64_t>(before, 400) - kDaysTo1970;
}
static_assert(DaysBefore(1970) == 0 && DaysBefore(2000) == 10957 && DaysBefore(1600) == -135140);

/// Days from 1970-01-01 to the first day of the month that is `months` after January 1970.
int64_t DaysBeforeMonth(int64_t months) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int64_t year = 1970 + FloorDivide<int64_t>(months, 12);
  const int64_t month = months - (year - 1970) * 12;
  int64_t days = DaysBefore(year);
  for (int64_t i = 0; i < month; ++i) days += kDays[static_cast<size_t>(i)];
  const bool is_leap = DaysBefore(year + 1) - DaysBefore(year) == 366;
  return days + (is_leap && month > 1 ? 1 : 0);
}

int64_t YearOf(int64_t days) {
  // 400 years are 146,097 days, so the guess is off by a year at most.
  int64_t year = 1970 + FloorDivide<int64_t>(days * 400, 146'097);
  while (DaysBefore(year) > days) --year;
  while (DaysBefore(year + 1) <= days) ++year;
  return year;
}

/// Months since January 1970.
int64_t MonthOf(int64_t days) {
  int64_t month = (YearOf(days) - 1970) * 12;
  while (DaysBeforeMonth(month + 1) <= days) ++month;
  return month;
}

/// The microseconds of a timestamp, or those of the first moment of a date.
Wide MicrosOf(const arrow::Array& source, int64_t row) {
  if (source.type_id() == arrow::Type::DATE32) {
    return Wide{static_cast<const arrow::Date32Array&>(source).Value(row)} * kMicrosPerDay;
  }
  return static_cast<const arrow::TimestampArray&>(source).Value(row);
}

/// The number of whole units from 1970 to the moment.
int64_t UnitsSince1970(Kind kind, Wide micros) {
  if (kind == Kind::kHour) return static_cast<int64_t>(FloorDivide<Wide>(micros, kMicrosPerHour));
  const auto days = static_cast<int64_t>(FloorDivide<Wide>(micros, kMicrosPerDay));
  if (kind == Kind::kDay) return days;
  return kind == Kind::kMonth ? MonthOf(days) : YearOf(days) - 1970;
}

/// The first moment of a unit, in microseconds.
Wide StartOf(Kind kind, int64_t unit) {
  switch (kind) {
    case Kind::kHour:
      return Wide{unit} * kMicrosPerHour;
    case Kind::kDay:
      return Wide{unit} * kMicrosPerDay;
    case Kind::kMonth:
      return Wide{DaysBeforeMonth(unit)} * kMicrosPerDay;
    default:
      return Wide{DaysBefore(1970 + unit)} * kMicrosPerDay;
  }
}

template <typename T>
std::string LittleBytes(T value) {
  std::string bytes;
  AppendLittle(value, &bytes);
  return bytes;
}

template <typename T>
std::string ClampedBytes(Wide value) {
  return LittleBytes(static_cast<T>(
      std::clamp<Wide>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max())));
}

/// What a bucket's hash is computed over: integers and what is stored as them as 8 bytes.
std::string HashedBytes(const arrow::Array& source, int64_t row) {
  std::string bytes = *SingleValue(source, row);
  if (source.type_id() == arrow::Type::INT32 || source.type_id() == arrow::Type::DATE32) {
    return LittleBytes(int64_t{LoadLittle<int32_t>(bytes, 0)});
  }
  return bytes;
}

/// The largest multiple of `width` that is not above `value`; wraps as integers of the type do.
template <typename T>
T TruncateNumber(T value, T width) {
  const T remainder = value % width;
  const T down = remainder < 0 ? remainder + width : remainder;
  using Unsigned = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<Unsigned>(value) - static_cast<Unsigned>(down));
}

arrow::Decimal128 TruncateDecimal(const arrow::Decimal128& value, int32_t width) {
  arrow::Decimal128 remainder = value % arrow::Decimal128(width);
  if (remainder < arrow::Decimal128(0)) remainder += arrow::Decimal128(width);
  return value - remainder;
}

std::string Truncate(const arrow::Array& source, int64_t row, int32_t width) {
  switch (source.type_id()) {
    case arrow::Type::INT32:
      return LittleBytes(
          TruncateNumber(static_cast<const arrow::Int32Array&>(source).Value(row), width));
    case arrow::Type::INT64:
      return LittleBytes(
          TruncateNumber<int64_t>(static_cast<const arrow::Int64Array&>(source).Value(row), width));
    case arrow::Type::DECIMAL128: {
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(source);
      return DecimalBound(TruncateDecimal(arrow::Decimal128(decimals.GetValue(row)), width));
    }
    case arrow::Type::STRING:
      return std::string(TruncateText(static_cast<const arrow::StringArray&>(source).GetView(row),
                                      static_cast<size_t>(width)));
    default:
      return std::string(static_cast<const arrow::BinaryArray&>(source).GetView(row).substr(
          0, static_cast<size_t>(width)));
  }
}

bool CanTransform(Kind kind, const arrow::DataType& source) {
  const arrow::Type::type id = source.id();
  const bool is_date = id == arrow::Type::DATE32;
  const bool is_timestamp = id == arrow::Type::TIMESTAMP;
  switch (kind) {
    case Kind::kBucket:
      return is_date || is_timestamp || id == arrow::Type::INT32 || id == arrow::Type::INT64 ||
             id == arrow::Type::DECIMAL128 || id == arrow::Type::TIME64 ||
             id == arrow::Type::STRING || id == arrow::Type::BINARY ||
             id == arrow::Type::FIXED_SIZE_BINARY;
    case Kind::kTruncate:
      return id == arrow::Type::INT32 || id == arrow::Type::INT64 ||
             id == arrow::Type::DECIMAL128 || id == arrow::Type::STRING ||
             id == arrow::Type::BINARY;
    case Kind::kYear:
    case Kind::kMonth:
    case Kind::kDay:
      return is_date || is_timestamp;
    case Kind::kHour:
      return is_timestamp;
    default:
      return source.num_fields() == 0;
  }
}

/// The greatest value that is cut to `cut`, or one above it.
std::optional<std::string> EndOfTruncated(const arrow::DataType& source, const std::string& cut,
                                          int32_t width) {
  switch (source.id()) {
    case arrow::Type::INT32:
    case arrow::Type::INT64: {
      const bool is_int = cut.size() == sizeof(int32_t);
      if (!is_int && cut.size() != sizeof(int64_t)) return std::nullopt;
      const Wide last =
          (is_int ? Wide{LoadLittle<int32_t>(cut, 0)} : Wide{LoadLittle<int64_t>(cut, 0)}) + width -
          1;
      const Wide most = is_int ? Wide{std::numeric_limits<int32_t>::max()}
                               : Wide{std::numeric_limits<int64_t>::max()};
      if (last > most) return std::nullopt;
      return is_int && source.id() == arrow::Type::INT32 ? LittleBytes(static_cast<int32_t>(last))
                                                         : LittleBytes(static_cast<int64_t>(last));
    }
    case arrow::Type::DECIMAL128: {
      const auto value = arrow::Decimal128::FromBigEndian(
          reinterpret_cast<const uint8_t*>(cut.data()), static_cast<int32_t>(cut.size()));
      if (!value.ok()) return std::nullopt;
      return DecimalBound(*value + arrow::Decimal128(width - 1));
    }
    // Only what is as long as the width may have been longer.
    case arrow::Type::STRING:
      return TruncateText(cut + "x", static_cast<size_t>(width)) == cut ? NextText(cut) : cut;
    case arrow::Type::BINARY:
      return std::ssize(cut) >= width ? NextBytes(cut) : cut;
    default:
      return std::nullopt;
  }
}

/// The bound of a range of units as a value of the column.
std::optional<std::string> TimeBound(Kind kind, const arrow::DataType& source,
                                     const std::string& unit_bytes, bool is_least) {
  if (unit_bytes.size() != sizeof(int32_t)) return std::nullopt;
  const int64_t unit = LoadLittle<int32_t>(unit_bytes, 0);
  const bool is_date = source.id() == arrow::Type::DATE32;
  const bool is_exact = is_date && kind == Kind::kDay;
  const int64_t first = is_least && unit <= 0 && !is_exact ? unit - 1 : unit;
  Wide micros = is_least ? StartOf(kind, first) : StartOf(kind, unit + 1) - 1;
  // Units beyond 32 bits are given as the last one.
  if (!is_least && unit == std::numeric_limits<int32_t>::max()) micros = kEndOfTime;
  if (is_least && unit == std::numeric_limits<int32_t>::min()) micros = -kEndOfTime;
  if (is_date) return ClampedBytes<int32_t>(FloorDivide<Wide>(micros, kMicrosPerDay));
  return ClampedBytes<int64_t>(micros);
}

}  // namespace

uint32_t BucketHash(std::string_view bytes) {
  constexpr uint32_t kFirst = 0xCC9E2D51;
  constexpr uint32_t kSecond = 0x1B873593;
  uint32_t hash = 0;
  size_t offset = 0;
  for (; offset + 4 <= bytes.size(); offset += 4) {
    const uint32_t block = std::rotl(LoadLittle<uint32_t>(bytes, offset) * kFirst, 15) * kSecond;
    hash = std::rotl(hash ^ block, 13) * 5 + 0xE6546B64;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i > offset; --i) {
    tail = tail << 8 | static_cast<uint8_t>(bytes[i - 1]);
  }
  hash ^= std::rotl(tail * kFirst, 15) * kSecond;
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
  hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
  return hash ^ (hash >> 16);
}

Result<std::shared_ptr<arrow::DataType>> ResultType(
    const Transform& transform, const std::shared_ptr<arrow::DataType>& source) {
  if (!CanTransform(transform.kind, *source)) {
    return InvalidArgument("the transform ", transform.ToString(), " cannot take values of type ",
                           source->ToString());
  }
  switch (transform.kind) {
    case Kind::kIdentity:
    case Kind::kTruncate:
    case Kind::kVoid:
      return source;
    case Kind::kDay:
      return arrow::date32();
    case Kind::kUnknown:
      return arrow::utf8();
    default:
      return arrow::int32();
  }
}

std::optional<std::string> ApplyTransform(const Transform& transform, const arrow::Array& source,
                                          int64_t row) {
  if (source.IsNull(row)) return std::nullopt;
  switch (transform.kind) {
    case Kind::kIdentity:
      return SingleValue(source, row);
    case Kind::kBucket: {
      const uint32_t hash = BucketHash(HashedBytes(source, row)) & 0x7FFFFFFF;
      return LittleBytes(static_cast<int32_t>(hash % static_cast<uint32_t>(transform.parameter)));
    }
    case Kind::kTruncate:
      return Truncate(source, row, transform.parameter);
    case Kind::kYear:
    case Kind::kMonth:
    case Kind::kDay:
    case Kind::kHour:
      return ClampedBytes<int32_t>(UnitsSince1970(transform.kind, MicrosOf(source, row)));
    default:
      return std::nullopt;
  }
}

SourceRange SourceRangeOf(const Transform& transform,
                          const std::shared_ptr<arrow::DataType>& source,
                          const std::optional<std::string>& least,
                          const std::optional<std::string>& greatest) {
  SourceRange range;
  switch (transform.kind) {
    case Kind::kIdentity:
      return {.least = least, .greatest = greatest};
    case Kind::kTruncate:
      if (greatest) range.greatest = EndOfTruncated(*source, *greatest, transform.parameter);
      // Truncating the least integers wraps around to the greatest, which then say nothing.
      if (!greatest || range.greatest || !arrow::is_integer(source->id())) range.least = least;
      return range;
    case Kind::kYear:
    case Kind::kMonth:
    case Kind::kDay:
    case Kind::kHour:
      if (least) range.least = TimeBound(transform.kind, *source, *least, /*is_least=*/true);
      if (greatest) {
        range.greatest = TimeBound(transform.kind, *source, *greatest, /*is_least=*/false);
      }
      return range;
    default:
      return range;
  }
}

Result<arrow::FieldVector> PartitionFields(
    const PartitionSpec& spec,
    const std::function<std::shared_ptr<arrow::Field>(int32_t)>& find_source) {
  arrow::FieldVector fields;
  for (const PartitionField& field : spec.fields) {
    const auto source = find_source(field.source_id);
    std::shared_ptr<arrow::DataType> type = arrow::utf8();
    if (source != nullptr) {
      ARROW_ASSIGN_OR_RAISE(type, ResultType(field.transform, source->type()));
    }
    auto result = WithFieldId(arrow::field(field.name, type), field.field_id);
    // What is of the column's type is also what the column's type stands for.
    if (source != nullptr && type->Equals(*source->type()) && IsUuid(*source)) {
      result = MarkUuid(result);
    }
    fields.push_back(std::move(result));
  }
  return fields;
}

namespace {

std::shared_ptr<arrow::Field> FindFieldById(const arrow::FieldVector& fields, int32_t id) {
  for (const auto& field : fields) {
    if (FieldId(*field) == id) return field;
    if (field->type()->id() != arrow::Type::STRUCT) continue;
    if (auto found = FindFieldById(field->type()->fields(), id)) return found;
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<arrow::Field> FindFieldById(const arrow::Schema& schema, int32_t id) {
  return FindFieldById(schema.fields(), id);
}

}  // namespace tusk::iceberg
