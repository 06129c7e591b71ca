#pragma once

#include <cstdint>
#include <optional>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// From which sizes on blobs of a column leave the data file.
struct BlobThresholds {
  uint64_t inline_bytes = 64 << 10;    ///< the most in the data file
  uint64_t packed_bytes = 4 << 20;     ///< the most in a file with others
  uint64_t pack_file_bytes = 1 << 30;  ///< the most in such a file

  /// Those that stand in the metadata of `field`. InvalidArgument for what is no such number.
  static Result<BlobThresholds> Parse(const Field& field);

  bool operator==(const BlobThresholds&) const = default;
};

/// InvalidArgument if `data` says other thresholds than those of the column `field`, which hold for
/// all of its blobs.
Status CheckThresholds(const arrow::Field& data, const Field& field);

}  // namespace tusk::lance
