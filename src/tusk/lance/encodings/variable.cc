#include "tusk/lance/encodings/variable.h"

#include <cstring>
#include <limits>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

/// `Stored` is the width of offsets in the file, `Length` that of the Arrow array.
template <typename Stored, typename Length>
class Chunk {
 public:
  /// Corrupt if the offset table does not fit, or an offset of `rows` is out of order or out of the
  /// buffer.
  static Result<Chunk> Bind(const EncodedChunk& chunk) {
    const std::span<const uint8_t> bytes = chunk.buffers[0];
    const auto table = static_cast<uint64_t>(chunk.num_values + 1) * sizeof(Stored);
    if (bytes.size() < table) {
      return Corrupt("variable chunk of ", chunk.num_values, " values has ", bytes.size(),
                     " bytes, less than its ", table, " bytes of offsets");
    }
    return Chunk(bytes, table);
  }

  /// Where the bytes of a row lie.
  Result<std::span<const uint8_t>> Row(int64_t row) const {
    const Stored begin = OffsetAt(row);
    const Stored end = OffsetAt(row + 1);
    ARROW_RETURN_NOT_OK(Check(begin, end, row));
    return bytes_.subspan(begin, end - begin);
  }

  /// Writes the lengths of `rows` and answers where their bytes begin.
  Result<const uint8_t*> Rows(RowRange rows, Length* lengths) const {
    const Stored first = OffsetAt(rows.begin);
    Stored begin = first;
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      const Stored end = OffsetAt(row + 1);
      ARROW_RETURN_NOT_OK(Check(begin, end, row));
      lengths[row - rows.begin] = static_cast<Length>(end - begin);
      begin = end;
    }
    return bytes_.data() + first;
  }

 private:
  Chunk(std::span<const uint8_t> bytes, uint64_t table) : bytes_(bytes), table_(table) {}

  Stored OffsetAt(int64_t i) const {
    return LoadLittle<Stored>(bytes_.data() + i * sizeof(Stored));
  }

  Status Check(Stored begin, Stored end, int64_t row) const {
    if (begin < table_ || end < begin || end > bytes_.size() ||
        end - begin > static_cast<uint64_t>(std::numeric_limits<Length>::max())) [[unlikely]] {
      return Corrupt("variable chunk of ", bytes_.size(), " bytes puts value ", row, " at [", begin,
                     ", ", end, ")");
    }
    return Status::OK();
  }

  std::span<const uint8_t> bytes_;
  uint64_t table_;
};

template <typename Stored, typename Length>
Status Decode(const EncodedChunk& chunk, RowRange rows, int64_t position, ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(const auto bound, (Chunk<Stored, Length>::Bind(chunk)));
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  ARROW_ASSIGN_OR_RAISE(const uint8_t* bytes,
                        bound.Rows(rows, reinterpret_cast<Length*>(lengths) + position + 1));
  out->AddRun(position, rows.length(), bytes);
  return Status::OK();
}

template <typename Stored, typename Length>
Status Gather(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
              ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(const auto bound, (Chunk<Stored, Length>::Bind(chunk)));
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  for (const TakenRow& taken : rows) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, bound.Row(taken.row - first_row));
    reinterpret_cast<Length*>(lengths)[taken.position + 1] = static_cast<Length>(bytes.size());
    out->AddRun(taken.position, 1, bytes.data());
  }
  return Status::OK();
}

class VariableDecoder final : public ValueDecoder {
 public:
  explicit VariableDecoder(int64_t offset_bits) : offset_bits_(offset_bits) {}

  size_t num_buffers() const override { return 1; }
  uint64_t MinBytes(uint64_t num_values) const override {
    const uint64_t width = offset_bits_ / 8;
    return num_values > std::numeric_limits<uint64_t>::max() / width ? ~uint64_t{0}
                                                                     : num_values * width;
  }
  Status CheckShape(const ValueShape& shape) const override {
    if (shape.is_variable) return Status::OK();
    return Corrupt("encoding variable holds values of any length, the column's type does not");
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    if (offset_bits_ == 32) {
      return out->shape().bits == 32 ? Decode<uint32_t, int32_t>(chunk, rows, position, out)
                                     : Decode<uint32_t, int64_t>(chunk, rows, position, out);
    }
    return out->shape().bits == 32 ? Decode<uint64_t, int32_t>(chunk, rows, position, out)
                                   : Decode<uint64_t, int64_t>(chunk, rows, position, out);
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    if (offset_bits_ == 32) {
      return out->shape().bits == 32 ? Gather<uint32_t, int32_t>(chunk, rows, first_row, out)
                                     : Gather<uint32_t, int64_t>(chunk, rows, first_row, out);
    }
    return out->shape().bits == 32 ? Gather<uint64_t, int32_t>(chunk, rows, first_row, out)
                                   : Gather<uint64_t, int64_t>(chunk, rows, first_row, out);
  }

 private:
  int64_t offset_bits_;
};

/// Fills the chunk's last word, as the reference writer does.
constexpr uint8_t kPadding = 0x48;

template <typename Stored>
void EncodeAs(const RowsView& rows, uint8_t* to) {
  int64_t at = (rows.num_rows + 1) * static_cast<int64_t>(sizeof(Stored));
  uint8_t* table = to;
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    StoreLittle(static_cast<Stored>(at), table);
    table += sizeof(Stored);
    if (rows.IsNull(row)) continue;
    const int64_t length = rows.Length(row);
    if (length > 0) std::memcpy(to + at, rows.values + rows.Offset(row), length);
    at += length;
  }
  StoreLittle(static_cast<Stored>(at), table);
  for (; at % static_cast<int64_t>(sizeof(Stored)) != 0; ++at) to[at] = kPadding;
}

}  // namespace

Result<std::unique_ptr<const ValueDecoder>> MakeVariableDecoder(const ValueEncoding& encoding) {
  if (encoding.children.size() != 1) return Corrupt("encoding variable without offsets");
  const ValueEncoding& offsets = encoding.children[0];
  if (offsets.kind != ValueEncoding::Kind::kFlat) {
    return Unsupported("encoding variable with offsets in encoding ", EncodingName(offsets.kind),
                       " is not supported yet");
  }
  if (offsets.bits != 32 && offsets.bits != 64) {
    return Corrupt("encoding variable with offsets of ", offsets.bits, " bits");
  }
  return std::make_unique<VariableDecoder>(static_cast<int64_t>(offsets.bits));
}

ValueEncoding VariableEncoding(int64_t offset_bits) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kVariable;
  encoding.children.push_back(ValueEncoding::Flat(static_cast<uint64_t>(offset_bits)));
  return encoding;
}

int64_t EncodedVariableSize(const RowsView& rows) {
  const int64_t width = rows.shape->bits / 8;
  int64_t size = (rows.num_rows + 1) * width;
  if (rows.validity == nullptr) {
    size += rows.Offset(rows.num_rows) - rows.Offset(0);
  } else {
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      if (!rows.IsNull(row)) size += rows.Length(row);
    }
  }
  return static_cast<int64_t>(RoundUp(size, width));
}

void EncodeVariable(const RowsView& rows, uint8_t* to) {
  if (rows.shape->bits == 32) {
    EncodeAs<uint32_t>(rows, to);
  } else {
    EncodeAs<uint64_t>(rows, to);
  }
}

}  // namespace tusk::lance
