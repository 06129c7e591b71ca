#pragma once

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file_verification.h"

namespace tusk::lance {

/// Compares all of a file with its checksums, or decodes it if it has none; several parts at a
/// time, in bounded memory. Damage is not an error; the store's errors are, and Unsupported where
/// a file without checksums has what no reader here can decode.
Result<FileVerification> VerifyFile(const io::StorePath& file, const OperationContext& context);

}  // namespace tusk::lance
