#include "tusk/lance/encodings/single_value_decoder.h"

#include <limits>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/encodings/packed_struct.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

class FsstValueDecoder final : public SingleValueDecoder {
 public:
  explicit FsstValueDecoder(FsstSymbols symbols) : symbols_(symbols) {}

  Result<std::shared_ptr<arrow::Buffer>> Decode(std::span<const uint8_t> bytes,
                                                arrow::MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(const size_t size, symbols_.DecodedSize(bytes));
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> value,
        arrow::AllocateBuffer(static_cast<int64_t>(size + FsstSymbols::kSlack), pool));
    symbols_.Decode(bytes, value->mutable_data());
    return arrow::SliceBuffer(std::move(value), 0, static_cast<int64_t>(size));
  }

 private:
  FsstSymbols symbols_;
};

class CompressedValueDecoder final : public SingleValueDecoder {
 public:
  explicit CompressedValueDecoder(ValueEncoding::Compression compression)
      : compression_(compression) {}

  Result<std::shared_ptr<arrow::Buffer>> Decode(std::span<const uint8_t> bytes,
                                                arrow::MemoryPool* pool) const override {
    if (const auto plain = FindUncompressed(compression_, bytes)) {
      return std::make_shared<arrow::Buffer>(plain->data(), std::ssize(*plain));
    }
    return Decompress(compression_, bytes, std::numeric_limits<int32_t>::max(), pool);
  }

 private:
  ValueEncoding::Compression compression_;
};

}  // namespace

Status SingleValueDecoder::CheckShape(const ValueShape& shape) const {
  return CheckPlainText(shape);
}

Status CheckPlainText(const ValueShape& shape) {
  if (shape.packed_fields.empty()) return Status::OK();
  return Corrupt("page holds texts where the column's type is a packed struct");
}

Result<std::unique_ptr<const SingleValueDecoder>> MakeSingleValueDecoder(
    const ValueEncoding& encoding) {
  if (encoding.kind == Kind::kVariable) return nullptr;
  if (encoding.kind == Kind::kVariablePackedStruct) return MakePackedRowDecoder(encoding);
  const bool wraps_plain_values =
      encoding.children.size() == 1 && encoding.children[0].kind == Kind::kVariable;
  if (encoding.kind == Kind::kFsst && wraps_plain_values) {
    ARROW_ASSIGN_OR_RAISE(const FsstSymbols symbols, FsstSymbols::Parse(encoding.symbol_table));
    return std::make_unique<FsstValueDecoder>(symbols);
  }
  if (encoding.kind == Kind::kGeneral && wraps_plain_values &&
      encoding.compression != ValueEncoding::Compression::kUnknown) {
    return std::make_unique<CompressedValueDecoder>(encoding.compression);
  }
  return Unsupported("encoding ", EncodingName(encoding.kind),
                     " in full-zip pages is not supported yet");
}

}  // namespace tusk::lance
