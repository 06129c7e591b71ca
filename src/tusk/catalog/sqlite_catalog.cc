#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "tusk/base/uuid.h"
#include "tusk/catalog/catalog.h"
#include "tusk/catalog/sqlite_database.h"
#include "tusk/catalog/sqlite_schema.h"
#include "tusk/catalog/sqlite_versions.h"

namespace tusk::catalog {
namespace {

namespace fs = std::filesystem;

/// All pointers as they are now. An Iceberg row joins its newest change, if it has one; what that
/// change knows counts only while the pointer is still the one it set.
constexpr std::string_view kTablesNow = R"sql(
SELECT table_namespace, table_name, 'lance', table_uuid, location, manifest_path, version,
       size_bytes, transaction_uuid, published, manifest_path
FROM tusk_lance_table
UNION ALL
SELECT t.table_namespace, t.table_name, 'iceberg', c.table_uuid, c.location, t.metadata_location,
       c.version, c.size_bytes, c.transaction_uuid, 1, c.path
FROM iceberg_tables t LEFT JOIN tusk_change c
  ON c.table_namespace = t.table_namespace AND c.table_name = t.table_name AND c.kind = 'iceberg'
  AND c.number = (SELECT MAX(number) FROM tusk_change
                  WHERE table_namespace = t.table_namespace AND table_name = t.table_name)
WHERE t.catalog_name = ? AND (t.iceberg_type = 'TABLE' OR t.iceberg_type IS NULL)
  AND t.metadata_location IS NOT NULL
)sql";

constexpr std::string_view kTablesAt = R"sql(
SELECT table_namespace, table_name, kind, table_uuid, location, path, version, size_bytes,
       transaction_uuid, published, path
FROM tusk_change c
WHERE number = (SELECT MAX(number) FROM tusk_change
                WHERE table_namespace = c.table_namespace AND table_name = c.table_name
                  AND number <= ?)
)sql";

/// A row of either query above.
TableEntry ReadEntry(const SqliteStatement& row) {
  TableEntry entry{.name = NameFromColumns(row.Text(0), row.Text(1)),
                   .kind = KindFromColumn(row.Text(2)),
                   .uuid = row.Text(3),
                   .location = row.Text(4),
                   .pointer = {.path = row.Text(5),
                               .version = row.Integer(6),
                               .size_bytes = row.Integer(7),
                               .transaction_uuid = row.Text(8)},
                   .published = row.Integer(9) != 0};
  entry.drifted = entry.pointer.path != row.Text(10);
  if (entry.drifted) {
    entry.pointer.version = 0;
    entry.pointer.size_bytes = 0;
  }
  return entry;
}

Result<std::vector<TableEntry>> ReadEntries(SqliteStatement rows) {
  std::vector<TableEntry> entries;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) break;
    entries.push_back(ReadEntry(rows));
  }
  std::ranges::sort(entries, {}, &TableEntry::name);
  return entries;
}

Result<int64_t> ReadInteger(SqliteDatabase& database, std::string_view sql,
                            std::initializer_list<SqlValue> parameters) {
  ARROW_ASSIGN_OR_RAISE(SqliteStatement row, database.Query(sql, parameters));
  ARROW_ASSIGN_OR_RAISE(const bool has_row, row.Next());
  return has_row ? row.Integer(0) : 0;
}

Result<int64_t> ReadLatestNumber(SqliteDatabase& database) {
  return ReadInteger(database, "SELECT COALESCE(MAX(number), 0) FROM tusk_joint", {});
}

