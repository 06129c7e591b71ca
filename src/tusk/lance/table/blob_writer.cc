#include "tusk/lance/table/blob_writer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_builders.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/blob.h"
#include "tusk/lance/file/blob_values.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_locator.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// Rows that are made ready at once: what of their blobs lies in the data file is in memory.
constexpr int64_t kRowsAtOnce = 1024;
/// Bytes of a blob that is copied are in memory at once.
constexpr int64_t kCopyPiece = int64_t{8} << 20;

constexpr uint64_t kInlineBytes = 64 << 10;
constexpr uint64_t kPackedBytes = 4 << 20;
constexpr uint64_t kPackFileBytes = 1 << 30;

/// From which sizes on blobs of a column leave the data file.
struct Thresholds {
  uint64_t inline_bytes = kInlineBytes;       ///< the most in the data file
  uint64_t packed_bytes = kPackedBytes;       ///< the most in a file with others
  uint64_t pack_file_bytes = kPackFileBytes;  ///< the most in such a file

  bool operator==(const Thresholds&) const = default;
};

Result<uint64_t> ParseThreshold(const Field& field, const char* name, uint64_t absent,
                                uint64_t least) {
  const auto found = field.metadata.find(std::string("lance-encoding:blob-") + name);
  if (found == field.metadata.end()) return absent;
  const std::string& text = found->second;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    return InvalidArgument("field '", field.name, "': metadata '", found->first, "' is '", text,
                           "', which is no number from ", least, " on");
  }
  return value;
}

Result<Thresholds> ParseThresholds(const Field& field, const BlobWriteOptions& options) {
  Thresholds parsed;
  ARROW_ASSIGN_OR_RAISE(parsed.inline_bytes,
                        ParseThreshold(field, "inline-size-threshold", kInlineBytes, 0));
  ARROW_ASSIGN_OR_RAISE(parsed.packed_bytes,
                        ParseThreshold(field, "dedicated-size-threshold", kPackedBytes, 1));
  ARROW_ASSIGN_OR_RAISE(parsed.pack_file_bytes,
                        ParseThreshold(field, "pack-file-size-threshold", kPackFileBytes, 1));
  if (options.pack_file_bytes) {
    parsed.pack_file_bytes = static_cast<uint64_t>(*options.pack_file_bytes);
  }
  return parsed;
}

/// A value to be stored: bytes in memory, or in an object, or a reference.
struct BlobValue {
  std::optional<std::span<const uint8_t>> bytes = {};
  std::optional<BlobPlace> copied = {};     ///< whose bytes are stored
  std::optional<BlobPlace> reference = {};  ///< external; stays where it is
};

/// Takes the bytes of objects, wherever they are, in pieces.
class BlobSource {
 public:
  static Result<BlobSource> Open(const BlobValue& value, BlobFiles* files,
                                 const OperationContext& context) {
    BlobSource source;
    if (value.bytes) {
      source.bytes_ = *value.bytes;
      source.size_ = value.bytes->size();
      return source;
    }
    const BlobPlace& place = *value.copied;
    ARROW_ASSIGN_OR_RAISE(source.reader_, files->Open(place.object, context));
    const auto file_size = static_cast<uint64_t>(source.reader_->size());
    source.size_ = place.size.value_or(file_size - std::min(file_size, place.position));
    if (source.size_ > 0 &&
        (source.size_ > file_size || place.position > file_size - source.size_)) {
      return Corrupt(source.size_, " bytes at ", place.position, " are not all in '",
                     place.object.path, "', which has ", file_size);
    }
    source.position_ = static_cast<int64_t>(place.position);
    return source;
  }

  uint64_t size() const { return size_; }

  Status AppendTo(io::ObjectWriter* file, const OperationContext& context) const {
    if (reader_ == nullptr) return file->Append(bytes_);
    const auto end = static_cast<int64_t>(size_);
    for (int64_t at = 0; at < end; at += kCopyPiece) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      ARROW_ASSIGN_OR_RAISE(
          const auto piece,
          reader_->ReadOne({.offset = position_ + at, .length = std::min(kCopyPiece, end - at)},
                           context));
      ARROW_RETURN_NOT_OK(file->Append({piece->data(), static_cast<size_t>(piece->size())}));
    }
    return Status::OK();
  }

  Status AppendTo(arrow::LargeBinaryBuilder* values, const OperationContext& context) const {
    if (reader_ == nullptr || size_ == 0) {
      return values->Append(bytes_.data(), static_cast<int64_t>(bytes_.size()));
    }
    ARROW_ASSIGN_OR_RAISE(
        const auto bytes,
        reader_->ReadOne({.offset = position_, .length = static_cast<int64_t>(size_)}, context));
    return values->Append(bytes->data(), bytes->size());
  }

 private:
  std::span<const uint8_t> bytes_;
  std::shared_ptr<const io::ObjectReader> reader_;  // null for bytes in memory
  int64_t position_ = 0;
  uint64_t size_ = 0;
};

