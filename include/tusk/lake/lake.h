#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/export.h"
#include "tusk/iceberg/changes.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"

namespace tusk::lake {

/// What one joint commit says about itself.
struct CommitInfo {
  std::string message = {};
  std::string author = {};
  std::map<std::string, std::string> properties = {};
};

/// Rows for one table of a joint commit. The table is made if it does not exist.
struct TableAppend {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  std::shared_ptr<arrow::RecordBatchReader> data;
  std::map<std::string, std::string> properties;  ///< of the table, only when it is made
  /// Lance only: the version of the table that these rows were chosen for, 0 for no table; versions
  /// that others made by path count. If the table is at another one when the commit is due, Append
  /// fails with CommitConflict instead of adding the rows on top.
  std::optional<uint64_t> expected_version = std::nullopt;
  /// Iceberg only: how a table that is made is partitioned (iceberg::PartitionTerm).
  std::vector<std::string> partition_by = {};
  /// Iceberg only: the branch that the rows go to; it comes into being if it is not there.
  std::string branch = "main";
  /// Iceberg only: AlreadyExists if the table is there.
  bool must_be_new = false;
};

/// A transaction on a Lance table of a joint commit, whose files are written below the table.
struct LanceChange {
  catalog::TableName name;
  std::string transaction;  ///< as lance::CommitTransaction takes it
  std::shared_ptr<arrow::Schema> schema = {};
};

/// A table that another client has changed alone: the log does not know its newest state.
struct TableDrift {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  int64_t known_version = 0;    ///< version or snapshot id as the log has it; 0 for none
  int64_t foreign_version = 0;  ///< as the table has it
  int64_t known_rows = 0;
  int64_t foreign_rows = 0;
};

/// A lake: a folder with a catalog and tables of both kinds under one history. Opened at the
/// newest joint version (then every call sees the newest) or at a fixed one (then read-only).
/// Thread-safe.
class TUSK_EXPORT Lake {
 public:
  /// Makes an empty lake. AlreadyExists if there is one; InvalidArgument if the folder has other
  /// content.
  static Result<std::shared_ptr<Lake>> Init(std::string_view uri, const OperationContext& context);
  /// NotFound, with what to run, if there is no lake. Completes publications that a crash
  /// interrupted, unless `at` is given.
  static Result<std::shared_ptr<Lake>> Open(std::string_view uri, std::optional<int64_t> at,
                                            const OperationContext& context);
  /// As Open with a store of the caller's (tests: faults), which must be a local one for the
  /// catalog's file.
  static Result<std::shared_ptr<Lake>> Open(io::StorePath location, std::optional<int64_t> at,
                                            const OperationContext& context);
  ~Lake();

  const std::string& uri() const;
  const std::string& catalog_name() const;
  std::optional<int64_t> at() const;  ///< the fixed joint version, if opened at one

