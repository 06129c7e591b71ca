#include "tusk/lance/file/verify_file.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/checksum.h"
#include "tusk/lance/file.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/file_tables.h"

namespace tusk::lance {
namespace {

using io::ByteRange;

/// Bytes that a thread has in memory.
constexpr int64_t kReadBytes = 4 << 20;

/// A part of a file and the checksum that it should have.
struct Part {
  std::string name;
  std::vector<ByteRange> bytes;
  uint64_t checksum = 0;
};

Result<uint64_t> ChecksumOf(const io::ObjectReader& object, std::span<const ByteRange> ranges,
                            const OperationContext& context) {
  Checksum checksum;
  for (const ByteRange& range : ranges) {
    for (int64_t done = 0; done < range.length; done += kReadBytes) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      const ByteRange piece{.offset = range.offset + done,
                            .length = std::min(kReadBytes, range.length - done)};
      ARROW_ASSIGN_OR_RAISE(const auto bytes, object.ReadOne(piece, context));
      checksum.Update({bytes->data(), static_cast<size_t>(bytes->size())});
    }
  }
  return checksum.value();
}

/// The file's annex, if it has one.
Result<std::optional<Annex>> ReadAnnex(const FileTables& file, std::span<const ByteRange> buffers,
                                       const OperationContext& context) {
  if (buffers.size() == 1) return std::nullopt;
  return Annex::Read(buffers.back(), file.file_size(),
                     [&](const ByteRange& range) { return file.object->ReadOne(range, context); });
}

std::string PlaceOf(std::span<const ByteRange> ranges) {
  if (ranges.empty()) return "no bytes";
  int64_t begin = ranges.front().offset;
  int64_t end = begin;
  for (const ByteRange& range : ranges) {
    begin = std::min(begin, range.offset);
    end = std::max(end, range.offset + range.length);
  }
  return "bytes " + std::to_string(begin) + " to " + std::to_string(end);
}

/// Corrupt if the footer is not the one that the file was written with: no checksum is of it.
Status CheckFooter(const Annex& annex, const Footer& footer,
                   std::span<const ByteRange> column_metadata) {
  if (footer.data_minor() != annex.minor_version) {
    return Corrupt("the footer says data version 2.", footer.data_minor(), ", the annex 2.",
                   annex.minor_version);
  }
  const auto first = static_cast<int64_t>(footer.column_metadata);
  if (!column_metadata.empty() && column_metadata[0].offset != first) {
    return Corrupt("the metadata of column 0 is at ", column_metadata[0].offset,
                   ", the footer has it at ", first);
  }
  return Status::OK();
}

/// The parts of which the annex has a checksum. Corrupt if it is not about this file.
Result<std::vector<Part>> PartsOf(const Annex& annex, const FileDescription& file,
                                  std::vector<ByteRange> column_metadata) {
  std::vector<Part> parts;
  parts.push_back(
      {"the metadata of the columns", std::move(column_metadata), annex.column_metadata});
  if (annex.global_buffers.size() + 1 != file.global_buffers.size() ||
      annex.columns.size() != file.columns.size()) {
    return Corrupt("the annex is of ", annex.global_buffers.size(), " other global buffers and ",
                   annex.columns.size(), " columns, the file has ", file.global_buffers.size() - 1,
                   " and ", file.columns.size());
  }
  for (size_t i = 0; i < annex.global_buffers.size(); ++i) {
    parts.push_back({i == 0 ? "the file descriptor" : "global buffer " + std::to_string(i),
                     {file.global_buffers[i]},
                     annex.global_buffers[i]});
  }
  for (size_t i = 0; i < file.columns.size(); ++i) {
    const ColumnDescription& column = file.columns[i];
    const Annex::Column& known = annex.columns[i];
    const std::string name = "column " + std::to_string(i) + " '" + column.field + "'";
    if (known.pages.size() != column.pages.size()) {
      return Corrupt(name, " has ", column.pages.size(), " pages, the annex knows ",
                     known.pages.size());
    }
    for (size_t page = 0; page < column.pages.size(); ++page) {
      parts.push_back({"page " + std::to_string(page) + " of " + name, column.pages[page].buffers,
                       known.pages[page].checksum});
    }
    for (const Annex::Extent& extent : known.extents) {
      parts.push_back({"blobs of " + name, {extent.bytes}, extent.checksum});
    }
  }
  return parts;
}

/// What of `parts` does not have its checksum.
Result<std::vector<std::string>> FindDamage(const io::ObjectReader& object,
                                            const std::vector<Part>& parts,
                                            const OperationContext& context) {
  std::vector<std::string> found(parts.size());
  ARROW_RETURN_NOT_OK(context.executor->ParallelFor(
      std::ssize(parts),
      [&](int64_t i) -> Status {
        const Part& part = parts[i];
        ARROW_ASSIGN_OR_RAISE(const uint64_t checksum, ChecksumOf(object, part.bytes, context));
        if (checksum != part.checksum) {
          found[i] = part.name + " (" + PlaceOf(part.bytes) +
                     ") does not have the checksum with which it was written";
        }
        return Status::OK();
      },
      context.stop, nullptr));
  std::erase(found, "");
  return found;
}

Status ReadAll(const File& file, const std::string& column, const OperationContext& context) {
  FileReadOptions options;
  options.columns = {FormatFieldPath({column})};
  ARROW_ASSIGN_OR_RAISE(const auto reader, file.Read(0, file.num_rows(), options, context));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
  }
}

/// `status`, unless it tells of damage, which is added to `damages`.
Status Keep(const Status& status, std::vector<std::string>* damages) {
  if (GetErrorCode(status) != ErrorCode::kCorrupt) return status;
  damages->push_back(status.message());
  return Status::OK();
}

/// Reads every column to its end.
Status Decode(const io::StorePath& place, std::vector<std::string>* damages,
              const OperationContext& context) {
  const auto file = File::Open(place, context);
  if (!file.ok()) return Keep(file.status(), damages);
  for (const std::string& column : (*file)->schema()->field_names()) {
    ARROW_RETURN_NOT_OK(Keep(ReadAll(**file, column, context), damages));
  }
  return Status::OK();
}

Status Verify(const io::StorePath& place, FileVerification* result,
              const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const FileTables file, FileTables::Open(place, context));
  result->num_bytes = file.file_size();
  ARROW_ASSIGN_OR_RAISE(const auto buffers, file.GlobalBuffers(context));
  ARROW_ASSIGN_OR_RAISE(const auto annex, ReadAnnex(file, buffers, context));
  if (!annex) return Decode(place, &result->damages, context);
  result->has_checksums = true;
  ARROW_ASSIGN_OR_RAISE(auto column_metadata, file.ColumnMetadata(context));
  ARROW_RETURN_NOT_OK(CheckFooter(*annex, file.footer, column_metadata));
  ARROW_ASSIGN_OR_RAISE(const FileDescription description, DescribeFile(place, context));
  ARROW_ASSIGN_OR_RAISE(const auto parts, PartsOf(*annex, description, std::move(column_metadata)));
  return FindDamage(*file.object, parts, context).Value(&result->damages);
}

}  // namespace

Result<FileVerification> VerifyFile(const io::StorePath& file, const OperationContext& context) {
  FileVerification result;
  ARROW_RETURN_NOT_OK(Keep(Verify(file, &result, context), &result.damages));
  return result;
}

}  // namespace tusk::lance
