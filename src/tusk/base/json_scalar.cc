#include "tusk/base/json_scalar.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace tusk {
namespace {

// NOLINTNEXTLINE(modernize-use-using): __extension__ allows no other form.
__extension__ typedef unsigned __int128 UInt128;

/// The first byte of an extension value.
enum ExtensionKind : uint8_t {
  kBinary = 0x00,
  kDate = 0x10,
  kTimestamp = 0x20,
  kZonedTimestamp = 0x30,
  kInterval = 0x40,
};

// Dates from -9999-01-01 to 9999-12-31, in days since 1970. Times end where every zone is inside.
constexpr int32_t kMinDay = -4'371'587;
constexpr int32_t kMaxDay = 2'932'896;
constexpr int64_t kMinSecond = -377'705'023'201;
constexpr int64_t kMaxSecond = 253'402'207'200;
constexpr int32_t kMaxOffset = 93'599;
constexpr int64_t kMicros = 1'000'000;

/// The big-endian number in the first sizeof(T) bytes.
template <typename T>
T LoadBig(const uint8_t* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = value << 8 | bytes[i];
  return static_cast<T>(value);
}

template <typename T>
void AppendInteger(T value, std::string* out) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  out->append(buffer.data(), end);
}

/// Appends `value`, with zeros before it up to `width` digits.
void AppendPadded(uint64_t value, size_t width, std::string* out) {
  const size_t begin = out->size();
  AppendInteger(value, out);
  const size_t digits = out->size() - begin;
  if (digits < width) out->insert(begin, width - digits, '0');
}

template <typename Signed, typename Unsigned>
bool AppendSized(std::span<const uint8_t> bytes, bool is_signed, std::string* out) {
  if (bytes.size() != sizeof(Signed)) return false;
  if (is_signed) {
    AppendInteger(int64_t{LoadBig<Signed>(bytes.data())}, out);
  } else {
    AppendInteger(uint64_t{LoadBig<Unsigned>(bytes.data())}, out);
  }
  return true;
}

bool AppendIntegerOf(std::span<const uint8_t> bytes, bool is_signed, std::string* out) {
  return AppendSized<int8_t, uint8_t>(bytes, is_signed, out) ||
         AppendSized<int16_t, uint16_t>(bytes, is_signed, out) ||
         AppendSized<int32_t, uint32_t>(bytes, is_signed, out) ||
         AppendSized<int64_t, uint64_t>(bytes, is_signed, out);
}

/// The big-endian two's complement number of up to 256 bits as a double. Above 128 bits it is
/// rounded in two steps, as pylance does.
double LoadDecimal(std::span<const uint8_t> bytes) {
  const bool is_negative = (bytes[0] & 0x80) != 0;
  UInt128 high = 0;
  UInt128 low = 0;
  for (const uint8_t byte : bytes) {
    high = high << 8 | low >> 120;
    low = low << 8 | static_cast<uint8_t>(is_negative ? ~byte : byte);
  }
  if (is_negative && ++low == 0) ++high;
  const double magnitude = high == 0
                               ? static_cast<double>(low)
                               : static_cast<double>(high) * 0x1p128 + static_cast<double>(low);
  return is_negative ? -magnitude : magnitude;
}

/// 10 to the power of `exponent` by squaring: another way to it could differ in the last bit.
double PowerOfTen(uint32_t exponent) {
  double power = 1;
  for (double base = 10; exponent != 0; exponent /= 2, base *= base) {
    if (exponent % 2 != 0) power *= base;
  }
  return power;
}

/// Appends the decimal of `bytes`: the digits as an integer, then the digits behind the point. An
/// older form has the precision between the two.
bool AppendDecimal(std::span<const uint8_t> bytes, std::string* out) {
  size_t width = 0;
  switch (bytes.size()) {
    case 9:
      width = 8;
      break;
    case 17:
    case 18:
      width = 16;
      break;
    case 33:
    case 34:
      width = 32;
      break;
    default:
      return false;
  }
  AppendJsonDouble(LoadDecimal(bytes.first(width)) / PowerOfTen(bytes.back()), out);
  return true;
}

