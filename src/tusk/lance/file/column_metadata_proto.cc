#include <limits>
#include <string>
#include <utility>

#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/parse_arena.h"
#include "tusk/lance/file/parse_buffers.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/stored_column.h"

namespace tusk::lance {
namespace {

constexpr const char* kColumnTypeUrl = "/lance.encodings.ColumnEncoding";

/// Parses all of a page but its encoding. Takes its buffers off the `bytes_left` that the column
/// may have in the file: pages share none, so what is kept of each of them is no more than there
/// are bytes for.
Result<StoredPage> ParseStored(const proto::ColumnMetadata::Page& from, int64_t first_row,
                               int64_t file_size, int64_t* bytes_left) {
  StoredPage page;
  if (from.length() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() - first_row) ||
      from.length() > std::numeric_limits<int64_t>::max() / 16) {
    return Corrupt("claims ", from.length(), " rows after ", first_row);
  }
  page.num_rows = static_cast<int64_t>(from.length());
  ARROW_ASSIGN_OR_RAISE(page.buffers, ParseBuffers(from, file_size));
  for (const io::ByteRange& buffer : page.buffers) {
    if (buffer.length > *bytes_left) {
      return Corrupt("has a buffer of ", buffer.length, " bytes where the column's others leave ",
                     *bytes_left, " of the file's ", file_size);
    }
    *bytes_left -= buffer.length;
  }
  if (!from.encoding().has_direct()) {
    return Unsupported("has no direct encoding, which is not supported");
  }
  return page;
}

Result<PageMetadata> ParsePage(const proto::ColumnMetadata::Page& from, int64_t first_row,
                               int64_t file_size, int64_t* bytes_left) {
  ARROW_ASSIGN_OR_RAISE(StoredPage stored, ParseStored(from, first_row, file_size, bytes_left));
  PageMetadata page{.num_rows = stored.num_rows,
                    .first_row = first_row,
                    .buffers = std::move(stored.buffers),
                    .layout = {}};
  ARROW_ASSIGN_OR_RAISE(
      page.layout, PageLayout::Parse(from.encoding().direct().encoding(), page.buffers.size()));
  return page;
}

void AddPage(const std::vector<io::ByteRange>& buffers, int64_t num_rows, int64_t first_row,
             std::string encoding, proto::ColumnMetadata* to) {
  proto::ColumnMetadata::Page* page = to->add_pages();
  for (const io::ByteRange& buffer : buffers) {
    page->add_buffer_offsets(buffer.offset);
    page->add_buffer_sizes(buffer.length);
  }
  page->set_length(num_rows);
  page->set_priority(first_row);
  page->mutable_encoding()->mutable_direct()->set_encoding(std::move(encoding));
}

std::string SerializedColumnEncoding() {
  proto::ColumnEncoding encoding;
  encoding.mutable_values();
  proto::TypedMessage typed;
  typed.set_type_url(kColumnTypeUrl);
  typed.set_value(encoding.SerializeAsString());
  return typed.SerializeAsString();
}

Status CheckColumnEncoding(const proto::ColumnMetadata& metadata) {
  if (!metadata.encoding().has_direct()) return Status::OK();
  // What nearly all columns have needs no parsing.
  static const auto* usual = new std::string(SerializedColumnEncoding());
  if (metadata.encoding().direct().encoding() == *usual) return Status::OK();
  proto::TypedMessage typed;
  proto::ColumnEncoding encoding;
  if (!ParseMessage(metadata.encoding().direct().encoding(), &typed) ||
      typed.type_url() != kColumnTypeUrl || !ParseMessage(typed.value(), &encoding)) {
    return Corrupt("column encoding cannot be parsed");
  }
  if (!encoding.has_values()) {
    return Unsupported("column encodings other than plain values are not supported yet");
  }
  return Status::OK();
}

}  // namespace

std::string ColumnMetadata::Serialize() const {
  proto::ColumnMetadata to;
  to.mutable_encoding()->mutable_direct()->set_encoding(SerializedColumnEncoding());
  for (const PageMetadata& page : pages) {
    AddPage(page.buffers, page.num_rows, page.first_row, page.layout.Serialize(), &to);
  }
  return to.SerializeAsString();
}

Result<ColumnMetadata> ColumnMetadata::Parse(std::string_view bytes, int64_t file_size) {
  ParseArena arena;
  auto& from = *arena.Make<proto::ColumnMetadata>();
  if (!ParseMessage(bytes, &from)) {
    return Corrupt("column metadata of ", bytes.size(), " bytes cannot be parsed");
  }
  ARROW_RETURN_NOT_OK(CheckColumnEncoding(from));
  ColumnMetadata metadata;
  int64_t first_row = 0;
  int64_t left = file_size;
  for (const auto& page_from : from.pages()) {
    auto page = ParsePage(page_from, first_row, file_size, &left);
    if (!page.ok()) {
      return WithContext(page.status(), "page " + std::to_string(metadata.pages.size()));
    }
    first_row += page->num_rows;
    metadata.pages.push_back(*std::move(page));
  }
  return metadata;
}

int64_t StoredPage::size_bytes() const {
  int64_t bytes = 0;
  for (const io::ByteRange& buffer : buffers) bytes += buffer.length;
  return bytes;
}

int64_t StoredColumn::num_rows() const {
  int64_t rows = 0;
  for (const StoredPage& page : pages) rows += page.num_rows;
  return rows;
}

std::string StoredColumn::Serialize() const {
  proto::ColumnMetadata to;
  to.mutable_encoding()->mutable_direct()->set_encoding(SerializedColumnEncoding());
  int64_t first_row = 0;
  for (const StoredPage& page : pages) {
    AddPage(page.buffers, page.num_rows, first_row, page.encoding, &to);
    first_row += page.num_rows;
  }
  return to.SerializeAsString();
}

Result<StoredColumn> StoredColumn::Parse(std::string_view bytes, int64_t file_size) {
  proto::ColumnMetadata from;
  if (!ParseMessage(bytes, &from)) {
    return Corrupt("column metadata of ", bytes.size(), " bytes cannot be parsed");
  }
  ARROW_RETURN_NOT_OK(CheckColumnEncoding(from));
  if (from.buffer_offsets_size() > 0) {
    return Unsupported("the column has buffers beside those of its pages");
  }
  StoredColumn column;
  int64_t first_row = 0;
  int64_t left = file_size;
  for (proto::ColumnMetadata::Page& page_from : *from.mutable_pages()) {
    auto page = ParseStored(page_from, first_row, file_size, &left);
    if (!page.ok()) {
      return WithContext(page.status(), "page " + std::to_string(column.pages.size()));
    }
    first_row += page->num_rows;
    page->encoding = std::move(*page_from.mutable_encoding()->mutable_direct()->mutable_encoding());
    column.pages.push_back(*std::move(page));
  }
  return column;
}

}  // namespace tusk::lance
