#include "tusk/expr/arrow_type_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// Types that are a name only.
const std::array<std::pair<std::string_view, TypePtr>, 22>& PlainTypes() {
  static const std::array<std::pair<std::string_view, TypePtr>, 22> types = {{
      {"Null", arrow::null()},
      {"Boolean", arrow::boolean()},
      {"Int8", arrow::int8()},
      {"Int16", arrow::int16()},
      {"Int32", arrow::int32()},
      {"Int64", arrow::int64()},
      {"UInt8", arrow::uint8()},
      {"UInt16", arrow::uint16()},
      {"UInt32", arrow::uint32()},
      {"UInt64", arrow::uint64()},
      {"Float16", arrow::float16()},
      {"Float32", arrow::float32()},
      {"Float64", arrow::float64()},
      {"Utf8", arrow::utf8()},
      {"LargeUtf8", arrow::large_utf8()},
      {"Utf8View", arrow::utf8_view()},
      {"Binary", arrow::binary()},
      {"LargeBinary", arrow::large_binary()},
      {"BinaryView", arrow::binary_view()},
      {"Date32", arrow::date32()},
      {"Date64", arrow::date64()},
      {"Interval(MonthDayNano)", arrow::month_day_nano_interval()},
  }};
  return types;
}

struct UnitName {
  std::string_view name;
  std::string_view long_name;
  arrow::TimeUnit::type unit;
};
constexpr std::array<UnitName, 4> kUnits = {{
    {"s", "Second", arrow::TimeUnit::SECOND},
    {"ms", "Millisecond", arrow::TimeUnit::MILLI},
    {"µs", "Microsecond", arrow::TimeUnit::MICRO},
    {"ns", "Nanosecond", arrow::TimeUnit::NANO},
}};

std::string_view NameOfUnit(arrow::TimeUnit::type unit) {
  return kUnits[static_cast<size_t>(unit)].name;
}

std::string FieldText(const arrow::Field& field) {
  return (field.nullable() ? "" : "non-null ") + ToArrowTypeText(*field.type());
}

std::string NamedFieldText(const arrow::Field& field) {
  return "\"" + field.name() + "\": " + FieldText(field);
}

/// The field of a list: its name only if it is another than "item".
std::string ItemText(const arrow::Field& field) {
  return FieldText(field) + (field.name() == "item" ? "" : ", field: '" + field.name() + "'");
}

/// Reads a type from the front of a text.
class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text), rest_(text) {}

  Result<TypePtr> Parse() {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, TakeType(/*depth=*/0));
    SkipBlanks();
    if (!rest_.empty()) return Broken();
    return type;
  }

 private:
  static constexpr int kDeepest = 64;

  Status Broken() const {
    std::vector<std::string> known;
    for (const auto& [name, type] : PlainTypes()) known.emplace_back(name);
    return InvalidArgument("there is no type '", text_, "'", DidYouMean(text_, known));
  }
  void SkipBlanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size())); }
  bool Take(std::string_view token) {
    SkipBlanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  Status Expect(std::string_view token) { return Take(token) ? Status::OK() : Broken(); }
  std::string_view TakeWord() {
    SkipBlanks();
    size_t size = 0;
    while (size < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[size])) != 0 ||
                                   static_cast<unsigned char>(rest_[size]) >= 0x80)) {
      ++size;
    }
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }
  Result<int> TakeNumber() {
    SkipBlanks();
    int number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc()) return Broken();
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return number;
  }
  Result<std::string> TakeQuoted() {
    ARROW_RETURN_NOT_OK(Expect("\""));
    const size_t end = rest_.find('"');
    if (end == std::string_view::npos) return Broken();
    std::string quoted(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return quoted;
  }
  Result<arrow::TimeUnit::type> TakeUnit() {
    const std::string_view word = TakeWord();
    for (const UnitName& unit : kUnits) {
      if (word == unit.name || word == unit.long_name) return unit.unit;
    }
    return Broken();
  }
  Result<TypePtr> TakeType(int depth);
  Result<TypePtr> TakeTimestamp();
  Result<TypePtr> TakeDecimal(std::string_view name);
  Result<TypePtr> TakeFixedSizeList(int depth);
  Result<std::shared_ptr<arrow::Field>> TakeField(std::string name, int depth);
  Result<arrow::FieldVector> TakeFields(int depth);

  const std::string_view text_;
  std::string_view rest_;
};