  Result<std::vector<catalog::TableEntry>> Tables(const OperationContext& context) const;
  /// InvalidArgument if the table is of the other kind.
  Result<std::shared_ptr<const lance::Dataset>> OpenLance(const catalog::TableName& name,
                                                          const OperationContext& context) const;
  Result<std::shared_ptr<const iceberg::Table>> OpenIceberg(const catalog::TableName& name,
                                                            const OperationContext& context) const;
  /// Appends to all the tables in ONE joint commit and publishes it. Both kinds have the rows or
  /// neither. Goes on top of what other clients committed to a table alone. Writers of the lake
  /// that race are retried on the newer pointers (the data files are kept); CommitConflict if that
  /// does not end, or if a foreign change keeps an earlier commit of a table from being published.
  /// InvalidArgument if the lake is opened at a fixed version. Gives the joint version as soon as
  /// it is true: if only its publication fails, that is no error and whoever comes next completes
  /// it. After kIo the message says if the outcome is not known; nothing is removed then.
  Result<int64_t> Append(std::vector<TableAppend> appends, const CommitInfo& info,
                         const OperationContext& context);
  /// Commits transactions of any kind to Lance tables, one to each, and appends to other tables of
  /// either kind, in one joint commit. CommitConflict, naming the other transaction, if one that
  /// was committed since a read version does not go with it. NotFound for a table that is not
  /// there. The files that the transactions name stay after a failure. Else as Append.
  Result<int64_t> CommitLance(const std::vector<LanceChange>& changes,
                              std::vector<TableAppend> appends, const CommitInfo& info,
                              const OperationContext& context);
  /// Changes the metadata of an Iceberg table (schema, partition spec, properties, branches and
  /// tags) in one joint commit; on top of the newest state, whoever made it. NotFound;
  /// InvalidArgument if a change makes no sense for the table. Else as Append.
  Result<int64_t> UpdateIceberg(const catalog::TableName& name, const iceberg::TableUpdate& update,
                                const CommitInfo& info, const OperationContext& context);
  /// Replaces or deletes rows of an Iceberg table in one joint commit. After a lost race the rows
  /// to replace are looked for again; CommitConflict if there is data besides, which was used up.
  /// Else as UpdateIceberg.
  Result<int64_t> OverwriteIceberg(const catalog::TableName& name,
                                   const iceberg::Overwrite& overwrite, const CommitInfo& info,
                                   const OperationContext& context);
  /// Publishes what committed but was not published: gives every staged Lance manifest its final
  /// name. A foreign version in its place is kept and ours becomes the next; what is incompatible
  /// is reported (CommitConflict) and stays readable through the lake.
  Status Recover(const OperationContext& context);
  /// Newest first.
  Result<std::vector<catalog::LogEntry>> Log(std::optional<int64_t> limit,
                                             const OperationContext& context) const;

  /// Ascending by name.
  Result<std::vector<catalog::Tag>> Tags(const OperationContext& context) const;
  /// Names a joint version, which is then kept by every cleanup. AlreadyExists if the name is
  /// taken, unless it is to `move`; NotFound if there is no such version; InvalidArgument for names
  /// that are not 1 to 200 letters, digits, `_`, `-`, `.`, `/`, or that begin with a digit.
  Status SetTag(const catalog::Tag& tag, bool move, const OperationContext& context);
  Status DeleteTag(std::string_view name, const OperationContext& context);
  /// How long joint versions are kept, as far as it is written down in the lake. A cleanup goes by
  /// it unless it is told otherwise.
  Result<catalog::Retention> Retention(const OperationContext& context) const;
  /// Replaces that. InvalidArgument for an age below 0, or fewer than 1 to keep.
  Status SetRetention(const catalog::Retention& retention, const OperationContext& context);
  /// The joint version that `text` means: a number or a tag. NotFound says what there is.
  Result<int64_t> FindVersion(std::string_view text, const OperationContext& context) const;
  /// The newest joint version at that moment, microseconds since the epoch. NotFound if the lake
  /// was empty then.
  Result<int64_t> FindVersionAt(int64_t timestamp_us, const OperationContext& context) const;

  /// Makes a joint version in which every table that there was at joint version `number` is as it
  /// was then: rows, schema and properties. Tables made later stay as they are, and so does the
  /// history. Nothing if no table differs. Errors as Append; NotFound if the version was given up.
  Result<std::optional<int64_t>> Restore(int64_t number, const CommitInfo& info,
                                         const OperationContext& context);
  /// Tables that other clients changed alone, ascending by name. Counts rows, so each costs an
  /// opening.
  Result<std::vector<TableDrift>> FindDrift(const OperationContext& context) const;
  /// Takes what other clients committed to tables alone into the history, in one joint version. No
  /// data is written. Nothing if no table has drifted.
  Result<std::optional<int64_t>> Adopt(const CommitInfo& info, const OperationContext& context);

  struct State;
  const State& state() const { return *state_; }  ///< for the library's own operations

 private:
  explicit Lake(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tusk::lake
