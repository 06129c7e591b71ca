#include "tusk/lance/file/described_blobs.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/lance/file/blob_values.h"

namespace tusk::lance {
namespace {

constexpr uint8_t kInline = 0;
constexpr uint8_t kPacked = 1;
constexpr uint8_t kDedicated = 2;
constexpr uint8_t kExternal = 3;
constexpr uint8_t kManagedWithBase = 5;

/// One row of the parts, as far as they are there.
class DescribedRow {
 public:
  DescribedRow(const arrow::StructArray& rows, int64_t row) : rows_(rows), row_(row) {}

  bool Has(DescribedBlobPart part) const { return rows_.field(part)->IsValid(row_); }
  template <typename ArrowArray>
  auto ValueOf(DescribedBlobPart part) const {
    return static_cast<const ArrowArray&>(*rows_.field(part)).GetView(row_);
  }
  uint64_t NumberOr0(DescribedBlobPart part) const {
    return Has(part) ? ValueOf<arrow::UInt64Array>(part) : 0;
  }

  Status Check() const {
    if (!Has(kDescribedKind)) return InvalidArgument("has no kind");
    const auto kind = ValueOf<arrow::UInt8Array>(kDescribedKind);
    const bool is_beside = kind == kPacked || kind == kDedicated;
    if (kind > kManagedWithBase)
      return InvalidArgument("is of kind ", kind, ", which there is not");
    if (kind > kExternal) return Unsupported("is managed, which is not supported yet");
    if (Has(kDescribedData) != (kind == kInline)) {
      return InvalidArgument(kind == kInline ? "is inline, but has no data"
                                             : "has data, but is not inline");
    }
    if (is_beside && !Has(kDescribedSize)) return InvalidArgument("has no blob_size");
    if (is_beside && (!Has(kDescribedBlobId) || blob_id() == 0)) {
      return InvalidArgument("has no blob_id, or 0, which no file beside a data file has");
    }
    if (kind == kExternal && uri().empty()) return InvalidArgument("is external, but has no uri");
    const uint64_t position = NumberOr0(kDescribedPosition);
    if (NumberOr0(kDescribedSize) > ~uint64_t{0} - position) {
      return InvalidArgument("has ", NumberOr0(kDescribedSize), " bytes at ", position,
                             ", which no file has");
    }
    return Status::OK();
  }

  uint32_t blob_id() const {
    return Has(kDescribedBlobId) ? ValueOf<arrow::UInt32Array>(kDescribedBlobId) : 0;
  }
  std::string_view uri() const {
    return Has(kDescribedUri) ? ValueOf<arrow::StringArray>(kDescribedUri) : std::string_view();
  }
  std::string_view data() const {
    return Has(kDescribedData) ? ValueOf<arrow::LargeBinaryArray>(kDescribedData)
                               : std::string_view();
  }

 private:
  const arrow::StructArray& rows_;
  const int64_t row_;
};

}  // namespace

const std::shared_ptr<arrow::DataType>& DescribedBlobType() {
  static const auto type = arrow::struct_(
      {arrow::field("kind", arrow::uint8()), arrow::field("data", arrow::large_binary()),
       arrow::field("uri", arrow::utf8()), arrow::field("blob_id", arrow::uint32()),
       arrow::field("blob_size", arrow::uint64()), arrow::field("position", arrow::uint64())});
  return type;
}

bool IsDescribedBlob(const arrow::DataType& type) {
  const arrow::DataType& wanted = *DescribedBlobType();
  if (type.id() != arrow::Type::STRUCT || type.num_fields() != wanted.num_fields()) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (type.field(i)->name() != wanted.field(i)->name()) return false;
    if (!type.field(i)->type()->Equals(*wanted.field(i)->type())) return false;
  }
  return true;
}

const std::shared_ptr<arrow::DataType>& LogicalBlobType() {
  static const auto type = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8()),
       arrow::field("position", arrow::uint64()), arrow::field("size", arrow::uint64())});
  return type;
}

Result<std::shared_ptr<arrow::Array>> PrepareDescribedBlobs(const arrow::StructArray& rows,
                                                            arrow::MemoryPool* pool) {
  arrow::UInt8Builder kinds(pool);
  arrow::LargeBinaryBuilder data(pool);
  arrow::UInt64Builder positions(pool);
  arrow::UInt64Builder sizes(pool);
  arrow::UInt32Builder blob_ids(pool);
  arrow::StringBuilder uris(pool);
  for (int64_t i = 0; i < rows.length(); ++i) {
    const DescribedRow row(rows, i);
    const bool is_null = rows.IsNull(i);
    const Status status = is_null ? Status::OK() : row.Check();
    if (!status.ok()) return WithContext(status, "the blob in row " + std::to_string(i));
    ARROW_RETURN_NOT_OK(
        kinds.Append(is_null ? kInline : row.ValueOf<arrow::UInt8Array>(kDescribedKind)));
    ARROW_RETURN_NOT_OK(data.Append(is_null ? std::string_view() : row.data()));
    ARROW_RETURN_NOT_OK(positions.Append(is_null ? 0 : row.NumberOr0(kDescribedPosition)));
    ARROW_RETURN_NOT_OK(sizes.Append(is_null ? 0 : row.NumberOr0(kDescribedSize)));
    ARROW_RETURN_NOT_OK(blob_ids.Append(is_null ? 0 : row.blob_id()));
    ARROW_RETURN_NOT_OK(uris.Append(is_null ? std::string_view() : row.uri()));
  }
  arrow::ArrayVector parts(PreparedBlobType()->num_fields());
  ARROW_RETURN_NOT_OK(kinds.Finish(&parts[kPreparedKind]));
  ARROW_RETURN_NOT_OK(data.Finish(&parts[kPreparedData]));
  ARROW_RETURN_NOT_OK(positions.Finish(&parts[kPreparedPosition]));
  ARROW_RETURN_NOT_OK(sizes.Finish(&parts[kPreparedSize]));
  ARROW_RETURN_NOT_OK(blob_ids.Finish(&parts[kPreparedBlobId]));
  ARROW_RETURN_NOT_OK(uris.Finish(&parts[kPreparedUri]));
  std::shared_ptr<arrow::Buffer> validity;
  if (rows.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(pool, rows.null_bitmap_data(),
                                                                rows.offset(), rows.length()));
  }
  return std::make_shared<arrow::StructArray>(PreparedBlobType(), rows.length(), std::move(parts),
                                              std::move(validity));
}

}  // namespace tusk::lance
