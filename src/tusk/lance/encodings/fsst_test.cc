#include "tusk/lance/encodings/fsst.h"

#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Table(const std::vector<std::string>& symbols, bool uses_codes = true) {
  std::string table;
  AppendLittle(uint64_t{0x46535354} << 32 | uint64_t{uses_codes} << 24 | symbols.size(), &table);
  for (const std::string& symbol : symbols) table += symbol + std::string(8 - symbol.size(), '\0');
  for (const std::string& symbol : symbols) table += static_cast<char>(symbol.size());
  table.resize(8 + 256 * 9);
  return table;
}

const std::vector<std::string>& Symbols() {
  static const std::vector<std::string> kSymbols = {"a", "http://w", "bc", "\xFF\x01", "tusk"};
  return kSymbols;
}

/// The longest symbol that fits, or an escaped byte: slow and plain.
std::string Encode(const std::string& text) {
  std::string codes;
  for (size_t i = 0; i < text.size();) {
    size_t best = Symbols().size();
    for (size_t s = 0; s < Symbols().size(); ++s) {
      if (text.compare(i, Symbols()[s].size(), Symbols()[s]) != 0) continue;
      if (best == Symbols().size() || Symbols()[s].size() > Symbols()[best].size()) best = s;
    }
    if (best == Symbols().size()) {
      codes += '\xFF';
      codes += text[i++];
    } else {
      codes += static_cast<char>(best);
      i += Symbols()[best].size();
    }
  }
  return codes;
}

std::vector<std::string> RandomTexts(size_t count) {
  std::mt19937_64 random(17);
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (uint64_t parts = random() % 20; parts > 0; --parts) {
      const uint64_t pick = random() % (Symbols().size() + 2);
      text += pick < Symbols().size() ? Symbols()[pick]
                                      : std::string(1, static_cast<char>(random() % 256));
    }
  }
  return texts;
}

std::string Chunk(const std::vector<std::string>& values) {
  std::string offsets;
  std::string bytes;
  const auto begin = static_cast<uint32_t>((values.size() + 1) * 4);
  AppendLittle(begin, &offsets);
  for (const std::string& value : values) {
    bytes += value;
    AppendLittle(static_cast<uint32_t>(begin + bytes.size()), &offsets);
  }
  return offsets + bytes;
}

ValueEncoding Fsst(std::string table) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kFsst;
  encoding.symbol_table = std::move(table);
  encoding.children.push_back(VariableEncoding(32));
  return encoding;
}

std::string_view TextAt(const arrow::Array& array, int64_t i) {
  if (array.type_id() == arrow::Type::BINARY) {
    return static_cast<const arrow::BinaryArray&>(array).GetView(i);
  }
  return static_cast<const arrow::LargeBinaryArray&>(array).GetView(i);
}

TEST(LanceFsstTest, DecodesRangesAndSingleRows) {
  const std::vector<std::string> texts = RandomTexts(300);
  std::vector<std::string> codes;
  for (const std::string& text : texts) codes.push_back(Encode(text));
  const std::string bytes = Chunk(codes);
  const auto buffer = Bytes(bytes);
  const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = 300};
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(Fsst(Table(Symbols()))));
  for (const auto& type : {arrow::binary(), arrow::large_binary()}) {
    const ValueShape shape = *ValueShape::Of(*type);
    ColumnOutput range(shape, 250, arrow::default_memory_pool());
    ASSERT_OK(decoder->DecodeInto(chunk, {.begin = 20, .end = 270}, 0, &range));
    ASSERT_OK_AND_ASSIGN(const auto data, range.Finish(type));
    const auto array = arrow::MakeArray(data);
    ASSERT_OK(array->ValidateFull());
    for (int64_t i = 0; i < 250; ++i) {
      EXPECT_EQ(TextAt(*array, i), texts[i + 20]);
    }
    ColumnOutput taken(shape, 3, arrow::default_memory_pool());
    const std::vector<TakenRow> rows = {
        {.row = 10, .position = 2}, {.row = 87, .position = 0}, {.row = 309, .position = 1}};
    ASSERT_OK(decoder->GatherInto(chunk, rows, 10, &taken));
    ASSERT_OK_AND_ASSIGN(const auto taken_data, taken.Finish(type));
    const auto gathered = arrow::MakeArray(taken_data);
    for (const TakenRow& row : rows) {
      EXPECT_EQ(TextAt(*gathered, row.position), texts[row.row - 10]);
    }
  }
}

/// 250 symbols of every length, of bytes of any value.
const std::vector<std::string>& ManySymbols() {
  static const std::vector<std::string> kSymbols = [] {
    std::mt19937_64 random(23);
    std::vector<std::string> symbols(250);
    for (std::string& symbol : symbols) {
      symbol.resize(1 + random() % 8);
      for (char& byte : symbol) byte = static_cast<char>(random());
    }
    return symbols;
  }();
  return kSymbols;
}

/// Codes of a text and the text. One code in `escape_every` is an escape, as often as not one of
/// 255.
std::pair<std::string, std::string> RandomCodes(uint64_t count, uint64_t escape_every,
                                                std::mt19937_64* random) {
  std::pair<std::string, std::string> text;
  auto& [codes, plain] = text;
  for (; count > 0; --count) {
    if ((*random)() % escape_every == 0) {
      const auto byte = static_cast<char>((*random)() % 2 == 0 ? 255 : (*random)() % 256);
      codes += '\xFF';
      codes += byte;
      plain += byte;
    } else {
      const uint64_t symbol = (*random)() % ManySymbols().size();
      codes += static_cast<char>(symbol);
      plain += ManySymbols()[symbol];
    }
  }
  return text;
}

