#include "tusk/catalog/sqlite_versions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace tusk::catalog {
namespace {

constexpr size_t kMaxTagBytes = 200;

/// Names in `tusk_retention`.
constexpr std::string_view kOlderThanRule = "older_than_ms";
constexpr std::string_view kKeepLastRule = "keep_last";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsTagCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' || c == '-' ||
         c == '.' || c == '/';
}

Result<std::vector<int64_t>> ReadNumbers(SqliteStatement rows) {
  std::vector<int64_t> numbers;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) return numbers;
    numbers.push_back(rows.Integer(0));
  }
}

}  // namespace

TableName NameFromColumns(std::string_view levels, std::string name) {
  TableName result{.levels = {}, .name = std::move(name)};
  for (size_t begin = 0; begin <= levels.size();) {
    const size_t end = std::min(levels.find('.', begin), levels.size());
    result.levels.emplace_back(levels.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

TableKind KindFromColumn(std::string_view kind) {
  return kind == TableKindName(TableKind::kLance) ? TableKind::kLance : TableKind::kIceberg;
}

Status CheckTagName(std::string_view name) {
  if (name.empty() || name.size() > kMaxTagBytes || IsDigit(name[0]) ||
      !std::ranges::all_of(name, IsTagCharacter)) {
    return InvalidArgument("'", name,
                           "' cannot be a tag: it needs 1 to 200 letters, digits, '_', '-', '.' or "
                           "'/' and may not begin with a digit");
  }
  return Status::OK();
}

Result<std::vector<Tag>> ReadTags(SqliteDatabase& database) {
  ARROW_ASSIGN_OR_RAISE(
      SqliteStatement rows,
      database.Query("SELECT name, number, timestamp_us, message, author FROM tusk_tag "
                     "ORDER BY name",
                     {}));
  std::vector<Tag> tags;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) return tags;
    tags.push_back({.name = rows.Text(0),
                    .number = rows.Integer(1),
                    .timestamp_us = rows.Integer(2),
                    .message = rows.Text(3),
                    .author = rows.Text(4)});
  }
}

Status WriteTag(SqliteDatabase& database, const Tag& tag, bool move, int64_t now_us) {
  ARROW_RETURN_NOT_OK(CheckTagName(tag.name));
  ARROW_RETURN_NOT_OK(CheckCanOpen(database, tag.number));
  ARROW_ASSIGN_OR_RAISE(const auto tags, ReadTags(database));
  const auto taken = std::ranges::find(tags, tag.name, &Tag::name);
  if (taken != tags.end() && !move) {
    return AlreadyExists("the tag '", tag.name, "' names joint version ", taken->number,
                         " already; move it, or take another name");
  }
  ARROW_RETURN_NOT_OK(database.Run("DELETE FROM tusk_tag WHERE name = ?", {tag.name}));
  return database
      .Run(
          "INSERT INTO tusk_tag (name, number, timestamp_us, message, author) "
          "VALUES (?, ?, ?, ?, ?)",
          {tag.name, tag.number, now_us, tag.message, tag.author})
      .status();
}

Status CheckCanOpen(SqliteDatabase& database, int64_t number) {
  int64_t latest = 0;
  int64_t is_given_up = 0;
  {
    ARROW_ASSIGN_OR_RAISE(
        SqliteStatement row,
        database.Query("SELECT (SELECT COALESCE(MAX(number), 0) FROM tusk_joint), "
                       "(SELECT COUNT(*) FROM tusk_given_up WHERE number = ?)",
                       {number}));
    ARROW_RETURN_NOT_OK(row.Next());
    latest = row.Integer(0);
    is_given_up = row.Integer(1);
  }
  if (number < 1 || number > latest) {
    return NotFound("no joint version ", number, ": the newest of the lake is ", latest);
  }
  if (is_given_up != 0) {
    return NotFound("joint version ", number,
                    " was given up by a cleanup: what it alone needed may be gone; the log says "
                    "which versions are left");
  }
  return Status::OK();
}

Result<std::vector<int64_t>> FindUnkept(SqliteDatabase& database, const RetentionRules& rules) {
  // A version was replaced when the next one was made; the newest never was.
  ARROW_ASSIGN_OR_RAISE(
      SqliteStatement rows,
      database.Query(
          "SELECT j.number FROM tusk_joint j JOIN tusk_joint n ON n.number = j.number + 1 "
          "WHERE n.timestamp_us < ? "
          "AND j.number <= (SELECT MAX(number) FROM tusk_joint) - ? "
          "AND j.number NOT IN (SELECT number FROM tusk_tag) "
          "AND j.number NOT IN (SELECT number FROM tusk_given_up) "
          "ORDER BY j.number",
          {rules.replaced_before_us, rules.keep_last}));
  return ReadNumbers(std::move(rows));
}

Result<std::vector<int64_t>> ReadGivenUp(SqliteDatabase& database) {
  ARROW_ASSIGN_OR_RAISE(SqliteStatement rows,
                        database.Query("SELECT number FROM tusk_given_up ORDER BY number", {}));
  return ReadNumbers(std::move(rows));
}

Result<Retention> ReadRetention(SqliteDatabase& database) {
  ARROW_ASSIGN_OR_RAISE(SqliteStatement rows,
                        database.Query("SELECT rule, value FROM tusk_retention", {}));
  Retention retention;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) return retention;
    const std::string rule = rows.Text(0);
    if (rule == kOlderThanRule) {
      retention.older_than_ms = rows.Integer(1);
    } else if (rule == kKeepLastRule) {
      retention.keep_last = rows.Integer(1);
    } else {
      // To go by the others alone could remove what this one keeps.
      return Unsupported("the lake has the retention rule '", rule,
                         "', which this build does not know; use a newer one");
    }
  }
}

