#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// One field of a Lance schema with its id. Source: lance.file.Field, docs/format/lance_file.md.
struct Field {
  std::string name;
  int32_t id = -1;         ///< unique within a table; -1 while not assigned
  int32_t parent_id = -1;  ///< -1 at the top level
  std::string logical_type;
  bool nullable = true;
  std::map<std::string, std::string> metadata;
  bool unenforced_primary_key = false;
  uint32_t unenforced_primary_key_position = 0;     ///< from 1; 0 orders the key by id
  uint32_t unenforced_clustering_key_position = 0;  ///< from 1; 0 is no part of the key
  std::vector<Field> children;
};

/// The fields of a table or file as a tree, depth-first in file order, and the schema's metadata.
/// A value: built, then shared unchanged.
struct Schema {
  std::vector<Field> fields;
  std::map<std::string, std::string> metadata;

  /// The schema of Arrow data with ids 0, 1, ... in depth-first order. Unsupported, naming the
  /// field and its type, for what Lance cannot store or this build does not cover.
  static Result<Schema> FromArrow(const arrow::Schema& schema);
  /// Ids are kept in no place of the Arrow schema. Unsupported for a logical type not covered.
  Result<std::shared_ptr<arrow::Schema>> ToArrow() const;
  /// The largest id anywhere in the tree; -1 if there is none.
  int32_t MaxFieldId() const;
  /// The top-level field, or nullptr.
  const Field* FindField(std::string_view name) const;
  /// The top-level fields with these names in that order. NotFound names what is missing and what
  /// there is; InvalidArgument if a name is asked twice.
  Result<Schema> Project(std::span<const std::string> names) const;
};

/// The logical type by which Lance stores `type`, as in "timestamp:us:UTC". Unsupported for what
/// Lance cannot store or this build does not cover; the text names the type, not the field.
Result<std::string> ToLogicalType(const arrow::DataType& type);
/// The Arrow type behind `logical_type`. Unsupported for one that is not covered.
Result<std::shared_ptr<arrow::DataType>> FromLogicalType(std::string_view logical_type);

/// The Arrow field of `field`. Unsupported for a logical type that is not covered.
Result<std::shared_ptr<arrow::Field>> ToArrowField(const Field& field);

}  // namespace tusk::lance
