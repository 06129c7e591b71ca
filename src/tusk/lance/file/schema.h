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

/// One field of a Lance schema with its id. Source: docs/format/lance_file.md, "Schema".
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

  /// Whether the metadata has `key` with 1, true, on, yes or y, in any case.
  bool HasFlag(const std::string& key) const;
  /// Whether large values are kept apart from the rows, by the metadata: a large_binary ("v1"), or
  /// a struct that says where the bytes are ("v2", extension lance.blob.v2).
  bool is_blob() const;
  bool is_blob_v2() const;
  /// Whether this is a struct whose metadata asks for its children to lie row by row in one column.
  bool is_packed() const;
};

/// What columns of logical type json hold: the bytes that are stored, or text (extension
/// arrow.json). pylance's LanceFileReader gives the first, its datasets the second.
enum class JsonForm { kBytes, kText };

/// The fields of a table or file as a tree, depth-first in file order, and the schema's metadata.
/// A value: built, then shared unchanged.
struct Schema {
  std::vector<Field> fields;
  std::map<std::string, std::string> metadata;

  /// The schema of Arrow data with ids 0, 1, ... in depth-first order. Covers what Lance can store,
  /// which is more than FileWriter writes. Unsupported, naming the field and its type, for the
  /// rest.
  static Result<Schema> FromArrow(const arrow::Schema& schema);
  /// Ids are kept in no place of the Arrow schema. Extension types are not made: they stand in the
  /// metadata of their fields. The errors of ToArrowField.
  Result<std::shared_ptr<arrow::Schema>> ToArrow(JsonForm json = JsonForm::kBytes) const;
  /// The same fields and ids, but blobs as descriptors (DescriptorOf), which is what a scan gives.
  Schema WithBlobDescriptors() const;
  /// The largest id anywhere in the tree; -1 if there is none.
  int32_t MaxFieldId() const;
  /// The top-level field, or nullptr.
  const Field* FindField(std::string_view name) const;

  /// The fields from the top down to the one that `path` names: "a.b.c", each name exactly as it is
  /// in the schema, in backticks if it holds a dot or a backtick (which is then doubled). The item
  /// of a list is named like any child: "points.item.x". InvalidArgument for a text that is no
  /// path; NotFound says which part is missing and what there is instead.
  Result<std::vector<const Field*>> Resolve(std::string_view path) const;

  /// The top-level fields with these names in that order. NotFound names what is missing and what
  /// there is; InvalidArgument if a name is asked twice.
  Result<Schema> Project(std::span<const std::string> names) const;
  /// The fields that these paths (see Resolve) name, with what is below them, inside their parents;
  /// siblings are left out. Fields and children come in the order in which they are first asked
  /// for; a whole field asked for after some of its children has the others behind them. Errors of
  /// Resolve; InvalidArgument if a field is asked for twice, for a part of a blob, and for a map
  /// without its keys or without its values. A part of a packed struct is fine: its column is then
  /// to be read with all children that the file has.
  Result<Schema> ProjectPaths(std::span<const std::string> paths) const;
};

/// The Arrow field of `field` and all below it; a map's entries keep the names that they have.
/// Unsupported for a logical type that is not covered; Corrupt for one whose children do not fit
/// it, such as a list with two. Both name the field.
Result<std::shared_ptr<arrow::Field>> ToArrowField(const Field& field,
                                                   JsonForm json = JsonForm::kBytes);

/// A blob field as struct<position, size> (v1) or struct<kind, position, size, blob_id, blob_uri>
/// (v2): what the file stores in place of the bytes. It keeps its name, id and nullability; its
/// children have no ids. Every other field as it is.
Field DescriptorOf(Field field);

}  // namespace tusk::lance
