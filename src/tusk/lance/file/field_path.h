#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// The names in a path such as "a.`b.c`.d": parted by dots; one in backticks may hold dots, and
/// backticks if they are doubled. InvalidArgument, with the path, for a text that is no path.
Result<std::vector<std::string>> ParseFieldPath(std::string_view path);

/// The path of `names`, quoted where it must be.
std::string FormatFieldPath(const std::vector<std::string>& names);

/// The paths of all fields of a schema, which they point into. Corrupt if together they are longer
/// than any real schema's: a name stands in the paths of all that is below it.
Result<std::map<const Field*, std::string>> PathsOfFields(const Schema& schema);

}  // namespace tusk::lance
