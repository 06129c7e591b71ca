#include "tusk/lance/table/blob_writer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/lance/file/blob_values.h"
#include "tusk/lance/file/list_items.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/blob_locator.h"
#include "tusk/lance/table/blob_sidecars.h"
#include "tusk/lance/table/blob_source.h"
#include "tusk/lance/table/blob_thresholds.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/prepared_blobs.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// Rows that are made ready at once: what of their blobs lies in the data file is in memory. One
/// row at least, but no more than have so many bytes of these in the version that they are from.
constexpr int64_t kRowsAtOnce = 1024;
constexpr uint64_t kBytesAtOnce = 32 << 20;

/// Rows of an array.
struct Rows {
  std::vector<bool> is_null;  ///< by what is above the array; of these nothing is looked at
  const uint64_t* addresses = nullptr;  ///< in the version that they come from; null if they do not
};

/// Unsupported for blobs where the reference implementation does not write them either.
Status CheckPlace(const Field& field) {
  if (field.is_blob() || !HasBlobs(field)) return Status::OK();
  const std::string& type = field.logical_type;
  if (type != "struct" && !type.starts_with("list") && !type.starts_with("large_list")) {
    return Unsupported("field '", field.name, "': blobs in ", type, " cannot be written");
  }
  for (const Field& child : field.children) ARROW_RETURN_NOT_OK(CheckPlace(child));
  return Status::OK();
}

/// Items of a row of lists.
int64_t CountItems(const arrow::Array& lists, int64_t row) {
  return lists.type_id() == arrow::Type::LIST
             ? static_cast<const arrow::ListArray&>(lists).value_length(row)
             : static_cast<const arrow::LargeListArray&>(lists).value_length(row);
}

