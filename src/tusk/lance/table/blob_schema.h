#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace tusk::lance {

/// What a table of data version 2.2 or later is made with for columns of `schema`: bytes that are
/// marked as large values (`lance-encoding:blob`, version 1) become blobs of version 2, at any
/// depth, as in the reference implementation.
std::shared_ptr<arrow::Schema> WithBlobsV2(const arrow::Schema& schema);

}  // namespace tusk::lance