Result<TypePtr> TypeParser::TakeTimestamp() {
  ARROW_ASSIGN_OR_RAISE(const auto unit, TakeUnit());
  std::string zone;
  if (Take(",") && !Take("None")) {
    const bool is_wrapped = Take("Some(");
    ARROW_ASSIGN_OR_RAISE(zone, TakeQuoted());
    if (is_wrapped) ARROW_RETURN_NOT_OK(Expect(")"));
  }
  return arrow::timestamp(unit, zone);
}

Result<TypePtr> TypeParser::TakeDecimal(std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(const int precision, TakeNumber());
  ARROW_RETURN_NOT_OK(Expect(","));
  ARROW_ASSIGN_OR_RAISE(const int scale, TakeNumber());
  const int most = name == "Decimal128" ? 38 : 76;
  if (precision < 1 || precision > most || scale > precision || scale < -most) return Broken();
  return most == 38 ? arrow::decimal128(precision, scale) : arrow::decimal256(precision, scale);
}

Result<std::shared_ptr<arrow::Field>> TypeParser::TakeField(std::string name, int depth) {
  Take("nullable");
  const bool is_nullable = !Take("non-null");
  ARROW_ASSIGN_OR_RAISE(TypePtr type, TakeType(depth));
  if (Take(", field:")) {
    ARROW_RETURN_NOT_OK(Expect("'"));
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return Broken();
    name = std::string(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
  }
  return arrow::field(std::move(name), std::move(type), is_nullable);
}

Result<TypePtr> TypeParser::TakeFixedSizeList(int depth) {
  // As FixedSizeList(2 x Float32) or FixedSizeList(2, Float32).
  ARROW_ASSIGN_OR_RAISE(const int size, TakeNumber());
  if (size < 0 || (!Take("x") && !Take(","))) return Broken();
  ARROW_ASSIGN_OR_RAISE(auto field, TakeField("item", depth));
  return arrow::fixed_size_list(std::move(field), size);
}

Result<arrow::FieldVector> TypeParser::TakeFields(int depth) {
  arrow::FieldVector fields;
  SkipBlanks();
  if (rest_.starts_with(')')) return fields;
  do {
    ARROW_ASSIGN_OR_RAISE(std::string name, TakeQuoted());
    ARROW_RETURN_NOT_OK(Expect(":"));
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), TakeField(std::move(name), depth));
  } while (Take(","));
  return fields;
}

