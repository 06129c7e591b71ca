#include "tusk/base/utf8.h"

#include <arrow/util/utf8.h>

namespace tusk {

bool IsUtf8(std::string_view text) {
  // Without its tables Arrow takes everything for UTF-8.
  static const bool has_tables = [] {
    arrow::util::InitializeUTF8();
    return true;
  }();
  return has_tables && arrow::util::ValidateUTF8(text);
}

}  // namespace tusk
