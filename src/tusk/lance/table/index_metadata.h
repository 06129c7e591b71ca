#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/deletion_file.h"

namespace tusk::lance {

/// Ids of fragments, as runs: a few bytes of a bitmap may name billions.
using FragmentIds = DeletedRows;

/// A file of an index, by its path below the index's folder.
struct IndexFile {
  std::string path;
  uint64_t size_bytes = 0;
};

/// One segment of an index: segments of one index share a name. Source:
/// docs/format/lance_table.md, "Indices".
struct IndexMetadata {
  std::string uuid;  ///< 16 bytes; its folder below _indices/ is called so
  /// Fields that it is keyed on, and behind them those that it only carries (covering_fields).
  std::vector<int32_t> field_ids;
  std::string name;
  uint64_t dataset_version = 0;  ///< of which it was built
  /// The fragments whose rows are in it; absent: nobody knows.
  std::optional<FragmentIds> fragments;
  std::string details_type;  ///< a type URL, of what kind the index is
  std::string details;       ///< a message of that type
  bool has_details = false;
  std::optional<int32_t> index_version;
  std::optional<uint64_t> created_at_ms;  ///< since the epoch
  std::optional<uint32_t> base_id;        ///< of the base path that its files lie at
  std::vector<IndexFile> files;           ///< empty: not known
  std::vector<int32_t> covering_fields;
  std::string carried;  ///< fields that this build does not know, as they were

  /// Whether it belongs to the table's own bookkeeping: fragment reuse, MemWAL. Fields and
  /// fragments mean nothing there.
  bool is_system() const;
  /// Whether its answers are row addresses also in a table with stable row ids.
  bool answers_addresses() const;
};

/// The indices of an index section, in its order. Corrupt if it is none or one of its bitmaps is
/// broken.
Result<std::vector<IndexMetadata>> ParseIndexSection(std::string_view bytes);

/// Empty for no index: such a version has no index section.
std::string SerializeIndexSection(const std::vector<IndexMetadata>& indices);

}  // namespace tusk::lance
