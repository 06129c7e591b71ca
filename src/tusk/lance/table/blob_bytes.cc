#include "tusk/lance/table/blob_bytes.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/table/blob_input.h"

namespace tusk::lance {
namespace {

/// `field` as it comes from a scan, with bytes in place of descriptors.
Result<std::shared_ptr<arrow::Field>> WithBytes(const Field& field,
                                                const std::shared_ptr<arrow::Field>& scanned) {
  if (!HasBlobs(field)) return scanned;
  if (field.is_blob()) {
    // As pylance has it. Bytes are not of the extension type that blobs of version 2 have.
    auto metadata = field.metadata;
    if (field.is_blob_v2()) metadata.erase("ARROW:extension:name");
    std::shared_ptr<arrow::KeyValueMetadata> kept;
    if (!metadata.empty()) {
      kept = std::make_shared<arrow::KeyValueMetadata>();
      for (const auto& [key, value] : metadata) kept->Append(key, value);
    }
    return scanned->WithType(arrow::large_binary())->WithMetadata(std::move(kept));
  }
  arrow::FieldVector children;
  for (size_t i = 0; i < field.children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        children.emplace_back(),
        WithBytes(field.children[i], scanned->type()->field(static_cast<int>(i))));
  }
  switch (scanned->type()->id()) {
    case arrow::Type::STRUCT:
      return scanned->WithType(arrow::struct_(children));
    case arrow::Type::LIST:
      return scanned->WithType(arrow::list(std::move(children[0])));
    case arrow::Type::LARGE_LIST:
      return scanned->WithType(arrow::large_list(std::move(children[0])));
    default:
      return Unsupported("column '", field.name, "': blobs in ", scanned->type()->ToString(),
                         " cannot be read as bytes yet; read where they lie");
  }
}

Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array,
                                                  arrow::MemoryPool* pool) {
  if (array.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

int64_t SizeOf(const FoundBlob& found) { return found.blob == nullptr ? 0 : found.blob->size(); }

}  // namespace

/// The large_binary array of blobs whose bytes were or will be read.
class BlobBytes::BytesArray {
 public:
  /// Adds what is to be read to `reads`.
  static Result<BytesArray> Plan(std::span<const FoundBlob> blobs, std::vector<BlobRead>* reads,
                                 arrow::MemoryPool* pool) {
    BytesArray array;
    const auto rows = std::ssize(blobs);
    ARROW_ASSIGN_OR_RAISE(array.offsets_,
                          arrow::AllocateBuffer((rows + 1) * int64_t{sizeof(int64_t)}, pool));
    ARROW_ASSIGN_OR_RAISE(array.validity_, arrow::AllocateBitmap(rows, pool));
    auto* offsets = reinterpret_cast<int64_t*>(array.offsets_->mutable_data());
    offsets[0] = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const bool is_valid = blobs[row].blob != nullptr;
      arrow::bit_util::SetBitTo(array.validity_->mutable_data(), row, is_valid);
      if (!is_valid) ++array.null_count_;
      offsets[row + 1] = offsets[row] + SizeOf(blobs[row]);
    }
    ARROW_ASSIGN_OR_RAISE(array.data_, arrow::AllocateBuffer(offsets[rows], pool));
    for (int64_t row = 0; row < rows; ++row) {
      if (SizeOf(blobs[row]) == 0) continue;
      reads->push_back({.blob = blobs[row].blob.get(),
                        .offset = 0,
                        .into = {array.data_->mutable_data() + offsets[row],
                                 static_cast<size_t>(SizeOf(blobs[row]))}});
    }
    array.rows_ = rows;
    return array;
  }

  std::shared_ptr<arrow::Array> Finish() && {
    if (null_count_ == 0) validity_ = nullptr;
    return std::make_shared<arrow::LargeBinaryArray>(rows_, std::move(offsets_), std::move(data_),
                                                     std::move(validity_), null_count_);
  }

 private:
  int64_t rows_ = 0;
  int64_t null_count_ = 0;
  std::shared_ptr<arrow::Buffer> validity_;
  std::shared_ptr<arrow::Buffer> offsets_;
  std::shared_ptr<arrow::Buffer> data_;
};

