#include <cstdlib>
#include <utility>

#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/page_layout.h"
#include "tusk/lance/file/page_layout.pb.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

constexpr const char* kTypeUrl = "/lance.encodings21.PageLayout";

using Kind = ValueEncoding::Kind;

ValueEncoding OfKind(Kind kind) {
  ValueEncoding encoding;
  encoding.kind = kind;
  return encoding;
}

ValueEncoding::Compression CompressionOf(uint32_t scheme) {
  switch (scheme) {
    case 1:
      return ValueEncoding::Compression::kLz4;
    case 2:
      return ValueEncoding::Compression::kZstd;
    default:
      return ValueEncoding::Compression::kUnknown;
  }
}

Result<ValueEncoding> ParseEncoding(const proto::ValueEncoding& from) {
  // The depth of the tree is limited by the protobuf parser.
  switch (from.encoding_case()) {
    case proto::ValueEncoding::kFlat: {
      if (from.flat().has_data()) return OfKind(Kind::kBufferCompression);
      return ValueEncoding::Flat(from.flat().bits_per_value());
    }
    case proto::ValueEncoding::kVariable: {
      if (from.variable().has_values()) return OfKind(Kind::kBufferCompression);
      ValueEncoding encoding = OfKind(Kind::kVariable);
      ARROW_ASSIGN_OR_RAISE(ValueEncoding offsets, ParseEncoding(from.variable().offsets()));
      encoding.children.push_back(std::move(offsets));
      return encoding;
    }
    case proto::ValueEncoding::kFixedSizeList: {
      ValueEncoding encoding = OfKind(Kind::kFixedSizeList);
      encoding.items = from.fixed_size_list().items_per_value();
      encoding.has_validity = from.fixed_size_list().has_validity();
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values, ParseEncoding(from.fixed_size_list().values()));
      encoding.children.push_back(std::move(values));
      return encoding;
    }
    case proto::ValueEncoding::kInlineBitpacking: {
      if (from.inline_bitpacking().has_values()) return OfKind(Kind::kBufferCompression);
      ValueEncoding encoding = OfKind(Kind::kInlineBitpacking);
      encoding.bits = from.inline_bitpacking().uncompressed_bits_per_value();
      return encoding;
    }
    case proto::ValueEncoding::kOutOfLineBitpacking: {
      ValueEncoding encoding = OfKind(Kind::kOutOfLineBitpacking);
      encoding.bits = from.out_of_line_bitpacking().uncompressed_bits_per_value();
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values,
                            ParseEncoding(from.out_of_line_bitpacking().values()));
      encoding.children.push_back(std::move(values));
      return encoding;
    }
    case proto::ValueEncoding::kRle: {
      ValueEncoding encoding = OfKind(Kind::kRle);
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values, ParseEncoding(from.rle().values()));
      ARROW_ASSIGN_OR_RAISE(ValueEncoding lengths, ParseEncoding(from.rle().run_lengths()));
      encoding.children.push_back(std::move(values));
      encoding.children.push_back(std::move(lengths));
      return encoding;
    }
    case proto::ValueEncoding::kConstant:
      return OfKind(Kind::kConstant);
    case proto::ValueEncoding::kFsst: {
      ValueEncoding encoding = OfKind(Kind::kFsst);
      encoding.symbol_table = from.fsst().symbol_table();
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values, ParseEncoding(from.fsst().values()));
      encoding.children.push_back(std::move(values));
      return encoding;
    }
    case proto::ValueEncoding::kDictionary:
      return OfKind(Kind::kDictionary);
    case proto::ValueEncoding::kByteStreamSplit: {
      ValueEncoding encoding = OfKind(Kind::kByteStreamSplit);
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values, ParseEncoding(from.byte_stream_split().values()));
      encoding.children.push_back(std::move(values));
      return encoding;
    }
    case proto::ValueEncoding::kGeneral: {
      ValueEncoding encoding = OfKind(Kind::kGeneral);
      encoding.compression = CompressionOf(from.general().compression().scheme());
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values, ParseEncoding(from.general().values()));
      encoding.children.push_back(std::move(values));
      return encoding;
    }
    case proto::ValueEncoding::kPackedStruct:
      return OfKind(Kind::kPackedStruct);
    case proto::ValueEncoding::kVariablePackedStruct:
      return OfKind(Kind::kVariablePackedStruct);
    case proto::ValueEncoding::ENCODING_NOT_SET:
      break;
  }
  return Corrupt("value encoding of an unknown kind");
}

