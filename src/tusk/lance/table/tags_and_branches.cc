#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <set>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/refs.h"
#include "tusk/lance/table/clone_table.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/refs.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kTags = "_refs/tags";
constexpr std::string_view kBranches = "_refs/branches";
constexpr std::string_view kBranchFolder = "tree";
constexpr std::string_view kEnding = ".json";
constexpr std::string_view kMain = "main";

bool IsNamePart(std::string_view part) {
  return !part.empty() && part.find("..") == std::string_view::npos && part != "." &&
         !part.ends_with(".lock") && std::ranges::all_of(part, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

Status CheckTagName(std::string_view name) {
  if (IsNamePart(name) && name.front() != '.' && name.back() != '.') return Status::OK();
  return InvalidArgument("'", name,
                         "' is no name for a tag: it may have letters, digits, '.', '-' and '_', "
                         "no '.' at an end, no '..', and not end in .lock");
}

Status CheckBranchName(std::string_view name) {
  bool is_valid = name != kMain;
  for (std::string_view rest = name; is_valid;) {
    const size_t slash = rest.find('/');
    is_valid = IsNamePart(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (is_valid) return Status::OK();
  return InvalidArgument("'", name,
                         "' is no name for a branch: it may have letters, digits, '.', '-' and "
                         "'_', with '/' between such parts, no '..', not end in .lock, and not be "
                         "'main'");
}

/// The name of a branch as the name of one file.
std::string Encode(std::string_view branch) {
  std::string encoded;
  for (const char c : branch) {
    if (c == '/') {
      encoded += "%2F";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

std::string Decode(std::string_view name) {
  std::string decoded(name);
  for (size_t at = decoded.find("%2F"); at != std::string::npos; at = decoded.find("%2F", at)) {
    decoded.replace(at, 3, "/");
  }
  return decoded;
}

std::string TagPath(const io::StorePath& table, std::string_view name) {
  return io::JoinPath(io::JoinPath(table.path, kTags), std::string(name) + std::string(kEnding));
}

std::string BranchPath(const io::StorePath& table, std::string_view name) {
  return io::JoinPath(io::JoinPath(table.path, kBranches), Encode(name) + std::string(kEnding));
}

std::string Now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() %
      1'000'000;
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text = {};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%06dZ", static_cast<int>(micros));
  return text.data();
}

/// What `parse` makes of the object at `path`. NotFound, Corrupt.
template <typename T>
Result<T> Read(const io::StorePath& table, const std::string& path,
               Result<T> (*parse)(std::string_view), const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, table.store->Get(path, context));
  auto parsed = parse(std::string_view(*bytes));
  if (!parsed.ok()) return WithContext(parsed.status(), "'" + path + "'");
  return parsed;
}

/// The names of the references in a folder.
Result<std::vector<std::string>> ListNames(const io::StorePath& table, std::string_view folder,
                                           const OperationContext& context) {
  const std::string path = io::JoinPath(table.path, folder);
  ARROW_ASSIGN_OR_RAISE(const auto objects, table.store->List(path, context));
  std::vector<std::string> names;
  for (const io::ObjectInfo& object : objects) {
    const std::string_view name = std::string_view(object.path).substr(path.size() + 1);
    if (name.ends_with(kEnding)) names.emplace_back(name.substr(0, name.size() - kEnding.size()));
  }
  return names;
}

/// A tag for the version, made now.
Result<Tag> TagFor(const io::StorePath& table, const VersionRef& ref,
                   const OperationContext& context) {
  Tag tag;
  if (ref.branch != kMain) tag.branch = ref.branch;
  ARROW_ASSIGN_OR_RAISE(const io::StorePath place, BranchLocation(table, tag.branch));
  ManifestLocation location;
  if (ref.version) {
    ARROW_ASSIGN_OR_RAISE(location, FindManifest(place, *ref.version, context));
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(place, context));
    if (locations.empty()) return NotFound("no Lance table at '", place.path, "'");
    location = locations.back();
  }
  ARROW_ASSIGN_OR_RAISE(const io::ObjectInfo info,
                        place.store->Head(io::JoinPath(place.path, location.path), context));
  tag.version = location.version;
  tag.manifest_size = info.size;
  tag.created_at = tag.updated_at = Now();
  return tag;
}

std::string SimpleUuid() {
  std::string uuid = RandomUuidString();
  std::erase(uuid, '-');
  return uuid;
}

/// The folder below tree/ that goes with a branch: the highest that holds no other one; empty if
/// another branch lies below it.
std::string FolderToRemove(std::string_view name, const std::map<std::string, Branch>& others) {
  const auto holds_other = [&](std::string_view folder) {
    return std::ranges::any_of(others, [&](const auto& other) {
      return other.first == folder || other.first.starts_with(std::string(folder) + "/");
    });
  };
  if (holds_other(name)) return {};
  std::string_view folder = name;
  while (true) {
    const size_t slash = folder.rfind('/');
    if (slash == std::string_view::npos || holds_other(folder.substr(0, slash))) break;
    folder = folder.substr(0, slash);
  }
  return std::string(folder);
}

/// InvalidArgument if a tag or another branch begins at a version of this one.
Status CheckUnneeded(const io::StorePath& table, std::string_view name,
                     const std::map<std::string, Branch>& branches,
                     const OperationContext& context) {
  for (const auto& [other, branch] : branches) {
    if (branch.parent_branch == name) {
      return InvalidArgument("cannot delete branch '", name, "': branch '", other,
                             "' begins at its version ", branch.parent_version);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto tags, ListTags(table, context));
  for (const auto& [tag, contents] : tags) {
    if (contents.branch == name) {
      return InvalidArgument("cannot delete branch '", name, "': tag '", tag,
                             "' names its version ", contents.version);
    }
  }
  return Status::OK();
}

}  // namespace

io::StorePath RootOf(const Dataset& dataset) {
  io::StorePath root = dataset.state().location;
  const auto& branch = dataset.state().manifest.branch;
  if (!branch) return root;
  const std::string below = "/" + io::JoinPath(kBranchFolder, *branch);
  if (root.path.ends_with(below)) root.path.resize(root.path.size() - below.size());
  return root;
}

Result<io::StorePath> BranchLocation(const io::StorePath& table,
                                     const std::optional<std::string>& branch) {
  if (!branch || *branch == kMain) return table;
  ARROW_RETURN_NOT_OK(CheckBranchName(*branch));
  return io::StorePath{.store = table.store,
                       .path = io::JoinPath(io::JoinPath(table.path, kBranchFolder), *branch)};
}

Result<std::map<std::string, Tag>> ListTags(const io::StorePath& table,
                                            const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto names, ListNames(table, kTags, context));
  std::map<std::string, Tag> tags;
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(tags[name], Read(table, TagPath(table, name), ParseTagJson, context));
  }
  return tags;
}

Result<Tag> GetTag(const io::StorePath& table, std::string_view name,
                   const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckTagName(name));
  auto tag = Read(table, TagPath(table, name), ParseTagJson, context);
  if (GetErrorCode(tag.status()) != ErrorCode::kNotFound) return tag;
  return NotFound("the table at '", table.path, "' has no tag '", name, "'");
}

Status CreateTag(const io::StorePath& table, std::string_view name, const VersionRef& ref,
                 const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckTagName(name));
  ARROW_ASSIGN_OR_RAISE(const Tag tag, TagFor(table, ref, context));
  Status put = table.store->PutIfAbsent(TagPath(table, name), ToJson(tag), context);
  if (GetErrorCode(put) != ErrorCode::kAlreadyExists) return put;
  return AlreadyExists("the table at '", table.path, "' has a tag '", name, "' already");
}

