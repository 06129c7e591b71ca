#include "tusk/lance/encodings/fsst_encoder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/encodings/fsst_trainer.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

/// Texts in memory without anything before and behind it.
class Texts {
 public:
  explicit Texts(const std::vector<std::string>& texts, int64_t offset_bits = 32) {
    shape_.is_variable = true;
    shape_.bits = offset_bits;
    std::string bytes;
    for (size_t i = 0; i <= texts.size(); ++i) {
      if (offset_bits == 32) {
        AppendLittle(static_cast<int32_t>(bytes.size()), &offsets_);
      } else {
        AppendLittle(static_cast<int64_t>(bytes.size()), &offsets_);
      }
      if (i < texts.size()) bytes += texts[i];
    }
    bytes_.assign(bytes.begin(), bytes.end());
  }

  RowsView rows() const {
    return {.shape = &shape_,
            .num_rows = static_cast<int64_t>(offsets_.size()) / (shape_.bits / 8) - 1,
            .values = bytes_.data(),
            .offsets = reinterpret_cast<const uint8_t*>(offsets_.data())};
  }

 private:
  ValueShape shape_;
  std::string offsets_;
  std::vector<uint8_t> bytes_;
};

std::string TextAt(const RowsView& rows, int64_t row) {
  return {reinterpret_cast<const char*>(rows.values) + rows.Offset(row),
          static_cast<size_t>(rows.Length(row))};
}

std::string Decoded(const FsstSymbols& symbols, const std::string& codes) {
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(codes.data()),
                                       codes.size());
  const auto size = symbols.DecodedSize(bytes);
  if (!size.ok()) return size.status().ToString();
  std::string text(*size + FsstSymbols::kSlack, '\0');
  symbols.Decode(bytes, reinterpret_cast<uint8_t*>(text.data()));
  return text.substr(0, *size);
}

std::string EncodedBy(const FsstTable& table, const std::string& text) {
  std::vector<uint8_t> codes(FsstTable::MaxEncodedSize(text.size()));
  const size_t size =
      table.Encode({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, codes.data());
  return {codes.begin(), codes.begin() + static_cast<ptrdiff_t>(size)};
}

FsstSymbol Symbol(const std::string& bytes) {
  return {.bytes = LoadFew(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
          .length = static_cast<uint32_t>(bytes.size())};
}

/// Texts of words, of which some are frequent.
std::vector<std::string> Sentences(size_t count, uint64_t most_words, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> words(300);
  for (std::string& word : words) {
    word.resize(1 + random() % 11);
    for (char& letter : word) letter = static_cast<char>('a' + random() % 26);
  }
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (uint64_t left = random() % (most_words + 1); left > 0; --left) {
      text += words[std::min(random() % 300, random() % 300)] + " ";
    }
  }
  return texts;
}

void ExpectDecodes(const FsstPage& page, const RowsView& texts) {
  ASSERT_OK_AND_ASSIGN(const FsstSymbols symbols, FsstSymbols::Parse(page.encoding.symbol_table));
  ASSERT_EQ(page.codes.num_rows, texts.num_rows);
  ASSERT_EQ(page.codes.Offset(0), 0);
  for (int64_t row = 0; row < texts.num_rows; ++row) {
    ASSERT_EQ(Decoded(symbols, TextAt(page.codes, row)), TextAt(texts, row)) << row;
  }
}

TEST(FsstMatcherTest, FindsTheLongestSymbol) {
  const std::vector<std::string> symbols = {
      "a", "ab", "abc", "bcdefghi", "bc", std::string("\0", 1), std::string("\0\0\0", 3)};
  std::vector<FsstSymbol> table;
  table.reserve(symbols.size());
  for (const std::string& symbol : symbols) table.push_back(Symbol(symbol));
  const FsstTable fsst(table);
  std::mt19937_64 random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (uint64_t parts = random() % 20; parts > 0; --parts) {
      text += random() % 8 == 0 ? "bcdefghi" : std::string(1, "abcdefghi\0xy"[random() % 12]);
    }
    std::string expected;
    for (size_t at = 0; at < text.size();) {
      size_t best = symbols.size();
      for (size_t s = 0; s < symbols.size(); ++s) {
        if (text.compare(at, symbols[s].size(), symbols[s]) != 0) continue;
        if (best == symbols.size() || symbols[s].size() > symbols[best].size()) best = s;
      }
      if (best == symbols.size()) {
        expected += {'\xFF', text[at]};
        ++at;
      } else {
        expected += static_cast<char>(best);
        at += symbols[best].size();
      }
    }
    EXPECT_EQ(EncodedBy(fsst, text), expected) << text;
  }
}

TEST(FsstMatcherTest, EscapesAllWithoutSymbols) {
  const FsstTable table({});
  EXPECT_EQ(EncodedBy(table, std::string("\0\x01z", 3)), std::string("\xFF\0\xFF\x01\xFFz", 6));
  EXPECT_EQ(EncodedBy(table, ""), "");
}

