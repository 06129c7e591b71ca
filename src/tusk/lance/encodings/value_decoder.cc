#include "tusk/lance/encodings/value_decoder.h"

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {

Result<std::unique_ptr<const ValueDecoder>> MakeValueDecoder(const ValueEncoding& encoding) {
  // Fixed-size lists are flattened: a chunk of lists is a chunk of more items.
  const ValueEncoding* items = &encoding;
  uint64_t items_per_row = 1;
  while (items->kind == ValueEncoding::Kind::kFixedSizeList) {
    if (items->has_validity) {
      return Unsupported("encoding fixed_size_list with null items is not supported yet");
    }
    if (items->children.size() != 1 || items->items == 0 ||
        items->items > (uint64_t{1} << 31) / items_per_row) {
      return Corrupt("encoding fixed_size_list of ", items->items, " items");
    }
    items_per_row *= items->items;
    items = &items->children[0];
  }
  switch (items->kind) {
    case ValueEncoding::Kind::kFlat:
      return MakeFlatDecoder(items->bits, items_per_row);
    case ValueEncoding::Kind::kVariable:
      if (items_per_row == 1) return MakeVariableDecoder(*items);
      break;
    case ValueEncoding::Kind::kInlineBitpacking:
      if (items_per_row == 1) return MakeInlineBitpackingDecoder(items->bits);
      break;
    case ValueEncoding::Kind::kRle:
      if (items_per_row == 1) return MakeRleDecoder(*items);
      break;
    default:
      break;
  }
  return Unsupported("encoding ", EncodingName(items->kind), " is not supported yet");
}

}  // namespace tusk::lance
