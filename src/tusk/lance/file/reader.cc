#include "tusk/lance/file/reader.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/io/direct_read.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/array/array_column.h"
#include "tusk/lance/file/array/array_field_read.h"
#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/column_pages.h"
#include "tusk/lance/file/field_read.h"
#include "tusk/lance/file/file_tail.h"
#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/packed_projection.h"
#include "tusk/lance/file/page_bounds.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/file/schema_proto.h"
#include "tusk/lance/file/structural_read.h"

namespace tusk::lance {
namespace {

/// Holds footer, tables, descriptor and column metadata of all but very wide files.
constexpr int64_t kTailLength = 64 << 10;

/// An open reader keeps a last global buffer of less, which may be the annex, if it came along.
constexpr int64_t kMostKeptAnnex = 16 << 10;

/// More rows than that touch so much that what they read says little of what is read again.
constexpr size_t kMostKeptRows = 16 << 10;

/// Of a file that was opened a descriptor of no more bytes is kept, for the next.
constexpr int64_t kMostKeptDescriptor = 1 << 20;

/// An open reader keeps all of a file of no more.
constexpr int64_t kMostKeptFile = 16 << 10;

using io::ByteRange;

/// How much larger metadata is once it is parsed, about.
constexpr int64_t kParsedSize = 4;

/// What the indices of the pages will take, about.
int64_t IndexBytes(const ColumnPages& column) {
  int64_t bytes = 0;
  for (const ColumnPages::Entry& entry : column.entries) {
    for (const ByteRange& range : entry.page->index_ranges()) bytes += range.length * kParsedSize;
  }
  return bytes;
}
int64_t IndexBytes(const ArrayColumn& /*column*/) { return 0; }

/// What a file says of itself.
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

/// The same, parsed once for files that follow each other and say the same, as fragments of a table
/// do as a rule.
Result<std::shared_ptr<const Descriptor>> FindDescriptor(
    const std::shared_ptr<arrow::Buffer>& bytes) {
  static std::mutex mutex;
  static std::string last_bytes;
  static std::shared_ptr<const Descriptor> last;
  {
    std::lock_guard lock(mutex);
    if (last != nullptr && last_bytes == std::string_view(*bytes)) return last;
  }
  ARROW_ASSIGN_OR_RAISE(Descriptor parsed, ParseDescriptor(*bytes));
  auto descriptor = std::make_shared<const Descriptor>(std::move(parsed));
  if (bytes->size() <= kMostKeptDescriptor) {
    std::lock_guard lock(mutex);
    last_bytes = std::string_view(*bytes);
    last = descriptor;
  }
  return descriptor;
}

class FileReaderImpl final : public FileReader {
 public:
  /// Of the file's global buffers those that a reader may need: in data version 2.0 all of them,
  /// else the first, and the last if there are several.
  FileReaderImpl(FileTail tail, Footer footer, std::shared_ptr<arrow::Buffer> column_table,
                 std::vector<ByteRange> global_buffers,
                 std::shared_ptr<const Descriptor> descriptor, int64_t descriptor_bytes,
                 std::shared_ptr<RangeCache> ranges)
      : tail_(std::move(tail)),
        ranges_(std::move(ranges)),
        footer_(footer),
        column_table_(std::move(column_table)),
        global_buffers_(std::move(global_buffers)),
        descriptor_(std::move(descriptor)),
        schema_(descriptor_->schema),
        num_rows_(descriptor_->num_rows),
        columns_(is_array_file() ? 0 : footer.num_columns),
        array_columns_(is_array_file() ? footer.num_columns : 0),
        memory_bytes_(std::ssize(tail_.bytes()) + column_table_->size() +
                      footer.num_columns * int64_t{sizeof(void*)} +
                      descriptor_bytes * kParsedSize) {}

