#include "tusk/lance/encodings/dictionary.h"

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

uint64_t IndexAt(const uint8_t* indices, int64_t width, int64_t i) {
  switch (width) {
    case 1:
      return indices[i];
    case 2:
      return LoadLittle<uint16_t>(indices + i * 2);
    case 4:
      return LoadLittle<uint32_t>(indices + i * 4);
    default:
      return LoadLittle<uint64_t>(indices + i * 8);
  }
}

/// Copies item `index(i)` to row `position(i)` for each of `count` rows.
template <typename Index, typename Position>
Status LookUp(const Block& items, int64_t count, Index index, Position position,
              ColumnOutput* out) {
  const auto num_items = static_cast<uint64_t>(items.num_values());
  const auto broken = [&](uint64_t i) {
    return Corrupt("index ", i, " into a dictionary of ", num_items, " items");
  };
  if (!out->shape().is_variable) {
    const int64_t width = out->shape().bits / 8;
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t item = index(i);
      if (item >= num_items) return broken(item);
      std::memcpy(values + position(i) * width, items.values() + item * width, width);
    }
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  const bool is_narrow = out->shape().bits == 32;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t item = index(i);
    if (item >= num_items) return broken(item);
    const auto text = items.Text(static_cast<int64_t>(item));
    const int64_t row = position(i);
    // An item is below 2 GiB, as all of them are.
    if (is_narrow) {
      StoreLittle(static_cast<int32_t>(text.size()), lengths + (row + 1) * 4);
    } else {
      StoreLittle(static_cast<int64_t>(text.size()), lengths + (row + 1) * 8);
    }
    out->AddRun(row, 1, text.data());
  }
  out->Keep(items.buffer());
  return Status::OK();
}

}  // namespace

DictionaryDecoder::DictionaryDecoder(ValueShape index_shape, ValueEncoding items,
                                     ValueShape item_shape, int64_t num_items)
    : index_shape_(std::move(index_shape)),
      items_(std::move(items)),
      item_shape_(std::move(item_shape)),
      num_items_(num_items) {}

Result<DictionaryDecoder> DictionaryDecoder::Make(const ValueDecoder& indices, ValueEncoding items,
                                                  uint64_t num_items) {
  ARROW_ASSIGN_OR_RAISE(ValueShape item_shape, Block::Shape(items));
  if (num_items == 0 || num_items > std::numeric_limits<int32_t>::max()) {
    return Corrupt("dictionary of ", num_items, " items");
  }
  for (const int64_t bits : {32, 16, 8, 64}) {
    ValueShape index_shape;
    index_shape.bits = bits;
    if (!indices.CheckShape(index_shape).ok()) continue;
    return DictionaryDecoder(std::move(index_shape), std::move(items), std::move(item_shape),
                             static_cast<int64_t>(num_items));
  }
  return Corrupt("indices into a dictionary are no integers");
}

Status DictionaryDecoder::CheckShape(const ValueShape& shape) const {
  if (shape.items_per_row == 1 && shape.list_sizes.empty() &&
      shape.is_variable == item_shape_.is_variable &&
      (shape.is_variable || shape.bits == item_shape_.bits)) {
    return Status::OK();
  }
  return Corrupt("encoding dictionary holds items of ", item_shape_.bits,
                 item_shape_.is_variable ? "-bit offsets" : " bits",
                 ", which the column's type does not");
}

Result<Block> DictionaryDecoder::DecodeItems(const std::shared_ptr<arrow::Buffer>& bytes,
                                             arrow::MemoryPool* pool) const {
  auto items = Block::Decode(items_, num_items_, bytes, pool);
  if (!items.ok()) return WithContext(items.status(), "dictionary");
  if (items->buffer()->size() > std::numeric_limits<int32_t>::max()) {
    return Unsupported("dictionaries of more than 2 GiB are not supported yet");
  }
  return items;
}

Status DictionaryDecoder::DecodeInto(const ValueDecoder& indices, const Block& items,
                                     const EncodedChunk& chunk, RowRange rows, int64_t position,
                                     ColumnOutput* out) const {
  ColumnOutput decoded(index_shape_, rows.length(), out->pool());
  ARROW_RETURN_NOT_OK(indices.DecodeInto(chunk, rows, 0, &decoded));
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, decoded.MutableValues());
  const int64_t width = index_shape_.bits / 8;
  return LookUp(
      items, rows.length(), [&](int64_t i) { return IndexAt(words, width, i); },
      [&](int64_t i) { return position + i; }, out);
}

Status DictionaryDecoder::GatherInto(const ValueDecoder& indices, const Block& items,
                                     const EncodedChunk& chunk, std::span<const TakenRow> rows,
                                     int64_t first_row, ColumnOutput* out) const {
  std::vector<TakenRow> dense(rows.begin(), rows.end());
  for (size_t i = 0; i < dense.size(); ++i) dense[i].position = static_cast<int64_t>(i);
  ColumnOutput decoded(index_shape_, static_cast<int64_t>(rows.size()), out->pool());
  ARROW_RETURN_NOT_OK(indices.GatherInto(chunk, dense, first_row, &decoded));
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, decoded.MutableValues());
  const int64_t width = index_shape_.bits / 8;
  return LookUp(
      items, static_cast<int64_t>(rows.size()), [&](int64_t i) { return IndexAt(words, width, i); },
      [&](int64_t i) { return rows[i].position; }, out);
}

}  // namespace tusk::lance