Result<TypePtr> TypeParser::TakeType(int depth) {
  if (depth > kDeepest) return InvalidArgument("the type is nested more than ", kDeepest, " deep");
  for (const auto& [name, type] : PlainTypes()) {
    SkipBlanks();
    const bool is_whole = rest_.size() == name.size() ||
                          (rest_.size() > name.size() &&
                           std::isalnum(static_cast<unsigned char>(rest_[name.size()])) == 0);
    if (rest_.starts_with(name) && is_whole) {
      rest_.remove_prefix(name.size());
      return type;
    }
  }
  const std::string_view name = TakeWord();
  ARROW_RETURN_NOT_OK(Expect("("));
  TypePtr type;
  if (name == "Timestamp") {
    ARROW_ASSIGN_OR_RAISE(type, TakeTimestamp());
  } else if (name == "Time32" || name == "Time64") {
    ARROW_ASSIGN_OR_RAISE(const auto unit, TakeUnit());
    const bool is_short = unit == arrow::TimeUnit::SECOND || unit == arrow::TimeUnit::MILLI;
    if (is_short != (name == "Time32")) return Broken();
    type = is_short ? arrow::time32(unit) : arrow::time64(unit);
  } else if (name == "Duration") {
    ARROW_ASSIGN_OR_RAISE(const auto unit, TakeUnit());
    type = arrow::duration(unit);
  } else if (name == "Decimal128" || name == "Decimal256") {
    ARROW_ASSIGN_OR_RAISE(type, TakeDecimal(name));
  } else if (name == "FixedSizeBinary") {
    ARROW_ASSIGN_OR_RAISE(const int size, TakeNumber());
    if (size < 0) return Broken();
    type = arrow::fixed_size_binary(size);
  } else if (name == "List" || name == "LargeList") {
    ARROW_ASSIGN_OR_RAISE(auto field, TakeField("item", depth + 1));
    type = name == "List" ? arrow::list(std::move(field)) : arrow::large_list(std::move(field));
  } else if (name == "FixedSizeList") {
    ARROW_ASSIGN_OR_RAISE(type, TakeFixedSizeList(depth + 1));
  } else if (name == "Struct") {
    ARROW_ASSIGN_OR_RAISE(auto fields, TakeFields(depth + 1));
    type = arrow::struct_(fields);
  } else if (name == "Dictionary") {
    ARROW_ASSIGN_OR_RAISE(const TypePtr keys, TakeType(depth + 1));
    ARROW_RETURN_NOT_OK(Expect(","));
    ARROW_ASSIGN_OR_RAISE(const TypePtr values, TakeType(depth + 1));
    if (!arrow::is_integer(keys->id())) return Broken();
    type = arrow::dictionary(keys, values);
  } else {
    return Broken();
  }
  ARROW_RETURN_NOT_OK(Expect(")"));
  return type;
}

}  // namespace

std::string ToArrowTypeText(const arrow::DataType& type) {
  for (const auto& [name, plain] : PlainTypes()) {
    if (type.Equals(*plain)) return std::string(name);
  }
  switch (type.id()) {
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      const std::string zone =
          timestamp.timezone().empty() ? "" : ", \"" + timestamp.timezone() + "\"";
      return "Timestamp(" + std::string(NameOfUnit(timestamp.unit())) + zone + ")";
    }
    case arrow::Type::TIME32:
    case arrow::Type::TIME64: {
      const auto unit = static_cast<const arrow::TimeType&>(type).unit();
      return (type.id() == arrow::Type::TIME32 ? "Time32(" : "Time64(") +
             std::string(NameOfUnit(unit)) + ")";
    }
    case arrow::Type::DURATION:
      return "Duration(" +
             std::string(NameOfUnit(static_cast<const arrow::DurationType&>(type).unit())) + ")";
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return (type.id() == arrow::Type::DECIMAL128 ? "Decimal128(" : "Decimal256(") +
             std::to_string(decimal.precision()) + ", " + std::to_string(decimal.scale()) + ")";
    }
    case arrow::Type::FIXED_SIZE_BINARY:
      return "FixedSizeBinary(" +
             std::to_string(static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width()) +
             ")";
    case arrow::Type::LIST:
      return "List(" + ItemText(*type.field(0)) + ")";
    case arrow::Type::LARGE_LIST:
      return "LargeList(" + ItemText(*type.field(0)) + ")";
    case arrow::Type::FIXED_SIZE_LIST:
      return "FixedSizeList(" +
             std::to_string(static_cast<const arrow::FixedSizeListType&>(type).list_size()) +
             " x " + ItemText(*type.field(0)) + ")";
    case arrow::Type::STRUCT: {
      std::string text = "Struct(";
      for (const auto& field : type.fields()) {
        if (text.back() != '(') text += ", ";
        text += NamedFieldText(*field);
      }
      return text + ")";
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      const auto entries = arrow::struct_({map.key_field(), map.item_field()});
      return "Map(\"" + map.field(0)->name() + "\": non-null " + ToArrowTypeText(*entries) + ", " +
             (map.keys_sorted() ? "sorted" : "unsorted") + ")";
    }
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(type);
      return "Dictionary(" + ToArrowTypeText(*dictionary.index_type()) + ", " +
             ToArrowTypeText(*dictionary.value_type()) + ")";
    }
    default:
      return type.ToString();
  }
}

Result<TypePtr> ParseArrowTypeText(std::string_view text) { return TypeParser(text).Parse(); }

}  // namespace tusk::expr