  const Schema& schema() const override { return schema_; }
  int64_t num_rows() const override { return num_rows_; }
  uint16_t minor_version() const override { return footer_.data_minor(); }
  int64_t file_size() const override { return tail_.file_size(); }
  int64_t memory_bytes() const override { return memory_bytes_.load(std::memory_order_relaxed); }
  Result<std::vector<Column>> FindColumns(std::span<const std::string> names) const override;
  Result<std::vector<expr::ColumnRange>> PageRanges(const Column& column, RowRange rows,
                                                    const OperationContext& context) const override;
  Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(
      std::span<const Column> columns, RowRange rows,
      const OperationContext& context) const override;
  Result<std::shared_ptr<arrow::RecordBatch>> ReadCodes(
      std::span<const Column> columns, RowRange rows,
      const OperationContext& context) const override;
  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const Column> columns,
                                                   std::span<const int64_t> rows,
                                                   const OperationContext& context) const override;
  Result<std::shared_ptr<arrow::RecordBatch>> TakeAgain(
      std::span<const Column> columns, std::span<const int64_t> rows,
      const OperationContext& context) const override;

 private:
  /// Whether columns are those of data version 2.0.
  bool is_array_file() const { return footer_.data_minor() == 0; }
  std::string Where(const Column& column) const {
    return tail_.path() + ": column '" + column.field.name + "'";
  }
  Status CheckRows(RowRange rows) const;
  /// The file's annex, read once; one without columns if it has none.
  Result<const Annex*> LoadAnnex(const OperationContext& context) const;
  Status LoadColumns(std::span<const Column> columns, const OperationContext& context) const;
  /// Makes those of `loaded` that are not there yet of their metadata.
  template <typename Loaded, typename Make>
  Status LoadColumns(std::span<const Column> columns, std::vector<MadeOnce<Loaded>>* loaded,
                     const Make& make, const OperationContext& context) const;
  Result<std::unique_ptr<FieldRead>> StartRead(const Column& column, const RowsToRead& rows,
                                               arrow::MemoryPool* pool) const;
  Result<std::unique_ptr<FieldRead>> StartRead(const Field& field, std::span<const int32_t> numbers,
                                               const RowsToRead& rows,
                                               arrow::MemoryPool* pool) const;
  Result<std::shared_ptr<arrow::RecordBatch>> Read(std::span<const Column> columns,
                                                   const RowsToRead& rows,
                                                   const OperationContext& context,
                                                   RangeCache* kept = nullptr) const;
  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const Column> columns,
                                                   std::span<const int64_t> rows, RangeCache* kept,
                                                   const OperationContext& context) const;
  /// The bytes of the ranges: of `kept` what it has, and from the file the others and the targets.
  Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadRanges(
      std::span<const ByteRange> ranges, std::span<const io::ReadTarget> targets, RangeCache* kept,
      const OperationContext& context) const;

  FileTail tail_;
  std::shared_ptr<RangeCache> ranges_;  ///< may be null
  const uint64_t number_ = RangeCache::NumberFile();
  Footer footer_;
  std::shared_ptr<arrow::Buffer> column_table_;
  std::vector<ByteRange> global_buffers_;
  std::shared_ptr<const Descriptor> descriptor_;
  const Schema& schema_;
  int64_t num_rows_;
  /// By column index; made when a column is first read. One of the two is empty, by the version.
  mutable std::vector<MadeOnce<ColumnPages>> columns_;
  mutable std::vector<MadeOnce<ArrayColumn>> array_columns_;
  mutable MadeOnce<Annex> annex_;
  mutable std::atomic<int64_t> memory_bytes_;
};

using ColumnNumbers = std::unordered_map<const Field*, int32_t>;

/// Appends the numbers of the columns of `asked`, which has some of the children of `whole`.
void AppendColumns(const Field& asked, const Field& whole, const ColumnNumbers& numbers,
                   std::vector<int32_t>* columns) {
  const auto found = numbers.find(&whole);
  if (found != numbers.end()) columns->push_back(found->second);
  for (const Field& child : asked.children) {
    const auto same = std::ranges::find(whole.children, child.name, &Field::name);
    if (same != whole.children.end()) AppendColumns(child, *same, numbers, columns);
  }
}

