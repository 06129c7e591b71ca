#include "tusk/expr/cast.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/decimal.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/format_value.h"
#include "tusk/expr/literal.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Cuts what is behind the point of floats and decimals and what is below a time's unit.
cp::CastOptions CutFractions(const TypePtr& to) {
  cp::CastOptions options = cp::CastOptions::Safe(to);
  options.allow_float_truncate = true;
  options.allow_decimal_truncate = true;
  options.allow_time_truncate = true;
  return options;
}

Kernel ArrowCast(cp::CastOptions options) {
  return [options = std::move(options)](const std::vector<Datum>& arguments,
                                        const Evaluation& evaluation) {
    return cp::Cast(arguments[0], options, evaluation.compute);
  };
}

/// Arrow does not look at the range of what it cuts.
Kernel RealToInteger(const TypePtr& to) {
  const bool is_signed = arrow::is_signed_integer(to->id());
  const int bits = arrow::bit_width(to->id()) - (is_signed ? 1 : 0);
  const double above = std::ldexp(1.0, bits);
  const double least = is_signed ? -above : 0.0;
  return [to, least, above](const std::vector<Datum>& arguments,
                            const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Datum reals, cp::Cast(arguments[0], arrow::float64(),
                                                      cp::CastOptions::Safe(), evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(reals, evaluation.context->pool));
    const Values<double> values(std::move(operand));
    const int64_t rows = values.array().length();
    for (int64_t i = 0; i < rows; ++i) {
      if (values.IsNull(i)) continue;
      const double whole = std::trunc(values[i]);
      if (whole >= least && whole < above) continue;
      return InvalidArgument(FormatReal(values[i]), " cannot be cast to ", NameOfType(*to));
    }
    cp::CastOptions options = cp::CastOptions::Safe(to);
    options.allow_float_truncate = true;
    return cp::Cast(reals, options, evaluation.compute);
  };
}

/// Arrow makes zero of what is not a number.
Kernel RealToDecimal(const TypePtr& to) {
  return [to](const std::vector<Datum>& arguments, const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(arguments, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const auto values, ToArray(arguments[0], rows, evaluation.context->pool));
    ARROW_ASSIGN_OR_RAISE(const Datum is_finite,
                          cp::CallFunction("is_finite", {Datum(values)}, evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const Datum all,
                          cp::CallFunction("all", {is_finite}, evaluation.compute));
    const auto& holds = all.scalar_as<arrow::BooleanScalar>();
    if (holds.is_valid && !holds.value) {
      return InvalidArgument("NaN and infinity cannot be cast to ", NameOfType(*to));
    }
    return cp::Cast(arguments[0], cp::CastOptions::Safe(to), evaluation.compute);
  };
}

/// Rounds half away from zero, as pylance does, where decimals lose digits.
Kernel ToDecimal(const TypePtr& from, const TypePtr& to) {
  const int scale = static_cast<const arrow::DecimalType&>(*to).scale();
  return [from, to, scale](const std::vector<Datum>& arguments,
                           const Evaluation& evaluation) -> Result<Datum> {
    Datum value = arguments[0];
    const auto& type = static_cast<const arrow::DecimalType&>(*from);
    if (type.scale() > scale) {
      // Rounding up may need one digit more than there was.
      if (type.precision() < 76) {
        ARROW_ASSIGN_OR_RAISE(
            value,
            cp::Cast(value, cp::CastOptions::Safe(DecimalOf(type.precision() + 1, type.scale())),
                     evaluation.compute));
      }
      const cp::RoundOptions options(scale, cp::RoundMode::HALF_TOWARDS_INFINITY);
      ARROW_ASSIGN_OR_RAISE(value,
                            cp::CallFunction("round", {value}, &options, evaluation.compute));
    }
    return cp::Cast(value, cp::CastOptions::Safe(to), evaluation.compute);
  };
}

/// A kernel that makes each text what `parse` gives, which is a Literal of `kind` as a value of
/// `to`; a fraction that `to` does not hold is cut, or rounded by `rounds`.
Kernel ParseTexts(const TypePtr& to) {
  return [to](const std::vector<Datum>& arguments, const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[0], pool));
    const Texts texts(std::move(operand));
    const int64_t rows = texts.array().length();
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(to, pool));
    ARROW_RETURN_NOT_OK(builder->Reserve(rows));
    Literal literal{.kind = SyntaxKind::kText};
    for (int64_t i = 0; i < rows; ++i) {
      if (texts.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      literal.text = texts[i];
      ARROW_ASSIGN_OR_RAISE(const FittedLiteral fitted, FitLiteral(literal, *to));
      if (!fitted.is_exact && arrow::is_integer(to->id())) {
        return InvalidArgument(ToString(literal), " is no whole number");
      }
      ARROW_RETURN_NOT_OK(builder->AppendScalar(*fitted.scalar));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder->Finish());
    return ToResult(array, texts.is_scalar());
  };
}

