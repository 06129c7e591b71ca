#include "tusk/lance/file/reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/column_pages.h"
#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/file/schema_proto.h"

namespace tusk::lance {
namespace {

/// Holds footer, tables, descriptor and column metadata of all but very wide files.
constexpr int64_t kTailLength = 64 << 10;

using io::ByteRange;

/// The last bytes of a file, and the rest of it behind a request.
class Tail {
 public:
  Tail(std::shared_ptr<const io::ObjectReader> reader, std::shared_ptr<arrow::Buffer> bytes)
      : reader_(std::move(reader)), bytes_(std::move(bytes)) {}

  const io::ObjectReader& reader() const { return *reader_; }
  std::string_view bytes() const { return std::string_view(*bytes_); }
  int64_t begin() const { return reader_->size() - bytes_->size(); }

  /// The bytes of the ranges, without I/O for those in the tail and in one step for the others.
  Result<std::vector<std::shared_ptr<arrow::Buffer>>> Read(std::span<const ByteRange> ranges,
                                                           const OperationContext& context) const;
  /// Forgets what stands before `offset`.
  Status DropBefore(int64_t offset, const OperationContext& context);

 private:
  std::shared_ptr<const io::ObjectReader> reader_;
  std::shared_ptr<arrow::Buffer> bytes_;
};

Result<std::vector<std::shared_ptr<arrow::Buffer>>> Tail::Read(
    std::span<const ByteRange> ranges, const OperationContext& context) const {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(ranges.size());
  std::vector<ByteRange> missing;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].offset >= begin()) {
      buffers[i] = arrow::SliceBuffer(bytes_, ranges[i].offset - begin(), ranges[i].length);
    } else {
      missing.push_back(ranges[i]);
    }
  }
  if (missing.empty()) return buffers;
  ARROW_ASSIGN_OR_RAISE(auto handle, reader_->Read(missing, context));
  size_t next = 0;
  for (auto& buffer : buffers) {
    if (buffer != nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(buffer, handle->Wait(next++));
  }
  return buffers;
}

Status Tail::DropBefore(int64_t offset, const OperationContext& context) {
  const int64_t keep = reader_->size() - std::max(offset, begin());
  if (keep == bytes_->size()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(bytes_, bytes_->CopySlice(bytes_->size() - keep, keep, context.pool));
  return Status::OK();
}

/// Entry `i` of a table of positions and sizes. Corrupt if it points outside the file.
Result<ByteRange> TableEntry(const arrow::Buffer& table, int64_t i, std::string_view what,
                             int64_t file_size) {
  const uint8_t* at = table.data() + i * Footer::kEntrySize;
  const auto position = LoadLittle<uint64_t>(at);
  const auto length = LoadLittle<uint64_t>(at + 8);
  const auto size = static_cast<uint64_t>(file_size);
  if (length > size || position > size - length) {
    return Corrupt(what, " ", i, " of ", length, " bytes at ", position, " is outside the file's ",
                   size, " bytes");
  }
  return ByteRange{.offset = static_cast<int64_t>(position),
                   .length = static_cast<int64_t>(length)};
}

/// A part of a read: what it wants of one page.
struct PagePart {
  const ColumnPages::Entry* entry;
  size_t page_number;
  PageRequest request;
  std::vector<PlannedRead> reads;
};

/// A read of one column.
struct ColumnPart {
  std::shared_ptr<arrow::Field> field;
  ValueShape shape;
  std::vector<PagePart> pages;
};

class FileReaderImpl final : public FileReader {
 public:
  FileReaderImpl(Tail tail, Footer footer, std::shared_ptr<arrow::Buffer> column_table,
                 Schema schema, int64_t num_rows)
      : tail_(std::move(tail)),
        footer_(footer),
        column_table_(std::move(column_table)),
        schema_(std::move(schema)),
        num_rows_(num_rows),
        columns_(footer.num_columns) {}

  const Schema& schema() const override { return schema_; }
  int64_t num_rows() const override { return num_rows_; }
  uint16_t minor_version() const override { return footer_.minor; }
  Result<std::vector<Column>> FindColumns(std::span<const std::string> names) const override;
  Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(
      std::span<const Column> columns, RowRange rows,
      const OperationContext& context) const override;
  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const Column> columns,
                                                   std::span<const int64_t> rows,
                                                   const OperationContext& context) const override;

 private:
  std::string Where(const Column& column) const {
    return tail_.reader().path() + ": column '" + column.field.name + "' (" +
           std::to_string(column.column_index) + ")";
  }
  Status LoadColumns(std::span<const Column> columns, const OperationContext& context) const;
  Status LoadIndices(std::span<const Column> columns, std::span<const ColumnPart> parts,
                     const OperationContext& context) const;
  Result<ColumnPart> StartColumn(const Column& column) const;
  /// The rest of a read, once it is known which pages it wants.
  Result<std::shared_ptr<arrow::RecordBatch>> Read(std::span<const Column> columns,
                                                   std::vector<ColumnPart> parts, int64_t num_rows,
                                                   const OperationContext& context) const;

  Tail tail_;
  Footer footer_;
  std::shared_ptr<arrow::Buffer> column_table_;
  Schema schema_;
  int64_t num_rows_;
  /// By column index; made when a column is first read.
  mutable std::vector<MadeOnce<ColumnPages>> columns_;
};

