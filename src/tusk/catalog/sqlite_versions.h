#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/catalog/sqlite_database.h"

// Tags and retention of joint versions; each call is part of a transaction of the caller's.
namespace tusk::catalog {

/// A namespace and name as the database has them; another client's may have any characters.
TableName NameFromColumns(std::string_view levels, std::string name);

TableKind KindFromColumn(std::string_view kind);

/// Ascending by name.
Result<std::vector<Tag>> ReadTags(SqliteDatabase& database);

/// As Catalog::SetTag. `now_us` becomes the tag's time.
Status WriteTag(SqliteDatabase& database, const Tag& tag, bool move, int64_t now_us);

/// InvalidArgument, as Catalog::SetTag says.
Status CheckTagName(std::string_view name);

/// NotFound unless the joint version `number` can be opened.
Status CheckCanOpen(SqliteDatabase& database, int64_t number);

/// The joint versions that no rule and no tag keeps and that are still there, ascending.
Result<std::vector<int64_t>> FindUnkept(SqliteDatabase& database, const RetentionRules& rules);

/// The joint versions that were given up, ascending.
Result<std::vector<int64_t>> ReadGivenUp(SqliteDatabase& database);

/// As Catalog::LoadRetention and SetRetention.
Result<Retention> ReadRetention(SqliteDatabase& database);
Status WriteRetention(SqliteDatabase& database, const Retention& retention);

/// As Catalog::NeededChanges.
Result<std::vector<NeededChange>> ReadNeededChanges(SqliteDatabase& database);

}  // namespace tusk::catalog
