#include "tusk/lance/file/array/array_encoding.h"

#include <algorithm>
#include <limits>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/compression.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

/// `a` * `b`, or the largest number if that is more.
int64_t Times(int64_t a, int64_t b) { return b != 0 && a > kMax / b ? kMax : a * b; }

/// How many values the buffer of a leaf may hold.
int64_t MaxValues(const ArrayEncoding& leaf, int64_t bits) {
  int64_t bytes = leaf.buffer.length;
  if (leaf.compression) {
    bytes = Times(bytes, static_cast<int64_t>(MaxExpansion(*leaf.compression)));
  }
  return bits > 8 ? bytes / (bits / 8) : Times(bytes, 8) / bits;
}

/// Bits of a row of packed structs. What has none is refused where the rows are read.
int64_t PackedBits(const ArrayEncoding& field) {
  switch (field.kind) {
    case ArrayEncoding::Kind::kFlat:
      return field.bits;
    case ArrayEncoding::Kind::kFixedSizeList:
      return Times(field.count, PackedBits(field.children[0]));
    case ArrayEncoding::Kind::kNoNulls:
    case ArrayEncoding::Kind::kPackedStruct: {
      int64_t bits = 0;
      for (const ArrayEncoding& child : field.children) {
        const int64_t more = PackedBits(child);
        bits = more > kMax - bits ? kMax : bits + more;
      }
      return bits;
    }
    default:
      return 0;
  }
}

}  // namespace

std::string_view ArrayEncoding::name() const {
  switch (kind) {
    case Kind::kFlat:
      return "flat";
    case Kind::kNoNulls:
    case Kind::kSomeNulls:
    case Kind::kAllNulls:
      return "nullable";
    case Kind::kFixedSizeList:
      return "fixed_size_list";
    case Kind::kList:
      return "list";
    case Kind::kStruct:
      return "struct";
    case Kind::kBinary:
      return "binary";
    case Kind::kDictionary:
      return "dictionary";
    case Kind::kFsst:
      return "fsst";
    case Kind::kPackedStruct:
      return "packed_struct";
    case Kind::kBitpacked:
      return "bitpacked";
    case Kind::kBitpackedForNonNeg:
      return "bitpacked_for_non_neg";
    case Kind::kFixedSizeBinary:
      return "fixed_size_binary";
  }
  return "unknown";
}

int64_t ArrayEncoding::Capacity() const {
  switch (kind) {
    case Kind::kFlat:
      return MaxValues(*this, bits);
    case Kind::kBitpacked:
      // Not a whole number of bytes: the bits are counted.
      return Times(buffer.length, 8) / bits;
    case Kind::kBitpackedForNonNeg:
      return Times(buffer.length / PackedBytes(bits), kPackedBlock);
    case Kind::kPackedStruct: {
      const int64_t row_bits = PackedBits(*this);
      return row_bits == 0 ? kMax : MaxValues(*this, row_bits);
    }
    case Kind::kFixedSizeList:
    case Kind::kFixedSizeBinary:
      return children[0].Capacity() / count;
    case Kind::kNoNulls:
    case Kind::kList:
    case Kind::kBinary:
    case Kind::kDictionary:
    case Kind::kFsst:
      return children[0].Capacity();
    case Kind::kSomeNulls:
      return std::min(children[0].Capacity(), children[1].Capacity());
    case Kind::kAllNulls:
    case Kind::kStruct:
      break;
  }
  return kMax;
}

}  // namespace tusk::lance
