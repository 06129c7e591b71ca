#include "tusk/lance/file/write/page_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>
#include <arrow/type.h>

#include "tusk/base/checksum.h"
#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/block.h"
#include "tusk/lance/encodings/byte_stream_split.h"
#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/dictionary_builder.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/fsst_encoder.h"
#include "tusk/lance/encodings/general.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_statistics.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/lance/file/arrow_compute.h"

namespace tusk::lance {
namespace {

using Compression = EncodingOptions::Compression;
using Layout = EncodingOptions::Layout;

/// Values longer than this are worth a compression of their own, in full-zip pages of as many
/// bytes.
constexpr int64_t kMinCompressedText = 32 << 10;
constexpr int64_t kMinCompressedPage = 32 << 10;
/// Texts of a page that are compressed to see whether that pays, and bytes of each.
constexpr int64_t kSampledTexts = 16;
constexpr size_t kSampledBytes = 32 << 10;
/// Pages with fewer values are not split in streams of bytes.
constexpr int64_t kMinSplitRows = 4096;
/// Items of an Arrow dictionary that no row has.
constexpr uint32_t kUnused = ~uint32_t{0};

/// One page on its way: what its encoders borrow stays here.
class PageBuilder {
 public:
  PageBuilder(const PageFormat& format, const PageSlots& slots, const OperationContext& context)
      : format_(format), options_(format.options), slots_(slots), context_(context) {}

  Result<EncodedPage> Build() {
    const ValueShape& shape = format_.shape;
    const bool is_all_null = slots_.num_nulls == slots_.values.num_rows;
    if (format_.is_empty_struct && !IsMissingThroughout()) return EncodeEmptyStructPage(slots_);
    // Under null structs a field that is not nullable has values for pylance, whatever they are.
    const bool may_be_null = format_.is_nullable || slots_.values.num_rows == 0;
    if ((is_all_null && may_be_null) || shape.is_nothing()) {
      return EncodeAllNullPage(format_, slots_, context_);
    }
    if (format_.index_bits > 0) return BuildIndices();
    if (CanBeConstant()) {
      ARROW_ASSIGN_OR_RAISE(auto page, EncodeConstantPage(slots_));
      if (page) return *std::move(page);
    }
    ARROW_ASSIGN_OR_RAISE(clean_, slots_.CleanValues(context_.pool, &owned_));
    ARROW_ASSIGN_OR_RAISE(auto page, TryDictionary());
    if (!page && shape.is_variable) longest_text_ = LongestText();
    if (!page && !WantsFullZip()) {
      ARROW_ASSIGN_OR_RAISE(auto encoder, shape.is_variable ? TextEncoder() : FixedEncoder());
      ARROW_ASSIGN_OR_RAISE(
          page, EncodeMiniBlockPage(format_, slots_, values_, encoder.get(), nullptr, context_));
    }
    if (page) return Own(*std::move(page));
    ARROW_ASSIGN_OR_RAISE(EncodedPage full_zip,
                          shape.is_variable ? FullZipTexts() : FullZipFixed());
    return Own(std::move(full_zip));
  }

 private:
  /// The page keeps what its buffers may borrow.
  EncodedPage Own(EncodedPage page) {
    for (auto& buffer : owned_) page.owned.push_back(std::move(buffer));
    return page;
  }

  /// Whether there is no value nor a null of its own, as what is around is null or empty.
  bool IsMissingThroughout() const {
    if (slots_.layers.size() == 1 || slots_.num_nulls < slots_.values.num_rows) return false;
    if (slots_.max_repetition > 0) return slots_.values.num_rows == 0;
    return std::ranges::find(slots_.definition, 1) == slots_.definition.end();
  }

  bool CanBeConstant() const {
    // pylance gives nulls for the slots of null structs in such a page.
    if (!format_.is_nullable && slots_.num_nulls > 0) return false;
    return format_.minor_version >= 2 && format_.shape.is_plain();
  }

  /// Bits of an integer-like value that codecs of fixed widths take; 0 for all others.
  int64_t WordBits() const {
    const ValueShape& shape = format_.shape;
    const bool is_word =
        shape.bits == 8 || shape.bits == 16 || shape.bits == 32 || shape.bits == 64;
    return !shape.is_variable && shape.is_plain() && is_word ? shape.bits : 0;
  }

