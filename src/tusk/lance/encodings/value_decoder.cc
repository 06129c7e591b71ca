#include "tusk/lance/encodings/value_decoder.h"

#include <utility>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {

Result<std::unique_ptr<const ValueDecoder>> MakeValueDecoder(const ValueEncoding& encoding) {
  ARROW_ASSIGN_OR_RAISE(ListLayers lists, ListLayers::Of(encoding));
  const ValueEncoding items = lists.items;
  if (items.kind == ValueEncoding::Kind::kFlat) return MakeFlatDecoder(std::move(lists));
  if (lists.layers.empty()) {
    switch (items.kind) {
      case ValueEncoding::Kind::kVariable:
        return MakeVariableDecoder(items);
      case ValueEncoding::Kind::kInlineBitpacking:
        return MakeInlineBitpackingDecoder(items.bits);
      case ValueEncoding::Kind::kRle:
        return MakeRleDecoder(items);
      default:
        break;
    }
  }
  return Unsupported("encoding ", EncodingName(items.kind), " is not supported yet");
}

}  // namespace tusk::lance
