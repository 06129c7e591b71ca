#include "tusk/lance/file/placed_rows.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/column_pages.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

constexpr int32_t kItems = 512;  ///< of 16 bits each: as narrow as rows are placed
constexpr int64_t kRows = 9;

std::shared_ptr<arrow::DataType> ListType() {
  return arrow::fixed_size_list(arrow::int16(), kItems);
}

/// Lists of which some are null, or some items are.
struct Nulls {
  bool rows = false;
  bool items = false;
};
bool IsNullRow(Nulls nulls, int64_t row) { return nulls.rows && row % 3 == 1; }
bool IsNullItem(Nulls nulls, int64_t row, int32_t item) {
  return nulls.items && (row + item) % 5 == 0;
}
int16_t Item(int64_t row, int32_t item) { return static_cast<int16_t>(row * 1000 + item); }

/// A full-zip page as the format lays it out, behind seven bytes that are not its own.
struct LiteralPage {
  explicit LiteralPage(Nulls nulls) {
    FullZipLayout layout;
    layout.bits_def = nulls.rows ? 1 : 0;
    layout.values.kind = ValueEncoding::Kind::kFixedSizeList;
    layout.values.items = kItems;
    layout.values.has_validity = nulls.items;
    layout.values.children.push_back(ValueEncoding::Flat(16));
    layout.bits = kItems * 16 + (nulls.items ? kItems : 0);
    layout.num_items = kRows;
    bytes = "before ";
    for (int64_t row = 0; row < kRows; ++row) {
      if (nulls.rows) bytes += IsNullRow(nulls, row) ? '\1' : '\0';
      std::string bitmap(kItems / 8, '\0');
      for (int32_t i = 0; i < kItems; ++i) {
        if (!IsNullItem(nulls, row, i)) bitmap[i / 8] |= static_cast<char>(1 << i % 8);
      }
      if (nulls.items) bytes += bitmap;
      for (int32_t i = 0; i < kItems; ++i) {
        const int16_t item = Item(row, i);
        bytes.append(reinterpret_cast<const char*>(&item), sizeof(item));
      }
    }
    range = {.offset = 7, .length = std::ssize(bytes) - 7};
    page = *MakePage({.layout = layout, .layers = FlatLayers(nulls.rows)}, kRows, {&range, 1});
  }

  std::string bytes;
  io::ByteRange range;
  std::unique_ptr<const Page> page;
};

/// What the page holds in these rows.
std::shared_ptr<arrow::Array> Expected(Nulls nulls, const std::vector<int64_t>& rows) {
  auto items = std::make_shared<arrow::Int16Builder>();
  arrow::FixedSizeListBuilder lists(arrow::default_memory_pool(), items, ListType());
  for (const int64_t row : rows) {
    if (IsNullRow(nulls, row)) {
      EXPECT_OK(lists.AppendNull());
      continue;
    }
    EXPECT_OK(lists.Append());
    for (int32_t i = 0; i < kItems; ++i) {
      EXPECT_OK(IsNullItem(nulls, row, i) ? items->AppendNull() : items->Append(Item(row, i)));
    }
  }
  return *lists.Finish();
}

void ReadTargets(const std::string& bytes, const std::vector<io::ReadTarget>& targets) {
  for (const io::ReadTarget& target : targets) {
    ASSERT_LE(target.offset + std::ssize(target.into), std::ssize(bytes));
    std::memcpy(target.into.data(), bytes.data() + target.offset, target.into.size());
  }
}

/// Which rows a take wants, by their places in the answer.
std::vector<TakenRow> Ascending(const std::vector<int64_t>& rows) {
  std::vector<TakenRow> taken;
  for (int64_t row = 0; row < kRows; ++row) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == row) taken.push_back({.row = row, .position = static_cast<int64_t>(i)});
    }
  }
  return taken;
}

TEST(PlacedRowsTest, TakesRowsInAnyOrderWithTheirNulls) {
  const std::vector<std::vector<int64_t>> takes = {
      {0}, {8, 0}, {1, 1, 4, 1}, {5, 3, 3, 8, 2, 5, 7}, {0, 1, 2, 3, 4, 5, 6, 7, 8}};
  for (const Nulls nulls :
       {Nulls{}, Nulls{.rows = true}, Nulls{.items = true}, Nulls{true, true}}) {
    const LiteralPage literal(nulls);
    for (const std::vector<int64_t>& rows : takes) {
      const std::vector<TakenRow> taken = Ascending(rows);
      PageRequest request;
      request.taken = taken;
      ASSERT_OK_AND_ASSIGN(ValueShape shape, ValueShape::Of(*ListType()));
      ColumnOutput out(std::move(shape), std::ssize(rows), arrow::default_memory_pool());
      std::vector<io::ReadTarget> targets;
      ASSERT_OK_AND_ASSIGN(const auto placed,
                           PlacedRows::Plan(*literal.page, request, &out, &targets));
      ASSERT_TRUE(placed.has_value());
      ReadTargets(literal.bytes, targets);
      ASSERT_OK(placed->Finish(&out));
      ASSERT_OK_AND_ASSIGN(const auto data, out.Finish(ListType()));
      const auto array = arrow::MakeArray(data);
      ASSERT_OK(array->ValidateFull());
      EXPECT_TRUE(array->Equals(Expected(nulls, rows))) << nulls.rows << nulls.items;
    }
  }
}

