#pragma once

#include <string_view>

namespace tusk {

/// Whether `text` is UTF-8: no surrogates, nothing longer than it needs to be. About as fast as
/// reading it where it is ASCII.
bool IsUtf8(std::string_view text);

}  // namespace tusk
