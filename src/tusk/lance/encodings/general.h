#pragma once

#include <memory>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// General compression: the first buffer of each chunk of the encoding inside is compressed, see
/// Decompress.
Result<std::unique_ptr<const ValueDecoder>> MakeGeneralDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> values);

}  // namespace tusk::lance