Result<BlobBytes> BlobBytes::Make(const Dataset::State& dataset, std::vector<Column> columns,
                                  const arrow::Schema& scanned, const OperationContext& context) {
  BlobBytes bytes(std::move(columns), context);
  arrow::FieldVector fields;
  for (size_t i = 0; i < bytes.columns_.size(); ++i) {
    const Column& column = bytes.columns_[i];
    const auto& field = scanned.field(static_cast<int>(i));
    if (column.field == nullptr) {
      fields.push_back(field);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), WithBytes(*column.field, field));
    bytes.AddFinders(dataset, *column.field, column.name);
  }
  bytes.schema_ = arrow::schema(std::move(fields), scanned.metadata());
  return bytes;
}

void BlobBytes::AddFinders(const Dataset::State& dataset, const Field& field,
                           const std::string& name) {
  if (field.is_blob()) {
    finders_.emplace_back(dataset, field, name, files_, context_);
    return;
  }
  for (const Field& child : field.children) AddFinders(dataset, child, name + "." + child.name);
}

Status BlobBytes::Find(std::shared_ptr<arrow::RecordBatch> batch,
                       const arrow::UInt64Array& addresses) {
  found_.clear();
  batch_ = std::move(batch);
  Values rows{.is_null = std::vector<bool>(batch_->num_rows()),
              .addresses = std::vector<uint64_t>(batch_->num_rows()),
              .begins = {0}};
  for (int64_t row = 0; row < batch_->num_rows(); ++row) {
    rows.addresses[row] = addresses.Value(row);
    rows.begins.push_back(row + 1);
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].field == nullptr || !HasBlobs(*columns_[i].field)) continue;
    ARROW_RETURN_NOT_OK(FindIn(*columns_[i].field, batch_->column(static_cast<int>(i)), rows));
  }
  return Status::OK();
}

Status BlobBytes::FindIn(const Field& field, const std::shared_ptr<arrow::Array>& array,
                         Values values) {
  if (!HasBlobs(field)) return Status::OK();
  for (int64_t row = 0; row < array->length(); ++row) {
    if (array->IsNull(row)) values.is_null[row] = true;
  }
  if (field.is_blob()) {
    const auto& descriptors = static_cast<const arrow::StructArray&>(*array);
    BlobFinder& finder = finders_[found_.size()];
    Leaf leaf{.blobs = std::vector<FoundBlob>(array->length()), .begins = std::move(values.begins)};
    for (int64_t row = 0; row < array->length(); ++row) {
      FoundBlob& found = leaf.blobs[row];
      found.row_address = values.addresses[row];
      if (values.is_null[row]) continue;
      ARROW_ASSIGN_OR_RAISE(found.blob, finder.Find(descriptors, row, found.row_address));
    }
    found_.push_back(std::move(leaf));
    return Status::OK();
  }
  if (array->type_id() == arrow::Type::LIST) {
    return FindInItems(field, static_cast<const arrow::ListArray&>(*array), values);
  }
  if (array->type_id() == arrow::Type::LARGE_LIST) {
    return FindInItems(field, static_cast<const arrow::LargeListArray&>(*array), values);
  }
  const auto& structs = static_cast<const arrow::StructArray&>(*array);
  for (size_t i = 0; i < field.children.size(); ++i) {
    ARROW_RETURN_NOT_OK(FindIn(field.children[i], structs.field(static_cast<int>(i)), values));
  }
  return Status::OK();
}

template <typename ListArray>
Status BlobBytes::FindInItems(const Field& field, const ListArray& lists, const Values& values) {
  const int64_t first = lists.value_offset(0);
  Values items;
  for (int64_t row = 0; row < lists.length(); ++row) {
    const int64_t count = lists.value_offset(row + 1) - lists.value_offset(row);
    items.is_null.insert(items.is_null.end(), count, values.is_null[row]);
    items.addresses.insert(items.addresses.end(), count, values.addresses[row]);
  }
  for (const int64_t begin : values.begins) {
    items.begins.push_back(lists.value_offset(begin) - first);
  }
  const auto values_of_items = lists.values()->Slice(first, std::ssize(items.addresses));
  return FindIn(field.children[0], values_of_items, std::move(items));
}

