#include "tusk/lance/file/write/page_slots.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/file/structure.h"
#include "tusk/lance/file/write/leaf_path.h"

namespace tusk::lance {
namespace {

/// Marks levels within structs that have nulls as used, since pylance cannot read pages without:
/// those of nulls down to the first list, as what stands under a null struct is null for it, and of
/// all lists, as it forgets to count a list of which the page says that all is valid.
void LetWhatNullStructsHoldBeNull(const std::vector<LevelLayer>& layers,
                                  std::vector<bool>* is_used) {
  size_t level = is_used->size();
  bool is_in_struct = false;
  bool is_in_null = false;
  for (size_t i = layers.size(); i-- > 0;) {
    const bool is_list = IsList(layers[i]);
    level -= is_list ? 2 : 1;
    if (is_in_null || (is_list && is_in_struct)) (*is_used)[level] = true;
    is_in_null = !is_list && (*is_used)[level];
    is_in_struct |= is_in_null;
  }
}

/// What levels mean once the layers without a null or an empty list have no number.
struct Renumbering {
  std::vector<LevelLayer> layers;
  std::vector<uint16_t> levels;  ///< the new number of each
};

Renumbering Renumber(const std::vector<LevelLayer>& layers, const std::vector<bool>& is_used) {
  Renumbering result;
  result.levels.resize(is_used.size());
  uint16_t next = 1;
  size_t level = 1;
  const auto take = [&] {
    const bool used = is_used[level];
    if (used) result.levels[level] = next++;
    ++level;
    return used;
  };
  for (const LevelLayer layer : layers) {
    const bool has_null = take();
    if (!IsList(layer)) {
      result.layers.push_back(has_null ? LevelLayer::kNullableItem : LevelLayer::kAllValidItem);
      continue;
    }
    const bool has_empty = take();
    if (has_null && has_empty) {
      result.layers.push_back(LevelLayer::kNullAndEmptyList);
    } else if (has_null || has_empty) {
      result.layers.push_back(has_null ? LevelLayer::kNullableList : LevelLayer::kEmptyableList);
    } else {
      result.layers.push_back(LevelLayer::kAllValidList);
    }
  }
  return result;
}

/// A level for each bit: 0 where it is set, 1 where it is not.
std::vector<uint16_t> LevelsOf(const uint8_t* validity, int64_t first, int64_t count) {
  std::vector<uint16_t> levels(count);
  NullLevels(validity, first, count, levels.data());
  return levels;
}

/// The slots without a value as a bitmap.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const std::vector<uint16_t>& definition,
                                                  uint16_t max_visible, int64_t num_slots,
                                                  arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateBuffer(BytesForBits(num_slots), pool));
  std::memset(bits->mutable_data(), 0, bits->size());
  int64_t slot = 0;
  for (const uint16_t level : definition) {
    if (level > max_visible) continue;
    if (level == 0) SetBit(bits->mutable_data(), slot);
    ++slot;
  }
  return bits;
}

}  // namespace