/// Where bytes went that do not lie in the data file.
struct StoredBlob {
  BlobKind kind = BlobKind::kInline;
  uint64_t position = 0;
  uint32_t blob_id = 0;
};

/// The files beside one data file.
class Sidecars {
 public:
  Sidecars(io::StorePath data_file, const OperationContext& context)
      : data_file_(std::move(data_file)), context_(context) {}

  Result<StoredBlob> StoreAlone(const BlobSource& source) {
    StoredBlob stored{.kind = BlobKind::kDedicated};
    ARROW_ASSIGN_OR_RAISE(const auto file, Create(&stored.blob_id));
    ARROW_RETURN_NOT_OK(source.AppendTo(file.get(), context_));
    ARROW_RETURN_NOT_OK(file->Finish());
    return stored;
  }

  Result<StoredBlob> StoreWithOthers(const BlobSource& source, uint64_t most_bytes) {
    const bool fits = pack_ != nullptr && pack_limit_ == most_bytes &&
                      source.size() <= most_bytes - std::min(most_bytes, pack_bytes_);
    if (!fits) {
      ARROW_RETURN_NOT_OK(Finish());
      ARROW_ASSIGN_OR_RAISE(pack_, Create(&pack_id_));
      pack_limit_ = most_bytes;
      pack_bytes_ = 0;
    }
    const StoredBlob stored{
        .kind = BlobKind::kPacked, .position = pack_bytes_, .blob_id = pack_id_};
    ARROW_RETURN_NOT_OK(source.AppendTo(pack_.get(), context_));
    pack_bytes_ += source.size();
    return stored;
  }

  Status Finish() {
    if (pack_ == nullptr) return Status::OK();
    const Status status = pack_->Finish();
    pack_.reset();
    return status;
  }

  const io::StorePath& data_file() const { return data_file_; }

 private:
  Result<std::unique_ptr<io::ObjectWriter>> Create(uint32_t* id) {
    if (next_id_ == std::numeric_limits<uint32_t>::max()) {
      return Unsupported("'", data_file_.path, "' has as many files beside it as can be told apart",
                         ": write fewer rows to a file");
    }
    *id = next_id_++;
    return data_file_.store->Create(SidecarPath(data_file_.path, *id), context_);
  }

  const io::StorePath data_file_;
  const OperationContext& context_;
  uint32_t next_id_ = 1;
  std::unique_ptr<io::ObjectWriter> pack_;  // null if none is begun
  uint32_t pack_id_ = 0;
  uint64_t pack_limit_ = 0;
  uint64_t pack_bytes_ = 0;
};

const arrow::DataType* StorageOf(const arrow::DataType* type) {
  if (type->id() != arrow::Type::EXTENSION) return type;
  return static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
}

std::shared_ptr<arrow::Array> StorageOf(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() != arrow::Type::EXTENSION) return array;
  return static_cast<const arrow::ExtensionArray&>(*array).storage();
}

bool HasFields(const arrow::DataType& type, const arrow::FieldVector& fields) {
  if (type.num_fields() != static_cast<int>(fields.size())) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (type.field(i)->name() != fields[i]->name()) return false;
    if (!type.field(i)->type()->Equals(*fields[i]->type())) return false;
  }
  return true;
}

/// The children of a blob as a user gives it; the last two may be missing.
enum InputPart { kData, kUri, kPosition, kSize };

/// Whether `type` is that of values that a user gives.
bool IsLogicalBlob(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT) return false;
  arrow::FieldVector fields = {
      arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8()),
      arrow::field("position", arrow::uint64()), arrow::field("size", arrow::uint64())};
  if (HasFields(type, fields)) return true;
  fields.resize(kUri + 1);
  return HasFields(type, fields);
}

bool HasBlobs(const Field& field) {
  return field.is_blob_v2() || std::ranges::any_of(field.children, HasBlobs);
}

