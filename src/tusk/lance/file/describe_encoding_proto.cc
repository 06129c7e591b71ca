#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/page_layout.pb.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

using Description = EncodingDescription;

/// Building blocks that keep the order of a message's fields.
void Add(Description* to, std::string name, uint64_t value) {
  to->properties.emplace_back(std::move(name), std::to_string(value));
}
void AddBytes(Description* to, std::string name, std::string_view bytes) {
  to->properties.emplace_back(std::move(name), std::to_string(bytes.size()) + " bytes");
}

std::string SchemeName(const proto::BufferCompression& from) {
  std::string name = from.scheme() == 1   ? "lz4"
                     : from.scheme() == 2 ? "zstd"
                                          : "scheme " + std::to_string(from.scheme());
  if (from.has_level()) name += " level " + std::to_string(from.level());
  return name;
}

std::string_view LayerName(int layer) {
  switch (layer) {
    case proto::ALL_VALID_ITEM:
      return "all_valid_item";
    case proto::ALL_VALID_LIST:
      return "all_valid_list";
    case proto::NULLABLE_ITEM:
      return "nullable_item";
    case proto::NULLABLE_LIST:
      return "nullable_list";
    case proto::EMPTYABLE_LIST:
      return "emptyable_list";
    case proto::NULL_AND_EMPTY_LIST:
      return "null_and_empty_list";
    default:
      return "unknown";
  }
}

template <typename Layers>
void AddLayers(Description* to, const Layers& layers) {
  std::string names;
  for (const int layer : layers) {
    if (!names.empty()) names += " ";
    names += LayerName(layer);
  }
  to->properties.emplace_back("layers", "[" + names + "]");
}

Description Describe(const proto::ValueEncoding& from);

void AddPart(Description* to, std::string name, bool is_there, const proto::ValueEncoding& from) {
  if (is_there) to->parts.emplace_back(std::move(name), Describe(from));
}

Description Describe(const proto::ValueEncoding::VariablePackedStruct& from) {
  Description to{.name = "VariablePackedStruct"};
  for (const auto& field : from.fields()) {
    AddPart(&to, "field", field.has_value(), field.value());
    if (field.has_bits_per_value()) Add(&to, "bits_per_value", field.bits_per_value());
    if (field.has_bits_per_length()) Add(&to, "bits_per_length", field.bits_per_length());
  }
  return to;
}

Description Describe(const proto::ValueEncoding::PackedStruct& from) {
  Description to{.name = "PackedStruct"};
  for (const uint64_t bits : from.bits_per_value()) Add(&to, "bits_per_value", bits);
  AddPart(&to, "values", from.has_values(), from.values());
  return to;
}

Description Describe(const proto::ValueEncoding& from) {
  // The depth is what the parser of messages allows: 100.
  Description to;
  switch (from.encoding_case()) {
    case proto::ValueEncoding::kFlat:
      to.name = "Flat";
      Add(&to, "bits_per_value", from.flat().bits_per_value());
      if (from.flat().has_data())
        to.properties.emplace_back("data", SchemeName(from.flat().data()));
      break;
    case proto::ValueEncoding::kVariable:
      to.name = "Variable";
      AddPart(&to, "offsets", from.variable().has_offsets(), from.variable().offsets());
      if (from.variable().has_values()) {
        to.properties.emplace_back("values", SchemeName(from.variable().values()));
      }
      break;
    case proto::ValueEncoding::kConstant:
      to.name = "Constant";
      if (from.constant().has_value()) AddBytes(&to, "value", from.constant().value());
      break;
    case proto::ValueEncoding::kOutOfLineBitpacking: {
      const auto& packed = from.out_of_line_bitpacking();
      to.name = "OutOfLineBitpacking";
      Add(&to, "uncompressed_bits_per_value", packed.uncompressed_bits_per_value());
      AddPart(&to, "values", packed.has_values(), packed.values());
      break;
    }
    case proto::ValueEncoding::kInlineBitpacking: {
      const auto& packed = from.inline_bitpacking();
      to.name = "InlineBitpacking";
      Add(&to, "uncompressed_bits_per_value", packed.uncompressed_bits_per_value());
      if (packed.has_values()) to.properties.emplace_back("values", SchemeName(packed.values()));
      break;
    }
    case proto::ValueEncoding::kFsst:
      to.name = "Fsst";
      AddBytes(&to, "symbol_table", from.fsst().symbol_table());
      AddPart(&to, "values", from.fsst().has_values(), from.fsst().values());
      break;
    case proto::ValueEncoding::kDictionary:
      to.name = "Dictionary";
      AddPart(&to, "indices", from.dictionary().has_indices(), from.dictionary().indices());
      AddPart(&to, "items", from.dictionary().has_items(), from.dictionary().items());
      Add(&to, "num_dictionary_items", from.dictionary().num_dictionary_items());
      break;
    case proto::ValueEncoding::kRle:
      to.name = "Rle";
      AddPart(&to, "values", from.rle().has_values(), from.rle().values());
      AddPart(&to, "run_lengths", from.rle().has_run_lengths(), from.rle().run_lengths());
      break;
    case proto::ValueEncoding::kByteStreamSplit:
      to.name = "ByteStreamSplit";
      AddPart(&to, "values", from.byte_stream_split().has_values(),
              from.byte_stream_split().values());
      break;
    case proto::ValueEncoding::kGeneral:
      to.name = "General";
      to.properties.emplace_back("compression", SchemeName(from.general().compression()));
      AddPart(&to, "values", from.general().has_values(), from.general().values());
      break;
    case proto::ValueEncoding::kFixedSizeList: {
      const auto& list = from.fixed_size_list();
      to.name = "FixedSizeList";
      Add(&to, "items_per_value", list.items_per_value());
      to.properties.emplace_back("has_validity", list.has_validity() ? "true" : "false");
      AddPart(&to, "values", list.has_values(), list.values());
      break;
    }
    case proto::ValueEncoding::kPackedStruct:
      return Describe(from.packed_struct());
    case proto::ValueEncoding::kVariablePackedStruct:
      return Describe(from.variable_packed_struct());
    case proto::ValueEncoding::ENCODING_NOT_SET:
      to.name = "Unknown";
      break;
  }
  return to;
}

