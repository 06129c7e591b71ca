// Blob pages of any bytes, in a file that is sound around them.

#include "tusk/lance/file/file_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The tag of the layout in the message that describes it.
  return tusk::lance::CheckAssembledFile(0x22, data, size);
}