Status CheckNoLists(const Field& field) {
  if (field.is_blob_v2() || !HasBlobs(field)) return Status::OK();
  if (field.logical_type != "struct") {
    return Unsupported("field '", field.name, "': blobs in lists cannot be written yet");
  }
  for (const Field& child : field.children) ARROW_RETURN_NOT_OK(CheckNoLists(child));
  return Status::OK();
}

/// Takes values out of an array of blobs: of a user's, or of descriptors in another version.
class BlobInput {
 public:
  /// `path` is that of the column, for errors.
  static Result<BlobInput> Make(const std::shared_ptr<arrow::Array>& array,
                                const std::string& path) {
    BlobInput input;
    input.array_ = StorageOf(array);
    input.path_ = &path;
    switch (input.array_->type_id()) {
      case arrow::Type::BINARY:
      case arrow::Type::LARGE_BINARY:
        return input;
      case arrow::Type::STRUCT:
        // Of another version's rows the descriptors.
        input.values_ = static_cast<const arrow::StructArray*>(input.array_.get());
        for (const auto& child : input.values_->fields()) input.parts_.push_back(child);
        return input;
      default:
        return InvalidArgument("column '", path, "' is of ", array->type()->ToString(),
                               ", which has no blobs");
    }
  }

  bool IsNull(int64_t row) const { return array_->IsNull(row); }

  /// The value of a row that is not null, but for the place of what `uri` names.
  Result<BlobValue> At(int64_t row, std::string_view* uri) const {
    if (values_ == nullptr) return BlobValue{.bytes = BytesAt(*array_, row)};
    const bool has_data = Has(kData, row);
    const bool has_uri = Has(kUri, row);
    const bool has_position = Has(kPosition, row);
    if (has_data == has_uri) {
      return Wrong(row, "has ", has_data ? "both data and a uri" : "neither data nor a uri");
    }
    if (has_position != Has(kSize, row)) return Wrong(row, "has one of position and size only");
    if (has_position && !has_uri) return Wrong(row, "has position and size, but no uri");
    if (has_data) return BlobValue{.bytes = BytesAt(*parts_[kData], row)};
    BlobPlace place{.kind = BlobKind::kExternal, .object = {}, .size = std::nullopt, .uri = {}};
    *uri = static_cast<const arrow::StringArray&>(*parts_[kUri]).GetView(row);
    if (has_position) {
      place.position = static_cast<const arrow::UInt64Array&>(*parts_[kPosition]).Value(row);
      place.size = static_cast<const arrow::UInt64Array&>(*parts_[kSize]).Value(row);
      if (*place.size == 0) return Wrong(row, "has a range of no bytes");
    }
    return BlobValue{.reference = std::move(place)};
  }

  template <typename... Args>
  Status Wrong(int64_t row, Args&&... args) const {
    return InvalidArgument("column '", *path_, "': the blob in row ", row, " of a batch ",
                           std::forward<Args>(args)...);
  }

  const arrow::StructArray& descriptors() const { return *values_; }

 private:
  bool Has(InputPart part, int64_t row) const {
    return part < static_cast<int>(parts_.size()) && parts_[part]->IsValid(row);
  }
  static std::span<const uint8_t> BytesAt(const arrow::Array& array, int64_t row) {
    const auto of = [&](std::string_view text) {
      return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    };
    if (array.type_id() == arrow::Type::BINARY) {
      return of(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    }
    return of(static_cast<const arrow::LargeBinaryArray&>(array).GetView(row));
  }

  std::shared_ptr<arrow::Array> array_;
  const arrow::StructArray* values_ = nullptr;  // null for bytes
  arrow::ArrayVector parts_;
  const std::string* path_ = nullptr;
};

/// Builds an array of PreparedBlobType.
class PreparedBuilder {
 public:
  explicit PreparedBuilder(arrow::MemoryPool* pool)
      : pool_(pool),
        kind_(pool),
        data_(pool),
        position_(pool),
        size_(pool),
        blob_id_(pool),
        uri_(pool) {}

