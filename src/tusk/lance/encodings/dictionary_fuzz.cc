// Dictionaries: indices and items of any bytes.

#include <algorithm>
#include <vector>

#include <arrow/array/data.h>

#include "tusk/lance/encodings/decoder_laws.h"
#include "tusk/lance/encodings/dictionary.h"
#include "tusk/testing/bounded_pool.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const auto type = ReadType(&input);
  const auto shape = *ValueShape::Of(*type);
  const auto indices = MakeValueDecoder(ReadEncoding(&input));
  const ValueEncoding item_encoding = ReadEncoding(&input);
  if (!indices.ok() || (*indices)->num_buffers() != 1) return 0;
  const auto dictionary = DictionaryDecoder::Make(**indices, item_encoding, input.Read<uint32_t>());
  if (!dictionary.ok()) {
    tusk::RequireRefusal(dictionary.status());
    return 0;
  }
  if (!dictionary->CheckShape(shape).ok()) return 0;
  const int64_t num_values = input.ReadBetween(1, 4096);
  const int64_t begin = input.ReadBetween(0, num_values - 1);
  const int64_t length = input.ReadBetween(1, num_values - begin);
  const int64_t step = int64_t{input.Read<uint8_t>()} + 1;
  const auto item_bytes = tusk::ExactCopy(input.TakeSized());
  const auto index_bytes = tusk::ExactCopy(input.Rest());
  if ((*indices)->MinBytes(static_cast<uint64_t>(num_values)) >
      static_cast<uint64_t>(index_bytes->size())) {
    return 0;
  }
  tusk::BoundedPool pool(kFuzzedMemory);
  const auto items = dictionary->DecodeItems(item_bytes, &pool);
  RequireJustified(pool.largest_request(), size, 0);
  if (!items.ok()) {
    tusk::RequireRefusal(items.status());
    return 0;
  }
  const std::span<const uint8_t> buffer(index_bytes->data(), index_bytes->size());
  const EncodedChunk chunk{.buffers = {&buffer, 1}, .num_values = num_values};
  const auto finished = [&](const tusk::Status& status, ColumnOutput* out) {
    std::shared_ptr<arrow::ArrayData> array;
    if (!status.ok()) {
      tusk::RequireRefusal(status);
      return array;
    }
    auto result = out->Finish(type);
    if (!result.ok()) {
      tusk::RequireRefusal(result.status());
      return array;
    }
    tusk::RequireValid(*result, out->num_rows());
    return *result;
  };
  const auto decode = [&](RowRange rows) {
    ColumnOutput out(shape, rows.length(), &pool);
    const tusk::Status status = dictionary->DecodeInto(**indices, *items, chunk, rows, 0, &out);
    return finished(status, &out);
  };
  const auto whole = decode({.begin = 0, .end = num_values});
  const auto part = decode({.begin = begin, .end = begin + length});
  std::vector<TakenRow> rows;
  for (int64_t row = begin; row < num_values; row += step) {
    rows.push_back({.row = row + 7, .position = static_cast<int64_t>(rows.size())});
  }
  ColumnOutput gathered(shape, static_cast<int64_t>(rows.size()), &pool);
  const tusk::Status status = dictionary->GatherInto(**indices, *items, chunk, rows, 7, &gathered);
  const auto taken = finished(status, &gathered);
  // Texts repeat as often as their indices: they are bounded by the pool.
  if (whole == nullptr) return 0;
  tusk::Require(part != nullptr && taken != nullptr, "what is read whole can be read in part");
  RequireRowsOf(whole, begin, 1, part);
  RequireRowsOf(whole, begin, step, taken);
  return 0;
}