Result<std::vector<FileReader::Column>> FileReaderImpl::FindColumns(
    std::span<const std::string> names) const {
  ARROW_ASSIGN_OR_RAISE(Schema asked, schema_.Project(names));
  std::unordered_map<std::string_view, int32_t> first_column;
  int32_t index = 0;
  for (const Field& field : schema_.fields) {
    first_column.emplace(field.name, index);
    index += static_cast<int32_t>(CountPhysicalColumns(field, footer_.minor));
  }
  std::vector<Column> columns;
  for (Field& field : asked.fields) {
    const int32_t first = first_column.at(field.name);
    columns.push_back({.field = std::move(field), .column_index = first});
  }
  return columns;
}

Status FileReaderImpl::LoadColumns(std::span<const Column> columns,
                                   const OperationContext& context) const {
  std::vector<const Column*> missing;
  std::vector<ByteRange> ranges;
  for (const Column& column : columns) {
    if (column.column_index < 0 ||
        column.column_index >= static_cast<int64_t>(footer_.num_columns)) {
      return Corrupt(Where(column), ": the file has ", footer_.num_columns, " columns");
    }
    if (columns_[column.column_index].get() != nullptr) continue;
    auto range = TableEntry(*column_table_, column.column_index, "metadata of column",
                            tail_.reader().size());
    if (!range.ok()) return WithContext(range.status(), Where(column));
    missing.push_back(&column);
    ranges.push_back(*range);
  }
  if (missing.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto buffers, tail_.Read(ranges, context));
  for (size_t i = 0; i < missing.size(); ++i) {
    const auto make = [&]() -> Result<std::unique_ptr<const ColumnPages>> {
      ARROW_ASSIGN_OR_RAISE(
          const ColumnMetadata metadata,
          ColumnMetadata::Parse(std::string_view(*buffers[i]), tail_.reader().size()));
      return ColumnPages::Make(metadata);
    };
    auto pages = make();
    if (!pages.ok()) {
      return WithContext(pages.status(),
                         Where(*missing[i]) + ": metadata at " + std::to_string(ranges[i].offset));
    }
    columns_[missing[i]->column_index].Set(*std::move(pages));
  }
  return Status::OK();
}

Status FileReaderImpl::LoadIndices(std::span<const Column> columns,
                                   std::span<const ColumnPart> parts,
                                   const OperationContext& context) const {
  struct Missing {
    size_t column;
    const PagePart* part;
    size_t first_range;
  };
  std::vector<Missing> missing;
  std::vector<ByteRange> ranges;
  for (size_t c = 0; c < parts.size(); ++c) {
    for (const PagePart& part : parts[c].pages) {
      if (part.entry->index.get() != nullptr) continue;
      const std::vector<ByteRange> pieces = part.entry->page->index_ranges();
      if (pieces.empty()) continue;
      missing.push_back({.column = c, .part = &part, .first_range = ranges.size()});
      ranges.insert(ranges.end(), pieces.begin(), pieces.end());
    }
  }
  if (missing.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto handle, tail_.reader().Read(ranges, context));
  for (size_t i = 0; i < missing.size(); ++i) {
    const auto& [column, part, first] = missing[i];
    const size_t end = i + 1 < missing.size() ? missing[i + 1].first_range : ranges.size();
    std::vector<std::shared_ptr<arrow::Buffer>> bytes(end - first);
    for (size_t r = first; r < end; ++r) {
      ARROW_ASSIGN_OR_RAISE(bytes[r - first], handle->Wait(r));
    }
    auto index = part->entry->page->ParseIndex(bytes, context.pool);
    if (!index.ok()) {
      return WithContext(index.status(), Where(columns[column]) + ": page " +
                                             std::to_string(part->page_number) + ": index at " +
                                             std::to_string(ranges[first].offset));
    }
    part->entry->index.Set(*std::move(index));
  }
  return Status::OK();
}

