#include <utility>

#include "tusk/lance/file/array/array_encoding.h"
#include "tusk/lance/file/array/array_encoding.pb.h"
#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

constexpr const char* kTypeUrl = "/lance.encodings.ArrayEncoding";

using Kind = ArrayEncoding::Kind;

/// Rows stay below 2^31 bytes.
constexpr uint64_t kMaxBits = uint64_t{1} << 34;

/// Parses the tree. The depth is limited by the protobuf parser.
class TreeParser {
 public:
  /// `buffers` is null where encodings have none of their own.
  explicit TreeParser(const ArrayBuffers* buffers) : buffers_(buffers) {}

  Result<ArrayEncoding> Parse(const proto::ArrayEncoding& from) const;

 private:
  Result<io::ByteRange> Buffer(const proto::ArrayBuffer& from) const;
  Status AddChild(const proto::ArrayEncoding& from, ArrayEncoding* to) const {
    ARROW_ASSIGN_OR_RAISE(ArrayEncoding child, Parse(from));
    to->children.push_back(std::move(child));
    return Status::OK();
  }
  Result<ArrayEncoding> Flat(const proto::FlatArray& from) const;
  Result<ArrayEncoding> Nullable(const proto::NullableArray& from) const;
  Result<ArrayEncoding> FixedSizeList(const proto::FixedSizeListArray& from) const;
  Result<ArrayEncoding> List(const proto::ListArray& from) const;
  Result<ArrayEncoding> Binary(const proto::BinaryArray& from) const;
  Result<ArrayEncoding> Dictionary(const proto::DictionaryArray& from) const;
  Result<ArrayEncoding> Fsst(const proto::FsstArray& from) const;
  Result<ArrayEncoding> PackedStruct(const proto::PackedStructArray& from) const;
  Result<ArrayEncoding> Bitpacked(Kind kind, const proto::BitpackedArray& from) const;
  Result<ArrayEncoding> FixedSizeBinary(const proto::FixedSizeBinaryArray& from) const;

  const ArrayBuffers* buffers_;
};

ArrayEncoding OfKind(Kind kind) {
  ArrayEncoding encoding;
  encoding.kind = kind;
  return encoding;
}

Status NoSuchEncoding(std::string_view name) {
  return Unsupported("encoding ", name, " is not one of data version 2.0");
}

Result<io::ByteRange> TreeParser::Buffer(const proto::ArrayBuffer& from) const {
  if (buffers_ == nullptr) return io::ByteRange{};
  if (from.place() > 2) return Corrupt("buffer in a place of number ", from.place());
  const auto& buffers = from.place() == 0   ? buffers_->page
                        : from.place() == 1 ? buffers_->column
                                            : buffers_->file;
  if (from.index() >= buffers.size()) {
    const char* owner = from.place() == 0 ? "page" : from.place() == 1 ? "column" : "file";
    return Corrupt("buffer ", from.index(), " of a ", owner, " that has ", buffers.size());
  }
  return buffers[from.index()];
}

Result<ArrayEncoding> TreeParser::Flat(const proto::FlatArray& from) const {
  ArrayEncoding to = OfKind(Kind::kFlat);
  if (from.bits_per_value() == 0 || from.bits_per_value() > kMaxBits) {
    return Corrupt("encoding flat of ", from.bits_per_value(), " bits a value");
  }
  if (from.bits_per_value() != 1 && from.bits_per_value() % 8 != 0) {
    return Unsupported("encoding flat of ", from.bits_per_value(), " bits is not supported yet");
  }
  to.bits = static_cast<int64_t>(from.bits_per_value());
  ARROW_ASSIGN_OR_RAISE(to.buffer, Buffer(from.buffer()));
  const std::string& scheme = from.compression().scheme();
  if (!from.has_compression() || scheme == "none") return to;
  if (scheme == "lz4") {
    to.compression = ValueEncoding::Compression::kLz4;
  } else if (scheme == "zstd") {
    to.compression = ValueEncoding::Compression::kZstd;
  } else {
    return Unsupported("compression '", scheme, "' is not supported");
  }
  return to;
}

