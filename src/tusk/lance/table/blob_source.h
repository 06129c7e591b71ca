#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_locator.h"

namespace tusk::lance {

/// A value to be stored: bytes in memory, or in an object, or a reference.
struct BlobValue {
  std::optional<std::span<const uint8_t>> bytes = {};
  std::optional<BlobPlace> copied = {};     ///< whose bytes are stored
  std::optional<BlobPlace> reference = {};  ///< external; stays where it is
};

/// Takes the bytes of a value, wherever they are, in pieces.
class BlobSource {
 public:
  /// Of a value that is no reference. Opens its object; Corrupt if the bytes are not all in it.
  static Result<BlobSource> Open(const BlobValue& value, BlobFiles* files,
                                 const OperationContext& context);

  uint64_t size() const { return size_; }

  Status AppendTo(io::ObjectWriter* file, const OperationContext& context) const;
  /// As one more value.
  Status AppendTo(arrow::LargeBinaryBuilder* values, const OperationContext& context) const;

 private:
  std::span<const uint8_t> bytes_;
  std::shared_ptr<const io::ObjectReader> reader_;  ///< null for bytes in memory
  int64_t position_ = 0;
  uint64_t size_ = 0;
};

}  // namespace tusk::lance
