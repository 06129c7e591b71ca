#include "tusk/iceberg/manifest.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/bounds.h"
#include "tusk/iceberg/manifest_fields.h"
#include "tusk/iceberg/single_value.h"

namespace tusk::iceberg {
namespace {

/// What ManifestReader hands out at once: so many, or fewer of so many bytes.
constexpr size_t kEntriesAtOnce = 1000;
constexpr int64_t kBytesAtOnce = 1 << 20;

template <typename T>
int64_t TotalMemoryOf(const FieldMap<T>& map) {
  int64_t bytes = 0;
  for (const auto& entry : map)
    bytes += static_cast<int64_t>(sizeof(entry)) + MemoryOf(entry.second);
  return bytes;
}

/// Bytes that an entry takes, about.
int64_t TotalMemoryOf(const ManifestEntry& entry) {
  const DataFile& file = entry.file;
  return static_cast<int64_t>(sizeof(entry)) + MemoryOf(file.path) + MemoryOf(file.format) +
         TotalMemoryOf(file.partition) + TotalMemoryOf(file.column_sizes) +
         TotalMemoryOf(file.value_counts) + TotalMemoryOf(file.null_value_counts) +
         TotalMemoryOf(file.nan_value_counts) + TotalMemoryOf(file.lower_bounds) +
         TotalMemoryOf(file.upper_bounds) + MemoryOf(file.key_metadata) +
         static_cast<int64_t>(sizeof(int64_t)) * std::ssize(file.split_offsets) +
         static_cast<int64_t>(sizeof(int32_t)) * std::ssize(file.equality_ids) +
         MemoryOf(file.referenced_data_file);
}

/// Reads an array of key-value records, the form of a map with integer keys. `read_value` reads a
/// value from its field; keys come before values. Values of columns that `keeps` refuses are passed
/// over.
template <typename T, typename Keeps, typename ReadValue>
Status ReadMap(const AvroField& field, AvroDecoder* decoder, int32_t key_id, const Keeps& keeps,
               const ReadValue& read_value, FieldMap<T>* out) {
  std::vector<typename FieldMap<T>::Entry> entries;
  const auto read_item = [&](const AvroType& item) -> Status {
    int32_t key = 0;
    bool is_kept = false;
    const auto read_member = [&](const AvroField& member) -> Status {
      if (member.id == key_id) {
        ARROW_RETURN_NOT_OK(ReadInt32(member, decoder, &key));
        is_kept = keeps(key);
        return Status::OK();
      }
      if (!is_kept || member.id != key_id + 1) return SkipAvro(*member.type, decoder);
      return read_value(member, decoder, &entries.emplace_back(key, T()).second);
    };
    return ReadAvroRecord(item, decoder, read_member).status();
  };
  ARROW_RETURN_NOT_OK(ReadAvroArray(*field.type, decoder, read_item));
  *out = FieldMap<T>(std::move(entries));
  return Status::OK();
}

/// A number as the little-endian bytes of its single-value form.
template <typename T>
std::string LittleBytes(T value) {
  std::string bytes;
  AppendLittle(value, &bytes);
  return bytes;
}

/// The shortest form of a decimal that was written with a fixed length.
Result<std::string> ShortestDecimal(std::string_view bytes) {
  const auto value = arrow::Decimal128::FromBigEndian(
      reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int32_t>(bytes.size()));
  if (!value.ok()) return Corrupt("a decimal of ", bytes.size(), " bytes in a partition");
  return DecimalBound(*value);
}

/// A partition value in single-value serialization, or nothing for null. What it means is told by
/// its Avro type alone, so that transforms of later writers do no harm.
Result<std::optional<std::string>> ReadSingleValue(const AvroType& type, AvroDecoder* decoder) {
  using Kind = AvroType::Kind;
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
  switch (branch->kind) {
    case Kind::kNull:
      return std::nullopt;
    case Kind::kBoolean: {
      ARROW_ASSIGN_OR_RAISE(const bool value, decoder->ReadBoolean());
      return std::string(1, value ? 1 : 0);
    }
    case Kind::kInt: {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, decoder->ReadLong());
      return LittleBytes(static_cast<int32_t>(value));
    }
    case Kind::kLong: {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, decoder->ReadLong());
      return LittleBytes(value);
    }
    case Kind::kFloat:
    case Kind::kDouble: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes,
                            decoder->ReadFixed(branch->kind == Kind::kFloat ? 4 : 8));
      return std::string(bytes);
    }
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kFixed: {
      ARROW_ASSIGN_OR_RAISE(const auto bytes, ReadAvroBytes(*branch, decoder));
      if (branch->logical_type == "decimal") return ShortestDecimal(*bytes);
      return std::string(*bytes);
    }
    default:
      return Corrupt("a partition value of Avro type number ", static_cast<int>(branch->kind));
  }
}

