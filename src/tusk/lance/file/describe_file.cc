#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>

#include <arrow/type.h>

#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/file_tables.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/file/schema.pb.h"
#include "tusk/lance/file/schema_proto.h"

namespace tusk::lance {
namespace {

using io::ByteRange;

std::string_view ContentName(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kValues:
      return "values";
    case ColumnKind::kPackedStruct:
      return "packed struct";
    case ColumnKind::kBlob:
      return "blob descriptors";
    case ColumnKind::kStruct:
      return "struct";
    case ColumnKind::kListOffsets:
      return "list offsets";
  }
  return "values";
}

/// Adds to a sum that a file states.
Status AddTo(int64_t* sum, uint64_t value, std::string_view what) {
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() - *sum)) {
    return Corrupt("claims ", value, " ", what, " after ", *sum);
  }
  *sum += static_cast<int64_t>(value);
  return Status::OK();
}

template <typename Offsets>
Result<std::vector<ByteRange>> Buffers(const Offsets& offsets, const Offsets& sizes,
                                       int64_t file_size) {
  if (offsets.size() != sizes.size()) {
    return Corrupt("has ", offsets.size(), " buffer offsets and ", sizes.size(), " buffer sizes");
  }
  const auto size = static_cast<uint64_t>(file_size);
  std::vector<ByteRange> buffers;
  for (int i = 0; i < offsets.size(); ++i) {
    // Compared by subtraction: offset + length could wrap for hostile values.
    if (sizes.Get(i) > size || offsets.Get(i) > size - sizes.Get(i)) {
      return Corrupt("has a buffer of ", sizes.Get(i), " bytes at ", offsets.Get(i),
                     " outside the file's ", size, " bytes");
    }
    buffers.push_back({.offset = static_cast<int64_t>(offsets.Get(i)),
                       .length = static_cast<int64_t>(sizes.Get(i))});
  }
  return buffers;
}

Result<PageDescription> DescribePage(const proto::ColumnMetadata::Page& from, int64_t first_row,
                                     int64_t file_size) {
  PageDescription page;
  page.first_row = first_row;
  ARROW_RETURN_NOT_OK(AddTo(&page.num_rows, from.length(), "rows"));
  ARROW_ASSIGN_OR_RAISE(page.buffers,
                        Buffers(from.buffer_offsets(), from.buffer_sizes(), file_size));
  for (const ByteRange& buffer : page.buffers) {
    ARROW_RETURN_NOT_OK(AddTo(&page.num_bytes, buffer.length, "bytes"));
  }
  if (!from.encoding().has_direct()) return Corrupt("has no direct encoding");
  ARROW_ASSIGN_OR_RAISE(DescribedEncoding encoding,
                        DescribeEncoding(from.encoding().direct().encoding(), page.buffers.size()));
  page.layout = std::move(encoding.layout);
  page.codecs = std::move(encoding.codecs);
  page.encoding = std::move(encoding.encoding);
  ARROW_RETURN_NOT_OK(
      AddTo(&page.num_values, encoding.num_values.value_or(from.length()), "values"));
  return page;
}

Status DescribePages(std::string_view metadata, int64_t file_size, ColumnDescription* column) {
  proto::ColumnMetadata from;
  if (!ParseMessage(metadata, &from)) {
    return Corrupt("metadata of ", metadata.size(), " bytes cannot be parsed");
  }
  ARROW_ASSIGN_OR_RAISE(column->buffers,
                        Buffers(from.buffer_offsets(), from.buffer_sizes(), file_size));
  for (const ByteRange& buffer : column->buffers) {
    ARROW_RETURN_NOT_OK(AddTo(&column->num_bytes, buffer.length, "bytes"));
  }
  int64_t rows = 0;
  for (const auto& page_from : from.pages()) {
    const auto add = [&]() -> Status {
      ARROW_ASSIGN_OR_RAISE(PageDescription page, DescribePage(page_from, rows, file_size));
      ARROW_RETURN_NOT_OK(AddTo(&rows, page.num_rows, "rows"));
      ARROW_RETURN_NOT_OK(AddTo(&column->num_values, page.num_values, "values"));
      ARROW_RETURN_NOT_OK(AddTo(&column->num_bytes, page.num_bytes, "bytes"));
      column->pages.push_back(std::move(page));
      return Status::OK();
    };
    const Status status = add();
    if (!status.ok()) {
      return WithContext(status, "page " + std::to_string(column->pages.size()));
    }
  }
  return Status::OK();
}

