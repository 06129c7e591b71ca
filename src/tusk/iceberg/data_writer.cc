#include "tusk/iceberg/data_writer.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/iceberg/conversion.h"
#include "tusk/iceberg/parquet_file.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/table_state.h"
#include "tusk/iceberg/transform.h"

namespace tusk::iceberg {
namespace {

/// Rows that are converted and written in one step.
constexpr int64_t kStepRows = 64 << 10;
/// Of data that is not sorted by partition, this many files are filled at once.
constexpr size_t kMaxOpenFiles = 64;
/// What the row groups of all open files may hold together.
constexpr int64_t kMaxBufferedBytes = 256 << 20;
constexpr int32_t kFirstPartitionFieldId = 1000;

/// True if `given` and `kept` are the same stored type, names included, whatever the ids.
bool SameStoredType(const arrow::DataType& given, const arrow::DataType& kept) {
  if (given.id() != kept.id()) return false;
  if (given.num_fields() == 0) return given.Equals(kept);
  if (given.num_fields() != kept.num_fields()) return false;
  for (int i = 0; i < given.num_fields(); ++i) {
    const bool is_struct = given.id() == arrow::Type::STRUCT;
    if (is_struct && given.field(i)->name() != kept.field(i)->name()) return false;
    if (!SameStoredType(*given.field(i)->type(), *kept.field(i)->type())) return false;
  }
  return true;
}

/// Matches the columns of the data to those of the table by name.
Result<std::vector<ColumnPlan>> MatchColumns(const arrow::Schema& given,
                                             const arrow::Schema& stored,
                                             const arrow::Schema& table) {
  std::vector<ColumnPlan> plan;
  for (const auto& target : table.fields()) {
    const auto indices = stored.GetAllFieldIndices(target->name());
    if (indices.size() != 1) {
      return InvalidArgument("cannot append: the table's column '", target->name(), "' (",
                             target->type()->ToString(), ") is ",
                             indices.empty() ? "not in the data" : "in the data twice");
    }
    const auto& column = stored.field(indices.front());
    if (!SameStoredType(*column->type(), *target->type())) {
      return InvalidArgument("cannot append: column '", target->name(), "' of type ",
                             given.field(indices.front())->type()->ToString(), " is kept as ",
                             column->type()->ToString(), ", but the table has ",
                             target->type()->ToString());
    }
    plan.push_back({.source = indices.front(), .target = target});
  }
  for (const std::string& name : stored.field_names()) {
    if (table.GetFieldIndex(name) < 0) {
      return InvalidArgument("cannot append: the table has no column '", name, "'");
    }
  }
  return plan;
}

/// InvalidArgument if a fixed-size list comes with another length than the table was made with.
Status CheckTypeProperties(const std::map<std::string, std::string>& given,
                           const WriteTarget& target) {
  for (const auto& [key, value] : given) {
    const auto kept = target.properties.find(key);
    if (!key.starts_with(kFixedSizeListProperty) || kept == target.properties.end()) continue;
    if (kept->second != value) {
      return InvalidArgument("cannot append: a fixed-size list of length ", value,
                             ", but the table has length ", kept->second, " (property ", key, ")");
    }
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch,
                                                    const WriteTarget& target,
                                                    const OperationContext& context) {
  arrow::ArrayVector columns;
  for (const ColumnPlan& column : target.columns) {
    ARROW_ASSIGN_OR_RAISE(auto converted, ConvertArray(batch.column(column.source), *column.target,
                                                       /*by_id=*/false, context));
    columns.push_back(std::move(converted));
  }
  return arrow::RecordBatch::Make(target.schema, batch.num_rows(), std::move(columns));
}

/// Fills the data files of one partition, one after the other.
class DataFileSequence {
 public:
  DataFileSequence(const WriteTarget& target, PartitionTuple partition, const StagingArea& area)
      : target_(target), partition_(std::move(partition)), area_(area) {}

  /// `file_number` counts the files of the operation.
  Status Write(const arrow::RecordBatch& batch, int64_t target_file_bytes, int64_t* file_number,
               std::vector<DataFile>* files) {
    if (writer_ == nullptr) ARROW_RETURN_NOT_OK(Begin((*file_number)++));
    ARROW_RETURN_NOT_OK(writer_->Write(batch));
    if (writer_->EstimatedBytes() >= target_file_bytes) return End(files);
    // From how the first half comes out it can be told when the file is full.
    const bool is_half = writer_->EstimatedBytes() >= target_file_bytes / 2;
    return is_half && !writer_->has_row_groups() ? writer_->EndRowGroup() : Status::OK();
  }

  /// Ends the file that is being filled, if there is one.
  Status End(std::vector<DataFile>* files) {
    if (writer_ == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(DataFile file, writer_->Finish());
    file.path = area_.place.Location(name_);
    for (size_t i = 0; i < partition_.size(); ++i) {
      file.partition[target_.spec.fields[i].field_id] = partition_[i];
    }
    files->push_back(std::move(file));
    writer_.reset();
    return Status::OK();
  }

  int64_t BufferedBytes() const { return writer_ == nullptr ? 0 : writer_->BufferedBytes(); }
  Status EndRowGroup() { return writer_->EndRowGroup(); }
  int64_t last_use = 0;  ///< in steps of the operation

 private:
  Status Begin(int64_t file_number) {
    char number[24];
    std::snprintf(number, sizeof(number), "%05lld", static_cast<long long>(file_number));
    name_ = "data/" + std::string(number) + "-" + RandomUuidString() + ".parquet";
    area_.written->Add(area_.place.Path(name_));
    return CreateParquet(area_.store, area_.place.Path(name_), target_.schema, target_.schema_json,
                         area_.context)
        .Value(&writer_);
  }

  const WriteTarget& target_;
  const PartitionTuple partition_;
  const StagingArea& area_;
  std::string name_;
  std::unique_ptr<ParquetWriter> writer_;
};

/// Appends one partition value to a key that tells tuples apart.
void AppendToKey(const std::optional<std::string>& value, std::string* key) {
  const auto length = value.has_value() ? static_cast<int64_t>(value->size()) : int64_t{-1};
  key->append(reinterpret_cast<const char*>(&length), sizeof(length));
  if (value.has_value()) key->append(*value);
}

/// The rows of one batch that are of one partition.
struct RowGroup {
  PartitionTuple partition;
  std::vector<int32_t> rows;
};

/// The column with the id in or below `columns`, null where a struct around it is; null if it is
/// not there.
Result<std::shared_ptr<arrow::Array>> FindColumn(const arrow::FieldVector& fields,
                                                 const arrow::ArrayVector& columns, int32_t id,
                                                 arrow::MemoryPool* pool) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (FieldId(*fields[i]) == id) return columns[i];
    if (fields[i]->type()->id() != arrow::Type::STRUCT) continue;
    ARROW_ASSIGN_OR_RAISE(const arrow::ArrayVector children,
                          static_cast<const arrow::StructArray&>(*columns[i]).Flatten(pool));
    ARROW_ASSIGN_OR_RAISE(auto found, FindColumn(fields[i]->type()->fields(), children, id, pool));
    if (found != nullptr) return found;
  }
  return nullptr;
}

/// Sorts the rows of `batch` into partitions, in the order in which those come up.
Result<std::unordered_map<std::string, RowGroup>> SplitRows(const arrow::RecordBatch& batch,
                                                            const WriteTarget& target,
                                                            const OperationContext& context) {
  arrow::ArrayVector sources;
  for (const PartitionField& field : target.spec.fields) {
    ARROW_ASSIGN_OR_RAISE(auto source, FindColumn(target.schema->fields(), batch.columns(),
                                                  field.source_id, context.pool));
    sources.push_back(std::move(source));
  }
  std::unordered_map<std::string, RowGroup> groups;
  PartitionTuple tuple(sources.size());
  std::string key;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    key.clear();
    for (size_t i = 0; i < sources.size(); ++i) {
      // Of a void field the column may be gone.
      tuple[i].reset();
      if (sources[i] != nullptr) {
        tuple[i] = ApplyTransform(target.spec.fields[i].transform, *sources[i], row);
      }
      AppendToKey(tuple[i], &key);
    }
    RowGroup& group = groups[key];
    if (group.rows.empty()) group.partition = tuple;
    group.rows.push_back(static_cast<int32_t>(row));
  }
  return groups;
}

Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::vector<int32_t>& rows,
    const OperationContext& context) {
  if (std::ssize(rows) == batch->num_rows()) return batch;
  static const Status initialized = arrow::compute::Initialize();
  ARROW_RETURN_NOT_OK(initialized);
  arrow::Int32Builder indices(context.pool);
  ARROW_RETURN_NOT_OK(indices.AppendValues(rows));
  ARROW_ASSIGN_OR_RAISE(const auto array, indices.Finish());
  arrow::compute::ExecContext exec(context.pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum taken,
      arrow::compute::Take(batch, array, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  return taken.record_batch();
}

/// Puts rows into the files of their partitions.
class PartitionedWriter {
 public:
  PartitionedWriter(const WriteTarget& target, int64_t target_file_bytes, const StagingArea& area)
      : target_(target), target_file_bytes_(target_file_bytes), area_(area) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) {
    if (batch->num_rows() == 0) return Status::OK();
    if (target_.spec.fields.empty()) return WriteTo("", {}, *batch);
    ARROW_ASSIGN_OR_RAISE(const auto groups, SplitRows(*batch, target_, area_.context));
    for (const auto& [key, group] : groups) {
      ARROW_RETURN_NOT_OK(area_.context.CheckStop());
      ARROW_ASSIGN_OR_RAISE(const auto rows, TakeRows(batch, group.rows, area_.context));
      ARROW_RETURN_NOT_OK(WriteTo(key, group.partition, *rows));
    }
    return Status::OK();
  }

  Result<std::vector<DataFile>> Finish() {
    for (auto& [key, open] : open_) ARROW_RETURN_NOT_OK(open.End(&files_));
    return std::move(files_);
  }

 private:
  Status WriteTo(const std::string& key, const PartitionTuple& partition,
                 const arrow::RecordBatch& rows) {
    auto open = open_.find(key);
    if (open == open_.end()) {
      if (open_.size() >= kMaxOpenFiles) ARROW_RETURN_NOT_OK(CloseOldest());
      open = open_.try_emplace(key, target_, partition, area_).first;
    }
    open->second.last_use = ++steps_;
    const int64_t before = open->second.BufferedBytes();
    ARROW_RETURN_NOT_OK(open->second.Write(rows, target_file_bytes_, &file_number_, &files_));
    buffered_bytes_ += open->second.BufferedBytes() - before;
    return buffered_bytes_ <= kMaxBufferedBytes ? Status::OK() : FlushLargest();
  }

  Status CloseOldest() {
    const auto oldest = std::ranges::min_element(
        open_, {}, [](const auto& entry) { return entry.second.last_use; });
    buffered_bytes_ -= oldest->second.BufferedBytes();
    ARROW_RETURN_NOT_OK(oldest->second.End(&files_));
    open_.erase(oldest);
    return Status::OK();
  }

  Status FlushLargest() {
    const auto largest = std::ranges::max_element(
        open_, {}, [](const auto& entry) { return entry.second.BufferedBytes(); });
    buffered_bytes_ -= largest->second.BufferedBytes();
    return largest->second.EndRowGroup();
  }

  const WriteTarget& target_;
  const int64_t target_file_bytes_;
  const StagingArea& area_;
  std::unordered_map<std::string, DataFileSequence> open_;
  std::vector<DataFile> files_;
  int64_t file_number_ = 0;
  int64_t buffered_bytes_ = 0;
  int64_t steps_ = 0;
};

/// The name of a partition field that nobody named.
std::string DefaultName(const PartitionTerm& term) {
  std::string column = term.column;
  std::ranges::replace(column, '.', '_');
  const std::string number = std::to_string(term.transform.parameter);
  switch (term.transform.kind) {
    case Transform::Kind::kIdentity:
      return column;
    case Transform::Kind::kBucket:
      return column + "_bucket_" + number;
    case Transform::Kind::kTruncate:
      return column + "_trunc_" + number;
    case Transform::Kind::kVoid:
      return column + "_null";
    default:
      return column + "_" + term.transform.ToString();
  }
}

}  // namespace

