#include "tusk/iceberg/avro_file.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <zlib.h>

#include "tusk/base/uuid.h"

namespace tusk::iceberg {
namespace {

using Kind = AvroType::Kind;

constexpr std::string_view kMagic{"Obj\x01", 4};
constexpr size_t kSyncSize = 16;
constexpr size_t kBlockBytes = 64 << 10;
/// Writers cut blocks at tens of kilobytes; a single huge record is the only reason for more.
constexpr size_t kMaxInflatedBytes = 64 << 20;
/// Deflate cannot expand more than this: two bits give at most 258 bytes.
constexpr size_t kMaxDeflateRatio = 1032;

/// A zlib stream in raw deflate form, ended on every way out.
class RawStream {
 public:
  RawStream() = default;
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;
  ~RawStream() {
    if (end_ != nullptr) end_(&stream_);
  }
  bool StartInflate() { return Started(inflateInit2(&stream_, -MAX_WBITS), &inflateEnd); }
  bool StartDeflate() {
    return Started(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS,
                                /*memLevel=*/8, Z_DEFAULT_STRATEGY),
                   &deflateEnd);
  }
  void SetInput(std::string_view bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
  }
  z_stream* get() { return &stream_; }

 private:
  bool Started(int code, int (*end)(z_stream*)) {
    if (code != Z_OK) return false;
    end_ = end;
    return true;
  }

  z_stream stream_ = {};
  int (*end_)(z_stream*) = nullptr;
};

Result<std::string> Inflate(std::string_view compressed) {
  if (compressed.size() > std::numeric_limits<uInt>::max()) {
    return Corrupt("compressed block of ", compressed.size(), " bytes");
  }
  RawStream stream;
  if (!stream.StartInflate()) return MakeError(ErrorCode::kOutOfBudget, "cannot start inflate");
  stream.SetInput(compressed);
  const size_t limit = std::min(kMaxInflatedBytes, compressed.size() * kMaxDeflateRatio + 64);
  std::string bytes;
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    const size_t done = bytes.size();
    if (done >= limit) return Corrupt("block inflates to more than ", limit, " bytes");
    bytes.resize(std::min(limit, std::max<size_t>(2 * done, 4 * compressed.size() + 64)));
    stream.get()->next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
    stream.get()->avail_out = static_cast<uInt>(bytes.size() - done);
    code = inflate(stream.get(), Z_NO_FLUSH);
    const size_t unused = stream.get()->avail_out;
    bytes.resize(bytes.size() - unused);
    // Space left and not at the end: the input is used up.
    if (code != Z_STREAM_END && (code != Z_OK || unused > 0)) {
      return Corrupt("deflate data is damaged or cut off");
    }
  }
  return bytes;
}

Result<std::string> Deflate(std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) {
    return Unsupported("Avro block of ", bytes.size(), " bytes");
  }
  RawStream stream;
  if (!stream.StartDeflate()) return MakeError(ErrorCode::kOutOfBudget, "cannot start deflate");
  stream.SetInput(bytes);
  std::string compressed(deflateBound(stream.get(), bytes.size()), '\0');
  stream.get()->next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.get()->avail_out = static_cast<uInt>(compressed.size());
  if (deflate(stream.get(), Z_FINISH) != Z_STREAM_END) return IoError("deflate failed");
  compressed.resize(compressed.size() - stream.get()->avail_out);
  return compressed;
}

/// True for the key-value records that counts and bounds are made of: fields are integers or bytes.
bool IsFlatRecord(const AvroType& type) {
  return type.kind == Kind::kRecord && std::ranges::all_of(type.fields, [](const AvroField& field) {
           const Kind kind = field.type->kind;
           return kind == Kind::kInt || kind == Kind::kLong || kind == Kind::kBytes ||
                  kind == Kind::kString;
         });
}

