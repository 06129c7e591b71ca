#include "tusk/lance/encodings/dictionary_builder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

/// Values of up to so many bytes are told apart by two words, longer ones by their hash and then by
/// their bytes.
constexpr uint64_t kShort = 16;

/// Some digits of pi, odd.
constexpr std::array<uint64_t, 3> kSeeds = {0x243F6A8885A308D3, 0x13198A2E03707345,
                                            0xA4093822299F31D1};

/// Both halves of a product: each of its bits depends on all of both factors.
uint64_t Mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// Hash of more than kShort bytes.
uint64_t HashLong(const uint8_t* bytes, uint64_t size) {
  uint64_t hash = size;
  const uint8_t* const last = bytes + size - kShort;
  for (; bytes < last; bytes += kShort) {
    hash = Mix(LoadLittle<uint64_t>(bytes) ^ kSeeds[0] ^ hash,
               LoadLittle<uint64_t>(bytes + 8) ^ kSeeds[1]);
  }
  return Mix(LoadLittle<uint64_t>(last) ^ kSeeds[0] ^ hash,
             LoadLittle<uint64_t>(last + 8) ^ kSeeds[1]);
}

/// A value, or of a long one what it is looked up by.
struct Key {
  uint64_t first = 0;   ///< long values: the hash
  uint64_t second = 0;  ///< long values: 0
  uint64_t length = 0;

  uint64_t Hash() const { return Mix(first ^ kSeeds[0], second ^ kSeeds[1] ^ length * kSeeds[2]); }
};

/// The values of rows of type `Offset`.
template <typename Offset>
class Texts {
 public:
  explicit Texts(const RowsView& rows) : offsets_(rows.offsets), values_(rows.values) {
    const int64_t end = rows.Offset(rows.num_rows);
    if (end - rows.Offset(0) >= static_cast<int64_t>(kShort)) {
      num_roomy_ = std::min(rows.num_rows, rows.RowAt(end - static_cast<int64_t>(kShort), 0) + 1);
    }
  }

  /// Rows at the beginning that have kShort bytes behind where they begin, of theirs or not.
  int64_t num_roomy() const { return num_roomy_; }
  std::pair<const uint8_t*, uint64_t> Bytes(int64_t row) const {
    const auto begin = LoadLittle<Offset>(offsets_ + row * kWidth);
    const auto end = LoadLittle<Offset>(offsets_ + (row + 1) * kWidth);
    return {values_ + begin, static_cast<uint64_t>(end - begin)};
  }

  template <bool kIsRoomy>
  Key KeyOf(int64_t row) const {
    const auto [bytes, length] = Bytes(row);
    if (length > kShort) return {.first = HashLong(bytes, length), .second = 0, .length = length};
    Key key{.first = 0, .second = 0, .length = length};
    if constexpr (kIsRoomy) {
      // What is too much is cut off: that is faster than to read as much as there is.
      key.first = LoadLittle<uint64_t>(bytes) & kMasks[length][0];
      key.second = LoadLittle<uint64_t>(bytes + 8) & kMasks[length][1];
    } else if (length > 0) {
      std::array<uint8_t, kShort> copy{};
      std::memcpy(copy.data(), bytes, length);
      key.first = LoadLittle<uint64_t>(copy.data());
      key.second = LoadLittle<uint64_t>(copy.data() + 8);
    }
    return key;
  }

 private:
  static constexpr auto kWidth = static_cast<int64_t>(sizeof(Offset));
  using Mask = std::array<uint64_t, 2>;
  static constexpr std::array<Mask, kShort + 1> kMasks = [] {
    std::array<Mask, kShort + 1> masks{};
    for (size_t length = 1; length <= kShort; ++length) {
      masks[length][0] = length < 8 ? ~uint64_t{0} >> (64 - 8 * length) : ~uint64_t{0};
      masks[length][1] = length > 8 ? ~uint64_t{0} >> (128 - 8 * length) : 0;
    }
    return masks;
  }();

  const uint8_t* offsets_;
  const uint8_t* values_;
  int64_t num_roomy_ = 0;
};

