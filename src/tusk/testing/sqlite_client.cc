#include "tusk/testing/sqlite_client.h"

#include <sqlite3.h>

namespace tusk {

Result<std::unique_ptr<SqliteClient>> SqliteClient::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  std::unique_ptr<SqliteClient> client(new SqliteClient(database));
  if (code != SQLITE_OK) return IoError("cannot open '", path, "': ", sqlite3_errstr(code));
  sqlite3_busy_timeout(database, /*ms=*/5000);
  return client;
}

SqliteClient::~SqliteClient() { sqlite3_close(database_); }

Result<int64_t> SqliteClient::Run(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_CONSTRAINT) return AlreadyExists(sqlite3_errmsg(database_));
  if (code != SQLITE_OK) return IoError("cannot run \"", sql, "\": ", sqlite3_errmsg(database_));
  return sqlite3_changes(database_);
}

}  // namespace tusk