/// Passes over `count` records that are flat.
Status SkipFlatRecords(const AvroType& type, int64_t count, AvroDecoder* decoder) {
  for (int64_t i = 0; i < count; ++i) {
    for (const AvroField& field : type.fields) {
      const Kind kind = field.type->kind;
      const bool is_integer = kind == Kind::kInt || kind == Kind::kLong;
      ARROW_RETURN_NOT_OK(is_integer ? decoder->SkipLong() : decoder->SkipBytes());
    }
  }
  return Status::OK();
}

Status SkipItems(const AvroType& type, AvroDecoder* decoder) {
  const bool is_flat = type.kind == Kind::kArray && IsFlatRecord(*type.item);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const int64_t count, decoder->ReadBlockCount());
    if (count == 0) return Status::OK();
    if (is_flat) {
      ARROW_RETURN_NOT_OK(SkipFlatRecords(*type.item, count, decoder));
      continue;
    }
    for (int64_t i = 0; i < count; ++i) {
      if (type.kind == Kind::kMap) ARROW_RETURN_NOT_OK(decoder->ReadBytes());
      ARROW_RETURN_NOT_OK(SkipAvro(*type.item, decoder));
    }
  }
}

}  // namespace

Status UnexpectedAvroType(const AvroType& type, std::string_view expected) {
  return Corrupt("Avro type number ", static_cast<int>(type.kind), " where ", expected,
                 " is expected");
}

Status AvroDecoder::BadInteger() const {
  if (rest_.empty()) return Corrupt("Avro data ends early at byte ", offset());
  return Corrupt("Avro integer of more than 10 bytes before byte ", offset());
}

Result<bool> AvroDecoder::ReadBoolean() {
  if (rest_.empty()) return BadInteger();
  const auto byte = static_cast<uint8_t>(rest_.front());
  if (byte > 1) return Corrupt("Avro boolean ", int{byte}, " at byte ", offset());
  rest_.remove_prefix(1);
  return byte == 1;
}

Status AvroDecoder::SkipBytes() {
  int64_t length = 0;
  if (!TryReadLong(&length)) return BadInteger();
  if (length < 0 || static_cast<uint64_t>(length) > rest_.size()) {
    return Corrupt("Avro value of ", length, " bytes at byte ", offset(), ", but only ",
                   rest_.size(), " are left");
  }
  rest_.remove_prefix(static_cast<size_t>(length));
  return Status::OK();
}

Result<std::string_view> AvroDecoder::ReadBytes() {
  ARROW_ASSIGN_OR_RAISE(const int64_t length, ReadLong());
  if (length < 0) return Corrupt("Avro length ", length, " before byte ", offset());
  return ReadFixed(static_cast<uint64_t>(length));
}

Result<std::string_view> AvroDecoder::ReadFixed(uint64_t length) {
  if (length > rest_.size()) {
    return Corrupt("Avro value of ", length, " bytes at byte ", offset(), ", but only ",
                   rest_.size(), " are left");
  }
  const std::string_view bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return bytes;
}

Result<int64_t> AvroDecoder::ReadBlockCount() {
  ARROW_ASSIGN_OR_RAISE(int64_t count, ReadLong());
  if (count < 0) {
    // A negative count is followed by the size of the block in bytes.
    ARROW_ASSIGN_OR_RAISE(const int64_t size, ReadLong());
    if (size < 0 || count == std::numeric_limits<int64_t>::min()) {
      return Corrupt("Avro block of ", size, " bytes before byte ", offset());
    }
    count = -count;
  }
  if (static_cast<uint64_t>(count) > rest_.size()) {
    return Corrupt("Avro block of ", count, " items at byte ", offset(), ", but only ",
                   rest_.size(), " bytes are left");
  }
  return count;
}

