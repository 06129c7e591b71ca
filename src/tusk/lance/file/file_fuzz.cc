// Whole files of any bytes.

#include "tusk/lance/file/file_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(tusk::lance::CheckFile({reinterpret_cast<const char*>(data), size}));
  return 0;
}
