#include "tusk/lance/encodings/jsonb.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array/array_binary.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/json_scalar.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, /*base=*/16)));
  }
  return bytes;
}

Result<std::string> TextOf(const std::vector<uint8_t>& jsonb) {
  std::string text = "before";
  ARROW_RETURN_NOT_OK(AppendJsonText(jsonb, &text));
  return text.substr(6);
}

/// What pylance 14.0.2 stored for a text, and the text that its dataset gave back.
struct Stored {
  const char* hex;
  const char* text;
};
constexpr Stored kDocument = {
    "400000021000000110000001500000342000000261628000000600000000400000003000000020000009200000021"
    "000000d603ff800000000000040f978017f0a225c2fc3a9f09f98805001",
    "{\"a\":[null,true,false,1.5,-7,\"x\\u0001\x7f\\n\\\"\\\\/"
    "\xc3\xa9\xf0\x9f\x98\x80\"],\"b\":1}"};
constexpr Stored kStored[] = {
    kDocument,
    {"200000002000000120", "null"},  // 1e400
    {"80000000", "[]"},
    {"40000000", "{}"},
    {"200000001000000173", "\"s\""},
    {"20000000200000096043f0000000000000", "1.8446744073709552e+19"},
    {"2000000020000009408000000000000000", "-9223372036854775808"},
    {"200000002000000110", "null"},  // NaN
    {"2000000020000009603fb999999999999a", "0.1"},
    {"2000000020000009608000000000000000", "-0.0"},
    {"2000000020000009604415af1d78b58c40", "1e+20"},
    {"20000000200000095001b69b4ba630f34e", "123456789012345678"},
    {"2000000020000009603ff0000000000000", "1.0"},
    {"4000000110000001500000117a4000000110000001500000047940000000", "{\"z\":{\"y\":{}}}"},
    {"2000000000000000", "null"},  // an empty text
    {"200000002000000100", "0"},
    {"200000002000000350012c", "300"},
    {"200000002000000340ff7f", "-129"},
    {"20000000200000055000011170", "70000"},
    {"200000002000000950000000012a05f200", "5000000000"},
};

TEST(JsonbTest, GivesTheTextsThatPylanceGives) {
  for (const Stored& stored : kStored) {
    ASSERT_OK_AND_ASSIGN(const std::string text, TextOf(FromHex(stored.hex)));
    EXPECT_EQ(text, stored.text);
  }
  EXPECT_THAT(TextOf({}), testing::Eq(Result<std::string>("null")));
}

