#include "tusk/lance/file/write/copying_writer.h"

#include <utility>

#include <arrow/buffer.h>

#include "tusk/base/checksum.h"
#include "tusk/lance/file/physical_column.h"

namespace tusk::lance {

Result<std::unique_ptr<CopyingWriter>> CopyingWriter::Open(io::ObjectStore* store,
                                                           std::string_view path, Schema schema,
                                                           uint16_t minor_version,
                                                           int64_t read_bytes,
                                                           const OperationContext& context) {
  size_t num_columns = 0;
  for (const Field& field : schema.fields) {
    num_columns += static_cast<size_t>(CountPhysicalColumns(field, minor_version));
  }
  ARROW_ASSIGN_OR_RAISE(auto file, FileContainer::Create(store, path, minor_version, context));
  return std::unique_ptr<CopyingWriter>(
      new CopyingWriter(std::move(file), std::move(schema), num_columns, read_bytes, context));
}

Status CopyingWriter::Append(const io::ObjectReader& source, std::span<const Part> parts) {
  std::vector<PageToCopy> batch;
  int64_t bytes = 0;
  for (const Part& part : parts) {
    const std::vector<StoredPage>& pages = part.pages->pages;
    for (size_t i = 0; i < pages.size(); ++i) {
      const int64_t size = pages[i].size_bytes();
      if (!batch.empty() && size > read_bytes_ - bytes) {
        ARROW_RETURN_NOT_OK(Copy(source, batch));
        batch.clear();
        bytes = 0;
      }
      batch.push_back({.column = part.column, .number = i, .page = &pages[i]});
      bytes += size;
    }
  }
  return Copy(source, batch);
}

Status CopyingWriter::Copy(const io::ObjectReader& source, std::span<const PageToCopy> pages) {
  ARROW_RETURN_NOT_OK(context_.CheckStop());
  std::vector<io::ByteRange> ranges;
  for (const PageToCopy& copy : pages) {
    for (const io::ByteRange& buffer : copy.page->buffers) {
      if (buffer.length > 0) ranges.push_back(buffer);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto read, source.Read(ranges, context_));
  size_t next = 0;
  for (const PageToCopy& copy : pages) {
    StoredPage page{.num_rows = copy.page->num_rows,
                    .buffers = {},
                    .encoding = copy.page->encoding,
                    .summary = {}};
    Checksum checksum;
    for (const io::ByteRange& buffer : copy.page->buffers) {
      std::shared_ptr<arrow::Buffer> bytes;
      if (buffer.length > 0) {
        ARROW_ASSIGN_OR_RAISE(bytes, read->Wait(next++));
      }
      const std::span<const uint8_t> copied =
          bytes == nullptr ? std::span<const uint8_t>()
                           : std::span(bytes->data(), static_cast<size_t>(bytes->size()));
      checksum.Update(copied);
      ARROW_ASSIGN_OR_RAISE(page.buffers.emplace_back(), file_->Append(copied));
    }
    PageSummary summary = copy.page->summary.value_or(PageSummary());
    if (copy.page->summary && summary.checksum != checksum.value()) {
      return Corrupt(source.path(), ": page ", copy.number, " of what is column ", copy.column,
                     " of the table does not have the checksum with which it was written");
    }
    summary.checksum = checksum.value();
    columns_[copy.column].pages.pages.push_back(std::move(page));
    columns_[copy.column].annex.pages.push_back(std::move(summary));
  }
  return Status::OK();
}

Result<FileSummary> CopyingWriter::Finish(int64_t num_rows) {
  std::vector<FileContainer::Column> columns;
  columns.reserve(columns_.size());
  for (Column& column : columns_) {
    columns.push_back({.metadata = column.pages.Serialize(), .annex = std::move(column.annex)});
  }
  return file_->Finish(schema_, num_rows, std::move(columns));
}

}  // namespace tusk::lance
