#include "tusk/lance/encodings/dictionary.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/decode_kernels.h"

namespace tusk::lance {
namespace {

/// Indices of so many bytes are decoded on the stack.
constexpr size_t kFewBytes = 8192;
/// Bytes of an item, and of room, that may be copied at once whatever its length.
constexpr int64_t kCopy = 32;

Status Broken(uint64_t index, int64_t num_items) {
  return Corrupt("index ", index, " into a dictionary of ", num_items, " items");
}
Status Broken(uint64_t index, const Block& items) { return Broken(index, items.num_values()); }

/// The decoded indices of `count` rows, as words of type Index.
template <typename Index>
struct Indices {
  const uint8_t* words;
  int64_t count;

  uint64_t operator[](int64_t i) const {
    return LoadLittle<Index>(words + i * static_cast<int64_t>(sizeof(Index)));
  }
};

/// Copies the item of each row `i`, `width` bytes, to row `position(i)`; kWidth is the width, or 0.
template <int64_t kWidth, typename Index, typename Position>
Status CopyItems(const Block& items, Indices<Index> indices, Position position, int64_t any_width,
                 uint8_t* values) {
  const int64_t width = kWidth == 0 ? any_width : kWidth;
  const auto num_items = static_cast<uint64_t>(items.num_values());
  const uint8_t* from = items.values();
  for (int64_t i = 0; i < indices.count; ++i) {
    const uint64_t item = indices[i];
    if (item >= num_items) [[unlikely]]
      return Broken(item, items);
    std::memcpy(values + position(i) * width, from + item * width, width);
  }
  return Status::OK();
}

template <typename Index, typename Position>
Status LookUpFixed(const Block& items, Indices<Index> indices, Position position,
                   ColumnOutput* out) {
  const int64_t width = out->shape().bits / 8;
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  switch (width) {
    case 1:
      return CopyItems<1>(items, indices, position, width, values);
    case 2:
      return CopyItems<2>(items, indices, position, width, values);
    case 4:
      return CopyItems<4>(items, indices, position, width, values);
    case 8:
      return CopyItems<8>(items, indices, position, width, values);
    default:
      return CopyItems<0>(items, indices, position, width, values);
  }
}

/// Single rows of texts: their bytes stay in the dictionary until the output is finished.
template <typename Index>
Status GatherTexts(const Block& items, Indices<Index> indices, std::span<const TakenRow> rows,
                   ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  const int64_t width = out->shape().bits / 8;
  for (int64_t i = 0; i < indices.count; ++i) {
    const uint64_t item = indices[i];
    if (item >= static_cast<uint64_t>(items.num_values())) return Broken(item, items);
    const auto text = items.Text(static_cast<int64_t>(item));
    // An item is below 2 GiB, as all of them are.
    const uint64_t length = text.size();
    std::memcpy(lengths + (rows[i].position + 1) * width, &length, width);
    out->AddRun(rows[i].position, 1, text.data());
  }
  out->Keep(items.buffer());
  return Status::OK();
}

/// Copies the texts of consecutive rows one behind the other. `room` has kCopy bytes more than they
/// need.
template <typename End, typename Index>
void CopyTexts(const Block& items, Indices<Index> indices, ColumnOutput::Room room) {
  const uint8_t* const items_end = items.buffer()->data() + items.buffer()->size();
  uint8_t* to = room.bytes;
  for (int64_t i = 0; i < indices.count; ++i) {
    const auto text = items.Text(static_cast<int64_t>(indices[i]));
    if (static_cast<int64_t>(text.size()) <= kCopy && items_end - text.data() >= kCopy) [[likely]] {
      std::memcpy(to, text.data(), kCopy);
    } else {
      std::memcpy(to, text.data(), text.size());
    }
    to += text.size();
    StoreLittle(static_cast<End>(room.begin + (to - room.bytes)),
                room.ends + i * static_cast<int64_t>(sizeof(End)));
  }
}

/// Items of a small dictionary, each at the front of kCopy bytes of its own.
class ShortTexts {
 public:
  /// Nothing if there are more items than rows that make it worth the while, or long ones.
  static std::optional<ShortTexts> Of(const Block& items, int64_t num_rows) {
    if (items.num_values() * kRowsPerItem > num_rows) return std::nullopt;
    ShortTexts texts;
    texts.slots_.resize(items.num_values() * kCopy);
    texts.lengths_.resize(items.num_values());
    for (int64_t i = 0; i < items.num_values(); ++i) {
      const auto text = items.Text(i);
      if (static_cast<int64_t>(text.size()) > kCopy) return std::nullopt;
      if (!text.empty()) std::memcpy(&texts.slots_[i * kCopy], text.data(), text.size());
      texts.lengths_[i] = static_cast<uint8_t>(text.size());
    }
    return texts;
  }

