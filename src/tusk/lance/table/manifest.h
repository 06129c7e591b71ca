#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// One file of a fragment, and the columns in it that the table uses.
struct DataFile {
  std::string path;  ///< below data/
  /// Ids of the fields that own a physical column, and the column of each. Negative ids are hidden
  /// or dropped columns.
  std::vector<int32_t> field_ids;
  std::vector<int32_t> column_indices;
  uint32_t major_version = 2;
  uint32_t minor_version = 2;
  uint64_t size_bytes = 0;  ///< 0 is unknown
  std::optional<uint32_t> base_id;
  std::string carried;  ///< fields that this build does not know, as they were
};

/// Which rows of a fragment are gone.
struct DeletionFile {
  enum class Type : uint32_t { kArrow = 0, kBitmap = 1 };
  Type type = Type::kArrow;
  uint64_t read_version = 0;
  uint64_t id = 0;
  uint64_t num_deleted_rows = 0;  ///< 0 is unknown
  std::optional<uint32_t> base_id;
  std::string carried;
};

/// Rows [0, physical_rows) in one or more files that each hold some of the columns.
struct Fragment {
  uint64_t id = 0;
  std::vector<DataFile> files;
  std::optional<DeletionFile> deletion_file;
  int64_t physical_rows = 0;
  std::optional<std::string> row_ids;    ///< a serialized RowIdSequence
  bool row_ids_in_column = false;        ///< they are a hidden column instead
  std::string last_updated_at_versions;  ///< serialized; empty if there is none
  bool last_updated_at_in_column = false;
  std::string created_at_versions;
  bool created_at_in_column = false;
  std::string carried;

  /// Rows that are not deleted.
  int64_t CountRows() const;
};

/// A place outside of the table's root where files of the table lie.
struct BasePath {
  uint32_t id = 0;  ///< what files name it by
  std::optional<std::string> name = {};
  /// Whether it is the root of a table, with data/, _deletions/ and so on below it, or a folder of
  /// data files.
  bool is_dataset_root = false;
  std::string path = {};  ///< absolute, or a URI

  bool operator==(const BasePath&) const = default;
};

/// One version of a table. A value: a commit makes a new one out of the one before.
struct Manifest {
  Schema schema;
  std::vector<Fragment> fragments;  ///< ascending by id
  uint64_t version = 0;
  int64_t timestamp_ns = 0;  ///< since the epoch, UTC
  uint64_t reader_flags = 0;
  uint64_t writer_flags = 0;
  std::optional<uint32_t> max_fragment_id;  ///< the highest ever given, even if it is gone
  std::string transaction_file;             ///< below _transactions/; may be empty
  /// Where the sections stand in the file that the manifest came from.
  std::optional<uint64_t> index_section;
  std::optional<uint64_t> transaction_section;
  uint64_t next_row_id = 0;
  std::string data_version;  ///< "2.2"
  std::map<std::string, std::string> config;
  std::optional<int32_t> max_allocated_field_id;
  std::vector<BasePath> base_paths;  ///< ascending by id
  std::map<std::string, std::string> table_metadata;
  std::optional<std::string> branch;  ///< whose version it is; absent: main
  /// The schema as it was read, with what `schema` does not hold; used in its place if not empty.
  std::string encoded_schema;
  /// Fields that this build does not know, as they were.
  std::string carried;

  /// Rows of all fragments, deleted ones included.
  int64_t CountPhysicalRows() const;
};

/// The bytes of the manifest message. Sections are named where the fields say. Empty if the message
/// would be larger than the 2 GiB that protobuf allows.
std::string SerializeManifest(const Manifest& manifest);

/// Corrupt if the bytes are no manifest, or if what they say does not fit together: fragment ids
/// are not unique or above 32 bits, row counts overflow, a path leaves its folder.
Result<Manifest> ParseManifest(std::string_view bytes);

}  // namespace tusk::lance
