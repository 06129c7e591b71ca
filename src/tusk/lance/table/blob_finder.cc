#include "tusk/lance/table/blob_finder.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {

BlobFinder::BlobFinder(const Dataset::State& dataset, const Field& field, std::string name,
                       std::shared_ptr<BlobFiles> files, const OperationContext& context)
    : dataset_(dataset),
      name_(std::move(name)),
      files_(std::move(files)),
      context_(context),
      locator_(dataset, field) {}

Result<std::shared_ptr<const Blob>> BlobFinder::Find(const arrow::StructArray& descriptors,
                                                     int64_t row, uint64_t address) {
  const auto find = [&]() -> Result<std::shared_ptr<const Blob>> {
    ARROW_ASSIGN_OR_RAISE(auto place, locator_.Find(descriptors, row, address));
    if (!place) return nullptr;
    return Open(*std::move(place));
  };
  auto found = find();
  if (found.ok()) return found;
  return WithContext(found.status(), DescribeBlob(dataset_, name_, address));
}

Status BlobFinder::CheckClaims(std::span<const FoundBlob> found) const {
  const auto check = [&](const auto& is_counted) -> Status {
    std::unordered_map<std::string_view, uint64_t> claimed;
    for (const FoundBlob& row : found) {
      if (row.blob == nullptr || row.blob->kind() == BlobKind::kExternal) continue;
      if (!is_counted(row)) continue;
      const std::string& path = row.blob->place().path;
      uint64_t& bytes = claimed[path];
      bytes += static_cast<uint64_t>(row.blob->size());
      if (bytes > sizes_.at(path)) {
        return Corrupt(dataset_.location.path, ": version ", dataset_.manifest.version,
                       ": blobs of column '", name_, "' claim more bytes of '", path, "' than the ",
                       sizes_.at(path), " that it has");
      }
    }
    return Status::OK();
  };
  if (check([](const FoundBlob&) { return true; }).ok()) return Status::OK();
  // Rows may be asked for more than once.
  std::unordered_set<uint64_t> seen;
  return check([&](const FoundBlob& row) { return seen.insert(row.row_address).second; });
}

Result<std::shared_ptr<const Blob>> BlobFinder::Open(BlobPlace place) {
  ARROW_ASSIGN_OR_RAISE(const auto file_size, SizeOf(place.object));
  const uint64_t size = place.size.value_or(file_size - std::min(file_size, place.position));
  // Of an empty blob no byte is read: writers put any position there.
  if (size > 0 && (size > file_size || place.position > file_size - size)) {
    return Corrupt(size, " bytes at ", place.position, " are not all in '", place.object.path,
                   "', which has ", file_size);
  }
  const uint64_t position = size > 0 ? place.position : 0;
  return std::make_shared<const Blob>(files_, std::move(place.object),
                                      static_cast<int64_t>(position), static_cast<int64_t>(size),
                                      place.kind, std::move(place.uri));
}

Result<uint64_t> BlobFinder::SizeOf(const io::StorePath& object) {
  const auto known = sizes_.find(object.path);
  if (known != sizes_.end()) return known->second;
  ARROW_RETURN_NOT_OK(context_.CheckStop());
  ARROW_ASSIGN_OR_RAISE(const auto reader, files_->Open(object, context_));
  const auto size = static_cast<uint64_t>(reader->size());
  sizes_.emplace(object.path, size);
  return size;
}

}  // namespace tusk::lance