Result<ArrayEncoding> TreeParser::Nullable(const proto::NullableArray& from) const {
  switch (from.nullability_case()) {
    case proto::NullableArray::kNoNulls: {
      ArrayEncoding to = OfKind(Kind::kNoNulls);
      ARROW_RETURN_NOT_OK(AddChild(from.no_nulls().values(), &to));
      return to;
    }
    case proto::NullableArray::kSomeNulls: {
      ArrayEncoding to = OfKind(Kind::kSomeNulls);
      ARROW_RETURN_NOT_OK(AddChild(from.some_nulls().validity(), &to));
      ARROW_RETURN_NOT_OK(AddChild(from.some_nulls().values(), &to));
      return to;
    }
    case proto::NullableArray::kAllNulls:
      return OfKind(Kind::kAllNulls);
    case proto::NullableArray::NULLABILITY_NOT_SET:
      break;
  }
  return Corrupt("encoding nullable of an unknown kind");
}

Result<ArrayEncoding> TreeParser::FixedSizeList(const proto::FixedSizeListArray& from) const {
  if (from.dimension() == 0 || from.dimension() > kMaxBits / 8) {
    return Corrupt("encoding fixed_size_list of ", from.dimension(), " items a row");
  }
  if (from.has_validity()) {
    return Unsupported("encoding fixed_size_list with has_validity is not one of 2.0");
  }
  ArrayEncoding to = OfKind(Kind::kFixedSizeList);
  to.count = from.dimension();
  ARROW_RETURN_NOT_OK(AddChild(from.items(), &to));
  return to;
}

Result<ArrayEncoding> TreeParser::List(const proto::ListArray& from) const {
  // Items are numbered in 63 bits, and null lists by as much again.
  if (from.num_items() >> 62 != 0 || from.null_offset_adjustment() <= from.num_items()) {
    return Corrupt("encoding list of ", from.num_items(), " items marks null lists by ",
                   from.null_offset_adjustment());
  }
  ArrayEncoding to = OfKind(Kind::kList);
  to.count = static_cast<int64_t>(from.num_items());
  to.null_adjustment = from.null_offset_adjustment();
  ARROW_RETURN_NOT_OK(AddChild(from.offsets(), &to));
  return to;
}

Result<ArrayEncoding> TreeParser::Binary(const proto::BinaryArray& from) const {
  ArrayEncoding to = OfKind(Kind::kBinary);
  to.null_adjustment = from.null_adjustment();
  ARROW_RETURN_NOT_OK(AddChild(from.indices(), &to));
  ARROW_RETURN_NOT_OK(AddChild(from.bytes(), &to));
  return to;
}

Result<ArrayEncoding> TreeParser::Dictionary(const proto::DictionaryArray& from) const {
  ArrayEncoding to = OfKind(Kind::kDictionary);
  to.count = from.num_dictionary_items();
  ARROW_RETURN_NOT_OK(AddChild(from.indices(), &to));
  ARROW_RETURN_NOT_OK(AddChild(from.items(), &to));
  if (to.count > to.children[1].Capacity()) {
    return Corrupt("dictionary of ", to.count, " items in buffers for ", to.children[1].Capacity());
  }
  return to;
}

Result<ArrayEncoding> TreeParser::Fsst(const proto::FsstArray& from) const {
  ArrayEncoding to = OfKind(Kind::kFsst);
  to.symbol_table = from.symbol_table();
  ARROW_RETURN_NOT_OK(AddChild(from.binary(), &to));
  return to;
}

Result<ArrayEncoding> TreeParser::PackedStruct(const proto::PackedStructArray& from) const {
  ArrayEncoding to = OfKind(Kind::kPackedStruct);
  ARROW_ASSIGN_OR_RAISE(to.buffer, Buffer(from.buffer()));
  const TreeParser without_buffers(nullptr);
  for (const proto::ArrayEncoding& field : from.inner()) {
    ARROW_RETURN_NOT_OK(without_buffers.AddChild(field, &to));
  }
  return to;
}

