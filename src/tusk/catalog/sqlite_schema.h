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
};

/// Makes the tables of docs/format/lake_catalog.md in an empty database.
Status CreateSchema(SqliteDatabase& database, const CatalogIdentity& identity);

/// Reads the identity. Corrupt if the database is no catalog of a lake; Unsupported if its schema
/// version is above this build's.
Result<CatalogIdentity> ReadSchema(SqliteDatabase& database, std::string_view path);

}  // namespace tusk::catalog
