#include "tusk/lance/blob.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "tusk/io/direct_read.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_finder.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// One thread reads so many bytes before another would have been worth its start.
constexpr int64_t kBytesWorthThread = 2 << 20;

/// The column `name` of the table, if it has blobs.
Result<const Field*> FindBlobColumn(const Dataset::State& dataset, const std::string& name) {
  const Schema& schema = dataset.manifest.schema;
  const Field* field = schema.FindField(name);
  if (field == nullptr) {
    auto path = schema.Resolve(name);
    if (!path.ok()) return WithContext(path.status(), dataset.location.path);
    field = path->back();
  }
  if (field->is_blob()) return field;
  return InvalidArgument(dataset.location.path, ": the column '", name, "' is not a blob column");
}

Result<std::shared_ptr<arrow::Table>> TakeDescriptors(const Dataset& dataset,
                                                      const std::string& column, RowNumbers numbers,
                                                      std::span<const uint64_t> rows,
                                                      const OperationContext& context) {
  TakeOptions options;
  options.columns = {column, std::string(kRowAddressColumn)};
  switch (numbers) {
    case RowNumbers::kIds:
      options.columns->emplace_back(kRowIdColumn);
      return dataset.TakeRowIds(rows, options, context);
    case RowNumbers::kAddresses:
      return dataset.TakeAddresses(rows, options, context);
    case RowNumbers::kPositions: {
      // A position above 2^63 becomes one that no table has.
      const std::vector<int64_t> positions(rows.begin(), rows.end());
      return dataset.Take(positions, options, context);
    }
  }
  return InvalidArgument("unknown kind of row numbers");
}

/// Calls `handle(array, row in it, row of the column)` for all rows of `column`.
template <typename ArrowArray, typename Handle>
Status ForEachRow(const arrow::ChunkedArray& column, const Handle& handle) {
  size_t number = 0;
  for (const auto& chunk : column.chunks()) {
    const auto& array = static_cast<const ArrowArray&>(*chunk);
    for (int64_t row = 0; row < array.length(); ++row) {
      ARROW_RETURN_NOT_OK(handle(array, row, number++));
    }
  }
  return Status::OK();
}

Status CheckAllFound(const Dataset::State& dataset, const arrow::ChunkedArray& found,
                     std::span<const uint64_t> asked) {
  if (found.length() == std::ssize(asked)) return Status::OK();
  uint64_t missing = asked[found.length()];
  const auto find = [&](const arrow::UInt64Array& array, int64_t row, size_t number) -> Status {
    if (array.Value(row) == asked[number]) return Status::OK();
    missing = asked[number];
    return Cancelled("found");
  };
  (void)ForEachRow<arrow::UInt64Array>(found, find);
  return InvalidArgument(dataset.location.path, ": row ", missing, " is not in version ",
                         dataset.manifest.version, ", or is deleted in it");
}

Status CheckRange(const Blob& blob, int64_t offset, int64_t length) {
  if (offset >= 0 && length >= 0 && length <= blob.size() && offset <= blob.size() - length) {
    return Status::OK();
  }
  return InvalidArgument("cannot read ", length, " bytes at ", offset, " of a blob of ",
                         blob.size());
}

/// What one thread reads: from one file, in its order.
struct ReadPiece {
  const Blob* blob = nullptr;  ///< one that lies in the file
  std::vector<io::ReadTarget> targets;
};

bool IsInSameObject(const Blob& a, const Blob& b) {
  return a.place().store == b.place().store && a.place().path == b.place().path;
}

