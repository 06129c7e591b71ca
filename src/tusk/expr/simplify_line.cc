#include "tusk/expr/simplify_line.h"

#include <cmath>
#include <cstddef>
#include <queue>

namespace tusk::expr {
namespace {

double AreaOf(const Position& a, const Position& b, const Position& c) {
  return std::abs((b.x() - a.x()) * (c.y() - a.y()) - (c.x() - a.x()) * (b.y() - a.y())) / 2;
}

/// A position with the neighbours that it had when its area was computed.
struct Corner {
  double area;
  size_t place;
  size_t before;
  size_t behind;
  /// For a queue whose top has the least area, and of several the first place.
  bool operator<(const Corner& other) const {
    return area != other.area ? area > other.area : place > other.place;
  }
};

}  // namespace

std::vector<Position> SimplifyByArea(const std::vector<Position>& line, double tolerance) {
  const size_t size = line.size();
  if (size < 3) return line;
  std::vector<size_t> before(size);
  std::vector<size_t> behind(size);
  std::vector<bool> is_gone(size, false);
  std::priority_queue<Corner> corners;
  const auto add = [&](size_t place) {
    if (place == 0 || place == size - 1) return;
    const size_t left = before[place];
    const size_t right = behind[place];
    corners.push({AreaOf(line[left], line[place], line[right]), place, left, right});
  };
  for (size_t i = 0; i < size; ++i) {
    before[i] = i == 0 ? 0 : i - 1;
    behind[i] = i + 1;
  }
  for (size_t i = 1; i + 1 < size; ++i) add(i);
  while (!corners.empty() && corners.top().area <= tolerance) {
    const Corner corner = corners.top();
    corners.pop();
    const size_t place = corner.place;
    // What was computed with other neighbours is there again with those that it has now.
    if (is_gone[place] || before[place] != corner.before || behind[place] != corner.behind) {
      continue;
    }
    is_gone[place] = true;
    behind[before[place]] = behind[place];
    before[behind[place]] = before[place];
    add(before[place]);
    add(behind[place]);
  }
  std::vector<Position> kept;
  for (size_t i = 0; i < size; ++i) {
    if (!is_gone[i]) kept.push_back(line[i]);
  }
  return kept;
}

}  // namespace tusk::expr