Result<std::vector<FileReader::Column>> FileReaderImpl::FindColumns(
    std::span<const std::string> paths) const {
  ARROW_ASSIGN_OR_RAISE(Schema asked, schema_.ProjectPaths(paths));
  ColumnNumbers numbers;
  for (const Field& field : schema_.fields) {
    for (const PhysicalColumn& column : PhysicalColumns(field, footer_.data_minor())) {
      numbers.emplace(column.field, static_cast<int32_t>(numbers.size()));
    }
  }
  std::vector<Column> columns;
  for (Field& field : asked.fields) {
    Column column;
    AppendColumns(field, *schema_.FindField(field.name), numbers, &column.columns);
    column.field = std::move(field);
    columns.push_back(std::move(column));
  }
  return columns;
}

Status FileReaderImpl::CheckRows(RowRange rows) const {
  if (rows.begin >= 0 && rows.begin <= rows.end && rows.end <= num_rows_) return Status::OK();
  return InvalidArgument(tail_.path(), ": rows ", rows.begin, " to ", rows.end,
                         " are not inside the file's ", num_rows_);
}

Result<const Annex*> FileReaderImpl::LoadAnnex(const OperationContext& context) const {
  if (annex_.get() != nullptr) return annex_.get();
  auto annex = std::make_unique<Annex>();
  const ByteRange range = global_buffers_.back();
  if (!is_array_file() && global_buffers_.size() > 1) {
    const auto read = [&](const ByteRange& part) -> Result<std::shared_ptr<arrow::Buffer>> {
      ARROW_ASSIGN_OR_RAISE(const auto bytes, tail_.Read({&part, 1}, context));
      return bytes[0];
    };
    auto found = Annex::Read(range, file_size(), read);
    if (!found.ok()) {
      return WithContext(found.status(), tail_.path() + ": global buffer " +
                                             std::to_string(footer_.num_buffers - 1));
    }
    if (found->has_value()) {
      *annex = *std::move(*found);
      if (annex->columns.size() != footer_.num_columns) {
        return Corrupt(tail_.path(), ": the annex is of ", annex->columns.size(),
                       " columns, the file has ", footer_.num_columns);
      }
    }
  }
  const int64_t size = range.length * kParsedSize;
  const bool is_first = annex_.Set(std::move(annex));
  if (is_first && !annex_.get()->columns.empty()) memory_bytes_ += size;
  return annex_.get();
}

/// What the form in which rows of a page are stored tells of their values, if the page's index was
/// read before.
Result<expr::ColumnRange> StoredRange(const ColumnPages::Entry& page, RowRange rows,
                                      const std::shared_ptr<arrow::DataType>& type) {
  const auto bits = page.page->MostBits(page.index.get(), rows);
  return bits ? RangeOfBits(*bits, type) : expr::ColumnRange{};
}

Result<std::vector<expr::ColumnRange>> FileReaderImpl::PageRanges(
    const Column& column, RowRange rows, const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(CheckRows(rows));
  std::vector<expr::ColumnRange> ranges(1);
  if (column.columns.size() != 1 || is_array_file()) return ranges;
  ARROW_ASSIGN_OR_RAISE(const Annex* annex, LoadAnnex(context));
  ARROW_RETURN_NOT_OK(LoadColumns({&column, 1}, context));
  const ColumnPages& pages = *columns_[column.columns[0]].get();
  const std::vector<PageSummary>* summaries =
      annex->columns.empty() ? nullptr : &annex->columns[column.columns[0]].pages;
  // Items of a fixed-size list of structs are rows of a page, but not of the file.
  if (pages.num_rows != num_rows_) return ranges;
  ARROW_ASSIGN_OR_RAISE(const auto field, ToArrowField(column.field));
  ranges.clear();
  for (int64_t row = rows.begin; row < rows.end;) {
    const ColumnPages::Entry& page = pages.Find(row);
    const int64_t page_end = page.first_row + page.num_rows;
    if (summaries == nullptr) {
      const RowRange inside{.begin = row - page.first_row,
                            .end = std::min(rows.end, page_end) - page.first_row};
      ARROW_ASSIGN_OR_RAISE(ranges.emplace_back(), StoredRange(page, inside, field->type()));
    } else if (page.number >= summaries->size()) {
      return Corrupt(Where(column), " has a page ", page.number,
                     ", of which the annex knows nothing");
    } else {
      auto range = RangeOf((*summaries)[page.number], page.num_rows, field->type());
      if (!range.ok()) return WithContext(range.status(), Where(column));
      ranges.push_back(*std::move(range));
    }
    row = page_end;
  }
  return ranges;
}