  /// Copies the texts of consecutive rows one behind the other and answers their size. `room` has
  /// kCopy bytes for each. The index that is none of the items' is in `broken`.
  template <typename End, typename Index>
  int64_t Copy(Indices<Index> indices, ColumnOutput::Room room,
               std::optional<uint64_t>* broken) const {
    uint8_t* to = room.bytes;
    for (int64_t i = 0; i < indices.count; ++i) {
      const uint64_t item = indices[i];
      if (item >= lengths_.size()) [[unlikely]] {
        *broken = item;
        return 0;
      }
      std::memcpy(to, &slots_[item * kCopy], kCopy);
      to += lengths_[item];
      StoreLittle(static_cast<End>(room.begin + (to - room.bytes)),
                  room.ends + i * static_cast<int64_t>(sizeof(End)));
    }
    return to - room.bytes;
  }

 private:
  static constexpr int64_t kRowsPerItem = 4;

  std::vector<uint8_t> slots_;
  std::vector<uint8_t> lengths_;
};

template <typename Index>
Status AppendShortTexts(const Block& items, const ShortTexts& texts, Indices<Index> indices,
                        int64_t position, ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(const ColumnOutput::Room room,
                        out->MakeRoom(position, (indices.count + 1) * kCopy));
  std::optional<uint64_t> broken;
  const int64_t size = out->shape().bits == 32 ? texts.Copy<int32_t>(indices, room, &broken)
                                               : texts.Copy<int64_t>(indices, room, &broken);
  if (broken) return Broken(*broken, items);
  return out->Append(indices.count, size);
}

template <typename Index>
Status AppendTexts(const Block& items, Indices<Index> indices, int64_t position,
                   ColumnOutput* out) {
  if (const auto texts = ShortTexts::Of(items, indices.count)) {
    return AppendShortTexts(items, *texts, indices, position, out);
  }
  const auto num_items = static_cast<uint64_t>(items.num_values());
  int64_t size = 0;
  for (int64_t i = 0; i < indices.count; ++i) {
    const uint64_t item = indices[i];
    if (item >= num_items) [[unlikely]]
      return Broken(item, items);
    size += static_cast<int64_t>(items.Text(static_cast<int64_t>(item)).size());
  }
  // What the indices claim: it must not be reserved before it is known to fit.
  if (out->shape().bits == 32 && size > std::numeric_limits<int32_t>::max()) {
    return InvalidArgument("texts of ", indices.count, " rows of a dictionary have ", size,
                           " bytes: read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(const ColumnOutput::Room room, out->MakeRoom(position, size + kCopy));
  if (out->shape().bits == 32) {
    CopyTexts<int32_t>(items, indices, room);
  } else {
    CopyTexts<int64_t>(items, indices, room);
  }
  return out->Append(indices.count, size);
}

/// Calls `look_up` with the `count` indices at `words`, `width` bytes each.
template <typename LookUp>
Status VisitIndices(const uint8_t* words, int64_t width, int64_t count, const LookUp& look_up) {
  switch (width) {
    case 1:
      return look_up(Indices<uint8_t>{words, count});
    case 2:
      return look_up(Indices<uint16_t>{words, count});
    case 4:
      return look_up(Indices<uint32_t>{words, count});
    default:
      return look_up(Indices<uint64_t>{words, count});
  }
}

/// Adds `first` to indices into a dictionary. Corrupt for one that is none of the items'.
Status CountFrom(int32_t first, int64_t num_items, std::span<int32_t> indices) {
  auto* words = reinterpret_cast<uint8_t*>(indices.data());
  const auto count = static_cast<int64_t>(indices.size());
  const uint32_t greatest = Kernels().max32(words, count);
  if (count > 0 && greatest >= num_items) return Broken(greatest, num_items);
  if (first != 0) Kernels().add32to32(words, count, static_cast<uint64_t>(first), words);
  return Status::OK();
}

/// Where indices are decoded to: a ColumnOutput in memory of its own, if they are few.
class IndexOutput {
 public:
  IndexOutput(const ValueShape& shape, int64_t num_rows, arrow::MemoryPool* pool)
      : output_(shape, num_rows, pool) {
    const int64_t size = num_rows * shape.bits / 8;
    if (size > static_cast<int64_t>(few_.size())) return;
    output_.AdoptValues(std::make_shared<arrow::MutableBuffer>(few_.data(), size));
  }
  ColumnOutput* get() { return &output_; }

 private:
  alignas(64) std::array<uint8_t, kFewBytes> few_;
  ColumnOutput output_;
};

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

Status DictionaryDecoder::CopyItems(const Block& items, int64_t position, ColumnOutput* out) {
  std::vector<uint32_t> all(items.num_values());
  std::iota(all.begin(), all.end(), uint32_t{0});
  const Indices<uint32_t> found{reinterpret_cast<const uint8_t*>(all.data()), items.num_values()};
  return out->shape().is_variable
             ? AppendTexts(items, found, position, out)
             : LookUpFixed(items, found, [&](int64_t i) { return position + i; }, out);
}

Status DictionaryDecoder::DecodeIndices(const ValueDecoder& indices, const EncodedChunk& chunk,
                                        RowRange rows, int64_t position, int32_t first,
                                        ColumnOutput* out) const {
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  auto* codes = reinterpret_cast<int32_t*>(values) + position;
  if (index_shape_.bits == 32) {
    ARROW_RETURN_NOT_OK(indices.DecodeInto(chunk, rows, position, out));
    return CountFrom(first, num_items_, std::span(codes, rows.length()));
  }
  IndexOutput decoded(index_shape_, rows.length(), out->pool());
  ARROW_RETURN_NOT_OK(indices.DecodeInto(chunk, rows, 0, decoded.get()));
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, decoded.get()->MutableValues());
  return VisitIndices(words, index_shape_.bits / 8, rows.length(), [&](auto found) {
    uint64_t greatest = 0;
    for (int64_t i = 0; i < found.count; ++i) {
      greatest = std::max(greatest, found[i]);
      codes[i] = static_cast<int32_t>(found[i]) + first;
    }
    return greatest < static_cast<uint64_t>(num_items_) ? Status::OK()
                                                        : Broken(greatest, num_items_);
  });
}

Status DictionaryDecoder::DecodeInto(const ValueDecoder& indices, const Block& items,
                                     const EncodedChunk& chunk, RowRange rows, int64_t position,
                                     ColumnOutput* out) const {
  IndexOutput decoded(index_shape_, rows.length(), out->pool());
  ARROW_RETURN_NOT_OK(indices.DecodeInto(chunk, rows, 0, decoded.get()));
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, decoded.get()->MutableValues());
  return VisitIndices(words, index_shape_.bits / 8, rows.length(), [&](auto found) {
    return out->shape().is_variable
               ? AppendTexts(items, found, position, out)
               : LookUpFixed(items, found, [&](int64_t i) { return position + i; }, out);
  });
}

Status DictionaryDecoder::GatherInto(const ValueDecoder& indices, const Block& items,
                                     const EncodedChunk& chunk, std::span<const TakenRow> rows,
                                     int64_t first_row, ColumnOutput* out) const {
  std::vector<TakenRow> dense(rows.begin(), rows.end());
  for (size_t i = 0; i < dense.size(); ++i) dense[i].position = static_cast<int64_t>(i);
  const auto count = static_cast<int64_t>(rows.size());
  IndexOutput decoded(index_shape_, count, out->pool());
  ARROW_RETURN_NOT_OK(indices.GatherInto(chunk, dense, first_row, decoded.get()));
  ARROW_ASSIGN_OR_RAISE(const uint8_t* words, decoded.get()->MutableValues());
  return VisitIndices(words, index_shape_.bits / 8, count, [&](auto found) {
    return out->shape().is_variable
               ? GatherTexts(items, found, rows, out)
               : LookUpFixed(items, found, [&](int64_t i) { return rows[i].position; }, out);
  });
}

}  // namespace tusk::lance
