#include <limits>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/file/array/array_read.h"
#include "tusk/lance/file/array/end_offsets.h"

namespace tusk::lance {
namespace {

bool IsWide(const arrow::DataType& type) { return arrow::is_large_binary_like(type.id()); }

Status CheckText(const ArrayEncoding& encoding, const ArrayRequest& request) {
  if (arrow::is_base_binary_like(request.storage().id())) return Status::OK();
  return Corrupt("encoding ", encoding.name(), " holds no ", request.type->ToString());
}

/// End offsets, then the bytes of the rows.
class BinaryRead final : public FieldRead {
 public:
  BinaryRead(const ArrayEncoding& encoding, ArrayRequest request, std::unique_ptr<FieldRead> ends)
      : bytes_encoding_(encoding.children[1]),
        null_adjustment_(encoding.null_adjustment),
        request_(std::move(request)),
        ends_(std::move(ends)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    if (bytes_ == nullptr) {
      const size_t before = ranges->size();
      ARROW_RETURN_NOT_OK(ends_->Plan(ranges));
      if (ranges->size() > before) return Status::OK();
      ARROW_RETURN_NOT_OK(StartBytes());
    }
    return bytes_->Plan(ranges);
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return bytes_ == nullptr ? ends_->Accept(bytes) : bytes_->Accept(bytes);
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, bytes_->Finish());
    if (bytes->null_count != 0) return Corrupt("bytes of texts are null");
    result_->buffers.push_back(bytes->buffers[1]);
    return std::move(result_);
  }

 private:
  Status StartBytes() {
    ARROW_ASSIGN_OR_RAISE(const auto ends, ends_->Finish());
    ends_ = nullptr;
    if (ends->null_count != 0) return Corrupt("end offsets of texts are null");
    ARROW_ASSIGN_OR_RAISE(
        EndOffsets offsets,
        EndOffsets::Make(request_.num_values(), IsWide(request_.storage()), request_.pool));
    const EndOffsets::Page page = {.null_adjustment = null_adjustment_,
                                   .num_items = bytes_encoding_.Capacity(),
                                   .first_item = 0};
    ARROW_RETURN_NOT_OK(offsets.Add(
        {ends->GetValues<uint64_t>(1), static_cast<size_t>(ends->length)}, request_.runs, page));
    ArrayRequest bytes = {.runs = offsets.items(), .type = arrow::uint8(), .pool = request_.pool};
    ARROW_ASSIGN_OR_RAISE(bytes_, MakeArrayRead(bytes_encoding_, std::move(bytes)));
    result_ = offsets.Finish(request_.type);
    return Status::OK();
  }

  const ArrayEncoding& bytes_encoding_;
  uint64_t null_adjustment_;
  ArrayRequest request_;
  std::unique_ptr<FieldRead> ends_;
  std::unique_ptr<FieldRead> bytes_;
  std::shared_ptr<arrow::ArrayData> result_;
};

/// Texts of one length, one after the other.
class FixedSizeBinaryRead final : public FieldRead {
 public:
  FixedSizeBinaryRead(int64_t width, ArrayRequest request, std::unique_ptr<FieldRead> bytes)
      : width_(width), request_(std::move(request)), bytes_(std::move(bytes)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return bytes_->Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return bytes_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, bytes_->Finish());
    if (bytes->null_count != 0) return Corrupt("bytes of texts are null");
    return IsWide(request_.storage()) ? WithOffsets<int64_t>(bytes->buffers[1])
                                      : WithOffsets<int32_t>(bytes->buffers[1]);
  }

 private:
  template <typename Offset>
  Result<std::shared_ptr<arrow::ArrayData>> WithOffsets(std::shared_ptr<arrow::Buffer> bytes) {
    const int64_t num_rows = request_.num_values();
    if (width_ > 0 && num_rows > std::numeric_limits<Offset>::max() / width_) {
      return InvalidArgument("values of ", request_.type->ToString(), " in ", num_rows,
                             " rows exceed 2 GiB: read fewer rows");
    }
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> offsets,
        arrow::AllocateBuffer((num_rows + 1) * int64_t{sizeof(Offset)}, request_.pool));
    auto* to = reinterpret_cast<Offset*>(offsets->mutable_data());
    for (int64_t i = 0; i <= num_rows; ++i) to[i] = static_cast<Offset>(i * width_);
    return arrow::ArrayData::Make(request_.type, num_rows,
                                  {nullptr, std::move(offsets), std::move(bytes)}, 0);
  }

  int64_t width_;
  ArrayRequest request_;
  std::unique_ptr<FieldRead> bytes_;
};

