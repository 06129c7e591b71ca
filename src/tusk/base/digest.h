#pragma once

#include <string>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk {

/// The digest of `bytes`, as bytes, by "md5", "sha224", "sha256", "sha384", "sha512", "blake2b",
/// "blake2s" or "blake3".
/// InvalidArgument for other names, IoError if the OpenSSL library does not have the algorithm.
Result<std::string> Digest(std::string_view algorithm, std::string_view bytes);

}  // namespace tusk
