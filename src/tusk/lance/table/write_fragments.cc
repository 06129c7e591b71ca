#include "tusk/lance/table/write_fragments.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/file/page_options.h"
#include "tusk/lance/file/writer.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/blob_sidecars.h"
#include "tusk/lance/table/blob_thresholds.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/data_file.h"
#include "tusk/lance/table/target_folders.h"
#include "tusk/lance/table/transaction_json.h"

namespace tusk::lance {
namespace {

io::StorePath FileIn(const DataFolder& folder, std::string_view name) {
  return {.store = folder.place.store, .path = io::JoinPath(folder.place.path, name)};
}

/// Fills one file after the other, in the folders by turns.
class FragmentWriter {
 public:
  FragmentWriter(std::vector<DataFolder> folders, const Schema& schema, BatchShaper shaper,
                 BlobWriter blobs, const FileWriterOptions& file_options,
                 const WriteOptions& options, const OperationContext& context)
      : folders_(std::move(folders)),
        schema_(schema),
        shaper_(std::move(shaper)),
        blobs_(std::move(blobs)),
        file_options_(file_options),
        options_(options),
        context_(context) {}

  Status Write(const arrow::RecordBatch& batch) {
    int64_t begin = 0;
    while (begin < batch.num_rows()) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      if (file_ == nullptr) ARROW_RETURN_NOT_OK(OpenFile());
      const int64_t length =
          std::min(batch.num_rows() - begin, options_.max_rows_per_file - file_rows_);
      ARROW_RETURN_NOT_OK(WriteRows(*batch.Slice(begin, length)));
      begin += length;
      file_rows_ += length;
      rows_ += length;
      ARROW_ASSIGN_OR_RAISE(const bool is_full, IsFull());
      if (is_full) ARROW_RETURN_NOT_OK(FinishFile());
    }
    if (context_.progress != nullptr) context_.progress->Report("rows", rows_, -1);
    return Status::OK();
  }

  Status FinishFile() {
    if (file_ == nullptr) return Status::OK();
    if (blobs_.has_blobs()) ARROW_RETURN_NOT_OK(blobs_.FinishFile());
    ARROW_ASSIGN_OR_RAISE(FileSummary summary, file_->Finish());
    file_.reset();
    Fragment fragment = FragmentOf(std::move(name_), std::move(summary));
    fragment.files[0].base_id = Folder().base_id;
    fragments_.push_back(std::move(fragment));
    return Tell(fragments_.back(), /*is_complete=*/true);
  }

  std::vector<Fragment>& fragments() { return fragments_; }

  /// Removes what lies beside a file that was not finished, after a failure.
  void Abandon() {
    if (file_ == nullptr || !blobs_.has_blobs()) return;
    OperationContext unstoppable = context_;
    unstoppable.stop = {};
    RemoveSidecars(FileIn(Folder(), name_), unstoppable);
  }

 private:
  Status WriteRows(const arrow::RecordBatch& rows) {
    const auto write = [this](const arrow::RecordBatch& piece) { return file_->Write(piece); };
    const auto shape = [&](const arrow::RecordBatch& prepared) {
      return shaper_.Shape(prepared, context_, write);
    };
    return blobs_.has_blobs() ? blobs_.Write(rows, shape) : shape(rows);
  }

  Result<bool> IsFull() {
    if (file_rows_ >= options_.max_rows_per_file) return true;
    const int64_t limit = options_.max_bytes_per_file;
    // Pages are not waited for before they could matter.
    if (limit - file_->bytes_written() > file_->bytes_in_flight()) return false;
    ARROW_RETURN_NOT_OK(file_->Drain());
    return file_->bytes_written() >= limit;
  }

  Status OpenFile() {
    name_ = NewDataFileName();
    io::StorePath place = FileIn(Folder(), name_);
    ARROW_ASSIGN_OR_RAISE(
        file_, FileWriter::Open(place.store.get(), place.path, schema_, file_options_, context_));
    if (blobs_.has_blobs()) blobs_.BeginFile(std::move(place));
    file_rows_ = 0;
    Fragment begun;
    begun.files.emplace_back().path = name_;
    begun.files.back().base_id = Folder().base_id;
    return Tell(begun, /*is_complete=*/false);
  }

  /// Of the file that is written or comes next.
  const DataFolder& Folder() const { return folders_[fragments_.size() % folders_.size()]; }

  Status Tell(const Fragment& fragment, bool is_complete) const {
    if (options_.observer == nullptr) return Status::OK();
    return options_.observer(FragmentToJson(fragment), is_complete);
  }

