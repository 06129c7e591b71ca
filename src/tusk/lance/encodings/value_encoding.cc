#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

std::string_view EncodingName(ValueEncoding::Kind kind) {
  using Kind = ValueEncoding::Kind;
  switch (kind) {
    case Kind::kFlat:
      return "flat";
    case Kind::kVariable:
      return "variable";
    case Kind::kConstant:
      return "constant";
    case Kind::kOutOfLineBitpacking:
      return "out_of_line_bitpacking";
    case Kind::kInlineBitpacking:
      return "inline_bitpacking";
    case Kind::kFsst:
      return "fsst";
    case Kind::kDictionary:
      return "dictionary";
    case Kind::kRle:
      return "rle";
    case Kind::kByteStreamSplit:
      return "byte_stream_split";
    case Kind::kGeneral:
      return "general";
    case Kind::kFixedSizeList:
      return "fixed_size_list";
    case Kind::kPackedStruct:
      return "packed_struct";
    case Kind::kVariablePackedStruct:
      return "variable_packed_struct";
    case Kind::kBufferCompression:
      return "buffer_compression";
  }
  return "?";
}

}  // namespace tusk::lance