/// Values of `kWidth` bytes, or of any number of them if that is 0.
template <uint64_t kWidth>
class FixedValues {
 public:
  explicit FixedValues(const RowsView& rows)
      : values_(rows.values + rows.values_bit / 8),
        width_(kWidth != 0 ? kWidth : static_cast<uint64_t>(rows.shape->row_bits() / 8)),
        num_rows_(rows.num_rows) {}

  int64_t num_roomy() const { return num_rows_; }
  std::pair<const uint8_t*, uint64_t> Bytes(int64_t row) const {
    return {values_ + static_cast<uint64_t>(row) * width_, width_};
  }

  template <bool>
  Key KeyOf(int64_t row) const {
    const uint8_t* bytes = Bytes(row).first;
    if (width_ > kShort) return {.first = HashLong(bytes, width_), .second = 0, .length = width_};
    std::array<uint8_t, kShort> copy{};
    std::memcpy(copy.data(), bytes, width_);
    return {.first = LoadLittle<uint64_t>(copy.data()),
            .second = LoadLittle<uint64_t>(copy.data() + 8),
            .length = width_};
  }

 private:
  const uint8_t* values_;
  uint64_t width_;
  int64_t num_rows_;
};

/// Items by their values: open addressing, at most half full.
template <typename Values>
class ItemTable {
 public:
  explicit ItemTable(const Values& values) : values_(values), slots_(kFirstSlots) {}

  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  /// The item of the value of `row`, which is `key`; kNone if there is none, and then `*slot` is
  /// where it belongs.
  uint32_t Find(const Key& key, int64_t row, size_t* slot) const {
    size_t at = key.Hash() >> shift_;
    while (true) {
      const Slot& candidate = slots_[at];
      if (candidate.item == kNone || IsSame(candidate, key, row)) {
        *slot = at;
        return candidate.item;
      }
      at = (at + 1) % slots_.size();
    }
  }

  /// Makes the value of `row` the next item.
  uint32_t Add(const Key& key, int64_t row, size_t slot) {
    const auto item = static_cast<uint32_t>(rows_.size());
    slots_[slot] = {.key = key, .item = item};
    rows_.push_back(row);
    if (4 * rows_.size() > slots_.size()) Grow();
    return item;
  }

  /// The first row of each item.
  const std::vector<int64_t>& rows() const { return rows_; }

 private:
  static constexpr size_t kFirstSlots = 512;

  struct Slot {
    Key key;
    uint32_t item = kNone;
  };

  bool IsSame(const Slot& slot, const Key& key, int64_t row) const {
    if (((slot.key.first ^ key.first) | (slot.key.second ^ key.second) |
         (slot.key.length ^ key.length)) != 0) {
      return false;
    }
    if (key.length <= kShort) [[likely]]
      return true;
    return std::memcmp(values_.Bytes(rows_[slot.item]).first, values_.Bytes(row).first,
                       key.length) == 0;
  }

  void Grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    --shift_;
    for (const Slot& slot : old) {
      if (slot.item == kNone) continue;
      size_t at = slot.key.Hash() >> shift_;
      while (slots_[at].item != kNone) at = (at + 1) % slots_.size();
      slots_[at] = slot;
    }
  }

  const Values& values_;
  std::vector<Slot> slots_;
  int shift_ = 64 - std::countr_zero(kFirstSlots);
  std::vector<int64_t> rows_;
};

/// What the dictionary of some rows may have.
struct Budget {
  int64_t max_items = 0;
  int64_t max_bytes = 0;  ///< of the items, with their offsets
};

/// Nothing if no dictionary of such rows can keep to the limits.
std::optional<Budget> BudgetOf(const RowsView& rows, const DictionaryLimits& limits) {
  if (rows.num_rows < limits.min_rows || rows.shape->is_nothing()) return std::nullopt;
  const bool is_variable = rows.shape->is_variable;
  if (!is_variable && (rows.shape->row_bits() % 8 != 0 || rows.values_bit % 8 != 0)) {
    return std::nullopt;
  }
  const int64_t n = rows.num_rows;
  const int64_t offset_width = is_variable ? rows.shape->bits / 8 : 0;
  const int64_t size = is_variable ? rows.Offset(n) - rows.Offset(0) + (n + 1) * offset_width
                                   : n * (rows.shape->row_bits() / 8);
  const int64_t index_bytes = n * static_cast<int64_t>(sizeof(uint32_t));
  const auto max_size = static_cast<int64_t>(static_cast<double>(size) * limits.max_size_ratio);
  Budget budget;
  budget.max_items = std::min({n / std::max<int64_t>(limits.divisor, 1), limits.max_items,
                               int64_t{std::numeric_limits<int32_t>::max()}});
  budget.max_bytes = max_size - index_bytes - offset_width;
  if (budget.max_items < 1 || budget.max_bytes < 1) return std::nullopt;
  return budget;
}

