#pragma once

#include <string>
#include <string_view>

#include "tusk/io/object_store.h"
#include "tusk/lance/file/writer.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// A name that no other data file has.
std::string NewDataFileName();

/// Where the data file `name` of a table is, if the table keeps it itself.
std::string DataFilePath(const io::StorePath& table, std::string_view name);

/// The rows of a finished file as a fragment that has no id yet.
Fragment FragmentOf(std::string name, FileSummary file);

}  // namespace tusk::lance
