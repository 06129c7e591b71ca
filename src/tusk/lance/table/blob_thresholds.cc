#include "tusk/lance/table/blob_thresholds.h"

#include <charconv>
#include <string>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

namespace tusk::lance {
namespace {

constexpr const char* kInline = "lance-encoding:blob-inline-size-threshold";
constexpr const char* kDedicated = "lance-encoding:blob-dedicated-size-threshold";
constexpr const char* kPackFile = "lance-encoding:blob-pack-file-size-threshold";

Result<uint64_t> ParseThreshold(const Field& field, const char* key, uint64_t absent,
                                uint64_t least) {
  const auto found = field.metadata.find(key);
  if (found == field.metadata.end()) return absent;
  const std::string& text = found->second;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    return InvalidArgument("field '", field.name, "': metadata '", key, "' is '", text,
                           "', which is no number from ", least, " on");
  }
  return value;
}

}  // namespace

Result<BlobThresholds> BlobThresholds::Parse(const Field& field) {
  BlobThresholds parsed;
  ARROW_ASSIGN_OR_RAISE(parsed.inline_bytes,
                        ParseThreshold(field, kInline, parsed.inline_bytes, 0));
  ARROW_ASSIGN_OR_RAISE(parsed.packed_bytes,
                        ParseThreshold(field, kDedicated, parsed.packed_bytes, 1));
  ARROW_ASSIGN_OR_RAISE(parsed.pack_file_bytes,
                        ParseThreshold(field, kPackFile, parsed.pack_file_bytes, 1));
  return parsed;
}

Status CheckThresholds(const arrow::Field& data, const Field& field) {
  if (!data.HasMetadata()) return Status::OK();
  Field given = field;
  for (const char* key : {kInline, kDedicated, kPackFile}) {
    const auto value = data.metadata()->Get(key);
    if (value.ok()) given.metadata[key] = *value;
  }
  ARROW_ASSIGN_OR_RAISE(const BlobThresholds wanted, BlobThresholds::Parse(given));
  ARROW_ASSIGN_OR_RAISE(const BlobThresholds there, BlobThresholds::Parse(field));
  if (wanted == there) return Status::OK();
  return InvalidArgument("cannot append: column '", field.name,
                         "' keeps blobs apart from other sizes on than the data says: leave the "
                         "sizes out of its metadata");
}

}  // namespace tusk::lance
