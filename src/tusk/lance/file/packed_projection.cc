#include "tusk/lance/file/packed_projection.h"

#include <algorithm>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/type.h>

namespace tusk::lance {
namespace {

const Field* FindById(const std::vector<Field>& fields, int32_t id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* below = FindById(field.children, id); below != nullptr) return below;
  }
  return nullptr;
}

/// Names may differ where a field was renamed since the file was written.
bool IsSame(const Field& a, const Field& b) {
  return a.id == b.id && (a.id >= 0 || a.name == b.name);
}

bool HasPackedStruct(const Field& field) {
  return field.is_packed() || std::ranges::any_of(field.children, HasPackedStruct);
}

/// Whether something was added or put in the file's order.
bool Widen(const Schema& file_schema, Field* field) {
  if (field->is_packed()) {
    const Field* whole = FindById(file_schema.fields, field->id);
    if (whole == nullptr || !whole->is_packed() ||
        std::ranges::equal(whole->children, field->children, IsSame)) {
      return false;
    }
    field->children = whole->children;
    return true;
  }
  bool is_wider = false;
  for (Field& child : field->children) is_wider |= Widen(file_schema, &child);
  return is_wider;
}

Result<std::shared_ptr<arrow::ArrayData>> Pick(const arrow::ArrayData& array, const Field& whole,
                                               const Field& part,
                                               const std::shared_ptr<arrow::DataType>& type) {
  if (array.child_data.size() != whole.children.size()) {
    return Corrupt("array with ", array.child_data.size(), " children for field '", whole.name,
                   "' with ", whole.children.size());
  }
  auto picked = array.Copy();
  picked->type = type;
  if (!part.is_packed()) {
    for (size_t i = 0; i < whole.children.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(picked->child_data[i],
                            Pick(*array.child_data[i], whole.children[i], part.children[i],
                                 type->field(static_cast<int>(i))->type()));
    }
    return picked;
  }
  picked->child_data.clear();
  for (const Field& child : part.children) {
    const auto found = std::ranges::find_if(
        whole.children, [&](const Field& stored) { return IsSame(stored, child); });
    if (found == whole.children.end()) {
      return NotFound("no field '", child.name, "' in the packed struct '", whole.name,
                      "' of the file");
    }
    picked->child_data.push_back(array.child_data[found - whole.children.begin()]);
  }
  return picked;
}

class PackedFieldsRead final : public FieldRead {
 public:
  PackedFieldsRead(std::unique_ptr<FieldRead> read, std::unique_ptr<const Field> whole,
                   const Field& part)
      : whole_(std::move(whole)), part_(part), read_(std::move(read)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return read_->Plan(ranges); }
  void PlanTargets(std::vector<io::ReadTarget>* targets) override { read_->PlanTargets(targets); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return read_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto array, read_->Finish());
    return PickPackedFields(array, *whole_, part_);
  }

 private:
  std::unique_ptr<const Field> whole_;  // that `read_` borrows
  const Field& part_;
  std::unique_ptr<FieldRead> read_;
};

}  // namespace

std::unique_ptr<const Field> WithWholePackedStructs(const Field& field, const Schema& file_schema) {
  if (!HasPackedStruct(field)) return nullptr;
  auto whole = std::make_unique<Field>(field);
  if (!Widen(file_schema, whole.get())) return nullptr;
  return whole;
}

Result<std::shared_ptr<arrow::ArrayData>> PickPackedFields(
    const std::shared_ptr<arrow::ArrayData>& array, const Field& whole, const Field& part) {
  ARROW_ASSIGN_OR_RAISE(const auto arrow_field, ToArrowField(part));
  return Pick(*array, whole, part, arrow_field->type());
}

std::unique_ptr<FieldRead> MakePackedFieldsRead(std::unique_ptr<FieldRead> read,
                                                std::unique_ptr<const Field> whole,
                                                const Field& part) {
  return std::make_unique<PackedFieldsRead>(std::move(read), std::move(whole), part);
}

}  // namespace tusk::lance
