#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// A base path to register in a table: a place outside of its root where data files of it may lie.
/// The table does not own what is there: cleanups leave it alone.
struct NewBasePath {
  uint32_t id = 0;  ///< what files name it by; 0 has the lowest free one taken
  std::optional<std::string> name = {};
  /// Whether it is the root of a table, with data/ below it, or a folder of data files.
  bool is_dataset_root = false;
  std::string path = {};  ///< or a URI; a relative one is made absolute
};

/// Which of its places the new data files of a table go to, one after the other by turns.
enum class BaseChoice {
  kNamed,         ///< those of BaseTargets::targets
  kBases,         ///< every base path
  kRootAndBases,  ///< the table's root, then every base path
};

/// Options of the stores of base paths (io::ResolveUri), by path.
using BaseStoreOptions = std::map<std::string, io::StorageOptions>;

/// Where new data files go: all else of a version lies at the table's root. By default they do too.
struct BaseTargets {
  /// Registered in a table that is made. Names, paths and ids must be distinct.
  std::vector<NewBasePath> initial_bases = {};
  /// By name, by path, or by the table's own path; empty is the table's root alone.
  std::vector<std::string> targets = {};
  BaseChoice choice = BaseChoice::kNamed;
  BaseStoreOptions store_options = {};
};

/// WriteDataset, AppendOrCreate and PrepareWrite with a say in where the data files go.
/// InvalidArgument for targets that are not registered, and for `initial_bases` if the table is
/// there.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> WriteDataset(arrow::RecordBatchReader* data,
                                                                io::StorePath location,
                                                                const WriteOptions& options,
                                                                const BaseTargets& targets,
                                                                const OperationContext& context);
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> AppendOrCreate(arrow::RecordBatchReader* data,
                                                                  io::StorePath location,
                                                                  WriteOptions options,
                                                                  const BaseTargets& targets,
                                                                  const OperationContext& context);
TUSK_EXPORT Result<std::string> PrepareWrite(arrow::RecordBatchReader* data,
                                             const io::StorePath& location,
                                             const WriteOptions& options,
                                             const BaseTargets& targets,
                                             const OperationContext& context);

/// The same version of the table, which reads its files at base paths with these options; at those
/// that have none as before. Costs a copy of what its manifest says. The errors of io::ResolveUri.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> WithBaseStores(const Dataset& table,
                                                                  const BaseStoreOptions& options);

}  // namespace tusk::lance
