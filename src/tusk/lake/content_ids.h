#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::lake {

/// A content id as its 32 bytes.
using ContentDigest = std::array<uint8_t, 32>;

/// The bytes of 64 lower-case hex characters. InvalidArgument else.
Result<ContentDigest> ParseContentId(std::string_view content_id);

struct ContentDigestHash {
  size_t operator()(const ContentDigest& digest) const {
    // The bytes of a SHA-256 are as good as random already.
    size_t hash;
    std::memcpy(&hash, digest.data(), sizeof(hash));
    return hash;
  }
};

/// The contents that a table has, 32 bytes each, and those that this run adds.
class ContentIds {
 public:
  ContentIds() = default;
  /// Takes the contents of a table, in any order.
  explicit ContentIds(std::vector<ContentDigest> known);
  bool Contains(const ContentDigest& digest) const;
  /// False if it was there already.
  bool Add(const ContentDigest& digest);

 private:
  std::vector<ContentDigest> known_;  ///< ascending
  std::unordered_set<ContentDigest, ContentDigestHash> added_;
};

}  // namespace tusk::lake
