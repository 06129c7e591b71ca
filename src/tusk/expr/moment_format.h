#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::expr {

/// A moment as the calendar and the clock of its place show it.
struct LocalMoment {
  int64_t seconds = 0;  ///< since 1970-01-01 00:00:00 of that clock
  int32_t nanoseconds = 0;
  std::optional<int> offset = {};  ///< seconds east of UTC; nothing if the zone is not known
  bool has_date = true;
  bool has_time = true;
};

/// A format of moments in the way of strftime, as pylance has them: %Y %m %d %H %M %S and so on,
/// %f, %.f and %3f for fractions of the second, %z and %:z for offsets; `-`, `_` and `0` behind the
/// percent sign say how numbers are filled up.
class MomentFormat {
 public:
  /// InvalidArgument for a letter that says nothing.
  static Result<MomentFormat> Parse(std::string_view format);

  /// InvalidArgument if the moment has no offset, but the format shows it, or is out of the years
  /// -9999 to 9999.
  Status AppendTo(const LocalMoment& moment, std::string* out) const;
  /// The moment that a text says in this format; nothing if it is none, or does not say enough.
  std::optional<LocalMoment> Read(std::string_view text) const;

 private:
  struct Item {
    char letter = 0;  ///< 0: `text` as it stands
    char fill = 0;    ///< of a number: '-', '_', '0', or 0 for the letter's own way
    int digits = 0;   ///< of a fraction; 0: all there are
    bool has_point = false;
    std::string text = {};
  };
  Status Add(std::string_view format);

  std::vector<Item> items_;
};

}  // namespace tusk::expr