void ToProto(const ValueEncoding& from, proto::ValueEncoding* to) {
  switch (from.kind) {
    case Kind::kFlat:
      to->mutable_flat()->set_bits_per_value(from.bits);
      return;
    case Kind::kVariable:
      ToProto(from.children[0], to->mutable_variable()->mutable_offsets());
      return;
    case Kind::kFixedSizeList:
      to->mutable_fixed_size_list()->set_items_per_value(from.items);
      to->mutable_fixed_size_list()->set_has_validity(from.has_validity);
      ToProto(from.children[0], to->mutable_fixed_size_list()->mutable_values());
      return;
    case Kind::kOutOfLineBitpacking:
      to->mutable_out_of_line_bitpacking()->set_uncompressed_bits_per_value(from.bits);
      ToProto(from.children[0], to->mutable_out_of_line_bitpacking()->mutable_values());
      return;
    default:
      // The writer makes no other.
      std::abort();
  }
}

/// Whether rows may be null. Unsupported if there is more structure than that.
template <typename Layers>
Result<bool> ParseLayers(const Layers& layers) {
  if (layers.size() != 1) {
    return Unsupported("pages of nested columns (", layers.size(),
                       " layers of levels) are not supported yet");
  }
  switch (layers.Get(0)) {
    case proto::ALL_VALID_ITEM:
      return false;
    case proto::NULLABLE_ITEM:
      return true;
    default:
      return Unsupported("pages of list columns (layer ", layers.Get(0), ") are not supported yet");
  }
}

Result<PageLayout> ParseMiniBlock(const proto::MiniBlockLayout& from) {
  PageLayout page;
  ARROW_ASSIGN_OR_RAISE(page.is_nullable, ParseLayers(from.layers()));
  if (from.has_rep_compression() || from.repetition_index_depth() != 0) {
    return Unsupported("mini-block pages with repetition levels are not supported yet");
  }
  MiniBlockLayout layout;
  if (from.has_def_compression()) {
    ARROW_ASSIGN_OR_RAISE(layout.levels, ParseEncoding(from.def_compression()));
  }
  ARROW_ASSIGN_OR_RAISE(layout.values, ParseEncoding(from.value_compression()));
  if (from.has_dictionary()) {
    ARROW_ASSIGN_OR_RAISE(layout.dictionary, ParseEncoding(from.dictionary()));
    layout.num_dictionary_items = from.num_dictionary_items();
  }
  layout.num_buffers = from.num_buffers();
  layout.num_items = from.num_items();
  layout.has_large_chunk = from.has_large_chunk();
  page.layout = std::move(layout);
  return page;
}

Result<PageLayout> ParseFullZip(const proto::FullZipLayout& from) {
  PageLayout page;
  ARROW_ASSIGN_OR_RAISE(page.is_nullable, ParseLayers(from.layers()));
  if (from.bits_rep() != 0) {
    return Unsupported("full-zip pages with repetition levels are not supported yet");
  }
  FullZipLayout layout;
  layout.bits_def = from.bits_def();
  layout.is_variable = from.width_case() == proto::FullZipLayout::kBitsPerOffset;
  layout.bits = layout.is_variable ? from.bits_per_offset() : from.bits_per_value();
  layout.num_items = from.num_items();
  if (from.num_visible_items() != from.num_items()) {
    return Corrupt("full-zip page of a column without lists shows ", from.num_visible_items(),
                   " of ", from.num_items(), " items");
  }
  ARROW_ASSIGN_OR_RAISE(layout.values, ParseEncoding(from.value_compression()));
  page.layout = std::move(layout);
  return page;
}