Result<FileDescription> Describe(const FileTables& file, const OperationContext& context) {
  const Footer& footer = file.footer;
  FileDescription description;
  description.num_bytes = file.file_size();
  description.footer_major = footer.major;
  description.footer_minor = footer.minor;
  const uint16_t minor_version = footer.data_minor();
  description.version = "2." + std::to_string(minor_version);

  ARROW_ASSIGN_OR_RAISE(description.global_buffers, file.GlobalBuffers(context));
  for (const ByteRange& buffer : description.global_buffers) {
    description.num_global_buffer_bytes += buffer.length;
  }
  description.num_data_bytes =
      static_cast<int64_t>(footer.column_metadata) - description.num_global_buffer_bytes;
  description.num_column_metadata_bytes =
      static_cast<int64_t>(footer.buffer_table) - static_cast<int64_t>(footer.column_metadata);
  if (description.num_data_bytes < 0 || description.num_column_metadata_bytes < 0) {
    return Corrupt("column metadata at ", footer.column_metadata, " is not behind ",
                   description.num_global_buffer_bytes, " bytes of global buffers and before ",
                   footer.buffer_table);
  }

  ARROW_ASSIGN_OR_RAISE(const auto descriptor,
                        file.object->ReadOne(description.global_buffers[0], context));
  proto::FileDescriptor from;
  if (!ParseMessage(std::string_view(*descriptor), &from)) {
    return Corrupt("file descriptor of ", descriptor->size(), " bytes cannot be parsed");
  }
  ARROW_RETURN_NOT_OK(AddTo(&description.num_rows, from.length(), "rows"));
  ARROW_ASSIGN_OR_RAISE(const Schema schema, FromProto(from.schema()));
  ARROW_ASSIGN_OR_RAISE(description.schema, schema.ToArrow());

  ARROW_ASSIGN_OR_RAISE(const auto metadata, file.ColumnMetadata(context));
  ARROW_ASSIGN_OR_RAISE(const auto handle, file.object->Read(metadata, context));
  ARROW_ASSIGN_OR_RAISE(const auto paths, PathsOfFields(schema));
  std::vector<PhysicalColumn> physical;
  for (const Field& field : schema.fields) {
    const auto more = PhysicalColumns(field, minor_version);
    physical.insert(physical.end(), more.begin(), more.end());
  }
  for (size_t i = 0; i < metadata.size(); ++i) {
    ColumnDescription column;
    if (i < physical.size()) {
      column.field = paths.at(physical[i].field);
      column.logical_type = physical[i].field->logical_type;
      column.content = ContentName(physical[i].kind);
    }
    column.num_metadata_bytes = metadata[i].length;
    ARROW_ASSIGN_OR_RAISE(const auto bytes, handle->Wait(i));
    const Status status = DescribePages(std::string_view(*bytes), file.file_size(), &column);
    if (!status.ok()) {
      return WithContext(status, "column " + std::to_string(i) + " '" + column.field + "'");
    }
    description.columns.push_back(std::move(column));
  }
  return description;
}

}  // namespace

Result<FileDescription> DescribeFile(const io::StorePath& file, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const FileTables opened, FileTables::Open(file, context));
  auto description = Describe(opened, context);
  if (!description.ok()) return WithContext(description.status(), file.path);
  return description;
}

Result<std::shared_ptr<arrow::Buffer>> ReadGlobalBuffer(const io::StorePath& file, int64_t index,
                                                        const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const FileTables opened, FileTables::Open(file, context));
  const auto buffers = opened.GlobalBuffers(context);
  if (!buffers.ok()) return WithContext(buffers.status(), file.path);
  if (index < 0 || index >= std::ssize(*buffers)) {
    return InvalidArgument(file.path, ": there is no global buffer ", index, ": the file has ",
                           buffers->size());
  }
  return opened.object->ReadOne((*buffers)[index], context);
}

std::map<std::string, int64_t> ColumnDescription::CountEncodings() const {
  std::map<std::string, int64_t> counts;
  for (const PageDescription& page : pages) {
    ++counts[page.codecs.empty() ? page.layout : page.layout + " " + page.codecs];
  }
  return counts;
}

std::string EncodingDescription::ToString() const {
  std::string text = name;
  std::string inside;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (!inside.empty()) inside += ", ";
    inside += key + "=" + value;
  };
  for (const auto& [key, value] : properties) add(key, value);
  for (const auto& [key, part] : parts) add(key, part.ToString());
  if (!inside.empty()) text += "(" + inside + ")";
  return text;
}

}  // namespace tusk::lance
