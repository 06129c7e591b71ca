#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/partition_spec.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table.h"

namespace tusk::iceberg {

/// The Iceberg schema for Arrow data by the type table (docs/decisions/003-types.md) as an Arrow
/// schema of the stored types, with fresh field ids in PARQUET:field_id. Unsupported names the
/// field and the type that cannot be kept.
Result<std::shared_ptr<arrow::Schema>> StoredSchema(const arrow::Schema& schema);

/// How one column of the data becomes a column of the table.
struct ColumnPlan {
  int source = 0;                        ///< index in the data
  std::shared_ptr<arrow::Field> target;  ///< with its field id
};

/// The table that data is written into, seen alike whether it is there already or not.
struct WriteTarget {
  std::shared_ptr<arrow::Schema> schema;
  int32_t schema_id = 0;
  std::string schema_json;
  PartitionSpec spec;
  arrow::FieldVector partition_fields;
  std::map<std::string, std::string> properties;
  std::vector<ColumnPlan> columns;
  const Table::State* base = nullptr;  ///< null for a new table

  /// The header of a manifest of new data files.
  ManifestHeader Header() const;
};

/// What a new table is made with, besides its data.
struct NewTableOptions {
  std::map<std::string, std::string> properties;
  std::vector<std::string> partition_by;  ///< partition terms
};

/// The target for data of the schema `data`; `base` null for a new table. InvalidArgument if the
/// data's columns are not those of the table, or a partition term makes no sense.
Result<WriteTarget> ResolveTarget(const arrow::Schema& data, const Table::State* base,
                                  const NewTableOptions& options);

/// Writes rows as data files of at most about `target_file_bytes`, each of one partition. Few files
/// are open at once: rows should come sorted by partition, or files are small. Reports progress in
/// rows.
Result<std::vector<DataFile>> WriteDataFiles(arrow::RecordBatchReader* data,
                                             const WriteTarget& target, int64_t target_file_bytes,
                                             const StagingArea& area);

/// `spec` with the fields that `terms` ask for, their ids counting from `last_field_id` + 1.
/// InvalidArgument for an unknown column, a transform that cannot take its type, or a name that is
/// twice or that of another column.
Result<PartitionSpec> AddPartitionFields(PartitionSpec spec,
                                         const std::vector<PartitionTerm>& terms,
                                         const arrow::Schema& schema, int32_t last_field_id);

/// The field that `path`, names with dots, leads to; null if there is none.
std::shared_ptr<arrow::Field> FindFieldByPath(const arrow::Schema& schema, std::string_view path);

}  // namespace tusk::iceberg
