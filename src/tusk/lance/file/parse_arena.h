#pragma once

#include <array>

#include <google/protobuf/arena.h>

namespace tusk::lance {

/// Where a message that is only read and dropped again is parsed. Small ones take no memory beside
/// it but for their texts.
class ParseArena {
 public:
  ParseArena() : arena_(Options()) {}
  ParseArena(const ParseArena&) = delete;
  ParseArena& operator=(const ParseArena&) = delete;

  /// An empty message, which goes with the arena.
  template <typename Message>
  Message* Make() {
    return google::protobuf::Arena::CreateMessage<Message>(&arena_);
  }

 private:
  google::protobuf::ArenaOptions Options() {
    google::protobuf::ArenaOptions options;
    options.initial_block = block_.data();
    options.initial_block_size = block_.size();
    return options;
  }

  alignas(8) std::array<char, 2048> block_;  ///< not set: the arena writes what it hands out
  google::protobuf::Arena arena_;
};

}  // namespace tusk::lance
