#include "tusk/expr/type_name.h"

#include <algorithm>
#include <array>
#include <utility>

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// Names of types without parameters, then of the unsigned form if there is one.
struct PlainName {
  std::string_view name;
  const TypePtr& (*type)();
  const TypePtr& (*unsigned_type)() = nullptr;
};

constexpr std::array<PlainName, 17> kPlainNames = {{
    {"boolean", arrow::boolean},
    {"bool", arrow::boolean},
    {"tinyint", arrow::int8, arrow::uint8},
    {"smallint", arrow::int16, arrow::uint16},
    {"int", arrow::int32, arrow::uint32},
    {"integer", arrow::int32, arrow::uint32},
    {"bigint", arrow::int64, arrow::uint64},
    {"float", arrow::float32},
    {"real", arrow::float32},
    {"double", arrow::float64},
    {"string", arrow::utf8},
    {"varchar", arrow::utf8},
    {"text", arrow::utf8},
    {"char", arrow::utf8},
    {"binary", arrow::binary},
    {"varbinary", arrow::binary},
    {"date", arrow::date32},
}};

constexpr std::array<std::string_view, 5> kOtherNames = {"decimal", "numeric", "timestamp",
                                                         "datetime", "time"};

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  names.reserve(kPlainNames.size() + kOtherNames.size());
  for (const PlainName& plain : kPlainNames) names.emplace_back(plain.name);
  for (const std::string_view other : kOtherNames) names.emplace_back(other);
  return names;
}

Result<arrow::TimeUnit::type> UnitOfPrecision(std::string_view name, int precision) {
  switch (precision) {
    case 0:
      return arrow::TimeUnit::SECOND;
    case 3:
      return arrow::TimeUnit::MILLI;
    case 6:
      return arrow::TimeUnit::MICRO;
    case 9:
      return arrow::TimeUnit::NANO;
    default:
      return InvalidArgument(name, "(", precision,
                             ") is no type: the precision is 0, 3, 6 or 9 digits");
  }
}

Result<TypePtr> ParseDecimal(std::string_view name, const std::vector<int>& parameters) {
  if (parameters.empty() || parameters.size() > 2) {
    return InvalidArgument(name, " needs its precision and scale: ", name, "(10, 2)");
  }
  const int scale = parameters.size() == 2 ? parameters[1] : 0;
  if (parameters[0] < 1 || parameters[0] > 76 || scale < 0 || scale > parameters[0]) {
    return InvalidArgument(name, "(", parameters[0], ", ", scale,
                           ") is no type: the precision is 1 to 76, the scale 0 to the precision");
  }
  return DecimalOf(parameters[0], scale);
}

}  // namespace

bool IsTypeName(std::string_view name) {
  return std::ranges::find(kPlainNames, name, &PlainName::name) != kPlainNames.end() ||
         std::ranges::find(kOtherNames, name) != kOtherNames.end();
}

Result<TypePtr> TypeOfName(std::string_view name, bool is_unsigned,
                           const std::vector<int>& parameters) {
  const auto* plain = std::ranges::find(kPlainNames, name, &PlainName::name);
  if (plain != kPlainNames.end()) {
    if (is_unsigned && plain->unsigned_type == nullptr) {
      return InvalidArgument(name, " has no unsigned form");
    }
    // A length is a limit elsewhere; here it would be none, so that it is not taken.
    if (!parameters.empty()) return InvalidArgument(name, " takes no parameters here");
    return is_unsigned ? plain->unsigned_type() : plain->type();
  }
  if (is_unsigned) return InvalidArgument(name, " has no unsigned form");
  if (name == "decimal" || name == "numeric") return ParseDecimal(name, parameters);
  if (parameters.size() > 1) return InvalidArgument(name, " takes one parameter");
  if (name == "timestamp" || name == "datetime" || name == "time") {
    ARROW_ASSIGN_OR_RAISE(const auto unit,
                          UnitOfPrecision(name, parameters.empty() ? 6 : parameters[0]));
    if (name != "time") return arrow::timestamp(unit);
    const bool is_short = unit == arrow::TimeUnit::SECOND || unit == arrow::TimeUnit::MILLI;
    return is_short ? arrow::time32(unit) : arrow::time64(unit);
  }
  return InvalidArgument("there is no type '", name, "'", DidYouMean(name, AllNames()));
}

std::string NameOfType(const arrow::DataType& type) {
  if (type.id() == arrow::Type::STRING) return "string";
  for (const PlainName& plain : kPlainNames) {
    if (type.Equals(*plain.type())) return std::string(plain.name);
    if (plain.unsigned_type != nullptr && type.Equals(*plain.unsigned_type())) {
      return std::string(plain.name) + " unsigned";
    }
  }
  if (arrow::is_decimal(type.id())) {
    const auto& decimal = static_cast<const arrow::DecimalType&>(type);
    return "decimal(" + std::to_string(decimal.precision()) + ", " +
           std::to_string(decimal.scale()) + ")";
  }
  return type.ToString();
}

}  // namespace tusk::expr
