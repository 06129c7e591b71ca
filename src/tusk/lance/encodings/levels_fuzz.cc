// Levels of any bytes in any encoding.

#include <algorithm>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/decoder_laws.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/testing/bounded_pool.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const auto decoder = LevelDecoder::Make(ReadEncoding(&input));
  if (!decoder.ok()) {
    tusk::RequireRefusal(decoder.status());
    return 0;
  }
  const auto declared = input.Read<uint16_t>();
  const auto num_rows = static_cast<int64_t>(input.Read<uint64_t>() >> 1);
  const auto copy = tusk::ExactCopy(input.Rest());
  const std::span<const uint8_t> bytes(copy->data(), copy->size());
  tusk::BoundedPool pool(kFuzzedMemory);

  // Of a page that says its number of levels in 64 bits.
  std::vector<uint16_t> many;
  const tusk::Status of_page = decoder->Decode(bytes, num_rows, &pool, &many);
  if (!of_page.ok()) tusk::RequireRefusal(of_page);
  RequireJustified(static_cast<int64_t>(many.capacity() * sizeof(uint16_t)), size, 0);
  if (of_page.ok()) {
    tusk::Require(static_cast<int64_t>(many.size()) >= num_rows, "all levels are there");
  }

  const auto count = decoder->CountLevels(bytes, declared);
  if (!count.ok()) {
    tusk::RequireRefusal(count.status());
    return 0;
  }
  std::vector<uint16_t> levels;
  const tusk::Status decoded = decoder->Decode(bytes, *count, &pool, &levels);
  if (!decoded.ok()) tusk::RequireRefusal(decoded);

  // As validity: the same, if no level is above 1.
  ValueShape shape;
  shape.bits = 8;
  const auto length = static_cast<int64_t>(declared);
  if (!decoded.ok() || *count != length || length == 0) return 0;
  const int64_t begin = length / 3;
  ColumnOutput range(shape, length - begin + 3, &pool);
  const tusk::Status status =
      decoder->DecodeInto(bytes, length, {.begin = begin, .end = length}, 3, &range);
  const auto rest = std::span(levels).subspan(begin, length - begin);
  const bool is_plain = std::ranges::all_of(rest, [](uint16_t level) { return level <= 1; });
  tusk::Require(status.ok() == is_plain, "levels above 1 are refused where there are none");
  if (!is_plain) {
    tusk::RequireRefusal(status);
    return 0;
  }
  std::vector<TakenRow> rows;
  for (int64_t row = begin; row < length; ++row) {
    rows.push_back({.row = row + 9, .position = length - 1 - row});
  }
  ColumnOutput gathered(shape, length - begin, &pool);
  tusk::Require(decoder->GatherInto(bytes, length, rows, 9, &gathered), "single levels are read");
  const auto in_order = range.Finish(arrow::int8());
  const auto reversed = gathered.Finish(arrow::int8());
  tusk::Require(in_order.ok() && reversed.ok(), "validity is made");
  for (int64_t row = begin; row < length; ++row) {
    const bool is_null = levels[row] != 0;
    tusk::Require((*in_order)->IsNull(row - begin + 3) == is_null, "a range has its nulls");
    tusk::Require((*reversed)->IsNull(length - 1 - row) == is_null, "single rows have their nulls");
  }
  return 0;
}