Status BlobBytes::CheckClaims() const {
  for (size_t i = 0; i < found_.size(); ++i) {
    ARROW_RETURN_NOT_OK(finders_[i].CheckClaims(found_[i].blobs));
  }
  return Status::OK();
}

int64_t BlobBytes::CountRows(int64_t begin, int64_t most_bytes) const {
  int64_t bytes = 0;
  int64_t row = begin;
  for (; row < batch_->num_rows(); ++row) {
    for (const Leaf& leaf : found_) {
      for (int64_t i = leaf.begins[row]; i < leaf.begins[row + 1]; ++i) {
        bytes += SizeOf(leaf.blobs[i]);
      }
    }
    if (bytes > most_bytes && row > begin) break;
  }
  return row - begin;
}

Result<std::shared_ptr<arrow::RecordBatch>> BlobBytes::Read(int64_t begin, int64_t rows) const {
  const auto piece = batch_->Slice(begin, rows);
  std::vector<BlobRead> reads;
  std::vector<BytesArray> arrays;
  for (const Leaf& leaf : found_) {
    const int64_t first = leaf.begins[begin];
    const auto blobs = std::span(leaf.blobs).subspan(first, leaf.begins[begin + rows] - first);
    ARROW_ASSIGN_OR_RAISE(auto array, BytesArray::Plan(blobs, &reads, context_.pool));
    arrays.push_back(std::move(array));
  }
  ARROW_RETURN_NOT_OK(ReadBlobs(reads, context_));
  size_t number = 0;
  arrow::ArrayVector columns;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto& column = piece->column(static_cast<int>(i));
    if (columns_[i].field == nullptr) {
      columns.push_back(column);
      continue;
    }
    const auto& type = schema_->field(static_cast<int>(i))->type();
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                          PutIn(*columns_[i].field, column, type, &arrays, &number));
  }
  return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
}

/// `array` with the arrays from `*number` on in place of its descriptors.
Result<std::shared_ptr<arrow::Array>> BlobBytes::PutIn(const Field& field,
                                                       const std::shared_ptr<arrow::Array>& array,
                                                       const std::shared_ptr<arrow::DataType>& type,
                                                       std::vector<BytesArray>* arrays,
                                                       size_t* number) const {
  if (!HasBlobs(field)) return array;
  if (field.is_blob()) return std::move((*arrays)[(*number)++]).Finish();
  if (array->type_id() == arrow::Type::LIST) {
    return PutInItems(field, static_cast<const arrow::ListArray&>(*array), type, arrays, number);
  }
  if (array->type_id() == arrow::Type::LARGE_LIST) {
    return PutInItems(field, static_cast<const arrow::LargeListArray&>(*array), type, arrays,
                      number);
  }
  const auto& structs = static_cast<const arrow::StructArray&>(*array);
  arrow::ArrayVector children;
  for (size_t i = 0; i < field.children.size(); ++i) {
    const auto child = static_cast<int>(i);
    ARROW_ASSIGN_OR_RAISE(
        children.emplace_back(),
        PutIn(field.children[i], structs.field(child), type->field(child)->type(), arrays, number));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(*array, context_.pool));
  return std::make_shared<arrow::StructArray>(type, array->length(), std::move(children),
                                              std::move(validity));
}

template <typename ListArray>
Result<std::shared_ptr<arrow::Array>> BlobBytes::PutInItems(
    const Field& field, const ListArray& lists, const std::shared_ptr<arrow::DataType>& type,
    std::vector<BytesArray>* arrays, size_t* number) const {
  using Offset = typename ListArray::offset_type;
  const int64_t first = lists.value_offset(0);
  const int64_t count = lists.value_offset(lists.length()) - first;
  ARROW_ASSIGN_OR_RAISE(const auto items,
                        PutIn(field.children[0], lists.values()->Slice(first, count),
                              type->field(0)->type(), arrays, number));
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((lists.length() + 1) * int64_t{sizeof(Offset)}, context_.pool));
  auto* offset = reinterpret_cast<Offset*>(offsets->mutable_data());
  for (int64_t row = 0; row <= lists.length(); ++row) {
    offset[row] = static_cast<Offset>(lists.value_offset(row) - first);
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(lists, context_.pool));
  return std::make_shared<ListArray>(type, lists.length(), std::move(offsets), items,
                                     std::move(validity));
}

}  // namespace tusk::lance
