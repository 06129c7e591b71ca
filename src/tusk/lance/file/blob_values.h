#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// The children of a blob of version 2 on its way to a FileWriter: a descriptor as the file has it,
/// and before it the bytes of those that shall lie in the file (of kind 0). No child is null.
enum PreparedBlobPart {
  kPreparedKind,      ///< uint8
  kPreparedData,      ///< large_binary; empty but for inline ones
  kPreparedPosition,  ///< uint64; of inline ones not looked at
  kPreparedSize,      ///< uint64; of inline ones not looked at
  kPreparedBlobId,    ///< uint32
  kPreparedUri,       ///< string
};

/// The struct of these parts.
const std::shared_ptr<arrow::DataType>& PreparedBlobType();

/// `field`, a blob of version 2, as a struct of these parts; every other field as it is, but for
/// the blobs below it.
Field PreparedForm(Field field);

}  // namespace tusk::lance
