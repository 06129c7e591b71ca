#include "tusk/lance/index/vector/flat_search.h"

#include <algorithm>
#include <array>

#include <arrow/array.h>
#include <arrow/type.h>

namespace tusk::lance {
namespace {

/// Rows whose distances are computed before they are compared: they fit the first-level cache.
constexpr int64_t kBlockRows = 512;

bool IsWhole(const arrow::FixedSizeListArray& vectors, const arrow::FloatArray& values,
             int64_t row) {
  if (vectors.IsNull(row)) return false;
  if (values.null_count() == 0) return true;
  const int64_t begin = vectors.value_offset(row);
  for (int64_t i = begin; i < begin + vectors.value_length(); ++i) {
    if (values.IsNull(i)) return false;
  }
  return true;
}

}  // namespace

void NearestRows::Insert(Neighbor neighbor) {
  if (heap_.size() == k_) {
    std::ranges::pop_heap(heap_);
    heap_.pop_back();
  }
  heap_.push_back(neighbor);
  std::ranges::push_heap(heap_);
}

std::vector<Neighbor> NearestRows::Sorted() const {
  std::vector<Neighbor> sorted = heap_;
  std::ranges::sort(sorted);
  return sorted;
}

Status CheckVectorType(const arrow::DataType& type, int64_t dimension) {
  if (type.id() != arrow::Type::FIXED_SIZE_LIST) {
    return InvalidArgument("a vector column is a fixed-size list of float, not ", type.ToString());
  }
  const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
  if (list.value_type()->id() != arrow::Type::FLOAT) {
    return Unsupported("search in vectors of ", list.value_type()->ToString(),
                       " is not supported yet: only float is");
  }
  if (list.list_size() != dimension) {
    return InvalidArgument("the query has ", dimension, " dimensions but the vectors have ",
                           list.list_size());
  }
  return Status::OK();
}

Status SearchFlat(Metric metric, std::span<const float> query, const arrow::Array& vectors,
                  std::span<const uint64_t> rows, NearestRows* nearest) {
  ARROW_RETURN_NOT_OK(CheckVectorType(*vectors.type(), std::ssize(query)));
  if (std::ssize(rows) != vectors.length()) {
    return InvalidArgument("there are ", rows.size(), " row ids for ", vectors.length(),
                           " vectors");
  }
  const auto& lists = static_cast<const arrow::FixedSizeListArray&>(vectors);
  const auto& values = static_cast<const arrow::FloatArray&>(*lists.values());
  const bool all_whole = lists.null_count() == 0 && values.null_count() == 0;
  std::array<float, kBlockRows> distances;
  for (int64_t begin = 0; begin < lists.length(); begin += kBlockRows) {
    const int64_t count = std::min(kBlockRows, lists.length() - begin);
    ComputeDistances(metric, query, values.raw_values() + lists.value_offset(begin), count,
                     distances.data());
    for (int64_t i = 0; i < count; ++i) {
      if (!all_whole && !IsWhole(lists, values, begin + i)) continue;
      nearest->Add({.distance = distances[i], .row = rows[begin + i]});
    }
  }
  return Status::OK();
}

}  // namespace tusk::lance
