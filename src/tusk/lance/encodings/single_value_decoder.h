#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

/// Decodes values of any length that are encoded each by itself, as in the rows of full-zip pages.
/// Stateless: threads share one object.
class SingleValueDecoder {
 public:
  virtual ~SingleValueDecoder() = default;
  /// Corrupt if what is decoded cannot become values of `shape`, which is a variable one.
  virtual Status CheckShape(const ValueShape& shape) const;
  /// The value, perhaps a part of `bytes`, which must stay then. Corrupt if they break the
  /// encoding.
  virtual Result<std::shared_ptr<arrow::Buffer>> Decode(std::span<const uint8_t> bytes,
                                                        arrow::MemoryPool* pool) const = 0;
};

/// Corrupt if texts cannot become values of `shape`, since those are packed structs.
Status CheckPlainText(const ValueShape& shape);

/// The decoder for `encoding`; null if values stand as they are. Unsupported, by name, for an
/// encoding that is not covered.
Result<std::unique_ptr<const SingleValueDecoder>> MakeSingleValueDecoder(
    const ValueEncoding& encoding);

}  // namespace tusk::lance