  const std::vector<DataFolder> folders_;
  const Schema& schema_;
  const BatchShaper shaper_;
  BlobWriter blobs_;
  const FileWriterOptions file_options_;
  const WriteOptions& options_;
  const OperationContext& context_;
  std::unique_ptr<FileWriter> file_;
  std::string name_;
  int64_t file_rows_ = 0;
  int64_t rows_ = 0;
  std::vector<Fragment> fragments_;
};

Status WriteAll(arrow::RecordBatchReader* data, FragmentWriter* writer,
                const OperationContext& context) {
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(data->ReadNext(&batch));
    if (batch == nullptr) return writer->FinishFile();
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
  }
}

}  // namespace

Result<Schema> MatchAppend(const arrow::Schema& data, const Schema& table) {
  Schema matched;
  for (const Field& field : table.fields) {
    const auto column = data.GetFieldByName(field.name);
    if (column == nullptr && !field.nullable) {
      return InvalidArgument("cannot append: the data has no column '", field.name,
                             "', which must not be null");
    }
    if (column == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(const bool can_be_stored, CanBeStored(*column, field));
    if (!can_be_stored) {
      ARROW_ASSIGN_OR_RAISE(const auto stored, ToArrowField(field));
      return InvalidArgument("cannot append: column '", field.name, "' should have type ",
                             stored->type()->ToString(), " but has type ",
                             column->type()->ToString());
    }
    if (field.is_blob_v2()) ARROW_RETURN_NOT_OK(CheckThresholds(*column, field));
    matched.fields.push_back(field);
  }
  for (const auto& column : data.fields()) {
    if (table.FindField(column->name()) == nullptr) {
      return InvalidArgument("cannot append: the table has no column '", column->name(), "'");
    }
  }
  if (matched.fields.empty()) return InvalidArgument("cannot append: the data has no columns");
  return matched;
}

Result<std::vector<Fragment>> WriteFragments(arrow::RecordBatchReader* data,
                                             const io::StorePath& table, const Schema& schema,
                                             uint16_t minor_version, const WriteOptions& options,
                                             const OperationContext& context) {
  return WriteFragments(data, table, schema, minor_version, options, BlobWriteScope(), context);
}

Result<std::vector<Fragment>> WriteFragments(arrow::RecordBatchReader* data,
                                             const io::StorePath& table, const Schema& schema,
                                             uint16_t minor_version, const WriteOptions& options,
                                             const BlobWriteScope& scope,
                                             const OperationContext& context) {
  if (options.max_rows_per_file <= 0 || options.max_bytes_per_file < 0) {
    return InvalidArgument("files of at most ", options.max_rows_per_file, " rows and about ",
                           options.max_bytes_per_file,
                           " bytes: rows must be positive and bytes not negative");
  }
  ARROW_ASSIGN_OR_RAISE(const FileWriterOptions file_options,
                        WriterOptionsOf(options.pages, std::ssize(schema.fields), minor_version));
  ARROW_ASSIGN_OR_RAISE(auto folders, FindTargetFolders(table, scope.base_paths, scope.targets));
  ARROW_ASSIGN_OR_RAISE(BlobWriter blobs, BlobWriter::Make(schema, options.blobs, scope, context));
  ARROW_ASSIGN_OR_RAISE(const auto shaped, blobs.PreparedSchema(*data->schema()));
  ARROW_ASSIGN_OR_RAISE(BatchShaper shaper, BatchShaper::Make(*shaped, blobs.prepared_schema()));
  FragmentWriter writer(std::move(folders), schema, std::move(shaper), std::move(blobs),
                        file_options, options, context);
  const Status status = WriteAll(data, &writer, context);
  if (!status.ok()) {
    writer.Abandon();
    RemoveDataFiles(table, writer.fragments(), context, scope.base_paths);
    return status;
  }
  return std::move(writer.fragments());
}

void RemoveDataFiles(const io::StorePath& table, const std::vector<Fragment>& fragments,
                     const OperationContext& context, std::span<const BasePath> bases) {
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  for (const Fragment& fragment : fragments) {
    for (const DataFile& file : fragment.files) {
      const auto folder = FindDataFolder(table, bases, file.base_id);
      if (!folder.ok()) continue;
      const io::StorePath place = FileIn(*folder, file.path);
      (void)place.store->Delete(place.path, unstoppable);
      RemoveSidecars(place, unstoppable);
    }
  }
}

}  // namespace tusk::lance