Result<ArrayEncoding> TreeParser::Bitpacked(Kind kind, const proto::BitpackedArray& from) const {
  ArrayEncoding to = OfKind(kind);
  const uint64_t bits = from.compressed_bits_per_value();
  const uint64_t value_bits = from.uncompressed_bits_per_value();
  const bool is_word = value_bits == 8 || value_bits == 16 || value_bits == 32 || value_bits == 64;
  if (!is_word || bits == 0 || bits > value_bits) {
    return Corrupt("encoding ", to.name(), " of ", bits, " bits for values of ", value_bits);
  }
  to.bits = static_cast<int64_t>(bits);
  to.value_bits = static_cast<int64_t>(value_bits);
  to.is_signed = from.is_signed();
  ARROW_ASSIGN_OR_RAISE(to.buffer, Buffer(from.buffer()));
  return to;
}

Result<ArrayEncoding> TreeParser::FixedSizeBinary(const proto::FixedSizeBinaryArray& from) const {
  if (from.byte_width() == 0 || from.byte_width() > kMaxBits / 8) {
    return Corrupt("encoding fixed_size_binary of ", from.byte_width(), " bytes a value");
  }
  ArrayEncoding to = OfKind(Kind::kFixedSizeBinary);
  to.count = from.byte_width();
  ARROW_RETURN_NOT_OK(AddChild(from.bytes(), &to));
  return to;
}

Result<ArrayEncoding> TreeParser::Parse(const proto::ArrayEncoding& from) const {
  switch (from.array_encoding_case()) {
    case proto::ArrayEncoding::kFlat:
      return Flat(from.flat());
    case proto::ArrayEncoding::kNullable:
      return Nullable(from.nullable());
    case proto::ArrayEncoding::kFixedSizeList:
      return FixedSizeList(from.fixed_size_list());
    case proto::ArrayEncoding::kList:
      return List(from.list());
    case proto::ArrayEncoding::kStruct:
      return OfKind(Kind::kStruct);
    case proto::ArrayEncoding::kBinary:
      return Binary(from.binary());
    case proto::ArrayEncoding::kDictionary:
      return Dictionary(from.dictionary());
    case proto::ArrayEncoding::kFsst:
      return Fsst(from.fsst());
    case proto::ArrayEncoding::kPackedStruct:
      return PackedStruct(from.packed_struct());
    case proto::ArrayEncoding::kBitpacked:
      return Bitpacked(Kind::kBitpacked, from.bitpacked());
    case proto::ArrayEncoding::kFixedSizeBinary:
      return FixedSizeBinary(from.fixed_size_binary());
    case proto::ArrayEncoding::kBitpackedForNonNeg:
      return Bitpacked(Kind::kBitpackedForNonNeg, from.bitpacked_for_non_neg());
    case proto::ArrayEncoding::kConstant:
      return NoSuchEncoding("constant");
    case proto::ArrayEncoding::kInlineBitpacking:
      return NoSuchEncoding("inline_bitpacking");
    case proto::ArrayEncoding::kOutOfLineBitpacking:
      return NoSuchEncoding("out_of_line_bitpacking");
    case proto::ArrayEncoding::kVariable:
      return NoSuchEncoding("variable");
    case proto::ArrayEncoding::kPackedStructFixedWidthMiniBlock:
      return NoSuchEncoding("packed_struct_fixed_width_mini_block");
    case proto::ArrayEncoding::kBlock:
      return NoSuchEncoding("block");
    case proto::ArrayEncoding::kRle:
      return NoSuchEncoding("rle");
    case proto::ArrayEncoding::kGeneralMiniBlock:
      return NoSuchEncoding("general_mini_block");
    case proto::ArrayEncoding::kByteStreamSplit:
      return NoSuchEncoding("byte_stream_split");
    case proto::ArrayEncoding::ARRAY_ENCODING_NOT_SET:
      break;
  }
  return Corrupt("array encoding of an unknown kind");
}

}  // namespace

Result<ArrayEncoding> ArrayEncoding::Parse(std::string_view bytes, const ArrayBuffers& buffers) {
  proto::TypedMessage typed;
  if (!ParseMessage(bytes, &typed)) {
    return Corrupt("description of a page's encoding cannot be parsed");
  }
  if (typed.type_url() != kTypeUrl) {
    return Unsupported("pages described by ", typed.type_url(),
                       " are not those of data version 2.0");
  }
  proto::ArrayEncoding message;
  if (!ParseMessage(typed.value(), &message)) return Corrupt("array encoding cannot be parsed");
  return TreeParser(&buffers).Parse(message);
}

}  // namespace tusk::lance
