#include "tusk/lance/file/write/file_container.h"

#include <array>
#include <utility>

#include "tusk/base/checksum.h"
#include "tusk/base/little_endian.h"
#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/file/schema_proto.h"

namespace tusk::lance {
namespace {

constexpr int64_t kBufferAlignment = 64;
constexpr auto kPadding = [] {
  std::array<uint8_t, kBufferAlignment> bytes;
  bytes.fill(0x48);
  return bytes;
}();

/// To copy no more bytes than that costs less than a call of the store for each buffer.
constexpr size_t kMostPending = 64 << 10;

}  // namespace

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::span<const uint8_t> PaddingAt(int64_t position) {
  return std::span(kPadding).first(-position & (kBufferAlignment - 1));
}

Result<std::unique_ptr<FileContainer>> FileContainer::Create(io::ObjectStore* store,
                                                             std::string_view path,
                                                             uint16_t minor_version,
                                                             const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto file, store->Create(path, context));
  return std::unique_ptr<FileContainer>(new FileContainer(std::move(file), minor_version));
}

Status FileContainer::AppendBytes(std::span<const uint8_t> bytes) {
  bytes_written_ += std::ssize(bytes);
  if (pending_.size() + bytes.size() > kMostPending) ARROW_RETURN_NOT_OK(Flush());
  if (bytes.size() > kMostPending) return file_->Append(bytes);
  pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Status::OK();
}

Status FileContainer::Flush() {
  if (pending_.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(file_->Append(BytesOf(pending_)));
  pending_.clear();
  return Status::OK();
}

Result<io::ByteRange> FileContainer::Append(std::span<const uint8_t> buffer) {
  const io::ByteRange range{.offset = bytes_written_, .length = std::ssize(buffer)};
  ARROW_RETURN_NOT_OK(AppendBytes(buffer));
  ARROW_RETURN_NOT_OK(AppendBytes(PaddingAt(bytes_written_)));
  return range;
}

Result<int32_t> FileContainer::AddGlobalBuffer(std::span<const uint8_t> bytes) {
  ARROW_ASSIGN_OR_RAISE(const io::ByteRange range, Append(bytes));
  global_buffers_.push_back(range);
  global_buffer_checksums_.push_back(Checksum::Of(bytes));
  return static_cast<int32_t>(global_buffers_.size());
}

Status FileContainer::WriteAnnex(std::string_view descriptor, std::vector<Column>* columns) {
  Annex annex;
  Checksum metadata_checksum;
  for (Column& column : *columns) {
    annex.columns.push_back(std::move(column.annex));
    metadata_checksum.Update(BytesOf(column.metadata));
  }
  annex.column_metadata = metadata_checksum.value();
  annex.minor_version = minor_version_;
  annex.global_buffers = {Checksum::Of(BytesOf(descriptor))};
  annex.global_buffers.insert(annex.global_buffers.end(), global_buffer_checksums_.begin(),
                              global_buffer_checksums_.end());
  return Append(BytesOf(annex.Serialize())).Value(&global_buffers_.emplace_back());
}

Result<FileSummary> FileContainer::Finish(const Schema& schema, int64_t num_rows,
                                          std::vector<Column> columns) {
  proto::FileDescriptor descriptor;
  *descriptor.mutable_schema() = ToProto(schema);
  descriptor.set_length(num_rows);
  const std::string descriptor_bytes = descriptor.SerializeAsString();
  ARROW_RETURN_NOT_OK(WriteAnnex(descriptor_bytes, &columns));

  Footer footer{.num_buffers = static_cast<uint32_t>(global_buffers_.size() + 1),
                .num_columns = static_cast<uint32_t>(columns.size()),
                .minor = minor_version_};
  const auto descriptor_position = static_cast<uint64_t>(bytes_written_);
  ARROW_RETURN_NOT_OK(AppendBytes(BytesOf(descriptor_bytes)));
  footer.column_metadata = bytes_written_;
  std::string table;
  for (const Column& column : columns) {
    AppendLittle(static_cast<uint64_t>(bytes_written_), &table);
    AppendLittle(static_cast<uint64_t>(column.metadata.size()), &table);
    ARROW_RETURN_NOT_OK(AppendBytes(BytesOf(column.metadata)));
  }
  footer.column_table = bytes_written_;
  ARROW_RETURN_NOT_OK(AppendBytes(BytesOf(table)));
  footer.buffer_table = bytes_written_;
  std::string end;
  AppendLittle(descriptor_position, &end);
  AppendLittle(static_cast<uint64_t>(descriptor_bytes.size()), &end);
  for (const io::ByteRange& buffer : global_buffers_) {
    AppendLittle(static_cast<uint64_t>(buffer.offset), &end);
    AppendLittle(static_cast<uint64_t>(buffer.length), &end);
  }
  footer.AppendTo(&end);
  ARROW_RETURN_NOT_OK(AppendBytes(BytesOf(end)));
  ARROW_RETURN_NOT_OK(Flush());
  ARROW_RETURN_NOT_OK(file_->Finish());

  FileSummary summary;
  summary.num_rows = num_rows;
  summary.size_bytes = bytes_written_;
  summary.minor_version = minor_version_;
  int32_t number = 0;
  for (const Field& field : schema.fields) {
    for (const PhysicalColumn& column : PhysicalColumns(field, minor_version_)) {
      summary.field_ids.push_back(column.field->id);
      summary.column_indices.push_back(number++);
    }
  }
  return summary;
}

}  // namespace tusk::lance
