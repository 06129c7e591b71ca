#include "tusk/catalog/sqlite_database.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sqlite3.h>

namespace tusk::catalog {
namespace {

/// So long a statement waits for the lock of another connection.
constexpr int64_t kLockWaitMs = 60'000;

Status SqliteError(std::string_view path, sqlite3* database, int code, std::string_view doing) {
  const char* text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Corrupt("the catalog at '", path, "' cannot ", doing, ": ", text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return IoError("the catalog at '", path, "' cannot ", doing,
                     ": another process kept it locked (", text, ")");
    case SQLITE_NOMEM:
      return MakeError(ErrorCode::kOutOfBudget, "the catalog at '" + std::string(path) +
                                                    "' cannot " + std::string(doing) +
                                                    ": out of memory");
    case SQLITE_CONSTRAINT:
      return AlreadyExists("the catalog at '", path, "' cannot ", doing, ": ", text);
    default:
      return IoError("the catalog at '", path, "' cannot ", doing, ": ", text, " (SQLite code ",
                     sqlite3_extended_errcode(database), ")");
  }
}

/// The error of a statement on an open `database`.
Status SqliteError(sqlite3* database, int code, std::string_view doing) {
  const char* path = sqlite3_db_filename(database, "main");
  return SqliteError(path != nullptr ? path : "", database, code, doing);
}

}  // namespace

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

Result<bool> SqliteStatement::Next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(database_, code, std::string("run \"") + sqlite3_sql(statement_) + "\"");
}

int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string SqliteStatement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

SqliteDatabase::SqliteDatabase(sqlite3* database) : database_(database) {
  sqlite3_busy_handler(database_, OnBusy, this);
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path, bool create) {
  std::error_code error;
  if (!create && !std::filesystem::exists(path, error)) {
    if (error) return IoError("cannot look for '", path, "': ", error.message());
    return NotFound("no catalog at '", path, "'");
  }
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, /*zVfs=*/nullptr);
  if (code != SQLITE_OK) {
    const Status status = SqliteError(path, handle, code, "be opened");
    sqlite3_close(handle);
    return status;
  }
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(handle));
  // EXTRA: the end of the journal, which is the commit, is durable too before anyone acts on it. A
  // power cut must not take back a commit whose manifest is published by then.
  ARROW_RETURN_NOT_OK(database->Execute("PRAGMA synchronous = EXTRA"));
  // The journal stays and its header is overwritten: to make and remove a file in each transaction
  // takes the disk twice as long when others use it. Other clients may do as they like.
  ARROW_RETURN_NOT_OK(database->Execute("PRAGMA journal_mode = PERSIST"));
  ARROW_RETURN_NOT_OK(database->Execute("PRAGMA journal_size_limit = 1048576"));
  return database;
}

SqliteDatabase::~SqliteDatabase() {
  if (database_ != nullptr) sqlite3_close_v2(database_);
}

int SqliteDatabase::OnBusy(void* self, int calls) {
  auto* database = static_cast<SqliteDatabase*>(self);
  if (calls == 0) database->waited_ms_ = 0;
  const bool stopped = database->context_ != nullptr && database->context_->stop.stop_requested();
  if (stopped || database->waited_ms_ >= kLockWaitMs) return 0;
  const int64_t wait_ms = std::min(1 + calls, 20);
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  database->waited_ms_ += wait_ms;
  return 1;
}

Status SqliteDatabase::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return Status::OK();
  return SqliteError(database_, code, "run \"" + sql.substr(0, sql.find('\n')) + "\"");
}

Result<SqliteStatement> SqliteDatabase::Query(std::string_view sql,
                                              std::initializer_list<SqlValue> parameters) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &handle,
                                      /*pzTail=*/nullptr);
  if (code != SQLITE_OK) {
    return SqliteError(database_, code, "prepare \"" + std::string(sql) + "\"");
  }
  SqliteStatement statement(database_, handle);
  int index = 0;
  for (const SqlValue& value : parameters) {
    ++index;
    int bound = SQLITE_OK;
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      bound = sqlite3_bind_int64(handle, index, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      // A null pointer would bind NULL, where empty text is meant.
      const char* data = text->data() == nullptr ? "" : text->data();
      bound = sqlite3_bind_text64(handle, index, data, text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
      bound = sqlite3_bind_null(handle, index);
    }
    if (bound != SQLITE_OK) return SqliteError(database_, bound, "bind a parameter");
  }
  return statement;
}

