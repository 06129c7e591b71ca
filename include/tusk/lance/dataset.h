#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/output_file.h"

namespace tusk::lance {

/// A column of a result under a name of its own.
struct NamedExpression {
  std::string name;
  /// SQL (docs/guide/filters.md): the path of a field ("s.a"), its first name in any case unless it
  /// is in backticks, or a value of each row that is computed from others ("a + 1").
  std::string expression;
};

/// A column by which rows are ordered. Numbers by value with NaN above all, texts and bytes by
/// their bytes.
struct Ordering {
  std::string column;  ///< path of a field, as in ScanOptions
  bool ascending = true;
  bool nulls_first = false;
};

/// What a scan has done so far. It may be looked at while the scan goes on; several scans may add
/// to one.
struct ScanStatistics {
  std::atomic<int64_t> fragments{0};       ///< of which something was read or ruled out
  std::atomic<int64_t> pieces{0};          ///< runs of rows that were read at once
  std::atomic<int64_t> rows{0};            ///< in these pieces
  std::atomic<int64_t> rows_ruled_out{0};  ///< by the bounds of their pages, without being read
  std::atomic<int64_t> rows_kept{0};       ///< by the filter; all that were read without one
  std::atomic<int64_t> filter_read_ns{0};  ///< reading the filter's columns, summed over threads
  std::atomic<int64_t> filter_ns{0};       ///< judging rows
  std::atomic<int64_t> read_ns{0};         ///< reading the columns of the result
};

/// What a scan reads, in what pieces.
struct ScanOptions {
  /// Columns in this order; all of them if absent. Each is the name of a top-level column or the
  /// path of a field inside of structs ("s.a"; a name that holds a dot stands in backticks), and is
  /// called what its text is. `_rowid`, `_rowaddr` and `_rowoffset` (uint64: id, address and
  /// position in scan order) may be named too.
  std::optional<std::vector<std::string>> columns = {};
  std::vector<NamedExpression> expressions = {};    ///< unless empty, in place of `columns`
  std::shared_ptr<const expr::Filter> filter = {};  ///< may be null
  std::optional<int64_t> limit = {};                ///< rows after filter and offset
  int64_t offset = 0;                               ///< rows to skip after the filter
  int64_t batch_rows = 8192;                        ///< at most so many rows in a batch
  int64_t batch_bytes = 64 << 20;  ///< batches are cut smaller than batch_rows to stay near this
  bool with_row_id = false;        ///< append column `_rowid`
  bool with_row_address = false;   ///< append column `_rowaddr`
  /// Ids of the fragments to read, in this order, again if one is named twice; all if absent.
  std::optional<std::vector<uint64_t>> fragments = {};
  /// Gives deleted rows too, as far as their fragments are still there; the `_rowid` of these,
  /// which must be asked for, is null, and so is what else tells their place.
  bool include_deleted_rows = false;
  /// Leaves out pages in which, by their bounds, the filter finds nothing.
  bool use_statistics = true;
  /// With a filter: columns, or fields of them ("s.a"), that are read of the rows that it keeps and
  /// no others; what else the result has is read together with the filter's columns, which is one
  /// step instead of two. All of them if absent.
  std::optional<std::vector<std::string>> late_columns = {};
  /// Orders the rows by the first of these columns, then the next; as they are scanned where all
  /// are equal. What orders the rows and their addresses wait in memory: with a limit of no more
  /// rows than twice as many, else of all. Other columns wait with them only where that is less
  /// work than to take them from the rows that are given.
  std::vector<Ordering> order_by = {};
  std::shared_ptr<ScanStatistics> statistics = {};  ///< is added to, unless null
  /// The caller wants the whole result at once: reading ahead begins at its full width, not at one
  /// batch, which would come sooner, and what was read comes uncut, in batches of any size.
  bool all_at_once = false;
};

/// Which columns a take gives.
struct TakeOptions {
  std::optional<std::vector<std::string>> columns = {};  ///< as in ScanOptions
  std::vector<NamedExpression> expressions = {};         ///< unless empty, in place of `columns`
  /// Gives what `columns` names inside of its top-level columns: "s.a" becomes column s with the
  /// one child a. Paths may then go through lists, and maps are given whole.
  bool nested = false;
};

/// One version as the version list tells it.
struct VersionInfo {
  uint64_t version = 0;
  int64_t timestamp_us = 0;  ///< microseconds since the epoch, UTC
  std::map<std::string, std::string> metadata = {};
};

/// A fragment of a version.
struct FragmentInfo {
  uint64_t id = 0;
  int64_t num_rows = 0;          ///< without deleted ones
  int64_t num_deleted_rows = 0;  ///< that still lie in its files
};

struct OpenOptions {
  std::optional<uint64_t> version = {};  ///< the latest if absent
  /// Opens this manifest object instead, relative to the table's root (a staged one, for a lake).
  std::optional<std::string> manifest_path = {};
  io::StorageOptions storage_options = {};  ///< of a table opened by its URI: see io::ResolveUri
};

/// One immutable version of a Lance table. Thread-safe; keeps the files it has opened.
class TUSK_EXPORT Dataset {
 public:
  /// NotFound if there is no table or no such version; Unsupported, by name, for feature flags and
  /// data versions that are not covered.
  static Result<std::shared_ptr<const Dataset>> Open(std::string_view uri,
                                                     const OpenOptions& options,
                                                     const OperationContext& context);
  static Result<std::shared_ptr<const Dataset>> Open(io::StorePath location,
                                                     const OpenOptions& options,
                                                     const OperationContext& context);
  ~Dataset();