/// The bits of `array` that say which rows are valid, from its first row on; null if all are.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array,
                                                  arrow::MemoryPool* pool) {
  if (array.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

}  // namespace

struct BlobWriter::State {
  State(Schema fields, const BlobWriteOptions& write_options, BlobWriteScope write_scope,
        OperationContext operation)
      : schema(std::move(fields)),
        options(write_options),
        scope(std::move(write_scope)),
        context(std::move(operation)) {}

  Status AddColumns(const Field& field);
  /// Whether the values of `field` itself are not what the file takes.
  bool IsPrepared(const Field& field) const {
    return field.is_blob_v2() || (field.is_blob() && scope.source != nullptr);
  }
  bool HasPrepared(const Field& field) const {
    return IsPrepared(field) || std::ranges::any_of(field.children, [this](const Field& child) {
             return HasPrepared(child);
           });
  }
  /// The columns of `rows` that have blobs, and the others as they are.
  Result<std::shared_ptr<arrow::RecordBatch>> Prepare(const arrow::RecordBatch& rows);
  /// What `field` has in `array`.
  Result<std::shared_ptr<arrow::Array>> PrepareField(const Field& field, const std::string& path,
                                                     const std::shared_ptr<arrow::Array>& array,
                                                     const Rows& rows);
  Result<std::shared_ptr<arrow::Array>> PrepareStruct(const Field& field, const std::string& path,
                                                      const std::shared_ptr<arrow::Array>& array,
                                                      const Rows& rows);
  Result<std::shared_ptr<arrow::Array>> PrepareLists(const Field& field, const std::string& path,
                                                     const std::shared_ptr<arrow::Array>& array,
                                                     const Rows& rows);
  Result<std::shared_ptr<arrow::Array>> PrepareBlobs(const Field& field, const std::string& path,
                                                     const std::shared_ptr<arrow::Array>& array,
                                                     const Rows& rows);
  /// The same for blobs of version 1: their bytes.
  Result<std::shared_ptr<arrow::Array>> PrepareBytes(const Field& field, const std::string& path,
                                                     const std::shared_ptr<arrow::Array>& array,
                                                     const Rows& rows);
  /// The value of a row that is not null; nothing for a descriptor of a null value.
  Result<std::optional<BlobValue>> ValueAt(const BlobInput& input, BlobLocator* locator,
                                           int64_t row, const Rows& rows) const;
  Status Store(const BlobValue& value, const BlobThresholds& limits, PreparedBlobBuilder* builder);
  /// `status`, of a row of a blob column, with what and where.
  Status ErrorAt(const Status& status, const std::string& path, const BlobInput& input, int64_t row,
                 const Rows& rows) const;
  /// Rows of `batch` from `begin` on that are made ready at once.
  Result<int64_t> CountAtOnce(const arrow::RecordBatch& batch, int64_t begin) const;
  Status AddBytes(const Field& field, const std::shared_ptr<arrow::Array>& array,
                  std::vector<uint64_t>* bytes) const;
  /// What a user gave as `uri`.
  Result<BlobValue> FindExternal(BlobPlace place, std::string_view uri) const;

  const Schema schema;
  const BlobWriteOptions options;
  const BlobWriteScope scope;
  const OperationContext context;
  bool has_blobs = false;
  std::map<const Field*, BlobThresholds> thresholds;  ///< of blobs of version 2
  BlobFiles sources;
  std::optional<BlobSidecars> sidecars;
};

Status BlobWriter::State::AddColumns(const Field& field) {
  has_blobs = has_blobs || IsPrepared(field);
  if (field.is_blob_v2()) {
    ARROW_ASSIGN_OR_RAISE(BlobThresholds limits, BlobThresholds::Parse(field));
    if (options.pack_file_bytes) {
      limits.pack_file_bytes = static_cast<uint64_t>(*options.pack_file_bytes);
    }
    thresholds.emplace(&field, limits);
    return Status::OK();
  }
  for (const Field& child : field.children) ARROW_RETURN_NOT_OK(AddColumns(child));
  return Status::OK();
}

Result<BlobValue> BlobWriter::State::FindExternal(BlobPlace place, std::string_view uri) const {
  if (uri.empty()) return InvalidArgument("has an empty uri");
  if (options.ingest_external) {
    ARROW_ASSIGN_OR_RAISE(place.object, ResolveBlobUri(uri));
    return BlobValue{.copied = std::move(place)};
  }
  place.uri = uri;
  const auto found = ResolveBlobUri(uri);
  size_t longest = 0;
  for (const BasePath& base : scope.base_paths) {
    // What lies in a table comes and goes with its versions.
    if (base.is_dataset_root || !found.ok()) continue;
    const std::string_view prefix = base.path;
    const auto root = io::ResolveUri(prefix);
    if (!root.ok() || root->path.size() < longest) continue;
    const std::string folder = io::JoinPath(root->path, "");
    if (!found->path.starts_with(folder) || found->path.size() == folder.size()) continue;
    longest = root->path.size();
    place.base_id = base.id;
    place.uri = found->path.substr(folder.size());
  }
  if (place.base_id != 0) return BlobValue{.reference = std::move(place)};
  if (!options.allow_external_outside_bases) {
    return InvalidArgument("has the uri '", uri,
                           "', which lies below no base path of the table that is not a table: "
                           "register one, or allow external blobs outside of base paths");
  }
  if (uri.find("://") == uri.npos) {
    return InvalidArgument("has the uri '", uri, "', which is not absolute: begin with file://");
  }
  return BlobValue{.reference = std::move(place)};
}

Status BlobWriter::State::Store(const BlobValue& value, const BlobThresholds& limits,
                                PreparedBlobBuilder* builder) {
  if (value.reference) return builder->AppendReference(*value.reference);
  ARROW_ASSIGN_OR_RAISE(const BlobSource source, BlobSource::Open(value, &sources, context));
  if (source.size() > limits.packed_bytes) {
    ARROW_ASSIGN_OR_RAISE(const StoredBlob stored, sidecars->StoreAlone(source));
    return builder->AppendStored(stored, source.size());
  }
  if (source.size() > limits.inline_bytes) {
    ARROW_ASSIGN_OR_RAISE(const StoredBlob stored,
                          sidecars->StoreWithOthers(source, limits.pack_file_bytes));
    return builder->AppendStored(stored, source.size());
  }
  return builder->AppendInline(source, context);
}

Result<std::optional<BlobValue>> BlobWriter::State::ValueAt(const BlobInput& input,
                                                            BlobLocator* locator, int64_t row,
                                                            const Rows& rows) const {
  BlobValue value = {};
  if (input.IsStored(row)) {
    if (rows.addresses == nullptr) {
      return InvalidArgument("is to be written again, but its row comes without an address");
    }
    ARROW_ASSIGN_OR_RAISE(auto place, locator->Find(input.descriptors(), row, rows.addresses[row]));
    if (!place) return std::nullopt;
    (place->kind == BlobKind::kExternal ? value.reference : value.copied) = std::move(place);
    return value;
  }
  std::string_view uri;
  ARROW_ASSIGN_OR_RAISE(value, input.At(row, &uri));
  if (!value.reference) return value;
  return FindExternal(*std::move(value.reference), uri);
}

Status BlobWriter::State::ErrorAt(const Status& status, const std::string& path,
                                  const BlobInput& input, int64_t row, const Rows& rows) const {
  if (rows.addresses != nullptr && !input.IsNull(row) && input.IsStored(row)) {
    return WithContext(status, DescribeBlob(*scope.source, path, rows.addresses[row]));
  }
  return WithContext(
      status, "column '" + path + "': the blob in row " + std::to_string(row) + " of a batch");
}

/// Adds what the file will get of the blobs that are read for it.
Status BlobWriter::State::AddBytes(const Field& field, const std::shared_ptr<arrow::Array>& array,
                                   std::vector<uint64_t>* bytes) const {
  if (!HasPrepared(field)) return Status::OK();
  const auto storage = StorageOf(array);
  if (IsListOfItems(*storage->type())) {
    ARROW_ASSIGN_OR_RAISE(const auto lists, TrimItems(storage->data(), context.pool));
    const auto items = arrow::MakeArray(lists->child_data[0]);
    std::vector<uint64_t> of_items(items->length());
    ARROW_RETURN_NOT_OK(AddBytes(field.children[0], items, &of_items));
    int64_t item = 0;
    for (int64_t row = 0; row < storage->length(); ++row) {
      const int64_t end = item + CountItems(*storage, row);
      for (; item < end; ++item) (*bytes)[row] += of_items[item];
    }
    return Status::OK();
  }
  if (!field.is_blob()) {
    // Another type is an error of what follows.
    if (storage->type_id() != arrow::Type::STRUCT) return Status::OK();
    const auto& parent = static_cast<const arrow::StructArray&>(*storage);
    for (int i = 0; i < std::min(parent.num_fields(), static_cast<int>(field.children.size()));
         ++i) {
      ARROW_RETURN_NOT_OK(AddBytes(field.children[i], parent.field(i), bytes));
    }
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const BlobInput input,
                        BlobInput::Make(storage, field.name, /*has_version=*/true));
  for (int64_t row = 0; row < storage->length(); ++row) {
    if (input.IsNull(row) || !input.IsStored(row)) continue;
    (*bytes)[row] += std::min(BytesInFile(field, input.descriptors(), row), kBytesAtOnce);
  }
  return Status::OK();
}

Result<int64_t> BlobWriter::State::CountAtOnce(const arrow::RecordBatch& batch,
                                               int64_t begin) const {
  const int64_t most = std::min(kRowsAtOnce, batch.num_rows() - begin);
  if (scope.source == nullptr) return most;
  std::vector<uint64_t> bytes(most);
  for (int i = 0; i < batch.num_columns(); ++i) {
    const Field* field = schema.FindField(batch.column_name(i));
    if (field == nullptr) continue;
    ARROW_RETURN_NOT_OK(AddBytes(*field, batch.column(i)->Slice(begin, most), &bytes));
  }
  uint64_t total = 0;
  for (int64_t row = 0; row < most; ++row) {
    total += bytes[row];
    if (total > kBytesAtOnce) return std::max<int64_t>(row, 1);
  }
  return most;
}

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareBlobs(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const Rows& rows) {
  ARROW_ASSIGN_OR_RAISE(const BlobInput input,
                        BlobInput::Make(array, path, scope.source != nullptr));
  std::optional<BlobLocator> locator;
  if (scope.source != nullptr) locator.emplace(*scope.source, field);
  const BlobThresholds& limits = thresholds.at(&field);
  PreparedBlobBuilder builder(context.pool);
  const auto prepare = [&](int64_t row) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto value,
                          ValueAt(input, locator ? &*locator : nullptr, row, rows));
    return value ? Store(*value, limits, &builder) : builder.AppendNull();
  };
  for (int64_t row = 0; row < array->length(); ++row) {
    const bool is_null = rows.is_null[row] || input.IsNull(row);
    const Status done = is_null ? builder.AppendNull() : prepare(row);
    if (!done.ok()) return ErrorAt(done, path, input, row, rows);
  }
  return builder.Finish();
}

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareBytes(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const Rows& rows) {
  if (array->type_id() == arrow::Type::LARGE_BINARY) return array;
  ARROW_ASSIGN_OR_RAISE(const BlobInput input, BlobInput::Make(array, path, /*has_version=*/true));
  BlobLocator locator(*scope.source, field);
  arrow::LargeBinaryBuilder builder(context.pool);
  const auto prepare = [&](int64_t row) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto value, ValueAt(input, &locator, row, rows));
    if (!value) return builder.AppendNull();
    ARROW_ASSIGN_OR_RAISE(const auto source, BlobSource::Open(*value, &sources, context));
    return source.AppendTo(&builder, context);
  };
  for (int64_t row = 0; row < array->length(); ++row) {
    const bool is_null = rows.is_null[row] || input.IsNull(row);
    const Status done = is_null ? builder.AppendNull() : prepare(row);
    if (!done.ok()) return ErrorAt(done, path, input, row, rows);
  }
  return builder.Finish();
}

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareField(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const Rows& rows) {
  if (!HasPrepared(field)) return array;
  if (field.is_blob_v2()) return PrepareBlobs(field, path, array, rows);
  if (field.is_blob()) return PrepareBytes(field, path, array, rows);
  if (IsListOfItems(*array->type())) return PrepareLists(field, path, array, rows);
  return PrepareStruct(field, path, array, rows);
}

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareLists(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const Rows& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto lists, TrimItems(array->data(), context.pool));
  const auto trimmed = arrow::MakeArray(lists);
  Rows items;
  std::vector<uint64_t> addresses;
  for (int64_t row = 0; row < trimmed->length(); ++row) {
    const int64_t count = CountItems(*trimmed, row);
    const bool is_null = rows.is_null[row] || trimmed->IsNull(row);
    items.is_null.insert(items.is_null.end(), count, is_null);
    if (rows.addresses == nullptr) continue;
    addresses.insert(addresses.end(), count, rows.addresses[row]);
  }
  if (rows.addresses != nullptr) items.addresses = addresses.data();
  const Field& item = field.children[0];
  ARROW_ASSIGN_OR_RAISE(
      const auto prepared,
      PrepareField(item, path + "." + item.name, arrow::MakeArray(lists->child_data[0]), items));
  return arrow::MakeArray(WithItems(*lists, prepared->data()));
}

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareStruct(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const Rows& rows) {
  const auto storage = StorageOf(array);
  if (storage->type_id() != arrow::Type::STRUCT ||
      storage->num_fields() != static_cast<int>(field.children.size())) {
    return InvalidArgument("column '", path, "' is of ", array->type()->ToString(),
                           ", which is not what the table has");
  }
  Rows below = rows;
  for (int64_t row = 0; row < storage->length(); ++row) {
    if (storage->IsNull(row)) below.is_null[row] = true;
  }
  const auto& parent = static_cast<const arrow::StructArray&>(*storage);
  arrow::ArrayVector children;
  arrow::FieldVector fields;
  for (size_t i = 0; i < field.children.size(); ++i) {
    const Field& child = field.children[i];
    const auto number = static_cast<int>(i);
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), PrepareField(child, path + "." + child.name,
                                                                parent.field(number), below));
    fields.push_back(parent.type()->field(number)->WithType(children.back()->type()));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(parent, context.pool));
  return std::make_shared<arrow::StructArray>(arrow::struct_(fields), parent.length(),
                                              std::move(children), std::move(validity));
}