Result<ColumnPart> FileReaderImpl::StartColumn(const Column& column) const {
  ColumnPart part;
  const auto start = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(part.field, ToArrowField(column.field));
    ARROW_ASSIGN_OR_RAISE(part.shape, ValueShape::Of(*part.field->type()));
    const int64_t rows = columns_[column.column_index].get()->num_rows;
    if (rows == num_rows_) return Status::OK();
    return Corrupt("has ", rows, " rows in a file of ", num_rows_);
  };
  const Status status = start();
  if (!status.ok()) return WithContext(status, Where(column));
  return part;
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::ReadRange(
    std::span<const Column> columns, RowRange rows, const OperationContext& context) const {
  if (rows.begin < 0 || rows.end < rows.begin || rows.end > num_rows_) {
    return InvalidArgument(tail_.reader().path(), ": rows ", rows.begin, " to ", rows.end,
                           " are not inside the file's ", num_rows_);
  }
  ARROW_RETURN_NOT_OK(LoadColumns(columns, context));
  std::vector<ColumnPart> parts;
  for (const Column& column : columns) {
    ARROW_ASSIGN_OR_RAISE(ColumnPart part, StartColumn(column));
    const ColumnPages& pages = *columns_[column.column_index].get();
    for (int64_t row = rows.begin; row < rows.end;) {
      const size_t number = pages.Find(row);
      const ColumnPages::Entry& entry = pages.entries[number];
      const int64_t end = std::min(rows.end, entry.first_row + entry.num_rows);
      PageRequest request;
      request.rows = {.begin = row - entry.first_row, .end = end - entry.first_row};
      request.position = row - rows.begin;
      request.first_row = entry.first_row;
      part.pages.push_back(
          {.entry = &entry, .page_number = number, .request = request, .reads = {}});
      row = end;
    }
    parts.push_back(std::move(part));
  }
  return Read(columns, std::move(parts), rows.length(), context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::Take(
    std::span<const Column> columns, std::span<const int64_t> rows,
    const OperationContext& context) const {
  std::vector<TakenRow> taken(rows.size());
  bool is_ascending = true;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= num_rows_) {
      return InvalidArgument(tail_.reader().path(), ": row ", rows[i], " is not one of the file's ",
                             num_rows_);
    }
    taken[i] = {.row = rows[i], .position = static_cast<int64_t>(i)};
    is_ascending = is_ascending && (i == 0 || rows[i - 1] <= rows[i]);
  }
  if (!is_ascending) std::ranges::sort(taken, {}, &TakenRow::row);
  ARROW_RETURN_NOT_OK(LoadColumns(columns, context));
  std::vector<ColumnPart> parts;
  for (const Column& column : columns) {
    ARROW_ASSIGN_OR_RAISE(ColumnPart part, StartColumn(column));
    const ColumnPages& pages = *columns_[column.column_index].get();
    for (size_t begin = 0; begin < taken.size();) {
      const size_t number = pages.Find(taken[begin].row);
      const ColumnPages::Entry& entry = pages.entries[number];
      const auto rest = std::span(taken).subspan(begin);
      const auto after =
          std::ranges::lower_bound(rest, entry.first_row + entry.num_rows, {}, &TakenRow::row);
      PageRequest request;
      request.taken = rest.first(after - rest.begin());
      request.first_row = entry.first_row;
      part.pages.push_back(
          {.entry = &entry, .page_number = number, .request = request, .reads = {}});
      begin += request.taken.size();
    }
    parts.push_back(std::move(part));
  }
  return Read(columns, std::move(parts), static_cast<int64_t>(rows.size()), context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::Read(
    std::span<const Column> columns, std::vector<ColumnPart> parts, int64_t num_rows,
    const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(LoadIndices(columns, parts, context));
  std::vector<ByteRange> ranges;
  for (size_t c = 0; c < parts.size(); ++c) {
    for (PagePart& part : parts[c].pages) {
      const auto plan = [&]() -> Status {
        ARROW_RETURN_NOT_OK(part.entry->page->CheckShape(parts[c].shape));
        return part.entry->page->Plan(part.entry->index.get(), part.request, &part.reads);
      };
      const Status status = plan();
      if (!status.ok()) {
        return WithContext(status,
                           Where(columns[c]) + ": page " + std::to_string(part.page_number));
      }
      for (const PlannedRead& read : part.reads) ranges.push_back(read.bytes);
    }
  }
  std::unique_ptr<io::ReadHandle> handle;
  if (!ranges.empty()) {
    ARROW_ASSIGN_OR_RAISE(handle, tail_.reader().Read(ranges, context));
  }
  size_t next = 0;
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (size_t c = 0; c < parts.size(); ++c) {
    ColumnOutput output(parts[c].shape, num_rows, context.pool);
    for (const PagePart& part : parts[c].pages) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      std::vector<std::shared_ptr<arrow::Buffer>> buffers(part.reads.size());
      for (auto& buffer : buffers) {
        ARROW_ASSIGN_OR_RAISE(buffer, handle->Wait(next++));
      }
      const Status status = part.entry->page->Decode(part.entry->index.get(), part.request,
                                                     part.reads, buffers, &output);
      if (!status.ok()) {
        return WithContext(
            status, Where(columns[c]) + ": page " + std::to_string(part.page_number) +
                        (part.reads.empty() ? std::string()
                                            : " at " + std::to_string(part.reads[0].bytes.offset)));
      }
    }
    auto array = output.Finish(parts[c].field->type());
    if (!array.ok()) return WithContext(array.status(), Where(columns[c]));
    arrays.push_back(*std::move(array));
    fields.push_back(parts[c].field);
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), num_rows, std::move(arrays));
}

