#include "tusk/lance/file/array/array_read.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/array/field_reads.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMaxNullBytes = 1 << 30;

const arrow::DataType* StorageOf(const arrow::DataType* type) {
  if (type->id() != arrow::Type::EXTENSION) return type;
  return static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
}

/// Bits that an array of `type` takes for each row, validity included; at least 1.
int64_t BitsOfRow(const arrow::DataType& declared) {
  const arrow::DataType& type = *StorageOf(&declared);
  switch (type.id()) {
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
      const int64_t bits = BitsOfRow(*list.value_type());
      return list.list_size() > kMaxNullBytes / bits ? kMaxNullBytes : list.list_size() * bits + 1;
    }
    case arrow::Type::STRUCT: {
      int64_t bits = 1;
      for (const auto& field : type.fields()) bits += BitsOfRow(*field->type());
      return std::min(bits, kMaxNullBytes);
    }
    default:
      if (arrow::is_fixed_width(type.id())) {
        return static_cast<const arrow::FixedWidthType&>(type).bit_width() + 1;
      }
      return 65;
  }
}

class NullsRead final : public FieldRead {
 public:
  explicit NullsRead(ArrayRequest request) : request_(std::move(request)) {}

  Status Plan(std::vector<io::ByteRange>*) override { return Status::OK(); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>>) override { return Status::OK(); }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    return MakeNulls(request_.type, request_.num_values(), request_.pool);
  }

 private:
  ArrayRequest request_;
};

/// Validity bits, and values with a place for each null.
class SomeNullsRead final : public FieldRead {
 public:
  explicit SomeNullsRead(arrow::MemoryPool* pool) : pool_(pool) {}

  static Result<std::unique_ptr<FieldRead>> Make(const ArrayEncoding& encoding,
                                                 ArrayRequest request) {
    auto read = std::make_unique<SomeNullsRead>(request.pool);
    ArrayRequest validity = request;
    validity.type = arrow::boolean();
    ARROW_ASSIGN_OR_RAISE(auto bits, MakeArrayRead(encoding.children[0], std::move(validity)));
    ARROW_ASSIGN_OR_RAISE(auto values, MakeArrayRead(encoding.children[1], std::move(request)));
    read->parts_.Add(std::move(bits));
    read->parts_.Add(std::move(values));
    return read;
  }

  Status Plan(std::vector<io::ByteRange>* ranges) override { return parts_.Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return parts_.Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto bits, parts_.Finish(0));
    ARROW_ASSIGN_OR_RAISE(auto values, parts_.Finish(1));
    if (bits->buffers[0] != nullptr) return Corrupt("validity bits are themselves null");
    if (values->type->id() == arrow::Type::NA) return values;
    std::shared_ptr<arrow::Buffer> validity = bits->buffers[1];
    if (values->buffers[0] != nullptr) {
      ARROW_ASSIGN_OR_RAISE(validity, Both(*validity, *values->buffers[0], values->length));
    }
    values->null_count = CountZeroBits(validity->data(), 0, values->length);
    values->buffers[0] = values->null_count > 0 ? std::move(validity) : nullptr;
    return values;
  }

 private:
  /// The bits that are set in both bitmaps.
  Result<std::shared_ptr<arrow::Buffer>> Both(const arrow::Buffer& a, const arrow::Buffer& b,
                                              int64_t num_bits) const {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> both,
                          arrow::AllocateBuffer(BytesForBits(num_bits), pool_));
    for (int64_t i = 0; i < both->size(); ++i) {
      both->mutable_data()[i] = static_cast<uint8_t>(a.data()[i] & b.data()[i]);
    }
    return both;
  }

  arrow::MemoryPool* pool_;
  FieldReads parts_;
};

class FixedSizeListRead final : public FieldRead {
 public:
  FixedSizeListRead(std::unique_ptr<FieldRead> items, std::shared_ptr<arrow::DataType> type,
                    int64_t num_rows)
      : items_(std::move(items)), type_(std::move(type)), num_rows_(num_rows) {}

