#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/base/checksum.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/schema_proto.h"
#include "tusk/lance/file/stored_file.h"

namespace tusk::lance {
namespace {

using io::ByteRange;

/// Holds all but the pages of most files, and all of small ones.
constexpr int64_t kTailLength = 64 << 10;

class Reading {
 public:
  Reading(io::OpenedObject object, const OperationContext& context)
      : object_(std::move(object)), context_(context) {}

  int64_t file_size() const { return object_.reader->size(); }
  std::string_view tail() const { return std::string_view(*object_.tail); }
  /// Without I/O for what stands in the tail.
  Result<std::shared_ptr<arrow::Buffer>> Read(const ByteRange& range) const {
    const int64_t begin = file_size() - object_.tail->size();
    const bool is_inside = range.length <= file_size() - range.offset;
    if (range.offset < begin || !is_inside) return object_.reader->ReadOne(range, context_);
    return arrow::SliceBuffer(object_.tail, range.offset - begin, range.length);
  }
  /// The entries of one of the two tables. Corrupt if they are longer than the file all together.
  Result<std::vector<ByteRange>> ReadTable(uint64_t position, int64_t count,
                                           std::string_view what) const {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, Read({.offset = static_cast<int64_t>(position),
                                                  .length = count * Footer::kEntrySize}));
    std::vector<ByteRange> ranges(count);
    int64_t left = file_size();
    for (int64_t i = 0; i < count; ++i) {
      ARROW_ASSIGN_OR_RAISE(ranges[i],
                            Footer::ParseEntry(std::string_view(*bytes), i, what, file_size()));
      left -= ranges[i].length;
      if (left < 0) {
        return Corrupt(what, "s 0 to ", i, " are longer than the file's ", file_size(), " bytes");
      }
    }
    return ranges;
  }

 private:
  io::OpenedObject object_;
  const OperationContext& context_;
};

Status ParseDescriptor(StoredFile* file) {
  proto::FileDescriptor from;
  if (!ParseMessage(file->descriptor, &from)) {
    return Corrupt("file descriptor of ", file->descriptor.size(), " bytes cannot be parsed");
  }
  if (from.length() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Corrupt("file descriptor claims ", from.length(), " rows");
  }
  ARROW_ASSIGN_OR_RAISE(Schema schema, FromProto(from.schema()));
  file->schema = std::make_shared<const Schema>(std::move(schema));
  file->num_rows = static_cast<int64_t>(from.length());
  return Status::OK();
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// Gives the pages what the annex says of them. Corrupt if it is not about this file, or the
/// descriptor or the metadata, of which `metadata` is the checksum, is not what was written.
Status AddSummaries(const Annex& annex, uint64_t metadata, StoredFile* file) {
  if (annex.column_metadata != metadata) {
    return Corrupt(
        "the metadata of the columns does not have the checksum with which it was "
        "written");
  }
  if (annex.global_buffers.size() != 1 ||
      annex.global_buffers[0] != Checksum::Of(BytesOf(file->descriptor))) {
    return Corrupt("the file descriptor does not have the checksum with which it was written");
  }
  if (annex.columns.size() != file->columns.size()) {
    return Corrupt("the annex is of ", annex.columns.size(), " columns, the file has ",
                   file->columns.size());
  }
  for (size_t i = 0; i < file->columns.size(); ++i) {
    const std::vector<PageSummary>& summaries = annex.columns[i].pages;
    std::vector<StoredPage>& pages = file->columns[i].pages;
    if (summaries.size() != pages.size()) {
      return Corrupt("column ", i, " has ", pages.size(), " pages, the annex knows ",
                     summaries.size());
    }
    for (size_t page = 0; page < pages.size(); ++page) pages[page].summary = summaries[page];
  }
  return Status::OK();
}

Status ReadColumns(const Reading& reading, const Footer& footer, const std::optional<Annex>& annex,
                   StoredFile* file) {
  ARROW_ASSIGN_OR_RAISE(
      const auto ranges,
      reading.ReadTable(footer.column_table, footer.num_columns, "metadata of column"));
  Checksum checksum;
  for (size_t i = 0; i < ranges.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, reading.Read(ranges[i]));
    checksum.Update({bytes->data(), static_cast<size_t>(bytes->size())});
    auto column = StoredColumn::Parse(std::string_view(*bytes), reading.file_size());
    if (!column.ok()) return WithContext(column.status(), "column " + std::to_string(i));
    file->columns.push_back(*std::move(column));
  }
  return annex ? AddSummaries(*annex, checksum.value(), file) : Status::OK();
}

Result<StoredFile> ReadFile(const io::OpenedObject& object, uint16_t minor_version,
                            const std::optional<StoredFile>& known,
                            const OperationContext& context) {
  const Reading reading(object, context);
  ARROW_ASSIGN_OR_RAISE(const Footer footer, Footer::Parse(reading.tail(), reading.file_size()));
  if (footer.data_minor() != minor_version) {
    return Unsupported("its data version is 2.", footer.data_minor(), ", not 2.", minor_version);
  }
  ARROW_ASSIGN_OR_RAISE(const auto buffers, reading.ReadTable(footer.buffer_table,
                                                              footer.num_buffers, "global buffer"));
  std::optional<Annex> annex;
  if (buffers.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(annex,
                          Annex::Read(buffers.back(), reading.file_size(),
                                      [&](const ByteRange& range) { return reading.Read(range); }));
  }
  if (buffers.size() > (annex ? 2U : 1U)) {
    return Unsupported("it has global buffers of a user's own");
  }
  StoredFile file;
  ARROW_ASSIGN_OR_RAISE(const auto descriptor, reading.Read(buffers[0]));
  file.descriptor = std::string_view(*descriptor);
  if (known && known->descriptor == file.descriptor) {
    file.schema = known->schema;
    file.num_rows = known->num_rows;
  } else {
    ARROW_RETURN_NOT_OK(ParseDescriptor(&file));
  }
  ARROW_RETURN_NOT_OK(ReadColumns(reading, footer, annex, &file));
  return file;
}

}  // namespace

Result<StoredFile> StoredFile::Read(const io::StorePath& place, uint16_t minor_version,
                                    const std::optional<StoredFile>& known,
                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const io::OpenedObject object,
                        place.store->Open(place.path, kTailLength, context));
  auto file = ReadFile(object, minor_version, known, context);
  if (!file.ok()) return WithContext(file.status(), place.path);
  return file;
}

}  // namespace tusk::lance