template <typename Values>
class Builder {
 public:
  Builder(const RowsView& rows, const DictionaryLimits& limits, const Budget& budget)
      : rows_(rows), limits_(limits), budget_(budget), values_(rows), table_(values_) {}

  Result<std::optional<BuiltDictionary>> Build(arrow::MemoryPool* pool) {
    if (rows_.num_rows >= kMinSampled && !IsPromising()) return std::nullopt;
    BuiltDictionary built;
    ARROW_ASSIGN_OR_RAISE(
        built.indices,
        arrow::AllocateBuffer(rows_.num_rows * static_cast<int64_t>(sizeof(uint32_t)), pool));
    indices_ = built.indices->mutable_data();
    const int64_t num_roomy = values_.num_roomy();
    const bool is_built = rows_.validity == nullptr
                              ? IndexRows<true, false>(0, num_roomy) &&
                                    IndexRows<false, false>(num_roomy, rows_.num_rows)
                              : IndexRows<true, true>(0, num_roomy) &&
                                    IndexRows<false, true>(num_roomy, rows_.num_rows);
    if (!is_built || table_.rows().empty()) return std::nullopt;
    ARROW_RETURN_NOT_OK(TakeItems(pool, &built));
    return built;
  }

 private:
  /// Rows that are looked at first, if there are twice as many. If no value comes twice in so many
  /// of them, that is enough.
  static constexpr int64_t kSample = 4096;
  static constexpr int64_t kFirstLook = 1024;
  static constexpr int64_t kMinSampled = 2 * kSample;
  /// Values of a sample of which more are different have no dictionary.
  static constexpr double kMostDifferent = 0.98;

  bool IsPromising() const;

  /// Writes the indices of rows; false if there are too many items.
  template <bool kIsRoomy, bool kHasNulls>
  bool IndexRows(int64_t begin, int64_t end);
  bool AddItem(const Key& key, int64_t row, size_t slot, uint32_t* item);

  Status TakeItems(arrow::MemoryPool* pool, BuiltDictionary* built) const;

  const RowsView& rows_;
  const DictionaryLimits& limits_;
  Budget budget_;
  Values values_;
  ItemTable<Values> table_;
  int64_t item_bytes_ = 0;  ///< of the items
  uint8_t* indices_ = nullptr;
  uint32_t last_ = 0;  ///< index of the row before
};

/// Charikar, Chaudhuri, Motwani, Narasayya, "Towards Estimation Error Guarantees for Distinct
/// Values", PODS 2000: what comes once in a sample of s of n values stands for sqrt(n / s) values,
/// what comes more often for itself.
template <typename Values>
bool Builder<Values>::IsPromising() const {
  ItemTable<Values> table(values_);
  std::vector<uint8_t> is_repeated;
  int64_t num_values = 0;
  int64_t num_repeated = 0;
  uint64_t random = 1;
  for (int64_t i = 0; i < kSample; ++i) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const auto row =
        static_cast<int64_t>((random >> 32) * static_cast<uint64_t>(rows_.num_rows) >> 32);
    if (rows_.IsNull(row)) continue;
    const Key key = values_.template KeyOf<false>(row);
    size_t slot = 0;
    const uint32_t item = table.Find(key, row, &slot);
    if (item == ItemTable<Values>::kNone) {
      table.Add(key, row, slot);
      is_repeated.push_back(0);
    } else if (table.rows()[item] == row) {
      continue;
    } else if (is_repeated[item] == 0) {
      is_repeated[item] = 1;
      ++num_repeated;
    }
    ++num_values;
    if (num_values == kFirstLook && num_repeated == 0) return false;
  }
  if (num_values == 0) return true;
  const auto num_different = static_cast<double>(is_repeated.size());
  if (num_different >= kMostDifferent * static_cast<double>(num_values)) return false;
  const double scale =
      std::sqrt(static_cast<double>(rows_.num_rows) / static_cast<double>(num_values));
  const auto repeated = static_cast<double>(num_repeated);
  return repeated + (num_different - repeated) * scale <= static_cast<double>(budget_.max_items);
}

