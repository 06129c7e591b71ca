#pragma once

#include <cstdint>
#include <vector>

#include "tusk/lance/encodings/fsst_matcher.h"
#include "tusk/lance/encodings/rows_view.h"

namespace tusk::lance {

/// Symbols that were chosen for some texts, at most 255, as FsstMatcher takes them.
struct FsstTraining {
  std::vector<FsstSymbol> symbols;
  /// Of the sample that they were chosen by, and of the codes that then stand for it.
  int64_t sample_bytes = 0;
  int64_t code_bytes = 0;
};

/// Chooses symbols for `texts`, at least one, by a sample from all over them, half of their bytes
/// but at most 32 KiB, in rounds: pairs of symbols become symbols of the next one. The same texts
/// have the same symbols. Takes one or two milliseconds, however many the texts are. Source: Boncz,
/// Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB 2020.
FsstTraining TrainFsst(const RowsView& texts);

}  // namespace tusk::lance
