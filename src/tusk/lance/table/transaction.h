#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// The kinds of commits, in the order of the alternatives of Transaction::operation. Of the last
/// three only the name is known; kUnknown is a kind of a later writer.
enum class Operation {
  kAppend,
  kDelete,
  kOverwrite,
  kUpdate,
  kMerge,
  kProject,
  kRewrite,
  kReserveFragments,
  kRestore,
  kCreateIndex,
  kDataReplacement,
  kUpdateConfig,
  kUpdateBases,
  kClone,
  kUpdateMemWalState,
  kDataOverlay,
  kUnknown,
};

/// As in the specification: "append", "create_index".
std::string_view OperationName(Operation operation);

/// Changes of a map of texts.
struct MapUpdate {
  struct Entry {
    std::string key;
    std::optional<std::string> value = {};  ///< absent removes the key
  };
  std::vector<Entry> entries = {};
  bool replace = false;  ///< what is not named goes

  bool empty() const { return entries.empty() && !replace; }
  void ApplyTo(std::map<std::string, std::string>* map) const;
};

/// Adds `fragments`, whose ids are given at commit.
struct AppendRows {
  std::vector<Fragment> fragments = {};
};

struct DeleteRowsOp {
  std::vector<Fragment> updated = {};  ///< those with a new deletion file, which alone counts
  std::vector<uint64_t> removed = {};  ///< ids of those without a row left
  std::string predicate = {};          ///< for people who look at the transaction
};

/// Makes a table, or replaces all its rows and its schema.
struct OverwriteTable {
  std::vector<Fragment> fragments = {};  ///< ids are given at commit
  Schema schema = {};
  /// What the table says from now on. Not serialized: empty stands for the version of the
  /// fragments' files, or 2.2 without any.
  std::string data_version = {};
  std::map<std::string, std::string> config_upserts = {};
  std::vector<BasePath> initial_bases = {};  ///< only to make a table
};

/// How an update stores the new values.
enum class UpdateMode : uint32_t {
  kRewriteRows = 0,     ///< rows are deleted where they were and written to new fragments
  kRewriteColumns = 1,  ///< fragments get new files for the columns; the old fields are tombstones
};

struct UpdateRows {
  std::vector<uint64_t> removed = {};  ///< ids of fragments without a row left
  std::vector<Fragment> updated = {};  ///< as they are to be, with their new deletion files
  /// Their ids are given at commit. With stable row ids they carry the ids of the rows that moved
  /// into them, which stand before the new ones; the missing ones are given at commit.
  std::vector<Fragment> added = {};
  std::vector<uint32_t> fields_modified = {};  ///< kRewriteColumns: these fields' values are new
  /// kRewriteRows: the fields whose values are new. Indices of other fields also cover the added
  /// fragments.
  std::vector<uint32_t> fields_preserving_indices = {};
  UpdateMode mode = UpdateMode::kRewriteRows;
  /// A serialized KeyExistenceFilter of the keys of inserted rows; empty if none is kept.
  std::string inserted_rows = {};
  /// kRewriteColumns: the rows whose values are new, as serialized Roaring bitmaps, by fragment.
  std::map<uint64_t, std::string> updated_offsets = {};
  std::vector<std::string> compacted_sstables = {};  ///< carried; of MemWAL
};

/// All fragments with columns added, dropped or rewritten, and the schema that they then have.
struct MergeColumns {
  std::vector<Fragment> fragments = {};  ///< new ones, with id 0, behind all that the table has
  Schema schema = {};
  /// No column became required, nor was one added that appended rows could not lack.
  bool preserves_nullability = false;
};

/// Fewer, renamed or reordered fields. No data changes.
struct ProjectSchema {
  Schema schema = {};  ///< keeps the metadata of the table if it has none
  bool preserves_nullability = false;
};

/// The same rows in other fragments.
struct RewriteFragments {
  struct Group {
    std::vector<Fragment> before = {};
    std::vector<Fragment> after = {};  ///< ids as reserved, or 0 to get one at commit
  };
  /// An index whose row addresses were rewritten.
  struct RewrittenIndex {
    std::string old_uuid = {};  ///< 16 bytes each
    std::string new_uuid = {};
    std::string details_type = {};
    std::string details = {};
    uint32_t index_version = 0;
    std::vector<IndexFile> files = {};
  };
  std::vector<Group> groups = {};
  std::vector<RewrittenIndex> indices = {};
};

struct ReserveFragmentIds {
  uint32_t count = 0;
};

struct RestoreVersion {
  uint64_t version = 0;
};

struct CreateIndices {
  std::vector<IndexMetadata> added = {};
  std::vector<IndexMetadata> removed = {};
};

/// Gives fragments another file for some columns.
struct ReplaceData {
  struct Replacement {
    uint64_t fragment_id = 0;
    DataFile file = {};
  };
  std::vector<Replacement> replacements = {};
};

/// Absent maps are not touched.
struct UpdateMetadata {
  std::optional<MapUpdate> config = {};
  std::optional<MapUpdate> table_metadata = {};
  std::optional<MapUpdate> schema_metadata = {};
  std::map<int32_t, MapUpdate> field_metadata = {};  ///< by field id
};

struct AddBases {
  std::vector<BasePath> bases = {};  ///< with id 0: it is given at commit
};

/// The first version of a table that begins as a version of another one.
struct CloneTable {
  bool is_shallow = true;
  std::optional<std::string> ref_name = {};  ///< the branch or tag that was cloned
  uint64_t ref_version = 0;
  std::string ref_path = {};
  std::optional<std::string> branch_name = {};  ///< of the clone, if it is a branch
};

/// An operation that is known by name only. It cannot be committed nor serialized.
struct OtherOperation {
  Operation kind = Operation::kUnknown;
};

/// What a commit changes, against which version.
struct Transaction {
  uint64_t read_version = 0;  ///< 0 makes a table
  std::string uuid = {};
  std::string tag = {};  ///< carried
  std::map<std::string, std::string> properties = {};
  std::variant<AppendRows, DeleteRowsOp, OverwriteTable, UpdateRows, MergeColumns, ProjectSchema,
               RewriteFragments, ReserveFragmentIds, RestoreVersion, CreateIndices, ReplaceData,
               UpdateMetadata, AddBases, CloneTable, OtherOperation>
      operation = OtherOperation{};

  Operation kind() const;
  /// The operation if it is of this type, else null.
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&operation);
  }
};

/// The message of the format. Empty for an OtherOperation.
std::string SerializeTransaction(const Transaction& transaction);

/// Corrupt if the bytes are no transaction; one of an unknown kind is kUnknown.
Result<Transaction> ParseTransaction(std::string_view bytes);

/// InvalidArgument if the message of a transaction that was made by hand could not be read again:
/// of a schema with one id for two fields, say, or of a fragment with more rows than one may have.
Status CheckReadable(const Transaction& transaction);

/// "<read version>-<uuid>.txn", the name below _transactions/.
std::string TransactionFileName(const Transaction& transaction);

}  // namespace tusk::lance
