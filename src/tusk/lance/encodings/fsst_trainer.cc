#include "tusk/lance/encodings/fsst_trainer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <span>

namespace tusk::lance {
namespace {

/// The sample: at most so many pieces of so many bytes, and half of the texts. More would be more
/// like the texts, but take longer to count.
constexpr int64_t kMaxPieces = 256;
constexpr int64_t kPieceBytes = 128;
constexpr int kMaxRounds = 8;
/// Rounds end after two in which the codes became shorter by less than one in so many bytes.
constexpr int kMaxPoorRounds = 2;
constexpr int64_t kPoorGain = 512;
constexpr size_t kMaxSymbols = 255;
constexpr uint32_t kMaxLength = 8;
/// Bytes are promoted, since each one without a symbol takes two bytes; the factor is the paper's.
constexpr uint32_t kByteFactor = 8;
/// What was seen less often is no candidate.
constexpr uint32_t kMinCount = 4;

/// While training, symbols have their codes, and each byte by itself has kByteCodes and more.
constexpr uint32_t kByteCodes = 256;
constexpr uint32_t kCodes = 512;

/// Pieces of texts, one behind the other.
class Sample {
 public:
  static Sample Of(const RowsView& texts);

  int64_t num_bytes() const { return ends_.empty() ? 0 : ends_.back(); }

  /// Calls `visit(word, left)` for the next bytes of each piece, of which `left` belong to it; it
  /// answers how many it took.
  template <typename Visit, typename Begin>
  void Walk(const Begin& begin_piece, const Visit& visit) const {
    int64_t at = 0;
    for (const int64_t end : ends_) {
      begin_piece();
      while (at < end) {
        at += visit(LoadLittle<uint64_t>(bytes_.data() + at), static_cast<size_t>(end - at));
      }
    }
  }

 private:
  void Add(const uint8_t* bytes, int64_t size) {
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    ends_.push_back(static_cast<int64_t>(bytes_.size()));
  }

  std::vector<uint8_t> bytes_;  ///< and room for a word behind them
  std::vector<int64_t> ends_;
};

Sample Sample::Of(const RowsView& texts) {
  Sample sample;
  const int64_t first = texts.Offset(0);
  const int64_t size = texts.Offset(texts.num_rows) - first;
  const int64_t pieces = std::clamp<int64_t>(size / 2 / kPieceBytes, 1, kMaxPieces);
  sample.bytes_.reserve(static_cast<size_t>(pieces * kPieceBytes) + sizeof(uint64_t));
  int64_t row = 0;
  uint64_t random = 1;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    // Anywhere in the next part of the texts: at equal distances there may be equal texts.
    random = random * 6364136223846793005 + 1442695040888963407;
    const int64_t part = size / pieces;
    const int64_t place = part > kPieceBytes ? static_cast<int64_t>(random >> 33) % part : 0;
    const int64_t position = first + piece * part + place;
    row = texts.RowAt(position, row);
    // The text from its beginning, unless that is far.
    int64_t at = texts.Offset(row);
    if (position - at >= kPieceBytes) at = position;
    int64_t left = kPieceBytes;
    for (; row < texts.num_rows; ++row, at = texts.Offset(row)) {
      const int64_t taken = std::min(left, texts.Offset(row + 1) - at);
      if (taken > 0) sample.Add(texts.values + at, taken);
      left -= taken;
      if (left == 0) break;
    }
  }
  sample.bytes_.resize(sample.bytes_.size() + sizeof(uint64_t));
  return sample;
}

/// A symbol that may be chosen. Its gain is the bytes of the sample that it would stand for.
struct Candidate {
  FsstSymbol symbol;
  uint32_t gain;
};

/// Ties are broken in some fixed way.
bool IsWorse(const Candidate& a, const Candidate& b) {
  if (a.gain != b.gain) return a.gain < b.gain;
  if (a.symbol.length != b.symbol.length) return a.symbol.length < b.symbol.length;
  return a.symbol.bytes > b.symbol.bytes;
}

/// Candidates by their bytes.
class Candidates {
 public:
  Candidates() : places_(kPlaces) {}

  void Clear() {
    std::ranges::fill(places_, 0);
    all_.clear();
  }
  void Add(const FsstSymbol& symbol, uint32_t count) {
    if (count < kMinCount) return;
    const uint32_t gain = count * symbol.length;
    size_t place = (symbol.bytes * 0x9E3779B97F4A7C15 + symbol.length) * 0xD6E8FEB86659FD93 >>
                   (64 - kPlaceBits);
    for (; places_[place] != 0; place = (place + 1) % kPlaces) {
      Candidate& known = all_[places_[place] - 1];
      if (known.symbol == symbol) {
        known.gain += gain;
        return;
      }
    }
    all_.push_back({.symbol = symbol, .gain = gain});
    places_[place] = static_cast<uint16_t>(all_.size());
  }
  /// The best ones that FsstMatcher can tell apart.
  std::vector<FsstSymbol> Choose();

 private:
  /// There are at most two pairs for each byte of the sample; those below kMinCount do not count.
  static constexpr int kPlaceBits = 15;
  static constexpr size_t kPlaces = size_t{1} << kPlaceBits;
  static_assert(kCodes + 2 * kMaxPieces * kPieceBytes / kMinCount < 3 * kPlaces / 4);