  const std::string& uri() const;
  uint64_t version() const;
  int64_t timestamp_us() const;
  const std::string& data_storage_version() const;  ///< "2.2"
  bool has_stable_row_ids() const;
  int64_t num_fragments() const;
  /// Ascending by id.
  std::vector<FragmentInfo> ListFragments() const;
  /// Large values (blobs) are in it as what they are; scans and takes give descriptors of where
  /// these lie.
  const std::shared_ptr<arrow::Schema>& schema() const;
  const std::map<std::string, std::string>& config() const;

  Result<int64_t> CountRows(std::shared_ptr<const expr::Filter> filter,
                            const OperationContext& context) const;
  /// Streams in fragment order with read-ahead inside the budget. The reader keeps the dataset
  /// alive; `context` must outlive the reader.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(const ScanOptions& options,
                                                         const OperationContext& context) const;
  /// What a scan would read and do, step by step, the last one first. Reads nothing.
  Result<std::string> ExplainScan(const ScanOptions& options,
                                  const OperationContext& context) const;
  /// The same, with what each step did: runs the scan and drops its rows. `context.io` may be null.
  Result<std::string> AnalyzeScan(const ScanOptions& options,
                                  const OperationContext& context) const;
  /// Rows by position in scan order, in the order asked, duplicates kept. InvalidArgument if one
  /// is out of bounds.
  Result<std::shared_ptr<arrow::Table>> Take(std::span<const int64_t> rows,
                                             const TakeOptions& options,
                                             const OperationContext& context) const;
  /// Rows by row id, or by row address, which is the same unless row ids are stable; in the order
  /// asked, duplicates kept. Ids of deleted rows are left out. InvalidArgument for an id or address
  /// outside of all fragments.
  Result<std::shared_ptr<arrow::Table>> TakeRowIds(std::span<const uint64_t> ids,
                                                   const TakeOptions& options,
                                                   const OperationContext& context) const;
  Result<std::shared_ptr<arrow::Table>> TakeAddresses(std::span<const uint64_t> addresses,
                                                      const TakeOptions& options,
                                                      const OperationContext& context) const;
  /// Ascending by version.
  Result<std::vector<VersionInfo>> ListVersions(const OperationContext& context) const;
  /// Of the table now, not of this version.
  Result<uint64_t> LatestVersion(const OperationContext& context) const;

  struct State;
  explicit Dataset(std::shared_ptr<const State> state);
  const State& state() const { return *state_; }  ///< for the library's own operations

 private:
  std::shared_ptr<const State> state_;  // shared with the readers of scans
};

enum class WriteMode { kCreate, kAppend, kOverwrite };

/// Is told of each fragment of a write, as JSON (docs/format/transaction_json.md), on the calling
/// thread: before its file is opened, when its rows are not known yet, and when that is complete.
/// An error ends the write.
using FragmentObserver = std::function<Status(const std::string& fragment, bool is_complete)>;

/// How blobs of version 2 are written (docs/format/lance_blobs.md). From which sizes on they are
/// kept in files of their own stands in the metadata of their fields.
struct BlobWriteOptions {
  /// Whether the objects at the URIs of external blobs are copied into the table. Else the URIs are
  /// stored, relative to a base path of the table, of which it must be one.
  bool ingest_external = false;
  /// Stores URIs as they are that lie below no base path. Not with `ingest_external`.
  bool allow_external_outside_bases = false;
  /// Files of several blobs end before they would have more bytes; absent: as the field says.
  std::optional<int64_t> pack_file_bytes = {};
};

struct WriteOptions {
  WriteMode mode = WriteMode::kCreate;
  /// A file ends with the row that reaches this, even within a batch.
  int64_t max_rows_per_file = 1 << 20;
  /// A file ends with the batch after which it has as many bytes or more. What a page still waits
  /// for does not count, and a batch is never cut for this.
  int64_t max_bytes_per_file = int64_t{90} << 30;
  /// Of the new files: "2.1", "2.2" or "stable", which is 2.2; in any case. Absent: what the table
  /// says, or 2.2 for a new table and to overwrite one that says something else. The table says so
  /// too when it is made or overwritten; an append leaves that as it is.
  std::optional<std::string> data_storage_version = {};
  PageOptions pages = {};
  BlobWriteOptions blobs = {};
  bool enable_stable_row_ids = false;  ///< only when a table is made
  /// Only when a table is made: its manifests are called so that the latest sorts first.
  bool enable_v2_manifest_paths = true;
  CommitLock commit_lock = nullptr;     ///< may be null
  FragmentObserver observer = nullptr;  ///< may be null
  std::map<std::string, std::string> transaction_properties = {};
  std::map<std::string, std::string> config = {};  ///< set in the table's config; not with kAppend
};

/// Writes `data` as one new version. View types are stored as the types with offsets. Refused
/// before a byte is written: types that cannot be stored and data versions that are not written
/// (Unsupported, naming the column or version), sizes that are not positive (max_bytes_per_file and
/// data_cache_bytes may be 0) and names that no column may have (InvalidArgument). kCreate:
/// AlreadyExists if there is a table. kAppend: columns go by name, nullable ones may be left out;
/// InvalidArgument if a name or type differs or a column that must not be null has nulls; NotFound
/// without a table. kOverwrite makes the table if there is none. Races with other writers are
/// retried as the conflict matrix allows, else CommitConflict. A failure leaves the table as it
/// was. InvalidArgument for external blobs below no base path, unless that is allowed.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> WriteDataset(arrow::RecordBatchReader* data,
                                                                std::string_view uri,
                                                                const WriteOptions& options,
                                                                const OperationContext& context);
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> WriteDataset(arrow::RecordBatchReader* data,
                                                                io::StorePath location,
                                                                const WriteOptions& options,
                                                                const OperationContext& context);

}  // namespace tusk::lance