/// The changes of one joint version; only those still to publish if `unpublished`.
Result<std::vector<TableChange>> ReadChanges(SqliteDatabase& database, int64_t number,
                                             bool unpublished) {
  ARROW_ASSIGN_OR_RAISE(
      SqliteStatement rows,
      database.Query(
          "SELECT table_namespace, table_name, kind, table_uuid, location, path, "
          "version, size_bytes, transaction_uuid, added_rows, published FROM tusk_change "
          "WHERE number = ? AND (published = 0 OR ? = 0)",
          {number, int64_t{unpublished}}));
  std::vector<TableChange> changes;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) break;
    changes.push_back({.name = NameFromColumns(rows.Text(0), rows.Text(1)),
                       .kind = KindFromColumn(rows.Text(2)),
                       .uuid = rows.Text(3),
                       .location = rows.Text(4),
                       .expected = std::nullopt,
                       .next = {.path = rows.Text(5),
                                .version = rows.Integer(6),
                                .size_bytes = rows.Integer(7),
                                .transaction_uuid = rows.Text(8)},
                       .added_rows = rows.Integer(9),
                       .published = rows.Integer(10) != 0});
  }
  std::ranges::sort(changes, {}, &TableChange::name);
  return changes;
}

Result<std::map<std::string, std::string>> ReadProperties(SqliteDatabase& database,
                                                          int64_t number) {
  ARROW_ASSIGN_OR_RAISE(
      SqliteStatement rows,
      database.Query(
          "SELECT property_key, property_value FROM tusk_joint_property WHERE number = ?",
          {number}));
  std::map<std::string, std::string> properties;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) return properties;
    properties.emplace(rows.Text(0), rows.Text(1));
  }
}

/// The entries that `rows` (number, parent, timestamp_us, message, author) gives, in its order.
Result<std::vector<LogEntry>> ReadLog(SqliteDatabase& database, SqliteStatement rows,
                                      bool unpublished) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<Tag> tags, ReadTags(database));
  ARROW_ASSIGN_OR_RAISE(const std::vector<int64_t> given_up, ReadGivenUp(database));
  std::vector<LogEntry> entries;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) return entries;
    LogEntry entry;
    entry.number = rows.Integer(0);
    entry.parent = rows.Integer(1);
    entry.timestamp_us = rows.Integer(2);
    entry.message = rows.Text(3);
    entry.author = rows.Text(4);
    ARROW_ASSIGN_OR_RAISE(entry.properties, ReadProperties(database, entry.number));
    ARROW_ASSIGN_OR_RAISE(entry.changes, ReadChanges(database, entry.number, unpublished));
    for (const Tag& tag : tags) {
      if (tag.number == entry.number) entry.tags.push_back(tag.name);
    }
    entry.given_up = std::ranges::binary_search(given_up, entry.number);
    entries.push_back(std::move(entry));
  }
}

int64_t NowMicroseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

