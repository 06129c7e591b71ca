#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/file_cache.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/row_ids.h"

namespace tusk::lance {

struct Projection;

/// As what scans and takes give large values.
enum class BlobForm {
  kDescriptors,  ///< where they lie
  kBytes,
};

/// How a version is read.
struct Reading {
  BlobForm blobs = BlobForm::kDescriptors;
  std::shared_ptr<FileCache> files = {};  ///< that are open; one of its own if null
  BasePlaces base_places = {};            ///< of base paths that are read elsewhere
};

/// What an open version knows. Readers of it share it and keep it alive. Immutable but for what it
/// has opened, which is under a lock.
struct Dataset::State {
  std::string uri;
  io::StorePath location;
  Manifest manifest;
  std::string manifest_path;  ///< relative to the table's root
  std::chrono::steady_clock::time_point read_at = std::chrono::steady_clock::now();
  std::shared_ptr<arrow::Schema> schema;  ///< json as text, blobs as their bytes
  BlobForm blobs = BlobForm::kDescriptors;
  Schema scan_schema;  ///< of what scans give
  std::shared_ptr<const Projection> all_columns;
  /// Rows before each fragment, without those that are deleted, and in the end all rows: one more
  /// than there are fragments.
  std::vector<int64_t> first_rows;
  std::shared_ptr<FileCache> files;  ///< that are open
  BasePlaces base_places;            ///< that are read elsewhere than the manifest says

  /// `manifest` as the version that `location` holds at `manifest_path`. Unsupported if it needs
  /// something to be read that is not covered.
  static Result<std::shared_ptr<const Dataset>> Make(std::string uri, io::StorePath location,
                                                     Manifest manifest, std::string manifest_path,
                                                     Reading reading = {});
  /// The same version, read otherwise. Costs a copy of what its manifest says.
  Result<std::shared_ptr<const Dataset>> ReadAs(Reading reading) const;
  /// How this one is read.
  Reading reading() const { return {.blobs = blobs, .files = files, .base_places = base_places}; }

  int64_t num_rows() const { return first_rows.back(); }
  /// Where a base path is read. The errors of FindBase.
  Result<TableBase> Locate(std::optional<uint32_t> base_id) const;
  /// Where a file of a fragment is. The errors of FindBase.
  Result<io::StorePath> Locate(const Fragment& fragment, const DataFile& file) const;
  /// The file of a fragment, opened unless it is still open.
  Result<std::shared_ptr<const FileReader>> OpenFile(const Fragment& fragment, const DataFile& file,
                                                     const OperationContext& context) const;
  /// The row ids of a fragment of a table that has stable ones, parsed once.
  Result<std::shared_ptr<const RowIdSequence>> RowIds(const Fragment& fragment) const;
  /// The rows of a fragment that are deleted, read once; null if there is no deletion file.
  Result<std::shared_ptr<const DeletedRows>> FindDeletedRows(const Fragment& fragment,
                                                             const OperationContext& context) const;

 private:
  mutable std::mutex mutex_;
  mutable std::map<uint64_t, std::shared_ptr<const RowIdSequence>> row_ids_;
  mutable std::map<uint64_t, std::shared_ptr<const DeletedRows>> deleted_rows_;
};

/// The fragment of the version with this id. InvalidArgument if there is none.
Result<const Fragment*> FindFragment(const Dataset::State& state, uint64_t id);

}  // namespace tusk::lance
