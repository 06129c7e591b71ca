#include "tusk/lance/table/deletion_file.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace tusk::lance {
namespace {

/// What an Arrow file of deletions may take besides 4 bytes for each row of the fragment.
constexpr int64_t kArrowOverhead = 16 << 20;

/// More rows are kept in a bitmap, as pylance does it.
constexpr int64_t kMostArrowRows = 5000;

/// The values of the one column, in whatever order the writer had them.
Result<std::vector<uint32_t>> ParseArrowFile(std::shared_ptr<arrow::Buffer> bytes, int64_t max_rows,
                                             const OperationContext& context) {
  // The file is compressed and says itself how large it becomes: not beyond what the fragment
  // justifies. What others have of the pool does not count.
  arrow::ProxyMemoryPool own(context.pool);
  arrow::CappedMemoryPool pool(&own, kArrowOverhead + max_rows * 8);
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = &pool;
  options.use_threads = false;
  std::vector<uint32_t> rows;
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        arrow::ipc::RecordBatchFileReader::Open(
                            std::make_shared<arrow::io::BufferReader>(std::move(bytes)), options));
  for (int i = 0; i < reader->num_record_batches(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->ReadRecordBatch(i));
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    if (batch->num_columns() != 1 || batch->column(0)->type_id() != arrow::Type::UINT32 ||
        batch->column(0)->null_count() != 0) {
      return Corrupt("it has the columns ", batch->schema()->ToString(),
                     ", not one of uint32 without nulls");
    }
    const auto& column = static_cast<const arrow::UInt32Array&>(*batch->column(0));
    if (column.length() > max_rows - std::ssize(rows)) return Corrupt("it has too many rows");
    rows.insert(rows.end(), column.raw_values(), column.raw_values() + column.length());
  }
  std::ranges::sort(rows);
  return rows;
}

Result<std::shared_ptr<arrow::Buffer>> SerializeArrowFile(const DeletedRows& deleted,
                                                          arrow::MemoryPool* pool) {
  arrow::UInt32Builder rows(pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(deleted.count()));
  for (const DeletedRows::Run& run : deleted.runs()) {
    for (int64_t row = run.begin; row < run.end; ++row) {
      rows.UnsafeAppend(static_cast<uint32_t>(row));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto column, rows.Finish());
  const auto schema = arrow::schema({arrow::field("row_id", arrow::uint32(), /*nullable=*/false)});
  ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::BufferOutputStream::Create(1024, pool));
  ARROW_ASSIGN_OR_RAISE(const auto writer, arrow::ipc::MakeFileWriter(out, schema));
  ARROW_RETURN_NOT_OK(
      writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, deleted.count(), {column})));
  ARROW_RETURN_NOT_OK(writer->Close());
  return out->Finish();
}

Result<DeletedRows> ParseDeletedRows(std::shared_ptr<arrow::Buffer> bytes, const Fragment& fragment,
                                     const OperationContext& context) {
  DeletedRows deleted;
  if (fragment.deletion_file->type == DeletionFile::Type::kArrow) {
    const auto rows = ParseArrowFile(std::move(bytes), fragment.physical_rows, context);
    // What Arrow refuses, it calls invalid or an error of input: here the bytes are all there and
    // are a file, not an argument.
    const auto code = GetErrorCode(rows.status());
    if (code == ErrorCode::kInvalidArgument || code == ErrorCode::kIo) {
      return Corrupt(rows.status().message());
    }
    ARROW_RETURN_NOT_OK(rows);
    for (const uint32_t row : *rows) ARROW_RETURN_NOT_OK(deleted.Add(row, int64_t{row} + 1));
  } else {
    ARROW_ASSIGN_OR_RAISE(deleted, ParseRoaringBitmap(std::string_view(*bytes)));
  }
  const auto expected = static_cast<int64_t>(fragment.deletion_file->num_deleted_rows);
  if (deleted.count() != expected) {
    return Corrupt("it has ", deleted.count(), " rows, the manifest says ", expected);
  }
  if (deleted.runs().back().end > fragment.physical_rows) {
    return Corrupt("it has row ", deleted.runs().back().end - 1, ", the fragment has ",
                   fragment.physical_rows);
  }
  return deleted;
}

}  // namespace

Status DeletedRows::Add(int64_t begin, int64_t end) {
  if (!runs_.empty() && begin < runs_.back().end) {
    return Corrupt("deleted row ", begin, " comes after row ", runs_.back().end - 1);
  }
  if (!runs_.empty() && begin == runs_.back().end) {
    runs_.back().end = end;
  } else {
    runs_.push_back({.begin = begin, .end = end, .deleted_before = count()});
  }
  return Status::OK();
}

int64_t DeletedRows::count() const {
  if (runs_.empty()) return 0;
  const Run& last = runs_.back();
  return last.deleted_before + last.end - last.begin;
}

