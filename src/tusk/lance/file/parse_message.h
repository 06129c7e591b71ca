#pragma once

#include <limits>
#include <string_view>

#include <google/protobuf/stubs/logging.h>

namespace tusk::lance {

/// Parses `bytes` as a message; false if they are none. Without the lines that protobuf would
/// otherwise print to the standard error stream for text that is not UTF-8.
template <typename Message>
bool ParseMessage(std::string_view bytes, Message* message) {
  if (bytes.size() > std::numeric_limits<int32_t>::max()) return false;
  const google::protobuf::LogSilencer silence;
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace tusk::lance
