#include "tusk/lance/encodings/fsst.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

constexpr uint8_t kEscape = 255;
/// Entry of a byte that follows a 255.
constexpr size_t kFollows = 256;

/// So many codes are decoded before the texts among them are told apart. What they stand for can be
/// counted in 15 bits.
constexpr size_t kWindow = 2048;
constexpr size_t kStep = 8;
/// Marks a place between a 255 and what follows it.
constexpr uint16_t kLiteral = 0x8000;
static_assert(kWindow * FsstSymbols::kMaxSymbol < kLiteral);

class FsstDecoder final : public ValueDecoder {
 public:
  FsstDecoder(FsstSymbols symbols, std::unique_ptr<const ValueDecoder> codes, int64_t offset_bits)
      : symbols_(symbols), codes_(std::move(codes)), offset_bits_(offset_bits) {}

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
    ARROW_ASSIGN_OR_RAISE(const auto texts, VariableChunk::Bind(chunk, offset_bits_));
    if (!symbols_.uses_codes()) return AppendTexts(texts, rows, position, out);
    ARROW_ASSIGN_OR_RAISE(const auto codes, texts.Rows(rows));
    ARROW_ASSIGN_OR_RAISE(
        const auto room,
        out->MakeRoom(position, static_cast<int64_t>(FsstSymbols::MaxDecodedSize(codes.size()))));
    ARROW_ASSIGN_OR_RAISE(const size_t size,
                          symbols_.DecodeTexts(texts, rows, codes, out->shape().bits / 8, room));
    return out->Append(rows.length(), static_cast<int64_t>(size));
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const auto texts, VariableChunk::Bind(chunk, offset_bits_));
    while (!rows.empty()) {
      size_t count = 1;
      while (count < rows.size() && rows[count].position == rows[count - 1].position + 1) ++count;
      ARROW_RETURN_NOT_OK(AppendRows(texts, rows.first(count), first_row, out));
      rows = rows.subspan(count);
    }
    return Status::OK();
  }

  void Prefetch(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                int step) const override {
    const auto texts = VariableChunk::Bind(chunk, offset_bits_);
    if (texts.ok()) texts->Prefetch(rows, first_row, step);
  }

 private:
  static ValueShape CodesShape() {
    ValueShape shape;
    shape.is_variable = true;
    shape.bits = 64;
    return shape;
  }

  /// Rows that stand one behind the other in the output.
  Status AppendRows(const VariableChunk& texts, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const {
    size_t num_codes = 0;
    for (const TakenRow& row : rows) {
      ARROW_ASSIGN_OR_RAISE(const auto codes, texts.Row(row.row - first_row));
      num_codes += codes.size();
    }
    ARROW_ASSIGN_OR_RAISE(
        const auto room,
        out->MakeRoom(rows[0].position,
                      static_cast<int64_t>(FsstSymbols::MaxDecodedSize(num_codes))));
    const int64_t width = out->shape().bits / 8;
    uint8_t* to = room.bytes;
    uint8_t* end = room.ends;
    for (const TakenRow& row : rows) {
      ARROW_ASSIGN_OR_RAISE(const auto codes, texts.Row(row.row - first_row));
      ARROW_ASSIGN_OR_RAISE(to, symbols_.DecodeText(codes, to));
      const int64_t offset = room.begin + (to - room.bytes);
      std::memcpy(end, &offset, width);
      end += width;
    }
    return out->Append(static_cast<int64_t>(rows.size()), to - room.bytes);
  }

  FsstSymbols symbols_;
  std::unique_ptr<const ValueDecoder> codes_;
  int64_t offset_bits_;
};

}  // namespace

