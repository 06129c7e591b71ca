#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/cleanup.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// A duration as the config has it, "14days 3h", in milliseconds: numbers with units from ns to
/// years. InvalidArgument for a text that is none.
Result<int64_t> ParseDurationMs(std::string_view text);

/// The cleanup that the config of a table asks for after this version; nothing if it does not.
/// Keys: lance.auto_cleanup.interval (in versions; 0 is each), .older_than, .retain_versions,
/// .delete_rate_limit. InvalidArgument for a value that cannot be. Source:
/// docs/format/lance_table.md.
Result<std::optional<CleanupOptions>> AutoCleanupOf(const Manifest& manifest);

/// Cleans the table up if `manifest`, its newest version, asks for it. Its failure is not that of
/// the commit before it: the next one tries again.
void CleanUpAfterCommit(const io::StorePath& table, const Manifest& manifest,
                        std::string_view manifest_path, const OperationContext& context);

}  // namespace tusk::lance
