#include "tusk/lance/file/footer.h"

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kMagic = "LANC";

Status CheckVersion(uint16_t major, uint16_t minor) {
  if (major == 2 && minor <= 2) return Status::OK();
  // Files of data version 2.0 say 0.3, those of the first one 0.1 or 0.2.
  if (major == 0 && minor == 3) return Status::OK();
  if (major == 0) return Unsupported("Lance data version 0.1 (legacy) is not supported");
  return Unsupported("Lance data version ", major, ".", minor, " is not supported yet");
}

Status CheckTable(std::string_view what, uint64_t position, uint64_t count, uint64_t body_size) {
  // Compared by subtraction: position + size could wrap for hostile values.
  const uint64_t size = count * Footer::kEntrySize;
  if (size > body_size || position > body_size - size) {
    return Corrupt("table of ", count, " ", what, " at ", position, " is outside the ", body_size,
                   " bytes before the footer");
  }
  return Status::OK();
}

}  // namespace

Result<Footer> Footer::Parse(std::string_view tail, int64_t file_size) {
  if (static_cast<int64_t>(tail.size()) < kSize || file_size < kSize) {
    return Corrupt("no footer in a Lance file of ", file_size, " bytes");
  }
  tail.remove_prefix(tail.size() - kSize);
  if (!tail.ends_with(kMagic)) {
    return Corrupt("Lance file does not end in ", kMagic, " at ", file_size - 4);
  }
  Footer footer{.column_metadata = LoadLittle<uint64_t>(tail, 0),
                .column_table = LoadLittle<uint64_t>(tail, 8),
                .buffer_table = LoadLittle<uint64_t>(tail, 16),
                .num_buffers = LoadLittle<uint32_t>(tail, 24),
                .num_columns = LoadLittle<uint32_t>(tail, 28),
                .major = LoadLittle<uint16_t>(tail, 32),
                .minor = LoadLittle<uint16_t>(tail, 34)};
  ARROW_RETURN_NOT_OK(CheckVersion(footer.major, footer.minor));
  const auto body_size = static_cast<uint64_t>(file_size - kSize);
  ARROW_RETURN_NOT_OK(CheckTable("columns", footer.column_table, footer.num_columns, body_size));
  ARROW_RETURN_NOT_OK(CheckTable("buffers", footer.buffer_table, footer.num_buffers, body_size));
  if (footer.column_metadata > body_size) {
    return Corrupt("column metadata at ", footer.column_metadata, " is outside the ", body_size,
                   " bytes before the footer");
  }
  if (footer.num_buffers == 0) return Corrupt("Lance file without a file descriptor");
  return footer;
}

void Footer::AppendTo(std::string* out) const {
  AppendLittle(column_metadata, out);
  AppendLittle(column_table, out);
  AppendLittle(buffer_table, out);
  AppendLittle(num_buffers, out);
  AppendLittle(num_columns, out);
  AppendLittle(major, out);
  AppendLittle(minor, out);
  out->append(kMagic);
}

Result<io::ByteRange> Footer::ParseEntry(std::string_view table, int64_t i, std::string_view what,
                                         int64_t file_size) {
  const auto position = LoadLittle<uint64_t>(table, i * kEntrySize);
  const auto length = LoadLittle<uint64_t>(table, i * kEntrySize + 8);
  const auto size = static_cast<uint64_t>(file_size);
  if (length > size || position > size - length) {
    return Corrupt(what, " ", i, " of ", length, " bytes at ", position, " is outside the file's ",
                   size, " bytes");
  }
  return io::ByteRange{.offset = static_cast<int64_t>(position),
                       .length = static_cast<int64_t>(length)};
}

}  // namespace tusk::lance
