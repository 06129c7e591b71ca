#include "tusk/lance/file/physical_column.h"

#include "tusk/lance/file/logical_type.h"

namespace tusk::lance {
namespace {

FieldLayout LayoutIn20(const Field& field) {
  if (field.is_blob()) return {ColumnKind::kBlob};
  if (field.logical_type == "struct") {
    // Writers of 2.0 take the newer key by its presence, whatever its value, but after the older.
    const bool is_packed = field.metadata.contains("packed")
                               ? field.HasFlag("packed")
                               : field.metadata.contains("lance-encoding:packed");
    if (is_packed) return {ColumnKind::kPackedStruct};
    return {ColumnKind::kStruct, /*has_child_columns=*/true};
  }
  // The items of a fixed-size list are packed into its column, structs too.
  if (field.children.empty() || StructListSize(field.logical_type) > 0) {
    return {ColumnKind::kValues};
  }
  return {ColumnKind::kListOffsets, /*has_child_columns=*/true};
}

FieldLayout LayoutFrom21(const Field& field) {
  if (field.is_blob()) return {ColumnKind::kBlob};
  if (field.children.empty()) return {ColumnKind::kValues};
  if (field.is_packed()) return {ColumnKind::kPackedStruct};
  return {std::nullopt, /*has_child_columns=*/true};
}

/// Calls `visit` with each column in order.
template <typename Visit>
void VisitColumns(const Field& field, uint16_t minor_version, const Visit& visit) {
  const FieldLayout layout = LayoutOf(field, minor_version);
  if (layout.kind) visit(PhysicalColumn{&field, *layout.kind});
  if (!layout.has_child_columns) return;
  for (const Field& child : field.children) VisitColumns(child, minor_version, visit);
}

}  // namespace

FieldLayout LayoutOf(const Field& field, uint16_t minor_version) {
  return minor_version == 0 ? LayoutIn20(field) : LayoutFrom21(field);
}

std::vector<PhysicalColumn> PhysicalColumns(const Field& field, uint16_t minor_version) {
  std::vector<PhysicalColumn> columns;
  VisitColumns(field, minor_version,
               [&](const PhysicalColumn& column) { columns.push_back(column); });
  return columns;
}

int64_t CountPhysicalColumns(const Field& field, uint16_t minor_version) {
  int64_t count = 0;
  VisitColumns(field, minor_version, [&](const PhysicalColumn&) { ++count; });
  return count;
}

}  // namespace tusk::lance