Result<int64_t> SqliteDatabase::Run(std::string_view sql,
                                    std::initializer_list<SqlValue> parameters) {
  ARROW_ASSIGN_OR_RAISE(SqliteStatement statement, Query(sql, parameters));
  ARROW_RETURN_NOT_OK(statement.Next());
  return sqlite3_changes(database_);
}

/// Keeps fork() away from running transactions: SQLite remembers per process which locks it holds
/// on a file, and a child that inherits "held" would believe it. So fork() waits for the
/// transactions of other threads, and the child starts with no connection at all.
struct ForkHandlers {
  std::mutex mutex;
  std::vector<SqliteConnection*> connections;

  static ForkHandlers& Get() {
    // Never destroyed: connections may outlive static destruction.
    static auto* handlers = [] {
      pthread_atfork(Prepare, InParent, InChild);
      return new ForkHandlers;
    }();
    return *handlers;
  }
  static void Prepare() {
    ForkHandlers& handlers = Get();
    handlers.mutex.lock();
    for (SqliteConnection* connection : handlers.connections) connection->mutex_.lock();
  }
  static void InParent() {
    ForkHandlers& handlers = Get();
    for (SqliteConnection* connection : handlers.connections) connection->mutex_.unlock();
    handlers.mutex.unlock();
  }
  static void InChild() {
    ForkHandlers& handlers = Get();
    for (SqliteConnection* connection : handlers.connections) {
      if (connection->database_ != nullptr) connection->database_->Abandon();
      connection->database_.reset();
      connection->mutex_.unlock();
    }
    handlers.mutex.unlock();
  }
};

SqliteConnection::SqliteConnection(std::string path) : path_(std::move(path)) {
  ForkHandlers& handlers = ForkHandlers::Get();
  const std::lock_guard lock(handlers.mutex);
  handlers.connections.push_back(this);
}

SqliteConnection::~SqliteConnection() {
  ForkHandlers& handlers = ForkHandlers::Get();
  const std::lock_guard lock(handlers.mutex);
  std::erase(handlers.connections, this);
}

Result<SqliteDatabase*> SqliteConnection::Open() {
  if (database_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(database_, SqliteDatabase::Open(path_, /*create=*/false));
  }
  return database_.get();
}

Status SqliteConnection::RunTransaction(const char* begin, const Work& work) {
  commit_failed_ = false;
  ARROW_ASSIGN_OR_RAISE(SqliteDatabase * database, Open());
  ARROW_RETURN_NOT_OK(database->Execute(begin));
  Status status = work(*database);
  if (status.ok()) {
    status = database->Execute("COMMIT");
    commit_failed_ = !status.ok();
  }
  if (!status.ok() && !database->Execute("ROLLBACK").ok()) {
    // SQLite has rolled back by itself, or cannot: a new connection finds out from the file.
    database_.reset();
  }
  return status;
}

Status SqliteConnection::Read(const OperationContext& context, const Work& work) {
  ARROW_RETURN_NOT_OK(context.CheckStop());
  const std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(SqliteDatabase * database, Open());
  database->set_context(&context);
  Status status = RunTransaction("BEGIN", work);
  if (database_ != nullptr) database_->set_context(nullptr);
  if (!status.ok()) ARROW_RETURN_NOT_OK(context.CheckStop());
  return status;
}

Status SqliteConnection::Write(const OperationContext& context, const Work& work,
                               const std::function<Result<bool>(SqliteDatabase&)>& became_true) {
  ARROW_RETURN_NOT_OK(context.CheckStop());
  const std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(SqliteDatabase * database, Open());
  database->set_context(&context);
  Status status = RunTransaction("BEGIN IMMEDIATE", work);
  if (database_ != nullptr) database_->set_context(nullptr);
  if (status.ok()) return status;
  if (commit_failed_) {
    const Result<bool> answer = Ask(became_true);
    if (!answer.ok()) {
      return WithContext(status, "it is not known whether the commit became true (" +
                                     answer.status().message() +
                                     "), read the log before trying again");
    }
    if (*answer) return Status::OK();
  }
  ARROW_RETURN_NOT_OK(context.CheckStop());
  return status;
}

Result<bool> SqliteConnection::Ask(const std::function<Result<bool>(SqliteDatabase&)>& question) {
  database_.reset();
  bool answer = false;
  ARROW_RETURN_NOT_OK(RunTransaction("BEGIN", [&](SqliteDatabase& database) -> Status {
    ARROW_ASSIGN_OR_RAISE(answer, question(database));
    return Status::OK();
  }));
  return answer;
}

}  // namespace tusk::catalog
