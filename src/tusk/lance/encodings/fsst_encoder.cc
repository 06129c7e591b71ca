#include "tusk/lance/encodings/fsst_encoder.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>

#include "tusk/lance/encodings/fsst_trainer.h"
#include "tusk/lance/encodings/variable.h"

namespace tusk::lance {
namespace {

/// Texts for which pylance uses codes.
constexpr int64_t kMinPageBytes = 32 << 10;
constexpr int64_t kMinLongest = 5;

/// So many stretches of the texts are encoded side by side, since each step of one waits for the
/// step before it.
constexpr int64_t kLanes = 4;
constexpr int64_t kLaneBytes = 64 << 10;
/// Steps that are worth a round of all lanes.
constexpr int64_t kMinSteps = 4;
constexpr auto kWord = static_cast<int64_t>(sizeof(uint64_t));

/// What is written for `texts` at the most, as far as it is worth the while.
int64_t MostWorthwhile(int64_t text_bytes) {
  return text_bytes - text_bytes / 8 - static_cast<int64_t>(FsstTable::kSerializedSize);
}

/// Encodes a stretch of the texts, which may begin and end within one.
template <typename Offset>
class Lane {
 public:
  /// Encodes [from, stop) of `texts` to `to`, which has twice the room. `row` is the first to end
  /// behind `from`, or with it. The end of each row, counted from `to`, becomes `ends[row]`.
  Lane(const FsstMatcher* matcher, const RowsView* texts, int64_t row, int64_t from, int64_t stop,
       uint8_t* to, Offset* ends)
      : matcher_(matcher),
        texts_(texts),
        row_(row),
        from_(texts->values + from),
        stop_(texts->values + stop),
        begin_(to),
        to_(to),
        ends_(ends) {
    text_end_ = EndOf(row_);
    FinishTexts();
  }

  /// Steps that surely are left, whatever the texts are.
  int64_t sure_steps() const { return (stop_ - from_) / kWord; }
  /// The first row that did not end.
  int64_t row() const { return row_; }
  int64_t size() const { return to_ - begin_; }

  /// Encodes what the next code stands for: at most a word, which is there.
  void Step() {
    const auto word = LoadLittle<uint64_t>(from_);
    const FsstMatch match = matcher_->Match(word);
    if (static_cast<int64_t>(match.length()) >= text_end_ - from_) [[unlikely]] {
      StepToEnd(word, text_end_ - from_);
      return;
    }
    to_ = match.Write(word, to_);
    from_ += match.length();
  }

  /// Encodes what is left.
  void Finish() {
    while (stop_ - from_ >= kWord) Step();
    while (from_ < stop_) {
      const int64_t left = stop_ - from_;
      StepToEnd(LoadFew(from_, static_cast<size_t>(left)), std::min(left, text_end_ - from_));
    }
  }

 private:
  const uint8_t* EndOf(int64_t row) const {
    return texts_->values + texts_->Offset(std::min(row + 1, texts_->num_rows));
  }

  void StepToEnd(uint64_t word, int64_t left) {
    const FsstMatch match = matcher_->Match(word, static_cast<size_t>(left));
    to_ = match.Write(word, to_);
    from_ += match.length();
    FinishTexts();
  }

  void FinishTexts() {
    for (; from_ == text_end_ && row_ < texts_->num_rows; text_end_ = EndOf(row_)) {
      ends_[row_++] = static_cast<Offset>(to_ - begin_);
    }
  }

  const FsstMatcher* matcher_;
  const RowsView* texts_;
  int64_t row_;
  const uint8_t* from_;
  const uint8_t* stop_;
  const uint8_t* text_end_;
  uint8_t* begin_;
  uint8_t* to_;
  Offset* ends_;
};

/// Encodes so much of the texts that their codes stay in the cache, and appends these.
template <typename Offset>
class TextEncoder {
 public:
  TextEncoder(const FsstMatcher& matcher, const RowsView& texts, Offset* ends,
              std::span<uint8_t> scratch, arrow::BufferBuilder* out)
      : matcher_(matcher), texts_(texts), ends_(ends), scratch_(scratch), out_(out) {}

  static constexpr size_t kScratch = FsstTable::MaxEncodedSize(kLanes * kLaneBytes);