Status FileReaderImpl::LoadColumns(std::span<const Column> columns,
                                   const OperationContext& context) const {
  const int64_t file_size = tail_.file_size();
  if (is_array_file()) {
    const auto parse = [&](std::string_view metadata) {
      return ArrayColumn::Parse(metadata, file_size, global_buffers_);
    };
    return LoadColumns(columns, &array_columns_, parse, context);
  }
  const auto make = [&](std::string_view bytes) -> Result<std::unique_ptr<const ColumnPages>> {
    ARROW_ASSIGN_OR_RAISE(const ColumnMetadata metadata, ColumnMetadata::Parse(bytes, file_size));
    return ColumnPages::Make(metadata);
  };
  return LoadColumns(columns, &columns_, make, context);
}

template <typename Loaded, typename Make>
Status FileReaderImpl::LoadColumns(std::span<const Column> columns,
                                   std::vector<MadeOnce<Loaded>>* loaded, const Make& make,
                                   const OperationContext& context) const {
  struct Missing {
    const Column* column;
    int32_t number;
  };
  std::vector<Missing> missing;
  std::vector<ByteRange> ranges;
  for (const Column& column : columns) {
    for (const int32_t number : column.columns) {
      if (number < 0 || number >= static_cast<int64_t>(footer_.num_columns)) {
        return Corrupt(Where(column), " is said to be column ", number, " of the file's ",
                       footer_.num_columns);
      }
      if ((*loaded)[number].get() != nullptr) continue;
      auto range = Footer::ParseEntry(std::string_view(*column_table_), number,
                                      "metadata of column", tail_.file_size());
      if (!range.ok()) return WithContext(range.status(), Where(column));
      missing.push_back({.column = &column, .number = number});
      ranges.push_back(*range);
    }
  }
  if (missing.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto buffers, tail_.Read(ranges, context));
  for (size_t i = 0; i < missing.size(); ++i) {
    auto column = make(std::string_view(*buffers[i]));
    if (!column.ok()) {
      return WithContext(column.status(), Where(*missing[i].column) + " (" +
                                              std::to_string(missing[i].number) +
                                              "): metadata at " + std::to_string(ranges[i].offset));
    }
    const int64_t size = buffers[i]->size() * kParsedSize + IndexBytes(**column);
    if ((*loaded)[missing[i].number].Set(*std::move(column))) memory_bytes_ += size;
  }
  return Status::OK();
}

Result<std::unique_ptr<FieldRead>> FileReaderImpl::StartRead(const Column& column,
                                                             const RowsToRead& rows,
                                                             arrow::MemoryPool* pool) const {
  auto whole = WithWholePackedStructs(column.field, schema_);
  if (whole == nullptr) return StartRead(column.field, column.columns, rows, pool);
  ARROW_ASSIGN_OR_RAISE(auto read, StartRead(*whole, column.columns, rows, pool));
  return MakePackedFieldsRead(std::move(read), std::move(whole), column.field);
}