/// Texts of codes.
class FsstRead final : public FieldRead {
 public:
  FsstRead(FsstSymbols symbols, ArrayRequest request, std::unique_ptr<FieldRead> codes)
      : symbols_(symbols), request_(std::move(request)), codes_(std::move(codes)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return codes_->Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return codes_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto codes, codes_->Finish());
    return IsWide(request_.storage()) ? Decode<int64_t>(*codes) : Decode<int32_t>(*codes);
  }

 private:
  template <typename Offset>
  Result<std::shared_ptr<arrow::ArrayData>> Decode(const arrow::ArrayData& codes) const {
    const auto* from = codes.GetValues<int64_t>(1);
    const auto text = [&](int64_t i) {
      return std::span<const uint8_t>(codes.buffers[2]->data() + from[i],
                                      static_cast<size_t>(from[i + 1] - from[i]));
    };
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> offsets,
        arrow::AllocateBuffer((codes.length + 1) * int64_t{sizeof(Offset)}, request_.pool));
    auto* to = reinterpret_cast<Offset*>(offsets->mutable_data());
    to[0] = 0;
    size_t total = 0;
    for (int64_t i = 0; i < codes.length; ++i) {
      ARROW_ASSIGN_OR_RAISE(const size_t size, symbols_.DecodedSize(text(i)));
      total += size;
      if (total > static_cast<size_t>(std::numeric_limits<Offset>::max())) {
        return InvalidArgument("values of ", request_.type->ToString(), " in ", codes.length,
                               " rows exceed 2 GiB: read fewer rows");
      }
      to[i + 1] = static_cast<Offset>(total);
    }
    const auto size = static_cast<int64_t>(total);
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> bytes,
        arrow::AllocateBuffer(size + int64_t{FsstSymbols::kSlack}, request_.pool));
    uint8_t* end = bytes->mutable_data();
    for (int64_t i = 0; i < codes.length; ++i) end = symbols_.Decode(text(i), end);
    return arrow::ArrayData::Make(
        request_.type, codes.length,
        {codes.buffers[0], std::move(offsets), arrow::SliceBuffer(std::move(bytes), 0, size)},
        codes.null_count);
  }

  FsstSymbols symbols_;
  ArrayRequest request_;
  std::unique_ptr<FieldRead> codes_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakeBinaryRead(const ArrayEncoding& encoding,
                                                  ArrayRequest request) {
  ARROW_RETURN_NOT_OK(CheckText(encoding, request));
  ArrayRequest ends = {
      .runs = EndOffsets::Needed(request.runs), .type = arrow::uint64(), .pool = request.pool};
  ARROW_ASSIGN_OR_RAISE(auto read, MakeArrayRead(encoding.children[0], std::move(ends)));
  return std::make_unique<BinaryRead>(encoding, std::move(request), std::move(read));
}

Result<std::unique_ptr<FieldRead>> MakeFixedSizeBinaryRead(const ArrayEncoding& encoding,
                                                           ArrayRequest request) {
  ARROW_RETURN_NOT_OK(CheckText(encoding, request));
  ARROW_ASSIGN_OR_RAISE(auto runs, request.Scaled(encoding.count));
  ArrayRequest bytes = {.runs = std::move(runs), .type = arrow::uint8(), .pool = request.pool};
  ARROW_ASSIGN_OR_RAISE(auto read, MakeArrayRead(encoding.children[0], std::move(bytes)));
  return std::make_unique<FixedSizeBinaryRead>(encoding.count, std::move(request), std::move(read));
}

Result<std::unique_ptr<FieldRead>> MakeFsstRead(const ArrayEncoding& encoding,
                                                ArrayRequest request) {
  ARROW_RETURN_NOT_OK(CheckText(encoding, request));
  ARROW_ASSIGN_OR_RAISE(const FsstSymbols symbols, FsstSymbols::Parse(encoding.symbol_table));
  ArrayRequest codes = request;
  codes.type = arrow::large_binary();
  ARROW_ASSIGN_OR_RAISE(auto read, MakeArrayRead(encoding.children[0], std::move(codes)));
  return std::make_unique<FsstRead>(symbols, std::move(request), std::move(read));
}

}  // namespace tusk::lance
