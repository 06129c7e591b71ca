#include "tusk/lance/table/cast_column.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/table/merge_schema.h"

namespace tusk::lance {
namespace {

using arrow::Type;

enum class Family { kInteger, kFloat, kTime, kBoolean, kText, kBytes, kDecimal, kList, kOther };

Family FamilyOf(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
      return Family::kBoolean;
    case Type::STRING:
    case Type::LARGE_STRING:
      return Family::kText;
    case Type::BINARY:
    case Type::LARGE_BINARY:
      return Family::kBytes;
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST:
      return Family::kList;
    default:
      if (arrow::is_integer(type.id())) return Family::kInteger;
      if (arrow::is_floating(type.id())) return Family::kFloat;
      if (arrow::is_decimal(type.id())) return Family::kDecimal;
      if (arrow::is_temporal(type.id()) && !arrow::is_interval(type.id())) return Family::kTime;
      return Family::kOther;
  }
}

bool AreRelated(const arrow::DataType& from, const arrow::DataType& to) {
  // What a dictionary has as values counts.
  if (from.id() == Type::DICTIONARY) {
    return AreRelated(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  }
  if (to.id() == Type::DICTIONARY) {
    return AreRelated(from, *static_cast<const arrow::DictionaryType&>(to).value_type());
  }
  const Family family = FamilyOf(from);
  if (family == Family::kOther || family != FamilyOf(to)) return false;
  return family != Family::kList || AreRelated(*from.field(0)->type(), *to.field(0)->type());
}

/// Of `field` what `casts` name, inside of its parents; nothing if that is none.
std::optional<Field> PartOf(const Field& field, const std::map<int32_t, ColumnCast>& casts) {
  if (casts.contains(field.id)) return field;
  Field part = field;
  part.children.clear();
  for (const Field& child : field.children) {
    if (auto kept = PartOf(child, casts)) part.children.push_back(*std::move(kept));
  }
  if (part.children.empty()) return std::nullopt;
  return part;
}

void Collect(const Field& field, std::map<int32_t, Field>* fields) {
  fields->emplace(field.id, field);
  for (const Field& child : field.children) Collect(child, fields);
}

/// InvalidArgument if a field of which only parts get other types is stored as one.
Status CheckHasParts(const Field& part, const std::map<int32_t, ColumnCast>& casts) {
  if (casts.contains(part.id)) return Status::OK();
  if (part.logical_type == "map" || part.is_packed()) {
    return InvalidArgument("cannot change the type of a part of column '", part.name,
                           "': it is stored as one");
  }
  for (const Field& child : part.children) ARROW_RETURN_NOT_OK(CheckHasParts(child, casts));
  return Status::OK();
}

/// The id that a field had.
int32_t SourceId(const std::map<int32_t, ColumnCast>& casts, int32_t id) {
  const auto cast = casts.find(id);
  return cast == casts.end() ? id : cast->second.source->id;
}

/// Gives arrays of fields as they were the form of fields as they will be.
class Caster {
 public:
  Caster(const std::map<int32_t, ColumnCast>& casts, const std::map<int32_t, Field>& sources,
         arrow::MemoryPool* pool)
      : casts_(casts), sources_(sources), pool_(pool) {}

  Result<std::shared_ptr<arrow::ArrayData>> Cast(const Field& part,
                                                 const std::shared_ptr<arrow::ArrayData>& array,
                                                 const std::shared_ptr<arrow::DataType>& type) {
    const auto cast = casts_.find(part.id);
    if (cast != casts_.end()) {
      auto done = CastTo(array, type, pool_);
      if (done.ok()) return done;
      return InvalidArgument("cannot change the type of column '", cast->second.path, "' from ",
                             array->type->ToString(), " to ", type->ToString(), ": ",
                             done.status().message());
    }
    auto result = array->Copy();
    result->type = type;
    result->child_data.clear();
    const Field& source = sources_.at(part.id);
    for (size_t i = 0; i < part.children.size(); ++i) {
      const Field& child = part.children[i];
      const auto found = std::ranges::find(source.children, SourceId(casts_, child.id), &Field::id);
      ARROW_ASSIGN_OR_RAISE(result->child_data.emplace_back(),
                            Cast(child, array->child_data[found - source.children.begin()],
                                 type->field(static_cast<int>(i))->type()));
    }
    return result;
  }

 private:
  const std::map<int32_t, ColumnCast>& casts_;
  const std::map<int32_t, Field>& sources_;
  arrow::MemoryPool* pool_;
};

class CastReader final : public arrow::RecordBatchReader {
 public:
  CastReader(std::shared_ptr<arrow::RecordBatchReader> columns,
             std::shared_ptr<arrow::Schema> schema, const Schema& written, Caster caster)
      : columns_(std::move(columns)),
        schema_(std::move(schema)),
        written_(written),
        caster_(caster) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(columns_->ReadNext(&batch));
    out->reset();
    if (batch == nullptr) return Status::OK();
    std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
    for (int i = 0; i < batch->num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(
          arrays.emplace_back(),
          caster_.Cast(written_.fields[i], batch->column_data(i), schema_->field(i)->type()));
    }
    *out = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays));
    return Status::OK();
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> columns_;
  const std::shared_ptr<arrow::Schema> schema_;
  const Schema& written_;
  Caster caster_;
};

}  // namespace

Result<Field> RetypeField(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                          const std::string& path, int32_t* next_id) {
  ARROW_ASSIGN_OR_RAISE(const auto before, ToArrowField(field));
  if (field.is_blob() || field.logical_type == "json" || !AreRelated(*before->type(), *type)) {
    return InvalidArgument("cannot change the type of column '", path, "' from ",
                           before->type()->ToString(), " to ", type->ToString(),
                           ": the types are of different kinds; add a column with the values "
                           "that you want, and drop this one");
  }
  ARROW_ASSIGN_OR_RAISE(
      Schema after,
      Schema::FromArrow(arrow::Schema({arrow::field(field.name, type, field.nullable)})));
  Field& retyped = after.fields[0];
  AssignIds(&retyped, field.parent_id, next_id);
  return std::move(retyped);
}

Result<CastPlan> CastPlan::Make(const Schema& before, const Schema& altered,
                                const std::vector<ColumnCast>& casts) {
  CastPlan plan;
  for (const ColumnCast& cast : casts) plan.casts_.emplace(cast.field_id, cast);
  for (const Field& field : before.fields) Collect(field, &plan.sources_);
  std::map<int32_t, Field> fields;
  for (const Field& field : altered.fields) {
    auto part = PartOf(field, plan.casts_);
    if (!part) continue;
    ARROW_RETURN_NOT_OK(CheckHasParts(*part, plan.casts_));
    Collect(field, &fields);
    plan.preserves_nullability_ &= field.nullable;
    const int32_t source = SourceId(plan.casts_, field.id);
    plan.columns_.push_back("`" + plan.sources_.at(source).name + "`");
    plan.written_.fields.push_back(*std::move(part));
  }
  for (const ColumnCast& cast : casts) {
    plan.preserves_nullability_ &= fields.at(cast.field_id).nullable;
  }
  return plan;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> CastPlan::Read(
    std::shared_ptr<arrow::RecordBatchReader> columns, arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(auto schema, written_.ToArrow());
  return std::make_shared<CastReader>(std::move(columns), std::move(schema), written_,
                                      Caster(casts_, sources_, pool));
}

}  // namespace tusk::lance