/// Texts as moments of a zone, by whose clock those are that say no offset.
Kernel TextToZoned(const TypePtr& to) {
  const auto& type = static_cast<const arrow::TimestampType&>(*to);
  const TypePtr naive = arrow::timestamp(type.unit());
  const cp::AssumeTimezoneOptions options(type.timezone());
  return [parse = ParseTexts(to), naive, options](const std::vector<Datum>& arguments,
                                                  const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Datum moments, parse(arguments, evaluation));
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[0], pool));
    const Texts texts(std::move(operand));
    arrow::BooleanBuilder is_local(pool);
    for (int64_t i = 0; i < texts.array().length(); ++i) {
      const auto moment = texts.IsNull(i) ? std::nullopt : ParseMoment(texts[i]);
      ARROW_RETURN_NOT_OK(is_local.Append(moment && !moment->has_offset));
    }
    ARROW_ASSIGN_OR_RAISE(const auto mask, is_local.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto values, ToArray(moments, mask->length(), pool));
    ARROW_ASSIGN_OR_RAISE(const auto clocks, values->View(naive));
    ARROW_ASSIGN_OR_RAISE(const Datum shown, cp::CallFunction("if_else",
                                                              {Datum(mask), Datum(clocks),
                                                               Datum(arrow::MakeNullScalar(naive))},
                                                              evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const Datum local, cp::CallFunction("assume_timezone", {shown}, &options,
                                                              evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const Datum all,
                          cp::CallFunction("coalesce", {local, Datum(values)}, evaluation.compute));
    return ToResult(all.make_array(), texts.is_scalar());
  };
}

/// Texts as decimals of all their digits, then rounded.
Kernel TextToDecimal(const TypePtr& to) {
  const int scale = static_cast<const arrow::DecimalType&>(*to).scale();
  // Room for every digit that is rounded away by at most 38 more.
  const TypePtr wide = arrow::decimal256(76, std::min(scale + 19, 76));
  Kernel parse = ParseTexts(wide);
  Kernel round = ToDecimal(wide, to);
  return [parse = std::move(parse), round = std::move(round)](
             const std::vector<Datum>& arguments, const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Datum parsed, parse(arguments, evaluation));
    return round({parsed}, evaluation);
  };
}