Result<PageSlots> PageSlots::Of(LeafRows rows, const std::vector<LevelLayer>& layers,
                                const ValueShape& shape, arrow::MemoryPool* pool) {
  PageSlots slots;
  slots.item_bitmaps = RowsView::ItemBitmapsOf(*rows.values, shape);
  ARROW_ASSIGN_OR_RAISE(slots.values, RowsView::Of(*rows.values, shape, slots.item_bitmaps));
  slots.dictionary = rows.values->dictionary;
  if (layers.size() == 1 && rows.values->type->id() == arrow::Type::NA) {
    rows.definition.assign(rows.values->length, 1);
  } else if (layers.size() == 1 && slots.values.CountNulls() > 0) {
    rows.definition =
        LevelsOf(slots.values.validity, slots.values.validity_bit, slots.values.num_rows);
  }
  slots.num_entries = std::max<int64_t>(slots.values.num_rows, std::ssize(rows.definition));
  slots.repetition = std::move(rows.repetition);
  slots.max_repetition = static_cast<uint16_t>(std::ranges::count_if(layers, IsList));

  const LevelMeaning full(layers);
  std::vector<bool> is_used(full.max_definition() + 1, false);
  for (const uint16_t level : rows.definition) is_used[level] = true;
  for (const uint16_t level : rows.kept_levels) is_used[level] = true;
  LetWhatNullStructsHoldBeNull(layers, &is_used);
  Renumbering renumbering = Renumber(layers, is_used);
  slots.layers = std::move(renumbering.layers);
  const LevelMeaning meaning(slots.layers);
  slots.max_definition = meaning.max_definition();
  slots.max_visible = meaning.max_visible();
  if (slots.max_definition > 0) {
    slots.definition = std::move(rows.definition);
    for (uint16_t& level : slots.definition) level = renumbering.levels[level];
  }
  slots.num_rows = slots.num_entries;
  if (slots.max_repetition > 0) {
    slots.num_rows = std::ranges::count(slots.repetition, slots.max_repetition);
  }
  if (slots.max_visible > 0) {
    slots.num_nulls = std::ranges::count_if(
        slots.definition, [&](uint16_t level) { return level > 0 && level <= slots.max_visible; });
  }
  // Of the only layer the array's own bitmap says the same.
  if (slots.num_nulls == 0 || layers.size() > 1) slots.values.validity = nullptr;
  if (slots.num_nulls > 0 && layers.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(slots.definition, slots.max_visible,
                                                    slots.values.num_rows, pool));
    slots.values.validity = validity->data();
    slots.values.validity_bit = 0;
    slots.owned.push_back(std::move(validity));
  }
  return slots;
}

namespace {

Result<RowsView> CleanFixed(const RowsView& values, arrow::MemoryPool* pool,
                            std::vector<std::shared_ptr<arrow::Buffer>>* owner) {
  const int64_t row_bits = values.shape->row_bits();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> copy,
                        arrow::AllocateBuffer(BytesForBits(values.num_rows * row_bits), pool));
  uint8_t* to = copy->mutable_data();
  if (copy->size() > 0) to[copy->size() - 1] = 0;
  CopyBits(values.values, values.values_bit, values.num_rows * row_bits, to, 0);
  for (int64_t row = 0; row < values.num_rows; ++row) {
    if (!values.IsNull(row)) continue;
    if (row_bits % 8 == 0) {
      std::memset(to + row * row_bits / 8, 0, row_bits / 8);
    } else {
      ClearBits(to, row * row_bits, row_bits);
    }
  }
  RowsView clean = values;
  clean.validity = nullptr;
  clean.values = to;
  clean.values_bit = 0;
  owner->push_back(std::move(copy));
  return clean;
}

Result<RowsView> CleanVariable(const RowsView& values, arrow::MemoryPool* pool,
                               std::vector<std::shared_ptr<arrow::Buffer>>* owner) {
  RowsView clean = values;
  clean.validity = nullptr;
  int64_t hidden = 0;
  for (int64_t row = 0; row < values.num_rows; ++row) {
    if (values.IsNull(row)) hidden += values.Length(row);
  }
  if (hidden == 0) return clean;
  const int64_t width = values.shape->bits / 8;
  const int64_t size = values.Offset(values.num_rows) - values.Offset(0) - hidden;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((values.num_rows + 1) * width, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(size, pool));
  int64_t at = 0;
  for (int64_t row = 0; row < values.num_rows; ++row) {
    std::memcpy(offsets->mutable_data() + row * width, &at, width);
    if (values.IsNull(row) || values.Length(row) == 0) continue;
    std::memcpy(bytes->mutable_data() + at, values.values + values.Offset(row), values.Length(row));
    at += values.Length(row);
  }
  std::memcpy(offsets->mutable_data() + values.num_rows * width, &at, width);
  clean.offsets = offsets->data();
  clean.values = bytes->data();
  owner->push_back(std::move(offsets));
  owner->push_back(std::move(bytes));
  return clean;
}

}  // namespace

Result<RowsView> PageSlots::CleanValues(arrow::MemoryPool* pool,
                                        std::vector<std::shared_ptr<arrow::Buffer>>* owner) const {
  if (values.validity == nullptr) return values;
  return values.shape->is_variable ? CleanVariable(values, pool, owner)
                                   : CleanFixed(values, pool, owner);
}

}  // namespace tusk::lance
