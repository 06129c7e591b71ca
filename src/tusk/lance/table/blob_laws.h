#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/blob.h"
#include "tusk/lance/dataset.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {

/// What a scan gives for one row of a column of blobs.
struct BlobDescriptor {
  bool is_null = false;
  uint8_t kind = 0;  ///< this, `blob_id` and `uri` are of version 2
  uint64_t position = 0;
  uint64_t size = 0;
  uint32_t blob_id = 0;
  std::string uri = {};
};

/// Version 3 of a table at "t" in memory, whose fragment 5 has one data file and, beside it, file
/// number 1, and which has a base path with id 7. No byte of its data file is one of Lance: what a
/// scan would give is up to the caller.
class BlobTable {
 public:
  static constexpr uint64_t kAddress = uint64_t{5} << 32 | 4;
  static constexpr const char* kDataFile = "t/data/f.lance";

  /// The column `b` is one of blobs of version 2 or 1.
  BlobTable(bool is_v2, const std::string& data_file, const std::string& sidecar);

  io::ObjectStore* store() const { return store_.get(); }
  /// What the table finds for the descriptor, in a row of this address.
  Result<std::shared_ptr<const Blob>> Find(const BlobDescriptor& descriptor,
                                           uint64_t address = kAddress) const;
  /// The bytes that are written when the row is written again; nothing for a null.
  Result<std::optional<std::string>> Copy(const BlobDescriptor& descriptor,
                                          uint64_t address = kAddress) const;

 private:
  std::shared_ptr<arrow::StructArray> ToArray(const BlobDescriptor& descriptor) const;

  bool is_v2_;
  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<const Dataset> dataset_;
};

/// Makes a descriptor and the sizes of files of `input`. What is found lies inside of its file, has
/// the bytes that are there, and is written again with these; what is not found is an error that
/// names table, version, column and row, also when it is written again. Aborts if one of these laws
/// is broken.
void CheckBlobDescriptor(FuzzInput input);

}  // namespace tusk::lance