  int64_t LongestText() const {
    int64_t longest = 0;
    for (int64_t row = 0; row < clean_.num_rows; ++row) {
      longest = std::max(longest, clean_.Length(row));
    }
    return longest;
  }
  int64_t TextBytes() const { return clean_.Offset(clean_.num_rows) - clean_.Offset(0); }

  bool WantsFullZip() const {
    const ValueShape& shape = format_.shape;
    // The rows of packed structs are in one layout only.
    if (!shape.packed_fields.empty()) return format_.packed_rows.has_value();
    if (!shape.is_variable && shape.row_bits() % 8 != 0 && shape.row_bits() > 1) return false;
    // pylance stops at bitmaps of the items of a row in front of booleans.
    if (shape.bits == 1 && !clean_.item_bitmaps.empty()) return false;
    if (options_.layout != Layout::kChosen) return options_.layout == Layout::kFullZip;
    return (shape.is_variable ? longest_text_ : BytesForBits(shape.row_bits())) >= kFullZipBytes;
  }

  /// Whether texts are to be FSST codes, if these are shorter.
  bool WantsFsst() const {
    if (options_.compression == Compression::kFsst) return true;
    return options_.compression == Compression::kChosen && format_.is_text;
  }

  Result<std::unique_ptr<ValueEncoder>> TextEncoder() {
    values_ = clean_;
    const int64_t chunk_bytes = options_.chunk_bytes.value_or(kVariableChunkBytes);
    if (WantsFsst()) {
      ARROW_ASSIGN_OR_RAISE(fsst_, EncodeFsstPage(clean_, context_.pool));
      if (fsst_) {
        values_ = fsst_->codes;
        return MakeFsstEncoder(fsst_->encoding, MakeVariableEncoder(format_.shape, chunk_bytes));
      }
    }
    return Compressed(MakeVariableEncoder(format_.shape, chunk_bytes));
  }

  Result<std::unique_ptr<ValueEncoder>> FixedEncoder() {
    values_ = clean_;
    if (!clean_.item_bitmaps.empty()) return MakeFixedSizeListEncoder(clean_);
    if (WordBits() == 0) {
      auto encoder = MakeFlatEncoder(format_.shape);
      if (!format_.shape.is_plain()) return encoder;
      return Compressed(std::move(encoder));
    }
    ARROW_ASSIGN_OR_RAISE(auto encoder, WordEncoder(clean_));
    return Compressed(std::move(encoder));
  }

  /// Whether runs are the smallest form of words.
  static bool PrefersRuns(const WordStatistics& statistics, const RowsView& words) {
    const int64_t runs = statistics.rle_bytes(words.shape->bits);
    return runs < PlainBytes(words) && runs <= statistics.bitpacked_bytes;
  }
  static int64_t PlainBytes(const RowsView& words) {
    return words.num_rows * words.shape->bits / 8;
  }
  static std::unique_ptr<ValueEncoder> PackedOrFlat(const WordStatistics& statistics,
                                                    const RowsView& words) {
    if (statistics.bitpacked_bytes < PlainBytes(words)) {
      return MakeInlineBitpackingEncoder(words.shape->bits);
    }
    return MakeFlatEncoder(*words.shape);
  }

  /// The smallest of the encodings for indices, of which nothing can be asked.
  static std::unique_ptr<ValueEncoder> IndexEncoder(const RowsView& words) {
    const WordStatistics statistics = WordStatistics::Of(words);
    if (PrefersRuns(statistics, words)) return MakeRleEncoder(words.shape->bits);
    return PackedOrFlat(statistics, words);
  }