Description Describe(const proto::MiniBlockLayout& from) {
  Description to{.name = "MiniBlockLayout"};
  AddPart(&to, "rep_compression", from.has_rep_compression(), from.rep_compression());
  AddPart(&to, "def_compression", from.has_def_compression(), from.def_compression());
  AddPart(&to, "value_compression", from.has_value_compression(), from.value_compression());
  AddPart(&to, "dictionary", from.has_dictionary(), from.dictionary());
  if (from.has_dictionary()) Add(&to, "num_dictionary_items", from.num_dictionary_items());
  AddLayers(&to, from.layers());
  Add(&to, "num_buffers", from.num_buffers());
  Add(&to, "repetition_index_depth", from.repetition_index_depth());
  Add(&to, "num_items", from.num_items());
  to.properties.emplace_back("has_large_chunk", from.has_large_chunk() ? "true" : "false");
  return to;
}

Description Describe(const proto::ConstantLayout& from) {
  Description to{.name = "ConstantLayout"};
  AddLayers(&to, from.layers());
  if (from.has_inline_value()) AddBytes(&to, "inline_value", from.inline_value());
  AddPart(&to, "rep_compression", from.has_rep_compression(), from.rep_compression());
  AddPart(&to, "def_compression", from.has_def_compression(), from.def_compression());
  if (from.num_rep_values() != 0) Add(&to, "num_rep_values", from.num_rep_values());
  if (from.num_def_values() != 0) Add(&to, "num_def_values", from.num_def_values());
  return to;
}

Description Describe(const proto::FullZipLayout& from) {
  Description to{.name = "FullZipLayout"};
  Add(&to, "bits_rep", from.bits_rep());
  Add(&to, "bits_def", from.bits_def());
  if (from.has_bits_per_value()) Add(&to, "bits_per_value", from.bits_per_value());
  if (from.has_bits_per_offset()) Add(&to, "bits_per_offset", from.bits_per_offset());
  Add(&to, "num_items", from.num_items());
  Add(&to, "num_visible_items", from.num_visible_items());
  AddPart(&to, "value_compression", from.has_value_compression(), from.value_compression());
  AddLayers(&to, from.layers());
  return to;
}

Description Describe(const proto::PageLayout& from) {
  switch (from.layout_case()) {
    case proto::PageLayout::kMiniBlockLayout:
      return Describe(from.mini_block_layout());
    case proto::PageLayout::kConstantLayout:
      return Describe(from.constant_layout());
    case proto::PageLayout::kFullZipLayout:
      return Describe(from.full_zip_layout());
    case proto::PageLayout::kBlobLayout: {
      Description to{.name = "BlobLayout"};
      AddLayers(&to, from.blob_layout().layers());
      to.parts.emplace_back("inner_layout", Describe(from.blob_layout().inner_layout()));
      return to;
    }
    case proto::PageLayout::LAYOUT_NOT_SET:
      break;
  }
  return {.name = "Unknown"};
}