Result<PageLayout> ParseConstant(const proto::ConstantLayout& from, size_t num_buffers) {
  PageLayout page;
  ARROW_ASSIGN_OR_RAISE(page.is_nullable, ParseLayers(from.layers()));
  if (from.has_rep_compression() || from.has_def_compression() || from.num_rep_values() != 0 ||
      from.num_def_values() != 0) {
    return Unsupported("constant pages with encoded levels are not supported yet");
  }
  // The value is in the description, or in the first buffer; then two for levels, or none. No value
  // and no buffers: all rows are null.
  if (!from.has_inline_value() && num_buffers == 0) {
    if (!page.is_nullable) return Corrupt("constant page without a value");
    page.layout = AllNullLayout();
    return page;
  }
  ConstantLayout layout;
  if (from.has_inline_value()) layout.inline_value = from.inline_value();
  page.layout = std::move(layout);
  return page;
}

}  // namespace

std::string PageLayout::Serialize() const {
  proto::PageLayout message;
  const proto::LevelLayer layer = is_nullable ? proto::NULLABLE_ITEM : proto::ALL_VALID_ITEM;
  if (const auto* mini_block = std::get_if<MiniBlockLayout>(&layout)) {
    proto::MiniBlockLayout* to = message.mutable_mini_block_layout();
    if (mini_block->levels) ToProto(*mini_block->levels, to->mutable_def_compression());
    ToProto(mini_block->values, to->mutable_value_compression());
    to->add_layers(layer);
    to->set_num_buffers(mini_block->num_buffers);
    to->set_num_items(mini_block->num_items);
    to->set_has_large_chunk(mini_block->has_large_chunk);
  } else if (const auto* full_zip = std::get_if<FullZipLayout>(&layout)) {
    proto::FullZipLayout* to = message.mutable_full_zip_layout();
    to->set_bits_def(full_zip->bits_def);
    if (full_zip->is_variable) {
      to->set_bits_per_offset(full_zip->bits);
    } else {
      to->set_bits_per_value(full_zip->bits);
    }
    to->set_num_items(static_cast<uint32_t>(full_zip->num_items));
    to->set_num_visible_items(static_cast<uint32_t>(full_zip->num_items));
    ToProto(full_zip->values, to->mutable_value_compression());
    to->add_layers(layer);
  } else {
    // Of constants, the writer makes no other.
    message.mutable_constant_layout()->add_layers(layer);
  }
  proto::TypedMessage typed;
  typed.set_type_url(kTypeUrl);
  typed.set_value(message.SerializeAsString());
  return typed.SerializeAsString();
}

Result<PageLayout> PageLayout::Parse(std::string_view bytes, size_t num_buffers) {
  proto::TypedMessage typed;
  if (!ParseMessage(bytes, &typed)) {
    return Corrupt("description of a page's encoding cannot be parsed");
  }
  if (typed.type_url() != kTypeUrl) {
    return Unsupported("pages described by ", typed.type_url(), " are not supported yet");
  }
  proto::PageLayout message;
  if (!ParseMessage(typed.value(), &message)) return Corrupt("page layout cannot be parsed");
  switch (message.layout_case()) {
    case proto::PageLayout::kMiniBlockLayout:
      return ParseMiniBlock(message.mini_block_layout());
    case proto::PageLayout::kConstantLayout:
      return ParseConstant(message.constant_layout(), num_buffers);
    case proto::PageLayout::kFullZipLayout:
      return ParseFullZip(message.full_zip_layout());
    case proto::PageLayout::kBlobLayout:
      return Unsupported("blob pages are not supported yet");
    case proto::PageLayout::LAYOUT_NOT_SET:
      break;
  }
  return Corrupt("page layout of an unknown kind");
}

}  // namespace tusk::lance