Result<std::shared_ptr<arrow::RecordBatch>> BlobWriter::State::Prepare(
    const arrow::RecordBatch& batch) {
  Rows rows{.is_null = std::vector<bool>(batch.num_rows())};
  if (scope.source != nullptr) {
    const auto column = batch.GetColumnByName(std::string(kRowAddressColumn));
    if (column != nullptr) rows.addresses = column->data()->GetValues<uint64_t>(1);
  }
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (int i = 0; i < batch.num_columns(); ++i) {
    std::shared_ptr<arrow::Array> column = batch.column(i);
    const auto& from = batch.schema()->field(i);
    if (const Field* field = schema.FindField(from->name())) {
      ARROW_ASSIGN_OR_RAISE(column, PrepareField(*field, field->name, column, rows));
    }
    fields.push_back(from->WithType(column->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(),
                                  std::move(columns));
}

BlobWriter::BlobWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter::~BlobWriter() = default;

Result<BlobWriter> BlobWriter::Make(const Schema& schema, const BlobWriteOptions& options,
                                    BlobWriteScope scope, const OperationContext& context) {
  if (options.ingest_external && options.allow_external_outside_bases) {
    return InvalidArgument(
        "external blobs are either copied into the table or may lie outside of its base paths");
  }
  if (options.pack_file_bytes && *options.pack_file_bytes < 1) {
    return InvalidArgument("files of several blobs cannot have ", *options.pack_file_bytes,
                           " bytes at most: it must be at least one");
  }
  auto state = std::make_unique<State>(schema, options, std::move(scope), context);
  for (const Field& field : state->schema.fields) {
    ARROW_RETURN_NOT_OK(CheckPlace(field));
    ARROW_RETURN_NOT_OK(state->AddColumns(field));
  }
  return BlobWriter(std::move(state));
}

bool BlobWriter::has_blobs() const { return state_->has_blobs; }

Schema BlobWriter::prepared_schema() const {
  Schema prepared = state_->schema;
  for (Field& field : prepared.fields) field = PreparedForm(std::move(field));
  return prepared;
}

Result<std::shared_ptr<arrow::Schema>> BlobWriter::PreparedSchema(const arrow::Schema& data) const {
  arrow::FieldVector fields = data.fields();
  for (auto& field : fields) {
    const Field* stored = state_->schema.FindField(field->name());
    if (stored == nullptr || !state_->HasPrepared(*stored)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto prepared, ToArrowField(PreparedForm(*stored)));
    field = field->WithType(prepared->type());
  }
  return arrow::schema(std::move(fields));
}

void BlobWriter::BeginFile(io::StorePath data_file) {
  state_->sidecars.emplace(std::move(data_file), state_->context);
}

Status BlobWriter::Write(const arrow::RecordBatch& rows,
                         const std::function<Status(const arrow::RecordBatch&)>& write) {
  int64_t count = 0;
  for (int64_t row = 0; row < rows.num_rows(); row += count) {
    ARROW_RETURN_NOT_OK(state_->context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(count, state_->CountAtOnce(rows, row));
    ARROW_ASSIGN_OR_RAISE(const auto prepared, state_->Prepare(*rows.Slice(row, count)));
    ARROW_RETURN_NOT_OK(write(*prepared));
  }
  return Status::OK();
}

Status BlobWriter::FinishFile() { return state_->sidecars->Finish(); }

}  // namespace tusk::lance
