#include "tusk/base/blake3.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "tusk/base/little_endian.h"

namespace tusk {
namespace {

using Words = std::array<uint32_t, 8>;
using Block = std::array<uint32_t, 16>;

constexpr size_t kBlockSize = 64;
constexpr size_t kChunkSize = 1024;

constexpr Words kInitial = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                            0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

enum Flag : uint32_t { kChunkStart = 1, kChunkEnd = 2, kParent = 4, kRoot = 8 };

/// A block that was not compressed yet: whether it is the last of all is known later.
struct Node {
  Words chain;
  Block block;
  uint64_t counter;
  uint32_t size;
  uint32_t flags;
};

void Mix(Block& state, size_t a, size_t b, size_t c, size_t d, uint32_t x, uint32_t y) {
  state[a] += state[b] + x;
  state[d] = std::rotr(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = std::rotr(state[b] ^ state[c], 12);
  state[a] += state[b] + y;
  state[d] = std::rotr(state[d] ^ state[a], 8);
  state[c] += state[d];
  state[b] = std::rotr(state[b] ^ state[c], 7);
}

Words Compress(const Node& node) {
  static constexpr std::array<size_t, 16> kPermutation = {2, 6,  3,  10, 7, 0,  4,  13,
                                                          1, 11, 12, 5,  9, 14, 15, 8};
  Block state;
  std::ranges::copy(node.chain, state.begin());
  std::copy_n(kInitial.begin(), 4, state.begin() + 8);
  state[12] = static_cast<uint32_t>(node.counter);
  state[13] = static_cast<uint32_t>(node.counter >> 32);
  state[14] = node.size;
  state[15] = node.flags;
  Block message = node.block;
  for (int round = 0; round < 7; ++round) {
    for (size_t i = 0; i < 4; ++i) {
      Mix(state, i, i + 4, i + 8, i + 12, message[2 * i], message[2 * i + 1]);
    }
    for (size_t i = 0; i < 4; ++i) {
      Mix(state, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, message[8 + 2 * i],
          message[9 + 2 * i]);
    }
    Block permuted;
    for (size_t i = 0; i < permuted.size(); ++i) permuted[i] = message[kPermutation[i]];
    message = permuted;
  }
  Words out;
  for (size_t i = 0; i < out.size(); ++i) out[i] = state[i] ^ state[i + 8];
  return out;
}

/// The last block of chunk `counter`, which has at most kChunkSize bytes.
Node ChunkNode(std::string_view bytes, uint64_t counter) {
  Node node{.chain = kInitial, .block = {}, .counter = counter, .size = 0, .flags = kChunkStart};
  while (true) {
    const std::string_view part = bytes.substr(0, kBlockSize);
    bytes.remove_prefix(part.size());
    std::array<char, kBlockSize> padded = {};
    std::ranges::copy(part, padded.begin());
    for (size_t i = 0; i < node.block.size(); ++i) {
      node.block[i] = LoadLittle<uint32_t>(std::string_view(padded.data(), padded.size()), 4 * i);
    }
    node.size = static_cast<uint32_t>(part.size());
    if (bytes.empty()) break;
    node.chain = Compress(node);
    node.flags = 0;
  }
  node.flags |= kChunkEnd;
  return node;
}

/// The top of the tree over the chunks from `counter` on. Of more than one chunk the left side is
/// the largest full tree that leaves something for the right.
Node TreeNode(std::string_view bytes, uint64_t counter) {
  if (bytes.size() <= kChunkSize) return ChunkNode(bytes, counter);
  const size_t left_chunks = std::bit_floor((bytes.size() - 1) / kChunkSize);
  const Words left = Compress(TreeNode(bytes.substr(0, left_chunks * kChunkSize), counter));
  const Words right =
      Compress(TreeNode(bytes.substr(left_chunks * kChunkSize), counter + left_chunks));
  Node node{.chain = kInitial, .block = {}, .counter = 0, .size = kBlockSize, .flags = kParent};
  std::ranges::copy(left, node.block.begin());
  std::ranges::copy(right, node.block.begin() + 8);
  return node;
}

}  // namespace

std::string Blake3(std::string_view bytes) {
  Node top = TreeNode(bytes, 0);
  top.flags |= kRoot;
  std::string digest;
  for (const uint32_t word : Compress(top)) AppendLittle(word, &digest);
  return digest;
}

}  // namespace tusk
