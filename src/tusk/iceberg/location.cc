#include "tusk/iceberg/location.h"

#include <algorithm>
#include <utility>

namespace tusk::iceberg {

Result<std::string> LocationToPath(std::string_view location) {
  std::string_view path = location;
  const size_t scheme_end = path.find(':');
  const bool has_scheme =
      scheme_end != path.npos && path.substr(0, scheme_end).find('/') == path.npos;
  if (has_scheme) {
    const std::string_view scheme = path.substr(0, scheme_end);
    if (scheme != "file") {
      return Unsupported("location scheme '", scheme, "' is not supported yet: '", location, "'");
    }
    path.remove_prefix(scheme_end + 1);
    if (path.starts_with("///")) path.remove_prefix(2);
  }
  const auto refused = [&](std::string_view why) {
    return InvalidArgument("location is not an absolute, normal path (", why, "): '", location,
                           "'");
  };
  if (path.empty() || path.front() != '/') return refused("relative");
  if (path.find('\0') != path.npos) return refused("NUL byte");
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  size_t begin = 1;
  while (begin <= path.size() && path.size() > 1) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return refused("segment");
    begin = end + 1;
  }
  return std::string(path);
}

Result<std::string> TableFolder(std::string_view metadata_path) {
  const size_t name = metadata_path.rfind('/');
  const std::string_view folder = metadata_path.substr(0, std::min(name, metadata_path.size()));
  if (name == metadata_path.npos || !folder.ends_with("/metadata") || folder == "/metadata") {
    return InvalidArgument("metadata file '", metadata_path,
                           "' is not in a folder <table>/metadata");
  }
  return std::string(folder.substr(0, folder.size() - std::string_view("/metadata").size()));
}

Result<std::string> FileInTable(std::string_view location, std::string_view table_folder) {
  ARROW_ASSIGN_OR_RAISE(std::string path, LocationToPath(location));
  if (!path.starts_with(table_folder) || path.size() <= table_folder.size() ||
      path[table_folder.size()] != '/') {
    return Unsupported("file '", location, "' is outside of its table's folder '", table_folder,
                       "': such files are not read");
  }
  return path;
}

}  // namespace tusk::iceberg
