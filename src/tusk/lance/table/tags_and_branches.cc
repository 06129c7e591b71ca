#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <set>
#include <utility>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "tusk/base/uuid.h"
#include "tusk/lance/refs.h"
#include "tusk/lance/table/clone_table.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest_file.h"

namespace tusk::lance {
namespace {

using Json = nlohmann::json;
using Metadata = std::map<std::string, std::string>;

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

Json OrNull(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

std::optional<std::string> TextOrNone(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<std::string>();
}

/// What `parse` makes of a JSON object at `path`. NotFound, Corrupt.
template <typename T>
Result<T> ReadJson(const io::StorePath& table, const std::string& path, T (*parse)(const Json&),
                   const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, table.store->Get(path, context));
  const std::string_view text(*bytes);
  try {
    return parse(Json::parse(text.begin(), text.end()));
  } catch (const Json::exception& error) {
    return Corrupt("'", path, "' is no reference of a Lance table: ", error.what());
  }
}

Tag ParseTag(const Json& json) {
  return {.branch = TextOrNone(json, "branch"),
          .version = json.at("version").get<uint64_t>(),
          .created_at = TextOrNone(json, "createdAt").value_or(""),
          .updated_at = TextOrNone(json, "updatedAt").value_or(""),
          .manifest_size = json.value("manifestSize", int64_t{0}),
          .metadata = json.value("metadata", Metadata())};
}

std::string ToText(const Tag& tag) {
  nlohmann::ordered_json json = {{"branch", OrNull(tag.branch)}, {"version", tag.version}};
  if (!tag.created_at.empty()) json["createdAt"] = tag.created_at;
  if (!tag.updated_at.empty()) json["updatedAt"] = tag.updated_at;
  json["manifestSize"] = tag.manifest_size;
  json["metadata"] = tag.metadata;
  return json.dump(2);
}

Branch ParseBranch(const Json& json) {
  Branch branch{.parent_branch = TextOrNone(json, "parentBranch"),
                .parent_version = json.at("parentVersion").get<uint64_t>(),
                .created_at_s = json.value("createAt", int64_t{0}),
                .manifest_size = json.value("manifestSize", int64_t{0}),
                .metadata = json.value("metadata", Metadata())};
  const auto identifier = json.find("identifier");
  if (identifier == json.end()) return branch;
  for (const Json& pair : identifier->at("version_mapping")) {
    branch.identifier.emplace_back(pair.at(0).get<uint64_t>(), pair.at(1).get<std::string>());
  }
  return branch;
}

std::string ToText(const Branch& branch) {
  Json mapping = Json::array();
  for (const auto& [version, uuid] : branch.identifier) mapping.push_back({version, uuid});
  const nlohmann::ordered_json json = {{"parentBranch", OrNull(branch.parent_branch)},
                                       {"identifier", {{"version_mapping", mapping}}},
                                       {"parentVersion", branch.parent_version},
                                       {"createAt", branch.created_at_s},
                                       {"manifestSize", branch.manifest_size},
                                       {"metadata", branch.metadata}};
  return json.dump(2);
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
    ARROW_ASSIGN_OR_RAISE(tags[name], ReadJson(table, TagPath(table, name), ParseTag, context));
  }
  return tags;
}

Result<Tag> GetTag(const io::StorePath& table, std::string_view name,
                   const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckTagName(name));
  auto tag = ReadJson(table, TagPath(table, name), ParseTag, context);
  if (GetErrorCode(tag.status()) != ErrorCode::kNotFound) return tag;
  return NotFound("the table at '", table.path, "' has no tag '", name, "'");
}

Status CreateTag(const io::StorePath& table, std::string_view name, const VersionRef& ref,
                 const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckTagName(name));
  ARROW_ASSIGN_OR_RAISE(const Tag tag, TagFor(table, ref, context));
  const Status put = table.store->PutIfAbsent(TagPath(table, name), ToText(tag), context);
  if (GetErrorCode(put) != ErrorCode::kAlreadyExists) return put;
  return AlreadyExists("the table at '", table.path, "' has a tag '", name, "' already");
}

Status UpdateTag(const io::StorePath& table, std::string_view name, const VersionRef& ref,
                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const Tag before, GetTag(table, name, context));
  ARROW_ASSIGN_OR_RAISE(Tag tag, TagFor(table, ref, context));
  tag.created_at = before.created_at;
  tag.metadata = before.metadata;
  return table.store->Put(TagPath(table, name), ToText(tag), context);
}

Status ReplaceTagMetadata(const io::StorePath& table, std::string_view name,
                          const std::map<std::string, std::string>& metadata,
                          const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(Tag tag, GetTag(table, name, context));
  tag.metadata = metadata;
  return table.store->Put(TagPath(table, name), ToText(tag), context);
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
                          ReadJson(table, BranchPath(table, branch), ParseBranch, context));
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
    ARROW_ASSIGN_OR_RAISE(
        const Branch parent,
        ReadJson(root, BranchPath(root, *branch.parent_branch), ParseBranch, context));
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
  ARROW_RETURN_NOT_OK(root.store->PutIfAbsent(BranchPath(root, name), ToText(branch), context));
  return dataset;
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
  auto branch = ReadJson(table, BranchPath(table, name), ParseBranch, context);
  if (GetErrorCode(branch.status()) == ErrorCode::kNotFound) {
    return NotFound("the table at '", table.path, "' has no branch '", name, "'");
  }
  ARROW_RETURN_NOT_OK(branch);
  branch->metadata = metadata;
  return table.store->Put(BranchPath(table, name), ToText(*branch), context);
}

}  // namespace tusk::lance