Result<Datum> TextToBoolean(const std::vector<Datum>& arguments, const Evaluation& evaluation) {
  arrow::MemoryPool* pool = evaluation.context->pool;
  ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[0], pool));
  const Texts texts(std::move(operand));
  arrow::BooleanBuilder builder(pool);
  for (int64_t i = 0; i < texts.array().length(); ++i) {
    if (texts.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const std::string word = ToLowerAscii(texts[i]);
    const bool is_true = word == "true" || word == "t" || word == "yes" || word == "y" ||
                         word == "on" || word == "1";
    const bool is_false = word == "false" || word == "f" || word == "no" || word == "n" ||
                          word == "off" || word == "0";
    if (!is_true && !is_false) {
      return InvalidArgument("'", Excerpt(word, {0, word.size()}), "' is neither true nor false");
    }
    ARROW_RETURN_NOT_OK(builder.Append(is_true));
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
  return ToResult(array, texts.is_scalar());
}

Kernel ToText(const TypePtr& from, const TypePtr& to) {
  return [from, to](const std::vector<Datum>& arguments,
                    const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Operand operand, Operand::Make(arguments[0], pool));
    arrow::LargeStringBuilder builder(pool);
    std::string text;
    for (int64_t i = 0; i < operand.array().length(); ++i) {
      if (operand.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      text.clear();
      ARROW_RETURN_NOT_OK(AppendValue(operand.array(), i, &text));
      ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    ARROW_ASSIGN_OR_RAISE(const Datum texts,
                          cp::Cast(Datum(array), to, cp::CastOptions::Safe(), evaluation.compute));
    return ToResult(texts.make_array(), operand.is_scalar());
  };
}

/// Moments of a zone, as its clock shows them.
Kernel ZonedToText(const TypePtr& from, const TypePtr& to) {
  const auto unit = static_cast<const arrow::TimestampType&>(*from).unit();
  return [unit, to](const std::vector<Datum>& arguments,
                    const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Datum local,
                          cp::CallFunction("local_timestamp", {arguments[0]}, evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(Operand moments, Operand::Make(arguments[0], pool));
    ARROW_ASSIGN_OR_RAISE(Operand clocks, Operand::Make(local, pool));
    const Values<int64_t> values(std::move(moments));
    const Values<int64_t> shown(std::move(clocks));
    arrow::LargeStringBuilder builder(pool);
    for (int64_t i = 0; i < values.array().length(); ++i) {
      ARROW_RETURN_NOT_OK(values.IsNull(i)
                              ? builder.AppendNull()
                              : builder.Append(FormatZoned(values[i], shown[i], unit)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    ARROW_ASSIGN_OR_RAISE(const Datum texts,
                          cp::Cast(Datum(array), to, cp::CastOptions::Safe(), evaluation.compute));
    return ToResult(texts.make_array(), values.is_scalar());
  };
}

/// One cast after the other.
Kernel Chain(Kernel first, Kernel second) {
  return [first = std::move(first), second = std::move(second)](
             const std::vector<Datum>& arguments, const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Datum between, first(arguments, evaluation));
    return second({between}, evaluation);
  };
}

bool CanFormat(const arrow::DataType& type) {
  return IsNumber(type) || type.id() == arrow::Type::BOOL || arrow::is_date(type.id()) ||
         arrow::is_time(type.id()) || type.id() == arrow::Type::TIMESTAMP ||
         type.id() == arrow::Type::DURATION;
}

TypePtr IntegerOfTemporal(const arrow::DataType& type) {
  return arrow::bit_width(type.id()) == 32 ? arrow::int32() : arrow::int64();
}

bool IsNaive(const arrow::DataType& type) {
  return static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

Kernel ToZone(const TypePtr& to) {
  const auto& type = static_cast<const arrow::TimestampType&>(*to);
  const TypePtr naive = arrow::timestamp(type.unit());
  const cp::AssumeTimezoneOptions options(type.timezone());
  return [naive, options](const std::vector<Datum>& arguments,
                          const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Datum value,
                          cp::Cast(arguments[0], CutFractions(naive), evaluation.compute));
    return cp::CallFunction("assume_timezone", {value}, &options, evaluation.compute);
  };
}

Status NeverCast(const arrow::DataType& from, const arrow::DataType& to) {
  return InvalidArgument("a ", NameOfType(from), " cannot be cast to ", NameOfType(to));
}

/// A whole number or duration as what counts the same: days, units since 1970.
bool IsCount(const arrow::DataType& type) { return arrow::is_integer(type.id()); }

bool IsCounted(const arrow::DataType& type) {
  return arrow::is_date(type.id()) || arrow::is_time(type.id()) ||
         type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::DURATION;
}

Result<Kernel> PlainCast(const TypePtr& from, const TypePtr& to) {
  const bool from_number = IsNumber(*from);
  const bool to_number = IsNumber(*to);
  if (IsText(*from)) {
    if (to->id() == arrow::Type::BOOL) return Kernel(TextToBoolean);
    if (arrow::is_decimal(to->id())) return TextToDecimal(to);
    if (to->id() == arrow::Type::TIMESTAMP && !IsNaive(*to)) return TextToZoned(to);
    if (to_number || arrow::is_date(to->id()) || arrow::is_time(to->id()) ||
        to->id() == arrow::Type::TIMESTAMP) {
      return ParseTexts(to);
    }
    if (IsText(*to) || to->id() == arrow::Type::BINARY || to->id() == arrow::Type::LARGE_BINARY) {
      return ArrowCast(cp::CastOptions::Safe(to));
    }
    return NeverCast(*from, *to);
  }
  if (IsText(*to)) {
    if (IsBytes(*from)) return ArrowCast(cp::CastOptions::Safe(to));
    if (from->id() == arrow::Type::TIMESTAMP && !IsNaive(*from)) return ZonedToText(from, to);
    if (CanFormat(*from)) return ToText(from, to);
    return NeverCast(*from, *to);
  }
  if (arrow::is_floating(from->id()) && arrow::is_integer(to->id())) return RealToInteger(to);
  if (from->id() == arrow::Type::HALF_FLOAT && arrow::is_decimal(to->id())) {
    return Chain(ArrowCast(cp::CastOptions::Safe(arrow::float32())), RealToDecimal(to));
  }
  if (arrow::is_floating(from->id()) && arrow::is_decimal(to->id())) return RealToDecimal(to);
  if (arrow::is_decimal(from->id()) && arrow::is_decimal(to->id())) return ToDecimal(from, to);
  if (arrow::is_integer(from->id()) && arrow::is_decimal(to->id())) {
    const TypePtr wide = DecimalTypeOf(*from);
    return Chain(ArrowCast(cp::CastOptions::Safe(wide)), ToDecimal(wide, to));
  }
  if (IsCount(*from) && IsCounted(*to)) {
    const TypePtr count = IntegerOfTemporal(*to);
    return Chain(ArrowCast(cp::CastOptions::Safe(count)), ArrowCast(cp::CastOptions::Safe(to)));
  }
  if (IsCounted(*from) && IsCount(*to)) {
    const TypePtr count = IntegerOfTemporal(*from);
    return Chain(ArrowCast(cp::CastOptions::Safe(count)), ArrowCast(cp::CastOptions::Safe(to)));
  }
  if (IsCounted(*from) && to_number) {
    const TypePtr count = IntegerOfTemporal(*from);
    ARROW_ASSIGN_OR_RAISE(Kernel rest, PlainCast(count, to));
    return Chain(ArrowCast(cp::CastOptions::Safe(count)), std::move(rest));
  }
  if (arrow::is_floating(from->id()) && to->id() == arrow::Type::TIMESTAMP) {
    return Chain(RealToInteger(arrow::int64()), ArrowCast(cp::CastOptions::Safe(to)));
  }
  if (from->id() == arrow::Type::TIMESTAMP && to->id() == arrow::Type::TIMESTAMP &&
      IsNaive(*from) && !IsNaive(*to)) {
    return ToZone(to);
  }
  if (from_number && to_number) {
    cp::CastOptions options = CutFractions(to);
    // Whole numbers become the nearest float.
    options.allow_float_truncate = true;
    options.allow_int_overflow = false;
    return ArrowCast(options);
  }
  return ArrowCast(CutFractions(to));
}

/// Halves what fails until only single values do, which become null.
Result<std::shared_ptr<arrow::Array>> TryRange(const Kernel& kernel, const TypePtr& to,
                                               const std::shared_ptr<arrow::Array>& values,
                                               const Evaluation& evaluation) {
  auto whole = kernel({Datum(values)}, evaluation);
  if (whole.ok()) return whole->make_array();
  const auto code = GetErrorCode(whole.status());
  if (code != ErrorCode::kInvalidArgument && code != ErrorCode::kUnsupported) {
    return whole.status();
  }
  if (values->length() <= 1) {
    return arrow::MakeArrayOfNull(to, values->length(), evaluation.context->pool);
  }
  const int64_t half = values->length() / 2;
  ARROW_ASSIGN_OR_RAISE(const auto first, TryRange(kernel, to, values->Slice(0, half), evaluation));
  ARROW_ASSIGN_OR_RAISE(const auto second, TryRange(kernel, to, values->Slice(half), evaluation));
  return arrow::Concatenate({first, second}, evaluation.context->pool);
}

Kernel TryCast(Kernel kernel, const TypePtr& to) {
  return [kernel = std::move(kernel), to](const std::vector<Datum>& arguments,
                                          const Evaluation& evaluation) -> Result<Datum> {
    const int64_t rows = RowsOf(arguments, evaluation.length());
    ARROW_ASSIGN_OR_RAISE(const auto values, ToArray(arguments[0], rows, evaluation.context->pool));
    ARROW_ASSIGN_OR_RAISE(const auto array, TryRange(kernel, to, values, evaluation));
    return ToResult(array, arguments[0].is_scalar());
  };
}

/// Whether a cast may change values without a word.
bool MayLose(const arrow::DataType& from, const arrow::DataType& to) {
  const bool has_fraction = arrow::is_floating(from.id()) || arrow::is_decimal(from.id());
  const bool is_whole = arrow::is_integer(to.id()) || arrow::is_decimal(to.id()) || IsCounted(to);
  return is_whole && (has_fraction || IsCounted(from));
}

/// InvalidArgument for the first value that is not the same after it was cast to `to` and back,
/// which is null where there is no way back.
Status CheckSame(const Datum& before, const Datum& after, const Datum& back, const TypePtr& to,
                 const Evaluation& evaluation) {
  arrow::MemoryPool* pool = evaluation.context->pool;
  ARROW_ASSIGN_OR_RAISE(const Datum is_same,
                        cp::CallFunction("equal", {before, back}, evaluation.compute));
  const int64_t rows = RowsOf({before}, evaluation.length());
  ARROW_ASSIGN_OR_RAISE(const auto mask, ToArray(is_same, rows, pool));
  ARROW_ASSIGN_OR_RAISE(const auto values, ToArray(before, rows, pool));
  const auto& same = static_cast<const arrow::BooleanArray&>(*mask);
  if (same.false_count() == 0 && same.null_count() == values->null_count()) return Status::OK();
  int64_t row = 0;
  while (values->IsNull(row) || (same.IsValid(row) && same.Value(row))) ++row;
  ARROW_ASSIGN_OR_RAISE(const auto changed, ToArray(after, rows, pool));
  std::string was;
  std::string is;
  ARROW_RETURN_NOT_OK(AppendValue(*values, row, &was));
  ARROW_RETURN_NOT_OK(AppendValue(*changed, row, &is));
  return InvalidArgument(was, " would become ", is, " as ", NameOfType(*to));
}

}  // namespace

Result<Kernel> ExactCastFunction(const TypePtr& from, const TypePtr& to) {
  // Nulls are nulls of any type, also of those to which nothing is ever cast.
  if (from->id() == arrow::Type::NA) {
    return Kernel([to](const std::vector<Datum>& /*arguments*/,
                       const Evaluation& /*evaluation*/) -> Result<Datum> {
      return Datum(arrow::MakeNullScalar(to));
    });
  }
  const bool from_clock =
      arrow::is_date(from->id()) || (from->id() == arrow::Type::TIMESTAMP && IsNaive(*from));
  if (from_clock && to->id() == arrow::Type::TIMESTAMP && !IsNaive(*to)) {
    const auto unit = static_cast<const arrow::TimestampType&>(*to).unit();
    ARROW_ASSIGN_OR_RAISE(Kernel clock, ExactCastFunction(from, arrow::timestamp(unit)));
    return Chain(std::move(clock), ToZone(to));
  }
  ARROW_ASSIGN_OR_RAISE(Kernel cast, CastFunction(from, to, /*is_try=*/false));
  if (from->Equals(*to) || !MayLose(*from, *to)) return cast;
  ARROW_ASSIGN_OR_RAISE(Kernel back, CastFunction(to, from, /*is_try=*/true));
  return Kernel(
      [to, cast = std::move(cast), back = std::move(back)](
          const std::vector<Datum>& arguments, const Evaluation& evaluation) -> Result<Datum> {
        ARROW_ASSIGN_OR_RAISE(Datum after, cast(arguments, evaluation));
        ARROW_ASSIGN_OR_RAISE(const Datum again, back({after}, evaluation));
        ARROW_RETURN_NOT_OK(CheckSame(arguments[0], after, again, to, evaluation));
        return after;
      });
}

Result<Kernel> CastFunction(const TypePtr& from, const TypePtr& to, bool is_try) {
  if (from->Equals(*to)) {
    return Kernel([](const std::vector<Datum>& arguments, const Evaluation&) -> Result<Datum> {
      return arguments[0];
    });
  }
  if (!cp::CanCast(*from, *to) && !(IsText(*to) && CanFormat(*from)) && !IsText(*from) &&
      !(IsCount(*from) && IsCounted(*to)) && !(IsCounted(*from) && IsNumber(*to)) &&
      !(arrow::is_floating(from->id()) && to->id() == arrow::Type::TIMESTAMP)) {
    return NeverCast(*from, *to);
  }
  ARROW_ASSIGN_OR_RAISE(Kernel kernel, PlainCast(from, to));
  return is_try ? TryCast(std::move(kernel), to) : kernel;
}

Result<Kernel> WidenFunction(const TypePtr& from, const TypePtr& to) {
  const bool from_moment = from->id() == arrow::Type::TIMESTAMP || arrow::is_date(from->id());
  if (from_moment && to->id() == arrow::Type::TIMESTAMP && !IsNaive(*to)) {
    if (from->id() != arrow::Type::TIMESTAMP || IsNaive(*from)) return ToZone(to);
  }
  if (!cp::CanCast(*from, *to)) return NeverCast(*from, *to);
  // A whole number that no float holds is an error and not another number.
  return ArrowCast(cp::CastOptions::Safe(to));
}

}  // namespace tusk::expr