Status ReadPartition(const AvroField& field, AvroDecoder* decoder, DataFile* file) {
  std::vector<FieldMap<std::optional<std::string>>::Entry> values;
  const auto read_value = [&](const AvroField& member) -> Status {
    if (!member.id.has_value()) return SkipAvro(*member.type, decoder);
    ARROW_ASSIGN_OR_RAISE(auto value, ReadSingleValue(*member.type, decoder));
    values.emplace_back(*member.id, std::move(value));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(ReadAvroRecord(*field.type, decoder, read_value));
  file->partition = FieldMap<std::optional<std::string>>(std::move(values));
  return Status::OK();
}
template <typename T>
Status ReadNumbers(const AvroField& field, AvroDecoder* decoder, std::vector<T>* out) {
  const auto read_item = [&](const AvroType& item) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto number, ReadAvroLong(item, decoder));
    if (number.has_value()) out->push_back(static_cast<T>(*number));
    return Status::OK();
  };
  return ReadAvroArray(*field.type, decoder, read_item).status();
}

Status ReadChange(const AvroField& field, AvroDecoder* decoder, ManifestEntry::Change* out) {
  int64_t value = 0;
  ARROW_RETURN_NOT_OK(ReadLong(field, decoder, &value));
  if (value < 0 || value > 2) return Corrupt("status ", value, " of a manifest entry");
  *out = static_cast<ManifestEntry::Change>(value);
  return Status::OK();
}

Status ReadSortOrder(const AvroField& field, AvroDecoder* decoder, DataFile* file) {
  ARROW_ASSIGN_OR_RAISE(const auto value, ReadAvroLong(*field.type, decoder));
  if (value.has_value()) file->sort_order_id = static_cast<int32_t>(*value);
  return Status::OK();
}

/// Reads entries, keeping of counts and bounds those of some columns.
class EntryDecoder {
 public:
  explicit EntryDecoder(const ManifestReadOptions& options) : options_(options) {}

  Status Read(const AvroField& field, AvroDecoder* decoder, ManifestEntry* entry) const {
    switch (field.id.value_or(-1)) {
      case 0:
        return ReadChange(field, decoder, &entry->change);
      case 1:
        return ReadAvroLong(*field.type, decoder).Value(&entry->snapshot_id);
      case 3:
        return ReadOptionalCount(field, decoder, &entry->sequence_number);
      case 4:
        return ReadOptionalCount(field, decoder, &entry->file_sequence_number);
      case 2:
        return ReadDataFile(field, decoder, &entry->file);
      default:
        return SkipAvro(*field.type, decoder);
    }
  }

 private:
  bool Keeps(int32_t column) const {
    return !options_.columns.has_value() || std::ranges::binary_search(*options_.columns, column);
  }
  bool keeps_none() const { return options_.columns.has_value() && options_.columns->empty(); }

  template <typename T, typename ReadValue>
  Status ReadColumns(const AvroField& field, AvroDecoder* decoder, int32_t key_id,
                     const ReadValue& read_value, FieldMap<T>* out) const {
    if (keeps_none()) return SkipAvro(*field.type, decoder);
    return ReadMap(
        field, decoder, key_id, [this](int32_t column) { return Keeps(column); }, read_value, out);
  }