  std::vector<uint16_t> places_;  ///< in all_, and one more; 0 for none
  std::vector<Candidate> all_;
};

std::vector<FsstSymbol> Candidates::Choose() {
  std::vector<FsstSymbol> chosen;
  std::array<bool, FsstMatcher::kNumSlots> is_taken{};
  std::ranges::make_heap(all_, IsWorse);
  while (chosen.size() < kMaxSymbols && !all_.empty()) {
    std::ranges::pop_heap(all_, IsWorse);
    const FsstSymbol symbol = all_.back().symbol;
    all_.pop_back();
    if (symbol.length >= FsstMatcher::kMinSlotLength) {
      bool& taken = is_taken[FsstMatcher::SlotOf(symbol.bytes)];
      if (taken) continue;
      taken = true;
    }
    chosen.push_back(symbol);
  }
  return chosen;
}

class Trainer {
 public:
  explicit Trainer(const Sample& sample)
      : sample_(sample),
        matcher_(std::make_unique<FsstMatcher>()),
        pairs_(size_t{kCodes} * kCodes),
        seen_(static_cast<size_t>(2 * sample.num_bytes() + 1)) {}

  FsstTraining Train();

 private:
  /// Encodes the sample with `symbols` and counts codes and pairs of them; answers the bytes of the
  /// codes.
  int64_t Count(std::span<const FsstSymbol> symbols);
  void CountPair(uint32_t first, uint32_t second) {
    const uint32_t pair = first * kCodes + second;
    seen_[num_seen_] = pair;
    num_seen_ += pairs_[pair]++ == 0;
  }
  /// The symbols of the next round: of those that were counted and of pairs of them, the best.
  std::vector<FsstSymbol> Next(std::span<const FsstSymbol> symbols);

  const Sample& sample_;
  std::unique_ptr<FsstMatcher> matcher_;
  std::array<uint32_t, kCodes> counts_{};
  std::vector<uint16_t> pairs_;
  std::vector<uint32_t> seen_;  ///< pairs, at most two for each byte of the sample
  size_t num_seen_ = 0;
  Candidates candidates_;
};

FsstTraining Trainer::Train() {
  FsstTraining best{.symbols = {},
                    .sample_bytes = sample_.num_bytes(),
                    .code_bytes = std::numeric_limits<int64_t>::max()};
  std::vector<FsstSymbol> symbols;
  int poor_rounds = 0;
  for (int round = 0;; ++round) {
    const int64_t code_bytes = Count(symbols);
    poor_rounds = code_bytes < best.code_bytes - best.code_bytes / kPoorGain ? 0 : poor_rounds + 1;
    if (code_bytes < best.code_bytes) {
      best.symbols = symbols;
      best.code_bytes = code_bytes;
    }
    if (round == kMaxRounds || poor_rounds == kMaxPoorRounds) return best;
    symbols = Next(symbols);
  }
}

int64_t Trainer::Count(std::span<const FsstSymbol> symbols) {
  constexpr uint32_t kNone = kCodes;
  matcher_->Reset(symbols);
  counts_.fill(0);
  for (const uint32_t pair : std::span(seen_).first(num_seen_)) pairs_[pair] = 0;
  num_seen_ = 0;
  int64_t code_bytes = 0;
  uint32_t before = kNone;
  const auto begin = [&] { before = kNone; };
  sample_.Walk(begin, [&](uint64_t word, size_t left) {
    const FsstMatch match = matcher_->Match(word, left);
    const uint32_t byte = kByteCodes + (word & 0xFF);
    const uint32_t code = match.is_escape() ? byte : match.code();
    code_bytes += match.is_escape() ? 2 : 1;
    const uint32_t length = match.length();
    ++counts_[code];
    // The first byte too: the symbol may not be there in the next round.
    if (length > 1) ++counts_[byte];
    if (before != kNone) {
      CountPair(before, code);
      if (length > 1) CountPair(before, byte);
    }
    before = code;
    return length;
  });
  return code_bytes;
}

std::vector<FsstSymbol> Trainer::Next(std::span<const FsstSymbol> symbols) {
  const auto symbol_of = [&](uint32_t code) {
    return code < kByteCodes ? symbols[code] : FsstSymbol{.bytes = code - kByteCodes, .length = 1};
  };
  candidates_.Clear();
  for (uint32_t code = 0; code < kCodes; ++code) {
    if (counts_[code] == 0) continue;
    const FsstSymbol symbol = symbol_of(code);
    candidates_.Add(symbol, counts_[code] * (symbol.length == 1 ? kByteFactor : 1));
  }
  for (const uint32_t pair : std::span(seen_).first(num_seen_)) {
    if (pairs_[pair] < kMinCount) continue;
    const FsstSymbol first = symbol_of(pair / kCodes);
    const FsstSymbol second = symbol_of(pair % kCodes);
    if (first.length == kMaxLength) continue;
    const uint32_t length = std::min(kMaxLength, first.length + second.length);
    const uint64_t bytes = first.bytes | second.bytes << (8 * first.length);
    candidates_.Add({.bytes = LowestBytes(bytes, length), .length = length}, pairs_[pair]);
  }
  return candidates_.Choose();
}

}  // namespace

FsstTraining TrainFsst(const RowsView& texts) { return Trainer(Sample::Of(texts)).Train(); }

}  // namespace tusk::lance
