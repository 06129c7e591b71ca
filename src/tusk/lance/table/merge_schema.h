#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// An id above all that fields of this version, and of its files, ever had.
int32_t NextFieldId(const Manifest& manifest);

/// Gives `field` and all below it the next ids, depth-first.
void AssignIds(Field* field, int32_t parent_id, int32_t* next_id);

/// A schema with more fields than it had.
struct MergedSchema {
  Schema schema;  ///< all fields
  Schema added;   ///< the new ones, inside the structs that they were added to
  /// Whether rows that lack the new fields are fine: none of them must not be null, nor is what it
  /// was added to.
  bool preserves_nullability = true;
};

/// `table` with the fields of `more` that it lacks, under ids from `next_id` on: new columns at the
/// end, new children at the end of the structs that both have. InvalidArgument if a field is there
/// already, has another type there, or would be added to a packed struct.
Result<MergedSchema> MergeSchemas(const Schema& table, const Schema& more, int32_t next_id);

/// `schema` without the fields that these paths name; structs without a child left go too. NotFound
/// for a path that is none; InvalidArgument if nothing is left, and for parts of lists and maps.
Result<Schema> WithoutFields(const Schema& schema, const std::vector<std::string>& paths);

/// The field with this id, or null.
Field* FindById(std::vector<Field>* fields, int32_t id);

/// The ids of these fields and of all below them.
std::set<int32_t> AllFieldIds(const std::vector<Field>& fields);

/// InvalidArgument if two fields at one place have the same name, or a name is empty or has a dot.
Status CheckFieldNames(const std::vector<Field>& fields);

}  // namespace tusk::lance
