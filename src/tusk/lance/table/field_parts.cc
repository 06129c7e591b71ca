#include "tusk/lance/table/field_parts.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/physical_column.h"

namespace tusk::lance {
namespace {

/// Whether values of this logical type, which has no children, lie in one buffer of fixed width.
bool IsFixedWidth(const Field& field) {
  for (const char* variable : {"string", "large_string", "binary", "large_binary", "json"}) {
    if (field.logical_type == variable) return false;
  }
  return !field.logical_type.starts_with("dict:");
}

/// Whether the rows are of the type, or codes of such values.
bool IsOfType(const arrow::Array& rows, const arrow::DataType& type) {
  if (rows.type()->Equals(type)) return true;
  return rows.type_id() == arrow::Type::DICTIONARY &&
         static_cast<const arrow::DictionaryType&>(*rows.type()).value_type()->Equals(type);
}

/// Finds parts of fields in one file.
class PartFinder {
 public:
  explicit PartFinder(const DataFile& file)
      : file_(file), minor_(static_cast<uint16_t>(file.minor_version)) {}

  /// Appends the columns of what the file has of `field`, and makes that `part`. False if it has
  /// nothing.
  Result<bool> Add(const Field& field, const Field* whole, Field* part,
                   std::vector<int32_t>* columns) const;

 private:
  Result<std::optional<int32_t>> ColumnOf(const Field& field) const;
  /// The same for one leaf below `field`, of fixed width and in no list if `is_cheap`.
  Result<bool> AddLeaf(const Field& field, bool is_cheap, Field* part,
                       std::vector<int32_t>* columns) const;
  Status AddOwnColumn(const Field& field, const FieldLayout& layout,
                      std::vector<int32_t>* columns) const;

  const DataFile& file_;
  const uint16_t minor_;
};

Result<std::optional<int32_t>> PartFinder::ColumnOf(const Field& field) const {
  const auto found = std::ranges::find(file_.field_ids, field.id);
  if (found == file_.field_ids.end()) return std::nullopt;
  const int64_t index = found - file_.field_ids.begin();
  if (index >= std::ssize(file_.column_indices)) {
    // V1 files list no columns; opening one says so.
    if (file_.major_version < 2) return 0;
    return Corrupt("does not say which column holds '", field.name, "'");
  }
  if (file_.column_indices[index] < 0) return std::nullopt;
  return file_.column_indices[index];
}

Status PartFinder::AddOwnColumn(const Field& field, const FieldLayout& layout,
                                std::vector<int32_t>* columns) const {
  if (!layout.kind) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto column, ColumnOf(field));
  if (!column) {
    return Unsupported("has children of '", field.name,
                       "' without the column of that itself: this is not supported");
  }
  columns->push_back(*column);
  return Status::OK();
}

Result<bool> PartFinder::AddLeaf(const Field& field, bool is_cheap, Field* part,
                                 std::vector<int32_t>* columns) const {
  const FieldLayout layout = LayoutOf(field, minor_);
  if (!layout.has_child_columns || field.children.empty()) {
    if (is_cheap && (!field.children.empty() || !IsFixedWidth(field))) return false;
    return Add(field, nullptr, part, columns);
  }
  if (is_cheap && field.logical_type != "struct") return false;
  // The entries of a map are keys and values, both.
  if (field.logical_type == "map") return Add(field, nullptr, part, columns);
  for (const Field& child : field.children) {
    std::vector<int32_t> below;
    Field child_part;
    ARROW_ASSIGN_OR_RAISE(const bool found, AddLeaf(child, is_cheap, &child_part, &below));
    if (!found) continue;
    ARROW_RETURN_NOT_OK(AddOwnColumn(field, layout, columns));
    columns->insert(columns->end(), below.begin(), below.end());
    *part = field;
    part->children = {std::move(child_part)};
    return true;
  }
  return false;
}

Result<bool> PartFinder::Add(const Field& field, const Field* whole, Field* part,
                             std::vector<int32_t>* columns) const {
  const FieldLayout layout = LayoutOf(field, minor_);
  if (!layout.has_child_columns || field.children.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto column, ColumnOf(field));
    if (!column) return false;
    columns->push_back(*column);
    *part = field;
    return true;
  }
  std::vector<int32_t> below;
  std::vector<Field> children;
  for (const Field& child : field.children) {
    const Field* whole_child = nullptr;
    if (whole != nullptr) whole_child = &*std::ranges::find(whole->children, child.id, &Field::id);
    Field child_part;
    ARROW_ASSIGN_OR_RAISE(const bool found, Add(child, whole_child, &child_part, &below));
    if (found) children.push_back(std::move(child_part));
  }
  if (children.empty()) {
    if (whole == nullptr) return false;
    for (const bool is_cheap : {true, false}) {
      ARROW_ASSIGN_OR_RAISE(const bool found, AddLeaf(*whole, is_cheap, part, columns));
      if (found) return true;
    }
    return false;
  }
  ARROW_RETURN_NOT_OK(AddOwnColumn(field, layout, columns));
  columns->insert(columns->end(), below.begin(), below.end());
  *part = field;
  part->children = std::move(children);
  return true;
}

