#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// How the manifests of a table are named. A table has one kind only.
enum class ManifestNaming {
  kV1,  ///< <version>.manifest
  kV2,  ///< <2^64 - 1 - version, 20 digits>.manifest, so that the latest sorts first
};

/// A version by its manifest's name.
struct ManifestLocation {
  uint64_t version = 0;
  ManifestNaming naming = ManifestNaming::kV2;
  std::string path;  ///< relative to the table's root
};

/// "_versions/<name>", relative to the table's root.
std::string ManifestPath(uint64_t version, ManifestNaming naming);

/// The number of the detached version `number`: it has bit 63.
uint64_t DetachedVersion(uint64_t number);
bool IsDetached(uint64_t version);
/// "_versions/d<version>.manifest".
std::string DetachedManifestPath(uint64_t version);

/// What a name below _versions/ says; nothing for names that are no version: the version hint,
/// detached versions ("d..."), files under construction.
std::optional<ManifestLocation> ParseManifestName(std::string_view name);

/// All names of versions of the table, ascending by version, then the new one first: a version has
/// both for a moment while the manifests of a table are renamed, or longer if that was interrupted.
Result<std::vector<ManifestLocation>> ListManifestNames(const io::StorePath& table,
                                                        const OperationContext& context);

/// The versions of the table, ascending; empty if there is no table.
Result<std::vector<ManifestLocation>> ListManifests(const io::StorePath& table,
                                                    const OperationContext& context);

/// The latest of them; nothing if there is no table.
Result<std::optional<ManifestLocation>> FindLatestManifest(const io::StorePath& table,
                                                           const OperationContext& context);

/// The version, found by one look at each of its two names; also a detached one. NotFound.
Result<ManifestLocation> FindManifest(const io::StorePath& table, uint64_t version,
                                      const OperationContext& context);

/// A manifest file, in file order; lengths and the position are little-endian:
///   [u32 length][IndexSection]    only if there are indices
///   [u32 length][Transaction]     the inline transaction
///   [u32 length][Manifest]        at position P
///   u64 P   u16 0   u16 2   "LANC"
/// `index_section` (may be empty) and `transaction` (may be empty) are serialized messages.
/// Sets the positions of the sections in `manifest`. Empty if SerializeManifest gives nothing.
std::string SerializeManifestFile(Manifest* manifest, std::string_view index_section,
                                  std::string_view transaction);

/// The manifest in a file's last bytes. `read_more` is set to the length of the tail that is
/// needed if `tail` does not hold it, and the result is then meaningless.
/// Corrupt, naming the offset, if the file breaks the layout.
Result<Manifest> ParseManifestFile(std::string_view tail, int64_t file_size, int64_t* read_more);

/// Reads the manifest at `path`, relative to the table's root. NotFound, Corrupt.
Result<Manifest> ReadManifest(const io::StorePath& table, std::string_view path,
                              const OperationContext& context);

/// The serialized index section of the manifest file `path`; empty if it has none.
Result<std::string> ReadIndexSection(const io::StorePath& table, std::string_view path,
                                     const Manifest& manifest, const OperationContext& context);

/// The transaction that made `manifest`, from its file `path` or from its transaction file.
/// NotFound if it names neither.
Result<Transaction> ReadTransaction(const io::StorePath& table, std::string_view path,
                                    const Manifest& manifest, const OperationContext& context);

}  // namespace tusk::lance