bool DeletedRows::Contains(int64_t offset) const {
  const auto after = std::ranges::upper_bound(runs_, offset, {}, &Run::begin);
  return after != runs_.begin() && offset < (after - 1)->end;
}

int64_t DeletedRows::OffsetOf(int64_t row) const {
  // Before a run there are (its begin - deleted before it) rows that are not deleted.
  const auto after = std::ranges::upper_bound(
      runs_, row, {}, [](const Run& run) { return run.begin - run.deleted_before; });
  if (after == runs_.begin()) return row;
  const Run& run = *(after - 1);
  return row + run.deleted_before + run.end - run.begin;
}

int64_t DeletedRows::RowOf(int64_t offset) const {
  const auto after = std::ranges::upper_bound(runs_, offset, {}, &Run::begin);
  if (after == runs_.begin()) return offset;
  const Run& run = *(after - 1);
  return offset - run.deleted_before - (run.end - run.begin);
}

std::vector<int64_t> DeletedRows::OthersIn(int64_t begin, int64_t end) const {
  std::vector<int64_t> others;
  auto run = std::ranges::upper_bound(runs_, begin, {}, &Run::end);
  for (int64_t offset = begin; offset < end;) {
    if (run != runs_.end() && offset >= run->begin) {
      offset = run->end;
      ++run;
    } else {
      others.push_back(offset++);
    }
  }
  return others;
}

std::string DeletionPath(const Fragment& fragment) {
  const DeletionFile& file = *fragment.deletion_file;
  return "_deletions/" + std::to_string(fragment.id) + "-" + std::to_string(file.read_version) +
         "-" + std::to_string(file.id) +
         (file.type == DeletionFile::Type::kArrow ? ".arrow" : ".bin");
}

Result<DeletedRows> Union(const DeletedRows& a, const DeletedRows& b) {
  std::vector<DeletedRows::Run> runs = a.runs();
  runs.insert(runs.end(), b.runs().begin(), b.runs().end());
  std::ranges::sort(runs, {}, &DeletedRows::Run::begin);
  DeletedRows both;
  int64_t end = 0;
  for (const DeletedRows::Run& run : runs) {
    if (run.end <= end) continue;
    ARROW_RETURN_NOT_OK(both.Add(std::max(run.begin, end), run.end));
    end = run.end;
  }
  return both;
}

Result<DeletedRows> Difference(const DeletedRows& a, const DeletedRows& b) {
  DeletedRows rest;
  auto hole = b.runs().begin();
  for (const DeletedRows::Run& run : a.runs()) {
    int64_t begin = run.begin;
    while (hole != b.runs().end() && hole->end <= begin) ++hole;
    for (; hole != b.runs().end() && hole->begin < run.end; ++hole) {
      if (hole->begin > begin) ARROW_RETURN_NOT_OK(rest.Add(begin, hole->begin));
      begin = hole->end;
      if (begin >= run.end) break;
    }
    if (begin < run.end) ARROW_RETURN_NOT_OK(rest.Add(begin, run.end));
  }
  return rest;
}

Result<DeletionFile> WriteDeletedRows(const io::StorePath& table, uint64_t fragment_id,
                                      uint64_t read_version, const DeletedRows& deleted,
                                      const OperationContext& context) {
  Fragment fragment;
  fragment.id = fragment_id;
  const bool is_few = deleted.count() <= kMostArrowRows;
  fragment.deletion_file =
      DeletionFile{.type = is_few ? DeletionFile::Type::kArrow : DeletionFile::Type::kBitmap,
                   .read_version = read_version,
                   .id = std::random_device()() | uint64_t{std::random_device()()} << 32,
                   .num_deleted_rows = static_cast<uint64_t>(deleted.count()),
                   .base_id = std::nullopt,
                   .carried = {}};
  const std::string path = io::JoinPath(table.path, DeletionPath(fragment));
  if (is_few) {
    ARROW_ASSIGN_OR_RAISE(const auto file, SerializeArrowFile(deleted, context.pool));
    ARROW_RETURN_NOT_OK(table.store->Put(path, std::string_view(*file), context));
  } else {
    ARROW_RETURN_NOT_OK(table.store->Put(path, SerializeRoaringBitmap(deleted), context));
  }
  return *fragment.deletion_file;
}

Result<DeletedRows> ReadDeletedRows(const io::StorePath& root, const Fragment& fragment,
                                    const OperationContext& context) {
  const std::string path = io::JoinPath(root.path, DeletionPath(fragment));
  if (fragment.deletion_file->num_deleted_rows == 0) {
    return Unsupported(path,
                       ": the manifest does not say how many rows it deletes, as those of "
                       "old versions: that is not supported yet");
  }
  ARROW_ASSIGN_OR_RAISE(auto bytes, root.store->Get(path, context));
  auto rows = ParseDeletedRows(std::move(bytes), fragment, context);
  if (!rows.ok()) return WithContext(rows.status(), path);
  return rows;
}

}  // namespace tusk::lance