// Texts of every length, over many pieces of what is decoded at a time, with few and many escapes.
TEST(LanceFsstTest, DecodesLongChunks) {
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(Fsst(Table(ManySymbols()))));
  std::mt19937_64 random(29);
  for (const uint64_t escape_every : {1, 2, 20, 1000}) {
    for (const uint64_t most : {0, 1, 7, 40, 700, 9000}) {
      constexpr int64_t kTexts = 64;
      std::vector<std::string> codes(kTexts);
      std::vector<std::string> texts(kTexts);
      for (int64_t i = 0; i < kTexts; ++i) {
        std::tie(codes[i], texts[i]) = RandomCodes(random() % (most + 1), escape_every, &random);
      }
      const std::string bytes = Chunk(codes);
      const auto buffer = Bytes(bytes);
      const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = kTexts};
      for (const auto& type : {arrow::binary(), arrow::large_binary()}) {
        const auto begin = static_cast<int64_t>(random() % kTexts);
        const auto length = 1 + static_cast<int64_t>(random() % (kTexts - begin));
        ColumnOutput out(*ValueShape::Of(*type), length, arrow::default_memory_pool());
        ASSERT_OK(decoder->DecodeInto(chunk, {.begin = begin, .end = begin + length}, 0, &out));
        ASSERT_OK_AND_ASSIGN(const auto data, out.Finish(type));
        const auto array = arrow::MakeArray(data);
        ASSERT_OK(array->ValidateFull());
        for (int64_t i = 0; i < length; ++i) ASSERT_EQ(TextAt(*array, i), texts[begin + i]);
      }
    }
  }
}

// An escape that is cut from what it means, or a code without a symbol, anywhere in a long chunk.
TEST(LanceFsstTest, RefusesBrokenCodesAnywhere) {
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(Fsst(Table(ManySymbols()))));
  std::mt19937_64 random(31);
  const auto [codes, text] = RandomCodes(5000, 50, &random);
  const auto decode = [&](const std::vector<std::string>& texts) {
    const std::string bytes = Chunk(texts);
    const auto buffer = Bytes(bytes);
    const auto count = static_cast<int64_t>(texts.size());
    ColumnOutput out(*ValueShape::Of(*arrow::binary()), count, arrow::default_memory_pool());
    return decoder->DecodeInto({.buffers = {&buffer, 1}, .num_values = count},
                               {.begin = 0, .end = count}, 0, &out);
  };
  bool follows = false;
  for (size_t i = 0; i < codes.size(); ++i) {
    const bool may_cut = i % 7 == 0 || i % 2048 < 2 || i % 2048 == 2047 || follows;
    if (may_cut) {
      const Status status = decode({codes.substr(0, i), codes.substr(i)});
      EXPECT_EQ(status.ok(), !follows) << i << status.ToString();
      if (!follows) {
        std::string unknown = codes;
        unknown[i] = static_cast<char>(250 + i % 5);
        EXPECT_THAT(decode({unknown}), FailsWith(ErrorCode::kCorrupt)) << i;
      }
    }
    follows = !follows && codes[i] == '\xFF';
  }
}

TEST(LanceFsstTest, LeavesTextsAloneIfNoCodesAreUsed) {
  ASSERT_OK_AND_ASSIGN(const FsstSymbols symbols, FsstSymbols::Parse(Table({}, false)));
  const std::string text = "a\xFF";
  ASSERT_OK_AND_ASSIGN(const size_t size, symbols.DecodedSize(Bytes(text)));
  std::string out(size + FsstSymbols::kSlack, '\0');
  auto* begin = reinterpret_cast<uint8_t*>(out.data());
  EXPECT_EQ(symbols.Decode(Bytes(text), begin), begin + 2);
  EXPECT_EQ(out.substr(0, size), text);
}

TEST(LanceFsstTest, RefusesBrokenTablesAndCodes) {
  const std::string good = Table(Symbols());
  ASSERT_OK_AND_ASSIGN(const FsstSymbols symbols, FsstSymbols::Parse(good));
  for (size_t length = 0; length < 8 + Symbols().size() * 9; ++length) {
    const std::string cut = good.substr(0, length);
    EXPECT_THAT(FsstSymbols::Parse(cut), FailsWith(ErrorCode::kCorrupt)) << length;
  }
  std::string magic = good;
  magic[5] ^= 1;
  EXPECT_THAT(FsstSymbols::Parse(magic), FailsWith(ErrorCode::kCorrupt));
  for (const char length : {'\0', '\x09', '\xFF'}) {
    std::string broken = good;
    broken[8 + Symbols().size() * 8] = length;
    EXPECT_THAT(FsstSymbols::Parse(broken), FailsWith(ErrorCode::kCorrupt));
  }
  EXPECT_THAT(symbols.DecodedSize(Bytes("\x05")), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(symbols.DecodedSize(Bytes("\x01\xFF")), FailsWith(ErrorCode::kCorrupt));
  std::string room(FsstSymbols::MaxDecodedSize(20), '\0');
  auto* to = reinterpret_cast<uint8_t*>(room.data());
  for (const std::string end : {"\x05", "\xFF"}) {
    for (const size_t before : {0, 1, 7, 15}) {
      const std::string codes = std::string(before, '\x01') + end;
      EXPECT_THAT(symbols.DecodeText(Bytes(codes), to), FailsWith(ErrorCode::kCorrupt)) << before;
    }
  }
  ValueEncoding nested = Fsst(good);
  nested.children = {Fsst(good)};
  EXPECT_THAT(MakeValueDecoder(nested), FailsWith(ErrorCode::kUnsupported));
}

}  // namespace
}  // namespace tusk::lance