  /// The smallest of the encodings for words, unless something else was asked for.
  Result<std::unique_ptr<ValueEncoder>> WordEncoder(const RowsView& words) const {
    const int64_t bits = words.shape->bits;
    if (options_.compression == Compression::kNone) return MakeFlatEncoder(*words.shape);
    if (options_.compression == Compression::kGeneral) {
      ARROW_ASSIGN_OR_RAISE(const bool splits, PrefersSplit(words));
      if (splits) return MakeByteStreamSplitEncoder(bits);
    }
    const WordStatistics statistics = WordStatistics::Of(words);
    const bool may_run = !options_.rle_threshold ||
                         static_cast<double>(statistics.num_runs) <
                             static_cast<double>(words.num_rows) * *options_.rle_threshold;
    if (may_run && PrefersRuns(statistics, words)) return MakeRleEncoder(bits);
    ARROW_ASSIGN_OR_RAISE(
        auto split, SplitEncoder(words, std::min(PlainBytes(words), statistics.bitpacked_bytes)));
    if (split != nullptr) return split;
    return PackedOrFlat(statistics, words);
  }

  /// Whether words are to be split in streams of bytes before the compression that was asked for:
  /// if that was asked for too, or else if they become smaller by it.
  Result<bool> PrefersSplit(const RowsView& words) const {
    using Mode = EncodingOptions::ByteStreamSplit;
    const int64_t bits = words.shape->bits;
    if (bits < 32 || options_.byte_stream_split == Mode::kOff) return false;
    if (options_.byte_stream_split == Mode::kOn) return true;
    const GeneralCompression& general = options_.general;
    const auto sample = [&](std::unique_ptr<ValueEncoder> encoder) {
      return SampleCompression(general.scheme, general.level, words, encoder.get(), context_.pool);
    };
    ARROW_ASSIGN_OR_RAISE(const auto split, sample(MakeByteStreamSplitEncoder(bits)));
    ARROW_ASSIGN_OR_RAISE(const auto flat, sample(MakeFlatEncoder(*words.shape)));
    return split.ratio() < flat.ratio();
  }

  /// Byte stream split and LZ4, for words whose upper bytes hardly change in a chunk, as those of
  /// times. Null if that takes more than three quarters of `bytes`, what else there is.
  Result<std::unique_ptr<ValueEncoder>> SplitEncoder(const RowsView& words, int64_t bytes) const {
    constexpr auto kLz4 = ValueEncoding::Compression::kLz4;
    const int64_t bits = words.shape->bits;
    if (options_.compression != Compression::kChosen || bits < 64 ||
        options_.byte_stream_split == EncodingOptions::ByteStreamSplit::kOff ||
        words.num_rows < kMinSplitRows) {
      return nullptr;
    }
    auto encoder = MakeByteStreamSplitEncoder(bits);
    ARROW_ASSIGN_OR_RAISE(const CompressionSample sample,
                          SampleCompression(kLz4, {}, words, encoder.get(), context_.pool));
    const double split_bytes = sample.ratio() * static_cast<double>(PlainBytes(words));
    if (split_bytes > 0.75 * static_cast<double>(bytes)) return nullptr;
    return MakeGeneralEncoder(kLz4, {}, std::move(encoder));
  }

  /// The encoder with the general compression that was asked for, if it pays.
  Result<std::unique_ptr<ValueEncoder>> Compressed(std::unique_ptr<ValueEncoder> encoder) const {
    if (options_.compression != Compression::kGeneral) return encoder;
    const GeneralCompression& general = options_.general;
    ARROW_ASSIGN_OR_RAISE(
        const CompressionSample sample,
        SampleCompression(general.scheme, general.level, values_, encoder.get(), context_.pool));
    if (!sample.pays()) return encoder;
    return MakeGeneralEncoder(general.scheme, general.level, std::move(encoder));
  }

  Result<std::optional<EncodedPage>> TryDictionary() {
    const ValueShape& shape = format_.shape;
    const bool is_wide = shape.bits == 128 || (shape.bits == 64 && format_.minor_version >= 2);
    if (!shape.is_plain() || (!shape.is_variable && !is_wide)) return std::nullopt;
    const DictionaryLimits limits{.divisor = options_.dictionary_divisor,
                                  .max_size_ratio = options_.dictionary_ratio,
                                  .max_item_bytes = options_.max_dictionary_bytes};
    ARROW_ASSIGN_OR_RAISE(const auto dictionary,
                          BuildDictionary(slots_.values, limits, context_.pool));
    if (!dictionary) return std::nullopt;
    return EncodeIndices(dictionary->items, *dictionary->indices, 32);
  }

