#include "tusk/lance/table/blob_locator.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>

#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {
namespace {

/// The children of a descriptor; see DescriptorOf.
enum PartV1 { kPositionV1, kSizeV1 };
enum PartV2 { kKind, kPosition, kSize, kBlobId, kBlobUri };

/// Kinds of the format that name objects of a table that keeps account of them.
constexpr uint8_t kManaged = 4;
constexpr uint8_t kManagedWithBase = 5;

template <typename ArrowArray>
auto ValueOf(const arrow::StructArray& descriptors, int child, int64_t row) {
  return static_cast<const ArrowArray&>(*descriptors.field(child)).GetView(row);
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<io::StorePath> ResolveBlobUri(std::string_view uri) {
  // Paths without a scheme stand for themselves.
  if (!uri.starts_with("file:")) return io::ResolveUri(uri);
  std::string decoded;
  for (size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] != '%') {
      decoded.push_back(uri[i]);
      continue;
    }
    const int high = i + 2 < uri.size() ? DigitOf(uri[i + 1]) : -1;
    const int low = i + 2 < uri.size() ? DigitOf(uri[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
      return InvalidArgument("'", uri, "' is no URI: there are no two hex digits of a character ",
                             "behind a '%'");
    }
    decoded.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return io::ResolveUri(decoded);
}

std::string SidecarPath(std::string_view data_file, uint32_t blob_id) {
  constexpr std::string_view kEnding = ".lance";
  if (data_file.ends_with(kEnding)) data_file.remove_suffix(kEnding.size());
  std::string path(data_file);
  path.push_back('/');
  // The lowest bit first: names of files that are made one after the other begin differently.
  for (int bit = 0; bit < 32; ++bit) path.push_back((blob_id >> bit & 1) != 0 ? '1' : '0');
  return path + ".blob";
}

std::string DescribeBlob(const Dataset::State& dataset, std::string_view column, uint64_t address) {
  return dataset.location.path + ": version " + std::to_string(dataset.manifest.version) +
         ": blob of column '" + std::string(column) + "' in row address " + std::to_string(address);
}

uint64_t BytesInFile(const Field& field, const arrow::StructArray& descriptors, int64_t row) {
  if (!field.is_blob_v2()) return ValueOf<arrow::UInt64Array>(descriptors, kSizeV1, row);
  const uint8_t kind = ValueOf<arrow::UInt8Array>(descriptors, kKind, row);
  if (kind != static_cast<uint8_t>(BlobKind::kInline)) return 0;
  return ValueOf<arrow::UInt64Array>(descriptors, kSize, row);
}

Result<const io::StorePath*> BlobLocator::DataFileOf(uint64_t address) {
  const auto known = data_files_.find(address >> 32);
  if (known != data_files_.end()) return &known->second;
  const std::vector<Fragment>& fragments = dataset_.manifest.fragments;
  const auto fragment = std::ranges::lower_bound(fragments, address >> 32, {}, &Fragment::id);
  if (fragment == fragments.end() || fragment->id != address >> 32) {
    return InvalidArgument("version ", dataset_.manifest.version, " has no fragment ",
                           address >> 32);
  }
  for (const DataFile& file : fragment->files) {
    if (std::ranges::find(file.field_ids, field_.id) == file.field_ids.end()) continue;
    ARROW_ASSIGN_OR_RAISE(io::StorePath place, dataset_.Locate(*fragment, file));
    return &data_files_.emplace(fragment->id, std::move(place)).first->second;
  }
  return Corrupt("no data file of fragment ", fragment->id, " has the column");
}

Result<BlobPlace> BlobLocator::FindExternal(BlobPlace place) const {
  if (place.uri.empty()) return Corrupt("an external blob without a URI");
  if (place.base_id == 0) {
    ARROW_ASSIGN_OR_RAISE(place.object, ResolveBlobUri(place.uri));
    return place;
  }
  ARROW_ASSIGN_OR_RAISE(const TableBase base, dataset_.Locate(place.base_id));
  ARROW_ASSIGN_OR_RAISE(place.object, io::ResolveBelow(base.place, place.uri));
  return place;
}

Result<std::optional<BlobPlace>> BlobLocator::FindV1(const arrow::StructArray& descriptors,
                                                     int64_t row, uint64_t address) {
  const bool has_parts =
      descriptors.field(kPositionV1)->IsValid(row) && descriptors.field(kSizeV1)->IsValid(row);
  if (!has_parts) return std::nullopt;
  BlobPlace place;
  place.position = ValueOf<arrow::UInt64Array>(descriptors, kPositionV1, row);
  place.size = ValueOf<arrow::UInt64Array>(descriptors, kSizeV1, row);
  // The place of a value that is null holds its levels.
  if (*place.size == 0 && place.position != 0) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const io::StorePath* file, DataFileOf(address));
  place.object = *file;
  return place;
}

Result<std::optional<BlobPlace>> BlobLocator::Find(const arrow::StructArray& descriptors,
                                                   int64_t row, uint64_t address) {
  if (descriptors.IsNull(row)) return std::nullopt;
  if (!field_.is_blob_v2()) return FindV1(descriptors, row, address);
  const uint8_t kind = ValueOf<arrow::UInt8Array>(descriptors, kKind, row);
  if (kind == kManaged || kind == kManagedWithBase) {
    return Unsupported("managed blobs are not supported yet");
  }
  if (kind > static_cast<uint8_t>(BlobKind::kExternal)) return Corrupt("a blob of kind ", kind);
  BlobPlace place{.kind = static_cast<BlobKind>(kind),
                  .object = {},
                  .position = ValueOf<arrow::UInt64Array>(descriptors, kPosition, row),
                  .size = ValueOf<arrow::UInt64Array>(descriptors, kSize, row),
                  .uri = {}};
  const uint32_t blob_id = ValueOf<arrow::UInt32Array>(descriptors, kBlobId, row);
  if (place.kind == BlobKind::kExternal) {
    place.uri = ValueOf<arrow::StringArray>(descriptors, kBlobUri, row);
    place.base_id = blob_id;
    if (*place.size == 0) place.size.reset();
    return FindExternal(std::move(place));
  }
  ARROW_ASSIGN_OR_RAISE(const io::StorePath* file, DataFileOf(address));
  place.object = *file;
  if (place.kind == BlobKind::kInline) return place;
  if (place.kind == BlobKind::kDedicated) place.position = 0;
  place.object.path = SidecarPath(file->path, blob_id);
  return place;
}

}  // namespace tusk::lance
