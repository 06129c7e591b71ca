#include "tusk/lance/encodings/compression.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>
#include <lz4.h>
#include <zstd.h>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

using Compression = ValueEncoding::Compression;

/// A match of LZ4 grows by 255 bytes with each byte of its length.
constexpr uint64_t kLz4Expansion = 255;
/// A ZSTD block of 4 bytes repeats one byte 128 Ki times.
constexpr uint64_t kZstdExpansion = 32 << 10;
/// Of a ZSTD block, in front and in memory.
constexpr size_t kBlockHeader = 3;
constexpr uint64_t kMaxBlock = 128 << 10;

Status Broken(const char* what, size_t size, uint64_t length) {
  return Corrupt(what, " data of ", size, " bytes does not make ", length, " bytes");
}

Result<std::shared_ptr<arrow::Buffer>> DecompressLz4(std::span<const uint8_t> block,
                                                     uint64_t length, arrow::MemoryPool* pool) {
  if (length > LZ4_MAX_INPUT_SIZE || block.size() > LZ4_MAX_INPUT_SIZE) {
    return Broken("LZ4", block.size(), length);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                        arrow::AllocateBuffer(static_cast<int64_t>(length), pool));
  const int written = LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()),
                                          reinterpret_cast<char*>(out->mutable_data()),
                                          static_cast<int>(block.size()), static_cast<int>(length));
  if (written < 0 || static_cast<uint64_t>(written) != length) {
    return Broken("LZ4", block.size(), length);
  }
  return out;
}

/// Bytes that the blocks of a ZSTD frame make at the most, so that memory is taken for no more than
/// they can fill. Corrupt if they do not end where the frame does. Source: RFC 8878, section 3.1.1.
Result<uint64_t> MaxFrameContent(std::span<const uint8_t> frame) {
  const auto broken = [&] { return Corrupt("ZSTD frame of ", frame.size(), " bytes is broken"); };
  constexpr size_t kDescriptorAt = 4;
  if (frame.size() <= kDescriptorAt) return broken();
  const uint8_t descriptor = frame[kDescriptorAt];
  const bool is_single_segment = (descriptor & 0x20) != 0;
  const bool has_checksum = (descriptor & 0x04) != 0;
  constexpr std::array<size_t, 4> kDictionaryIdSizes = {0, 1, 2, 4};
  constexpr std::array<size_t, 4> kContentSizes = {0, 2, 4, 8};
  const size_t content_size =
      descriptor >> 6 == 0 && is_single_segment ? 1 : kContentSizes[descriptor >> 6];
  size_t at = kDescriptorAt + 1 + (is_single_segment ? 0 : 1) +
              kDictionaryIdSizes[descriptor & 0x03] + content_size;
  uint64_t most = 0;
  for (bool is_last = false; !is_last;) {
    if (at > frame.size() || frame.size() - at < kBlockHeader) return broken();
    const uint32_t header = frame[at] | frame[at + 1] << 8 | frame[at + 2] << 16;
    at += kBlockHeader;
    is_last = (header & 1) != 0;
    const uint32_t type = header >> 1 & 3;
    const uint32_t size = header >> 3;
    constexpr uint32_t kRaw = 0;
    constexpr uint32_t kRepeated = 1;
    most += type <= kRepeated ? std::min<uint64_t>(size, kMaxBlock) : kMaxBlock;
    if (type == 3 || (type == kRaw && size > kMaxBlock)) return broken();
    const size_t stored = type == kRepeated ? 1 : size;
    if (stored > frame.size() - at) return broken();
    at += stored;
  }
  if (frame.size() - at != (has_checksum ? sizeof(uint32_t) : 0)) return broken();
  return most;
}

/// A context of this thread, which costs more to make than a chunk to decompress.
ZSTD_DCtx* ZstdContext() {
  thread_local const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                                ZSTD_freeDCtx);
  return context.get();
}

Status NoContext() { return arrow::Status::OutOfMemory("no memory for a ZSTD context"); }

Result<std::shared_ptr<arrow::Buffer>> DecompressZstd(std::span<const uint8_t> frame,
                                                      uint64_t length, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const uint64_t most, MaxFrameContent(frame));
  if (length > most) return Broken("ZSTD", frame.size(), length);
  ZSTD_DCtx* const context = ZstdContext();
  if (context == nullptr) return NoContext();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                        arrow::AllocateBuffer(static_cast<int64_t>(length), pool));
  // At once: in steps ZSTD takes memory of its own for a window as large as the frame claims.
  const size_t written =
      ZSTD_decompressDCtx(context, out->mutable_data(), length, frame.data(), frame.size());
  if (ZSTD_isError(written) != 0 || written != length) return Broken("ZSTD", frame.size(), length);
  return out;
}

/// What a context to compress may keep of memory between calls: high levels take far more.
constexpr size_t kKeptContext = 16 << 20;

using ZstdCompressor = std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)>;

/// The context of this thread to compress with, or null.
ZstdCompressor& ThreadCompressor() {
  thread_local ZstdCompressor context(nullptr, ZSTD_freeCCtx);
  return context;
}

/// Bytes of the block written to `to`, which has `capacity`.
Result<int64_t> CompressLz4(std::span<const uint8_t> bytes, int64_t capacity, uint8_t* to) {
  // No bytes may stand at no address, which LZ4 does not take.
  const void* from = bytes.empty() ? to : bytes.data();
  const int written =
      LZ4_compress_default(static_cast<const char*>(from), reinterpret_cast<char*>(to),
                           static_cast<int>(bytes.size()), static_cast<int>(capacity));
  if (written <= 0) return arrow::Status::UnknownError("LZ4 took no ", bytes.size(), " bytes");
  return written;
}

