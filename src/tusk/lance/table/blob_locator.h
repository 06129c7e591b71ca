#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/blob.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Where the bytes of a blob are, by its descriptor. Nothing was checked against the file yet.
struct BlobPlace {
  BlobKind kind = BlobKind::kInline;
  io::StorePath object;
  uint64_t position = 0;
  std::optional<uint64_t> size;  ///< all from `position` on if absent; of external ones only
  std::string uri;               ///< of an external one, as stored
  uint32_t base_id = 0;          ///< of an external one; 0 if `uri` stands for itself
};

/// The object at the URI of an external blob, in which %20 and the like stand for other characters.
/// The errors of io::ResolveUri.
Result<io::StorePath> ResolveBlobUri(std::string_view uri);

/// The file `blob_id` beside the data file at `data_file`.
std::string SidecarPath(std::string_view data_file, uint32_t blob_id);

/// How errors name the blob of a row: by table, version, column and row.
std::string DescribeBlob(const Dataset::State& dataset, std::string_view column, uint64_t address);

/// So many bytes the data file has of the blob in row `row` of `descriptors`, of the column
/// `field`, by what these say.
uint64_t BytesInFile(const Field& field, const arrow::StructArray& descriptors, int64_t row);

/// Tells where the blobs of one column of a version lie. Not thread-safe; the dataset and the field
/// must outlive it.
class BlobLocator {
 public:
  /// `field` is the column as the table has it.
  BlobLocator(const Dataset::State& dataset, const Field& field)
      : dataset_(dataset), field_(field) {}

  /// Where the blob is that `descriptors`, rows of the column as a scan gives them, has in row
  /// `row`, whose address is `address`; nothing for a null value. Corrupt for descriptors of no
  /// kind that there is, Unsupported for managed ones.
  Result<std::optional<BlobPlace>> Find(const arrow::StructArray& descriptors, int64_t row,
                                        uint64_t address);

 private:
  Result<std::optional<BlobPlace>> FindV1(const arrow::StructArray& descriptors, int64_t row,
                                          uint64_t address);
  Result<BlobPlace> FindExternal(BlobPlace place) const;
  /// The file that holds the column in the fragment of `address`.
  Result<const io::StorePath*> DataFileOf(uint64_t address);

  const Dataset::State& dataset_;
  const Field& field_;
  std::map<uint64_t, io::StorePath> data_files_;  ///< by fragment id
};

}  // namespace tusk::lance