// pylance writes none of these itself; the texts are what its dataset made of the bytes.
TEST(JsonbTest, GivesTextsForDecimalsAndExtensionValues) {
  constexpr Stored kRare[] = {
      {"200000002000000a70000000000000303902", "123.45"},
      {"200000002000000a70000000000000000700", "7.0"},
      {"200000002000000a70ffffffffffffffff14", "-1e-20"},
      {"2000000020000012700000000c9f2c9cd04674edea4000000105", "1e+25"},
      {"200000002000001370fffffff360d3632fb98b1215c00000002605", "-1e+25"},
      {"20000000200000227000000172ebad6ddc73c86d67c5faa71c245689c107950240000000000000303914",
       "1e+50"},
      {"200000002000002370fffffe8d145292238c3792983a0558e3dba9763ef86afdc000000000000000004c14",
       "-1e+50"},
      {"20000000600000040001abff", "\"01ABFF\""},
      {"200000006000000100", "\"\""},
      {"20000000600000051000004a38", "\"2022-01-08\""},
      {"200000006000000510ffffffff", "\"1969-12-31\""},
      {"200000006000000510fff50558", "\"0000-01-01\""},
      {"200000006000000510fff3cb00", "\"-000221-09-04\""},
      {"200000006000000510002cc0a0", "\"9999-12-31\""},
      {"200000006000000510ffbd4b7d", "\"-009999-01-01\""},
      {"20000000600000092000060a2418202240", "\"2023-11-14 22:13:20.123456\""},
      {"200000006000000920ffffffffffffffff", "\"1969-12-31 23:59:59.999999\""},
      {"2000000060000009207fffffffffffffff", "\"9999-12-30 22:00:00.000000\""},
      {"2000000060000009208000000000000000", "\"-9999-01-02 01:59:59.000000\""},
      {"200000006000000920ff074f5ef1b90000", "\"-249-10-15 19:33:20.000000\""},
      {"200000006000000d3000060a241820224000004d58", "\"2023-11-15 03:43:20.123456 +0530\""},
      {"200000006000000d3000060a24181e4000ffffb2a8", "\"2023-11-14 16:43:20.000000 -0530\""},
      {"200000006000000a3000060a24181e4000f8", "\"2023-11-14 14:13:20.000000 -0800\""},
      {"200000006000000d30000000000000000000000e4d", "\"1970-01-01 01:01:01.000000 +010101\""},
      {"200000006000000d300000000000000000ffffffc5", "\"1969-12-31 23:59:01.000000 -000059\""},
      {"200000006000000d307fffffffffffffff00016d9f", "\"9999-12-31 23:59:59.000000 +255959\""},
      {"200000006000000d308000000000000000fffe9261", "\"-9999-01-01 00:00:00.000000 -255959\""},
      {"20000000600000114000000000000000000000000000000000", "\"00:00:00\""},
      {"2000000060000011400000000efffffffd00000000dde878c4",
       "\"1 year 2 months -3 days 01:02:03.000004\""},
      {"200000006000001140ffffffe700000001ffffff9b6acb1ffb",
       "\"-2 years -1 month 1 day -120:00:00.000005\""},
      {"20000000600000114000000001000000000000000000000001", "\"1 month 00:00:00.000001\""},
      {"200000006000001140fffffff4000000000000000000000000", "\"-1 year\""},
      {"2000000020000009607ff8000000000000", "null"},
      {"200000002000000130", "null"},
  };
  for (const Stored& stored : kRare) {
    ASSERT_OK_AND_ASSIGN(const std::string text, TextOf(FromHex(stored.hex)));
    EXPECT_EQ(text, stored.text);
  }
}

TEST(JsonbTest, RefusesEveryTruncationAndEveryByteMore) {
  for (const Stored& stored : kStored) {
    std::vector<uint8_t> bytes = FromHex(stored.hex);
    for (size_t length = 1; length < bytes.size(); ++length) {
      EXPECT_THAT(TextOf({bytes.begin(), bytes.begin() + length}), FailsWith(ErrorCode::kCorrupt))
          << stored.text << " cut to " << length;
    }
    bytes.push_back(0);
    EXPECT_THAT(TextOf(bytes), FailsWith(ErrorCode::kCorrupt)) << stored.text;
  }
}

TEST(JsonbTest, SurvivesEveryByteInEveryPlace) {
  const std::vector<uint8_t> whole = FromHex(kDocument.hex);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::vector<uint8_t> bytes = whole;
      bytes[at] = static_cast<uint8_t>(byte);
      std::string text = "kept";
      const Status status = AppendJsonText(bytes, &text);
      if (status.ok()) continue;
      EXPECT_THAT(status, FailsWith(ErrorCode::kCorrupt));
      EXPECT_EQ(text, "kept");
    }
  }
}

