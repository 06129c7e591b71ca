#pragma once

#include <vector>

#include "tusk/expr/shape.h"

namespace tusk::expr {

/// A line without those of its inner positions whose triangle with their neighbours has at most the
/// area `tolerance`, the least first (Visvalingam and Whyatt 1993). O(n log n).
std::vector<Position> SimplifyByArea(const std::vector<Position>& line, double tolerance);

}  // namespace tusk::expr
