#pragma once

#include <string>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk::iceberg {

/// The path in the local store that a location of Iceberg means: an absolute path, file:/path or
/// file:///path, taken literally (Iceberg writers do not percent-encode). InvalidArgument if it is
/// relative, empty, or has `..`, `.`, empty segments or a NUL; Unsupported names another scheme.
/// One slash at the end is dropped.
Result<std::string> LocationToPath(std::string_view location);

/// The folder of a table whose metadata file is `metadata_path`: <folder>/metadata/<file>.
/// InvalidArgument if it does not lie so.
Result<std::string> TableFolder(std::string_view metadata_path);

/// The path of a file that metadata or manifests of the table in `table_folder` name. A location
/// outside of that folder is refused (Unsupported): who can write a metadata file must not decide
/// which other files of this machine are read.
Result<std::string> FileInTable(std::string_view location, std::string_view table_folder);

}  // namespace tusk::iceberg
