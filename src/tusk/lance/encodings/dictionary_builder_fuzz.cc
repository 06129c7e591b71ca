// Dictionaries, the other way round: of any rows, each value once, in the order of the rows.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>

#include "tusk/lance/encodings/dictionary_builder.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

std::string_view ValueAt(const RowsView& rows, int64_t row) {
  if (rows.shape->is_variable) {
    return AsText({rows.values + rows.Offset(row), static_cast<size_t>(rows.Length(row))});
  }
  const int64_t width = rows.shape->row_bits() / 8;
  return AsText({rows.values + row * width, static_cast<size_t>(width)});
}

void RequireDictionary(const RowsView& rows, const BuiltDictionary& built) {
  // Items are new one after the other, and what an index says is there.
  int64_t known = 0;
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    const auto index = int64_t{LoadLittle<uint32_t>(built.indices->data() + row * 4)};
    Require(index < built.items.num_rows, "an index is one of an item");
    if (rows.IsNull(row)) continue;
    Require(index <= known, "items stand in the order in which they come");
    if (index == known) ++known;
    Require(ValueAt(built.items, index) == ValueAt(rows, row), "an index stands for the value");
  }
  Require(known == built.items.num_rows, "all items are of some row");
  std::vector<std::string_view> items;
  items.reserve(known);
  for (int64_t i = 0; i < known; ++i) items.push_back(ValueAt(built.items, i));
  std::ranges::sort(items);
  Require(std::ranges::adjacent_find(items) == items.end(), "no value is there twice");
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  // 0: texts; else values of so many bytes.
  const int64_t width = input.Read<uint8_t>() % 40;
  const DictionaryLimits limits{
      .min_rows = 1,
      .divisor = input.ReadBetween(0, 3),
      .max_items = input.ReadBetween(0, 2000),
      .max_size_ratio = static_cast<double>(input.ReadBetween(1, 300)) / 100,
      .max_item_bytes = input.ReadBetween(1, 60'000)};
  const auto validity = tusk::ExactCopy(input.TakeSized());
  std::string values;
  std::string offsets;
  tusk::AppendLittle(int32_t{0}, &offsets);
  int64_t num_rows = 0;
  for (; input.left() > 0 && num_rows < 30'000; ++num_rows) {
    const auto value = input.Take(width == 0 ? input.Read<uint8_t>() % 64 : width);
    values += tusk::AsText(value);
    if (width > 0) values.resize((num_rows + 1) * width);
    tusk::AppendLittle(static_cast<int32_t>(values.size()), &offsets);
  }
  ValueShape shape;
  shape.is_variable = width == 0;
  shape.bits = width == 0 ? 32 : 8 * width;
  const auto exact =
      tusk::ExactCopy({reinterpret_cast<const uint8_t*>(values.data()), values.size()});
  RowsView rows{.shape = &shape, .num_rows = num_rows, .values = exact->data()};
  if (width == 0) rows.offsets = reinterpret_cast<const uint8_t*>(offsets.data());
  if (8 * validity->size() >= num_rows) rows.validity = validity->data();
  const auto built = BuildDictionary(rows, limits, arrow::default_memory_pool());
  tusk::Require(built.status(), "rows have a dictionary or not");
  if (built->has_value()) RequireDictionary(rows, **built);
  return 0;
}
