#pragma once

#include <set>
#include <string>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/metadata.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {

/// Files that a snapshot does not have any more, and files that it has instead.
struct FileReplacement {
  std::set<std::string> removed = {};  ///< paths as written, of data files and of delete files
  std::vector<DataFile> removed_data_files = {};
  std::vector<DataFile> removed_delete_files = {};
  std::vector<DataFile> added = {};  ///< data files of the current partition spec

  void RemoveData(const DataFile& file);
  void KeepData(const DataFile& file);  ///< after all, one that was removed
  void RemoveDeletes(const DataFile& file);
};

/// Writes `snapshot`, which follows `parent` (null: nothing), with `replacement` done to the
/// parent's files, and the metadata in which it is the head of `branch`. The snapshot's summary
/// says which operation it is; counts are added to it.
Result<StagedMetadata> StageReplacement(const Table::State& table, const MetadataSnapshot* parent,
                                        MetadataSnapshot snapshot, const std::string& branch,
                                        FileReplacement replacement, const WriteTarget& target,
                                        const StagingArea& area);

}  // namespace tusk::iceberg
