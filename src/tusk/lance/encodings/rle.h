#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// Repeats each of `values`, `width` bytes wide, as often as `lengths` (a byte for each) say, until
/// `to` has `num_values`. What the last run has beyond that is left out: older writers carry it
/// over to the next chunk. Corrupt if there are not enough, or a run is empty.
Status ExpandRuns(std::span<const uint8_t> values, std::span<const uint8_t> lengths, int64_t width,
                  int64_t num_values, uint8_t* to);

/// Bits of a value of run-length encoding `encoding`. Unsupported if values or lengths of runs are
/// encoded further, or lengths are not bytes.
Result<int64_t> RleValueBits(const ValueEncoding& encoding);

/// Run-length encoding: the values of runs, then their lengths. Two buffers.
Result<std::unique_ptr<const ValueDecoder>> MakeRleDecoder(const ValueEncoding& encoding);

}  // namespace tusk::lance