struct Descriptor {
  Schema schema;
  int64_t num_rows = 0;
};

Result<Descriptor> ParseDescriptor(const arrow::Buffer& bytes) {
  proto::FileDescriptor from;
  if (!ParseMessage(std::string_view(bytes), &from)) {
    return Corrupt("file descriptor of ", bytes.size(), " bytes cannot be parsed");
  }
  if (from.length() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Corrupt("file descriptor claims ", from.length(), " rows");
  }
  Descriptor descriptor;
  ARROW_ASSIGN_OR_RAISE(descriptor.schema, FromProto(from.schema()));
  descriptor.num_rows = static_cast<int64_t>(from.length());
  return descriptor;
}

Result<std::shared_ptr<const FileReader>> OpenFile(const io::OpenedObject& object,
                                                   const OperationContext& context) {
  Tail tail(object.reader, object.tail);
  const int64_t file_size = object.reader->size();
  ARROW_ASSIGN_OR_RAISE(const Footer footer, Footer::Parse(tail.bytes(), file_size));
  // Entry 0 of the buffer table is the descriptor's; global buffers of users stay unread.
  const std::vector<ByteRange> tables = {
      {.offset = static_cast<int64_t>(footer.column_table),
       .length = footer.num_columns * Footer::kEntrySize},
      {.offset = static_cast<int64_t>(footer.buffer_table), .length = Footer::kEntrySize}};
  ARROW_ASSIGN_OR_RAISE(const auto table_bytes, tail.Read(tables, context));
  ARROW_ASSIGN_OR_RAISE(const ByteRange descriptor_range,
                        TableEntry(*table_bytes[1], 0, "global buffer", file_size));
  ARROW_ASSIGN_OR_RAISE(const auto descriptor_bytes, tail.Read({&descriptor_range, 1}, context));
  ARROW_ASSIGN_OR_RAISE(Descriptor descriptor, ParseDescriptor(*descriptor_bytes[0]));
  // An open reader keeps what later reads may need, not the data that came along.
  ARROW_RETURN_NOT_OK(tail.DropBefore(static_cast<int64_t>(footer.column_metadata), context));
  ARROW_ASSIGN_OR_RAISE(auto column_table,
                        table_bytes[0]->CopySlice(0, table_bytes[0]->size(), context.pool));
  return std::make_shared<FileReaderImpl>(std::move(tail), footer, std::move(column_table),
                                          std::move(descriptor.schema), descriptor.num_rows);
}

}  // namespace

Result<std::shared_ptr<const FileReader>> FileReader::Open(io::ObjectStore* store,
                                                           std::string_view path,
                                                           const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(io::OpenedObject object, store->Open(path, kTailLength, context));
  auto reader = OpenFile(object, context);
  if (!reader.ok()) return WithContext(reader.status(), path);
  return reader;
}

}  // namespace tusk::lance