Status SkipAvro(const AvroType& type, AvroDecoder* decoder) {
  switch (type.kind) {
    case Kind::kNull:
      return Status::OK();
    case Kind::kBoolean:
      return decoder->ReadFixed(1).status();
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum:
      return decoder->SkipLong();
    case Kind::kFloat:
      return decoder->ReadFixed(sizeof(float)).status();
    case Kind::kDouble:
      return decoder->ReadFixed(sizeof(double)).status();
    case Kind::kBytes:
    case Kind::kString:
      return decoder->SkipBytes();
    case Kind::kFixed:
      return decoder->ReadFixed(static_cast<uint64_t>(type.fixed_size)).status();
    case Kind::kRecord:
      for (const AvroField& field : type.fields) {
        ARROW_RETURN_NOT_OK(SkipAvro(*field.type, decoder));
      }
      return Status::OK();
    case Kind::kArray:
    case Kind::kMap:
      return SkipItems(type, decoder);
    case Kind::kUnion: {
      ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
      return SkipAvro(*branch, decoder);
    }
  }
  return Corrupt("unknown Avro type");
}

Result<const AvroType*> ReadAvroBranch(const AvroType& type, AvroDecoder* decoder) {
  if (type.kind != Kind::kUnion) return &type;
  ARROW_ASSIGN_OR_RAISE(const int64_t branch, decoder->ReadLong());
  if (branch < 0 || branch >= std::ssize(type.branches)) {
    return Corrupt("Avro union branch ", branch, " of ", type.branches.size(), " before byte ",
                   decoder->offset());
  }
  return type.branches[static_cast<size_t>(branch)].get();
}

Result<std::optional<int64_t>> ReadAvroLong(const AvroType& type, AvroDecoder* decoder) {
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
  if (branch->kind == Kind::kNull) return std::nullopt;
  if (branch->kind != Kind::kInt && branch->kind != Kind::kLong) {
    return UnexpectedAvroType(*branch, "an integer");
  }
  return decoder->ReadLong();
}

Result<std::optional<std::string_view>> ReadAvroBytes(const AvroType& type, AvroDecoder* decoder) {
  ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(type, decoder));
  switch (branch->kind) {
    case Kind::kNull:
      return std::nullopt;
    case Kind::kBytes:
    case Kind::kString:
      return decoder->ReadBytes();
    case Kind::kFixed:
      return decoder->ReadFixed(static_cast<uint64_t>(branch->fixed_size));
    default:
      return UnexpectedAvroType(*branch, "bytes");
  }
}

Result<AvroFile> AvroFile::Parse(std::string_view bytes) {
  AvroFile file;
  AvroDecoder decoder(bytes);
  ARROW_ASSIGN_OR_RAISE(const std::string_view magic, decoder.ReadFixed(kMagic.size()));
  if (magic != kMagic) return Corrupt("not an Avro container file: it begins with other bytes");
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const int64_t count, decoder.ReadBlockCount());
    if (count == 0) break;
    for (int64_t i = 0; i < count; ++i) {
      ARROW_ASSIGN_OR_RAISE(const std::string_view key, decoder.ReadBytes());
      ARROW_ASSIGN_OR_RAISE(const std::string_view value, decoder.ReadBytes());
      file.metadata_.insert_or_assign(std::string(key), std::string(value));
    }
  }
  ARROW_ASSIGN_OR_RAISE(file.sync_, decoder.ReadFixed(kSyncSize));
  file.blocks_offset_ = decoder.offset();
  file.blocks_ = bytes.substr(file.blocks_offset_);

  const auto codec = file.metadata_.find("avro.codec");
  file.deflate_ = codec != file.metadata_.end() && codec->second == "deflate";
  if (codec != file.metadata_.end() && !file.deflate_ && codec->second != "null") {
    return Unsupported("Avro codec '", codec->second, "' is not supported yet");
  }
  const auto schema = file.metadata_.find("avro.schema");
  if (schema == file.metadata_.end()) return Corrupt("Avro file without its schema");
  ARROW_ASSIGN_OR_RAISE(file.schema_, ParseAvroSchema(schema->second));
  if (file.schema_->kind != Kind::kRecord) return Corrupt("Avro file whose items are no records");
  return file;
}

