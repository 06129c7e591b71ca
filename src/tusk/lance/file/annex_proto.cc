#include <limits>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/base/checksum.h"
#include "tusk/base/little_endian.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/annex.pb.h"
#include "tusk/lance/file/parse_message.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kMagic = "TUSKANNX";
static_assert(kMagic.size() + sizeof(uint64_t) == Annex::kHeaderSize);

uint64_t ChecksumOf(std::string_view bytes) {
  return Checksum::Of({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

void AddPage(const PageSummary& page, proto::Annex::Page* to) {
  to->set_checksum(page.checksum);
  if (page.num_nulls) to->set_num_nulls(*page.num_nulls);
  if (page.least) to->set_least(*page.least);
  if (page.greatest) to->set_greatest(*page.greatest);
}

Result<PageSummary> ParsePage(const proto::Annex::Page& from) {
  PageSummary page;
  page.checksum = from.checksum();
  if (from.has_num_nulls()) {
    if (from.num_nulls() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Corrupt("annex claims ", from.num_nulls(), " nulls in a page");
    }
    page.num_nulls = static_cast<int64_t>(from.num_nulls());
  }
  if (from.has_least()) page.least = from.least();
  if (from.has_greatest()) page.greatest = from.greatest();
  return page;
}

}  // namespace

std::string Annex::Serialize() const {
  proto::Annex message;
  for (const Column& column : columns) {
    proto::Annex::Column* to = message.add_columns();
    for (const PageSummary& page : column.pages) AddPage(page, to->add_pages());
    for (const Extent& extent : column.extents) {
      proto::Annex::Extent* range = to->add_extents();
      range->set_position(extent.bytes.offset);
      range->set_size(extent.bytes.length);
      range->set_checksum(extent.checksum);
    }
  }
  for (const uint64_t checksum : global_buffers) message.add_global_buffers(checksum);
  message.set_column_metadata(column_metadata);
  message.set_minor_version(minor_version);
  const std::string payload = message.SerializeAsString();
  std::string bytes(kMagic);
  AppendLittle(ChecksumOf(payload), &bytes);
  return bytes + payload;
}

bool Annex::IsOne(std::string_view bytes) {
  return bytes.size() >= kHeaderSize && bytes.starts_with(kMagic);
}

Result<std::optional<Annex>> Annex::Read(const io::ByteRange& last, int64_t file_size,
                                         const ReadBytes& read) {
  if (last.length < kHeaderSize) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto header, read({.offset = last.offset, .length = kHeaderSize}));
  if (!IsOne(std::string_view(*header))) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto bytes, read(last));
  return Parse(std::string_view(*bytes), file_size);
}

Result<Annex> Annex::Parse(std::string_view bytes, int64_t file_size) {
  const std::string_view payload = bytes.substr(kHeaderSize);
  if (LoadLittle<uint64_t>(bytes, kMagic.size()) != ChecksumOf(payload)) {
    return Corrupt("annex of ", bytes.size(), " bytes does not have the checksum that it states");
  }
  proto::Annex message;
  if (!ParseMessage(payload, &message)) {
    return Corrupt("annex of ", bytes.size(), " bytes cannot be parsed");
  }
  Annex annex;
  for (const proto::Annex::Column& from : message.columns()) {
    Column column;
    for (const proto::Annex::Page& page : from.pages()) {
      ARROW_ASSIGN_OR_RAISE(column.pages.emplace_back(), ParsePage(page));
    }
    for (const proto::Annex::Extent& extent : from.extents()) {
      const auto size = static_cast<uint64_t>(file_size);
      if (extent.size() > size || extent.position() > size - extent.size()) {
        return Corrupt("annex has ", extent.size(), " bytes at ", extent.position(),
                       " outside the file's ", size);
      }
      column.extents.push_back({.bytes = {.offset = static_cast<int64_t>(extent.position()),
                                          .length = static_cast<int64_t>(extent.size())},
                                .checksum = extent.checksum()});
    }
    annex.columns.push_back(std::move(column));
  }
  annex.global_buffers.assign(message.global_buffers().begin(), message.global_buffers().end());
  annex.column_metadata = message.column_metadata();
  annex.minor_version = message.minor_version();
  return annex;
}

}  // namespace tusk::lance