/// The reads by file and place, long ones cut.
std::vector<ReadPiece> CutReads(std::vector<BlobRead> reads) {
  std::ranges::sort(reads, [](const BlobRead& a, const BlobRead& b) {
    const int by_path = a.blob->place().path.compare(b.blob->place().path);
    if (by_path != 0) return by_path < 0;
    return a.blob->position() + a.offset < b.blob->position() + b.offset;
  });
  std::vector<ReadPiece> pieces;
  int64_t bytes = 0;  // of the last piece
  for (const BlobRead& read : reads) {
    int64_t position = read.blob->position() + read.offset;
    std::span<uint8_t> rest = read.into;
    while (!rest.empty()) {
      if (pieces.empty() || bytes >= kBytesWorthThread ||
          !IsInSameObject(*pieces.back().blob, *read.blob)) {
        pieces.push_back({.blob = read.blob, .targets = {}});
        bytes = 0;
      }
      const auto length = std::min(rest.size(), static_cast<size_t>(kBytesWorthThread - bytes));
      pieces.back().targets.push_back({.offset = position, .into = rest.first(length)});
      rest = rest.subspan(length);
      position += static_cast<int64_t>(length);
      bytes += static_cast<int64_t>(length);
    }
  }
  return pieces;
}

Status ReadPieceOf(const ReadPiece& piece, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, piece.blob->files()->Open(piece.blob->place(), context));
  return io::ReadStep(*reader, {}, piece.targets, context).status();
}

}  // namespace

Blob::Blob(std::shared_ptr<BlobFiles> files, io::StorePath place, int64_t position, int64_t size,
           BlobKind kind, std::string uri)
    : files_(std::move(files)),
      place_(std::move(place)),
      position_(position),
      size_(size),
      kind_(kind),
      uri_(std::move(uri)) {}

Result<std::shared_ptr<arrow::Buffer>> Blob::Read(io::ByteRange range,
                                                  const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(CheckRange(*this, range.offset, range.length));
  ARROW_ASSIGN_OR_RAISE(const auto reader, files_->Open(place_, context));
  return reader->ReadOne({.offset = position_ + range.offset, .length = range.length}, context);
}

Result<std::vector<FoundBlob>> FindBlobs(const Dataset& dataset, const std::string& column,
                                         RowNumbers numbers, std::span<const uint64_t> rows,
                                         const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  ARROW_ASSIGN_OR_RAISE(const Field* field, FindBlobColumn(state, column));
  if (rows.empty()) return std::vector<FoundBlob>();
  ARROW_ASSIGN_OR_RAISE(const auto taken, TakeDescriptors(dataset, column, numbers, rows, context));
  const arrow::ChunkedArray& last = *taken->column(taken->num_columns() - 1);
  ARROW_RETURN_NOT_OK(CheckAllFound(state, last, rows));
  std::vector<FoundBlob> found(rows.size());
  const auto keep = [&](const arrow::UInt64Array& addresses, int64_t row, size_t number) {
    found[number].row_address = addresses.Value(row);
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(ForEachRow<arrow::UInt64Array>(*taken->column(1), keep));
  BlobFinder finder(state, *field, column, std::make_shared<BlobFiles>(), context);
  const auto open = [&](const arrow::StructArray& descriptors, int64_t row,
                        size_t number) -> Status {
    return finder.Find(descriptors, row, found[number].row_address).Value(&found[number].blob);
  };
  ARROW_RETURN_NOT_OK(ForEachRow<arrow::StructArray>(*taken->column(0), open));
  ARROW_RETURN_NOT_OK(finder.CheckClaims(found));
  return found;
}

Status ReadBlobs(std::span<const BlobRead> reads, const OperationContext& context) {
  std::vector<BlobRead> wanted;
  wanted.reserve(reads.size());
  int64_t bytes = 0;
  for (const BlobRead& read : reads) {
    ARROW_RETURN_NOT_OK(CheckRange(*read.blob, read.offset, std::ssize(read.into)));
    bytes += std::ssize(read.into);
    wanted.push_back(read);
  }
  const std::vector<ReadPiece> pieces = CutReads(std::move(wanted));
  if (bytes <= kBytesWorthThread) {
    for (const ReadPiece& piece : pieces) ARROW_RETURN_NOT_OK(ReadPieceOf(piece, context));
    return Status::OK();
  }
  return context.executor->ParallelFor(
      std::ssize(pieces), [&](int64_t i) { return ReadPieceOf(pieces[i], context); }, context.stop,
      nullptr);
}

}  // namespace tusk::lance
