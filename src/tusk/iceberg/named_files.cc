#include "tusk/iceberg/named_files.h"

#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/location.h"
#include "tusk/iceberg/manifest.h"

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;

/// Reads the file at `location` as one of `named->metadata`; null if it is among them already.
Result<std::shared_ptr<arrow::Buffer>> ReadOnce(io::ObjectStore* store, std::string_view location,
                                                NamedFiles* named,
                                                const OperationContext& context) {
  ARROW_RETURN_NOT_OK(context.CheckStop());
  ARROW_ASSIGN_OR_RAISE(const std::string path, LocationToPath(location));
  if (named->metadata.contains(path)) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto bytes, store->Get(path, context));
  named->metadata.insert(path);
  return bytes;
}

/// Of `manifest` the path, and the length if that is known, are asked for.
Status AddManifest(io::ObjectStore* store, const ManifestFile& manifest, NamedFiles* named,
                   const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, ReadOnce(store, manifest.path, named, context));
  if (bytes == nullptr) return Status::OK();
  ARROW_RETURN_NOT_OK(CheckWhole(manifest, bytes->size()));
  const Status added = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(auto reader, ManifestReader::Open(bytes, {.columns = {{}}}));
    std::vector<ManifestEntry> entries;
    while (true) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&entries));
      if (!more) return Status::OK();
      for (const ManifestEntry& entry : entries) {
        if (entry.change == ManifestEntry::Change::kDeleted) continue;
        ARROW_ASSIGN_OR_RAISE(std::string path, LocationToPath(entry.file.path));
        named->data.insert(std::move(path));
      }
    }
  }();
  if (!added.ok()) return WithContext(added, "manifest '" + manifest.path + "'");
  return Status::OK();
}

Status AddSnapshot(io::ObjectStore* store, const Json& snapshot, NamedFiles* named,
                   const OperationContext& context) {
  // Version 1 writers may list the manifests in the snapshot itself.
  if (const Json* manifests = FindMember(snapshot, "manifests"); manifests != nullptr) {
    if (!manifests->is_array()) return Corrupt("'manifests' of a snapshot is not an array");
    for (const Json& manifest : *manifests) {
      if (!manifest.is_string()) return Corrupt("'manifests' of a snapshot has other than texts");
      ManifestFile file;
      file.path = manifest.get<std::string>();
      ARROW_RETURN_NOT_OK(AddManifest(store, file, named, context));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto list, OptionalString(snapshot, "manifest-list"));
  if (!list) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto bytes, ReadOnce(store, *list, named, context));
  if (bytes == nullptr) return Status::OK();
  const auto manifests = ParseManifestList(std::string_view(*bytes));
  if (!manifests.ok()) return WithContext(manifests.status(), "manifest list '" + *list + "'");
  for (const ManifestFile& manifest : *manifests) {
    ARROW_RETURN_NOT_OK(AddManifest(store, manifest, named, context));
  }
  return Status::OK();
}

/// Adds the file that each object of the array `key` names.
Status AddPaths(const Json& document, const char* key, const char* path_key, NamedFiles* named) {
  const Json* entries = FindMember(document, key);
  if (entries == nullptr) return Status::OK();
  if (!entries->is_array()) return Corrupt("JSON member '", key, "' is not an array");
  for (const Json& entry : *entries) {
    if (!entry.is_object()) return Corrupt("an entry of '", key, "' is not an object");
    ARROW_ASSIGN_OR_RAISE(const auto location, RequiredString(entry, path_key));
    ARROW_ASSIGN_OR_RAISE(std::string path, LocationToPath(location));
    named->metadata.insert(std::move(path));
  }
  return Status::OK();
}

Status AddDocument(io::ObjectStore* store, const Json& document, WhichSnapshots which,
                   NamedFiles* named, const OperationContext& context) {
  for (const char* key : {"statistics", "partition-statistics"}) {
    ARROW_RETURN_NOT_OK(AddPaths(document, key, "statistics-path", named));
  }
  // Clients look up earlier states by these; they are small.
  if (which == WhichSnapshots::kAll) {
    ARROW_RETURN_NOT_OK(AddPaths(document, "metadata-log", "metadata-file", named));
  }
  ARROW_ASSIGN_OR_RAISE(const auto current, OptionalInteger(document, "current-snapshot-id"));
  const Json* snapshots = FindMember(document, "snapshots");
  if (snapshots == nullptr) return Status::OK();
  if (!snapshots->is_array()) return Corrupt("JSON member 'snapshots' is not an array");
  for (const Json& snapshot : *snapshots) {
    if (!snapshot.is_object()) return Corrupt("a snapshot is not an object");
    ARROW_ASSIGN_OR_RAISE(const int64_t id, RequiredInteger(snapshot, "snapshot-id"));
    if (which == WhichSnapshots::kCurrent && id != current) continue;
    ARROW_RETURN_NOT_OK(AddSnapshot(store, snapshot, named, context));
  }
  return Status::OK();
}

}  // namespace

Status AddNamedFiles(io::ObjectStore* store, std::string_view metadata_location,
                     WhichSnapshots which, NamedFiles* named, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, LocationToPath(metadata_location));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, store->Get(path, context));
  const Status added = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const Json document, ParseJson(std::string_view(*bytes), "metadata",
                                                         /*must_be_object=*/true));
    return AddDocument(store, document, which, named, context);
  }();
  if (!added.ok()) return WithContext(added, "metadata file '" + path + "'");
  named->metadata.insert(path);
  return Status::OK();
}

}  // namespace tusk::iceberg