// The form that fsst 14.0.2 has: it reads no table of another size.
TEST(FsstTableTest, SerializesSymbolsInTheStoredForm) {
  const std::string stored = FsstTable({Symbol("tu"), Symbol("lakehous")}).Serialize();
  EXPECT_EQ(stored.size(), 2312U);
  EXPECT_EQ(stored.substr(0, 26), std::string("\x02\0\0\x01TSSF"
                                              "tu\0\0\0\0\0\0"
                                              "lakehous\x02\x08",
                                              26));
  EXPECT_EQ(stored.find_first_not_of('\0', 26), std::string::npos);
  EXPECT_OK(FsstSymbols::Parse(stored));
}

TEST(FsstTrainerTest, ChoosesSymbolsThatAreThere) {
  const Texts texts(std::vector<std::string>(5000, "https://example.org/"));
  const FsstTraining training = TrainFsst(texts.rows());
  EXPECT_EQ(training.sample_bytes, 32768);
  // 20 bytes cannot be fewer than three symbols, but for the ends of the sample's pieces.
  EXPECT_LT(training.code_bytes, 32768 * 4 / 20);
}

TEST(FsstTrainerTest, TakesFewTexts) {
  for (const std::vector<std::string>& few :
       {std::vector<std::string>{""}, {"x"}, {"", "ab", ""}, {std::string(200, 'y')}}) {
    const Texts texts(few);
    const FsstTable table(TrainFsst(texts.rows()).symbols);
    ASSERT_OK_AND_ASSIGN(const FsstSymbols symbols, FsstSymbols::Parse(table.Serialize()));
    for (const std::string& text : few) EXPECT_EQ(Decoded(symbols, EncodedBy(table, text)), text);
  }
}

