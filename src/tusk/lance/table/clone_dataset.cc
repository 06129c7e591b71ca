#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/refs.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/build_manifest.h"
#include "tusk/lance/table/clone_table.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/data_file.h"
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

using Uuid = std::array<uint8_t, 16>;

uint64_t RandomNumber() {
  std::random_device random;
  return random() | uint64_t{random()} << 32;
}

/// All below the folder `source`, which will be called `target`.
Status AddFolder(const io::StorePath& root, const std::string& source, const std::string& target,
                 std::vector<Copy>* copies, const OperationContext& context) {
  const std::string path = io::JoinPath(root.path, source);
  ARROW_ASSIGN_OR_RAISE(const auto objects, root.store->List(path, context));
  for (const io::ObjectInfo& object : objects) {
    copies->push_back({.source = {.store = root.store, .path = object.path},
                       .target = target + object.path.substr(path.size())});
  }
  return Status::OK();
}

/// Where the files of `fragment` are; `clone`, which is equal, gets the names of the copies.
Status AddFragment(const Dataset::State& state, const Fragment& fragment, Fragment* clone,
                   std::vector<Copy>* copies, const OperationContext& context) {
  constexpr std::string_view kEnding = ".lance";
  for (size_t i = 0; i < fragment.files.size(); ++i) {
    const DataFile& file = fragment.files[i];
    const std::string name = NewDataFileName();
    clone->files[i].path = name;
    ARROW_ASSIGN_OR_RAISE(io::StorePath source, state.Locate(fragment, file));
    copies->push_back({.source = source, .target = "data/" + name});
    if (!file.path.ends_with(kEnding)) continue;
    // Large values may lie in a folder that is called as the file.
    const auto stem = [&](std::string path) {
      path.resize(path.size() - kEnding.size());
      return path;
    };
    source.path.resize(source.path.size() - file.path.size());
    ARROW_RETURN_NOT_OK(AddFolder(source, stem(file.path), "data/" + stem(name), copies, context));
  }
  if (!fragment.deletion_file) return Status::OK();
  clone->deletion_file->id = RandomNumber();
  ARROW_ASSIGN_OR_RAISE(const TableBase base, state.Locate(fragment.deletion_file->base_id));
  copies->push_back({.source = {.store = base.place.store,
                                .path = io::JoinPath(base.place.path, DeletionPath(fragment))},
                     .target = DeletionPath(*clone)});
  return Status::OK();
}

/// Every file that the version needs. All get new names, which are put into `clone`: what a clone
/// has copied is its own, and can be removed if it fails, whoever clones to the same place.
Result<std::vector<Copy>> NameCopies(const Dataset::State& state, VersionContent* clone,
                                     const OperationContext& context) {
  std::vector<Copy> copies;
  for (size_t i = 0; i < state.manifest.fragments.size(); ++i) {
    ARROW_RETURN_NOT_OK(AddFragment(state, state.manifest.fragments[i],
                                    &clone->manifest.fragments[i], &copies, context));
  }
  for (IndexMetadata& index : clone->indices) {
    Uuid old_uuid = {};
    std::ranges::copy(index.uuid, old_uuid.begin());
    const Uuid uuid = RandomUuid();
    ARROW_ASSIGN_OR_RAISE(const TableBase base, state.Locate(index.base_id));
    ARROW_RETURN_NOT_OK(AddFolder(base.place, "_indices/" + FormatUuid(old_uuid),
                                  "_indices/" + FormatUuid(uuid), &copies, context));
    index.uuid.assign(uuid.begin(), uuid.end());
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

/// Best effort; cannot be stopped.
void RemoveCopies(const std::vector<Copy>& copies, const io::StorePath& target,
                  const OperationContext& context) {
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  for (const Copy& copy : copies) {
    (void)target.store->Delete(io::JoinPath(target.path, copy.target), unstoppable);
  }
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
  std::vector<Copy> copies;
  if (!clone.is_shallow) {
    ARROW_ASSIGN_OR_RAISE(copies, NameCopies(state, &content, context));
  }
  const Transaction transaction{
      .read_version = source.version(), .uuid = RandomUuidString(), .operation = clone};
  content = BuildClonedManifest(transaction, content, NowNs());
  // Nothing is true before the manifest, so all becomes durable with it.
  const io::StorePath place = io::Deferring(target);
  std::string path = ManifestPath(content.manifest.version, ManifestNaming::kV2);
  const auto write = [&]() -> Status {
    ARROW_RETURN_NOT_OK(CopyFiles(copies, place, context));
    ARROW_RETURN_NOT_OK(WriteTransactionFile(place, transaction, context));
    const std::string file =
        SerializeManifestFile(&content.manifest, SerializeIndexSection(content.indices),
                              SerializeTransaction(transaction));
    return io::SyncAndPutIfAbsent(place.store.get(), io::JoinPath(place.path, path), file, context);
  };
  const Status written = write();
  if (!written.ok()) {
    // Nobody knows what the store did: the name tells, also if the caller wants to stop.
    OperationContext unstoppable = context;
    unstoppable.stop = {};
    const auto holds = HoldsTransaction(target, path, transaction.uuid, unstoppable);
    if (!holds.ok() || !*holds) {
      if (holds.ok() || GetErrorCode(holds.status()) == ErrorCode::kNotFound) {
        RemoveCopies(copies, target, context);
        RemoveTransactionFile(target, transaction, context);
      }
      return written;
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
