#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// Where compactions have moved rows that indices still name by the addresses of before: what the
/// index "__lance_frag_reuse" keeps. Source: docs/format/lance_table.md, "Moved rows".
struct FragmentReuse {
  /// A fragment as it was when rows left it, or came into it. Both numbers are below 2^32.
  struct Digest {
    uint64_t id = 0;
    uint64_t physical_rows = 0;
    uint64_t deleted_rows = 0;
  };
  /// The rows at `moved`, in the order of `before` and of their offsets, became those of `after` in
  /// their order. The other rows of `before` were deleted.
  struct Group {
    std::string moved = {};  ///< addresses, as SerializeAddresses gives them
    std::vector<Digest> before = {};
    std::vector<Digest> after = {};
  };
  /// One compaction.
  struct Version {
    uint64_t dataset_version = 0;  ///< on top of which it was committed
    std::vector<Group> groups = {};
  };
  std::vector<Version> versions = {};  ///< from the oldest on
};

/// Whether `index` is the one of a table that keeps account of moved rows.
bool IsFragmentReuse(const IndexMetadata& index);

/// A 64-bit Roaring bitmap of rows by fragment, whose ids are below 2^32.
std::string SerializeAddresses(const std::map<uint64_t, DeletedRows>& rows);
/// Corrupt if the bytes are none.
Result<std::map<uint64_t, DeletedRows>> ParseAddresses(std::string_view bytes);

/// The message of the details' content.
std::string SerializeFragmentReuse(const FragmentReuse& reuse);
/// Corrupt if the bytes are none; Unsupported if rows moved in ways that this build does not know.
Result<FragmentReuse> ParseFragmentReuse(std::string_view bytes);

/// What the version `manifest` of the table says of moved rows in `indices`, its own; nothing if it
/// does not keep account. The errors of ParseFragmentReuse and of the store.
Result<std::optional<FragmentReuse>> ReadFragmentReuse(const io::StorePath& table,
                                                       const Manifest& manifest,
                                                       std::span<const IndexMetadata> indices,
                                                       const OperationContext& context);

/// The index that says `reuse`, made for a commit on top of version `dataset_version`. If that is
/// much it is written to a file, whose path, relative to the table's root, is added to `written`.
Result<IndexMetadata> WriteFragmentReuse(const io::StorePath& table, const FragmentReuse& reuse,
                                         uint64_t dataset_version,
                                         std::vector<std::string>* written,
                                         const OperationContext& context);

/// Has the indices cover the fragments that came of those which they have. Of a group of which an
/// index has a part alone it covers nothing any more.
Status FollowMovedRows(const FragmentReuse& reuse, std::vector<IndexMetadata>* indices);

/// What a commit knows of moved rows.
struct MovedRowsAccount {
  /// What the version that is changed says; absent: it keeps no account.
  std::optional<FragmentReuse> reuse = {};
  /// Of a rewrite that leaves the indices as they are: FragmentReuse::Group::moved of each of its
  /// groups. Null if the table shall keep no account of it.
  const std::vector<std::string>* moved = nullptr;
};

/// Adds the compaction `rewrite`, whose groups have their ids, to `account` if an index of
/// `indices`, or what is kept already, has fragments of it. True if so. InvalidArgument if the
/// account is not of its groups.
Result<bool> KeepMovedRows(const RewriteFragments& rewrite, uint64_t dataset_version,
                           std::span<const IndexMetadata> indices, MovedRowsAccount* account);

/// The versions of `reuse` that an index still needs: those after it was built that moved rows of
/// fragments which it has.
FragmentReuse NeededVersions(const FragmentReuse& reuse, std::span<const IndexMetadata> indices);

/// Finds rows after compactions.
class MovedRows {
 public:
  /// Corrupt if the rows that left fragments are not as many as came into others.
  static Result<MovedRows> Make(const FragmentReuse& reuse);

  /// The address of the row that was at `address`; nothing if it was deleted when others moved.
  std::optional<uint64_t> Find(uint64_t address) const;

 private:
  /// A fragment that rows left.
  struct Source {
    uint64_t physical_rows = 0;
    DeletedRows moved = {};
    int64_t rows_before = 0;  ///< of the group's moved rows
    size_t group = 0;
  };
  /// A fragment that rows came into.
  struct Target {
    int64_t rows_before = 0;
    uint64_t id = 0;
  };
  struct Step {
    std::map<uint64_t, Source> sources;  ///< by id
    std::vector<std::vector<Target>> groups;
  };

  std::vector<Step> steps_;
};

}  // namespace tusk::lance
