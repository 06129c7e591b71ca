#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

class ValueEncoder;

/// The longest run that a length of one byte can tell; longer ones are several.
inline constexpr int64_t kMaxRunLength = 255;

/// Repeats each of `values`, `width` bytes wide, as often as `lengths` (a byte for each) say, until
/// `to` has `num_values`. What the last run has beyond that is left out: older writers carry it
/// over to the next chunk. Corrupt if there are not enough, or a run is empty.
Status ExpandRuns(std::span<const uint8_t> values, std::span<const uint8_t> lengths, int64_t width,
                  int64_t num_values, uint8_t* to);

/// Runs of equal values in `num_values` values of `bits` bits, 8, 16, 32 or 64, each of at most
/// kMaxRunLength. `values` need no alignment.
int64_t CountRuns(const uint8_t* values, int64_t bits, int64_t num_values);

/// Writes these runs as ExpandRuns reads them: their values, and a byte for the length of each, to
/// `run_values` and `run_lengths`, which have room for CountRuns of them.
void EncodeRuns(const uint8_t* values, int64_t bits, int64_t num_values, uint8_t* run_values,
                uint8_t* run_lengths);

/// Bytes of `num_runs` runs in a block: the 64-bit size of their values, these, their lengths.
constexpr int64_t RunBlockSize(int64_t bits, int64_t num_runs) {
  return static_cast<int64_t>(sizeof(uint64_t)) + num_runs * (bits / 8 + 1);
}

/// Writes the `num_runs` runs of some values, as counted by CountRuns, in such a block.
void EncodeRunBlock(const uint8_t* values, int64_t bits, int64_t num_values, int64_t num_runs,
                    uint8_t* to);

/// How runs of values of `bits` bits are described.
ValueEncoding RleEncoding(int64_t bits);

/// Bits of a value of run-length encoding `encoding`. Unsupported if values or lengths of runs are
/// encoded further, or lengths are not bytes.
Result<int64_t> RleValueBits(const ValueEncoding& encoding);

/// Run-length encoding: the values of runs, then their lengths. Two buffers.
Result<std::unique_ptr<const ValueDecoder>> MakeRleDecoder(const ValueEncoding& encoding);

/// Stores values of `bits` bits, 8, 16, 32 or 64, as that decoder reads them. A chunk has as many
/// values as fit kMaxChunkValues and, with the lengths of its runs, kMaxChunkBytes.
std::unique_ptr<ValueEncoder> MakeRleEncoder(int64_t bits);

}  // namespace tusk::lance
