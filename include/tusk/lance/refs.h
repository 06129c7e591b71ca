#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// A version of a branch; of the main line without one.
struct VersionRef {
  std::optional<std::string> branch = {};
  std::optional<uint64_t> version = {};  ///< the latest if absent
};

/// A name for one version. Times are RFC 3339 in UTC; empty if the writer did not say.
struct Tag {
  std::optional<std::string> branch = {};
  uint64_t version = 0;
  std::string created_at = {};
  std::string updated_at = {};
  int64_t manifest_size = 0;
  std::map<std::string, std::string> metadata = {};
};

/// A line of versions that begins as a version of another one.
struct Branch {
  std::optional<std::string> parent_branch = {};
  uint64_t parent_version = 0;
  /// The versions at which it and its ancestors left their parents, and an id of each.
  std::vector<std::pair<uint64_t, std::string>> identifier = {};
  int64_t created_at_s = 0;  ///< seconds since the epoch
  int64_t manifest_size = 0;
  std::map<std::string, std::string> metadata = {};
};

// `table` is the root of a table in all of these. Names: letters, digits, '.', '-' and '_', in a
// branch also '/' between such parts; InvalidArgument for others.

/// The root of the table of which `dataset` is a version, whatever branch it is on.
TUSK_EXPORT io::StorePath RootOf(const Dataset& dataset);

/// Where the versions of a branch are: the root itself for the main line.
TUSK_EXPORT Result<io::StorePath> BranchLocation(const io::StorePath& table,
                                                 const std::optional<std::string>& branch);

TUSK_EXPORT Result<std::map<std::string, Tag>> ListTags(const io::StorePath& table,
                                                        const OperationContext& context);
/// NotFound.
TUSK_EXPORT Result<Tag> GetTag(const io::StorePath& table, std::string_view name,
                               const OperationContext& context);
/// AlreadyExists; NotFound if there is no such version.
TUSK_EXPORT Status CreateTag(const io::StorePath& table, std::string_view name,
                             const VersionRef& ref, const OperationContext& context);
/// Lets a tag name another version. NotFound for either.
TUSK_EXPORT Status UpdateTag(const io::StorePath& table, std::string_view name,
                             const VersionRef& ref, const OperationContext& context);
/// NotFound.
TUSK_EXPORT Status ReplaceTagMetadata(const io::StorePath& table, std::string_view name,
                                      const std::map<std::string, std::string>& metadata,
                                      const OperationContext& context);
/// NotFound.
TUSK_EXPORT Status DeleteTag(const io::StorePath& table, std::string_view name,
                             const OperationContext& context);

TUSK_EXPORT Result<std::map<std::string, Branch>> ListBranches(const io::StorePath& table,
                                                               const OperationContext& context);
/// Makes a branch that begins as `source`, a version of any branch of the table, and opens its
/// first version, which has the same number. No data is copied. AlreadyExists.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> CreateBranch(const Dataset& source,
                                                                std::string_view name,
                                                                const OperationContext& context);
/// Removes a branch with its files. NotFound, unless `force`, which removes what an interrupted
/// call left; InvalidArgument if a tag or another branch needs it.
TUSK_EXPORT Status DeleteBranch(const io::StorePath& table, std::string_view name, bool force,
                                const OperationContext& context);
TUSK_EXPORT Status ReplaceBranchMetadata(const io::StorePath& table, std::string_view name,
                                         const std::map<std::string, std::string>& metadata,
                                         const OperationContext& context);

struct CloneOptions {
  /// Copies no file: the clone reads those of `source` where they are, and needs them there.
  bool shallow = true;
  std::optional<std::string> ref_name = {};  ///< by which the source was found: a tag or branch
};

/// Makes a table at `target` that begins as `source`, under the same version number. AlreadyExists
/// if there is a table.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> CloneDataset(const Dataset& source,
                                                                const io::StorePath& target,
                                                                const CloneOptions& options,
                                                                const OperationContext& context);

}  // namespace tusk::lance
