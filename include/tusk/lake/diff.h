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

struct DiffOptions {
  std::vector<catalog::TableName> tables = {};  ///< all that differ if empty
  std::string id_column = "content_id";         ///< says which rows are the same
  std::string label_column = "label";           ///< whose values are counted
  /// Binary columns (media) are compared too. Where the id is the hash of the content they say
  /// nothing new, and all of them have to be read.
  bool compare_binary = false;
  int64_t max_listed = 1000;  ///< ids of each kind that are listed
};

/// How many rows have a label; none for rows without one.
struct LabelCount {
  std::optional<std::string> label;
  int64_t before = 0;
  int64_t after = 0;
};

/// How a table differs between two joint versions.
struct TableDiff {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  int64_t rows_before = 0;  ///< 0 also if there was no table
  int64_t rows_after = 0;
  bool schema_changed = false;  ///< then the columns that both have are compared
  bool has_ids = false;         ///< false without the id column: then only rows are counted
  int64_t added = 0;
  int64_t removed = 0;
  int64_t changed = 0;  ///< ids on both sides whose other columns differ
  /// The first of each, in no particular order but the same each time.
  std::vector<std::string> added_ids = {};
  std::vector<std::string> removed_ids = {};
  std::vector<std::string> changed_ids = {};
  std::vector<LabelCount> labels = {};  ///< ascending; empty without the label column
};

/// Compares the tables at two joint versions; those that are the same version in both are left out.
/// Ascending by name. Holds 24 bytes for each row of one table at a time. NotFound for a joint
/// version or a table that is in neither; InvalidArgument if an id is null or nested.
TUSK_EXPORT Result<std::vector<TableDiff>> Diff(const Lake& lake, int64_t before, int64_t after,
                                                const DiffOptions& options,
                                                const OperationContext& context);

}  // namespace tusk::lake
