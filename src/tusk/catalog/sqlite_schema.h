#pragma once

#include <string>
#include <string_view>

#include "tusk/base/result.h"
#include "tusk/catalog/sqlite_database.h"

namespace tusk::catalog {

/// What `tusk_schema` says.
struct CatalogIdentity {
  std::string name;  ///< in the tables of the JDBC catalog
  std::string lake_uuid;
  bool is_old = false;  ///< the schema is of an earlier version: UpgradeSchema is due
};

/// Makes the tables of docs/format/lake_catalog.md in an empty database.
Status CreateSchema(SqliteDatabase& database, const CatalogIdentity& identity);

/// Reads the identity. Corrupt if the database is no catalog of a lake; Unsupported if its schema
/// version is above this build's.
Result<CatalogIdentity> ReadSchema(SqliteDatabase& database, std::string_view path);

/// Brings an older schema to this build's; inside a write transaction. Does nothing to a new one.
Status UpgradeSchema(SqliteDatabase& database);

}  // namespace tusk::catalog
