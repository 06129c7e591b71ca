#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::catalog {

enum class TableKind { kLance, kIceberg };

/// The catalog's name for the kind: "lance" or "iceberg".
TUSK_EXPORT std::string_view TableKindName(TableKind kind);

/// The name of a table: one or more namespace levels and a name, written with dots between them.
struct TUSK_EXPORT TableName {
  std::vector<std::string> levels;
  std::string name;

  /// Parses "media.digits". InvalidArgument for fewer than two parts, an empty part, or characters
  /// other than letters, digits, `_` and `-` (so that every part is one folder and one identifier).
  static Result<TableName> Parse(std::string_view text);
  std::string ToString() const;
  /// The levels alone, with dots.
  std::string Namespace() const;
  auto operator<=>(const TableName&) const = default;
};

/// Where the truth about a table is: what a compare-and-set swaps.
struct TablePointer {
  /// Lance: the path of the manifest relative to the table's root, staged or final.
  /// Iceberg: the absolute location of the metadata file.
  std::string path;
  /// Lance: the version; Iceberg: the snapshot id (0: no snapshot, or not known because another
  /// client set the pointer).
  int64_t version = 0;
  int64_t size_bytes = 0;        ///< of that object; 0 if not known
  std::string transaction_uuid;  ///< Lance only

  bool operator==(const TablePointer&) const = default;
};

/// A table as the catalog knows it.
struct TableEntry {
  TableName name;
  TableKind kind = TableKind::kLance;
  std::string uuid;      ///< of this table, another one if it is dropped and made again
  std::string location;  ///< Lance: relative to the lake; Iceberg: absolute, empty if another
                         ///< client made the table
  TablePointer pointer;
  bool published = true;  ///< Lance: false while the pointer names a staged manifest
  bool drifted = false;   ///< Iceberg: true if another client set the pointer
};

/// One table's part of a joint commit.
struct TableChange {
  TableName name;
  TableKind kind = TableKind::kLance;
  std::string uuid;
  std::string location;
  std::optional<TablePointer> expected;  ///< what it must be now; absent: the table must not exist
  TablePointer next;
  int64_t added_rows = 0;  ///< below 0 if rows went
  /// Lance: `next` has its final name already, as where a foreign commit is taken in.
  bool published = false;
};

struct JointCommit {
  std::string message;
  std::string author;
  std::map<std::string, std::string> properties;
  std::vector<TableChange> changes;
  /// The commit is refused (NotFound) if this joint version was given up: its files are used again.
  std::optional<int64_t> uses_version = std::nullopt;
};

/// A joint commit as the log has it.
struct LogEntry {
  int64_t number = 0;  ///< the joint version: 1, 2, ...
  int64_t parent = 0;  ///< 0 for the first
  int64_t timestamp_us = 0;
  std::string message;
  std::string author;
  std::map<std::string, std::string> properties;
  std::vector<TableChange> changes;    ///< `expected` is not kept; `next` is as finally published
  std::vector<std::string> tags = {};  ///< names of this joint version, ascending
  bool given_up = false;               ///< retention let it go: it can no longer be opened
};

/// A name for a joint version. It keeps the version from being given up.
struct Tag {
  std::string name;
  int64_t number = 0;
  int64_t timestamp_us = 0;  ///< when it was set
  std::string message = {};
  std::string author = {};
};

/// Which joint versions may go.
struct RetentionRules {
  /// Those that have not been the newest since before this moment, microseconds since the epoch.
  int64_t replaced_before_us = 0;
  int64_t keep_last = 1;  ///< the newest so many stay whatever their age; at least 1
};

/// What is written down in a lake about how long it keeps joint versions. What is absent is left to
/// each cleanup.
struct Retention {
  std::optional<int64_t> older_than_ms = std::nullopt;  ///< not the newest for longer: may go
  std::optional<int64_t> keep_last = std::nullopt;      ///< the newest so many stay; at least 1

  bool operator==(const Retention&) const = default;
};

/// A change that some joint version still needs.
struct NeededChange {
  int64_t number = 0;  ///< the joint version that made it
  TableChange change;
};