/// The parts that have `child`.
std::vector<FieldPart> PartsOf(const Field& child, std::span<const FieldPart> parts) {
  std::vector<FieldPart> found;
  for (const FieldPart& part : parts) {
    const auto here = std::ranges::find(part.field->children, child.id, &Field::id);
    if (here != part.field->children.end()) found.push_back({.field = &*here, .rows = nullptr});
  }
  return found;
}

/// Whether `field` is put together from its children, or comes from one part.
bool HasParts(const Field& field) { return !field.children.empty() && !field.is_blob(); }

/// Whether `part` is `field`, child by child.
bool IsSame(const Field& part, const Field& field) {
  return part.id == field.id && part.children.size() == field.children.size() &&
         std::ranges::equal(part.children, field.children, IsSame);
}

/// What is valid in any of `arrays`: a bitmap from bit 0 on, null if all is.
Result<std::shared_ptr<arrow::Buffer>> ValidInAny(std::span<const FieldPart> parts, int64_t length,
                                                  arrow::MemoryPool* pool) {
  for (const FieldPart& part : parts) {
    if (part.rows->null_count() == 0) return nullptr;
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> valid,
                        arrow::AllocateBuffer(BytesForBits(length), pool));
  uint8_t* bits = valid->mutable_data();
  std::memset(bits, 0, valid->size());
  for (const FieldPart& part : parts) {
    for (int64_t i = 0; i < length; ++i) {
      if (part.rows->IsValid(i)) SetBit(bits, i);
    }
  }
  return valid;
}

/// Puts together what lies below one struct or list.
class Assembly {
 public:
  explicit Assembly(arrow::MemoryPool* pool) : pool_(pool) {}
  Result<std::shared_ptr<arrow::Array>> Make(const Field& field,
                                             const std::shared_ptr<arrow::DataType>& type,
                                             std::span<const FieldPart> parts, int64_t length);

 private:
  Result<std::shared_ptr<arrow::Array>> MakeStruct(const Field& field,
                                                   const std::shared_ptr<arrow::DataType>& type,
                                                   std::span<const FieldPart> parts,
                                                   int64_t length);
  template <typename ListArray>
  Result<std::shared_ptr<arrow::Array>> MakeList(const Field& field,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 std::span<const FieldPart> parts, int64_t length);
  Result<std::shared_ptr<arrow::Array>> MakeFixedSizeList(
      const Field& field, const std::shared_ptr<arrow::DataType>& type,
      std::span<const FieldPart> parts, int64_t length);

  arrow::MemoryPool* pool_;
};

Result<std::shared_ptr<arrow::Array>> Assembly::MakeStruct(
    const Field& field, const std::shared_ptr<arrow::DataType>& type,
    std::span<const FieldPart> parts, int64_t length) {
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (size_t i = 0; i < field.children.size(); ++i) {
    std::vector<FieldPart> child_parts;
    for (const FieldPart& part : parts) {
      const auto found = std::ranges::find(part.field->children, field.children[i].id, &Field::id);
      if (found == part.field->children.end()) continue;
      const auto number = static_cast<int>(found - part.field->children.begin());
      const auto& rows = static_cast<const arrow::StructArray&>(*part.rows);
      auto child = rows.field(number);
      if (child->type_id() != arrow::Type::NA) {
        ARROW_ASSIGN_OR_RAISE(child, rows.GetFlattenedField(number, pool_));
      }
      child_parts.push_back({.field = &*found, .rows = std::move(child)});
    }
    ARROW_ASSIGN_OR_RAISE(
        const auto child,
        Make(field.children[i], type->field(static_cast<int>(i))->type(), child_parts, length));
    children.push_back(child->data());
  }
  ARROW_ASSIGN_OR_RAISE(auto valid, ValidInAny(parts, length, pool_));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, length, {std::move(valid)}, std::move(children)));
}

