#include "tusk/lance/file/field_path.h"

#include <utility>

namespace tusk::lance {
namespace {

constexpr size_t kMostPathBytes = 256 << 20;

Status NoPath(std::string_view path, std::string_view why) {
  return InvalidArgument("'", path, "' is no path of a field: ", why);
}

/// Takes the name at the beginning of `rest`; what is left begins with a dot or is empty.
Result<std::string> TakeName(std::string_view path, std::string_view* rest) {
  std::string name;
  if (!rest->starts_with('`')) {
    name = rest->substr(0, rest->find('.'));
    rest->remove_prefix(name.size());
    if (name.find('`') != name.npos) return NoPath(path, "a backtick inside of a name");
    if (name.empty()) return NoPath(path, "an empty name");
    return name;
  }
  rest->remove_prefix(1);
  while (true) {
    const size_t tick = rest->find('`');
    if (tick == rest->npos) return NoPath(path, "a backtick that is not closed");
    name += rest->substr(0, tick);
    rest->remove_prefix(tick + 1);
    if (!rest->starts_with('`')) break;
    name.push_back('`');
    rest->remove_prefix(1);
  }
  if (!rest->empty() && !rest->starts_with('.')) {
    return NoPath(path, "text behind a closing backtick");
  }
  return name;
}

/// A walk over the fields of a schema.
struct PathWalk {
  std::vector<std::string> names;  ///< down to the field at hand
  size_t num_bytes = 0;
  std::map<const Field*, std::string> paths;

  Status Add(const Field& field) {
    names.push_back(field.name);
    std::string path = FormatFieldPath(names);
    num_bytes += path.size();
    if (num_bytes > kMostPathBytes) {
      return Corrupt("the paths of the fields have more than ", kMostPathBytes, " bytes");
    }
    paths[&field] = std::move(path);
    for (const Field& child : field.children) ARROW_RETURN_NOT_OK(Add(child));
    names.pop_back();
    return Status::OK();
  }
};

}  // namespace

Result<std::vector<std::string>> ParseFieldPath(std::string_view path) {
  std::vector<std::string> names;
  std::string_view rest = path;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(std::string name, TakeName(path, &rest));
    names.push_back(std::move(name));
    if (rest.empty()) return names;
    rest.remove_prefix(1);
  }
}

std::string FormatFieldPath(const std::vector<std::string>& names) {
  std::string path;
  for (const std::string& name : names) {
    if (!path.empty()) path.push_back('.');
    if (!name.empty() && name.find_first_of(".`") == name.npos) {
      path += name;
      continue;
    }
    path.push_back('`');
    for (const char c : name) path.append(c == '`' ? 2 : 1, c);
    path.push_back('`');
  }
  return path;
}

Result<std::map<const Field*, std::string>> PathsOfFields(const Schema& schema) {
  PathWalk walk;
  for (const Field& field : schema.fields) ARROW_RETURN_NOT_OK(walk.Add(field));
  return std::move(walk.paths);
}

}  // namespace tusk::lance
