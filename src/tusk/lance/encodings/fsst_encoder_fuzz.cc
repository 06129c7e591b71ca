// FSST, the other way round: any texts become codes that decode to them.

#include <cstring>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>

#include "tusk/lance/encodings/fsst.h"
#include "tusk/lance/encodings/fsst_encoder.h"
#include "tusk/lance/encodings/fsst_trainer.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

void RequireDecodes(const FsstSymbols& symbols, std::span<const uint8_t> codes,
                    std::span<const uint8_t> text) {
  const auto size = symbols.DecodedSize(codes);
  Require(size.status(), "codes are whole");
  Require(*size == text.size(), "codes stand for as many bytes");
  std::vector<uint8_t> decoded(*size + FsstSymbols::kSlack);
  symbols.Decode(codes, decoded.data());
  Require(text.empty() || std::memcmp(decoded.data(), text.data(), text.size()) == 0,
          "codes stand for the text");
}

std::span<const uint8_t> BytesOf(const RowsView& rows, int64_t row) {
  return {rows.values + rows.Offset(row), static_cast<size_t>(rows.Length(row))};
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const bool is_wide = input.Read<uint8_t>() % 2 != 0;
  // Again and again, so that few bytes of input are enough for a page.
  const int64_t most_copies = input.ReadBetween(1, 200);
  std::vector<uint8_t> bytes;
  std::vector<int64_t> ends = {0};
  while (input.left() > 0 && ends.size() < 1000) {
    const auto text = input.Take(input.Read<uint8_t>());
    bytes.insert(bytes.end(), text.begin(), text.end());
    ends.push_back(static_cast<int64_t>(bytes.size()));
  }
  const size_t num_texts = ends.size() - 1;
  const std::vector<uint8_t> once = bytes;
  constexpr size_t kEnough = 128 << 10;
  for (int64_t copy = 1; copy < most_copies && bytes.size() < kEnough; ++copy) {
    const int64_t begin = ends.back();
    bytes.insert(bytes.end(), once.begin(), once.end());
    for (size_t i = 1; i <= num_texts; ++i) ends.push_back(begin + ends[i]);
  }
  std::string offsets;
  for (const int64_t end : ends) {
    if (is_wide) {
      tusk::AppendLittle(end, &offsets);
    } else {
      tusk::AppendLittle(static_cast<int32_t>(end), &offsets);
    }
  }
  ValueShape shape;
  shape.is_variable = true;
  shape.bits = is_wide ? 64 : 32;
  const auto exact_bytes = tusk::ExactCopy(bytes);
  const auto exact_offsets =
      tusk::ExactCopy({reinterpret_cast<const uint8_t*>(offsets.data()), offsets.size()});
  const RowsView texts{.shape = &shape,
                       .num_rows = static_cast<int64_t>(ends.size()) - 1,
                       .values = exact_bytes->data(),
                       .offsets = exact_offsets->data()};

  const FsstTable table(TrainFsst(texts).symbols);
  const auto symbols = FsstSymbols::Parse(table.Serialize());
  tusk::Require(symbols.status(), "a table can be read");
  for (int64_t row = 0; row < static_cast<int64_t>(num_texts); ++row) {
    const auto text = BytesOf(texts, row);
    std::vector<uint8_t> codes(FsstTable::MaxEncodedSize(text.size()));
    codes.resize(table.Encode(text, codes.data()));
    RequireDecodes(*symbols, codes, text);
  }
  const auto page = EncodeFsstPage(texts, arrow::default_memory_pool());
  tusk::Require(page.status(), "texts can be encoded");
  if (!page->has_value()) return 0;
  tusk::Require((*page)->encoding.symbol_table == table.Serialize(), "the same texts train alike");
  for (int64_t row = 0; row < texts.num_rows; ++row) {
    RequireDecodes(*symbols, BytesOf((*page)->codes, row), BytesOf(texts, row));
  }
  return 0;
}
