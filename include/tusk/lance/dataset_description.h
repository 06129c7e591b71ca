#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// What the data files of a version hold of one field: a physical column, over all files.
struct DatasetColumn {
  std::string field;         ///< path in the table's schema; empty for fields that it no longer has
  std::string logical_type;  ///< as the table has it
  int64_t num_files = 0;
  int64_t num_pages = 0;
  int64_t num_values = 0;
  int64_t num_bytes = 0;                     ///< of pages and buffers, without metadata
  std::map<std::string, int64_t> encodings;  ///< as ColumnDescription::CountEncodings
};

/// What a version takes on its store, by column.
struct DatasetDescription {
  int64_t num_rows = 0;  ///< without deleted ones, which the columns still hold
  int64_t num_files = 0;
  int64_t num_bytes = 0;               ///< of the data files, with their metadata
  std::vector<DatasetColumn> columns;  ///< in the order of the schema, what it no longer has last
};

/// Reads the metadata of all data files of the version, several at a time. Errors as File::Open.
TUSK_EXPORT Result<DatasetDescription> DescribeDataset(const Dataset& dataset,
                                                       const OperationContext& context);

/// What reading every byte of the data files of a version has shown; see FileVerification.
struct DatasetVerification {
  int64_t num_files = 0;
  int64_t num_files_with_checksums = 0;  ///< the others were decoded
  int64_t num_bytes = 0;
  std::vector<std::string> damages;  ///< each with its file and place; none: the data is whole
};

/// Reads all data files of the version, several at a time. Damage and files that are missing are in
/// the answer; errors as File::Verify.
TUSK_EXPORT Result<DatasetVerification> VerifyDataset(const Dataset& dataset,
                                                      const OperationContext& context);

}  // namespace tusk::lance