  Status ReadField(const AvroField& field, AvroDecoder* decoder, DataFile* file) const {
    switch (field.id.value_or(-1)) {
      case 134:
        return ReadContent(field, decoder, &file->content);
      case 100:
        return ReadString(field, decoder, &file->path);
      case 101:
        return ReadString(field, decoder, &file->format);
      case 102:
        return ReadPartition(field, decoder, file);
      case 103:
        return ReadCount(field, decoder, &file->record_count);
      case 104:
        return ReadCount(field, decoder, &file->size_bytes);
      case 108:
        return ReadColumns(field, decoder, 117, ReadCount, &file->column_sizes);
      case 109:
        return ReadColumns(field, decoder, 119, ReadCount, &file->value_counts);
      case 110:
        return ReadColumns(field, decoder, 121, ReadCount, &file->null_value_counts);
      case 137:
        return ReadColumns(field, decoder, 138, ReadCount, &file->nan_value_counts);
      case 125:
        return ReadColumns(field, decoder, 126, ReadString, &file->lower_bounds);
      case 128:
        return ReadColumns(field, decoder, 129, ReadString, &file->upper_bounds);
      case 131:
        return ReadOptionalBytes(field, decoder, &file->key_metadata);
      case 132:
        return ReadNumbers(field, decoder, &file->split_offsets);
      case 135:
        return ReadNumbers(field, decoder, &file->equality_ids);
      case 140:
        return ReadSortOrder(field, decoder, file);
      case 143:
        return ReadOptionalBytes(field, decoder, &file->referenced_data_file);
      default:
        return SkipAvro(*field.type, decoder);
    }
  }

  Status ReadDataFile(const AvroField& field, AvroDecoder* decoder, DataFile* file) const {
    const auto read_field = [&](const AvroField& member) {
      return ReadField(member, decoder, file);
    };
    ARROW_ASSIGN_OR_RAISE(const bool present, ReadAvroRecord(*field.type, decoder, read_field));
    if (!present || file->path.empty() || file->format.empty()) {
      return Corrupt("manifest entry without a data file's path or format");
    }
    return Status::OK();
  }

  const ManifestReadOptions& options_;
};

/// `status` of the manifest at `path`, if that is known.
Status At(const std::string& path, const Status& status) {
  return path.empty() ? status : WithContext(status, "manifest '" + path + "'");
}

}  // namespace

Status CheckWhole(const ManifestFile& manifest, int64_t size) {
  if (size >= manifest.length) return Status::OK();
  return Corrupt("manifest '", manifest.path, "' has ", size, " bytes, its manifest list says ",
                 manifest.length, ": was it truncated?");
}

ManifestReader::ManifestReader(std::shared_ptr<arrow::Buffer> bytes, AvroFile file,
                               ManifestReadOptions options)
    : bytes_(std::move(bytes)), file_(std::move(file)), options_(std::move(options)) {}

Result<ManifestReader> ManifestReader::Open(std::shared_ptr<arrow::Buffer> bytes,
                                            ManifestReadOptions options) {
  auto file = AvroFile::Parse(std::string_view(*bytes));
  if (!file.ok()) return At(options.path, file.status());
  ARROW_RETURN_NOT_OK(At(options.path, CheckFields(*file, {0, 2})));
  return ManifestReader(std::move(bytes), *std::move(file), std::move(options));
}

Result<bool> ManifestReader::Next(std::vector<ManifestEntry>* entries) {
  auto more = Decode(entries);
  if (!more.ok()) return At(options_.path, more.status());
  return more;
}

Result<bool> ManifestReader::Decode(std::vector<ManifestEntry>* entries) {
  entries->clear();
  const EntryDecoder entry_decoder(options_);
  const auto read_entry = [&](AvroDecoder* decoder) {
    ManifestEntry& entry = entries->emplace_back();
    return ReadAvroRecord(
               file_.schema(), decoder,
               [&](const AvroField& field) { return entry_decoder.Read(field, decoder, &entry); })
        .status();
  };
  int64_t held = 0;
  while (entries->size() < kEntriesAtOnce && held < kBytesAtOnce) {
    if (!block_.has_value()) {
      ARROW_ASSIGN_OR_RAISE(block_, file_.NextBlock(&position_));
      if (!block_.has_value()) break;
    }
    ARROW_ASSIGN_OR_RAISE(const bool more, block_->Next(read_entry));
    if (more) {
      held += TotalMemoryOf(entries->back());
    } else {
      block_.reset();
    }
  }
  return !entries->empty();
}

Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(auto reader, ManifestReader::Open(std::make_shared<arrow::Buffer>(bytes)));
  std::vector<ManifestEntry> entries;
  std::vector<ManifestEntry> some;
  int64_t held = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&some));
    if (!more) return entries;
    for (ManifestEntry& entry : some) {
      held += TotalMemoryOf(entry);
      entries.push_back(std::move(entry));
    }
    ARROW_RETURN_NOT_OK(CheckProportion(held, bytes));
  }
}

}  // namespace tusk::iceberg
