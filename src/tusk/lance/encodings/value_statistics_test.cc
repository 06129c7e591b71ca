#include "tusk/lance/encodings/value_statistics.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_encoder.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/random_arrays.h"

namespace tusk::lance {
namespace {

/// What `encoder` stores of `page`, in all buffers.
int64_t StoredBytes(const RowsView& page, ValueEncoder* encoder) {
  std::vector<arrow::BufferBuilder> buffers(encoder->num_buffers());
  for (int64_t row = 0; row < page.num_rows;) {
    const RowsView rest = page.Slice({.begin = row, .end = page.num_rows});
    const int64_t rows = encoder->ChunkRows(rest);
    EXPECT_OK(encoder->EncodeChunk(rest.Slice({.begin = 0, .end = rows}), buffers));
    row += rows;
  }
  int64_t bytes = 0;
  for (const arrow::BufferBuilder& buffer : buffers) bytes += buffer.length();
  return bytes;
}

TEST(LanceWordStatisticsTest, ForetellWhatEncodersStore) {
  std::mt19937_64 random(12);
  for (const SimdLevel level : SupportedSimdLevels()) {
    const ForcedSimdLevel forced(level);
    for (const int64_t bits : {8, 16, 32, 64}) {
      ValueShape shape;
      shape.bits = bits;
      for (const int64_t count : {0, 1, 2, 1023, 1024, 1025, 4095, 4096, 4097, 9000}) {
        for (const uint64_t mean_run : {1, 2, 20, 1000, 100000}) {
          std::string bytes(3, '\0');  // unaligned
          uint64_t word = random();
          bool is_constant = true;
          for (int64_t i = 0; i < count; ++i) {
            const uint64_t before = word;
            if (random() % mean_run == 0) word = random() >> random() % 64;
            const bool is_same = std::memcmp(&before, &word, bits / 8) == 0;
            is_constant = is_constant && (i == 0 || is_same);
            bytes.append(reinterpret_cast<const char*>(&word), bits / 8);
          }
          const RowsView page{.shape = &shape,
                              .num_rows = count,
                              .values = reinterpret_cast<const uint8_t*>(bytes.data()),
                              .values_bit = 24};
          SCOPED_TRACE(testing::Message() << count << " words of " << bits << " bits");
          const WordStatistics statistics = WordStatistics::Of(page);
          EXPECT_EQ(statistics.is_constant, is_constant);
          const auto packed = MakeInlineBitpackingEncoder(bits);
          EXPECT_EQ(statistics.bitpacked_bytes, StoredBytes(page, packed.get()));
          const auto runs = MakeRleEncoder(bits);
          const int64_t stored = StoredBytes(page, runs.get());
          if (mean_run >= 20) {
            EXPECT_EQ(statistics.rle_bytes(bits), stored);
          } else {
            // Short chunks cut other runs.
            EXPECT_NEAR(statistics.rle_bytes(bits), stored, (count / 500 + 1) * (bits / 8 + 1));
          }
          EXPECT_EQ(statistics.widest_bits, WidestBits(page.values + 3, bits, count));
        }
      }
    }
  }
}

std::shared_ptr<arrow::Array> Join(const std::vector<std::shared_ptr<arrow::Array>>& arrays) {
  return arrow::Concatenate(arrays).ValueOrDie();
}

bool AllEqual(const std::shared_ptr<arrow::Array>& array) {
  const ValueShape shape = ValueShape::Of(*array->type()).ValueOrDie();
  return AllRowsEqual(RowsView::Of(*array->data(), shape).ValueOrDie());
}

TEST(LanceAllRowsEqualTest, SeesOneRowThatDiffersAnywhere) {
  std::mt19937_64 random(13);
  for (const auto& type :
       {arrow::boolean(), arrow::int8(), arrow::int64(), arrow::decimal128(38, 0),
        arrow::fixed_size_binary(3), arrow::utf8(), arrow::large_binary(),
        arrow::fixed_size_list(arrow::int16(), 3), arrow::fixed_size_list(arrow::boolean(), 3)}) {
    SCOPED_TRACE(type->ToString());
    // Two rows that differ.
    std::shared_ptr<arrow::Array> one;
    std::shared_ptr<arrow::Array> other;
    do {
      one = RandomArray(type, 1, {.max_length = 5}, &random);
      other = RandomArray(type, 1, {.max_length = 5}, &random);
    } while (one->Equals(other));
    const auto null = RandomArray(type, 1, {.null_fraction = 1, .max_length = 5}, &random);
    EXPECT_TRUE(AllEqual(one->Slice(0, 0)));
    for (const int64_t count : {1, 2, 9, 70}) {
      for (const bool has_nulls : {false, true}) {
        for (int64_t differs = 0; differs <= count; ++differs) {
          std::vector<std::shared_ptr<arrow::Array>> rows = {other};
          for (int64_t i = 0; i < count; ++i) {
            if (has_nulls) rows.push_back(null);
            rows.push_back(i == differs ? other : one);
          }
          const auto array = Join(rows)->Slice(1);
          EXPECT_EQ(AllEqual(array), differs == count || count == 1) << differs << " of " << count;
        }
      }
    }
    EXPECT_TRUE(AllEqual(Join({null, null, null})));
  }
  EXPECT_TRUE(AllEqual(arrow::MakeArrayOfNull(arrow::null(), 3).ValueOrDie()));
}

}  // namespace
}  // namespace tusk::lance
