// Column metadata of any bytes: pages, their buffers and layouts, and what would read them.

#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/column_pages.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const auto file_size = static_cast<int64_t>(input.Read<uint32_t>());
  const auto metadata = ColumnMetadata::Parse(tusk::AsText(input.Rest()), file_size);
  if (!metadata.ok()) {
    tusk::RequireRefusal(metadata.status());
    return 0;
  }
  int64_t first_row = 0;
  for (const PageMetadata& page : metadata->pages) {
    tusk::Require(page.num_rows >= 0 && page.first_row == first_row, "pages follow one another");
    first_row += page.num_rows;
    for (const tusk::io::ByteRange& buffer : page.buffers) {
      tusk::Require(buffer.offset >= 0 && buffer.length >= 0 && buffer.offset <= file_size &&
                        buffer.length <= file_size - buffer.offset,
                    "buffers are inside the file");
    }
  }
  const auto pages = ColumnPages::Make(*metadata);
  if (!pages.ok()) tusk::RequireRefusal(pages.status());
  return 0;
}
