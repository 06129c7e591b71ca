// Compressed data of any bytes.

#include <arrow/buffer.h>

#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/decoder_laws.h"
#include "tusk/testing/bounded_pool.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  using Compression = ValueEncoding::Compression;
  tusk::FuzzInput input(data, size);
  const auto compression = input.Read<uint8_t>() % 2 == 0 ? Compression::kLz4 : Compression::kZstd;
  const auto max_size = input.Read<uint32_t>();
  const auto bytes = tusk::ExactCopy(input.Rest());
  tusk::BoundedPool pool(kFuzzedMemory);
  const auto plain =
      Decompress(compression, {bytes->data(), static_cast<size_t>(bytes->size())}, max_size, &pool);
  RequireJustified(pool.largest_request(), size, 0);
  if (!plain.ok()) {
    tusk::RequireRefusal(plain.status());
    return 0;
  }
  tusk::Require((*plain)->size() <= max_size, "the result is not above its limit");
  // Every byte is there to be read.
  uint8_t sum = 0;
  for (int64_t i = 0; i < (*plain)->size(); ++i) sum ^= (*plain)->data()[i];
  volatile uint8_t sink = sum;
  static_cast<void>(sink);
  return 0;
}