Status CheckCommit(const JointCommit& commit) {
  if (commit.changes.empty()) return InvalidArgument("a joint commit without changes");
  std::set<TableName> names;
  for (const TableChange& change : commit.changes) {
    if (!names.insert(change.name).second) {
      return InvalidArgument("table '", change.name.ToString(), "' is twice in a joint commit");
    }
    if (change.next.path.empty()) {
      return InvalidArgument("table '", change.name.ToString(), "' has no new pointer");
    }
  }
  return Status::OK();
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::string path, CatalogIdentity identity)
      : identity_(std::move(identity)), connection_(std::move(path)) {}

  const std::string& name() const override { return identity_.name; }
  const std::string& uuid() const override { return identity_.lake_uuid; }

  Result<std::vector<TableEntry>> ListTables(std::optional<int64_t> at,
                                             const OperationContext& context) override {
    std::vector<TableEntry> entries;
    ARROW_RETURN_NOT_OK(connection_.Read(context, [&](SqliteDatabase& database) -> Status {
      ARROW_ASSIGN_OR_RAISE(entries, ReadTables(database, at));
      return Status::OK();
    }));
    return entries;
  }

  Result<TableEntry> LoadTable(const TableName& name, std::optional<int64_t> at,
                               const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(std::vector<TableEntry> entries, ListTables(at, context));
    std::string names;
    for (TableEntry& entry : entries) {
      if (entry.name == name) return std::move(entry);
      names += (names.empty() ? "" : ", ") + entry.name.ToString();
    }
    return NotFound("no table '", name.ToString(), "' in the lake",
                    at ? " at joint version " + std::to_string(*at) : "", "; there ",
                    names.empty() ? "are none" : "are: " + names);
  }

  Result<int64_t> Commit(const JointCommit& commit, const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(CheckCommit(commit));
    const std::string commit_uuid = RandomUuidString();
    int64_t number = 0;
    ARROW_RETURN_NOT_OK(connection_.Write(
        context,
        [&](SqliteDatabase& database) -> Status {
          ARROW_ASSIGN_OR_RAISE(const int64_t parent, ReadLatestNumber(database));
          if (commit.uses_version) {
            ARROW_RETURN_NOT_OK(CheckCanOpen(database, *commit.uses_version));
          }
          number = parent + 1;
          ARROW_RETURN_NOT_OK(AddLogRow(database, commit, commit_uuid, number, parent));
          for (const TableChange& change : commit.changes) {
            ARROW_RETURN_NOT_OK(WithContext(SetPointer(database, change, number),
                                            "table '" + change.name.ToString() + "'"));
            ARROW_RETURN_NOT_OK(AddChangeRow(database, change, number));
          }
          return Status::OK();
        },
        [&](SqliteDatabase& database) -> Result<bool> {
          ARROW_ASSIGN_OR_RAISE(
              const int64_t found,
              ReadInteger(database, "SELECT COUNT(*) FROM tusk_joint WHERE commit_uuid = ?",
                          {commit_uuid}));
          return found == 1;
        }));
    return number;
  }

  Status RecordPublished(int64_t number, const TableName& name, const TablePointer& published,
                         const OperationContext& context) override {
    const std::string levels = name.Namespace();
    const auto is_recorded = [&](SqliteDatabase& database) -> Result<bool> {
      ARROW_ASSIGN_OR_RAISE(
          const int64_t found,
          ReadInteger(database,
                      "SELECT COUNT(*) FROM tusk_change WHERE number = ? AND table_namespace = ? "
                      "AND table_name = ? AND published = 1 AND version = ?",
                      {number, levels, name.name, published.version}));
      return found == 1;
    };
    return connection_.Write(
        context,
        [&](SqliteDatabase& database) -> Status {
          ARROW_ASSIGN_OR_RAISE(
              const int64_t changed,
              database.Run("UPDATE tusk_change SET path = ?, version = ?, size_bytes = ?, "
                           "published = 1 WHERE number = ? AND table_namespace = ? "
                           "AND table_name = ? AND published = 0",
                           {published.path, published.version, published.size_bytes, number, levels,
                            name.name}));
          if (changed == 0) {
            ARROW_ASSIGN_OR_RAISE(const bool recorded, is_recorded(database));
            if (recorded) return Status::OK();
            return CommitConflict("joint version ", number, " does not wait to publish version ",
                                  published.version, " of table '", name.ToString(), "'");
          }
          return database
              .Run(
                  "UPDATE tusk_lance_table SET manifest_path = ?, version = ?, size_bytes = ?, "
                  "published = 1 WHERE table_namespace = ? AND table_name = ? "
                  "AND joint_number = ?",
                  {published.path, published.version, published.size_bytes, levels, name.name,
                   number})
              .status();
        },
        is_recorded);
  }

  Result<std::vector<LogEntry>> Unpublished(const OperationContext& context) override {
    return QueryLog(
        "SELECT number, parent, timestamp_us, message, author FROM tusk_joint "
        "WHERE number IN (SELECT joint_number FROM tusk_lance_table WHERE published = 0) "
        "ORDER BY number",
        {}, /*unpublished=*/true, context);
  }

  Result<std::vector<LogEntry>> Log(std::optional<int64_t> limit,
                                    const OperationContext& context) override {
    if (limit && *limit < 0) return InvalidArgument("a log limit of ", *limit, " is below 0");
    // A negative LIMIT is none at all.
    return QueryLog(
        "SELECT number, parent, timestamp_us, message, author FROM tusk_joint "
        "ORDER BY number DESC LIMIT ?",
        {limit.value_or(-1)}, /*unpublished=*/false, context);
  }

  Result<int64_t> LatestNumber(const OperationContext& context) override {
    int64_t number = 0;
    ARROW_RETURN_NOT_OK(connection_.Read(context, [&](SqliteDatabase& database) -> Status {
      ARROW_ASSIGN_OR_RAISE(number, ReadLatestNumber(database));
      return Status::OK();
    }));
    return number;
  }

  Result<std::vector<Tag>> Tags(const OperationContext& context) override {
    std::vector<Tag> tags;
    ARROW_RETURN_NOT_OK(connection_.Read(context, [&](SqliteDatabase& database) -> Status {
      return ReadTags(database).Value(&tags);
    }));
    return tags;
  }

  Status SetTag(const Tag& tag, bool move, const OperationContext& context) override {
    const int64_t now_us = NowMicroseconds();
    return connection_.Write(
        context, [&](SqliteDatabase& database) { return WriteTag(database, tag, move, now_us); },
        [&](SqliteDatabase& database) -> Result<bool> {
          ARROW_ASSIGN_OR_RAISE(
              const int64_t found,
              ReadInteger(database,
                          "SELECT COUNT(*) FROM tusk_tag WHERE name = ? AND number = ? "
                          "AND timestamp_us = ?",
                          {tag.name, tag.number, now_us}));
          return found == 1;
        });
  }

  Status DeleteTag(std::string_view name, const OperationContext& context) override {
    return connection_.Write(
        context,
        [&](SqliteDatabase& database) -> Status {
          ARROW_ASSIGN_OR_RAISE(const int64_t deleted,
                                database.Run("DELETE FROM tusk_tag WHERE name = ?", {name}));
          if (deleted == 0) return NotFound("the lake has no tag '", name, "'");
          return Status::OK();
        },
        [&](SqliteDatabase& database) -> Result<bool> {
          ARROW_ASSIGN_OR_RAISE(
              const int64_t found,
              ReadInteger(database, "SELECT COUNT(*) FROM tusk_tag WHERE name = ?", {name}));
          return found == 0;
        });
  }

  Result<Retention> LoadRetention(const OperationContext& context) override {
    Retention retention;
    ARROW_RETURN_NOT_OK(connection_.Read(context, [&](SqliteDatabase& database) -> Status {
      return ReadRetention(database).Value(&retention);
    }));
    return retention;
  }

  Status SetRetention(const Retention& retention, const OperationContext& context) override {
    if (retention.older_than_ms.value_or(0) < 0 || retention.keep_last.value_or(1) < 1) {
      return InvalidArgument("a lake cannot keep versions for ",
                             retention.older_than_ms.value_or(0), " ms and the last ",
                             retention.keep_last.value_or(1), ": at least 0 and 1");
    }
    return connection_.Write(
        context, [&](SqliteDatabase& database) { return WriteRetention(database, retention); },
        [&](SqliteDatabase& database) -> Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const Retention now, ReadRetention(database));
          return now == retention;
        });
  }

  Result<std::vector<int64_t>> GiveUp(const RetentionRules& rules, bool dry_run,
                                      const OperationContext& context) override {
    if (rules.keep_last < 1) {
      return InvalidArgument("a lake keeps at least its newest joint version, not ",
                             rules.keep_last);
    }
    std::vector<int64_t> numbers;
    const auto find = [&](SqliteDatabase& database) -> Status {
      return FindUnkept(database, rules).Value(&numbers);
    };
    if (dry_run) {
      ARROW_RETURN_NOT_OK(connection_.Read(context, find));
      return numbers;
    }
    const int64_t now_us = NowMicroseconds();
    ARROW_RETURN_NOT_OK(connection_.Write(
        context,
        [&](SqliteDatabase& database) -> Status {
          ARROW_RETURN_NOT_OK(find(database));
          for (const int64_t number : numbers) {
            ARROW_RETURN_NOT_OK(
                database.Run("INSERT INTO tusk_given_up (number, timestamp_us) VALUES (?, ?)",
                             {number, now_us}));
          }
          return Status::OK();
        },
        [&](SqliteDatabase& database) -> Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const auto given_up, ReadGivenUp(database));
          return std::ranges::includes(given_up, numbers);
        }));
    return numbers;
  }

  Result<std::vector<NeededChange>> NeededChanges(const OperationContext& context) override {
    std::vector<NeededChange> changes;
    ARROW_RETURN_NOT_OK(connection_.Read(context, [&](SqliteDatabase& database) -> Status {
      return ReadNeededChanges(database).Value(&changes);
    }));
    return changes;
  }

 private:
  Result<std::vector<TableEntry>> ReadTables(SqliteDatabase& database, std::optional<int64_t> at) {
    if (!at) {
      ARROW_ASSIGN_OR_RAISE(SqliteStatement rows, database.Query(kTablesNow, {identity_.name}));
      return ReadEntries(std::move(rows));
    }
    ARROW_RETURN_NOT_OK(CheckCanOpen(database, *at));
    ARROW_ASSIGN_OR_RAISE(SqliteStatement rows, database.Query(kTablesAt, {*at}));
    return ReadEntries(std::move(rows));
  }

  Result<std::vector<LogEntry>> QueryLog(std::string_view sql,
                                         std::initializer_list<SqlValue> parameters,
                                         bool unpublished, const OperationContext& context) {
    std::vector<LogEntry> entries;
    ARROW_RETURN_NOT_OK(connection_.Read(context, [&](SqliteDatabase& database) -> Status {
      ARROW_ASSIGN_OR_RAISE(SqliteStatement rows, database.Query(sql, parameters));
      ARROW_ASSIGN_OR_RAISE(entries, ReadLog(database, std::move(rows), unpublished));
      return Status::OK();
    }));
    return entries;
  }

  Status AddLogRow(SqliteDatabase& database, const JointCommit& commit,
                   std::string_view commit_uuid, int64_t number, int64_t parent) {
    // Clocks differ between writers and may be set back; the log's order is its numbers'.
    ARROW_ASSIGN_OR_RAISE(
        const int64_t before,
        ReadInteger(database, "SELECT timestamp_us FROM tusk_joint WHERE number = ?", {parent}));
    ARROW_RETURN_NOT_OK(database.Run(
        "INSERT INTO tusk_joint (number, parent, commit_uuid, timestamp_us, message, author) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        {number, parent, commit_uuid, std::max(before, NowMicroseconds()), commit.message,
         commit.author}));
    for (const auto& [key, value] : commit.properties) {
      ARROW_RETURN_NOT_OK(
          database.Run("INSERT INTO tusk_joint_property (number, property_key, property_value) "
                       "VALUES (?, ?, ?)",
                       {number, key, value}));
    }
    return Status::OK();
  }

  Status AddChangeRow(SqliteDatabase& database, const TableChange& change, int64_t number) {
    const bool is_lance = change.kind == TableKind::kLance;
    return database
        .Run(
            "INSERT INTO tusk_change (number, table_namespace, table_name, kind, table_uuid, "
            "location, path, staged_path, version, size_bytes, transaction_uuid, added_rows, "
            "published) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {number, change.name.Namespace(), change.name.name, TableKindName(change.kind),
             change.uuid, change.location, change.next.path,
             is_lance && !change.published ? SqlValue(change.next.path) : SqlValue(),
             change.next.version, change.next.size_bytes, change.next.transaction_uuid,
             change.added_rows, int64_t{!is_lance || change.published}})
        .status();
  }

  Status SetPointer(SqliteDatabase& database, const TableChange& change, int64_t number) {
    if (!change.expected) {
      ARROW_RETURN_NOT_OK(CheckNameIsFree(database, change.name));
      ARROW_RETURN_NOT_OK(AddNamespace(database, change.name));
    }
    if (change.kind == TableKind::kIceberg) return SetIcebergPointer(database, change);
    return SetLancePointer(database, change, number);
  }

  Status SetIcebergPointer(SqliteDatabase& database, const TableChange& change) {
    const std::string levels = change.name.Namespace();
    if (!change.expected) {
      return database
          .Run(
              "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
              "metadata_location, iceberg_type) VALUES (?, ?, ?, ?, 'TABLE')",
              {identity_.name, levels, change.name.name, change.next.path})
          .status();
    }
    if (change.next.path == change.expected->path) return CheckIcebergPointer(database, change);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t changed,
        database.Run(
            "UPDATE iceberg_tables SET previous_metadata_location = metadata_location, "
            "metadata_location = ? WHERE catalog_name = ? AND table_namespace = ? "
            "AND table_name = ? AND metadata_location = ? "
            "AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)",
            {change.next.path, identity_.name, levels, change.name.name, change.expected->path}));
    if (changed == 1) return Status::OK();
    return CommitConflict("another writer moved its pointer from '", change.expected->path, "'");
  }

  /// For a change that only takes in where the pointer is.
  Status CheckIcebergPointer(SqliteDatabase& database, const TableChange& change) {
    ARROW_ASSIGN_OR_RAISE(
        const int64_t found,
        ReadInteger(database,
                    "SELECT COUNT(*) FROM iceberg_tables WHERE catalog_name = ? "
                    "AND table_namespace = ? AND table_name = ? AND metadata_location = ?",
                    {identity_.name, change.name.Namespace(), change.name.name, change.next.path}));
    if (found == 1) return Status::OK();
    return CommitConflict("another writer moved its pointer from '", change.next.path, "'");
  }

  Status SetLancePointer(SqliteDatabase& database, const TableChange& change, int64_t number) {
    const std::string levels = change.name.Namespace();
    const TablePointer& next = change.next;
    if (!change.expected) {
      return database
          .Run(
              "INSERT INTO tusk_lance_table (table_namespace, table_name, table_uuid, location, "
              "manifest_path, version, size_bytes, transaction_uuid, joint_number, published) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              {levels, change.name.name, change.uuid, change.location, next.path, next.version,
               next.size_bytes, next.transaction_uuid, number, int64_t{change.published}})
          .status();
    }
    ARROW_ASSIGN_OR_RAISE(
        const int64_t changed,
        database.Run("UPDATE tusk_lance_table SET manifest_path = ?, version = ?, "
                     "size_bytes = ?, transaction_uuid = ?, joint_number = ?, published = ? "
                     "WHERE table_namespace = ? AND table_name = ? AND manifest_path = ? "
                     "AND transaction_uuid = ? AND published = 1",
                     {next.path, next.version, next.size_bytes, next.transaction_uuid, number,
                      int64_t{change.published}, levels, change.name.name, change.expected->path,
                      change.expected->transaction_uuid}));
    if (changed == 1) return Status::OK();
    return CommitConflict("another writer moved its pointer from '", change.expected->path,
                          "', or that version is not published yet");
  }

  Status CheckNameIsFree(SqliteDatabase& database, const TableName& name) {
    const std::string levels = name.Namespace();
    ARROW_ASSIGN_OR_RAISE(
        const int64_t lance,
        ReadInteger(database,
                    "SELECT COUNT(*) FROM tusk_lance_table WHERE table_namespace = ? "
                    "AND table_name = ?",
                    {levels, name.name}));
    if (lance != 0) return AlreadyExists("a Lance table of the lake has this name");
    ARROW_ASSIGN_OR_RAISE(const int64_t iceberg,
                          ReadInteger(database,
                                      "SELECT COUNT(*) FROM iceberg_tables WHERE catalog_name = ? "
                                      "AND table_namespace = ? AND table_name = ?",
                                      {identity_.name, levels, name.name}));
    if (iceberg != 0) return AlreadyExists("an Iceberg table or view of the lake has this name");
    return Status::OK();
  }

  Status AddNamespace(SqliteDatabase& database, const TableName& name) {
    const std::string levels = name.Namespace();
    ARROW_ASSIGN_OR_RAISE(
        const int64_t found,
        ReadInteger(database,
                    "SELECT COUNT(*) FROM iceberg_namespace_properties WHERE catalog_name = ? "
                    "AND namespace = ?",
                    {identity_.name, levels}));
    if (found != 0) return Status::OK();
    return database
        .Run(
            "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, "
            "property_value) VALUES (?, ?, 'exists', 'true')",
            {identity_.name, levels})
        .status();
  }

  const CatalogIdentity identity_;
  SqliteConnection connection_;
};

