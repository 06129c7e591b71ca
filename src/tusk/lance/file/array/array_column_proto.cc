#include <limits>
#include <string>
#include <utility>

#include "tusk/lance/file/array/array_column.h"
#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/parse_buffers.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

constexpr const char* kColumnTypeUrl = "/lance.encodings.ColumnEncoding";

/// Whether the column's values are descriptors of blobs.
Result<bool> ParseColumnEncoding(const proto::ColumnMetadata& metadata) {
  if (!metadata.encoding().has_direct()) return Unsupported("has no direct column encoding");
  proto::TypedMessage typed;
  proto::ColumnEncoding encoding;
  if (!ParseMessage(metadata.encoding().direct().encoding(), &typed) ||
      typed.type_url() != kColumnTypeUrl || !ParseMessage(typed.value(), &encoding)) {
    return Corrupt("column encoding cannot be parsed");
  }
  if (encoding.has_values()) return false;
  if (encoding.has_blob() && encoding.blob().inner().has_values()) return true;
  return Unsupported("column encodings other than plain values and blobs are not supported");
}

class ColumnParser {
 public:
  ColumnParser(std::vector<io::ByteRange> column_buffers,
               std::span<const io::ByteRange> file_buffers, ArrayColumn* column)
      : column_buffers_(std::move(column_buffers)), file_buffers_(file_buffers), column_(column) {}

  Status AddPage(size_t number, const proto::ColumnMetadata::Page& from) {
    // The format's own writer made pages without rows at times; they hold nothing to read.
    if (from.length() == 0) return Status::OK();
    if (from.length() > static_cast<uint64_t>(kMaxRows - column_->num_rows)) {
      return Corrupt("claims ", from.length(), " rows after ", column_->num_rows);
    }
    if (!from.encoding().has_direct()) return Unsupported("has no direct encoding");
    ArrayColumn::Page page = {.first_row = column_->num_rows,
                              .num_rows = static_cast<int64_t>(from.length()),
                              .first_item = column_->num_items,
                              .number = number,
                              .encoding = {}};
    ARROW_ASSIGN_OR_RAISE(const auto buffers, ParseBuffers(from, column_->file_size));
    ARROW_ASSIGN_OR_RAISE(
        page.encoding,
        ArrayEncoding::Parse(from.encoding().direct().encoding(),
                             {.page = buffers, .column = column_buffers_, .file = file_buffers_}));
    if (page.num_rows > page.encoding.Capacity()) {
      return Corrupt("claims ", page.num_rows, " rows in encoding ", page.encoding.name(),
                     ", whose buffers hold ", page.encoding.Capacity());
    }
    if (page.encoding.kind == ArrayEncoding::Kind::kList) {
      if (page.encoding.count > kMaxRows - column_->num_items) {
        return Corrupt("claims ", page.encoding.count, " items after ", column_->num_items);
      }
      column_->num_items += page.encoding.count;
    }
    column_->num_rows += page.num_rows;
    column_->pages.push_back(std::move(page));
    return Status::OK();
  }

 private:
  /// Of a column: what is counted in rows can be counted in bits.
  static constexpr int64_t kMaxRows = std::numeric_limits<int64_t>::max() / 16;

  std::vector<io::ByteRange> column_buffers_;
  std::span<const io::ByteRange> file_buffers_;
  ArrayColumn* column_;
};

}  // namespace

Result<std::unique_ptr<const ArrayColumn>> ArrayColumn::Parse(
    std::string_view column_metadata, int64_t file_size,
    std::span<const io::ByteRange> file_buffers) {
  proto::ColumnMetadata from;
  if (!ParseMessage(column_metadata, &from)) {
    return Corrupt("column metadata of ", column_metadata.size(), " bytes cannot be parsed");
  }
  auto column = std::make_unique<ArrayColumn>();
  column->file_size = file_size;
  ARROW_ASSIGN_OR_RAISE(column->is_blob, ParseColumnEncoding(from));
  ARROW_ASSIGN_OR_RAISE(auto buffers, ParseBuffers(from, file_size));
  ColumnParser parser(std::move(buffers), file_buffers, column.get());
  for (int i = 0; i < from.pages_size(); ++i) {
    const Status status = parser.AddPage(static_cast<size_t>(i), from.pages(i));
    if (!status.ok()) return WithContext(status, "page " + std::to_string(i));
  }
  return column;
}

}  // namespace tusk::lance