  Status AppendNull() {
    is_valid_.push_back(0);
    ARROW_RETURN_NOT_OK(data_.AppendEmptyValue());
    return AppendDescriptor(BlobKind::kInline, 0, 0, 0, {});
  }
  Status AppendInline(const BlobSource& source, const OperationContext& context) {
    is_valid_.push_back(1);
    ARROW_RETURN_NOT_OK(source.AppendTo(&data_, context));
    return AppendDescriptor(BlobKind::kInline, 0, 0, 0, {});
  }
  Status AppendStored(const StoredBlob& stored, uint64_t size) {
    is_valid_.push_back(1);
    ARROW_RETURN_NOT_OK(data_.AppendEmptyValue());
    return AppendDescriptor(stored.kind, stored.position, size, stored.blob_id, {});
  }
  Status AppendReference(const BlobPlace& place) {
    is_valid_.push_back(1);
    ARROW_RETURN_NOT_OK(data_.AppendEmptyValue());
    return AppendDescriptor(BlobKind::kExternal, place.position, place.size.value_or(0),
                            place.base_id, place.uri);
  }

  Result<std::shared_ptr<arrow::Array>> Finish() {
    arrow::ArrayVector parts(PreparedBlobType()->num_fields());
    ARROW_RETURN_NOT_OK(kind_.Finish(&parts[kPreparedKind]));
    ARROW_RETURN_NOT_OK(data_.Finish(&parts[kPreparedData]));
    ARROW_RETURN_NOT_OK(position_.Finish(&parts[kPreparedPosition]));
    ARROW_RETURN_NOT_OK(size_.Finish(&parts[kPreparedSize]));
    ARROW_RETURN_NOT_OK(blob_id_.Finish(&parts[kPreparedBlobId]));
    ARROW_RETURN_NOT_OK(uri_.Finish(&parts[kPreparedUri]));
    std::shared_ptr<arrow::Buffer> validity;
    if (std::ranges::find(is_valid_, 0) != is_valid_.end()) {
      ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::BytesToBits(is_valid_, pool_));
    }
    return std::make_shared<arrow::StructArray>(PreparedBlobType(), std::ssize(is_valid_),
                                                std::move(parts), std::move(validity));
  }

 private:
  Status AppendDescriptor(BlobKind kind, uint64_t position, uint64_t size, uint32_t blob_id,
                          std::string_view uri) {
    ARROW_RETURN_NOT_OK(kind_.Append(static_cast<uint8_t>(kind)));
    ARROW_RETURN_NOT_OK(position_.Append(position));
    ARROW_RETURN_NOT_OK(size_.Append(size));
    ARROW_RETURN_NOT_OK(blob_id_.Append(blob_id));
    return uri_.Append(uri);
  }

  arrow::MemoryPool* pool_;
  std::vector<uint8_t> is_valid_;
  arrow::UInt8Builder kind_;
  arrow::LargeBinaryBuilder data_;
  arrow::UInt64Builder position_;
  arrow::UInt64Builder size_;
  arrow::UInt32Builder blob_id_;
  arrow::StringBuilder uri_;
};

