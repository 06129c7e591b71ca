#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// Where in texts a pattern is found.
class Matcher {
 public:
  /// The match is `group` of the pattern, or all of it. A matcher `is_later` looks from the second
  /// character of a text on: for `^` and `\b` there is one before.
  static Result<Matcher> Make(const std::string& pattern, int64_t group, bool is_later,
                              const std::shared_ptr<arrow::DataType>& type,
                              arrow::compute::ExecContext* compute);

  /// Bytes of the match, and of its group if that is asked for; nothing if there is none.
  struct Found {
    int64_t begin = 0;
    int64_t size = 0;
    /// Where the group begins, and how long it is; nothing if it takes no part in the match.
    std::optional<std::pair<int64_t, int64_t>> group = std::pair<int64_t, int64_t>(0, 0);
  };
  /// The first match in each of the texts.
  Result<std::vector<std::optional<Found>>> FindIn(const std::shared_ptr<arrow::Array>& texts,
                                                   const Evaluation& evaluation) const;

 private:
  Kernel find_;
  bool has_group_ = false;
};

/// How many groups a pattern has.
int64_t CountGroups(const std::string& pattern);

}  // namespace tusk::expr
