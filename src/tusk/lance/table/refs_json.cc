#include <map>
#include <optional>
#include <string>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "tusk/lance/table/refs.h"

namespace tusk::lance {
namespace {

using Json = nlohmann::json;
using Metadata = std::map<std::string, std::string>;

Json OrNull(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

std::optional<std::string> TextOrNone(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<std::string>();
}

/// Raises an exception of the JSON library for anything but a number from 0 on.
uint64_t Number(const Json& json) { return json.get_ref<const Json::number_unsigned_t&>(); }

Tag ParseTag(const Json& json) {
  return {.branch = TextOrNone(json, "branch"),
          .version = Number(json.at("version")),
          .created_at = TextOrNone(json, "createdAt").value_or(""),
          .updated_at = TextOrNone(json, "updatedAt").value_or(""),
          .manifest_size = json.value("manifestSize", int64_t{0}),
          .metadata = json.value("metadata", Metadata())};
}

Branch ParseBranch(const Json& json) {
  Branch branch{.parent_branch = TextOrNone(json, "parentBranch"),
                .parent_version = Number(json.at("parentVersion")),
                .created_at_s = json.value("createAt", int64_t{0}),
                .manifest_size = json.value("manifestSize", int64_t{0}),
                .metadata = json.value("metadata", Metadata())};
  const auto identifier = json.find("identifier");
  if (identifier == json.end()) return branch;
  for (const Json& pair : identifier->at("version_mapping")) {
    branch.identifier.emplace_back(Number(pair.at(0)), pair.at(1).get<std::string>());
  }
  return branch;
}

/// What `parse` makes of a JSON text. Corrupt.
template <typename T>
Result<T> Parse(std::string_view text, T (*parse)(const Json&)) {
  try {
    return parse(Json::parse(text.begin(), text.end()));
  } catch (const Json::exception& error) {
    return Corrupt("no reference of a Lance table: ", error.what());
  }
}

}  // namespace

Result<Tag> ParseTagJson(std::string_view text) { return Parse(text, ParseTag); }
Result<Branch> ParseBranchJson(std::string_view text) { return Parse(text, ParseBranch); }

std::string ToJson(const Tag& tag) {
  nlohmann::ordered_json json = {{"branch", OrNull(tag.branch)}, {"version", tag.version}};
  if (!tag.created_at.empty()) json["createdAt"] = tag.created_at;
  if (!tag.updated_at.empty()) json["updatedAt"] = tag.updated_at;
  json["manifestSize"] = tag.manifest_size;
  json["metadata"] = tag.metadata;
  return json.dump(2);
}

std::string ToJson(const Branch& branch) {
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

Result<TableRefs> ReadRefs(const io::StorePath& root, const std::optional<std::string>& branch,
                           const OperationContext& context) {
  TableRefs refs;
  for (const char* folder : {"tree", "_refs/branches"}) {
    ARROW_ASSIGN_OR_RAISE(const auto files,
                          root.store->List(io::JoinPath(root.path, folder), context));
    refs.has_branches |= !files.empty();
  }
  ARROW_ASSIGN_OR_RAISE(const auto branches, ListBranches(root, context));
  for (const auto& [name, begun] : branches) {
    if (begun.parent_branch == branch) refs.branched.insert(begun.parent_version);
  }
  ARROW_ASSIGN_OR_RAISE(const auto tags,
                        root.store->List(io::JoinPath(root.path, "_refs/tags"), context));
  for (const io::ObjectInfo& tag : tags) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, root.store->Get(tag.path, context));
    const std::string_view text(*bytes);
    const auto document =
        nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    const auto version = document.is_object() ? document.find("version") : document.end();
    if (version == document.end() || !version->is_number_unsigned()) {
      return Corrupt("'", tag.path, "' is no tag of a Lance table: it names no version");
    }
    const auto line = document.find("branch");
    const bool is_on_branch = line != document.end() && line->is_string();
    if (is_on_branch ? branch == line->get<std::string>() : !branch) {
      refs.tagged.insert(version->get<uint64_t>());
    }
  }
  return refs;
}

}  // namespace tusk::lance
