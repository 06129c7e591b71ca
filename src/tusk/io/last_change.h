#pragma once

#include <memory>
#include <string_view>

#include <arrow/buffer.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::io {

/// A store that can tell what changed last in a folder.
class TUSK_EXPORT LastChangeStore {
 public:
  virtual ~LastChangeStore() = default;
  /// The small object at `path`, if nothing right in its folder was made, replaced or removed after
  /// it was put there; null if something was, if there is no such object, if it is larger than
  /// 64 KiB, or if nobody knows. File systems stamp their folders by a slow clock: a change within
  /// 10 ms after it may be missed.
  virtual Result<std::shared_ptr<arrow::Buffer>> GetIfLastChange(
      std::string_view path, const OperationContext& context) = 0;
};

}  // namespace tusk::io