TEST(JsonbTest, RefusesHostileBytes) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"01020304", "header"},
      {"7b2261223a317d", "header"},                      // text
      {"200000052000000100", "header"},                  // a scalar that counts
      {"20000000a000000100", "entry"},                   // an offset in place of a length
      {"200000007000000100", "no value has the entry"},  // an unknown kind
      {"2000000000000003616263", "of 3 bytes"},          // a null with bytes
      {"20000000200000020001", "number"},                // a zero with bytes
      {"20000000200000057000000000", "number"},
      {"2000000020000000", "number"},
      {"2000000060000000", "extension"},
      {"200000006000000210ff", "extension"},
      {"200000006000000510002cc0a1", "2932897"},   // the day behind 9999-12-31
      {"200000006000000510ffbd4b7c", "-4371588"},  // the day before -9999-01-01
      {"200000006000000d30000000000000000000016da0", "93600"},
      {"2000000010000001ff", "UTF-8"},
      {"2000000050000004", "holds a container"},       // a container in a scalar
      {"80000001500000082000000000000000", "header"},  // a scalar in an array
      {"9fffffff", "536870911"},                       // more values than bytes
      {"5fffffff", "536870911"},
      {"40000001200000010000000000", "key"},      // a number as a key
      {"400000011fffffff00000000", "268435455"},  // a key longer than the value
      {"800000011fffffff", "268435455"},
  };
  for (const auto& [hex, message] : cases) {
    const auto text = TextOf(FromHex(hex));
    ASSERT_THAT(text, FailsWith(ErrorCode::kCorrupt)) << hex;
    EXPECT_THAT(text.status().message(), HasSubstr(message)) << hex;
  }
}

/// `depth` arrays, one inside of the other.
std::vector<uint8_t> Nested(size_t depth) {
  std::vector<uint8_t> bytes = {0x80, 0, 0, 0};
  for (size_t i = 1; i < depth; ++i) {
    const size_t size = bytes.size();
    bytes.insert(bytes.begin(), {0x80, 0, 0, 1, 0x50, static_cast<uint8_t>(size >> 16),
                                 static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)});
  }
  return bytes;
}

