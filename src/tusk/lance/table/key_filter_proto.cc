#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/key_filter.h"
#include "tusk/lance/table/transaction.pb.h"

// As Arrow's own sources take it: its library does not show these functions.
#define XXH_INLINE_ALL
#include <arrow/vendored/xxhash.h>

namespace tusk::lance {
namespace {

using Filter = proto::KeyExistenceFilter;

// What a filter that does not say it was sized for.
constexpr uint64_t kDefaultItems = 8192;
constexpr double kDefaultProbability = 0.00057;

bool IsSizedAlike(const Filter::BloomFilter& a, const Filter::BloomFilter& b) {
  const auto items = [](const auto& filter) {
    return filter.number_of_items() == 0 ? kDefaultItems : filter.number_of_items();
  };
  const auto probability = [](const auto& filter) {
    return filter.probability() == 0 ? kDefaultProbability : filter.probability();
  };
  return items(a) == items(b) && a.bitmap().size() == b.bitmap().size() &&
         std::abs(probability(a) - probability(b)) <= std::numeric_limits<double>::epsilon();
}

bool MayShareKeys(const Filter::BloomFilter& a, const Filter::BloomFilter& b) {
  if (!IsSizedAlike(a, b)) return true;
  for (size_t i = 0; i < a.bitmap().size(); ++i) {
    if ((a.bitmap()[i] & b.bitmap()[i]) != 0) return true;
  }
  return false;
}

bool ShareKeys(const Filter::ExactKeySet& a, const Filter::ExactKeySet& b) {
  const std::set<uint64_t> hashes(a.key_hashes().begin(), a.key_hashes().end());
  return std::ranges::any_of(b.key_hashes(), [&](uint64_t hash) { return hashes.contains(hash); });
}

/// What of a value goes into the filter; false if nothing does.
bool AppendValue(const arrow::Array& column, int64_t row, std::string* out) {
  if (column.IsNull(row)) return false;
  switch (column.type_id()) {
    case arrow::Type::INT32:
      AppendLittle(int64_t{static_cast<const arrow::Int32Array&>(column).Value(row)}, out);
      return true;
    case arrow::Type::INT64:
      AppendLittle(static_cast<const arrow::Int64Array&>(column).Value(row), out);
      return true;
    case arrow::Type::UINT32:
      AppendLittle(uint64_t{static_cast<const arrow::UInt32Array&>(column).Value(row)}, out);
      return true;
    case arrow::Type::UINT64:
      AppendLittle(static_cast<const arrow::UInt64Array&>(column).Value(row), out);
      return true;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      out->append(static_cast<const arrow::BinaryArray&>(column).GetView(row));
      return true;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      out->append(static_cast<const arrow::LargeBinaryArray&>(column).GetView(row));
      return true;
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      out->append(static_cast<const arrow::BinaryViewArray&>(column).GetView(row));
      return true;
    default:
      return false;
  }
}

/// Of a filter for kDefaultItems with kDefaultProbability.
constexpr size_t kBitmapBytes = 32 << 10;

constexpr size_t kBlockBytes = 32;

/// One for each word of a block.
constexpr std::array<uint32_t, 8> kSalts = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                            0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

}  // namespace

KeyFilter::KeyFilter(std::vector<int32_t> field_ids)
    : field_ids_(std::move(field_ids)), bitmap_(kBitmapBytes, '\0') {}

void KeyFilter::Add(const arrow::ArrayVector& columns, int64_t row) {
  std::string key;
  for (const auto& column : columns) {
    if (!AppendValue(*column, row, &key)) return;
    if (columns.size() > 1) key.push_back('\0');
  }
  const uint64_t hash = XXH64(key.data(), key.size(), /*seed=*/0);
  const uint64_t block = (hash >> 32) * (kBitmapBytes / kBlockBytes) >> 32;
  for (size_t i = 0; i < kSalts.size(); ++i) {
    const uint32_t bit = static_cast<uint32_t>(hash) * kSalts[i] >> 27;
    char& byte = bitmap_[block * kBlockBytes + i * sizeof(uint32_t) + bit / 8];
    byte = static_cast<char>(static_cast<uint8_t>(byte) | 1U << (bit % 8));
  }
}

std::string KeyFilter::Serialize() const {
  Filter filter;
  filter.mutable_field_ids()->Add(field_ids_.begin(), field_ids_.end());
  filter.mutable_bloom()->set_bitmap(bitmap_);
  filter.mutable_bloom()->set_num_bits(static_cast<uint32_t>(bitmap_.size() * 8));
  filter.mutable_bloom()->set_number_of_items(kDefaultItems);
  filter.mutable_bloom()->set_probability(kDefaultProbability);
  return filter.SerializeAsString();
}

bool MayShareKeys(std::string_view ours, std::string_view theirs) {
  Filter a;
  Filter b;
  if (ours.empty() || theirs.empty() || !ParseMessage(ours, &a) || !ParseMessage(theirs, &b)) {
    return true;
  }
  if (!std::ranges::equal(a.field_ids(), b.field_ids())) return true;
  if (a.has_bloom() && b.has_bloom()) return MayShareKeys(a.bloom(), b.bloom());
  // A filter without data is an exact set of no key.
  if (!a.has_bloom() && !b.has_bloom()) return ShareKeys(a.exact(), b.exact());
  return true;
}

}  // namespace tusk::lance