  /// The indices of a column of Arrow dictionaries, with those items that they use.
  Result<EncodedPage> BuildIndices() {
    ARROW_ASSIGN_OR_RAISE(clean_, slots_.CleanValues(context_.pool, &owned_));
    const int64_t num_items = slots_.dictionary->length;
    std::vector<uint32_t> new_index(num_items, kUnused);
    std::vector<int64_t> used;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> indices,
                          arrow::AllocateBuffer(clean_.num_rows * 4, context_.pool));
    auto* to = reinterpret_cast<uint32_t*>(indices->mutable_data());
    const int64_t width = format_.index_bits / 8;
    for (int64_t row = 0; row < clean_.num_rows; ++row) {
      uint64_t index = 0;
      std::memcpy(&index, clean_.values + clean_.values_bit / 8 + row * width, width);
      if (slots_.values.IsNull(row)) {
        to[row] = 0;
        continue;
      }
      if (index >= static_cast<uint64_t>(num_items)) {
        return InvalidArgument("dictionary index ", index, " where the dictionary has ", num_items,
                               " values");
      }
      if (new_index[index] == kUnused) {
        new_index[index] = static_cast<uint32_t>(used.size());
        used.push_back(static_cast<int64_t>(index));
      }
      to[row] = new_index[index];
    }
    // pylance looks up an item under nulls too.
    if (used.empty() && num_items > 0) used.push_back(0);
    if (used.empty()) return EncodeAllNullPage(format_, slots_, context_);
    ARROW_ASSIGN_OR_RAISE(const auto items,
                          TakeRows(slots_.dictionary,
                                   arrow::ArrayData::Make(arrow::int64(), std::ssize(used),
                                                          {nullptr, arrow::Buffer::Wrap(used)}, 0),
                                   context_.pool));
    ARROW_ASSIGN_OR_RAISE(const ValueShape shape, ValueShape::Of(*items->type));
    ARROW_ASSIGN_OR_RAISE(const RowsView view, RowsView::Of(*items, shape));
    ARROW_ASSIGN_OR_RAISE(auto page, EncodeIndices(view, *indices, format_.index_bits));
    if (!page) return Unsupported("rows of too many lists for a page of dictionary indices");
    return Own(*std::move(page));
  }

  /// `words` are the indices, 32 bits each, to be stored in words of `index_bits`.
  Result<std::optional<EncodedPage>> EncodeIndices(const RowsView& items,
                                                   const arrow::Buffer& words, int64_t index_bits) {
    BlockOptions block_options;
    block_options.minor_version = format_.minor_version;
    if (format_.minor_version >= 2) {
      block_options.compression = options_.dictionary_values.scheme;
      block_options.level = options_.dictionary_values.level;
    }
    ARROW_ASSIGN_OR_RAISE(EncodedBlock block, EncodeBlock(items, block_options, context_.pool));
    const PageDictionary dictionary{.encoding = std::move(block.encoding),
                                    .bytes = std::move(block.bytes),
                                    .num_items = items.num_rows};
    ARROW_ASSIGN_OR_RAISE(const auto indices, ResizeWords(words, index_bits));
    ValueShape shape;
    shape.bits = index_bits;
    const RowsView view{
        .shape = &shape, .num_rows = slots_.values.num_rows, .values = indices->data()};
    const auto encoder = IndexEncoder(view);
    return EncodeMiniBlockPage(format_, slots_, view, encoder.get(), &dictionary, context_);
  }