Result<std::unique_ptr<FieldRead>> FileReaderImpl::StartRead(const Field& field,
                                                             std::span<const int32_t> numbers,
                                                             const RowsToRead& rows,
                                                             arrow::MemoryPool* pool) const {
  const ReadSource source{
      .path = &tail_.path(), .file_size = tail_.file_size(), .num_rows = num_rows_};
  if (is_array_file()) {
    std::vector<const ArrayColumn*> columns;
    columns.reserve(numbers.size());
    for (const int32_t number : numbers) columns.push_back(array_columns_[number].get());
    return MakeArrayFieldRead(field, columns, rows, source, pool);
  }
  std::vector<NumberedColumn> columns;
  columns.reserve(numbers.size());
  for (const int32_t number : numbers) {
    columns.push_back({.pages = columns_[number].get(), .number = number});
  }
  return MakeStructuralRead(field, columns, rows, source, pool);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::ReadRange(
    std::span<const Column> columns, RowRange rows, const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(CheckRows(rows));
  return Read(columns, {.range = rows, .taken = {}, .may_be_codes = false}, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::ReadCodes(
    std::span<const Column> columns, RowRange rows, const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(CheckRows(rows));
  return Read(columns, {.range = rows, .taken = {}, .may_be_codes = true}, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::Take(
    std::span<const Column> columns, std::span<const int64_t> rows,
    const OperationContext& context) const {
  return Take(columns, rows, nullptr, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::TakeAgain(
    std::span<const Column> columns, std::span<const int64_t> rows,
    const OperationContext& context) const {
  return Take(columns, rows, rows.size() <= kMostKeptRows ? ranges_.get() : nullptr, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::Take(
    std::span<const Column> columns, std::span<const int64_t> rows, RangeCache* kept,
    const OperationContext& context) const {
  std::vector<TakenRow> taken(rows.size());
  bool is_ascending = true;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= num_rows_) {
      return InvalidArgument(tail_.path(), ": row ", rows[i], " is not one of the file's ",
                             num_rows_);
    }
    taken[i] = {.row = rows[i], .position = static_cast<int64_t>(i)};
    is_ascending = is_ascending && (i == 0 || rows[i - 1] <= rows[i]);
  }
  if (!is_ascending) std::ranges::sort(taken, {}, &TakenRow::row);
  return Read(columns, {.range = {}, .taken = taken, .may_be_codes = false}, context, kept);
}

Result<std::vector<std::shared_ptr<arrow::Buffer>>> FileReaderImpl::ReadRanges(
    std::span<const ByteRange> ranges, std::span<const io::ReadTarget> targets, RangeCache* kept,
    const OperationContext& context) const {
  if (kept == nullptr || ranges.empty()) return tail_.Read(ranges, context, targets);
  auto buffers = kept->Find(number_, ranges);
  std::vector<ByteRange> missing;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (buffers[i] == nullptr) missing.push_back(ranges[i]);
  }
  if (missing.empty() && targets.empty()) return buffers;
  ARROW_ASSIGN_OR_RAISE(const auto read, tail_.Read(missing, context, targets));
  kept->Offer(number_, missing, read);
  auto next = read.begin();
  for (auto& buffer : buffers) {
    if (buffer == nullptr) buffer = *next++;
  }
  return buffers;
}

Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::Read(std::span<const Column> columns,
                                                                 const RowsToRead& rows,
                                                                 const OperationContext& context,
                                                                 RangeCache* kept) const {
  ARROW_RETURN_NOT_OK(LoadColumns(columns, context));
  std::vector<std::unique_ptr<FieldRead>> reads;
  reads.reserve(columns.size());
  for (const Column& column : columns) {
    ARROW_ASSIGN_OR_RAISE(auto read, StartRead(column, rows, context.pool));
    reads.push_back(std::move(read));
  }
  std::vector<ByteRange> ranges;
  std::vector<io::ReadTarget> targets;
  std::vector<size_t> counts(reads.size());
  std::vector<std::shared_ptr<arrow::Buffer>> bytes;
  for (;;) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ranges.clear();
    targets.clear();
    for (size_t i = 0; i < reads.size(); ++i) {
      const size_t before = ranges.size();
      ARROW_RETURN_NOT_OK(reads[i]->Plan(&ranges));
      counts[i] = ranges.size() - before;
      reads[i]->PlanTargets(&targets);
    }
    if (ranges.empty() && targets.empty()) break;
    ARROW_ASSIGN_OR_RAISE(bytes, ReadRanges(ranges, targets, kept, context));
    std::span<const std::shared_ptr<arrow::Buffer>> rest(bytes);
    for (size_t i = 0; i < reads.size(); ++i) {
      if (counts[i] == 0) continue;
      ARROW_RETURN_NOT_OK(reads[i]->Accept(rest.first(counts[i])));
      rest = rest.subspan(counts[i]);
    }
    bytes.clear();
  }
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (size_t i = 0; i < reads.size(); ++i) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(auto array, reads[i]->Finish());
    // What was read for it is not needed any more.
    reads[i].reset();
    ARROW_ASSIGN_OR_RAISE(auto field, ToArrowField(columns[i].field));
    if (rows.may_be_codes) field = field->WithType(array->type);
    arrays.push_back(std::move(array));
    fields.push_back(std::move(field));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(),
                                  std::move(arrays));
}

/// Corrupt if the metadata of all columns is larger than the file: columns share none, so what is
/// kept of each of them is no more than there are bytes for.
Status CheckColumnTable(std::string_view table, const Footer& footer, int64_t file_size) {
  auto left = static_cast<uint64_t>(file_size);
  for (int64_t i = 0; i < static_cast<int64_t>(footer.num_columns); ++i) {
    const auto length = LoadLittle<uint64_t>(table, i * Footer::kEntrySize + sizeof(uint64_t));
    if (length > left) {
      return Corrupt("metadata of column ", i, " has ", length, " bytes where others leave ", left,
                     " of the file's ", file_size);
    }
    left -= length;
  }
  return Status::OK();
}

Result<std::shared_ptr<const FileReader>> OpenFile(const io::OpenedObject& object,
                                                   std::shared_ptr<RangeCache> ranges,
                                                   const OperationContext& context) {
  FileTail tail(object.reader, object.tail);
  const int64_t file_size = object.reader->size();
  ARROW_ASSIGN_OR_RAISE(const Footer footer, Footer::Parse(tail.bytes(), file_size));
  // Entry 0 of the buffer table is the descriptor's, the last may be the annex's; what users put
  // between them stays unread. Pages of data version 2.0 may have values in any of them.
  const int64_t num_buffers = footer.num_buffers;
  const std::vector<ByteRange> tables = {{.offset = static_cast<int64_t>(footer.column_table),
                                          .length = footer.num_columns * Footer::kEntrySize},
                                         {.offset = static_cast<int64_t>(footer.buffer_table),
                                          .length = num_buffers * Footer::kEntrySize}};
  ARROW_ASSIGN_OR_RAISE(const auto table_bytes, tail.Read(tables, context));
  std::vector<ByteRange> global_buffers;
  for (int64_t i = 0; i < num_buffers; ++i) {
    if (footer.data_minor() > 0 && i > 0 && i < num_buffers - 1) continue;
    ARROW_ASSIGN_OR_RAISE(
        global_buffers.emplace_back(),
        Footer::ParseEntry(std::string_view(*table_bytes[1]), i, "global buffer", file_size));
  }
  ARROW_ASSIGN_OR_RAISE(const auto descriptor_bytes, tail.Read({&global_buffers[0], 1}, context));
  ARROW_ASSIGN_OR_RAISE(auto descriptor, FindDescriptor(descriptor_bytes[0]));
  ARROW_RETURN_NOT_OK(CheckColumnTable(std::string_view(*table_bytes[0]), footer, file_size));
  // An open reader keeps what later reads may need, but the data that came along only of a file so
  // small that to ask for it again costs more than to keep it.
  auto kept = file_size <= kMostKeptFile ? 0 : static_cast<int64_t>(footer.column_metadata);
  const ByteRange last = global_buffers.back();
  if (last.offset < kept && last.length < kMostKeptAnnex) {
    kept = std::max(last.offset, tail.begin());
  }
  ARROW_RETURN_NOT_OK(tail.DropBefore(kept));
  ARROW_ASSIGN_OR_RAISE(auto column_table,
                        table_bytes[0]->CopySlice(0, table_bytes[0]->size(), KeptPool()));
  return std::make_shared<FileReaderImpl>(std::move(tail), footer, std::move(column_table),
                                          std::move(global_buffers), std::move(descriptor),
                                          descriptor_bytes[0]->size(), std::move(ranges));
}

}  // namespace

Result<std::shared_ptr<const FileReader>> FileReader::Open(io::ObjectStore* store,
                                                           std::string_view path,
                                                           const OperationContext& context,
                                                           std::shared_ptr<RangeCache> ranges) {
  ARROW_ASSIGN_OR_RAISE(io::OpenedObject object, store->Open(path, kTailLength, context));
  auto reader = OpenFile(object, std::move(ranges), context);
  if (!reader.ok()) return WithContext(reader.status(), path);
  return reader;
}

}  // namespace tusk::lance