  /// False, and then done with, if the codes take more than `limit` bytes.
  Result<bool> EncodeAll(int64_t limit) {
    const int64_t end = texts_.Offset(texts_.num_rows);
    int64_t row = 0;
    for (int64_t at = texts_.Offset(0); row < texts_.num_rows;) {
      const int64_t size = std::min(end - at, kLanes * kLaneBytes);
      ARROW_ASSIGN_OR_RAISE(row, EncodeBlock(row, at, size));
      at += size;
      if (out_->length() > limit) return false;
    }
    return true;
  }

 private:
  /// Answers the first row that did not end in the `size` bytes from `begin` on.
  Result<int64_t> EncodeBlock(int64_t row, int64_t begin, int64_t size) {
    std::array<int64_t, kLanes + 1> rows;
    const auto make_lane = [&](int64_t lane) {
      const int64_t from = begin + size * lane / kLanes;
      const int64_t stop = begin + size * (lane + 1) / kLanes;
      rows[lane] = lane == 0 ? row : texts_.RowAt(from, row);
      return Lane<Offset>(&matcher_, &texts_, rows[lane], from, stop,
                          scratch_.data() + FsstTable::MaxEncodedSize(lane * kLaneBytes), ends_);
    };
    static_assert(kLanes == 4);
    std::array<Lane<Offset>, kLanes> lanes = {make_lane(0), make_lane(1), make_lane(2),
                                              make_lane(3)};
    RunTogether(&lanes);
    for (Lane<Offset>& lane : lanes) lane.Finish();
    rows[kLanes] = lanes.back().row();
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const auto base = static_cast<Offset>(out_->length());
      for (int64_t r = rows[lane]; r < rows[lane + 1]; ++r) ends_[r] += base;
      ARROW_RETURN_NOT_OK(out_->Append(
          scratch_.data() + FsstTable::MaxEncodedSize(lane * kLaneBytes), lanes[lane].size()));
    }
    return rows[kLanes];
  }

  static void RunTogether(std::array<Lane<Offset>, kLanes>* lanes) {
    // Copies, so that they stay in registers.
    auto [a, b, c, d] = *lanes;
    while (true) {
      int64_t steps = std::min(std::min(a.sure_steps(), b.sure_steps()),
                               std::min(c.sure_steps(), d.sure_steps()));
      if (steps < kMinSteps) break;
      for (; steps > 0; --steps) {
        a.Step();
        b.Step();
        c.Step();
        d.Step();
      }
    }
    *lanes = {a, b, c, d};
  }

