#include "tusk/catalog/sqlite_schema.h"

namespace tusk::catalog {
namespace {

constexpr int64_t kSchemaVersion = 3;

/// As the JDBC catalog's clients make them.
constexpr const char* kJdbcTables = R"sql(
CREATE TABLE iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000) NOT NULL,
  PRIMARY KEY (catalog_name, namespace, property_key)
);
)sql";

constexpr const char* kLakeTables = R"sql(
CREATE TABLE tusk_schema (
  version INTEGER NOT NULL PRIMARY KEY,
  catalog_name VARCHAR(255) NOT NULL,
  lake_uuid VARCHAR(36) NOT NULL
);
CREATE TABLE tusk_lance_table (
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  table_uuid VARCHAR(36) NOT NULL,
  location VARCHAR(1000) NOT NULL,
  manifest_path VARCHAR(1000) NOT NULL,
  version BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  transaction_uuid VARCHAR(36) NOT NULL,
  joint_number BIGINT NOT NULL,
  published INTEGER NOT NULL,
  PRIMARY KEY (table_namespace, table_name)
);
CREATE TABLE tusk_joint (
  number BIGINT NOT NULL PRIMARY KEY,
  parent BIGINT NOT NULL,
  commit_uuid VARCHAR(36) NOT NULL UNIQUE,
  timestamp_us BIGINT NOT NULL,
  message TEXT NOT NULL,
  author TEXT NOT NULL
);
CREATE TABLE tusk_joint_property (
  number BIGINT NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value TEXT NOT NULL,
  PRIMARY KEY (number, property_key)
);
CREATE TABLE tusk_change (
  number BIGINT NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  kind VARCHAR(7) NOT NULL,
  table_uuid VARCHAR(36) NOT NULL,
  location VARCHAR(1000) NOT NULL,
  path VARCHAR(1000) NOT NULL,
  staged_path VARCHAR(1000),
  version BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  transaction_uuid VARCHAR(36) NOT NULL,
  added_rows BIGINT NOT NULL,
  published INTEGER NOT NULL,
  PRIMARY KEY (table_namespace, table_name, number)
);
CREATE INDEX tusk_change_by_number ON tusk_change (number);
)sql";

/// Since version 2.
constexpr const char* kVersionTables = R"sql(
CREATE TABLE tusk_tag (
  name VARCHAR(200) NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL,
  timestamp_us BIGINT NOT NULL,
  message TEXT NOT NULL,
  author TEXT NOT NULL
);
CREATE TABLE tusk_given_up (
  number BIGINT NOT NULL PRIMARY KEY,
  timestamp_us BIGINT NOT NULL
);
)sql";

/// Since version 3.
constexpr const char* kRetentionTable = R"sql(
CREATE TABLE tusk_retention (
  rule VARCHAR(64) NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
)sql";

/// Keep other clients of `iceberg_tables` from taking the name of a Lance table.
constexpr const char* kTriggers = R"sql(
CREATE TRIGGER tusk_iceberg_name_on_insert BEFORE INSERT ON iceberg_tables
WHEN EXISTS (SELECT 1 FROM tusk_lance_table WHERE table_namespace = NEW.table_namespace
             AND table_name = NEW.table_name)
BEGIN SELECT RAISE(ABORT, 'a Lance table of the lake has this name'); END;
CREATE TRIGGER tusk_iceberg_name_on_rename
BEFORE UPDATE OF table_namespace, table_name ON iceberg_tables
WHEN EXISTS (SELECT 1 FROM tusk_lance_table WHERE table_namespace = NEW.table_namespace
             AND table_name = NEW.table_name)
BEGIN SELECT RAISE(ABORT, 'a Lance table of the lake has this name'); END;
)sql";

}  // namespace

Status CreateSchema(SqliteDatabase& database, const CatalogIdentity& identity) {
  for (const char* statements :
       {kJdbcTables, kLakeTables, kVersionTables, kRetentionTable, kTriggers}) {
    ARROW_RETURN_NOT_OK(database.Execute(statements));
  }
  return database
      .Run("INSERT INTO tusk_schema (version, catalog_name, lake_uuid) VALUES (?, ?, ?)",
           {kSchemaVersion, identity.name, identity.lake_uuid})
      .status();
}

Result<CatalogIdentity> ReadSchema(SqliteDatabase& database, std::string_view path) {
  bool is_catalog = false;
  {
    ARROW_ASSIGN_OR_RAISE(
        SqliteStatement tables,
        database.Query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tusk_schema'",
                       {}));
    ARROW_ASSIGN_OR_RAISE(is_catalog, tables.Next());
  }
  if (!is_catalog) return Corrupt("'", path, "' is no catalog of a lake: no table tusk_schema");
  ARROW_ASSIGN_OR_RAISE(
      SqliteStatement rows,
      database.Query("SELECT version, catalog_name, lake_uuid FROM tusk_schema", {}));
  ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
  if (!has_row) return Corrupt("'", path, "' is no catalog of a lake: table tusk_schema is empty");
  const int64_t version = rows.Integer(0);
  if (version > kSchemaVersion) {
    return Unsupported("'", path, "' has catalog schema version ", version,
                       ", this build knows up to ", kSchemaVersion);
  }
  return CatalogIdentity{
      .name = rows.Text(1), .lake_uuid = rows.Text(2), .is_old = version < kSchemaVersion};
}

Status UpgradeSchema(SqliteDatabase& database) {
  int64_t version = kSchemaVersion;
  {
    ARROW_ASSIGN_OR_RAISE(SqliteStatement row,
                          database.Query("SELECT MIN(version) FROM tusk_schema", {}));
    ARROW_ASSIGN_OR_RAISE(const bool has_row, row.Next());
    if (has_row) version = row.Integer(0);
  }
  // Another process may have been first.
  if (version >= kSchemaVersion) return Status::OK();
  if (version < 2) ARROW_RETURN_NOT_OK(database.Execute(kVersionTables));
  ARROW_RETURN_NOT_OK(database.Execute(kRetentionTable));
  return database.Run("UPDATE tusk_schema SET version = ?", {kSchemaVersion}).status();
}

}  // namespace tusk::catalog
