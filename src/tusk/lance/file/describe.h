#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/buffer.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file_description.h"

namespace tusk::lance {

/// Reads the footer and the metadata of all columns of a file. Nothing of it is kept, and what is
/// stored is not judged beyond its form: encodings that no reader here covers are described too.
/// Errors as FileReader::Open; Corrupt, with the column and the page, for broken metadata.
Result<FileDescription> DescribeFile(const io::StorePath& file, const OperationContext& context);

/// The bytes of global buffer `index`. InvalidArgument if there are not so many.
Result<std::shared_ptr<arrow::Buffer>> ReadGlobalBuffer(const io::StorePath& file, int64_t index,
                                                        const OperationContext& context);

/// What the description of a page's encoding says; members as in PageDescription.
struct DescribedEncoding {
  std::string layout;
  std::string codecs = {};
  EncodingDescription encoding = {};
  std::optional<uint64_t> num_values = {};  ///< nothing if the layout does not say
};

/// The encoding of a page of `num_buffers` from its serialized TypedMessage. Corrupt if it cannot
/// be parsed.
Result<DescribedEncoding> DescribeEncoding(std::string_view bytes, size_t num_buffers);

/// The same of the message of a page of data version 2.0.
Result<DescribedEncoding> DescribeArrayEncoding(std::string_view message);

}  // namespace tusk::lance