Status UpdateTag(const io::StorePath& table, std::string_view name, const VersionRef& ref,
                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const Tag before, GetTag(table, name, context));
  ARROW_ASSIGN_OR_RAISE(Tag tag, TagFor(table, ref, context));
  tag.created_at = before.created_at;
  tag.metadata = before.metadata;
  return table.store->Put(TagPath(table, name), ToJson(tag), context);
}

Status ReplaceTagMetadata(const io::StorePath& table, std::string_view name,
                          const std::map<std::string, std::string>& metadata,
                          const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(Tag tag, GetTag(table, name, context));
  tag.metadata = metadata;
  return table.store->Put(TagPath(table, name), ToJson(tag), context);
}

Status DeleteTag(const io::StorePath& table, std::string_view name,
                 const OperationContext& context) {
  ARROW_RETURN_NOT_OK(GetTag(table, name, context));
  return table.store->Delete(TagPath(table, name), context);
}

Result<std::map<std::string, Branch>> ListBranches(const io::StorePath& table,
                                                   const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto names, ListNames(table, kBranches, context));
  std::map<std::string, Branch> branches;
  for (const std::string& name : names) {
    const std::string branch = Decode(name);
    ARROW_ASSIGN_OR_RAISE(branches[branch],
                          Read(table, BranchPath(table, branch), ParseBranchJson, context));
  }
  return branches;
}

