// Pages of data version 2.0 of any bytes, in a file that is sound around them.

#include "tusk/lance/file/file_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  if (size == 0 || data[0] % 3 != 2) return -1;
  static_cast<void>(CheckFile(AssembleFile(data, size)));
  return 0;
}
