#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

// How operations keep the indices of a table right: an index never claims a fragment in which a
// value that it has is another one. Source: docs/format/lance_table.md, "Indices".

/// Drops the indices of fields that are not in `schema`, and segments without a live fragment
/// beside others of their name; the oldest stays if all are so.
void RetainIndices(const Schema& schema, const std::vector<Fragment>& fragments,
                   std::vector<IndexMetadata>* indices);

/// Takes `fragment_ids` from the indices that have one of `fields`.
Status UncoverFragments(std::span<const uint64_t> fragment_ids, std::span<const uint32_t> fields,
                        std::vector<IndexMetadata>* indices);

/// Takes the fragments of `after` in which a field moved to another file from the indices that
/// have the field, or one above or below it in `schema`. Fragments that are not in `before` are
/// new.
Status UncoverRewrittenFields(const Schema& schema, const std::vector<Fragment>& before,
                              const std::vector<Fragment>& after,
                              std::vector<IndexMetadata>* indices);

/// Lets indices that have all fragments of `from`, and none of the fields `changed`, cover the
/// fragments `to` as well, to which rows moved under the ids that they had.
Status CoverMovedRows(std::span<const uint64_t> from, std::span<const uint64_t> to,
                      std::span<const uint32_t> changed, std::vector<IndexMetadata>* indices);

/// Follows a rewrite whose groups have their new ids. InvalidArgument if a group mixes fragments
/// that an index has with others.
Status FollowRewrite(const RewriteFragments& rewrite, bool stable_row_ids,
                     std::vector<IndexMetadata>* indices);

/// InvalidArgument if segments of one index would answer partly with row ids, partly with
/// addresses.
Status ReplaceIndices(const CreateIndices& create, std::vector<IndexMetadata>* indices);

}  // namespace tusk::lance