  static Result<std::unique_ptr<FieldRead>> Make(const ArrayEncoding& encoding,
                                                 const ArrayRequest& request) {
    const arrow::DataType& type = request.storage();
    if (type.id() != arrow::Type::FIXED_SIZE_LIST ||
        static_cast<const arrow::FixedSizeListType&>(type).list_size() != encoding.count) {
      return Corrupt("encoding fixed_size_list of ", encoding.count, " items holds no ",
                     request.type->ToString());
    }
    ARROW_ASSIGN_OR_RAISE(auto runs, request.Scaled(encoding.count));
    ArrayRequest items = {.runs = std::move(runs),
                          .type = static_cast<const arrow::FixedSizeListType&>(type).value_type(),
                          .pool = request.pool};
    ARROW_ASSIGN_OR_RAISE(auto read, MakeArrayRead(encoding.children[0], std::move(items)));
    return std::make_unique<FixedSizeListRead>(std::move(read), request.type, request.num_values());
  }

  Status Plan(std::vector<io::ByteRange>* ranges) override { return items_->Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return items_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(auto items, items_->Finish());
    return arrow::ArrayData::Make(type_, num_rows_, {nullptr}, {std::move(items)}, 0);
  }

 private:
  std::unique_ptr<FieldRead> items_;
  std::shared_ptr<arrow::DataType> type_;
  int64_t num_rows_;
};

}  // namespace

int64_t ArrayRequest::num_values() const {
  int64_t count = 0;
  for (const RowRange& run : runs) count += run.length();
  return count;
}

Result<std::vector<RowRange>> ArrayRequest::Scaled(int64_t count) const {
  if (count > 0 && !runs.empty() && runs.back().end > std::numeric_limits<int64_t>::max() / count) {
    return Corrupt(runs.back().end, " values of ", count, " items each");
  }
  std::vector<RowRange> scaled = runs;
  for (RowRange& run : scaled) run = {.begin = run.begin * count, .end = run.end * count};
  return scaled;
}

const arrow::DataType& ArrayRequest::storage() const { return *StorageOf(type.get()); }

Result<std::shared_ptr<arrow::ArrayData>> MakeNulls(const std::shared_ptr<arrow::DataType>& type,
                                                    int64_t num_rows, arrow::MemoryPool* pool) {
  // Arrow would make room for a bit of each row.
  if (type->id() == arrow::Type::NA)
    return arrow::ArrayData::Make(type, num_rows, {nullptr}, num_rows);
  if (num_rows > kMaxNullBytes * 8 / BitsOfRow(*type)) {
    return InvalidArgument(num_rows, " rows of ", type->ToString(),
                           " that are all null are too many for one read: read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(const auto nulls, arrow::MakeArrayOfNull(type, num_rows, pool));
  return nulls->data();
}

Result<std::unique_ptr<FieldRead>> MakeArrayRead(const ArrayEncoding& encoding,
                                                 ArrayRequest request) {
  switch (encoding.kind) {
    case ArrayEncoding::Kind::kFlat:
      return MakeFlatRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kNoNulls:
      return MakeArrayRead(encoding.children[0], std::move(request));
    case ArrayEncoding::Kind::kSomeNulls:
      return SomeNullsRead::Make(encoding, std::move(request));
    case ArrayEncoding::Kind::kAllNulls:
      return std::make_unique<NullsRead>(std::move(request));
    case ArrayEncoding::Kind::kFixedSizeList:
      return FixedSizeListRead::Make(encoding, request);
    case ArrayEncoding::Kind::kBinary:
      return MakeBinaryRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kDictionary:
      return MakeDictionaryRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kFsst:
      return MakeFsstRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kPackedStruct:
      return MakePackedStructRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kBitpacked:
    case ArrayEncoding::Kind::kBitpackedForNonNeg:
      return MakeBitpackedRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kFixedSizeBinary:
      return MakeFixedSizeBinaryRead(encoding, std::move(request));
    case ArrayEncoding::Kind::kList:
    case ArrayEncoding::Kind::kStruct:
      break;
  }
  return Corrupt("encoding ", encoding.name(), " where values are stored");
}

}  // namespace tusk::lance
