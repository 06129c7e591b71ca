#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/index/vector/distance.h"

namespace tusk::lance {

/// A row and its distance to the query. Ordered by distance, then by row.
struct Neighbor {
  float distance = 0.0F;
  uint64_t row = 0;
  auto operator<=>(const Neighbor&) const = default;
};

/// The `k` nearest of the neighbors that were added, in memory for at most k of them. Which ones
/// are kept does not depend on the order of adding. k is at least 1.
class NearestRows {
 public:
  explicit NearestRows(int64_t k) : k_(static_cast<size_t>(k)) {}
  /// Keeps `neighbor` if it is among the k nearest so far. A NaN distance is never kept: the row
  /// has no order among the others.
  void Add(Neighbor neighbor) {
    if (heap_.size() < k_ ? neighbor.distance == neighbor.distance : neighbor < heap_.front()) {
      Insert(neighbor);
    }
  }
  /// Nearest first.
  std::vector<Neighbor> Sorted() const;

 private:
  void Insert(Neighbor neighbor);

  size_t k_;
  std::vector<Neighbor> heap_;  ///< the farthest in front
};

/// Adds the rows of `vectors`, a fixed-size list of float as long as `query`, to `nearest`; row i
/// is called `rows[i]`. Left out: null vectors, vectors with a null element, NaN distances.
/// InvalidArgument, naming the type, for any other array.
Status SearchFlat(Metric metric, std::span<const float> query, const arrow::Array& vectors,
                  std::span<const uint64_t> rows, NearestRows* nearest);

/// InvalidArgument unless `type` is a fixed-size list of float of `dimension`; Unsupported, by
/// name, for vectors of other numbers.
Status CheckVectorType(const arrow::DataType& type, int64_t dimension);

}  // namespace tusk::lance
