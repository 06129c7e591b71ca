#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tusk::catalog {

/// What a statement's parameter may be; monostate is NULL. Text is borrowed until the call returns.
using SqlValue = std::variant<std::monostate, int64_t, std::string_view>;

/// A statement that runs. Columns count from 0; NULL reads as 0 or empty text.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  SqliteStatement(SqliteStatement&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  ~SqliteStatement();

  /// True if there is a row to read, false at the end.
  Result<bool> Next();
  int64_t Integer(int column) const;
  std::string Text(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

/// An open connection. Used by one thread at a time.
class SqliteDatabase {
 public:
  /// NotFound if there is no file, unless `create`.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, bool create);
  ~SqliteDatabase();

  /// Runs statements, separated by semicolons, without parameters or results.
  Status Execute(const std::string& sql);
  /// Runs one statement without a result; gives the number of rows it changed.
  Result<int64_t> Run(std::string_view sql, std::initializer_list<SqlValue> parameters);
  Result<SqliteStatement> Query(std::string_view sql, std::initializer_list<SqlValue> parameters);

  /// Whose stop token ends the wait for a lock; null for none.
  void set_context(const OperationContext* context) { context_ = context; }
  /// Gives the handle up without closing it: what a child must do with its parent's.
  void Abandon() { database_ = nullptr; }

 private:
  explicit SqliteDatabase(sqlite3* database);
  static int OnBusy(void* self, int calls);

  sqlite3* database_;
  const OperationContext* context_ = nullptr;
  int64_t waited_ms_ = 0;
};

/// A connection that is opened when it is needed and that belongs to the process that opened it: a
/// child after fork() leaves its parent's untouched and opens its own. Thread-safe.
class SqliteConnection {
 public:
  explicit SqliteConnection(std::string path);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// What is done inside a transaction; an error rolls it back.
  using Work = std::function<Status(SqliteDatabase&)>;

  /// One consistent state for all queries of `work`.
  Status Read(const OperationContext& context, const Work& work);
  /// Holds the write lock from the start, so `work` never finds that its reads are outdated. If the
  /// commit itself fails, `became_true` is asked on a fresh connection; the error says so if that
  /// cannot be answered either.
  Status Write(const OperationContext& context, const Work& work,
               const std::function<Result<bool>(SqliteDatabase&)>& became_true);

 private:
  friend struct ForkHandlers;
  Result<SqliteDatabase*> Open();
  Status RunTransaction(const char* begin, const Work& work);
  Result<bool> Ask(const std::function<Result<bool>(SqliteDatabase&)>& question);

  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<SqliteDatabase> database_;
  bool commit_failed_ = false;  ///< the last transaction failed in its COMMIT
};

}  // namespace tusk::catalog