ManifestHeader WriteTarget::Header() const {
  return {.content = FileContent::kData,
          .schema_json = schema_json,
          .schema_id = schema_id,
          .spec = spec,
          .partition_fields = partition_fields};
}

std::shared_ptr<arrow::Field> FindFieldByPath(const arrow::Schema& schema, std::string_view path) {
  // A column may have a dot in its name.
  if (auto field = schema.GetFieldByName(std::string(path))) return field;
  arrow::FieldVector fields = schema.fields();
  while (true) {
    const size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const auto it =
        std::ranges::find(fields, name, [](const auto& field) { return field->name(); });
    if (it == fields.end()) return nullptr;
    if (dot == path.npos) return *it;
    if ((*it)->type()->id() != arrow::Type::STRUCT) return nullptr;
    fields = arrow::FieldVector((*it)->type()->fields());
    path.remove_prefix(dot + 1);
  }
}

Result<PartitionSpec> AddPartitionFields(PartitionSpec spec,
                                         const std::vector<PartitionTerm>& terms,
                                         const arrow::Schema& schema, int32_t last_field_id) {
  for (const PartitionTerm& term : terms) {
    const auto source = FindFieldByPath(schema, term.column);
    if (source == nullptr) {
      return InvalidArgument("cannot partition by '", term.column, "': there is no such column");
    }
    const auto type = ResultType(term.transform, source->type());
    if (!type.ok()) {
      return WithContext(type.status(), "cannot partition by '" + term.column + "'");
    }
    PartitionField field{.source_id = FieldId(*source).value_or(0),
                         .field_id = ++last_field_id,
                         .name = term.name.empty() ? DefaultName(term) : term.name,
                         .transform = term.transform};
    const auto column = schema.GetFieldByName(field.name);
    const bool is_own_column =
        term.transform.kind == Transform::Kind::kIdentity && column == source;
    if ((column != nullptr && !is_own_column) ||
        std::ranges::find(spec.fields, field.name, &PartitionField::name) != spec.fields.end()) {
      return InvalidArgument("the partition field '", field.name,
                             "' has the name of another field; give it one with \" as name\"");
    }
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

Result<WriteTarget> ResolveTarget(const arrow::Schema& data, const Table::State* base,
                                  const NewTableOptions& options) {
  WriteTarget target;
  ARROW_ASSIGN_OR_RAISE(const auto stored, StoredSchema(data));
  if (base == nullptr) {
    target.schema = stored;
    // What the types say wins over what a caller may have copied from another table.
    target.properties = TypeProperties(data, *stored);
    target.properties.insert(options.properties.begin(), options.properties.end());
    std::vector<PartitionTerm> terms;
    for (const std::string& text : options.partition_by) {
      ARROW_ASSIGN_OR_RAISE(PartitionTerm term, PartitionTerm::Parse(text));
      terms.push_back(std::move(term));
    }
    ARROW_ASSIGN_OR_RAISE(
        target.spec, AddPartitionFields({}, terms, *target.schema, kFirstPartitionFieldId - 1));
  } else {
    target.base = base;
    ARROW_RETURN_NOT_OK(CheckWritable(*base));
    target.schema = base->metadata.schema();
    target.schema_id = base->metadata.current_schema_id;
    target.properties = base->metadata.properties;
    target.spec = base->metadata.spec();
  }
  for (const PartitionField& field : target.spec.fields) {
    if (field.transform.kind != Transform::Kind::kUnknown) continue;
    return Unsupported("cannot write: the transform '", field.transform.unknown_name,
                       "' of the partition field '", field.name, "' is not known");
  }
  ARROW_ASSIGN_OR_RAISE(target.partition_fields, PartitionFields(target.spec, [&](int32_t id) {
                          return FindFieldById(*target.schema, id);
                        }));
  ARROW_ASSIGN_OR_RAISE(target.columns, MatchColumns(data, *stored, *target.schema));
  if (base != nullptr) {
    // Properties go by field id, so the data's are looked up under the table's ids.
    arrow::FieldVector given;
    for (const ColumnPlan& column : target.columns) given.push_back(data.field(column.source));
    ARROW_RETURN_NOT_OK(
        CheckTypeProperties(TypeProperties(arrow::Schema(given), *target.schema), target));
  }
  ARROW_ASSIGN_OR_RAISE(target.schema_json,
                        FormatSchema({.schema_id = target.schema_id, .fields = target.schema}));
  return target;
}

Result<std::vector<DataFile>> WriteDataFiles(arrow::RecordBatchReader* data,
                                             const WriteTarget& target, int64_t target_file_bytes,
                                             const StagingArea& area) {
  if (target_file_bytes < 1) return InvalidArgument("target_file_bytes is ", target_file_bytes);
  const OperationContext& context = area.context;
  PartitionedWriter writer(target, target_file_bytes, area);
  int64_t rows = 0;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(data->ReadNext(&batch));
    if (batch == nullptr) return writer.Finish();
    for (int64_t begin = 0; begin < batch->num_rows(); begin += kStepRows) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      const auto step = batch->Slice(begin, kStepRows);
      ARROW_ASSIGN_OR_RAISE(const auto converted, Convert(*step, target, context));
      ARROW_RETURN_NOT_OK(writer.Write(converted));
      rows += step->num_rows();
      if (context.progress != nullptr) context.progress->Report("rows", rows, -1);
    }
  }
}

}  // namespace tusk::iceberg
