#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/page_layout.h"
#include "tusk/lance/file/page_layout.pb.h"
#include "tusk/lance/file/parse_arena.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

constexpr const char* kTypeUrl = "/lance.encodings21.PageLayout";

/// Types are nested no deeper, see structural_read.cc.
constexpr int kMaxLayers = 128;

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

Result<ValueEncoding> ParseEncoding(const proto::ValueEncoding& from);

Result<ValueEncoding> ParseVariablePackedStruct(
    const proto::ValueEncoding::VariablePackedStruct& from) {
  using Child = proto::ValueEncoding::VariablePackedStruct::Child;
  ValueEncoding encoding = OfKind(Kind::kVariablePackedStruct);
  for (const Child& child : from.fields()) {
    const bool is_variable = child.layout_case() == Child::kBitsPerLength;
    encoding.packed_fields.push_back(
        {.is_variable = is_variable,
         .bits = is_variable ? child.bits_per_length() : child.bits_per_value()});
    ARROW_ASSIGN_OR_RAISE(ValueEncoding value, ParseEncoding(child.value()));
    encoding.children.push_back(std::move(value));
  }
  return encoding;
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
    case proto::ValueEncoding::kPackedStruct: {
      ValueEncoding encoding = OfKind(Kind::kPackedStruct);
      for (const uint64_t bits : from.packed_struct().bits_per_value()) {
        encoding.packed_fields.push_back({.is_variable = false, .bits = bits});
      }
      ARROW_ASSIGN_OR_RAISE(ValueEncoding values, ParseEncoding(from.packed_struct().values()));
      encoding.children.push_back(std::move(values));
      return encoding;
    }
    case proto::ValueEncoding::kVariablePackedStruct:
      return ParseVariablePackedStruct(from.variable_packed_struct());
    case proto::ValueEncoding::ENCODING_NOT_SET:
      break;
  }
  return Corrupt("value encoding of an unknown kind");
}

uint32_t SchemeOf(ValueEncoding::Compression compression) {
  switch (compression) {
    case ValueEncoding::Compression::kLz4:
      return 1;
    case ValueEncoding::Compression::kZstd:
      return 2;
    case ValueEncoding::Compression::kUnknown:
      break;
  }
  return 0;
}

void ToProto(const ValueEncoding& from, proto::ValueEncoding* to) {
  switch (from.kind) {
    case Kind::kFlat:
      to->mutable_flat()->set_bits_per_value(from.bits);
      return;
    case Kind::kVariable:
      ToProto(from.children[0], to->mutable_variable()->mutable_offsets());
      return;
    case Kind::kConstant:
      to->mutable_constant();
      return;
    case Kind::kOutOfLineBitpacking:
      to->mutable_out_of_line_bitpacking()->set_uncompressed_bits_per_value(from.bits);
      ToProto(from.children[0], to->mutable_out_of_line_bitpacking()->mutable_values());
      return;
    case Kind::kInlineBitpacking:
      to->mutable_inline_bitpacking()->set_uncompressed_bits_per_value(from.bits);
      return;
    case Kind::kFsst:
      to->mutable_fsst()->set_symbol_table(from.symbol_table);
      ToProto(from.children[0], to->mutable_fsst()->mutable_values());
      return;
    case Kind::kRle:
      ToProto(from.children[0], to->mutable_rle()->mutable_values());
      ToProto(from.children[1], to->mutable_rle()->mutable_run_lengths());
      return;
    case Kind::kByteStreamSplit:
      ToProto(from.children[0], to->mutable_byte_stream_split()->mutable_values());
      return;
    case Kind::kGeneral:
      to->mutable_general()->mutable_compression()->set_scheme(SchemeOf(from.compression));
      ToProto(from.children[0], to->mutable_general()->mutable_values());
      return;
    case Kind::kFixedSizeList:
      to->mutable_fixed_size_list()->set_items_per_value(from.items);
      to->mutable_fixed_size_list()->set_has_validity(from.has_validity);
      ToProto(from.children[0], to->mutable_fixed_size_list()->mutable_values());
      return;
    case Kind::kPackedStruct:
      for (const ValueEncoding::PackedField& field : from.packed_fields) {
        to->mutable_packed_struct()->add_bits_per_value(field.bits);
      }
      ToProto(from.children[0], to->mutable_packed_struct()->mutable_values());
      return;
    case Kind::kVariablePackedStruct:
      for (size_t i = 0; i < from.packed_fields.size(); ++i) {
        auto* field = to->mutable_variable_packed_struct()->add_fields();
        const uint64_t bits = from.packed_fields[i].bits;
        if (from.packed_fields[i].is_variable) {
          field->set_bits_per_length(bits);
        } else {
          field->set_bits_per_value(bits);
        }
        ToProto(from.children[i], field->mutable_value());
      }
      return;
    case Kind::kDictionary:
    case Kind::kBufferCompression:
      // Nobody writes these: dictionaries are of a page, compression is a step of its own.
      std::abort();
  }
}