  /// 32-bit words as words of `bits` bits, which they fit.
  Result<std::shared_ptr<arrow::Buffer>> ResizeWords(const arrow::Buffer& words,
                                                     int64_t bits) const {
    const int64_t count = words.size() / 4;
    const int64_t width = bits / 8;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> resized,
                          arrow::AllocateBuffer(count * width, context_.pool));
    uint8_t* to = resized->mutable_data();
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t word = LoadLittle<uint32_t>(words.data() + i * 4);
      std::memcpy(to + i * width, &word, width);
    }
    return resized;
  }

  Result<EncodedPage> FullZipFixed() {
    const ValueShape& shape = format_.shape;
    if (shape.bits == 1 && shape.list_sizes.empty()) return FullZipBooleans();
    if (format_.packed_rows) return FullZipPackedLists();
    if (!clean_.item_bitmaps.empty()) return FullZipLists();
    if (shape.row_bits() % 8 != 0 || clean_.values_bit % 8 != 0) {
      return Unsupported("fixed-size lists of ", shape.items_per_row,
                         " booleans cannot be stored in a page of their own rows");
    }
    return EncodeFullZipPage(slots_, clean_, FlatEncoding(shape), context_);
  }

  /// Packed structs of a fixed width, each behind that width.
  Result<EncodedPage> FullZipPackedLists() {
    const int64_t width = format_.shape.bits / 8;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                          arrow::AllocateBuffer((clean_.num_rows + 1) * 4, context_.pool));
    for (int64_t row = 0; row <= clean_.num_rows; ++row) {
      const auto offset = static_cast<int32_t>(row * width);
      std::memcpy(offsets->mutable_data() + row * 4, &offset, 4);
    }
    ValueShape shape;
    shape.is_variable = true;
    shape.bits = 32;
    const RowsView values{.shape = &shape,
                          .num_rows = clean_.num_rows,
                          .values = clean_.values + clean_.values_bit / 8,
                          .offsets = offsets->data()};
    owned_.push_back(std::move(offsets));
    return EncodeFullZipPage(slots_, values, *format_.packed_rows, context_);
  }

  /// Each row of lists with null items behind the bitmaps of its items, in whole bytes each.
  Result<EncodedPage> FullZipLists() {
    const ValueShape& lists = format_.shape;
    const ValueEncoding encoding = MakeFixedSizeListEncoder(clean_)->encoding();
    int64_t bitmap_bytes = 0;
    const auto visit_bitmaps = [&](auto visit) {
      // Not every layer with a bitmap has nulls in this page.
      const ValueEncoding* of_layer = &encoding;
      for (size_t layer = 0; layer < clean_.item_bitmaps.size(); ++layer) {
        if (of_layer->has_validity) visit(layer, lists.ItemsPerRow(layer));
        of_layer = of_layer->children.data();
      }
    };
    visit_bitmaps([&](size_t, int64_t items) { bitmap_bytes += BytesForBits(items); });
    ValueShape shape;
    shape.bits = lists.row_bits() + 8 * bitmap_bytes;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                          arrow::AllocateBuffer(clean_.num_rows * shape.bits / 8, context_.pool));
    uint8_t* to = bytes->mutable_data();
    std::memset(to, 0, bytes->size());
    for (int64_t row = 0; row < clean_.num_rows; ++row) {
      visit_bitmaps([&](size_t layer, int64_t items) {
        CopyBits(clean_.item_bitmaps[layer].bits, clean_.FirstItemBit(layer) + row * items, items,
                 to, 0);
        to += BytesForBits(items);
      });
      CopyBits(clean_.values, clean_.values_bit + row * lists.row_bits(), lists.row_bits(), to, 0);
      to += lists.row_bits() / 8;
    }
    const RowsView values{.shape = &shape, .num_rows = clean_.num_rows, .values = bytes->data()};
    owned_.push_back(std::move(bytes));
    return EncodeFullZipPage(slots_, values, encoding, context_);
  }

  /// A byte for each boolean.
  Result<EncodedPage> FullZipBooleans() {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                          arrow::AllocateBuffer(clean_.num_rows, context_.pool));
    for (int64_t row = 0; row < clean_.num_rows; ++row) {
      bytes->mutable_data()[row] = GetBit(clean_.values, clean_.values_bit + row) ? 1 : 0;
    }
    ValueShape shape;
    shape.bits = 8;
    const RowsView values{.shape = &shape, .num_rows = clean_.num_rows, .values = bytes->data()};
    owned_.push_back(std::move(bytes));
    return EncodeFullZipPage(slots_, values, FlatEncoding(shape), context_);
  }

  Result<EncodedPage> FullZipTexts() {
    if (!format_.shape.packed_fields.empty()) {
      return EncodeFullZipPage(slots_, clean_, *format_.packed_rows, context_);
    }
    const bool asks_general = options_.compression == Compression::kGeneral;
    if ((asks_general ||
         (options_.compression == Compression::kChosen && longest_text_ > kMinCompressedText)) &&
        TextBytes() >= kMinCompressedPage) {
      ARROW_ASSIGN_OR_RAISE(const auto compressed, CompressTexts(asks_general));
      if (compressed) {
        ValueEncoding encoding;
        encoding.kind = ValueEncoding::Kind::kGeneral;
        encoding.compression = ValueEncoding::Compression::kZstd;
        encoding.children.push_back(VariableEncoding(format_.shape.bits));
        return EncodeFullZipPage(slots_, *compressed, encoding, context_);
      }
    } else if (WantsFsst()) {
      ARROW_ASSIGN_OR_RAISE(fsst_, EncodeFsstPage(clean_, context_.pool));
      if (fsst_) return EncodeFullZipPage(slots_, fsst_->codes, fsst_->encoding, context_);
    }
    return EncodeFullZipPage(slots_, clean_, VariableEncoding(format_.shape.bits), context_);
  }

  /// Each text compressed by itself. Nothing if that was not asked for and does not pay.
  Result<std::optional<RowsView>> CompressTexts(bool is_asked) {
    constexpr auto kZstd = ValueEncoding::Compression::kZstd;
    arrow::BufferBuilder bytes(context_.pool);
    if (!is_asked) {
      int64_t plain = 0;
      const int64_t step = std::max<int64_t>(1, clean_.num_rows / kSampledTexts);
      for (int64_t row = 0; row < clean_.num_rows; row += step) {
        const auto text = Text(row).first(std::min<size_t>(Text(row).size(), kSampledBytes));
        plain += std::ssize(text);
        ARROW_RETURN_NOT_OK(AppendCompressed(kZstd, {}, text, &bytes));
      }
      if (bytes.length() > plain - plain / 8) return std::nullopt;
      bytes.Rewind(0);
    }
    const std::optional<int> level = is_asked && options_.general.scheme == kZstd
                                         ? options_.general.level
                                         : std::optional<int>();
    const int64_t width = format_.shape.bits / 8;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                          arrow::AllocateBuffer((clean_.num_rows + 1) * width, context_.pool));
    for (int64_t row = 0; row <= clean_.num_rows; ++row) {
      const int64_t offset = bytes.length();
      std::memcpy(offsets->mutable_data() + row * width, &offset, width);
      if (row == clean_.num_rows || slots_.values.IsNull(row)) continue;
      ARROW_RETURN_NOT_OK(AppendCompressed(kZstd, level, Text(row), &bytes));
    }
    RowsView compressed = clean_;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> owned, bytes.Finish(false));
    compressed.offsets = offsets->data();
    compressed.values = owned->data();
    owned_.push_back(std::move(offsets));
    owned_.push_back(std::move(owned));
    return compressed;
  }

  std::span<const uint8_t> Text(int64_t row) const {
    return {clean_.values + clean_.Offset(row), static_cast<size_t>(clean_.Length(row))};
  }

  const PageFormat& format_;
  const EncodingOptions& options_;
  const PageSlots& slots_;
  const OperationContext& context_;
  std::vector<std::shared_ptr<arrow::Buffer>> owned_;
  RowsView clean_;            ///< the slots, without a bitmap
  RowsView values_;           ///< what the mini-block encoder encodes
  int64_t longest_text_ = 0;  ///< bytes of the longest of `clean_`, if they are texts
  std::optional<FsstPage> fsst_;
};

}  // namespace

void EncodedPage::Add(std::shared_ptr<arrow::Buffer> buffer) {
  buffers.emplace_back(buffer->data(), buffer->size());
  owned.push_back(std::move(buffer));
}

uint64_t EncodedPage::ChecksumOfBuffers() const {
  Checksum checksum;
  for (const std::span<const uint8_t> buffer : buffers) checksum.Update(buffer);
  return checksum.value();
}

Result<EncodedPage> EncodePage(const PageFormat& format, const PageSlots& slots,
                               const OperationContext& context) {
  return PageBuilder(format, slots, context).Build();
}

}  // namespace tusk::lance