Status SyncFolder(const fs::path& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced) return Status::OK();
  return IoError("cannot sync '", folder.native(), "': ", std::generic_category().message(error));
}

/// Builds the database under a temporary name and links it to `path`: a crash leaves a whole
/// catalog or none.
Status CreateDatabase(const fs::path& path, std::string_view catalog_name) {
  // The local store leaves names with this ending out of its listings.
  const fs::path temporary = path.parent_path() / (".catalog-" + RandomUuidString() + ".tusk-tmp");
  Status status = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(auto database, SqliteDatabase::Open(temporary.native(), /*create=*/true));
    // No journal: nobody reads the file before it is complete.
    ARROW_RETURN_NOT_OK(database->Execute("PRAGMA journal_mode = MEMORY"));
    ARROW_RETURN_NOT_OK(database->Execute("BEGIN IMMEDIATE"));
    ARROW_RETURN_NOT_OK(CreateSchema(
        *database, {.name = std::string(catalog_name), .lake_uuid = RandomUuidString()}));
    return database->Execute("COMMIT");
  }();
  if (status.ok() && link(temporary.c_str(), path.c_str()) != 0) {
    status = errno == EEXIST ? AlreadyExists("there is a catalog at '", path.native(), "' already")
                             : IoError("cannot make '", path.native(),
                                       "': ", std::generic_category().message(errno));
  }
  unlink(temporary.c_str());
  ARROW_RETURN_NOT_OK(status);
  return SyncFolder(path.parent_path());
}

}  // namespace