/// Where a lake's commits become true. Thread-safe. Another kind than a database (small records
/// written with put-if-absent) fits behind the same calls.
class TUSK_EXPORT Catalog {
 public:
  virtual ~Catalog() = default;
  /// The name that Iceberg clients open this catalog by.
  virtual const std::string& name() const = 0;
  /// The lake's own, made with the catalog; its Lance tables carry it.
  virtual const std::string& uuid() const = 0;
  /// The tables now, or at joint version `at`; ascending by name, both kinds.
  virtual Result<std::vector<TableEntry>> ListTables(std::optional<int64_t> at,
                                                     const OperationContext& context) = 0;
  /// NotFound names the table and says what there is.
  virtual Result<TableEntry> LoadTable(const TableName& name, std::optional<int64_t> at,
                                       const OperationContext& context) = 0;
  /// Sets all pointers and adds the log rows, all or nothing. CommitConflict names the table whose
  /// pointer moved or whose last change is not published yet; AlreadyExists the one that was to be
  /// made. After these, NotFound, InvalidArgument and Cancelled nothing was done; after any other
  /// error the commit may have become true and nothing that it names may be removed. Of an Iceberg
  /// `expected` only the path counts: other clients move that pointer too. Gives the new joint
  /// version.
  virtual Result<int64_t> Commit(const JointCommit& commit, const OperationContext& context) = 0;
  /// Records that the staged manifest of a table at joint version `number` has become
  /// `published`. Repeating it is no error.
  virtual Status RecordPublished(int64_t number, const TableName& name,
                                 const TablePointer& published,
                                 const OperationContext& context) = 0;
  /// Joint versions with Lance manifests still to publish, oldest first, each with those changes
  /// alone; their `next` is the staged manifest.
  virtual Result<std::vector<LogEntry>> Unpublished(const OperationContext& context) = 0;
  /// Newest first.
  virtual Result<std::vector<LogEntry>> Log(std::optional<int64_t> limit,
                                            const OperationContext& context) = 0;
  /// The newest joint version; 0 before the first.
  virtual Result<int64_t> LatestNumber(const OperationContext& context) = 0;

  /// Ascending by name.
  virtual Result<std::vector<Tag>> Tags(const OperationContext& context) = 0;
  /// Sets a tag; its time is now. AlreadyExists if the name is taken, unless it is to `move`;
  /// NotFound if there is no such joint version or it was given up; InvalidArgument for a name that
  /// is empty, longer than 200 bytes, begins with a digit or has other characters than letters,
  /// digits, `_`, `-`, `.` and `/`.
  virtual Status SetTag(const Tag& tag, bool move, const OperationContext& context) = 0;
  /// NotFound.
  virtual Status DeleteTag(std::string_view name, const OperationContext& context) = 0;
  /// Gives up the joint versions that no rule and no tag keeps: from now on they cannot be opened
  /// or tagged. Gives those given up now, ascending; with `dry_run` those that would be.
  virtual Result<std::vector<int64_t>> GiveUp(const RetentionRules& rules, bool dry_run,
                                              const OperationContext& context) = 0;
  /// As it was set last; nothing is written down in a new lake.
  virtual Result<Retention> LoadRetention(const OperationContext& context) = 0;
  /// Replaces what is written down. InvalidArgument for an age below 0 or fewer than 1 to keep.
  virtual Status SetRetention(const Retention& retention, const OperationContext& context) = 0;
  /// What the joint versions that were not given up consist of: the newest change of every table at
  /// each of them.
  virtual Result<std::vector<NeededChange>> NeededChanges(const OperationContext& context) = 0;
};

/// A catalog in the SQLite file `path`, in the schema of the JDBC catalog (V1) with tables of our
/// own beside it (docs/format/lake_catalog.md). kCreate: AlreadyExists if the file is there;
/// opening: NotFound if it is not, Corrupt if it is no such database, Unsupported if its schema is
/// newer than this build, InvalidArgument if it goes by another name than `catalog_name` (empty:
/// any). Usable after fork() in parent and child.
enum class SqliteMode { kCreate, kOpen };
TUSK_EXPORT Result<std::shared_ptr<Catalog>> OpenSqliteCatalog(std::string_view path,
                                                               SqliteMode mode,
                                                               std::string_view catalog_name);

}  // namespace tusk::catalog
