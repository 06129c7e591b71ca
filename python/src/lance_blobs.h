#pragma once

#include <nanobind/nanobind.h>

namespace tusk::python {

/// Blobs of Lance tables: include/tusk/lance/blob.h.
void BindLanceBlobs(nanobind::module_& module);
/// Files of blobs that are written by hand: include/tusk/lance/blob_file_writer.h.
void BindLanceBlobFileWriter(nanobind::module_& module);

}  // namespace tusk::python
