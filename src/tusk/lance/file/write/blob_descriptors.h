#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/file/write/leaf_path.h"
#include "tusk/lance/file/write/page_encoder.h"

namespace tusk::lance {

/// The rows of a blob column, whose bytes stand in the file outside of pages: where each has them.
class BlobDescriptors {
 public:
  /// Writes bytes to the file and answers their position.
  using Write = std::function<Result<int64_t>(std::span<const uint8_t>)>;

  /// Writes the bytes of `rows`, values of large_binary without lists around them.
  Status Append(const LeafRows& rows, const Write& write);
  int64_t num_rows() const { return static_cast<int64_t>(words_.size()) / 2; }
  /// The rows so far as a page; `layers` are those of their levels. Begins anew.
  Result<EncodedPage> Finish(const std::vector<LevelLayer>& layers, const PageFormat& format,
                             const OperationContext& context);

 private:
  std::vector<uint64_t> words_;  ///< of each row the position and the size
  bool has_nulls_ = false;
};

}  // namespace tusk::lance