Result<std::shared_ptr<const Dataset>> CreateBranch(const Dataset& source, std::string_view name,
                                                    const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckBranchName(name));
  const Dataset::State& state = source.state();
  const io::StorePath root = RootOf(source);
  Branch branch{.parent_branch = state.manifest.branch, .parent_version = source.version()};
  if (branch.parent_branch) {
    ARROW_ASSIGN_OR_RAISE(const Branch parent, Read(root, BranchPath(root, *branch.parent_branch),
                                                    ParseBranchJson, context));
    branch.identifier = parent.identifier;
  }
  branch.identifier.emplace_back(source.version(), SimpleUuid());
  branch.created_at_s = std::chrono::duration_cast<std::chrono::seconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  ARROW_ASSIGN_OR_RAISE(
      const io::ObjectInfo manifest,
      state.location.store->Head(io::JoinPath(state.location.path, state.manifest_path), context));
  branch.manifest_size = manifest.size;
  const auto taken = root.store->Head(BranchPath(root, name), context);
  if (taken.ok()) {
    return AlreadyExists("the table at '", root.path, "' has a branch '", name, "' already");
  }
  ARROW_ASSIGN_OR_RAISE(const io::StorePath place, BranchLocation(root, std::string(name)));
  const CloneTable clone{.is_shallow = true,
                         .ref_name = state.manifest.branch,
                         .ref_version = source.version(),
                         .ref_path = state.location.path,
                         .branch_name = std::string(name)};
  ARROW_ASSIGN_OR_RAISE(auto dataset, CloneTo(source, place, clone, context));
  const Status put = root.store->PutIfAbsent(BranchPath(root, name), ToJson(branch), context);
  if (put.ok()) return dataset;
  // Without its entry it is no branch yet; but if that is there after all, nobody's to remove.
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  const auto entry = root.store->Head(BranchPath(root, name), unstoppable);
  if (GetErrorCode(entry.status()) == ErrorCode::kNotFound) {
    const Manifest& made = dataset->state().manifest;
    for (const std::string& path :
         {dataset->state().manifest_path, "_transactions/" + made.transaction_file}) {
      (void)place.store->Delete(io::JoinPath(place.path, path), unstoppable);
    }
  }
  return put;
}

Status DeleteBranch(const io::StorePath& table, std::string_view name, bool force,
                    const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckBranchName(name));
  ARROW_ASSIGN_OR_RAISE(auto branches, ListBranches(table, context));
  if (!force && !branches.contains(std::string(name))) {
    return NotFound("the table at '", table.path, "' has no branch '", name, "'");
  }
  ARROW_RETURN_NOT_OK(CheckUnneeded(table, name, branches, context));
  ARROW_RETURN_NOT_OK(table.store->Delete(BranchPath(table, name), context));
  branches.erase(std::string(name));
  const std::string folder = FolderToRemove(name, branches);
  if (folder.empty()) return Status::OK();
  const std::string path = io::JoinPath(io::JoinPath(table.path, kBranchFolder), folder);
  ARROW_ASSIGN_OR_RAISE(const auto files, table.store->List(path, context));
  for (const io::ObjectInfo& file : files) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(table.store->Delete(file.path, context));
  }
  return Status::OK();
}

Status ReplaceBranchMetadata(const io::StorePath& table, std::string_view name,
                             const std::map<std::string, std::string>& metadata,
                             const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckBranchName(name));
  auto branch = Read(table, BranchPath(table, name), ParseBranchJson, context);
  if (GetErrorCode(branch.status()) == ErrorCode::kNotFound) {
    return NotFound("the table at '", table.path, "' has no branch '", name, "'");
  }
  ARROW_RETURN_NOT_OK(branch);
  branch->metadata = metadata;
  return table.store->Put(BranchPath(table, name), ToJson(*branch), context);
}

}  // namespace tusk::lance
