#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tusk/base/result.h"

struct sqlite3;

namespace tusk {

/// A connection of its own to a SQLite file, as other clients of a catalog have it.
class SqliteClient {
 public:
  static Result<std::unique_ptr<SqliteClient>> Open(const std::string& path);
  ~SqliteClient();
  /// Runs one or more statements; gives the rows that the last one changed. AlreadyExists if a
  /// constraint says no.
  Result<int64_t> Run(const std::string& sql);

 private:
  explicit SqliteClient(sqlite3* database) : database_(database) {}
  sqlite3* database_;
};

}  // namespace tusk