/// Bytes of the frame written to `to`, which has `capacity`.
Result<int64_t> CompressZstd(std::span<const uint8_t> bytes, int level, int64_t capacity,
                             uint8_t* to) {
  ZstdCompressor& context = ThreadCompressor();
  if (context == nullptr) context.reset(ZSTD_createCCtx());
  if (context == nullptr) return NoContext();
  const size_t written =
      ZSTD_compressCCtx(context.get(), to, capacity, bytes.data(), bytes.size(), level);
  if (ZSTD_sizeof_CCtx(context.get()) > kKeptContext) context.reset();
  if (ZSTD_isError(written) != 0) {
    return arrow::Status::UnknownError("ZSTD of ", bytes.size(), " bytes in level ", level, ": ",
                                       ZSTD_getErrorName(written));
  }
  return static_cast<int64_t>(written);
}

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> Decompress(Compression compression,
                                                  std::span<const uint8_t> bytes, uint64_t max_size,
                                                  arrow::MemoryPool* pool) {
  if (bytes.empty()) return std::make_shared<arrow::Buffer>(nullptr, 0);
  const size_t prefix = compression == Compression::kLz4 ? sizeof(uint32_t) : sizeof(uint64_t);
  if (bytes.size() < prefix) {
    return Corrupt("compressed data of ", bytes.size(), " bytes has no length");
  }
  const uint64_t length = compression == Compression::kLz4 ? LoadLittle<uint32_t>(bytes.data())
                                                           : LoadLittle<uint64_t>(bytes.data());
  if (length > max_size || length / MaxExpansion(compression) > bytes.size()) {
    return Corrupt("compressed data of ", bytes.size(), " bytes claims ", length, " bytes, where ",
                   max_size, " are possible");
  }
  return compression == Compression::kLz4 ? DecompressLz4(bytes.subspan(prefix), length, pool)
                                          : DecompressZstd(bytes.subspan(prefix), length, pool);
}

std::optional<std::span<const uint8_t>> FindUncompressed(Compression compression,
                                                         std::span<const uint8_t> bytes) {
  // Source: RFC 8878, section 3.1.1.
  constexpr uint32_t kMagic = 0xFD2FB528;
  constexpr size_t kDescriptorAt = sizeof(uint64_t) + sizeof(kMagic);
  if (compression != Compression::kZstd || bytes.size() <= kDescriptorAt) return std::nullopt;
  const auto length = LoadLittle<uint64_t>(bytes.data());
  if (LoadLittle<uint32_t>(bytes.data() + sizeof(uint64_t)) != kMagic) return std::nullopt;
  // One segment, whose length is told; no checksum, no dictionary.
  const uint8_t descriptor = bytes[kDescriptorAt];
  constexpr uint8_t kSingleSegment = 0x20;
  if ((descriptor & 0x3F) != kSingleSegment) return std::nullopt;
  const size_t told_width = size_t{1} << (descriptor >> 6);
  const size_t content = kDescriptorAt + 1 + told_width + kBlockHeader;
  if (length > kMaxBlock || bytes.size() != content + length) return std::nullopt;
  uint64_t told = 0;
  std::memcpy(&told, bytes.data() + kDescriptorAt + 1, told_width);
  // Two bytes count from 256 on.
  if (told_width == 2) told += 256;
  const uint8_t* block = bytes.data() + content - kBlockHeader;
  const uint64_t header = block[0] | block[1] << 8 | block[2] << 16;
  constexpr uint64_t kLastRaw = 1;
  if (told != length || header != (length << 3 | kLastRaw)) return std::nullopt;
  return bytes.subspan(content);
}

Result<std::shared_ptr<arrow::Buffer>> Compress(Compression compression, std::optional<int> level,
                                                std::span<const uint8_t> bytes,
                                                arrow::MemoryPool* pool) {
  arrow::BufferBuilder out(pool);
  ARROW_RETURN_NOT_OK(AppendCompressed(compression, level, bytes, &out));
  return out.Finish();
}

Status AppendCompressed(Compression compression, std::optional<int> level,
                        std::span<const uint8_t> bytes, arrow::BufferBuilder* out) {
  if (compression == Compression::kUnknown) {
    return InvalidArgument("compression is neither LZ4 nor ZSTD");
  }
  if (bytes.size() > LZ4_MAX_INPUT_SIZE) {
    return InvalidArgument(bytes.size(), " bytes are too many to be compressed at once");
  }
  const bool is_lz4 = compression == Compression::kLz4;
  const int64_t prefix = is_lz4 ? sizeof(uint32_t) : sizeof(uint64_t);
  const auto capacity =
      static_cast<int64_t>(is_lz4 ? static_cast<size_t>(LZ4_COMPRESSBOUND(bytes.size()))
                                  : ZSTD_compressBound(bytes.size()));
  ARROW_RETURN_NOT_OK(out->Reserve(prefix + capacity));
  uint8_t* to = out->mutable_data() + out->length();
  const uint64_t length = bytes.size();
  std::memcpy(to, &length, prefix);
  ARROW_ASSIGN_OR_RAISE(const int64_t written,
                        is_lz4 ? CompressLz4(bytes, capacity, to + prefix)
                               : CompressZstd(bytes, level.value_or(0), capacity, to + prefix));
  out->UnsafeAdvance(prefix + written);
  return Status::OK();
}

uint64_t MaxExpansion(Compression compression) {
  return compression == Compression::kLz4 ? kLz4Expansion : kZstdExpansion;
}

}  // namespace tusk::lance
