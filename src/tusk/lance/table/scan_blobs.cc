#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/blob.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_finder.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

using Blobs = std::vector<std::shared_ptr<const Blob>>;

bool HasBlobs(const Field& field) {
  return field.is_blob() || std::ranges::any_of(field.children, HasBlobs);
}

/// `field` as it comes from the scan, with bytes in place of descriptors.
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
  if (field.logical_type != "struct") {
    return Unsupported("column '", field.name,
                       "': blobs in lists cannot be read as bytes yet; read where they lie");
  }
  arrow::FieldVector children;
  for (size_t i = 0; i < field.children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        children.emplace_back(),
        WithBytes(field.children[i], scanned->type()->field(static_cast<int>(i))));
  }
  return scanned->WithType(arrow::struct_(children));
}

/// The large_binary array of blobs whose bytes were or will be read.
class BytesArray {
 public:
  /// Adds what is to be read to `reads`.
  static Result<BytesArray> Plan(std::span<const std::shared_ptr<const Blob>> blobs,
                                 std::vector<BlobRead>* reads, arrow::MemoryPool* pool) {
    BytesArray array;
    const auto rows = std::ssize(blobs);
    ARROW_ASSIGN_OR_RAISE(array.offsets_,
                          arrow::AllocateBuffer((rows + 1) * int64_t{sizeof(int64_t)}, pool));
    ARROW_ASSIGN_OR_RAISE(array.validity_, arrow::AllocateBitmap(rows, pool));
    auto* offsets = reinterpret_cast<int64_t*>(array.offsets_->mutable_data());
    offsets[0] = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const bool is_valid = blobs[row] != nullptr;
      arrow::bit_util::SetBitTo(array.validity_->mutable_data(), row, is_valid);
      if (!is_valid) ++array.null_count_;
      offsets[row + 1] = offsets[row] + (is_valid ? blobs[row]->size() : 0);
    }
    ARROW_ASSIGN_OR_RAISE(array.data_, arrow::AllocateBuffer(offsets[rows], pool));
    for (int64_t row = 0; row < rows; ++row) {
      if (blobs[row] == nullptr || blobs[row]->size() == 0) continue;
      reads->push_back({.blob = blobs[row].get(),
                        .offset = 0,
                        .into = {array.data_->mutable_data() + offsets[row],
                                 static_cast<size_t>(blobs[row]->size())}});
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

/// Puts the bytes into the batches of a scan.
class BytesReader final : public arrow::RecordBatchReader {
 public:
  /// A column of the scan; `field` is null if it is none of the table.
  struct Column {
    const Field* field = nullptr;
    std::string name;
  };

  BytesReader(std::shared_ptr<const Dataset> dataset, std::vector<Column> columns,
              int address_column, int64_t batch_bytes, OperationContext context)
      : dataset_(std::move(dataset)),
        columns_(std::move(columns)),
        address_column_(address_column),
        batch_bytes_(batch_bytes),
        context_(std::move(context)) {}

  Status Begin(std::shared_ptr<arrow::RecordBatchReader> scan) {
    scan_ = std::move(scan);
    arrow::FieldVector fields;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const auto& scanned = scan_->schema()->field(static_cast<int>(i));
      if (columns_[i].field == nullptr) {
        fields.push_back(scanned);
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), WithBytes(*columns_[i].field, scanned));
      AddFinders(*columns_[i].field, columns_[i].name);
    }
    schema_ = arrow::schema(std::move(fields), scan_->schema()->metadata());
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    while (batch_ == nullptr || next_row_ >= batch_->num_rows()) {
      ARROW_RETURN_NOT_OK(scan_->ReadNext(&batch_));
      next_row_ = 0;
      if (batch_ == nullptr) {
        out->reset();
        return Status::OK();
      }
      ARROW_RETURN_NOT_OK(FindAll());
    }
    return NextPiece().Value(out);
  }

 private:
  void AddFinders(const Field& field, const std::string& name) {
    if (field.is_blob()) {
      finders_.emplace_back(dataset_->state(), field, name, files_, context_);
      return;
    }
    for (const Field& child : field.children) AddFinders(child, name + "." + child.name);
  }