/// Appends "2023-11-14"; `year_digits` for years before 0, of which others have four.
void AppendDate(int64_t days, size_t year_digits, std::string* out) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const int year = static_cast<int>(date.year());
  if (year < 0) out->push_back('-');
  AppendPadded(std::abs(year), year < 0 ? year_digits : 4, out);
  out->push_back('-');
  AppendPadded(static_cast<unsigned>(date.month()), 2, out);
  out->push_back('-');
  AppendPadded(static_cast<unsigned>(date.day()), 2, out);
}

/// Appends "22:13:20"; `hours` may be more than a day has.
void AppendClock(uint64_t seconds, std::string* out) {
  AppendPadded(seconds / 3600, 2, out);
  out->push_back(':');
  AppendPadded(seconds / 60 % 60, 2, out);
  out->push_back(':');
  AppendPadded(seconds % 60, 2, out);
}

/// Appends the time `micros` after 1970 as a clock shows it that is `offset` seconds ahead. Times
/// beyond those that have a text become the first or last of them.
void AppendTimestamp(int64_t micros, int32_t offset, std::string* out) {
  int64_t seconds = micros / kMicros;
  int64_t fraction = micros % kMicros;
  if (fraction < 0) {
    --seconds;
    fraction += kMicros;
  }
  if (seconds > kMaxSecond || seconds < kMinSecond) {
    seconds = std::clamp(seconds, kMinSecond, kMaxSecond);
    fraction = 0;
  }
  seconds += offset;
  constexpr int64_t kDay = 86'400;
  const int64_t days = (seconds - (seconds < 0 ? kDay - 1 : 0)) / kDay;
  AppendDate(days, /*year_digits=*/3, out);
  out->push_back(' ');
  AppendClock(seconds - days * kDay, out);
  out->push_back('.');
  AppendPadded(fraction, 6, out);
}

/// Appends "+0530", with seconds if there are any.
void AppendOffset(int32_t offset, std::string* out) {
  out->push_back(offset < 0 ? '-' : '+');
  const auto seconds = static_cast<uint32_t>(std::abs(offset));
  AppendPadded(seconds / 3600, 2, out);
  AppendPadded(seconds / 60 % 60, 2, out);
  if (seconds % 60 != 0) AppendPadded(seconds % 60, 2, out);
}

/// Appends "2 years -1 month 3 days 01:02:03.000004", without the parts that are zero.
void AppendInterval(int32_t months, int32_t days, int64_t micros, std::string* out) {
  const size_t begin = out->size();
  const auto append_unit = [&](int32_t count, std::string_view unit) {
    if (count == 0) return;
    if (out->size() > begin) out->push_back(' ');
    AppendInteger(count, out);
    out->push_back(' ');
    out->append(unit);
    if (count != 1 && count != -1) out->push_back('s');
  };
  append_unit(months / 12, "year");
  append_unit(months % 12, "month");
  append_unit(days, "day");
  if (micros == 0 && out->size() > begin) return;
  if (out->size() > begin) out->push_back(' ');
  if (micros < 0) out->push_back('-');
  const uint64_t magnitude =
      micros < 0 ? uint64_t{0} - static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  AppendClock(magnitude / kMicros, out);
  if (magnitude % kMicros == 0) return;
  out->push_back('.');
  AppendPadded(magnitude % kMicros, 6, out);
}

void AppendHex(std::span<const uint8_t> bytes, std::string* out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const uint8_t byte : bytes) {
    out->push_back(kDigits[byte >> 4]);
    out->push_back(kDigits[byte & 0x0F]);
  }
}