/// The steps by which values became bytes, from the outside in.
void AddCodecs(const proto::ValueEncoding& from, std::string* to) {
  const auto add = [&](std::string_view name) {
    if (!to->empty()) *to += " > ";
    *to += name;
  };
  switch (from.encoding_case()) {
    case proto::ValueEncoding::kFlat:
      return add("flat");
    case proto::ValueEncoding::kVariable:
      return add("variable");
    case proto::ValueEncoding::kConstant:
      return add("constant");
    case proto::ValueEncoding::kOutOfLineBitpacking:
      return add("out_of_line_bitpacking");
    case proto::ValueEncoding::kInlineBitpacking:
      return add("inline_bitpacking");
    case proto::ValueEncoding::kFsst:
      add("fsst");
      return AddCodecs(from.fsst().values(), to);
    case proto::ValueEncoding::kDictionary:
      add("dictionary");
      return AddCodecs(from.dictionary().indices(), to);
    case proto::ValueEncoding::kRle:
      return add("rle");
    case proto::ValueEncoding::kByteStreamSplit:
      return add("byte_stream_split");
    case proto::ValueEncoding::kGeneral:
      add(SchemeName(from.general().compression()));
      return AddCodecs(from.general().values(), to);
    case proto::ValueEncoding::kFixedSizeList:
      add("fixed_size_list");
      return AddCodecs(from.fixed_size_list().values(), to);
    case proto::ValueEncoding::kPackedStruct:
      return add("packed_struct");
    case proto::ValueEncoding::kVariablePackedStruct:
      return add("variable_packed_struct");
    case proto::ValueEncoding::ENCODING_NOT_SET:
      return add("unknown");
  }
}

/// What a page's layout says in short.
DescribedEncoding Summarize(const proto::PageLayout& from, size_t num_buffers) {
  DescribedEncoding page;
  switch (from.layout_case()) {
    case proto::PageLayout::kMiniBlockLayout:
      page.layout = "mini_block";
      page.num_values = from.mini_block_layout().num_items();
      if (from.mini_block_layout().has_dictionary()) page.codecs = "dictionary";
      AddCodecs(from.mini_block_layout().value_compression(), &page.codecs);
      break;
    case proto::PageLayout::kFullZipLayout:
      page.layout = "full_zip";
      page.num_values = from.full_zip_layout().num_visible_items();
      AddCodecs(from.full_zip_layout().value_compression(), &page.codecs);
      break;
    case proto::PageLayout::kConstantLayout: {
      // Without a value there are no buffers but two of levels.
      const bool has_value = from.constant_layout().has_inline_value() || num_buffers % 2 == 1;
      page.layout = has_value ? "constant" : "all_null";
      break;
    }
    case proto::PageLayout::kBlobLayout:
      page = Summarize(from.blob_layout().inner_layout(), num_buffers);
      page.layout = "blob";
      break;
    case proto::PageLayout::LAYOUT_NOT_SET:
      page.layout = "unknown";
      break;
  }
  return page;
}

/// What comes after the last dot of the name of a message: "PageLayout".
std::string ShortName(std::string_view type_url) {
  const std::string_view name = type_url.substr(type_url.find_last_of("./") + 1);
  const bool is_name = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  return is_name && !name.empty() ? std::string(name) : "Unknown";
}

}  // namespace

Result<DescribedEncoding> DescribeEncoding(std::string_view bytes, size_t num_buffers) {
  proto::TypedMessage typed;
  if (!ParseMessage(bytes, &typed)) {
    return Corrupt("description of an encoding, of ", bytes.size(), " bytes, cannot be parsed");
  }
  if (typed.type_url() == "/lance.encodings21.PageLayout") {
    proto::PageLayout layout;
    if (!ParseMessage(typed.value(), &layout)) {
      return Corrupt("page layout of ", typed.value().size(), " bytes cannot be parsed");
    }
    DescribedEncoding page = Summarize(layout, num_buffers);
    page.encoding = Describe(layout);
    return page;
  }
  if (typed.type_url() == "/lance.encodings.ArrayEncoding") {
    return DescribeArrayEncoding(typed.value());
  }
  DescribedEncoding other{.layout = "unknown", .encoding = {.name = ShortName(typed.type_url())}};
  AddBytes(&other.encoding, "description", typed.value());
  return other;
}

}  // namespace tusk::lance
