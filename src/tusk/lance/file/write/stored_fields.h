#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// Whether `field` is one of blobs of version 2, or has some below it.
bool HasBlobsV2(const Field& field);

/// `schema`, of fields as tables have them, with the fields that a file's descriptor has: of blobs
/// of version 2 what is stored for them.
Schema StoredFields(Schema schema);

/// Stored fields as they are encoded: descriptors are packed structs like others.
Schema EncodedFields(Schema schema);

/// Unsupported, naming the field, for blobs of version 2 that are no struct<data, uri, position,
/// size> or the first two of these, and before data version 2.2. `schema` is of fields as tables
/// have them.
Status CheckBlobs(const Schema& schema, uint16_t minor_version);

}  // namespace tusk::lance
