#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/iceberg/named_files.h"
#include "tusk/lake/lake_parts.h"
#include "tusk/lance/table/named_files.h"

namespace tusk::lake {

/// What is needed of one table of the lake, and by which paths.
struct TableNeeds {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  std::string root;             ///< of the table, a path of the store without a slash at its end
  lance::NamedFiles lance;      ///< relative to root
  iceberg::NamedFiles iceberg;  ///< absolute
  Status unclear;               ///< not OK: what it needs cannot be told

  bool Needs(const std::string& path) const;
};

/// What all tables of a lake need now, and all files below its tables.
struct Survey {
  std::map<std::string, TableNeeds> tables;  ///< by root and a slash
  std::vector<io::ObjectInfo> files;         ///< ascending by path
  std::vector<io::ObjectInfo> half_written;  ///< left by a store that was killed while it wrote

  /// The table whose root holds `path`; null if there is none.
  const TableNeeds* TableOf(const std::string& path) const;
};

/// The joint versions' changes and the tables' pointers, by table root.
Result<Survey> TakeSurvey(const LakeParts& parts, const OperationContext& context);

}  // namespace tusk::lake