template <typename ListArray>
Result<std::shared_ptr<arrow::Array>> Assembly::MakeList(
    const Field& field, const std::shared_ptr<arrow::DataType>& type,
    std::span<const FieldPart> parts, int64_t length) {
  const auto& first = static_cast<const ListArray&>(*parts.front().rows);
  std::vector<FieldPart> item_parts;
  const auto begin = first.value_offset(0);
  const int64_t num_items = first.value_offset(length) - begin;
  for (const FieldPart& part : parts) {
    const auto& lists = static_cast<const ListArray&>(*part.rows);
    for (int64_t i = 0; i <= length; ++i) {
      if (lists.value_offset(i) - lists.value_offset(0) != first.value_offset(i) - begin) {
        return Corrupt("list '", field.name, "' of row ", i - 1, " of those read has ",
                       first.value_length(i - 1), " items in one data file and ",
                       lists.value_length(i - 1), " in another");
      }
    }
    if (part.field->children.empty()) continue;
    item_parts.push_back({.field = &part.field->children[0],
                          .rows = lists.values()->Slice(lists.value_offset(0), num_items)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto items,
                        Make(field.children[0], type->field(0)->type(), item_parts, num_items));
  using Offset = typename ListArray::offset_type;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((length + 1) * int64_t{sizeof(Offset)}, pool_));
  auto* to = reinterpret_cast<Offset*>(offsets->mutable_data());
  for (int64_t i = 0; i <= length; ++i) to[i] = first.value_offset(i) - begin;
  ARROW_ASSIGN_OR_RAISE(auto valid, ValidInAny(parts.first(1), length, pool_));
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, length, {std::move(valid), std::move(offsets)}, {items->data()}));
}

Result<std::shared_ptr<arrow::Array>> Assembly::MakeFixedSizeList(
    const Field& field, const std::shared_ptr<arrow::DataType>& type,
    std::span<const FieldPart> parts, int64_t length) {
  std::vector<FieldPart> item_parts;
  int64_t num_items = 0;
  for (const FieldPart& part : parts) {
    const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*part.rows);
    num_items = length * lists.value_length();
    item_parts.push_back({.field = &part.field->children[0],
                          .rows = lists.values()->Slice(lists.value_offset(0), num_items)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto items,
                        Make(field.children[0], type->field(0)->type(), item_parts, num_items));
  ARROW_ASSIGN_OR_RAISE(auto valid, ValidInAny(parts.first(1), length, pool_));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, length, {std::move(valid)}, {items->data()}));
}

Result<std::shared_ptr<arrow::Array>> Assembly::Make(const Field& field,
                                                     const std::shared_ptr<arrow::DataType>& type,
                                                     std::span<const FieldPart> parts,
                                                     int64_t length) {
  if (parts.empty()) return arrow::MakeArrayOfNull(type, length, pool_);
  const FieldPart& first = parts.front();
  // A packed struct has the types and names that its file says.
  const bool has_type = IsOfType(*first.rows, *type);
  if (has_type && parts.size() == 1 && IsSame(*first.field, field)) return first.rows;
  if (!HasParts(field)) {
    if (has_type) return first.rows;
    return Corrupt("field '", field.name, "' is ", type->ToString(), " in the table and ",
                   first.rows->type()->ToString(), " in a data file");
  }
  for (const FieldPart& part : parts) {
    if (part.rows->type_id() == type->id()) continue;
    return Corrupt("field '", field.name, "' is ", type->ToString(), " in the table and ",
                   part.rows->type()->ToString(), " in a data file");
  }
  if (length == 0) return arrow::MakeArrayOfNull(type, 0, pool_);
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return MakeStruct(field, type, parts, length);
    case arrow::Type::LIST:
      return MakeList<arrow::ListArray>(field, type, parts, length);
    case arrow::Type::LARGE_LIST:
      return MakeList<arrow::LargeListArray>(field, type, parts, length);
    case arrow::Type::MAP:
      return MakeList<arrow::MapArray>(field, type, parts, length);
    case arrow::Type::FIXED_SIZE_LIST:
      return MakeFixedSizeList(field, type, parts, length);
    default:
      return Unsupported("field '", field.name, "' of type ", type->ToString(),
                         " in several data files is not supported");
  }
}

}  // namespace

Result<std::optional<FileReader::Column>> FindPart(const Field& field, const Field* whole,
                                                   const DataFile& file) {
  FileReader::Column part;
  ARROW_ASSIGN_OR_RAISE(const bool found,
                        PartFinder(file).Add(field, whole, &part.field, &part.columns));
  if (!found) return std::nullopt;
  return part;
}

Status CheckParts(const Field& field, std::span<const FieldPart> parts) {
  if (parts.empty()) {
    if (field.nullable) return Status::OK();
    return Corrupt("has '", field.name, "', which must not be null, in no data file");
  }
  if (!HasParts(field)) return Status::OK();
  for (const Field& child : field.children) {
    ARROW_RETURN_NOT_OK(CheckParts(child, PartsOf(child, parts)));
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::Array>> PutTogether(const Field& field,
                                                  const std::shared_ptr<arrow::DataType>& type,
                                                  std::span<const FieldPart> parts, int64_t length,
                                                  arrow::MemoryPool* pool) {
  return Assembly(pool).Make(field, type, parts, length);
}

}  // namespace tusk::lance