TEST(JsonbTest, LimitsDepth) {
  ASSERT_OK_AND_ASSIGN(const std::string text, TextOf(Nested(10'000)));
  EXPECT_EQ(text, std::string(10'000, '[') + std::string(10'000, ']'));
  EXPECT_THAT(TextOf(Nested(10'001)), FailsWith(ErrorCode::kCorrupt));
}

TEST(JsonbTest, MakesTextsOfArrays) {
  arrow::LargeBinaryBuilder builder;
  for (const char* hex : {"80000000", "", "200000002000000100"}) {
    const std::vector<uint8_t> bytes = FromHex(hex);
    ASSERT_OK(bytes.empty() ? builder.AppendNull()
                            : builder.Append(bytes.data(), static_cast<int64_t>(bytes.size())));
  }
  ASSERT_OK(builder.Append("????"));
  ASSERT_OK_AND_ASSIGN(const auto array, builder.Finish());
  const auto jsonb = std::static_pointer_cast<arrow::LargeBinaryArray>(array->Slice(1, 2));
  ASSERT_OK_AND_ASSIGN(const auto texts, JsonTextOf(*jsonb, arrow::default_memory_pool()));
  arrow::StringBuilder expected;
  ASSERT_OK(expected.AppendNull());
  ASSERT_OK(expected.Append("0"));
  EXPECT_TRUE(texts->Equals(expected.Finish().ValueOrDie()));
  ASSERT_OK(texts->ValidateFull());

  const auto broken =
      JsonTextOf(static_cast<const arrow::LargeBinaryArray&>(*array), arrow::default_memory_pool());
  ASSERT_THAT(broken, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(broken.status().message(), HasSubstr("row 3"));
}

Result<std::string> JsonbOfText(std::string_view json) {
  std::string jsonb = "before";
  const Status status = AppendJsonb(json, &jsonb);
  if (!status.ok()) {
    EXPECT_EQ(jsonb, "before");
    return status;
  }
  return jsonb.substr(6);
}

std::string AsString(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

TEST(JsonbOfTextTest, IsWhatPylanceStores) {
  std::ifstream documents(TUSK_CORPUS_DIR "/lance_json/pylance_documents.txt");
  int num_documents = 0;
  for (std::string text, stored; documents >> text >> stored; ++num_documents) {
    const std::string json = text == "-" ? "" : AsString(FromHex(text));
    const auto jsonb = JsonbOfText(json);
    if (stored == "refused") {
      EXPECT_THAT(jsonb, FailsWith(ErrorCode::kInvalidArgument)) << json;
    } else {
      ASSERT_OK(jsonb);
      EXPECT_EQ(*jsonb, AsString(FromHex(stored))) << json;
    }
  }
  EXPECT_EQ(num_documents, 500);
}

TEST(JsonbOfTextTest, HasTheTextsThatPylanceGaveBack) {
  for (const Stored& stored : kStored) {
    if (std::string_view(stored.text) == "null") continue;
    ASSERT_OK_AND_ASSIGN(const std::string jsonb, JsonbOfText(stored.text));
    EXPECT_EQ(jsonb, AsString(FromHex(stored.hex)));
  }
}

// The bytes of pylance 14.0.2.
TEST(JsonbOfTextTest, StoresNumbersInTheFewestBytes) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"-0", "00"},
      {"127", "507f"},
      {"-128", "4080"},
      {"256", "500100"},
      {"65536", "5000010000"},
      {"-2147483649", "40ffffffff7fffffff"},
      {"9223372036854775808", "508000000000000000"},
      {"-9223372036854775808", "408000000000000000"},
      {"-9223372036854775809", "60c3e0000000000000"},
      {"18446744073709551616", "6043f0000000000000"},
      {"0.0", "600000000000000000"},
      {"-0.0", "608000000000000000"},
      {"5.", "5005"},
      {"+.5", "603fe0000000000000"},
      {"007", "5007"},
      {"4.9e-324", "600000000000000001"},
      {"1e-400", "600000000000000000"},
      {"-1e-400", "608000000000000000"},
      {"1e400", "20"},
      {"-1e400", "30"},
      {"NaN", "10"},
      {"-Infinity", "30"},
      {"0xFF", "50ff"},
      {"-0x8.8", "60c021000000000000"},
  };
  for (const auto& [json, number] : cases) {
    const std::vector<uint8_t> bytes = FromHex(number);
    std::string expected("\x20\0\0\0\x20\0\0", 7);
    expected += static_cast<char>(bytes.size());
    EXPECT_EQ(*JsonbOfText(json), expected + AsString(bytes)) << json;
  }
}

TEST(JsonbOfTextTest, RefusesWhatIsNoJson) {
  const std::vector<std::pair<std::string, const char*>> cases = {
      {"[1 2]", "at byte 3 of 5: a comma is missing"},
      {"[1,2", "at byte 4 of 4: an array has no end"},
      {"{\"a\":1", "at byte 6 of 6: an object has no end"},
      {"{\"a\" 1}", "at byte 5 of 7: a colon is missing"},
      {"{\"a\":}", "at byte 5 of 6: no value begins here"},
      {"{\"a\":", "at byte 5 of 5: a value is missing"},
      {"{1:2}", "at byte 1 of 5: no key begins here"},
      {"{\"a\":1,}", "at byte 7 of 8: no key begins here"},
      {R"({"a":1,"b":2,"a":3})", "key \"a\" is in an object twice"},
      {"null null", "at byte 5 of 9: more text behind the value"},
      {"\"abc", "at byte 4 of 4: a string has no end"},
      {R"("\x")", "at byte 2 of 4: no escape has this letter"},
      {R"("\u12")", "at byte 2 of 6: no four hexadecimal digits"},
      {R"("\)", "at byte 2 of 2: an escape has no end"},
      {"1e", "at byte 0 of 2: no value begins here"},
      {"-", "at byte 0 of 1: no value begins here"},
      {"tru", "at byte 0 of 3: no value begins here"},
      {"\"\xFF\"", "is not UTF-8"},
      {"[\"\xC3\"]", "is not UTF-8"},
  };
  for (const auto& [json, message] : cases) {
    const auto jsonb = JsonbOfText(json);
    ASSERT_THAT(jsonb, FailsWith(ErrorCode::kInvalidArgument)) << json;
    EXPECT_THAT(jsonb.status().message(), HasSubstr(message)) << json;
  }
}

TEST(JsonbOfTextTest, RefusesOrTakesEveryTruncation) {
  const std::string json = R"({"a": [1.5e3, "\ud83d\ude00", {'b': null}], c: [true, , -7]})";
  EXPECT_OK(JsonbOfText(json));
  for (size_t length = 1; length < json.size(); ++length) {
    // In memory of that size, for the sanitizers.
    const std::vector<char> cut(json.begin(), json.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_THAT(JsonbOfText({cut.data(), cut.size()}), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(JsonbOfTextTest, LimitsDepth) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  ASSERT_OK_AND_ASSIGN(const std::string jsonb, JsonbOfText(nested(10'000)));
  EXPECT_EQ(jsonb, AsString(Nested(10'000)));
  EXPECT_THAT(JsonbOfText(nested(10'001)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(JsonbOfTextTest, RefusesValuesThatAnEntryCannotHold) {
  // 28 bits have the length.
  std::string json((size_t{1} << 28) + 2, 'x');
  json.front() = json.back() = '"';
  const auto jsonb = JsonbOfText(json);
  ASSERT_THAT(jsonb, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(jsonb.status().message(), HasSubstr("268435456"));
}

template <typename Builder>
void ExpectJsonbOfArrays() {
  Builder builder;
  for (const char* json : {"{", "[]", "", "0"}) {
    ASSERT_OK(*json == '\0' ? builder.AppendNull() : builder.Append(json));
  }
  ASSERT_OK_AND_ASSIGN(const auto texts, builder.Finish());
  ASSERT_OK_AND_ASSIGN(const auto jsonb, JsonbOf(*texts->Slice(1), arrow::default_memory_pool()));
  ASSERT_OK(jsonb->ValidateFull());
  arrow::LargeBinaryBuilder expected;
  ASSERT_OK(expected.Append(AsString(FromHex("80000000"))));
  ASSERT_OK(expected.AppendNull());
  ASSERT_OK(expected.Append(AsString(FromHex("200000002000000100"))));
  EXPECT_TRUE(jsonb->Equals(expected.Finish().ValueOrDie()));

  const auto broken = JsonbOf(*texts, arrow::default_memory_pool());
  ASSERT_THAT(broken, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(broken.status().message(), HasSubstr("row 0: JSON at byte 1"));
}

TEST(JsonbOfTextTest, MakesArraysOfTexts) {
  ExpectJsonbOfArrays<arrow::StringBuilder>();
  ExpectJsonbOfArrays<arrow::LargeStringBuilder>();
  ExpectJsonbOfArrays<arrow::StringViewBuilder>();
  EXPECT_THAT(JsonbOf(*arrow::MakeArrayOfNull(arrow::int32(), 1).ValueOrDie(),
                      arrow::default_memory_pool()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(JsonScalarTest, WritesDoublesAsPylanceDoes) {
  const std::vector<std::pair<double, const char*>> cases = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {5e-324, "5e-324"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {9.999999999999997e-6, "9.999999999999997e-6"},
      {1e-5, "0.00001"},
      {0.000012345678901234568, "0.000012345678901234568"},
      {0.3, "0.3"},
      {-3.25, "-3.25"},
      {12.345678901234567, "12.345678901234567"},
      {1e15, "1000000000000000.0"},
      {9999999999999998.0, "9999999999999998.0"},
      {1234567890123456.8, "1234567890123456.8"},
      {1e16, "1e+16"},
      {-3.25e16, "-3.25e+16"},
      {1e23, "1e+23"},
      {std::nan(""), "null"},
      {-std::numeric_limits<double>::infinity(), "null"},
  };
  for (const auto& [value, text] : cases) {
    std::string written;
    AppendJsonDouble(value, &written);
    EXPECT_EQ(written, text);
  }
}

TEST(JsonScalarTest, EscapesWhatJsonRequires) {
  std::string written;
  AppendJsonString(std::string_view("\0\x01\x1f\b\t\n\f\r\"\\/\x7f", 12), &written);
  EXPECT_EQ(written, "\"\\u0000\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\"");
}

}  // namespace
}  // namespace tusk::lance
