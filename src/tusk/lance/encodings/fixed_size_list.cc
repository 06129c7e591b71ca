#include "tusk/lance/encodings/fixed_size_list.h"

#include <algorithm>

#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {
namespace {

constexpr uint64_t kMaxItemsPerRow = uint64_t{1} << 31;

}  // namespace

Result<ListLayers> ListLayers::Of(const ValueEncoding& encoding) {
  ListLayers lists;
  const ValueEncoding* items = &encoding;
  while (items->kind == ValueEncoding::Kind::kFixedSizeList) {
    const auto before = static_cast<uint64_t>(lists.items_per_row);
    if (items->children.size() != 1 || items->items == 0 ||
        items->items > kMaxItemsPerRow / before) {
      return Corrupt("encoding fixed_size_list of ", items->items, " items");
    }
    lists.items_per_row = static_cast<int64_t>(before * items->items);
    lists.layers.push_back(
        {.items_per_row = lists.items_per_row, .has_validity = items->has_validity});
    items = &items->children[0];
  }
  lists.items = *items;
  return lists;
}

size_t ListLayers::num_bitmaps() const {
  return std::ranges::count(layers, true, &Layer::has_validity);
}

Status ListLayers::CheckShape(const ValueShape& shape, int64_t item_bits) const {
  if (shape.bits == item_bits && shape.items_per_row == items_per_row &&
      shape.list_sizes.size() == layers.size()) {
    return CheckOuterShape(shape);
  }
  return Corrupt("a value has ", items_per_row, " x ", item_bits, " bits in ", layers.size(),
                 " layers of lists, which the column's type does not");
}

Status ListLayers::CheckOuterShape(const ValueShape& shape) const {
  bool is_same = !shape.is_variable && shape.list_sizes.size() >= layers.size();
  int64_t items = 1;
  for (size_t i = 0; is_same && i < layers.size(); ++i) {
    items *= shape.list_sizes[i];
    is_same = items == layers[i].items_per_row;
  }
  if (is_same) return Status::OK();
  return Corrupt("a value has ", items_per_row, " items in ", layers.size(),
                 " layers of lists, which the column's type does not");
}

Status ListLayers::DecodeBitmaps(std::span<const std::span<const uint8_t>> bitmaps, RowRange rows,
                                 int64_t position, ColumnOutput* out) const {
  size_t next = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].has_validity) continue;
    const std::span<const uint8_t> bitmap = bitmaps[next++];
    const int64_t items = layers[i].items_per_row;
    if (static_cast<int64_t>(bitmap.size()) < BytesForBits(rows.end * items)) {
      return Corrupt("bitmap of ", bitmap.size(), " bytes for ", rows.end, " lists of ", items,
                     " items");
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableItemValidity(i));
    CopyBits(bitmap.data(), rows.begin * items, rows.length() * items, validity, position * items);
  }
  return Status::OK();
}

}  // namespace tusk::lance
