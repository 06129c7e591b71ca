#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/footer.h"

namespace tusk::lance {

/// A file that is open for a look at its parts: nothing is read ahead and nothing kept.
struct FileTables {
  std::shared_ptr<const io::ObjectReader> object;
  Footer footer;

  /// The errors of Footer::Parse, with the path.
  static Result<FileTables> Open(const io::StorePath& file, const OperationContext& context);

  int64_t file_size() const { return object->size(); }
  /// Where the global buffers are, and the metadata of the columns. Corrupt if one of them lies
  /// outside the file or they are longer than it all together, which no writer makes and which
  /// could take any amount of memory to read.
  Result<std::vector<io::ByteRange>> GlobalBuffers(const OperationContext& context) const;
  Result<std::vector<io::ByteRange>> ColumnMetadata(const OperationContext& context) const;

 private:
  Result<std::vector<io::ByteRange>> Read(uint64_t position, int64_t count, std::string_view what,
                                          const OperationContext& context) const;
};

}  // namespace tusk::lance