/// The bits of `array` that say which rows are valid, from its first row on; null if all are.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array,
                                                  arrow::MemoryPool* pool) {
  if (array.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

}  // namespace

struct BlobWriter::State {
  State(Schema fields, BlobWriteScope write_scope, OperationContext operation)
      : schema(std::move(fields)), scope(std::move(write_scope)), context(std::move(operation)) {}

  Status AddThresholds(const Field& field);
  /// The columns of `rows` that have blobs, and the others as they are.
  Result<std::shared_ptr<arrow::RecordBatch>> Prepare(const arrow::RecordBatch& rows);
  /// What `field` has in `array`. Of rows that `above` has as null nothing is looked at.
  Result<std::shared_ptr<arrow::Array>> PrepareField(const Field& field, const std::string& path,
                                                     const std::shared_ptr<arrow::Array>& array,
                                                     const std::vector<bool>& above);
  Result<std::shared_ptr<arrow::Array>> PrepareBlobs(const Field& field, const std::string& path,
                                                     const std::shared_ptr<arrow::Array>& array,
                                                     const std::vector<bool>& above);
  Status Store(const BlobValue& value, const Thresholds& thresholds, PreparedBuilder* builder);
  /// What a user gave as `uri`.
  Result<BlobValue> FindExternal(BlobPlace place, std::string_view uri) const;

  const Schema schema;
  const BlobWriteScope scope;
  const OperationContext context;
  std::map<const Field*, Thresholds> thresholds;
  BlobFiles sources;
  std::optional<Sidecars> sidecars;
  const uint64_t* addresses = nullptr;  ///< of the rows, if they come from a version
};

Status BlobWriter::State::AddThresholds(const Field& field) {
  if (field.is_blob_v2()) {
    ARROW_ASSIGN_OR_RAISE(thresholds[&field], ParseThresholds(field, scope.options));
    return Status::OK();
  }
  for (const Field& child : field.children) ARROW_RETURN_NOT_OK(AddThresholds(child));
  return Status::OK();
}

Result<BlobValue> BlobWriter::State::FindExternal(BlobPlace place, std::string_view uri) const {
  if (uri.empty()) return InvalidArgument("has an empty uri");
  if (scope.options.ingest_external) {
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
  if (!scope.options.allow_external_outside_bases) {
    return InvalidArgument("has the uri '", uri,
                           "', which lies below no base path of the table that is not a table: "
                           "register one, or allow external blobs outside of base paths");
  }
  if (uri.find("://") == uri.npos) {
    return InvalidArgument("has the uri '", uri, "', which is not absolute: begin with file://");
  }
  return BlobValue{.reference = std::move(place)};
}

Status BlobWriter::State::Store(const BlobValue& value, const Thresholds& limits,
                                PreparedBuilder* builder) {
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

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareBlobs(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const std::vector<bool>& above) {
  ARROW_ASSIGN_OR_RAISE(const BlobInput input, BlobInput::Make(array, path));
  std::optional<BlobLocator> locator;
  // A column that is set anew has values of a user's even where rows come from a version.
  const arrow::DataType& type = *StorageOf(array->type().get());
  if (scope.source != nullptr && type.id() == arrow::Type::STRUCT && !IsLogicalBlob(type)) {
    locator.emplace(*scope.source, field);
  } else if (type.id() == arrow::Type::STRUCT && !IsLogicalBlob(type)) {
    return InvalidArgument("column '", path, "' is of ", array->type()->ToString(),
                           ", which has no blobs");
  }
  const Thresholds& limits = thresholds.at(&field);
  PreparedBuilder builder(context.pool);
  for (int64_t row = 0; row < array->length(); ++row) {
    if (above[row] || input.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    BlobValue value;
    if (locator) {
      ARROW_ASSIGN_OR_RAISE(auto place, locator->Find(input.descriptors(), row, addresses[row]));
      (place->kind == BlobKind::kExternal ? value.reference : value.copied) = std::move(place);
    } else {
      std::string_view uri;
      ARROW_ASSIGN_OR_RAISE(value, input.At(row, &uri));
      if (value.reference) {
        auto found = FindExternal(*std::move(value.reference), uri);
        if (!found.ok()) return input.Wrong(row, found.status().message());
        value = *std::move(found);
      }
    }
    const Status stored = Store(value, limits, &builder);
    if (!stored.ok()) return WithContext(stored, "blob of column '" + path + "'");
  }
  return builder.Finish();
}

Result<std::shared_ptr<arrow::Array>> BlobWriter::State::PrepareField(
    const Field& field, const std::string& path, const std::shared_ptr<arrow::Array>& array,
    const std::vector<bool>& above) {
  if (!HasBlobs(field)) return array;
  if (field.is_blob_v2()) return PrepareBlobs(field, path, array, above);
  const auto storage = StorageOf(array);
  if (storage->type_id() != arrow::Type::STRUCT ||
      storage->num_fields() != static_cast<int>(field.children.size())) {
    return InvalidArgument("column '", path, "' is of ", array->type()->ToString(),
                           ", which is not what the table has");
  }
  std::vector<bool> null_rows = above;
  for (int64_t row = 0; row < storage->length(); ++row) {
    if (storage->IsNull(row)) null_rows[row] = true;
  }
  const auto& parent = static_cast<const arrow::StructArray&>(*storage);
  arrow::ArrayVector children;
  arrow::FieldVector fields;
  for (size_t i = 0; i < field.children.size(); ++i) {
    const Field& child = field.children[i];
    const auto number = static_cast<int>(i);
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), PrepareField(child, path + "." + child.name,
                                                                parent.field(number), null_rows));
    fields.push_back(parent.type()->field(number)->WithType(children.back()->type()));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(parent, context.pool));
  return std::make_shared<arrow::StructArray>(arrow::struct_(fields), parent.length(),
                                              std::move(children), std::move(validity));
}

Result<std::shared_ptr<arrow::RecordBatch>> BlobWriter::State::Prepare(
    const arrow::RecordBatch& rows) {
  addresses = nullptr;
  if (scope.source != nullptr) {
    const auto column = rows.GetColumnByName(std::string(kRowAddressColumn));
    if (column == nullptr || column->type_id() != arrow::Type::UINT64) {
      return InvalidArgument("rows of a version are to be written again without their addresses");
    }
    addresses = column->data()->GetValues<uint64_t>(1);
  }
  const std::vector<bool> none_null(rows.num_rows());
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (int i = 0; i < rows.num_columns(); ++i) {
    std::shared_ptr<arrow::Array> column = rows.column(i);
    const auto& from = rows.schema()->field(i);
    if (const Field* field = schema.FindField(from->name())) {
      ARROW_ASSIGN_OR_RAISE(column, PrepareField(*field, field->name, column, none_null));
    }
    fields.push_back(from->WithType(column->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(),
                                  std::move(columns));
}

BlobWriter::BlobWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter::~BlobWriter() = default;

Result<BlobWriter> BlobWriter::Make(const Schema& schema, BlobWriteScope scope,
                                    const OperationContext& context) {
  const BlobWriteOptions& options = scope.options;
  if (options.ingest_external && options.allow_external_outside_bases) {
    return InvalidArgument(
        "external blobs are either copied into the table or may lie outside of its base paths");
  }
  if (options.pack_file_bytes && *options.pack_file_bytes < 1) {
    return InvalidArgument("files of several blobs cannot have ", *options.pack_file_bytes,
                           " bytes at most: it must be at least one");
  }
  auto state = std::make_unique<State>(schema, std::move(scope), context);
  for (const Field& field : state->schema.fields) {
    ARROW_RETURN_NOT_OK(CheckNoLists(field));
    ARROW_RETURN_NOT_OK(state->AddThresholds(field));
  }
  return BlobWriter(std::move(state));
}

bool BlobWriter::has_blobs() const { return !state_->thresholds.empty(); }

Schema BlobWriter::prepared_schema() const {
  Schema prepared = state_->schema;
  for (Field& field : prepared.fields) field = PreparedForm(std::move(field));
  return prepared;
}

Result<std::shared_ptr<arrow::Schema>> BlobWriter::PreparedSchema(const arrow::Schema& data) const {
  arrow::FieldVector fields = data.fields();
  for (auto& field : fields) {
    const Field* stored = state_->schema.FindField(field->name());
    if (stored == nullptr || !HasBlobs(*stored)) continue;
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
  for (int64_t row = 0; row < rows.num_rows(); row += kRowsAtOnce) {
    ARROW_RETURN_NOT_OK(state_->context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto prepared, state_->Prepare(*rows.Slice(row, kRowsAtOnce)));
    ARROW_RETURN_NOT_OK(write(*prepared));
  }
  return Status::OK();
}

Status BlobWriter::FinishFile() { return state_->sidecars->Finish(); }

bool IsBlobInput(const arrow::Field& field) {
  const arrow::DataType& storage = *StorageOf(field.type().get());
  if (storage.id() == arrow::Type::BINARY || storage.id() == arrow::Type::LARGE_BINARY) {
    return field.HasMetadata() && field.metadata()->Contains("lance-encoding:blob");
  }
  return IsLogicalBlob(storage);
}

Status CheckThresholds(const arrow::Field& data, const Field& field) {
  if (!data.HasMetadata()) return Status::OK();
  Field given = field;
  for (const char* name :
       {"inline-size-threshold", "dedicated-size-threshold", "pack-file-size-threshold"}) {
    const std::string key = std::string("lance-encoding:blob-") + name;
    const auto value = data.metadata()->Get(key);
    if (value.ok()) given.metadata[key] = *value;
  }
  ARROW_ASSIGN_OR_RAISE(const Thresholds wanted, ParseThresholds(given, {}));
  ARROW_ASSIGN_OR_RAISE(const Thresholds there, ParseThresholds(field, {}));
  if (wanted == there) return Status::OK();
  return InvalidArgument("cannot append: column '", field.name,
                         "' keeps blobs apart from other sizes on than the data says: leave the "
                         "sizes out of its metadata");
}

void RemoveSidecars(const io::StorePath& data_file, const OperationContext& context) {
  const std::string any = SidecarPath(data_file.path, 0);
  const auto files = data_file.store->List(any.substr(0, any.rfind('/')), context);
  if (!files.ok()) return;
  for (const io::ObjectInfo& file : *files) {
    if (file.path.ends_with(".blob")) (void)data_file.store->Delete(file.path, context);
  }
}

}  // namespace tusk::lance