template <typename Values>
template <bool kIsRoomy, bool kHasNulls>
bool Builder<Values>::IndexRows(int64_t begin, int64_t end) {
  uint32_t last = last_;
  for (int64_t row = begin; row < end; ++row) {
    if (!kHasNulls || !rows_.IsNull(row)) {
      const Key key = values_.template KeyOf<kIsRoomy>(row);
      size_t slot = 0;
      last = table_.Find(key, row, &slot);
      if (last == ItemTable<Values>::kNone && !AddItem(key, row, slot, &last)) return false;
    }
    StoreLittle(last, indices_ + row * static_cast<int64_t>(sizeof(last)));
  }
  last_ = last;
  return true;
}

template <typename Values>
bool Builder<Values>::AddItem(const Key& key, int64_t row, size_t slot, uint32_t* item) {
  *item = table_.Add(key, row, slot);
  const auto num_items = static_cast<int64_t>(table_.rows().size());
  item_bytes_ += static_cast<int64_t>(key.length);
  const int64_t offset_width = rows_.shape->is_variable ? rows_.shape->bits / 8 : 0;
  return num_items <= budget_.max_items && item_bytes_ <= limits_.max_item_bytes &&
         item_bytes_ + num_items * offset_width <= budget_.max_bytes;
}

template <typename Values>
Status Builder<Values>::TakeItems(arrow::MemoryPool* pool, BuiltDictionary* built) const {
  const auto num_items = static_cast<int64_t>(table_.rows().size());
  built->items = {.shape = rows_.shape, .num_rows = num_items};
  ARROW_ASSIGN_OR_RAISE(built->item_values, arrow::AllocateBuffer(item_bytes_, pool));
  uint8_t* const values = built->item_values->mutable_data();
  uint8_t* offsets = nullptr;
  const int64_t width = rows_.shape->bits / 8;
  if (rows_.shape->is_variable) {
    ARROW_ASSIGN_OR_RAISE(built->item_offsets,
                          arrow::AllocateBuffer((num_items + 1) * width, pool));
    offsets = built->item_offsets->mutable_data();
    std::memset(offsets, 0, width);
  }
  int64_t at = 0;
  for (const int64_t row : table_.rows()) {
    const auto [bytes, length] = values_.Bytes(row);
    if (length > 0) std::memcpy(values + at, bytes, length);
    at += static_cast<int64_t>(length);
    if (offsets == nullptr) continue;
    offsets += width;
    std::memcpy(offsets, &at, width);
  }
  built->items.values = values;
  if (built->item_offsets != nullptr) built->items.offsets = built->item_offsets->data();
  return Status::OK();
}

}  // namespace

Result<std::optional<BuiltDictionary>> BuildDictionary(const RowsView& rows,
                                                       const DictionaryLimits& limits,
                                                       arrow::MemoryPool* pool) {
  const auto budget = BudgetOf(rows, limits);
  if (!budget) return std::nullopt;
  if (rows.shape->is_variable) {
    return rows.shape->bits == 32 ? Builder<Texts<int32_t>>(rows, limits, *budget).Build(pool)
                                  : Builder<Texts<int64_t>>(rows, limits, *budget).Build(pool);
  }
  switch (rows.shape->row_bits()) {
    case 64:
      return Builder<FixedValues<8>>(rows, limits, *budget).Build(pool);
    case 128:
      return Builder<FixedValues<16>>(rows, limits, *budget).Build(pool);
    default:
      return Builder<FixedValues<0>>(rows, limits, *budget).Build(pool);
  }
}

}  // namespace tusk::lance
