#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tusk/lance/file/schema.h"

namespace tusk::lance {

enum class ColumnKind {
  kValues,        ///< a leaf; also a struct without children, and a fixed-size list of plain items
  kPackedStruct,  ///< all children of a struct, row by row
  kBlob,          ///< descriptors; the bytes lie elsewhere
  kStruct,        ///< data version 2.0 only: the rows of a struct, without any bytes
  kListOffsets,   ///< data version 2.0 only: where the lists end
};

/// The column that a field has itself, if it has one, and whether its children have columns too.
struct FieldLayout {
  std::optional<ColumnKind> kind;
  bool has_child_columns = false;
};

/// The layout of `field` in a file of data version 2.`minor_version`. Source as PhysicalColumns.
FieldLayout LayoutOf(const Field& field, uint16_t minor_version);

/// A column of a file. Borrows the field that owns it.
struct PhysicalColumn {
  const Field* field;
  ColumnKind kind;
};

/// The columns that a file of data version 2.`minor_version` has for `field`, in their order: its
/// leaves from 2.1 on; in 2.0 lists and structs own one too, before those of their children.
/// Source: docs/format/lance_file.md, "Columns".
std::vector<PhysicalColumn> PhysicalColumns(const Field& field, uint16_t minor_version);
/// The number of these columns.
int64_t CountPhysicalColumns(const Field& field, uint16_t minor_version);

}  // namespace tusk::lance