Result<std::shared_ptr<Catalog>> OpenSqliteCatalog(std::string_view path, SqliteMode mode,
                                                   std::string_view catalog_name) {
  // Absolute, since the connection is opened again after the working directory may have changed.
  std::error_code error;
  const fs::path file = fs::absolute(path, error);
  if (error) return IoError("cannot resolve '", path, "': ", error.message());
  if (mode == SqliteMode::kCreate) {
    if (catalog_name.empty()) return InvalidArgument("a new catalog needs a name");
    ARROW_RETURN_NOT_OK(CreateDatabase(file, catalog_name));
  }
  CatalogIdentity identity;
  SqliteConnection connection(file.native());
  ARROW_RETURN_NOT_OK(connection.Read(OperationContext(), [&](SqliteDatabase& database) -> Status {
    ARROW_ASSIGN_OR_RAISE(identity, ReadSchema(database, file.native()));
    return Status::OK();
  }));
  if (identity.is_old) {
    const auto upgrade = [](SqliteDatabase& database) { return UpgradeSchema(database); };
    const auto is_new = [&](SqliteDatabase& database) -> Result<bool> {
      ARROW_ASSIGN_OR_RAISE(const CatalogIdentity now, ReadSchema(database, file.native()));
      return !now.is_old;
    };
    ARROW_RETURN_NOT_OK(WithContext(connection.Write(OperationContext(), upgrade, is_new),
                                    "bringing the catalog '" + file.native() + "' up to date"));
  }
  if (!catalog_name.empty() && catalog_name != identity.name) {
    return InvalidArgument("the catalog '", file.native(), "' is named '", identity.name,
                           "', not '", catalog_name, "'");
  }
  return std::make_shared<SqliteCatalog>(file.native(), std::move(identity));
}

}  // namespace tusk::catalog