template <typename Layers>
Result<std::vector<LevelLayer>> ParseLayers(const Layers& from) {
  if (from.empty()) return Corrupt("page without layers");
  if (from.size() > kMaxLayers) return Corrupt("page with ", from.size(), " layers");
  std::vector<LevelLayer> layers;
  for (const int layer : from) {
    if (layer < proto::ALL_VALID_ITEM || layer > proto::NULL_AND_EMPTY_LIST) {
      return Corrupt("page with a layer of unknown kind ", layer);
    }
    layers.push_back(static_cast<LevelLayer>(layer));
  }
  return layers;
}

Result<PageLayout> ParseMiniBlock(const proto::MiniBlockLayout& from) {
  PageLayout page;
  ARROW_ASSIGN_OR_RAISE(page.layers, ParseLayers(from.layers()));
  MiniBlockLayout layout;
  if (from.has_rep_compression()) {
    ARROW_ASSIGN_OR_RAISE(layout.repetition, ParseEncoding(from.rep_compression()));
  }
  if (from.has_def_compression()) {
    ARROW_ASSIGN_OR_RAISE(layout.definition, ParseEncoding(from.def_compression()));
  }
  ARROW_ASSIGN_OR_RAISE(layout.values, ParseEncoding(from.value_compression()));
  if (from.has_dictionary()) {
    ARROW_ASSIGN_OR_RAISE(layout.dictionary, ParseEncoding(from.dictionary()));
    layout.num_dictionary_items = from.num_dictionary_items();
  }
  layout.num_buffers = from.num_buffers();
  layout.num_items = from.num_items();
  layout.repetition_index_depth = from.repetition_index_depth();
  layout.has_large_chunk = from.has_large_chunk();
  page.layout = std::move(layout);
  return page;
}

Result<PageLayout> ParseFullZip(const proto::FullZipLayout& from) {
  PageLayout page;
  ARROW_ASSIGN_OR_RAISE(page.layers, ParseLayers(from.layers()));
  FullZipLayout layout;
  layout.bits_rep = from.bits_rep();
  layout.bits_def = from.bits_def();
  layout.is_variable = from.width_case() == proto::FullZipLayout::kBitsPerOffset;
  layout.bits = layout.is_variable ? from.bits_per_offset() : from.bits_per_value();
  layout.num_items = from.num_items();
  layout.num_visible = from.num_visible_items();
  if (layout.num_visible > layout.num_items) {
    return Corrupt("full-zip page shows ", layout.num_visible, " of ", layout.num_items, " items");
  }
  ARROW_ASSIGN_OR_RAISE(layout.values, ParseEncoding(from.value_compression()));
  page.layout = std::move(layout);
  return page;
}

Result<PageLayout> ParseConstant(const proto::ConstantLayout& from, size_t num_buffers) {
  PageLayout page;
  ARROW_ASSIGN_OR_RAISE(page.layers, ParseLayers(from.layers()));
  ConstantLayout layout;
  if (from.has_inline_value()) layout.inline_value = from.inline_value();
  // The value is in the description, or in a first buffer; then two buffers of levels, or none. So
  // an even number of buffers and no value: all slots are null.
  layout.is_all_null = !layout.inline_value && num_buffers % 2 == 0;
  if (from.has_rep_compression()) {
    ARROW_ASSIGN_OR_RAISE(layout.repetition, ParseEncoding(from.rep_compression()));
  }
  if (from.has_def_compression()) {
    ARROW_ASSIGN_OR_RAISE(layout.definition, ParseEncoding(from.def_compression()));
  }
  layout.num_rep_levels = from.num_rep_values();
  layout.num_def_levels = from.num_def_values();
  page.layout = std::move(layout);
  return page;
}

Result<PageLayout> ParseLayout(const proto::PageLayout& from, size_t num_buffers) {
  switch (from.layout_case()) {
    case proto::PageLayout::kMiniBlockLayout:
      return ParseMiniBlock(from.mini_block_layout());
    case proto::PageLayout::kConstantLayout:
      return ParseConstant(from.constant_layout(), num_buffers);
    case proto::PageLayout::kFullZipLayout:
      return ParseFullZip(from.full_zip_layout());
    case proto::PageLayout::kBlobLayout: {
      const proto::BlobLayout& blob = from.blob_layout();
      if (blob.inner_layout().has_blob_layout()) return Corrupt("blob page within a blob page");
      PageLayout page;
      ARROW_ASSIGN_OR_RAISE(page.layers, ParseLayers(blob.layers()));
      ARROW_ASSIGN_OR_RAISE(PageLayout inner, ParseLayout(blob.inner_layout(), num_buffers));
      page.layout = BlobLayout{.inner = std::make_shared<const PageLayout>(std::move(inner))};
      return page;
    }
    case proto::PageLayout::LAYOUT_NOT_SET:
      break;
  }
  return Corrupt("page layout of an unknown kind");
}

void ToProto(const std::optional<ValueEncoding>& repetition,
             const std::optional<ValueEncoding>& definition, auto* to) {
  if (repetition) ToProto(*repetition, to->mutable_rep_compression());
  if (definition) ToProto(*definition, to->mutable_def_compression());
}

