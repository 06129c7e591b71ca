#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/export.h"
#include "tusk/lake/lake.h"

namespace tusk::lake {

/// A table at a glance.
struct TableOverview {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  std::string location;
  int64_t version = 0;  ///< Lance: version; Iceberg: snapshot id, 0 for none
  int64_t rows = 0;
  std::optional<int64_t> files;      ///< data files; absent if the table does not tell
  std::optional<int64_t> bytes;      ///< of these
  std::vector<std::string> indices;  ///< names; Lance only
  std::optional<std::string> model;  ///< of its vectors
  /// "ok"; "drifted" if another client changed it alone; "waits for publication"; or why it cannot
  /// be opened, and then the numbers are 0.
  std::string health;
};

/// All tables of the lake, ascending by name. Reads metadata, no rows. A table that cannot be
/// opened says so in its health. Of a lake at a fixed version, drift is not looked for.
TUSK_EXPORT Result<std::vector<TableOverview>> ShowTables(const Lake& lake,
                                                          const OperationContext& context);

}  // namespace tusk::lake