Result<FsstSymbols> FsstSymbols::Parse(std::string_view table) {
  if (table.size() < kHeaderSize) {
    return Corrupt("fsst symbol table of ", table.size(), " bytes has no header");
  }
  const auto header = LoadLittle<uint64_t>(table, 0);
  if (header >> 32 != kMagic) return Corrupt("fsst symbol table does not begin with its magic");
  const size_t count = header & 0xFF;
  if (count * (kMaxSymbol + 1) > table.size() - kHeaderSize) {
    return Corrupt("fsst symbol table of ", table.size(), " bytes claims ", count, " symbols");
  }
  FsstSymbols symbols;
  symbols.uses_codes_ = (header & kUsesCodes) != 0;
  const size_t lengths = kHeaderSize + count * kMaxSymbol;
  for (size_t i = 0; i < count; ++i) {
    symbols.symbols_[i] = LoadLittle<uint64_t>(table, kHeaderSize + i * kMaxSymbol);
    const auto length = static_cast<uint8_t>(table[lengths + i]);
    if (length < 1 || length > kMaxSymbol) {
      return Corrupt("fsst symbol ", i, " has ", static_cast<int>(length), " bytes");
    }
    symbols.lengths_[i] = length;
  }
  symbols.num_symbols_ = static_cast<uint8_t>(count);
  for (size_t byte = 0; byte < 256; ++byte) {
    symbols.symbols_[kFollows + byte] = byte;
    symbols.lengths_[kFollows + byte] = 1;
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

/// Decodes codes whatever texts they belong to, and keeps where each began.
struct FsstSymbols::Window {
  explicit Window(const FsstSymbols& used) : symbols(used) {}

  const FsstSymbols& symbols;
  bool follows_escape = false;
  bool is_broken = false;
  /// Bytes of this window before each of its codes, and at its end; kLiteral if a text cannot begin
  /// there.
  std::array<uint16_t, kWindow + 1> begins;

  /// Decodes `codes`, at most kWindow; answers the end of what was written to `to`.
  uint8_t* Decode(std::span<const uint8_t> codes, uint8_t* to) {
    uint8_t* const first = to;
    // Bytes that are written might be anything that is not in a register: it would be read again.
    const uint64_t* const words = symbols.symbols_.data();
    const uint8_t* const lengths = symbols.lengths_.data();
    const uint64_t limits = uint64_t{0x0101010101010101} * symbols.num_symbols_;
    size_t size = 0;
    size_t i = 0;
    for (; i + kStep <= codes.size(); i += kStep) {
      auto step = LoadLittle<uint64_t>(codes.data() + i);
      if (!follows_escape && !AnyReaches(limits, step)) [[likely]] {
#pragma GCC unroll 8
        for (size_t code = i; code < i + kStep; ++code, step >>= 8) {
          begins[code] = static_cast<uint16_t>(size);
          const auto entry = static_cast<uint8_t>(step);
          // Whole words: what is too much is overwritten by the next, or lands in the slack.
          StoreLittle(words[entry], first + size);
          size += lengths[entry];
        }
        continue;
      }
      for (size_t code = i; code < i + kStep; ++code)
        size = DecodeOne(codes[code], code, first, size);
    }
    for (; i < codes.size(); ++i) size = DecodeOne(codes[i], i, first, size);
    begins[codes.size()] = BeginAt(size);
    return first + size;
  }

 private:
  /// Whether one of eight codes is at least its limit. Where that is the number of symbols, 255 is,
  /// and a code without a symbol.
  static bool AnyReaches(uint64_t limits, uint64_t codes) {
    constexpr uint64_t kHigh = 0x8080808080808080;
    // The high bit of each byte of `low` says whether its other bits are at least the limit's.
    const uint64_t low = (codes | kHigh) - (limits & ~kHigh);
    return (((codes & ~limits) | (~(codes ^ limits) & low)) & kHigh) != 0;
  }

  uint16_t BeginAt(size_t size) const {
    return static_cast<uint16_t>(size | (follows_escape ? kLiteral : 0));
  }

  /// Any code, without a branch, behind `size` bytes; answers how many there are then.
  size_t DecodeOne(uint8_t code, size_t i, uint8_t* first, size_t size) {
    begins[i] = BeginAt(size);
    const size_t entry = code + (follows_escape ? kFollows : 0);
    StoreLittle(symbols.symbols_[entry], first + size);
    const uint8_t length = symbols.lengths_[entry];
    is_broken |= length == 0 && code != kEscape;
    follows_escape = entry == kEscape;
    return size + length;
  }
};

Result<uint8_t*> FsstSymbols::DecodeText(std::span<const uint8_t> codes, uint8_t* to) const {
  if (!uses_codes_) return Decode(codes, to);
  Window window(*this);
  while (!codes.empty()) {
    const auto piece = codes.first(std::min(kWindow, codes.size()));
    to = window.Decode(piece, to);
    codes = codes.subspan(piece.size());
  }
  if (window.is_broken) return Corrupt("fsst text has a code without a symbol");
  if (window.follows_escape) return Corrupt("fsst text ends in an escape");
  return to;
}

template <typename Stored, typename End>
Result<size_t> FsstSymbols::DecodeTextsAs(const VariableChunk& chunk, RowRange rows,
                                          std::span<const uint8_t> codes,
                                          ColumnOutput::Room room) const {
  Window window(*this);
  const uint8_t* offsets = chunk.OffsetBytes(rows.begin + 1);
  const uint8_t* const offsets_end = chunk.OffsetBytes(rows.end + 1);
  auto base = static_cast<Stored>(chunk.Offset(rows.begin));
  uint8_t* ends = room.ends;
  uint8_t* to = room.bytes;
  uint16_t marks = 0;
  do {
    const auto piece = codes.first(std::min(kWindow, codes.size()));
    const int64_t begin = room.begin + (to - room.bytes);
    to = window.Decode(piece, to);
    for (; offsets < offsets_end; offsets += sizeof(Stored), ends += sizeof(End)) {
      const auto code = static_cast<Stored>(LoadLittle<Stored>(offsets) - base);
      if (code > piece.size()) break;
      marks |= window.begins[code];
      StoreLittle(static_cast<End>(begin + (window.begins[code] & ~kLiteral)), ends);
    }
    base += static_cast<Stored>(piece.size());
    codes = codes.subspan(piece.size());
  } while (!codes.empty());
  if (window.is_broken) return Corrupt("fsst chunk has a code without a symbol");
  if ((marks & kLiteral) != 0) return Corrupt("fsst text ends in an escape");
  return static_cast<size_t>(to - room.bytes);
}

Result<size_t> FsstSymbols::DecodeTexts(const VariableChunk& chunk, RowRange rows,
                                        std::span<const uint8_t> codes, int64_t end_width,
                                        ColumnOutput::Room room) const {
  if (chunk.offset_width() == 4) {
    return end_width == 4 ? DecodeTextsAs<uint32_t, uint32_t>(chunk, rows, codes, room)
                          : DecodeTextsAs<uint32_t, uint64_t>(chunk, rows, codes, room);
  }
  return end_width == 4 ? DecodeTextsAs<uint64_t, uint32_t>(chunk, rows, codes, room)
                        : DecodeTextsAs<uint64_t, uint64_t>(chunk, rows, codes, room);
}

Result<std::unique_ptr<const ValueDecoder>> MakeFsstDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> codes) {
  ARROW_ASSIGN_OR_RAISE(const FsstSymbols symbols, FsstSymbols::Parse(encoding.symbol_table));
  // The codes' decoder was made, so their encoding has offsets.
  const auto offset_bits = static_cast<int64_t>(encoding.children[0].children[0].bits);
  return std::make_unique<FsstDecoder>(symbols, std::move(codes), offset_bits);
}

}  // namespace tusk::lance
