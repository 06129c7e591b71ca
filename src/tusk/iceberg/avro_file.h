#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tusk/base/result.h"
#include "tusk/iceberg/avro_schema.h"

namespace tusk::iceberg {

/// Reads Avro's binary encoding from front to back. What it hands out points into the bytes it was
/// made from. Every method is Corrupt if the bytes end early or break the encoding.
class AvroDecoder {
 public:
  explicit AvroDecoder(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

  size_t remaining() const { return rest_.size(); }
  /// Bytes read so far.
  size_t offset() const { return size_ - rest_.size(); }

  /// Also the int of Avro, zig-zag coded alike.
  Result<int64_t> ReadLong() {
    int64_t value = 0;
    if (TryReadLong(&value)) return value;
    return BadInteger();
  }
  Status SkipLong() {
    int64_t ignored = 0;
    return TryReadLong(&ignored) ? Status::OK() : BadInteger();
  }
  Status SkipBytes();
  Result<bool> ReadBoolean();
  Result<std::string_view> ReadBytes();  ///< length and bytes; also the string of Avro
  Result<std::string_view> ReadFixed(uint64_t length);

  /// The items of one block of an array, map or of the end (0). Each item takes at least one byte
  /// in this reader's eyes, so that a count cannot exceed the bytes that are left.
  Result<int64_t> ReadBlockCount();

 private:
  /// False if the bytes end early, and are used up, or the integer is longer than any can be.
  bool TryReadLong(int64_t* out) {
    uint64_t value = 0;
    size_t size = 0;
    for (int shift = 0; shift < 64 && size < rest_.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_[size++]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) {
        rest_.remove_prefix(size);
        *out = static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
        return true;
      }
    }
    rest_.remove_prefix(size);
    return false;
  }
  /// What TryReadLong stopped at.
  Status BadInteger() const;

  std::string_view rest_;
  size_t size_;
};

/// Passes over one value of `type`.
Status SkipAvro(const AvroType& type, AvroDecoder* decoder);

/// Resolves a union by reading its branch number; another type is its own branch. The branch may be
/// the null type.
Result<const AvroType*> ReadAvroBranch(const AvroType& type, AvroDecoder* decoder);

/// A value of int or long, or nothing for null. Corrupt if `type` is another one.
Result<std::optional<int64_t>> ReadAvroLong(const AvroType& type, AvroDecoder* decoder);
/// A value of bytes, string or fixed, or nothing for null.
Result<std::optional<std::string_view>> ReadAvroBytes(const AvroType& type, AvroDecoder* decoder);

/// Corrupt: `type` is not what was expected.
Status UnexpectedAvroType(const AvroType& type, std::string_view expected);

/// Calls `read(field)` for every field of the record, in the writer's order; `read` consumes the
/// value or calls SkipAvro. Returns false, having called nothing, for null.
template <typename Read>
Result<bool> ReadAvroRecord(const AvroType& type, AvroDecoder* decoder, Read&& read) {
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
  if (branch->kind == AvroType::Kind::kNull) return false;
  if (branch->kind != AvroType::Kind::kRecord) return UnexpectedAvroType(*branch, "a record");
  for (const AvroField& field : branch->fields) ARROW_RETURN_NOT_OK(read(field));
  return true;
}

/// Calls `read(type)` with the item type for every item of an array. Returns false for null.
template <typename Read>
Result<bool> ReadAvroArray(const AvroType& type, AvroDecoder* decoder, Read&& read) {
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
  if (branch->kind == AvroType::Kind::kNull) return false;
  if (branch->kind != AvroType::Kind::kArray) return UnexpectedAvroType(*branch, "an array");
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const int64_t count, decoder->ReadBlockCount());
    if (count == 0) return true;
    for (int64_t i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(read(*branch->item));
  }
}

/// The records of one block of a file, one after the other. Keeps what it had to inflate, borrows
/// the rest from the file.
class AvroBlock {
 public:
  /// Calls `read` with a decoder at the start of the next record, which it must consume exactly.
  /// Returns false, having called nothing, behind the last. Corrupt if bytes are left there.
  Result<bool> Next(const std::function<Status(AvroDecoder*)>& read);

 private:
  friend class AvroFile;
  AvroBlock(std::shared_ptr<const std::string> inflated, std::string_view records, int64_t count,
            size_t offset)
      : inflated_(std::move(inflated)), decoder_(records), left_(count), offset_(offset) {}

  std::shared_ptr<const std::string> inflated_;  ///< null if the codec is null
  AvroDecoder decoder_;
  int64_t left_;
  size_t offset_;  ///< of the block in the file
};

/// An Avro object container file in memory: a header with key-values and the writer's schema, then
/// blocks of records. Codecs null and deflate.
class AvroFile {
 public:
  /// Reads the header. Borrows `bytes`. Corrupt if it breaks the format; Unsupported names the
  /// codec.
  static Result<AvroFile> Parse(std::string_view bytes);

  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  const AvroType& schema() const { return *schema_; }  ///< always a record

  /// Calls `read` once per record, with a decoder at its start; it must consume the record exactly.
  Status ForEach(const std::function<Status(AvroDecoder*)>& read) const;
  /// The block that begins at byte `*position` of the file's blocks; moves `*position` to the next
  /// one. Nothing behind the last.
  Result<std::optional<AvroBlock>> NextBlock(size_t* position) const;

 private:
  std::map<std::string, std::string, std::less<>> metadata_;
  std::shared_ptr<const AvroType> schema_;
  std::string_view sync_;
  std::string_view blocks_;
  size_t blocks_offset_ = 0;
  bool deflate_ = false;
};

/// Appends Avro's binary encoding to a string.
class AvroEncoder {
 public:
  void PutLong(int64_t value);  ///< also for int
  void PutBoolean(bool value) { bytes_.push_back(value ? 1 : 0); }
  void PutBytes(std::string_view value);  ///< also for string
  void PutFixed(std::string_view value) { bytes_.append(value); }
  /// The branch of an optional: ["null", T] has the value in branch 1.
  void PutPresent(bool present) { PutLong(present ? 1 : 0); }

  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// Builds a container file in memory, deflate-compressed, from records that are encoded already.
class AvroFileBuilder {
 public:
  /// `schema` is the JSON of the records' schema; `metadata` the further key-values.
  AvroFileBuilder(std::string_view schema, const std::map<std::string, std::string>& metadata);
  /// Adds one record in the encoding of the schema.
  Status Append(std::string_view record);
  /// The whole file.
  Result<std::string> Finish();

 private:
  Status FlushBlock();

  std::string file_;
  std::string sync_;
  std::string block_;
  int64_t block_records_ = 0;
};

}  // namespace tusk::iceberg