Status WriteRetention(SqliteDatabase& database, const Retention& retention) {
  ARROW_RETURN_NOT_OK(database.Run("DELETE FROM tusk_retention", {}));
  const auto write = [&](std::string_view rule, const std::optional<int64_t>& value) -> Status {
    if (!value) return Status::OK();
    return database.Run("INSERT INTO tusk_retention (rule, value) VALUES (?, ?)", {rule, *value})
        .status();
  };
  ARROW_RETURN_NOT_OK(write(kOlderThanRule, retention.older_than_ms));
  return write(kKeepLastRule, retention.keep_last);
}

Result<std::vector<NeededChange>> ReadNeededChanges(SqliteDatabase& database) {
  // A change holds from its number up to the next change of the same table.
  ARROW_ASSIGN_OR_RAISE(
      SqliteStatement rows,
      database.Query(
          "SELECT c.number, c.table_namespace, c.table_name, c.kind, c.table_uuid, c.location, "
          "c.path, c.version, c.size_bytes, c.transaction_uuid, c.added_rows, c.published "
          "FROM tusk_change c WHERE EXISTS (SELECT 1 FROM tusk_joint j "
          "WHERE j.number >= c.number AND j.number < COALESCE("
          "(SELECT MIN(d.number) FROM tusk_change d WHERE d.table_namespace = c.table_namespace "
          "AND d.table_name = c.table_name AND d.number > c.number), j.number + 1) "
          "AND j.number NOT IN (SELECT number FROM tusk_given_up)) ORDER BY c.number",
          {}));
  std::vector<NeededChange> changes;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Next());
    if (!has_row) return changes;
    changes.push_back({.number = rows.Integer(0),
                       .change = {.name = NameFromColumns(rows.Text(1), rows.Text(2)),
                                  .kind = KindFromColumn(rows.Text(3)),
                                  .uuid = rows.Text(4),
                                  .location = rows.Text(5),
                                  .expected = std::nullopt,
                                  .next = {.path = rows.Text(6),
                                           .version = rows.Integer(7),
                                           .size_bytes = rows.Integer(8),
                                           .transaction_uuid = rows.Text(9)},
                                  .added_rows = rows.Integer(10),
                                  .published = rows.Integer(11) != 0}});
  }
}

}  // namespace tusk::catalog
