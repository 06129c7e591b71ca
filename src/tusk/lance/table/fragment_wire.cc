#include "tusk/lance/table/fragment_wire.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "tusk/io/object_store.h"
#include "tusk/lance/table/wire_format.h"

namespace tusk::lance {
namespace {

// Numbers of the fields, as in table.proto.

constexpr uint32_t kFragmentId = 1;
constexpr uint32_t kFiles = 2;
constexpr uint32_t kDeletionFile = 3;
constexpr uint32_t kPhysicalRows = 4;
constexpr uint32_t kRowIds = 5;
constexpr uint32_t kLastUpdatedAt = 7;
constexpr uint32_t kCreatedAt = 9;
constexpr uint32_t kRowIdColumn = 12;
constexpr uint32_t kLastUpdatedAtColumn = 13;
constexpr uint32_t kCreatedAtColumn = 14;

constexpr uint32_t kPath = 1;
constexpr uint32_t kFieldIds = 2;
constexpr uint32_t kColumnIndices = 3;
constexpr uint32_t kMajorVersion = 4;
constexpr uint32_t kMinorVersion = 5;
constexpr uint32_t kSizeBytes = 6;
constexpr uint32_t kFileBaseId = 7;

constexpr uint32_t kDeletionType = 1;
constexpr uint32_t kReadVersion = 2;
constexpr uint32_t kDeletionId = 3;
constexpr uint32_t kDeletedRows = 4;
constexpr uint32_t kDeletionBaseId = 7;

constexpr uint32_t Number(uint32_t field) { return WireTag(field, WireType::kVarint); }
constexpr uint32_t Bytes(uint32_t field) { return WireTag(field, WireType::kBytes); }

/// A row address keeps 32 bits for the row within its fragment.
constexpr uint64_t kMaxFragmentRows = uint64_t{1} << 32;

bool ReadUint32(WireReader* reader, uint32_t* value) {
  uint64_t number = 0;
  if (!reader->ReadVarint(&number) || number > std::numeric_limits<uint32_t>::max()) return false;
  *value = static_cast<uint32_t>(number);
  return true;
}

bool ReadInts(std::string_view bytes, std::vector<int32_t>* values) {
  WireReader reader(bytes);
  while (!reader.done()) {
    uint64_t number = 0;
    if (!reader.ReadVarint(&number)) return false;
    values->push_back(static_cast<int32_t>(number));
  }
  return true;
}

constexpr std::array<bool, 256> MakePlainLetters() {
  std::array<bool, 256> plain = {};
  for (const char letter : std::string_view("0123456789._-abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    plain[static_cast<uint8_t>(letter)] = true;
  }
  return plain;
}

/// Whether `path` is good without further questions: ASCII, and what all writers name their files.
bool IsPlainName(std::string_view path) {
  static constexpr std::array<bool, 256> kPlain = MakePlainLetters();
  if (path.empty() || path.front() == '.') return false;
  bool is_plain = true;
  for (const char letter : path) is_plain &= kPlain[static_cast<uint8_t>(letter)];
  return is_plain;
}

bool IsGoodPath(std::string_view path) {
  if (IsPlainName(path)) return true;
  return std::ranges::all_of(path, [](char c) { return static_cast<uint8_t>(c) < 0x80; }) &&
         io::CheckRelativePath(path).ok();
}

bool DecodeDeletionFile(std::string_view message, DeletionFile* file) {
  WireReader reader(message);
  while (!reader.done()) {
    uint32_t tag = 0;
    uint32_t number = 0;
    if (!reader.ReadTag(&tag)) return false;
    switch (tag) {
      case Number(kDeletionType):
        if (!ReadUint32(&reader, &number) || number > 1) return false;
        file->type = static_cast<DeletionFile::Type>(number);
        break;
      case Number(kReadVersion):
        if (!reader.ReadVarint(&file->read_version)) return false;
        break;
      case Number(kDeletionId):
        if (!reader.ReadVarint(&file->id)) return false;
        break;
      case Number(kDeletedRows):
        if (!reader.ReadVarint(&file->num_deleted_rows)) return false;
        break;
      case Number(kDeletionBaseId):
        if (!ReadUint32(&reader, &file->base_id.emplace())) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}

/// What the counts of a fragment must fulfil.
bool AreGoodCounts(const Fragment& fragment, uint64_t physical_rows) {
  if (fragment.id > std::numeric_limits<uint32_t>::max()) return false;
  if (physical_rows > kMaxFragmentRows) return false;
  return !fragment.deletion_file || fragment.deletion_file->num_deleted_rows <= physical_rows;
}

}  // namespace

bool FragmentDecoder::DecodeFile(std::string_view message, FileInts* before, DataFile* file) {
  file->major_version = 0;  // what the message means if it does not say
  file->minor_version = 0;
  const auto copy = [](std::string_view bytes, Ints* ints, std::vector<int32_t>* values) {
    if (ints->bytes != bytes) {
      std::vector<int32_t> numbers;
      if (!ReadInts(bytes, &numbers)) return false;
      *ints = {.bytes = bytes, .values = std::move(numbers)};
    }
    *values = ints->values;
    return true;
  };
  WireReader reader(message);
  while (!reader.done()) {
    uint32_t tag = 0;
    std::string_view bytes;
    if (!reader.ReadTag(&tag)) return false;
    switch (tag) {
      case Bytes(kPath):
        if (!file->path.empty() || !reader.ReadBytes(&bytes)) return false;
        file->path = bytes;
        break;
      case Bytes(kFieldIds):  // a list in several pieces is for protobuf to join
        if (!file->field_ids.empty() || !reader.ReadBytes(&bytes)) return false;
        if (!copy(bytes, &before->field_ids, &file->field_ids)) return false;
        break;
      case Bytes(kColumnIndices):
        if (!file->column_indices.empty() || !reader.ReadBytes(&bytes)) return false;
        if (!copy(bytes, &before->column_indices, &file->column_indices)) return false;
        break;
      case Number(kMajorVersion):
        if (!ReadUint32(&reader, &file->major_version)) return false;
        break;
      case Number(kMinorVersion):
        if (!ReadUint32(&reader, &file->minor_version)) return false;
        break;
      case Number(kSizeBytes):
        if (!reader.ReadVarint(&file->size_bytes)) return false;
        break;
      case Number(kFileBaseId):
        if (!ReadUint32(&reader, &file->base_id.emplace())) return false;
        break;
      default:
        return false;
    }
  }
  // V1 files name their columns by field.
  if (file->major_version >= 2 && file->field_ids.size() != file->column_indices.size()) {
    return false;
  }
  return IsGoodPath(file->path);
}

bool FragmentDecoder::Decode(std::string_view message, Fragment* fragment) {
  uint64_t physical_rows = 0;
  WireReader reader(message);
  while (!reader.done()) {
    uint32_t tag = 0;
    std::string_view bytes;
    if (!reader.ReadTag(&tag)) return false;
    switch (tag) {
      case Number(kFragmentId):
        if (!reader.ReadVarint(&fragment->id)) return false;
        break;
      case Bytes(kFiles):
        if (!reader.ReadBytes(&bytes)) return false;
        fragment->files.emplace_back();
        if (before_.size() < fragment->files.size()) before_.emplace_back();
        if (!DecodeFile(bytes, &before_[fragment->files.size() - 1], &fragment->files.back())) {
          return false;
        }
        break;
      case Bytes(kDeletionFile):  // one that comes twice is for protobuf to join
        if (fragment->deletion_file || !reader.ReadBytes(&bytes)) return false;
        if (!DecodeDeletionFile(bytes, &fragment->deletion_file.emplace())) return false;
        break;
      case Number(kPhysicalRows):
        if (!reader.ReadVarint(&physical_rows)) return false;
        break;
      case Bytes(kRowIds):
        if (!reader.ReadBytes(&bytes)) return false;
        fragment->row_ids = bytes;
        break;
      case Bytes(kLastUpdatedAt):
        if (!reader.ReadBytes(&bytes)) return false;
        fragment->last_updated_at_versions = bytes;
        break;
      case Bytes(kCreatedAt):
        if (!reader.ReadBytes(&bytes)) return false;
        fragment->created_at_versions = bytes;
        break;
      default:
        return false;
    }
  }
  fragment->physical_rows = static_cast<int64_t>(physical_rows);
  return AreGoodCounts(*fragment, physical_rows);
}

const std::string& FragmentEncoder::Encoded(const std::vector<int32_t>& values, Ints* before) {
  if (before->values != values) {
    before->values = values;
    before->bytes.clear();
    // Negative numbers are widened to 64 bits.
    for (const int32_t value : values) {
      AppendVarint(static_cast<uint64_t>(int64_t{value}), &before->bytes);
    }
  }
  return before->bytes;
}

void FragmentEncoder::AppendFile(const DataFile& file, FileInts* ints, std::string* out) {
  file_.clear();
  if (!file.path.empty()) AppendBytes(kPath, file.path, &file_);
  const std::string& field_ids = Encoded(file.field_ids, &ints->field_ids);
  if (!field_ids.empty()) AppendBytes(kFieldIds, field_ids, &file_);
  const std::string& columns = Encoded(file.column_indices, &ints->column_indices);
  if (!columns.empty()) AppendBytes(kColumnIndices, columns, &file_);
  AppendNumber(kMajorVersion, file.major_version, &file_);
  AppendNumber(kMinorVersion, file.minor_version, &file_);
  AppendNumber(kSizeBytes, file.size_bytes, &file_);
  if (file.base_id) AppendOptional(kFileBaseId, *file.base_id, &file_);
  file_.append(file.carried);
  AppendBytes(kFiles, file_, out);
}

void FragmentEncoder::Append(uint32_t field, const Fragment& fragment, std::string* out) {
  message_.clear();
  AppendNumber(kFragmentId, fragment.id, &message_);
  if (before_.size() < fragment.files.size()) before_.resize(fragment.files.size());
  for (size_t i = 0; i < fragment.files.size(); ++i) {
    AppendFile(fragment.files[i], &before_[i], &message_);
  }
  if (fragment.deletion_file) {
    const DeletionFile& deletion = *fragment.deletion_file;
    file_.clear();
    AppendNumber(kDeletionType, static_cast<uint64_t>(deletion.type), &file_);
    AppendNumber(kReadVersion, deletion.read_version, &file_);
    AppendNumber(kDeletionId, deletion.id, &file_);
    AppendNumber(kDeletedRows, deletion.num_deleted_rows, &file_);
    if (deletion.base_id) AppendOptional(kDeletionBaseId, *deletion.base_id, &file_);
    file_.append(deletion.carried);
    AppendBytes(kDeletionFile, file_, &message_);
  }
  AppendNumber(kPhysicalRows, static_cast<uint64_t>(fragment.physical_rows), &message_);
  // Of the values and the column of one kind the message holds one.
  if (fragment.row_ids && !fragment.row_ids_in_column) {
    AppendBytes(kRowIds, *fragment.row_ids, &message_);
  }
  if (!fragment.last_updated_at_versions.empty() && !fragment.last_updated_at_in_column) {
    AppendBytes(kLastUpdatedAt, fragment.last_updated_at_versions, &message_);
  }
  if (!fragment.created_at_versions.empty() && !fragment.created_at_in_column) {
    AppendBytes(kCreatedAt, fragment.created_at_versions, &message_);
  }
  if (fragment.row_ids_in_column) AppendBytes(kRowIdColumn, {}, &message_);
  if (fragment.last_updated_at_in_column) AppendBytes(kLastUpdatedAtColumn, {}, &message_);
  if (fragment.created_at_in_column) AppendBytes(kCreatedAtColumn, {}, &message_);
  message_.append(fragment.carried);
  AppendBytes(field, message_, out);
}

}  // namespace tusk::lance