TEST(FsstPageTest, DecodesToTheTexts) {
  for (const int64_t offset_bits : {32, 64}) {
    for (const uint64_t most_words : {2, 9, 100, 20000}) {
      const Texts texts(Sentences(600'000 / (most_words * 3), most_words, most_words), offset_bits);
      ASSERT_OK_AND_ASSIGN(const auto page,
                           EncodeFsstPage(texts.rows(), arrow::default_memory_pool()));
      ASSERT_TRUE(page.has_value()) << most_words;
      ExpectDecodes(*page, texts.rows());
    }
  }
}

TEST(FsstPageTest, DecodesSlicesEmptyTextsAndOneText) {
  std::vector<std::string> sentences = Sentences(20'000, 12, 3);
  for (size_t i = 0; i < sentences.size(); ++i) {
    if (i < 100 || i % 1000 < 300 || i + 50 > sentences.size()) sentences[i].clear();
  }
  const Texts texts(sentences);
  for (const RowRange slice : {RowRange{.begin = 0, .end = 20'000},
                               {.begin = 501, .end = 19'000},
                               {.begin = 15'000, .end = 20'000}}) {
    const RowsView rows = texts.rows().Slice(slice);
    ASSERT_OK_AND_ASSIGN(const auto page, EncodeFsstPage(rows, arrow::default_memory_pool()));
    ASSERT_TRUE(page.has_value());
    ExpectDecodes(*page, rows);
  }
  std::string one;
  for (const std::string& sentence : sentences) one += sentence;
  const Texts single({one});
  ASSERT_OK_AND_ASSIGN(const auto page,
                       EncodeFsstPage(single.rows(), arrow::default_memory_pool()));
  ASSERT_TRUE(page.has_value());
  ExpectDecodes(*page, single.rows());
}

TEST(FsstPageTest, KeepsTheBitmap) {
  arrow::StringBuilder builder;
  for (const std::string& text : Sentences(2000, 12, 4)) {
    ASSERT_OK(builder.length() % 3 == 0 ? builder.AppendNull() : builder.Append(text));
  }
  ASSERT_OK_AND_ASSIGN(const auto array, builder.Finish());
  const ValueShape shape = *ValueShape::Of(*arrow::utf8());
  ASSERT_OK_AND_ASSIGN(const RowsView texts, RowsView::Of(*array->Slice(7, 1900)->data(), shape));
  ASSERT_OK_AND_ASSIGN(const auto page, EncodeFsstPage(texts, arrow::default_memory_pool()));
  ASSERT_TRUE(page.has_value());
  ExpectDecodes(*page, texts);
  for (int64_t row = 0; row < 1900; ++row) EXPECT_EQ(page->codes.IsNull(row), texts.IsNull(row));
}

TEST(FsstPageTest, GivesTheSameBytesAgain) {
  const Texts texts(Sentences(30'000, 12, 6));
  ASSERT_OK_AND_ASSIGN(const auto one, EncodeFsstPage(texts.rows(), arrow::default_memory_pool()));
  ASSERT_OK_AND_ASSIGN(const auto two, EncodeFsstPage(texts.rows(), arrow::default_memory_pool()));
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(one->encoding.symbol_table, two->encoding.symbol_table);
  EXPECT_TRUE(one->bytes->Equals(*two->bytes));
  EXPECT_TRUE(one->offsets->Equals(*two->offsets));
}

TEST(FsstPageTest, LeavesAloneWhatIsNotWorthTheWhile) {
  const auto is_encoded = [](const std::vector<std::string>& strings) {
    const Texts texts(strings);
    const auto page = EncodeFsstPage(texts.rows(), arrow::default_memory_pool());
    EXPECT_OK(page);
    return page->has_value();
  };
  EXPECT_TRUE(is_encoded(std::vector<std::string>(6554, "tusks")));
  EXPECT_FALSE(is_encoded(std::vector<std::string>(6553, "tusks")));  // 32,765 bytes
  EXPECT_FALSE(is_encoded(std::vector<std::string>(20'000, "tusk")));
  EXPECT_FALSE(is_encoded({}));
  EXPECT_FALSE(is_encoded(std::vector<std::string>(1000)));
  std::mt19937_64 random(7);
  std::vector<std::string> noise(5000, std::string(20, '\0'));
  for (std::string& text : noise) {
    for (char& byte : text) byte = static_cast<char>(random());
  }
  EXPECT_FALSE(is_encoded(noise));
}

// Random letters of 40 have pairs that are frequent in the sample alone.
TEST(FsstPageTest, StopsWhenTheTextsDoNotKeepWhatTheSamplePromises) {
  std::mt19937_64 random(8);
  std::vector<std::string> strings(20'000, std::string(50, '\0'));
  for (std::string& text : strings) {
    for (char& letter : text) letter = static_cast<char>('A' + random() % 40);
  }
  const Texts texts(strings);
  const FsstTraining training = TrainFsst(texts.rows());
  EXPECT_LT(training.code_bytes, training.sample_bytes * 86 / 100);
  ASSERT_OK_AND_ASSIGN(const auto page, EncodeFsstPage(texts.rows(), arrow::default_memory_pool()));
  EXPECT_FALSE(page.has_value());
}

/// Chunks of so many rows each.
class ChunksOf final : public ValueEncoder {
 public:
  explicit ChunksOf(int64_t rows) : rows_(rows) {}
  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return 1; }
  int64_t ChunkRows(const RowsView& rest) const override { return std::min(rows_, rest.num_rows); }
  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    const int64_t size = EncodedVariableSize(rows);
    ARROW_RETURN_NOT_OK(out[0].Reserve(size));
    EncodeVariable(rows, out[0].mutable_data());
    out[0].UnsafeAdvance(size);
    return Status::OK();
  }

 private:
  ValueEncoding encoding_ = VariableEncoding(32);
  int64_t rows_;
};

TEST(FsstEncoderTest, DecodesChunks) {
  const Texts texts(Sentences(3000, 12, 9));
  ASSERT_OK_AND_ASSIGN(const auto page, EncodeFsstPage(texts.rows(), arrow::default_memory_pool()));
  ASSERT_TRUE(page.has_value());
  const auto encoder = MakeFsstEncoder(page->encoding, std::make_unique<ChunksOf>(256));
  ASSERT_OK_AND_ASSIGN(const auto decoder, MakeValueDecoder(encoder->encoding()));
  ASSERT_EQ(encoder->num_buffers(), decoder->num_buffers());
  ColumnOutput out(*page->codes.shape, 3000, arrow::default_memory_pool());
  std::vector<std::shared_ptr<arrow::Buffer>> chunks;
  for (int64_t row = 0; row < 3000;) {
    const RowsView rest = page->codes.Slice({.begin = row, .end = 3000});
    const int64_t count = encoder->ChunkRows(rest);
    arrow::BufferBuilder builder;
    ASSERT_OK(encoder->EncodeChunk(rest.Slice({.begin = 0, .end = count}), {&builder, 1}));
    ASSERT_OK_AND_ASSIGN(chunks.emplace_back(), builder.Finish());
    const std::span<const uint8_t> buffer(chunks.back()->data(), chunks.back()->size());
    ASSERT_OK(decoder->DecodeInto({.buffers = {&buffer, 1}, .num_values = count},
                                  {.begin = 0, .end = count}, row, &out));
    row += count;
  }
  ASSERT_OK_AND_ASSIGN(const auto data, out.Finish(arrow::utf8()));
  const auto array = std::static_pointer_cast<arrow::StringArray>(arrow::MakeArray(data));
  for (int64_t row = 0; row < 3000; ++row) {
    ASSERT_EQ(array->GetView(row), TextAt(texts.rows(), row)) << row;
  }
}

}  // namespace
}  // namespace tusk::lance
