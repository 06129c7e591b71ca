#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

namespace tusk::lance {

/// Whether the rows that two merges inserted may have a key in common, by their serialized
/// KeyExistenceFilters. True if one of them is empty, broken or of another kind: nothing is known
/// then.
bool MayShareKeys(std::string_view ours, std::string_view theirs);

/// Which keys a merge inserted: a split block Bloom filter of them, of the one size that all
/// writers use, so that those of two commits can be compared. Source: the Parquet format
/// specification, "Parquet Bloom Filter"; the reference implementation.
class KeyFilter {
 public:
  /// Of keys of these fields.
  explicit KeyFilter(std::vector<int32_t> field_ids);
  /// Adds the key whose parts the columns have at `row`. Keys with nulls, and those of types of
  /// which the reference implementation takes no notice, are left out.
  void Add(const arrow::ArrayVector& columns, int64_t row);
  /// The message KeyExistenceFilter.
  std::string Serialize() const;

 private:
  std::vector<int32_t> field_ids_;
  std::string bitmap_;
};

}  // namespace tusk::lance