void ToProto(const MiniBlockLayout& from, proto::MiniBlockLayout* to) {
  ToProto(from.repetition, from.definition, to);
  ToProto(from.values, to->mutable_value_compression());
  if (from.dictionary) {
    ToProto(*from.dictionary, to->mutable_dictionary());
    to->set_num_dictionary_items(from.num_dictionary_items);
  }
  to->set_num_buffers(from.num_buffers);
  to->set_repetition_index_depth(from.repetition_index_depth);
  to->set_num_items(from.num_items);
  to->set_has_large_chunk(from.has_large_chunk);
}

void ToProto(const FullZipLayout& from, proto::FullZipLayout* to) {
  to->set_bits_rep(from.bits_rep);
  to->set_bits_def(from.bits_def);
  if (from.is_variable) {
    to->set_bits_per_offset(from.bits);
  } else {
    to->set_bits_per_value(from.bits);
  }
  to->set_num_items(static_cast<uint32_t>(from.num_items));
  to->set_num_visible_items(static_cast<uint32_t>(from.num_visible));
  ToProto(from.values, to->mutable_value_compression());
}

void ToProto(const ConstantLayout& from, proto::ConstantLayout* to) {
  if (from.inline_value) to->set_inline_value(*from.inline_value);
  ToProto(from.repetition, from.definition, to);
  to->set_num_rep_values(from.num_rep_levels);
  to->set_num_def_values(from.num_def_levels);
}

void ToProto(const PageLayout& from, proto::PageLayout* to) {
  const auto add_layers = [&](auto* layout) {
    for (const LevelLayer layer : from.layers) {
      layout->add_layers(static_cast<proto::LevelLayer>(layer));
    }
  };
  if (const auto* mini_block = std::get_if<MiniBlockLayout>(&from.layout)) {
    ToProto(*mini_block, to->mutable_mini_block_layout());
    add_layers(to->mutable_mini_block_layout());
  } else if (const auto* full_zip = std::get_if<FullZipLayout>(&from.layout)) {
    ToProto(*full_zip, to->mutable_full_zip_layout());
    add_layers(to->mutable_full_zip_layout());
  } else if (const auto* constant = std::get_if<ConstantLayout>(&from.layout)) {
    ToProto(*constant, to->mutable_constant_layout());
    add_layers(to->mutable_constant_layout());
  } else {
    ToProto(*std::get<BlobLayout>(from.layout).inner,
            to->mutable_blob_layout()->mutable_inner_layout());
    add_layers(to->mutable_blob_layout());
  }
}

/// Layouts that were parsed lately. The pages of a column have the same as a rule, in all fragments
/// of a table. Thread-safe.
class KnownLayouts {
 public:
  static KnownLayouts& Shared() {
    static auto* shared = new KnownLayouts();
    return *shared;
  }

  /// Null if it is not known.
  std::shared_ptr<const PageLayout> Find(std::string_view bytes, size_t num_buffers) const {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.num_buffers == num_buffers && entry.bytes == bytes) return entry.layout;
    }
    return nullptr;
  }
  void Add(std::string_view bytes, size_t num_buffers, const PageLayout& layout) {
    // Long ones have symbols of texts, which no other page has.
    if (bytes.size() > kLongest) return;
    auto added = std::make_shared<const PageLayout>(layout);
    const std::lock_guard lock(mutex_);
    entries_[next_] = {
        .bytes = std::string(bytes), .num_buffers = num_buffers, .layout = std::move(added)};
    next_ = (next_ + 1) % entries_.size();
  }

 private:
  struct Entry {
    std::string bytes;
    size_t num_buffers = 0;
    std::shared_ptr<const PageLayout> layout;  ///< null in entries that were never set
  };
  static constexpr size_t kLongest = 256;

  mutable std::mutex mutex_;
  std::array<Entry, 16> entries_;
  size_t next_ = 0;
};

}  // namespace

std::string PageLayout::Serialize() const {
  proto::PageLayout message;
  ToProto(*this, &message);
  proto::TypedMessage typed;
  typed.set_type_url(kTypeUrl);
  typed.set_value(message.SerializeAsString());
  return typed.SerializeAsString();
}

Result<PageLayout> PageLayout::Parse(std::string_view bytes, size_t num_buffers) {
  if (const auto known = KnownLayouts::Shared().Find(bytes, num_buffers)) return *known;
  ParseArena arena;
  auto& typed = *arena.Make<proto::TypedMessage>();
  if (!ParseMessage(bytes, &typed)) {
    return Corrupt("description of a page's encoding cannot be parsed");
  }
  if (typed.type_url() != kTypeUrl) {
    return Unsupported("pages described by ", typed.type_url(), " are not supported yet");
  }
  auto& message = *arena.Make<proto::PageLayout>();
  if (!ParseMessage(typed.value(), &message)) return Corrupt("page layout cannot be parsed");
  ARROW_ASSIGN_OR_RAISE(PageLayout layout, ParseLayout(message, num_buffers));
  KnownLayouts::Shared().Add(bytes, num_buffers, layout);
  return layout;
}

}  // namespace tusk::lance