  /// Finds the blobs of all rows of the batch.
  Status FindAll() {
    found_.clear();
    size_t number = 0;
    const auto& addresses =
        static_cast<const arrow::UInt64Array&>(*batch_->column(address_column_));
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].field == nullptr) continue;
      ARROW_RETURN_NOT_OK(Find(*columns_[i].field, batch_->column(static_cast<int>(i)), addresses,
                               std::vector<bool>(batch_->num_rows()), &number));
    }
    return Status::OK();
  }

  Status Find(const Field& field, const std::shared_ptr<arrow::Array>& array,
              const arrow::UInt64Array& addresses, std::vector<bool> is_null, size_t* number) {
    if (!HasBlobs(field)) return Status::OK();
    const auto& structs = static_cast<const arrow::StructArray&>(*array);
    for (int64_t row = 0; row < array->length(); ++row) {
      if (array->IsNull(row)) is_null[row] = true;
    }
    if (field.is_blob()) {
      Blobs blobs(array->length());
      BlobFinder& finder = finders_[(*number)++];
      for (int64_t row = 0; row < array->length(); ++row) {
        if (is_null[row]) continue;
        ARROW_ASSIGN_OR_RAISE(blobs[row], finder.Find(structs, row, addresses.Value(row)));
      }
      found_.push_back(std::move(blobs));
      return Status::OK();
    }
    for (size_t i = 0; i < field.children.size(); ++i) {
      ARROW_RETURN_NOT_OK(
          Find(field.children[i], structs.field(static_cast<int>(i)), addresses, is_null, number));
    }
    return Status::OK();
  }

  /// Rows from the next on whose blobs have no more bytes than a batch shall, at least one.
  int64_t CountRows() const {
    int64_t bytes = 0;
    int64_t row = next_row_;
    for (; row < batch_->num_rows(); ++row) {
      for (const Blobs& blobs : found_) bytes += blobs[row] == nullptr ? 0 : blobs[row]->size();
      if (bytes > batch_bytes_ && row > next_row_) break;
    }
    return row - next_row_;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> NextPiece() {
    const int64_t rows = CountRows();
    const auto piece = batch_->Slice(next_row_, rows);
    std::vector<BlobRead> reads;
    std::vector<BytesArray> arrays;
    for (const Blobs& blobs : found_) {
      ARROW_ASSIGN_OR_RAISE(auto array, BytesArray::Plan(std::span(blobs).subspan(next_row_, rows),
                                                         &reads, context_.pool));
      arrays.push_back(std::move(array));
    }
    ARROW_RETURN_NOT_OK(ReadBlobs(reads, context_));
    next_row_ += rows;
    size_t number = 0;
    arrow::ArrayVector columns;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const auto& column = piece->column(static_cast<int>(i));
      if (columns_[i].field == nullptr) {
        columns.push_back(column);
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            PutIn(*columns_[i].field, column,
                                  schema_->field(static_cast<int>(i))->type(), &arrays, &number));
    }
    return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
  }

  /// `array` with the arrays from `*number` on in place of its descriptors.
  Result<std::shared_ptr<arrow::Array>> PutIn(const Field& field,
                                              const std::shared_ptr<arrow::Array>& array,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              std::vector<BytesArray>* arrays, size_t* number) {
    if (!HasBlobs(field)) return array;
    if (field.is_blob()) return std::move((*arrays)[(*number)++]).Finish();
    const auto& structs = static_cast<const arrow::StructArray&>(*array);
    arrow::ArrayVector children;
    for (size_t i = 0; i < field.children.size(); ++i) {
      const auto child = static_cast<int>(i);
      ARROW_ASSIGN_OR_RAISE(children.emplace_back(),
                            PutIn(field.children[i], structs.field(child),
                                  type->field(child)->type(), arrays, number));
    }
    std::shared_ptr<arrow::Buffer> validity;
    if (array->null_count() > 0) {
      ARROW_ASSIGN_OR_RAISE(validity,
                            arrow::internal::CopyBitmap(context_.pool, array->null_bitmap_data(),
                                                        array->offset(), array->length()));
    }
    return std::make_shared<arrow::StructArray>(type, array->length(), std::move(children),
                                                std::move(validity));
  }

  const std::shared_ptr<const Dataset> dataset_;
  const std::vector<Column> columns_;
  const int address_column_;
  const int64_t batch_bytes_;
  const OperationContext context_;
  const std::shared_ptr<BlobFiles> files_ = std::make_shared<BlobFiles>();
  std::vector<BlobFinder> finders_;  ///< one for each blob in the columns, in their order
  std::shared_ptr<arrow::RecordBatchReader> scan_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t next_row_ = 0;
  std::vector<Blobs> found_;  ///< of the batch, in the order of the finders
};

/// The field that a column of the result is, if it is one of the table.
const Field* FindColumn(const Schema& schema, const std::string& text) {
  if (const Field* field = schema.FindField(text)) return field;
  const auto path = schema.Resolve(text);
  return path.ok() ? path->back() : nullptr;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ScanBlobBytes(
    std::shared_ptr<const Dataset> dataset, const ScanOptions& options,
    const OperationContext& context) {
  const Schema& schema = dataset->state().manifest.schema;
  if (options.include_deleted_rows) {
    return Unsupported("blobs of deleted rows cannot be read as bytes");
  }
  std::vector<BytesReader::Column> columns;
  if (!options.expressions.empty()) {
    for (const NamedExpression& column : options.expressions) {
      columns.push_back({FindColumn(schema, column.expression), column.name});
    }
  } else {
    const auto names = options.columns.value_or(dataset->schema()->field_names());
    for (const std::string& name : names) columns.push_back({FindColumn(schema, name), name});
  }
  ScanOptions scan = options;
  const auto named = std::ranges::find(columns, kRowAddressColumn, &BytesReader::Column::name);
  const bool has_address = named != columns.end() || options.with_row_address;
  scan.with_row_address = named == columns.end();
  ARROW_ASSIGN_OR_RAISE(auto rows, dataset->Scan(scan, context));
  // Row ids and addresses that are asked for stand behind the columns.
  const int last = rows->schema()->num_fields() - 1;
  const int address = named == columns.end() ? last : static_cast<int>(named - columns.begin());
  const int given = has_address ? last + 1 : last;
  while (static_cast<int>(columns.size()) < given) columns.push_back({});
  auto reader = std::make_shared<BytesReader>(std::move(dataset), std::move(columns), address,
                                              options.batch_bytes, context);
  ARROW_RETURN_NOT_OK(reader->Begin(std::move(rows)));
  return reader;
}

}  // namespace tusk::lance
