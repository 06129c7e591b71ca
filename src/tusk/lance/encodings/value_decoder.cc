#include "tusk/lance/encodings/value_decoder.h"

#include <utility>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/byte_stream_split.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/encodings/general.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {

Result<std::unique_ptr<const ValueDecoder>> MakeValueDecoder(const ValueEncoding& encoding) {
  using Kind = ValueEncoding::Kind;
  if (encoding.kind == Kind::kFsst || encoding.kind == Kind::kGeneral) {
    if (encoding.children.size() != 1) {
      return Corrupt("encoding ", EncodingName(encoding.kind), " without values");
    }
    // Each step may make much of little, so they do not stand on one another at will.
    const Kind inner = encoding.children[0].kind;
    if (inner == Kind::kGeneral || (encoding.kind == Kind::kFsst && inner != Kind::kVariable)) {
      return Unsupported("encoding ", EncodingName(encoding.kind), " around encoding ",
                         EncodingName(inner), " is not supported yet");
    }
    ARROW_ASSIGN_OR_RAISE(auto values, MakeValueDecoder(encoding.children[0]));
    return encoding.kind == Kind::kFsst ? MakeFsstDecoder(encoding, std::move(values))
                                        : MakeGeneralDecoder(encoding, std::move(values));
  }
  ARROW_ASSIGN_OR_RAISE(ListLayers lists, ListLayers::Of(encoding));
  const ValueEncoding items = lists.items;
  if (items.kind == Kind::kFlat) return MakeFlatDecoder(std::move(lists));
  if (lists.layers.empty()) {
    switch (items.kind) {
      case Kind::kVariable:
        return MakeVariableDecoder(items);
      case Kind::kInlineBitpacking:
        return MakeInlineBitpackingDecoder(items.bits);
      case Kind::kRle:
        return MakeRleDecoder(items);
      case Kind::kByteStreamSplit:
        return MakeByteStreamSplitDecoder(items);
      case Kind::kPackedStruct:
        return MakePackedStructDecoder(items);
      default:
        break;
    }
  }
  return Unsupported("encoding ", EncodingName(items.kind), " is not supported yet");
}

}  // namespace tusk::lance
