#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/expr/filter.h"
#include "tusk/iceberg/partition_spec.h"
#include "tusk/iceberg/table.h"

namespace tusk::iceberg {

/// One step of a schema's evolution. Columns are found by name, with dots into structs and through
/// `element`, `key` and `value` of lists and maps; files are never rewritten, since their columns
/// are found by field id.
struct SchemaChange {
  enum class Kind {
    kAdd,           ///< `column` of `type`, optional, with fresh ids
    kDrop,          ///< `column`
    kRename,        ///< `column` becomes `new_name`, in its struct
    kMove,          ///< `column` to before or after its sibling `anchor`, or to the front
    kPromote,       ///< `column` to `type`: int to long, float to double, decimal to more digits
    kMakeOptional,  ///< `column` may be null from now on
    kSetDoc,        ///< the documentation of `column`, `doc`
  };
  enum class Place { kFirst, kBefore, kAfter };

  Kind kind = Kind::kAdd;
  std::string column;
  std::shared_ptr<arrow::DataType> type = {};  ///< by the type table of docs/decisions/003-types.md
  std::string new_name = {};
  Place place = Place::kFirst;
  std::string anchor = {};  ///< a name without dots
  std::string doc = {};
};

/// Changes of a table that touch its metadata alone, made true together, in this order.
struct TableUpdate {
  std::vector<SchemaChange> schema = {};
  std::vector<std::string> remove_partition_fields = {};  ///< by name
  std::vector<PartitionTerm> add_partition_fields = {};
  std::map<std::string, std::optional<std::string>> properties = {};  ///< without a value: removed
  std::vector<std::string> remove_refs = {};
  /// Made, or moved to another snapshot. Of "main" that is a rollback or roll-forward.
  std::vector<SnapshotRef> set_refs = {};
};

/// Rows that go, and rows that come in their place.
struct Overwrite {
  std::shared_ptr<const expr::Filter> filter;           ///< rows for which it is true go; null: all
  std::shared_ptr<arrow::RecordBatchReader> data = {};  ///< may be null: nothing comes
  std::map<std::string, std::string> summary = {};  ///< further entries of the snapshot's summary
  std::string branch = "main";
};

/// Which data files are put together.
struct DataFileRewrite {
  /// Files of less than three quarters of this are put together with others of their partition,
  /// until they have so many bytes. A file of more than twice the rows of all that it would be
  /// put together with stays, so that small appends and rewrites in turns stay cheap.
  int64_t target_file_bytes = int64_t{512} << 20;
  /// A file of which more than this share of the rows is deleted is rewritten on its own account.
  double deleted_share = 0.1;
  std::string branch = "main";
};

}  // namespace tusk::iceberg
