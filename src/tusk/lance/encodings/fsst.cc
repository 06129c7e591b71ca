#include "tusk/lance/encodings/fsst.h"

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

constexpr uint32_t kMagic = 0x46535354;
constexpr uint64_t kUsesCodes = uint64_t{1} << 24;
constexpr size_t kHeader = 8;
constexpr size_t kMaxSymbol = 8;
constexpr uint8_t kEscape = 255;

/// Texts of codes in memory, with 64-bit offsets.
struct Codes {
  std::shared_ptr<arrow::ArrayData> array;

  std::span<const uint8_t> Text(int64_t i) const {
    const auto* offsets = array->GetValues<int64_t>(1);
    return {array->buffers[2]->data() + offsets[i],
            static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
};

class FsstDecoder final : public ValueDecoder {
 public:
  FsstDecoder(FsstSymbols symbols, std::unique_ptr<const ValueDecoder> codes)
      : symbols_(symbols), codes_(std::move(codes)) {}

  size_t num_buffers() const override { return codes_->num_buffers(); }
  uint64_t MinBytes(uint64_t num_values) const override { return codes_->MinBytes(num_values); }
  Status CheckShape(const ValueShape& shape) const override {
    if (!shape.is_variable) {
      return Corrupt("encoding fsst holds values of any length, the column's type does not");
    }
    return codes_->CheckShape(CodesShape());
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ColumnOutput decoded(CodesShape(), rows.length(), out->pool());
    ARROW_RETURN_NOT_OK(codes_->DecodeInto(chunk, rows, 0, &decoded));
    return Decode(&decoded, [&](int64_t i) { return position + i; }, out);
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    std::vector<TakenRow> dense(rows.begin(), rows.end());
    for (size_t i = 0; i < dense.size(); ++i) dense[i].position = static_cast<int64_t>(i);
    ColumnOutput decoded(CodesShape(), static_cast<int64_t>(rows.size()), out->pool());
    ARROW_RETURN_NOT_OK(codes_->GatherInto(chunk, dense, first_row, &decoded));
    return Decode(&decoded, [&](int64_t i) { return rows[i].position; }, out);
  }

 private:
  static ValueShape CodesShape() {
    ValueShape shape;
    shape.is_variable = true;
    shape.bits = 64;
    return shape;
  }

  /// Decodes text `i` of `from` to row `position(i)`.
  template <typename Position>
  Status Decode(ColumnOutput* from, Position position, ColumnOutput* out) const {
    Codes codes;
    ARROW_ASSIGN_OR_RAISE(codes.array, from->Finish(arrow::large_binary()));
    ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
    const bool is_narrow = out->shape().bits == 32;
    size_t total = 0;
    for (int64_t i = 0; i < codes.array->length; ++i) {
      ARROW_ASSIGN_OR_RAISE(const size_t size, symbols_.DecodedSize(codes.Text(i)));
      const int64_t row = position(i);
      if (is_narrow) {
        if (size > std::numeric_limits<int32_t>::max()) {
          return Corrupt("fsst text of ", size, " bytes");
        }
        StoreLittle(static_cast<int32_t>(size), lengths + (row + 1) * 4);
      } else {
        StoreLittle(static_cast<int64_t>(size), lengths + (row + 1) * 8);
      }
      total += size;
    }
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> texts,
        arrow::AllocateBuffer(static_cast<int64_t>(total + FsstSymbols::kSlack), out->pool()));
    uint8_t* to = texts->mutable_data();
    for (int64_t i = 0; i < codes.array->length; ++i) {
      out->AddRun(position(i), 1, to);
      to = symbols_.Decode(codes.Text(i), to);
    }
    out->Keep(std::move(texts));
    return Status::OK();
  }

  FsstSymbols symbols_;
  std::unique_ptr<const ValueDecoder> codes_;
};

}  // namespace

Result<FsstSymbols> FsstSymbols::Parse(std::string_view table) {
  if (table.size() < kHeader) {
    return Corrupt("fsst symbol table of ", table.size(), " bytes has no header");
  }
  const auto header = LoadLittle<uint64_t>(table, 0);
  if (header >> 32 != kMagic) return Corrupt("fsst symbol table does not begin with its magic");
  const size_t count = header & 0xFF;
  if (count * (kMaxSymbol + 1) > table.size() - kHeader) {
    return Corrupt("fsst symbol table of ", table.size(), " bytes claims ", count, " symbols");
  }
  FsstSymbols symbols;
  symbols.uses_codes_ = (header & kUsesCodes) != 0;
  const size_t lengths = kHeader + count * kMaxSymbol;
  for (size_t i = 0; i < count; ++i) {
    symbols.symbols_[i] = LoadLittle<uint64_t>(table, kHeader + i * kMaxSymbol);
    const auto length = static_cast<uint8_t>(table[lengths + i]);
    if (length < 1 || length > kMaxSymbol) {
      return Corrupt("fsst symbol ", i, " has ", static_cast<int>(length), " bytes");
    }
    symbols.lengths_[i] = length;
  }
  return symbols;
}

Result<size_t> FsstSymbols::DecodedSize(std::span<const uint8_t> codes) const {
  if (!uses_codes_) return codes.size();
  size_t size = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == kEscape) {
      if (++i == codes.size()) return Corrupt("fsst text ends in an escape");
      ++size;
      continue;
    }
    const size_t length = lengths_[codes[i]];
    if (length == 0) return Corrupt("fsst code ", static_cast<int>(codes[i]), " has no symbol");
    size += length;
  }
  return size;
}

uint8_t* FsstSymbols::Decode(std::span<const uint8_t> codes, uint8_t* to) const {
  if (!uses_codes_) {
    if (!codes.empty()) std::memcpy(to, codes.data(), codes.size());
    return to + codes.size();
  }
  for (size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == kEscape) {
      *to++ = codes[++i];
      continue;
    }
    // Whole words: what is too much is overwritten by the next, or lands in the slack.
    StoreLittle(symbols_[codes[i]], to);
    to += lengths_[codes[i]];
  }
  return to;
}

Result<std::unique_ptr<const ValueDecoder>> MakeFsstDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> codes) {
  ARROW_ASSIGN_OR_RAISE(const FsstSymbols symbols, FsstSymbols::Parse(encoding.symbol_table));
  return std::make_unique<FsstDecoder>(symbols, std::move(codes));
}

}  // namespace tusk::lance
