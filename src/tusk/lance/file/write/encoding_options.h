#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// General compression that somebody asked for.
struct GeneralCompression {
  ValueEncoding::Compression scheme = ValueEncoding::Compression::kUnknown;
  std::optional<int> level;
};

/// How the user wants a column to be encoded: the `lance-encoding:*` keys of its field's metadata,
/// as pylance has them. What is not asked for follows from the values.
struct EncodingOptions {
  enum class Layout { kChosen, kMiniBlock, kFullZip };
  Layout layout = Layout::kChosen;  ///< structural-encoding: miniblock, fullzip

  enum class Compression { kChosen, kNone, kFsst, kGeneral };
  Compression compression = Compression::kChosen;  ///< compression: none, fsst, lz4, zstd
  GeneralCompression general;                      ///< and compression-level

  /// rle-threshold: runs are stored as such if there are fewer than this share of the values.
  std::optional<double> rle_threshold;
  enum class ByteStreamSplit { kOff, kOn, kAuto };
  ByteStreamSplit byte_stream_split = ByteStreamSplit::kAuto;  ///< bss: off, on, auto

  std::optional<int64_t> chunk_bytes;  ///< minichunk-size, of texts

  int64_t dictionary_divisor = 2;          ///< dict-divisor: at most one item for so many rows
  double dictionary_ratio = 0.8;           ///< dict-size-ratio: of the size without
  int64_t max_dictionary_bytes = 8 << 20;  ///< dict-max-size: of its texts
  GeneralCompression dictionary_values = {.scheme = ValueEncoding::Compression::kLz4,
                                          .level = {}};  ///< dict-values-compression, -level

  /// Parses them. InvalidArgument, naming the key, for a value that is none of its values and for a
  /// `lance-encoding:` key that nobody knows.
  static Result<EncodingOptions> Parse(const std::map<std::string, std::string>& metadata);
};

}  // namespace tusk::lance