/// Appends what stands between the quotes.
Status AppendExtensionText(uint8_t kind, std::span<const uint8_t> bytes, std::string* out) {
  const uint8_t* data = bytes.data();
  if (kind == kBinary) {
    AppendHex(bytes, out);
    return Status::OK();
  }
  if (kind == kDate && bytes.size() == 4) {
    const auto days = LoadBig<int32_t>(data);
    if (days < kMinDay || days > kMaxDay) {
      return Corrupt("date ", days, " days after 1970 is outside of the years -9999 to 9999");
    }
    AppendDate(days, /*year_digits=*/6, out);
    return Status::OK();
  }
  if (kind == kTimestamp && bytes.size() == 8) {
    AppendTimestamp(LoadBig<int64_t>(data), /*offset=*/0, out);
    return Status::OK();
  }
  if (kind == kZonedTimestamp && (bytes.size() == 9 || bytes.size() == 12)) {
    // An older form counts the offset in hours.
    const int32_t offset =
        bytes.size() == 9 ? LoadBig<int8_t>(data + 8) * 3600 : LoadBig<int32_t>(data + 8);
    if (offset < -kMaxOffset || offset > kMaxOffset) {
      return Corrupt("a time zone is ", offset, " seconds from UTC, at most ", kMaxOffset, " are");
    }
    AppendTimestamp(LoadBig<int64_t>(data), offset, out);
    out->push_back(' ');
    AppendOffset(offset, out);
    return Status::OK();
  }
  if (kind == kInterval && bytes.size() == 16) {
    AppendInterval(LoadBig<int32_t>(data), LoadBig<int32_t>(data + 4), LoadBig<int64_t>(data + 8),
                   out);
    return Status::OK();
  }
  return Corrupt("no extension value has kind ", int{kind}, " and ", bytes.size(), " bytes");
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  size_t written = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text.substr(written, i - written));
    written = i + 1;
    constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    out->push_back('\\');
    const size_t known = kShort.find(c);
    if (known != kShort.npos) {
      out->push_back(kLetters[known]);
    } else {
      out->append(c < 0x10 ? "u000" : "u001");
      out->push_back("0123456789abcdef"[c & 0x0F]);
    }
  }
  out->append(text.substr(written));
  out->push_back('"');
}

void AppendJsonDouble(double value, std::string* out) {
  if (!std::isfinite(value)) {
    out->append("null");
    return;
  }
  std::array<char, 32> buffer;
  const char* end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                  std::chars_format::scientific)
                        .ptr;
  const std::string_view text(buffer.data(), end - buffer.data());
  const size_t mark = text.find('e');
  int exponent = 0;
  const char* exponent_begin = buffer.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_begin, end, exponent);
  if (std::signbit(value)) out->push_back('-');
  if (exponent < -5 || exponent > 15) {
    out->append(text.substr(0, mark));
    out->append(exponent < 0 ? "e" : "e+");
    AppendInteger(exponent, out);
    return;
  }
  // One digit stands before the point, if there is a point.
  const std::string_view digits_behind = mark > 1 ? text.substr(2, mark - 2) : "";
  if (exponent < 0) {
    out->append("0.").append(-exponent - 1, '0').append(1, text[0]).append(digits_behind);
    return;
  }
  const auto before = static_cast<size_t>(exponent);
  out->push_back(text[0]);
  out->append(digits_behind.substr(0, before));
  if (digits_behind.size() <= before) {
    out->append(before - digits_behind.size(), '0').append(".0");
  } else {
    out->append(1, '.').append(digits_behind.substr(before));
  }
}

Status AppendJsonbNumber(std::span<const uint8_t> bytes, std::string* out) {
  if (bytes.empty()) return Corrupt("a number has no bytes");
  const std::span<const uint8_t> rest = bytes.subspan(1);
  bool is_known = false;
  using enum JsonbNumberKind;
  const auto kind = static_cast<JsonbNumberKind>(bytes[0]);
  switch (kind) {
    case kZero:
      is_known = rest.empty();
      out->push_back('0');
      break;
    case kNotANumber:
    case kInfinity:
    case kNegativeInfinity:
      is_known = rest.empty();
      out->append("null");
      break;
    case kSigned:
    case kUnsigned:
      is_known = AppendIntegerOf(rest, kind == kSigned, out);
      break;
    case kDouble:
      is_known = rest.size() == 8;
      if (is_known) AppendJsonDouble(std::bit_cast<double>(LoadBig<uint64_t>(rest.data())), out);
      break;
    case kDecimal:
      is_known = AppendDecimal(rest, out);
      break;
    default:
      break;
  }
  if (is_known) return Status::OK();
  return Corrupt("no number has kind ", int{bytes[0]}, " and ", rest.size(), " bytes");
}

Status AppendJsonbExtension(std::span<const uint8_t> bytes, std::string* out) {
  if (bytes.empty()) return Corrupt("an extension value has no bytes");
  out->push_back('"');
  ARROW_RETURN_NOT_OK(AppendExtensionText(bytes[0], bytes.subspan(1), out));
  out->push_back('"');
  return Status::OK();
}

}  // namespace tusk
