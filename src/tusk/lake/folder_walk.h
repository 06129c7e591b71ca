#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lake/ingest.h"

namespace tusk::lake {

/// What a walk found, both ascending by path (as bytes).
struct FoundFiles {
  std::vector<std::string> paths;
  std::vector<SkippedFile> skipped;  ///< folders that cannot be listed, dangling links, devices
};

/// The files below the local folder `folder` at any depth. What begins with a dot is left out. A
/// link to a file is a file; a link to a folder is not followed, so there are no loops. NotFound if
/// there is no such folder, InvalidArgument if it is none, IoError if it cannot be listed.
Result<FoundFiles> FindFiles(std::string_view folder, const OperationContext& context);

}  // namespace tusk::lake