TEST(PlacedRowsTest, ReadsEachRowOnce) {
  const LiteralPage literal({.rows = true, .items = false});
  const std::vector<TakenRow> taken = Ascending({4, 4, 2, 4});
  PageRequest request;
  request.taken = taken;
  ASSERT_OK_AND_ASSIGN(ValueShape shape, ValueShape::Of(*ListType()));
  ColumnOutput out(std::move(shape), 4, arrow::default_memory_pool());
  std::vector<io::ReadTarget> targets;
  ASSERT_OK(PlacedRows::Plan(*literal.page, request, &out, &targets).status());
  int64_t bytes = 0;
  for (const io::ReadTarget& target : targets) bytes += std::ssize(target.into);
  EXPECT_EQ(bytes, 2 * (1 + kItems * 2));
}

TEST(PlacedRowsTest, RefusesLevelsThatNoRowHas) {
  LiteralPage literal({.rows = true, .items = false});
  literal.bytes[7 + 2 * (1 + kItems * 2)] = '\3';  // in front of row 2
  for (const int64_t row : {1, 2}) {
    const std::vector<TakenRow> taken = Ascending({row});
    PageRequest request;
    request.taken = taken;
    ASSERT_OK_AND_ASSIGN(ValueShape shape, ValueShape::Of(*ListType()));
    ColumnOutput out(std::move(shape), 1, arrow::default_memory_pool());
    std::vector<io::ReadTarget> targets;
    ASSERT_OK_AND_ASSIGN(const auto placed,
                         PlacedRows::Plan(*literal.page, request, &out, &targets));
    ReadTargets(literal.bytes, targets);
    const Status status = placed->Finish(&out);
    if (row == 1) {
      EXPECT_OK(status);
    } else {
      EXPECT_THAT(status, FailsWith(ErrorCode::kCorrupt));
    }
  }
}

TEST(PlacedRowsTest, PlacesRunsThatAreAPartOfTheArray) {
  for (const bool has_nulls : {false, true}) {
    const LiteralPage literal({.rows = has_nulls, .items = false});
    PageRequest request;
    request.rows = {.begin = 2, .end = 5};
    request.position = 1;
    ASSERT_OK_AND_ASSIGN(ValueShape shape, ValueShape::Of(*ListType()));
    ColumnOutput out(std::move(shape), 4, arrow::default_memory_pool());
    std::vector<io::ReadTarget> targets;
    ASSERT_OK_AND_ASSIGN(const auto placed,
                         PlacedRows::Plan(*literal.page, request, &out, &targets));
    // With levels between them they are decoded.
    ASSERT_EQ(placed.has_value(), !has_nulls);
    if (has_nulls) continue;
    ReadTargets(literal.bytes, targets);
    ASSERT_OK(placed->Finish(&out));
    ASSERT_OK_AND_ASSIGN(const auto data, out.Finish(ListType()));
    EXPECT_TRUE(arrow::MakeArray(data)->Slice(1)->Equals(Expected({}, {2, 3, 4})));
    request.position = 0;
    ColumnOutput alone(out.shape(), 3, arrow::default_memory_pool());
    ASSERT_OK_AND_ASSIGN(const auto not_placed,
                         PlacedRows::Plan(*literal.page, request, &alone, &targets));
    EXPECT_FALSE(not_placed.has_value());
  }
}

TEST(PlacedRowsTest, LeavesNarrowRowsToThePage) {
  FullZipLayout layout;
  layout.bits = 512 * 8;
  layout.num_items = kRows;
  layout.values = ValueEncoding::Flat(layout.bits);
  const io::ByteRange range{.offset = 0, .length = 512 * kRows};
  ASSERT_OK_AND_ASSIGN(const auto page, MakePage({.layout = layout, .layers = FlatLayers(false)},
                                                 kRows, {&range, 1}));
  const std::vector<TakenRow> taken = Ascending({4});
  PageRequest request;
  request.taken = taken;
  ASSERT_OK_AND_ASSIGN(ValueShape shape, ValueShape::Of(*arrow::fixed_size_binary(512)));
  ColumnOutput out(std::move(shape), 1, arrow::default_memory_pool());
  std::vector<io::ReadTarget> targets;
  ASSERT_OK_AND_ASSIGN(const auto placed, PlacedRows::Plan(*page, request, &out, &targets));
  EXPECT_FALSE(placed.has_value());
  EXPECT_TRUE(targets.empty());
}

}  // namespace
}  // namespace tusk::lance