Result<bool> AvroBlock::Next(const std::function<Status(AvroDecoder*)>& read) {
  if (left_ > 0) {
    --left_;
    ARROW_RETURN_NOT_OK(read(&decoder_));
    return true;
  }
  if (decoder_.remaining() != 0) {
    return Corrupt("Avro block at byte ", offset_, " has ", decoder_.remaining(),
                   " bytes behind its last record");
  }
  return false;
}

Result<std::optional<AvroBlock>> AvroFile::NextBlock(size_t* position) const {
  if (*position >= blocks_.size()) return std::nullopt;
  const size_t offset = blocks_offset_ + *position;
  AvroDecoder blocks(blocks_.substr(*position));
  ARROW_ASSIGN_OR_RAISE(const int64_t count, blocks.ReadLong());
  ARROW_ASSIGN_OR_RAISE(std::string_view records, blocks.ReadBytes());
  ARROW_ASSIGN_OR_RAISE(const std::string_view sync, blocks.ReadFixed(kSyncSize));
  *position += blocks.offset();
  if (sync != sync_) return Corrupt("Avro block at byte ", offset, " has a wrong sync marker");
  std::shared_ptr<const std::string> inflated;
  if (deflate_) {
    auto result = Inflate(records);
    if (!result.ok()) {
      return WithContext(result.status(), "Avro block at byte " + std::to_string(offset));
    }
    inflated = std::make_shared<const std::string>(*std::move(result));
    records = *inflated;
  }
  if (count < 0 || static_cast<uint64_t>(count) > records.size()) {
    return Corrupt("Avro block at byte ", offset, " announces ", count, " records in ",
                   records.size(), " bytes");
  }
  return AvroBlock(std::move(inflated), records, count, offset);
}

Status AvroFile::ForEach(const std::function<Status(AvroDecoder*)>& read) const {
  size_t position = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto block, NextBlock(&position));
    if (!block.has_value()) return Status::OK();
    bool more = true;
    while (more) {
      ARROW_ASSIGN_OR_RAISE(more, block->Next(read));
    }
  }
}

void AvroEncoder::PutLong(int64_t value) {
  uint64_t rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (rest > 0x7F) {
    bytes_.push_back(static_cast<char>(rest | 0x80));
    rest >>= 7;
  }
  bytes_.push_back(static_cast<char>(rest));
}

void AvroEncoder::PutBytes(std::string_view value) {
  PutLong(static_cast<int64_t>(value.size()));
  bytes_.append(value);
}

AvroFileBuilder::AvroFileBuilder(std::string_view schema,
                                 const std::map<std::string, std::string>& metadata) {
  const auto uuid = RandomUuid();
  sync_.assign(reinterpret_cast<const char*>(uuid.data()), uuid.size());
  static_assert(uuid.size() == kSyncSize);
  AvroEncoder header;
  header.PutFixed(kMagic);
  header.PutLong(static_cast<int64_t>(metadata.size()) + 2);
  header.PutBytes("avro.schema");
  header.PutBytes(schema);
  header.PutBytes("avro.codec");
  header.PutBytes("deflate");
  for (const auto& [key, value] : metadata) {
    header.PutBytes(key);
    header.PutBytes(value);
  }
  header.PutLong(0);
  header.PutFixed(sync_);
  file_ = header.bytes();
}

Status AvroFileBuilder::Append(std::string_view record) {
  block_.append(record);
  ++block_records_;
  return block_.size() < kBlockBytes ? Status::OK() : FlushBlock();
}

Status AvroFileBuilder::FlushBlock() {
  if (block_records_ == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string compressed, Deflate(block_));
  AvroEncoder block;
  block.PutLong(block_records_);
  block.PutBytes(compressed);
  block.PutFixed(sync_);
  file_.append(block.bytes());
  block_.clear();
  block_records_ = 0;
  return Status::OK();
}

Result<std::string> AvroFileBuilder::Finish() {
  ARROW_RETURN_NOT_OK(FlushBlock());
  return std::move(file_);
}

}  // namespace tusk::iceberg
