#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Texts in any order, found without making a string.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

/// What a version of a table cannot do without. Paths are relative to the table's root.
struct NamedFiles {
  /// Data and deletion files: without one, rows are lost. With a data file "data/<name>.lance" goes
  /// all that is below "data/<name>/", where its large values may lie.
  TextSet data = {};
  std::set<std::string> others = {};  ///< the manifest itself and its transaction file
  /// All that is below them belongs to the version: "_indices/<uuid>/".
  std::set<std::string> folders = {};
};

/// Which of the files of a version count: those below the table's root, or, by their names there,
/// those at other places too. A branch names its parent's files that way.
enum class WhosePlace { kOwn, kAny };

/// Adds what the manifest at `path` names to `named`. Unsupported if the version needs a feature
/// that this build does not know: then nobody here can say what it names.
Status AddNamedFiles(const io::StorePath& table, std::string_view path, NamedFiles* named,
                     const OperationContext& context, WhosePlace places = WhosePlace::kOwn);

/// The same of `manifest` and `index_section`, which were read from `path`.
Status AddNamedFiles(std::string_view path, const Manifest& manifest,
                     std::string_view index_section, NamedFiles* named,
                     WhosePlace places = WhosePlace::kOwn);

/// The names of the version's indices, ascending and unique: segments of one index share a name.
Result<std::vector<std::string>> ListIndices(const io::StorePath& table, std::string_view path,
                                             const Manifest& manifest,
                                             const OperationContext& context);

/// True if `path` is one of the files or lies where only what belongs to one of them lies.
bool Names(const NamedFiles& named, std::string_view path);

}  // namespace tusk::lance
