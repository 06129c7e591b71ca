#include "tusk/lance/file/placed_texts.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/column_pages.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

constexpr int64_t kRows = 7;
constexpr size_t kBefore = 5;  ///< bytes of the file in front of the page

bool IsNull(bool has_nulls, int64_t row) { return has_nulls && row % 3 == 1; }
/// Long ones, and an empty one.
std::string Text(int64_t row) {
  return row == 3 ? "" : std::string(9000 + 1500 * row, static_cast<char>('a' + row));
}

/// A full-zip page of texts as the format lays it out, and its index.
struct LiteralPage {
  explicit LiteralPage(bool has_nulls) {
    layout.bits_def = has_nulls ? 1 : 0;
    layout.values.kind = ValueEncoding::Kind::kVariable;
    layout.values.children.push_back(ValueEncoding::Flat(32));
    layout.bits = 32;
    layout.is_variable = true;
    layout.num_items = kRows;
    for (int64_t row = 0; row < kRows; ++row) {
      starts.push_back(static_cast<uint32_t>(bytes.size() - kBefore));
      if (has_nulls) bytes += IsNull(has_nulls, row) ? '\1' : '\0';
      if (IsNull(has_nulls, row)) continue;
      const auto length = static_cast<uint32_t>(Text(row).size());
      bytes.append(reinterpret_cast<const char*>(&length), sizeof(length));
      bytes += Text(row);
    }
    starts.push_back(static_cast<uint32_t>(bytes.size() - kBefore));
    const io::ByteRange ranges[] = {{.offset = kBefore, .length = std::ssize(bytes) - 5},
                                    {.offset = std::ssize(bytes), .length = 4 * (kRows + 1)}};
    page = *MakePage({.layout = layout, .layers = FlatLayers(has_nulls)}, kRows, ranges);
    ParseIndex();
  }
  void ParseIndex() {
    const auto buffer = arrow::Buffer::FromString(
        std::string(reinterpret_cast<const char*>(starts.data()), 4 * starts.size()));
    index = *page->ParseIndex({&buffer, 1}, arrow::default_memory_pool());
  }

  FullZipLayout layout;
  std::string bytes = "page:";
  std::vector<uint32_t> starts;
  std::unique_ptr<const Page> page;
  std::unique_ptr<const PageIndex> index;
};

/// Which rows a take wants, by their places in the answer.
std::vector<TakenRow> Ascending(const std::vector<int64_t>& rows) {
  std::vector<TakenRow> taken;
  for (size_t i = 0; i < rows.size(); ++i) {
    taken.push_back({.row = rows[i], .position = static_cast<int64_t>(i)});
  }
  std::ranges::stable_sort(taken, {}, &TakenRow::row);
  return taken;
}

/// Takes `rows` of a column of this page and another one like it behind it.
Result<std::shared_ptr<arrow::ArrayData>> Take(const LiteralPage& literal,
                                               const std::vector<int64_t>& rows,
                                               int64_t* num_bytes = nullptr) {
  const std::vector<TakenRow> taken = Ascending(rows);
  std::vector<PlacedTexts::Part> parts;
  const auto begin_of_second = std::ranges::lower_bound(taken, kRows, {}, &TakenRow::row);
  for (const auto wanted :
       {std::span(taken.begin(), begin_of_second), std::span(begin_of_second, taken.end())}) {
    PageRequest request;
    request.taken = wanted;
    request.first_row = parts.empty() ? 0 : kRows;
    ARROW_ASSIGN_OR_RAISE(const auto stored,
                          literal.page->FindStoredTexts(literal.index.get(), request));
    parts.push_back({.page = literal.page.get(), .request = request, .stored = stored.value()});
  }
  ARROW_ASSIGN_OR_RAISE(ValueShape shape, ValueShape::Of(*arrow::utf8()));
  ColumnOutput out(std::move(shape), std::ssize(rows), arrow::default_memory_pool());
  std::vector<io::ReadTarget> targets;
  ARROW_ASSIGN_OR_RAISE(const auto placed, PlacedTexts::Plan(parts, &out, &targets));
  if (!placed) return std::shared_ptr<arrow::ArrayData>();
  for (const io::ReadTarget& target : targets) {
    if (num_bytes != nullptr) *num_bytes += std::ssize(target.into);
    std::memcpy(target.into.data(), literal.bytes.data() + target.offset, target.into.size());
  }
  for (size_t i = 0; i < parts.size(); ++i) ARROW_RETURN_NOT_OK(placed->Finish(i, &out));
  return out.Finish(arrow::utf8());
}

TEST(PlacedTextsTest, TakesRowsInAnyOrderWithTheirNulls) {
  const std::vector<std::vector<int64_t>> takes = {
      {0}, {6, 0}, {2, 2, 4, 2}, {13, 3, 10, 6, 2, 5, 1, 8}, {0, 1, 2, 3, 4, 5, 6, 7, 13}};
  for (const bool has_nulls : {false, true}) {
    const LiteralPage literal(has_nulls);
    for (const std::vector<int64_t>& rows : takes) {
      arrow::StringBuilder expected;
      for (const int64_t row : rows) {
        const int64_t in_page = row % kRows;
        ASSERT_OK(IsNull(has_nulls, in_page) ? expected.AppendNull()
                                             : expected.Append(Text(in_page)));
      }
      ASSERT_OK_AND_ASSIGN(const auto data, Take(literal, rows));
      ASSERT_NE(data, nullptr);
      const auto array = arrow::MakeArray(data);
      ASSERT_OK(array->ValidateFull());
      EXPECT_TRUE(array->Equals(*expected.Finish())) << has_nulls << array->ToString();
    }
  }
}

TEST(PlacedTextsTest, LeavesShortTextsToOthers) {
  const LiteralPage literal(false);
  ASSERT_OK_AND_ASSIGN(const auto data, Take(literal, {3, 3, 0}));
  EXPECT_EQ(data, nullptr);
}

TEST(PlacedTextsTest, ReadsNothingBesideTheRows) {
  const LiteralPage literal(true);
  int64_t bytes = 0;
  ASSERT_OK(Take(literal, {2, 1}, &bytes).status());
  EXPECT_EQ(bytes, 1 + 4 + std::ssize(Text(2)) + 1);
}

TEST(PlacedTextsTest, RefusesLengthsAndLevelsThatAreNotTheirs) {
  for (const size_t at : {0, 1, 2, 4}) {
    LiteralPage literal(true);
    literal.bytes[kBefore + literal.starts[2] + at] ^= '\6';
    EXPECT_THAT(Take(literal, {2, 0}), FailsWith(ErrorCode::kCorrupt)) << at;
    ASSERT_OK(Take(literal, {0}).status());
  }
}

TEST(PlacedTextsTest, RefusesRowsOutOfOrder) {
  LiteralPage literal(false);
  // Each second row would be all of the page.
  for (size_t i = 0; i < literal.starts.size(); ++i) {
    literal.starts[i] = i % 2 == 0 ? 0 : literal.starts.back();
  }
  literal.ParseIndex();
  EXPECT_THAT(Take(literal, {0, 2}), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Take(literal, {1}), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