  const FsstMatcher& matcher_;
  const RowsView& texts_;
  Offset* ends_;
  std::span<uint8_t> scratch_;
  arrow::BufferBuilder* out_;
};

/// What `training` lets expect of the codes of so many bytes.
int64_t ExpectedCodes(const FsstTraining& training, int64_t text_bytes) {
  return static_cast<int64_t>(static_cast<double>(text_bytes) *
                              static_cast<double>(training.code_bytes) /
                              static_cast<double>(training.sample_bytes));
}

int64_t LongestOf(const RowsView& texts) {
  int64_t longest = 0;
  for (int64_t row = 0; row < texts.num_rows; ++row) {
    longest = std::max(longest, texts.Length(row));
  }
  return longest;
}

/// Nothing if the codes are too long.
template <typename Offset>
Result<std::optional<FsstPage>> EncodePageAs(const RowsView& texts, const FsstTraining& training,
                                             arrow::MemoryPool* pool) {
  const int64_t text_bytes = texts.Offset(texts.num_rows) - texts.Offset(0);
  const int64_t limit =
      std::min<int64_t>(MostWorthwhile(text_bytes), std::numeric_limits<Offset>::max() - (1 << 20));
  const FsstTable table(training.symbols);
  FsstPage page{.encoding = {}, .codes = texts, .offsets = nullptr, .bytes = nullptr};
  ARROW_ASSIGN_OR_RAISE(page.offsets,
                        arrow::AllocateBuffer((texts.num_rows + 1) * sizeof(Offset), pool));
  auto* offsets = reinterpret_cast<Offset*>(page.offsets->mutable_data());
  offsets[0] = 0;
  using Encoder = TextEncoder<Offset>;
  ARROW_ASSIGN_OR_RAISE(auto scratch, arrow::AllocateBuffer(Encoder::kScratch, pool));
  arrow::BufferBuilder codes(pool);
  // A little more than the sample lets expect, so that growing is rare.
  ARROW_RETURN_NOT_OK(codes.Reserve(ExpectedCodes(training, text_bytes) / 16 * 17));
  Encoder encoder(table.matcher(), texts, offsets + 1,
                  {scratch->mutable_data(), static_cast<size_t>(scratch->size())}, &codes);
  ARROW_ASSIGN_OR_RAISE(const bool is_worthwhile, encoder.EncodeAll(limit));
  if (!is_worthwhile) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(page.bytes, codes.Finish(/*shrink_to_fit=*/false));
  page.codes.offsets = page.offsets->data();
  page.codes.values = page.bytes->data();
  page.encoding.kind = ValueEncoding::Kind::kFsst;
  page.encoding.symbol_table = table.Serialize();
  page.encoding.children.push_back(VariableEncoding(texts.shape->bits));
  return page;
}

class FsstEncoder final : public ValueEncoder {
 public:
  FsstEncoder(ValueEncoding encoding, std::unique_ptr<ValueEncoder> codes)
      : encoding_(std::move(encoding)), codes_(std::move(codes)) {}

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return codes_->num_buffers(); }
  int64_t ChunkRows(const RowsView& rest) const override { return codes_->ChunkRows(rest); }
  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    return codes_->EncodeChunk(rows, out);
  }

 private:
  ValueEncoding encoding_;
  std::unique_ptr<ValueEncoder> codes_;
};

}  // namespace

FsstTable::FsstTable(std::vector<FsstSymbol> symbols) : symbols_(std::move(symbols)) {
  auto matcher = std::make_unique<FsstMatcher>();
  matcher->Reset(symbols_);
  matcher_ = std::move(matcher);
}

std::string FsstTable::Serialize() const {
  std::string table;
  table.reserve(kSerializedSize);
  AppendLittle(FsstSymbols::kMagic << 32 | FsstSymbols::kUsesCodes | symbols_.size(), &table);
  for (const FsstSymbol& symbol : symbols_) AppendLittle(symbol.bytes, &table);
  for (const FsstSymbol& symbol : symbols_)
    AppendLittle(static_cast<uint8_t>(symbol.length), &table);
  table.resize(kSerializedSize);
  return table;
}

size_t FsstTable::Encode(std::span<const uint8_t> text, uint8_t* to) const {
  const uint8_t* const begin = to;
  while (text.size() >= sizeof(uint64_t)) {
    const auto word = LoadLittle<uint64_t>(text.data());
    const FsstMatch match = matcher_->Match(word);
    to = match.Write(word, to);
    text = text.subspan(match.length());
  }
  while (!text.empty()) {
    const uint64_t word = LoadFew(text.data(), text.size());
    const FsstMatch match = matcher_->Match(word, text.size());
    to = match.Write(word, to);
    text = text.subspan(match.length());
  }
  return static_cast<size_t>(to - begin);
}

Result<std::optional<FsstPage>> EncodeFsstPage(const RowsView& texts, arrow::MemoryPool* pool) {
  if (texts.num_rows == 0) return std::nullopt;
  const int64_t text_bytes = texts.Offset(texts.num_rows) - texts.Offset(0);
  if (text_bytes < kMinPageBytes || LongestOf(texts) < kMinLongest) return std::nullopt;
  const FsstTraining training = TrainFsst(texts);
  if (ExpectedCodes(training, text_bytes) > MostWorthwhile(text_bytes)) {
    return std::nullopt;
  }
  return texts.shape->bits == 32 ? EncodePageAs<int32_t>(texts, training, pool)
                                 : EncodePageAs<int64_t>(texts, training, pool);
}

std::unique_ptr<ValueEncoder> MakeFsstEncoder(ValueEncoding encoding,
                                              std::unique_ptr<ValueEncoder> codes) {
  return std::make_unique<FsstEncoder>(std::move(encoding), std::move(codes));
}

}  // namespace tusk::lance
