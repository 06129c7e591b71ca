#include "tusk/lance/encodings/compression.h"

#include <algorithm>
#include <limits>
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
/// What is taken for a result at first, before its bytes have shown that they fill more.
constexpr uint64_t kFirstOutput = 256 << 10;

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

Result<std::shared_ptr<arrow::Buffer>> DecompressZstd(std::span<const uint8_t> frame,
                                                      uint64_t length, arrow::MemoryPool* pool) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   ZSTD_freeDCtx);
  if (context == nullptr) return arrow::Status::OutOfMemory("no memory for a ZSTD context");
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::ResizableBuffer> out,
      arrow::AllocateResizableBuffer(static_cast<int64_t>(std::min(length, kFirstOutput)), pool));
  ZSTD_inBuffer from = {frame.data(), frame.size(), 0};
  ZSTD_outBuffer to = {out->mutable_data(), static_cast<size_t>(out->size()), 0};
  for (;;) {
    const size_t consumed = from.pos;
    const size_t produced = to.pos;
    const size_t rest = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(rest) != 0) return Broken("ZSTD", frame.size(), length);
    if (rest == 0) break;
    if (to.pos == to.size && to.size < length) {
      const uint64_t size = std::min<uint64_t>(length, uint64_t{to.size} * 4);
      ARROW_RETURN_NOT_OK(out->Resize(static_cast<int64_t>(size)));
      to.dst = out->mutable_data();
      to.size = size;
    } else if (from.pos == consumed && to.pos == produced) {
      return Broken("ZSTD", frame.size(), length);
    }
  }
  if (to.pos != length || from.pos != from.size) return Broken("ZSTD", frame.size(), length);
  return out;
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

uint64_t MaxExpansion(Compression compression) {
  return compression == Compression::kLz4 ? kLz4Expansion : kZstdExpansion;
}

}  // namespace tusk::lance
