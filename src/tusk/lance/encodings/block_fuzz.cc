// Blocks of any bytes in any encoding.

#include <numeric>

#include "tusk/lance/encodings/block.h"
#include "tusk/lance/encodings/decoder_laws.h"
#include "tusk/testing/bounded_pool.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const ValueEncoding encoding = ReadEncoding(&input);
  const auto num_values = static_cast<int64_t>(input.Read<uint32_t>());
  const auto bytes = tusk::ExactCopy(input.Rest());
  const auto shape = Block::Shape(encoding);
  tusk::BoundedPool pool(kFuzzedMemory);
  const auto block = Block::Decode(encoding, num_values, bytes, &pool);
  if (!block.ok()) {
    tusk::RequireRefusal(block.status());
    return 0;
  }
  tusk::Require(shape.status(), "what has no shape is not decoded");
  tusk::Require(block->num_values() == num_values, "a block has the values that it was to have");
  // A run of one byte length stands for 255 values of 64 bits; ZSTD comes on top.
  RequireJustified(pool.largest_request(), size, 0);
  int64_t length = 0;
  uint8_t sum = 0;
  if (shape->is_variable) {
    for (int64_t i = 0; i < num_values; ++i) {
      const auto text = block->Text(i);
      length += static_cast<int64_t>(text.size());
      sum = std::accumulate(text.begin(), text.end(), sum);
    }
    tusk::Require(length <= block->buffer()->size(), "texts do not overlap");
  } else {
    length = num_values * shape->bits / 8;
    tusk::Require(block->buffer()->size() >= length, "all values are there");
    sum = std::accumulate(block->values(), block->values() + length, sum);
  }
  volatile uint8_t sink = sum;
  static_cast<void>(sink);
  return 0;
}
