#include "tusk/lance/table/rewritten_columns.h"

#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/extension/json.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// A blob that is not read as what is written: the writer finds them by their descriptors if it is
/// told where the rows come from.
const Field* FindBlob(const Field& field, BlobForm form, bool keeps_addresses) {
  const bool is_fit = keeps_addresses || (!field.is_blob_v2() && form == BlobForm::kBytes);
  if (field.is_blob() && !is_fit) return &field;
  for (const Field& child : field.children) {
    if (const Field* found = FindBlob(child, form, keeps_addresses)) return found;
  }
  return nullptr;
}

Result<std::shared_ptr<arrow::DataType>> WrittenType(const Field& field,
                                                     const std::shared_ptr<arrow::DataType>& type);

Result<std::shared_ptr<arrow::Field>> WrittenField(const Field& field,
                                                   const std::shared_ptr<arrow::Field>& read) {
  ARROW_ASSIGN_OR_RAISE(const auto type, WrittenType(field, read->type()));
  return read->WithType(type);
}

/// `type` with json marked; itself if there is none.
Result<std::shared_ptr<arrow::DataType>> WrittenType(const Field& field,
                                                     const std::shared_ptr<arrow::DataType>& type) {
  if (field.logical_type == "json") return arrow::extension::json(type);
  arrow::FieldVector children;
  bool is_changed = false;
  if (type->num_fields() != static_cast<int>(field.children.size())) return type;
  for (size_t i = 0; i < field.children.size(); ++i) {
    const auto& child = type->field(static_cast<int>(i));
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), WrittenField(field.children[i], child));
    is_changed = is_changed || children.back()->type() != child->type();
  }
  if (!is_changed) return type;
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return arrow::struct_(children);
    case arrow::Type::LIST:
      return arrow::list(std::move(children[0]));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(std::move(children[0]));
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          std::move(children[0]), static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(std::move(children[0]));
    default:
      return Unsupported("field '", field.name, "' has json inside of ", type->ToString());
  }
}

/// The same buffers under another type.
std::shared_ptr<arrow::ArrayData> WithType(const std::shared_ptr<arrow::ArrayData>& data,
                                           const std::shared_ptr<arrow::DataType>& type) {
  if (data->type == type) return data;
  std::shared_ptr<arrow::ArrayData> typed = data->Copy();
  typed->type = type;
  if (type->id() == arrow::Type::EXTENSION) return typed;
  for (size_t i = 0; i < typed->child_data.size(); ++i) {
    typed->child_data[i] = WithType(typed->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return typed;
}

class ConvertedReader final : public arrow::RecordBatchReader {
 public:
  ConvertedReader(std::shared_ptr<arrow::RecordBatchReader> reader, RewrittenColumns columns,
                  std::shared_ptr<arrow::Schema> schema)
      : reader_(std::move(reader)), columns_(std::move(columns)), schema_(std::move(schema)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_RETURN_NOT_OK(reader_->ReadNext(out));
    if (*out == nullptr) return Status::OK();
    return columns_.Convert(**out).Value(out);
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  RewrittenColumns columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<RewrittenColumns> RewrittenColumns::Make(const Dataset::State& dataset,
                                                const std::vector<std::string>& names,
                                                std::string_view operation, bool keeps_addresses) {
  RewrittenColumns columns;
  arrow::FieldVector fields;
  for (const std::string& name : names) {
    const Field& field = *dataset.manifest.schema.FindField(name);
    const Field* blob = FindBlob(field, dataset.blobs, keeps_addresses);
    if (blob != nullptr) {
      return Unsupported(dataset.location.path, ": ", operation,
                         " would write the blobs of column '", blob->name,
                         "' again, which is not supported yet");
    }
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(),
                          WrittenField(field, dataset.all_columns->schema->GetFieldByName(name)));
  }
  columns.schema_ = arrow::schema(std::move(fields));
  return columns;
}

std::shared_ptr<arrow::Schema> RewrittenColumns::Convert(const arrow::Schema& schema) const {
  arrow::FieldVector fields = schema.fields();
  for (auto& field : fields) {
    if (auto written = schema_->GetFieldByName(field->name())) field = std::move(written);
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> RewrittenColumns::Convert(
    const arrow::RecordBatch& batch) const {
  auto schema = Convert(*batch.schema());
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  columns.reserve(batch.num_columns());
  for (int i = 0; i < batch.num_columns(); ++i) {
    columns.push_back(WithType(batch.column_data(i), schema->field(i)->type()));
  }
  return arrow::RecordBatch::Make(std::move(schema), batch.num_rows(), std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatchReader>> RewrittenColumns::Convert(
    std::shared_ptr<arrow::RecordBatchReader> reader) const {
  auto schema = Convert(*reader->schema());
  return std::make_shared<ConvertedReader>(std::move(reader), *this, std::move(schema));
}

}  // namespace tusk::lance
