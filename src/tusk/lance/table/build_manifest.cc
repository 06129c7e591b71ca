#include "tusk/lance/table/build_manifest.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/row_ids.h"

namespace tusk::lance {
namespace {

/// What goes with the fragments and indices that an overwrite drops.
constexpr uint64_t kFlagsOfFragments =
    kFlagDeletionFiles | kFlagDataOverlays | kFlagCoveringIndexColumns | kFlagSpilledRowLineage;
/// Each version has an inline transaction and a transaction file.
constexpr uint64_t kFlagsNotInherited = kFlagUseV2Format | kFlagNoTransactionFile;

std::string DataVersionOf(const DataFile& file) {
  return std::to_string(file.major_version) + "." + std::to_string(file.minor_version);
}

/// What the table says of its data after an overwrite.
std::string DataVersion(const Transaction& transaction) {
  if (!transaction.data_version.empty()) return transaction.data_version;
  for (const Fragment& fragment : transaction.fragments) {
    if (!fragment.files.empty()) return DataVersionOf(fragment.files[0]);
  }
  return "2.2";
}

/// Sets the flag of tables with files of another data version than they say. It is never cleared.
void FlagMixedVersions(const Transaction& transaction, Manifest* manifest) {
  for (const Fragment& fragment : transaction.fragments) {
    for (const DataFile& file : fragment.files) {
      if (DataVersionOf(file) == manifest->data_version) continue;
      manifest->reader_flags |= kFlagMixedDataVersions;
      manifest->writer_flags |= kFlagMixedDataVersions;
    }
  }
}

/// Appends the transaction's fragments under ids that no fragment of the table has ever had.
Status AddFragments(const Transaction& transaction, Manifest* manifest) {
  FlagMixedVersions(transaction, manifest);
  uint64_t next_id = manifest->max_fragment_id ? uint64_t{*manifest->max_fragment_id} + 1 : 0;
  const bool stable_row_ids = (manifest->reader_flags & kFlagStableRowIds) != 0;
  for (Fragment fragment : transaction.fragments) {
    if (next_id > std::numeric_limits<uint32_t>::max()) {
      return Unsupported("the table has used up its 2^32 fragment ids: write it as a new table");
    }
    fragment.id = next_id++;
    const auto rows = static_cast<uint64_t>(fragment.physical_rows);
    if (stable_row_ids) {
      if (rows > std::numeric_limits<uint64_t>::max() - manifest->next_row_id) {
        return Corrupt("next row id ", manifest->next_row_id, " leaves no room for ", rows,
                       " rows");
      }
      fragment.row_ids = SerializeRowIdRange(manifest->next_row_id, rows);
      fragment.created_at_versions = SerializeUniformVersion(rows, manifest->version);
      fragment.last_updated_at_versions = fragment.created_at_versions;
      manifest->next_row_id += rows;
    }
    manifest->fragments.push_back(std::move(fragment));
  }
  if (next_id > 0) manifest->max_fragment_id = static_cast<uint32_t>(next_id - 1);
  return Status::OK();
}

/// Gives fragments their new deletion files, and drops those without a row left.
Status DeleteRows(const Transaction& transaction, Manifest* manifest) {
  std::vector<Fragment>& fragments = manifest->fragments;
  const auto find = [&](uint64_t id) -> Result<std::vector<Fragment>::iterator> {
    const auto found = std::ranges::lower_bound(fragments, id, {}, &Fragment::id);
    if (found == fragments.end() || found->id != id) {
      return CommitConflict("fragment ", id, ", of which rows are to be deleted, is gone");
    }
    return found;
  };
  for (const Fragment& changed : transaction.fragments) {
    ARROW_ASSIGN_OR_RAISE(const auto fragment, find(changed.id));
    fragment->deletion_file = changed.deletion_file;
  }
  for (const uint64_t id : transaction.deleted_fragments) {
    ARROW_ASSIGN_OR_RAISE(const auto fragment, find(id));
    fragments.erase(fragment);
  }
  if (!transaction.fragments.empty()) {
    manifest->reader_flags |= kFlagDeletionFiles;
    manifest->writer_flags |= kFlagDeletionFiles;
  }
  return Status::OK();
}

/// The highest fragment id that the table of `manifest` has given. Older writers did not store it.
std::optional<uint32_t> MaxFragmentId(const Manifest& manifest) {
  if (manifest.max_fragment_id || manifest.fragments.empty()) return manifest.max_fragment_id;
  return static_cast<uint32_t>(manifest.fragments.back().id);  // they are ascending
}

/// Version `version` with all that `source` says and its transaction does not change.
Manifest Inherit(const Manifest& source, const Transaction& transaction, uint64_t version,
                 int64_t timestamp_ns) {
  Manifest manifest = source;
  manifest.version = version;
  manifest.timestamp_ns = timestamp_ns;
  manifest.transaction_file = TransactionFileName(transaction);
  manifest.index_section.reset();
  manifest.transaction_section.reset();
  manifest.reader_flags &= ~kFlagsNotInherited;
  manifest.writer_flags &= ~kFlagsNotInherited;
  manifest.max_fragment_id = MaxFragmentId(source);
  return manifest;
}

void SetConfig(const Transaction& transaction, Manifest* manifest) {
  for (const auto& [key, value] : transaction.config_upserts) manifest->config[key] = value;
  if (!manifest->config.empty()) manifest->writer_flags |= kFlagTableConfig;
}

}  // namespace

Result<Manifest> BuildFirstManifest(const Transaction& transaction, bool stable_row_ids,
                                    int64_t timestamp_ns) {
  Manifest manifest;
  manifest.schema = transaction.schema;
  manifest.version = 1;
  manifest.timestamp_ns = timestamp_ns;
  manifest.data_version = DataVersion(transaction);
  manifest.transaction_file = TransactionFileName(transaction);
  if (stable_row_ids) {
    manifest.reader_flags = kFlagStableRowIds;
    manifest.writer_flags = kFlagStableRowIds;
  }
  SetConfig(transaction, &manifest);
  ARROW_RETURN_NOT_OK(AddFragments(transaction, &manifest));
  return manifest;
}

Result<Manifest> BuildNextManifest(const Transaction& transaction, const Manifest& previous,
                                   int64_t timestamp_ns) {
  ARROW_RETURN_NOT_OK(CheckWritable(previous));
  Manifest manifest = Inherit(previous, transaction, previous.version + 1, timestamp_ns);
  if (transaction.operation == Operation::kDelete) {
    ARROW_RETURN_NOT_OK(DeleteRows(transaction, &manifest));
    return manifest;
  }
  if (transaction.operation == Operation::kOverwrite) {
    manifest.schema = transaction.schema;
    manifest.encoded_schema.clear();
    manifest.fragments.clear();
    manifest.reader_flags &= ~kFlagsOfFragments;
    manifest.writer_flags &= ~kFlagsOfFragments;
    manifest.data_version = DataVersion(transaction);
    SetConfig(transaction, &manifest);
  }
  ARROW_RETURN_NOT_OK(AddFragments(transaction, &manifest));
  return manifest;
}

Result<Manifest> BuildRestoredManifest(const Transaction& transaction, const Manifest& restored,
                                       const Manifest& previous, int64_t timestamp_ns) {
  ARROW_RETURN_NOT_OK(CheckWritable(previous));
  ARROW_RETURN_NOT_OK(CheckWritable(restored));
  Manifest manifest = Inherit(restored, transaction, previous.version + 1, timestamp_ns);
  manifest.max_fragment_id = std::max(manifest.max_fragment_id, MaxFragmentId(previous));
  manifest.next_row_id = std::max(manifest.next_row_id, previous.next_row_id);
  manifest.max_allocated_field_id =
      std::max(manifest.max_allocated_field_id, previous.max_allocated_field_id);
  return manifest;
}

}  // namespace tusk::lance
