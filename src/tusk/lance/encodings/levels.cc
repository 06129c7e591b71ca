#include "tusk/lance/encodings/levels.h"

#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {
namespace {

constexpr uint64_t kLevelBits = 16;

Status CheckLevel(uint16_t level) {
  if (level <= 1) [[likely]]
    return Status::OK();
  return Corrupt("definition level ", level, " in a column whose highest is 1");
}

}  // namespace

Result<LevelDecoder> LevelDecoder::Make(const ValueEncoding& encoding) {
  switch (encoding.kind) {
    case ValueEncoding::Kind::kFlat:
      if (encoding.bits != kLevelBits) return Corrupt("levels of ", encoding.bits, " bits");
      return LevelDecoder(encoding);
    default:
      return Unsupported("levels in encoding ", EncodingName(encoding.kind),
                         " are not supported yet");
  }
}

Result<const uint8_t*> LevelDecoder::Words(std::span<const uint8_t> bytes, int64_t num_levels,
                                           std::vector<uint16_t>* /*scratch*/) const {
  if (bytes.size() < static_cast<size_t>(num_levels) * sizeof(uint16_t)) {
    return Corrupt(num_levels, " levels in ", bytes.size(), " bytes");
  }
  return bytes.data();
}

Status LevelDecoder::DecodeInto(std::span<const uint8_t> bytes, int64_t num_levels, RowRange rows,
                                int64_t position, ColumnOutput* out) const {
  std::vector<uint16_t> scratch;
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, Words(bytes, num_levels, &scratch));
  ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const auto level = LoadLittle<uint16_t>(words + row * sizeof(uint16_t));
    if (level == 0) continue;
    ARROW_RETURN_NOT_OK(CheckLevel(level));
    ClearBit(validity, position + row - rows.begin);
  }
  return Status::OK();
}

Status LevelDecoder::GatherInto(std::span<const uint8_t> bytes, int64_t num_levels,
                                std::span<const TakenRow> rows, int64_t first_row,
                                ColumnOutput* out) const {
  std::vector<uint16_t> scratch;
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, Words(bytes, num_levels, &scratch));
  ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
  for (const TakenRow& taken : rows) {
    const auto level = LoadLittle<uint16_t>(words + (taken.row - first_row) * sizeof(uint16_t));
    if (level == 0) continue;
    ARROW_RETURN_NOT_OK(CheckLevel(level));
    ClearBit(validity, taken.position);
  }
  return Status::OK();
}

ValueEncoding LevelsEncoding() { return ValueEncoding::Flat(kLevelBits); }

int64_t EncodedLevelsSize(int64_t num_rows) { return num_rows * sizeof(uint16_t); }

void EncodeLevels(const RowsView& rows, uint8_t* to) {
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    StoreLittle<uint16_t>(rows.IsNull(row) ? 1 : 0, to + row * sizeof(uint16_t));
  }
}

}  // namespace tusk::lance
