#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/lance/refs.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/build_manifest.h"
#include "tusk/lance/table/clone_table.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"

namespace tusk::lance {
namespace {

/// One file to copy: where it is, and where it is to be, relative to the root of the clone.
struct Copy {
  io::StorePath source;
  std::string target;
};

Status AddFolder(const io::StorePath& root, const std::string& folder, std::vector<Copy>* copies,
                 const OperationContext& context) {
  const std::string path = io::JoinPath(root.path, folder);
  ARROW_ASSIGN_OR_RAISE(const auto objects, root.store->List(path, context));
  for (const io::ObjectInfo& object : objects) {
    copies->push_back({.source = {.store = root.store, .path = object.path},
                       .target = folder + object.path.substr(path.size())});
  }
  return Status::OK();
}

Status AddFragment(const Dataset::State& state, const Fragment& fragment, std::vector<Copy>* copies,
                   const OperationContext& context) {
  constexpr std::string_view kEnding = ".lance";
  for (const DataFile& file : fragment.files) {
    ARROW_ASSIGN_OR_RAISE(io::StorePath source, state.Locate(fragment, file));
    copies->push_back({.source = source, .target = "data/" + file.path});
    if (!file.path.ends_with(kEnding)) continue;
    // Large values may lie in a folder that is called as the file.
    const std::string stem = file.path.substr(0, file.path.size() - kEnding.size());
    source.path.resize(source.path.size() - file.path.size());
    std::vector<Copy> blobs;
    ARROW_RETURN_NOT_OK(AddFolder(source, stem, &blobs, context));
    for (Copy& blob : blobs) {
      copies->push_back({.source = std::move(blob.source), .target = "data/" + blob.target});
    }
  }
  if (!fragment.deletion_file) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const TableBase base,
                        FindBase(state.location, state.manifest, fragment.deletion_file->base_id));
  const std::string path = DeletionPath(fragment);
  copies->push_back(
      {.source = {.store = base.place.store, .path = io::JoinPath(base.place.path, path)},
       .target = path});
  return Status::OK();
}

/// Every file that the version needs.
Result<std::vector<Copy>> ListFiles(const Dataset::State& state,
                                    const std::vector<IndexMetadata>& indices,
                                    const OperationContext& context) {
  std::vector<Copy> copies;
  for (const Fragment& fragment : state.manifest.fragments) {
    ARROW_RETURN_NOT_OK(AddFragment(state, fragment, &copies, context));
  }
  for (const IndexMetadata& index : indices) {
    std::array<uint8_t, 16> uuid = {};
    std::ranges::copy(index.uuid, uuid.begin());
    ARROW_ASSIGN_OR_RAISE(const TableBase base,
                          FindBase(state.location, state.manifest, index.base_id));
    ARROW_RETURN_NOT_OK(AddFolder(base.place, "_indices/" + FormatUuid(uuid), &copies, context));
  }
  return copies;
}

Status CopyFiles(const std::vector<Copy>& copies, const io::StorePath& target,
                 const OperationContext& context) {
  int64_t done = 0;
  for (const Copy& copy : copies) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(io::CopyObject(
        copy.source, {.store = target.store, .path = io::JoinPath(target.path, copy.target)},
        context));
    if (context.progress != nullptr) {
      context.progress->Report("copying files", ++done, std::ssize(copies));
    }
  }
  return Status::OK();
}

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::shared_ptr<const Dataset>> CloneTo(const Dataset& source, const io::StorePath& target,
                                               const CloneTable& clone,
                                               const OperationContext& context) {
  const Dataset::State& state = source.state();
  const Status writable = CheckWritable(state.manifest);
  if (!writable.ok()) return WithContext(writable, state.location.path);
  ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(target, context));
  if (!locations.empty()) {
    return AlreadyExists("cannot clone ", state.location.path, " to '", target.path,
                         "': there is a table already");
  }
  ARROW_ASSIGN_OR_RAISE(
      const std::string section,
      ReadIndexSection(state.location, state.manifest_path, state.manifest, context));
  VersionContent content{.manifest = state.manifest, .indices = {}};
  if (!section.empty()) {
    ARROW_ASSIGN_OR_RAISE(content.indices, ParseIndexSection(section));
  }
  if (!clone.is_shallow) {
    ARROW_ASSIGN_OR_RAISE(const auto copies, ListFiles(state, content.indices, context));
    ARROW_RETURN_NOT_OK(CopyFiles(copies, target, context));
  }
  const Transaction transaction{
      .read_version = source.version(), .uuid = RandomUuidString(), .operation = clone};
  ARROW_RETURN_NOT_OK(WriteTransactionFile(target, transaction, context));
  content = BuildClonedManifest(transaction, content, NowNs());
  const std::string file = SerializeManifestFile(
      &content.manifest, SerializeIndexSection(content.indices), SerializeTransaction(transaction));
  std::string path = ManifestPath(content.manifest.version, ManifestNaming::kV2);
  const Status put = target.store->PutIfAbsent(io::JoinPath(target.path, path), file, context);
  if (!put.ok()) {
    const auto holds = HoldsTransaction(target, path, transaction.uuid, context);
    if (!holds.ok() || !*holds) {
      // Copied files stay: another clone to the same place would have them under the same names.
      const bool is_known = holds.ok() || GetErrorCode(holds.status()) == ErrorCode::kNotFound;
      if (is_known) RemoveTransactionFile(target, transaction, context);
      return put;
    }
  }
  WriteVersionHint(target, content.manifest.version, context);
  return Dataset::State::Make(target.path, target, std::move(content.manifest), std::move(path));
}

Result<std::shared_ptr<const Dataset>> CloneDataset(const Dataset& source,
                                                    const io::StorePath& target,
                                                    const CloneOptions& options,
                                                    const OperationContext& context) {
  const CloneTable clone{.is_shallow = options.shallow,
                         .ref_name = options.ref_name,
                         .ref_version = source.version(),
                         .ref_path = source.state().location.path};
  return CloneTo(source, target, clone, context);
}

}  // namespace tusk::lance
