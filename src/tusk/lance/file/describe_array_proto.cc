#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tusk/lance/file/array/array_encoding.pb.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

/// Puts together the description and the list of codecs of one page at the same time.
class Describer {
 public:
  const std::string& codecs() const { return codecs_; }

  /// Codecs are noted along the way to the values only, not to validity or offsets.
  EncodingDescription Describe(const proto::ArrayEncoding& from, bool is_value);

 private:
  EncodingDescription Start(std::string name, std::string_view codec, bool is_value) {
    if (is_value) {
      if (!codecs_.empty()) codecs_ += " > ";
      codecs_ += codec;
    }
    EncodingDescription to;
    to.name = std::move(name);
    return to;
  }

  void AddPart(EncodingDescription* to, std::string name, bool is_there,
               const proto::ArrayEncoding& from, bool is_value) {
    if (is_there) to->parts.emplace_back(std::move(name), Describe(from, is_value));
  }
  EncodingDescription DescribeNullable(const proto::NullableArray& from, bool is_value);
  EncodingDescription DescribeBitpacked(const proto::BitpackedArray& from, EncodingDescription to);

  std::string codecs_;
};

void Add(EncodingDescription* to, std::string name, uint64_t value) {
  to->properties.emplace_back(std::move(name), std::to_string(value));
}

void AddBuffer(EncodingDescription* to, const proto::ArrayBuffer& from) {
  static constexpr std::string_view kPlaces[] = {"page", "column", "file"};
  const std::string_view place = from.place() < 3 ? kPlaces[from.place()] : "unknown";
  to->properties.emplace_back("buffer", std::string(place) + " " + std::to_string(from.index()));
}

/// The scheme of a compression, which a file may have as any text.
std::string SchemeName(const std::string& scheme) {
  return scheme == "lz4" || scheme == "zstd" || scheme == "none" ? scheme : "unknown";
}

EncodingDescription Describer::DescribeNullable(const proto::NullableArray& from, bool is_value) {
  EncodingDescription to;
  to.name = "Nullable";
  switch (from.nullability_case()) {
    case proto::NullableArray::kNoNulls:
      to.properties.emplace_back("nulls", "none");
      AddPart(&to, "values", from.no_nulls().has_values(), from.no_nulls().values(), is_value);
      break;
    case proto::NullableArray::kSomeNulls:
      to.properties.emplace_back("nulls", "some");
      AddPart(&to, "validity", from.some_nulls().has_validity(), from.some_nulls().validity(),
              false);
      AddPart(&to, "values", from.some_nulls().has_values(), from.some_nulls().values(), is_value);
      break;
    case proto::NullableArray::kAllNulls:
      return Start("AllNulls", "all_nulls", is_value);
    case proto::NullableArray::NULLABILITY_NOT_SET:
      return Start("Unknown", "unknown", is_value);
  }
  return to;
}

EncodingDescription Describer::DescribeBitpacked(const proto::BitpackedArray& from,
                                                 EncodingDescription to) {
  Add(&to, "compressed_bits_per_value", from.compressed_bits_per_value());
  Add(&to, "uncompressed_bits_per_value", from.uncompressed_bits_per_value());
  AddBuffer(&to, from.buffer());
  return to;
}

EncodingDescription Describer::Describe(const proto::ArrayEncoding& from, bool is_value) {
  // The depth is what the parser of messages allows: 100.
  EncodingDescription to;
  switch (from.array_encoding_case()) {
    case proto::ArrayEncoding::kFlat:
      to = Start("Flat", "flat", is_value);
      Add(&to, "bits_per_value", from.flat().bits_per_value());
      AddBuffer(&to, from.flat().buffer());
      if (from.flat().has_compression()) {
        to.properties.emplace_back("compression", SchemeName(from.flat().compression().scheme()));
      }
      break;
    case proto::ArrayEncoding::kNullable:
      return DescribeNullable(from.nullable(), is_value);
    case proto::ArrayEncoding::kFixedSizeList: {
      const auto& list = from.fixed_size_list();
      to = Start("FixedSizeList", "fixed_size_list", is_value);
      Add(&to, "dimension", list.dimension());
      to.properties.emplace_back("has_validity", list.has_validity() ? "true" : "false");
      AddPart(&to, "items", list.has_items(), list.items(), is_value);
      break;
    }
    case proto::ArrayEncoding::kList:
      to = Start("List", "list", is_value);
      Add(&to, "null_offset_adjustment", from.list().null_offset_adjustment());
      Add(&to, "num_items", from.list().num_items());
      AddPart(&to, "offsets", from.list().has_offsets(), from.list().offsets(), is_value);
      break;
    case proto::ArrayEncoding::kStruct:
      return Start("Struct", "struct", is_value);
    case proto::ArrayEncoding::kBinary:
      to = Start("Binary", "binary", is_value);
      Add(&to, "null_adjustment", from.binary().null_adjustment());
      AddPart(&to, "indices", from.binary().has_indices(), from.binary().indices(), false);
      AddPart(&to, "bytes", from.binary().has_bytes(), from.binary().bytes(), is_value);
      break;
    case proto::ArrayEncoding::kDictionary:
      to = Start("Dictionary", "dictionary", is_value);
      Add(&to, "num_dictionary_items", from.dictionary().num_dictionary_items());
      AddPart(&to, "indices", from.dictionary().has_indices(), from.dictionary().indices(),
              is_value);
      AddPart(&to, "items", from.dictionary().has_items(), from.dictionary().items(), false);
      break;
    case proto::ArrayEncoding::kFsst:
      to = Start("Fsst", "fsst", is_value);
      to.properties.emplace_back("symbol_table",
                                 std::to_string(from.fsst().symbol_table().size()) + " bytes");
      AddPart(&to, "binary", from.fsst().has_binary(), from.fsst().binary(), is_value);
      break;
    case proto::ArrayEncoding::kPackedStruct:
      to = Start("PackedStruct", "packed_struct", is_value);
      AddBuffer(&to, from.packed_struct().buffer());
      for (const auto& inner : from.packed_struct().inner()) {
        AddPart(&to, "inner", true, inner, false);
      }
      break;
    case proto::ArrayEncoding::kBitpacked:
      to = DescribeBitpacked(from.bitpacked(), Start("Bitpacked", "bitpacked", is_value));
      to.properties.emplace_back("is_signed", from.bitpacked().is_signed() ? "true" : "false");
      break;
    case proto::ArrayEncoding::kBitpackedForNonNeg:
      return DescribeBitpacked(from.bitpacked_for_non_neg(),
                               Start("BitpackedForNonNeg", "bitpacked_for_non_neg", is_value));
    case proto::ArrayEncoding::kFixedSizeBinary:
      to = Start("FixedSizeBinary", "fixed_size_binary", is_value);
      Add(&to, "byte_width", from.fixed_size_binary().byte_width());
      AddPart(&to, "bytes", from.fixed_size_binary().has_bytes(), from.fixed_size_binary().bytes(),
              is_value);
      break;
    default:
      // What no page of a 2.0 file has.
      to = Start("Other", "other", is_value);
      Add(&to, "number", from.array_encoding_case());
      break;
  }
  return to;
}

}  // namespace

Result<DescribedEncoding> DescribeArrayEncoding(std::string_view message) {
  proto::ArrayEncoding from;
  if (!ParseMessage(message, &from)) {
    return Corrupt("array encoding of ", message.size(), " bytes cannot be parsed");
  }
  Describer describer;
  DescribedEncoding page{.layout = "array"};
  page.encoding = describer.Describe(from, true);
  page.codecs = describer.codecs();
  return page;
}

}  // namespace tusk::lance
