#include "tusk/lance/file/file_tables.h"

#include <utility>

#include <arrow/buffer.h>

namespace tusk::lance {

Result<FileTables> FileTables::Open(const io::StorePath& file, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(io::OpenedObject object,
                        file.store->Open(file.path, Footer::kSize, context));
  auto footer = Footer::Parse(std::string_view(*object.tail), object.reader->size());
  if (!footer.ok()) return WithContext(footer.status(), file.path);
  return FileTables{.object = std::move(object.reader), .footer = *footer};
}

Result<std::vector<io::ByteRange>> FileTables::Read(uint64_t position, int64_t count,
                                                    std::string_view what,
                                                    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, object->ReadOne({.offset = static_cast<int64_t>(position),
                                                           .length = count * Footer::kEntrySize},
                                                          context));
  std::vector<io::ByteRange> ranges(count);
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) {
    ARROW_ASSIGN_OR_RAISE(ranges[i],
                          Footer::ParseEntry(std::string_view(*bytes), i, what, file_size()));
    total += ranges[i].length;
    if (total > file_size()) {
      return Corrupt(what, "s 0 to ", i, " have ", total, " bytes in a file of ", file_size());
    }
  }
  return ranges;
}

Result<std::vector<io::ByteRange>> FileTables::GlobalBuffers(
    const OperationContext& context) const {
  return Read(footer.buffer_table, footer.num_buffers, "global buffer", context);
}

Result<std::vector<io::ByteRange>> FileTables::ColumnMetadata(
    const OperationContext& context) const {
  return Read(footer.column_table, footer.num_columns, "metadata of column", context);
}

}  // namespace tusk::lance
