#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/key_filter.h"
#include "tusk/lance/table/transaction.pb.h"

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

}  // namespace

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
