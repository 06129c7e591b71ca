#include "tusk/lake/diff.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

struct Item {
  std::string id;
  std::optional<std::string> label;
};

std::shared_ptr<arrow::RecordBatchReader> Items(const std::vector<Item>& items) {
  arrow::StringBuilder ids;
  arrow::StringBuilder labels;
  for (const Item& item : items) {
    (void)ids.Append(item.id);
    (void)(item.label ? labels.Append(*item.label) : labels.AppendNull());
  }
  const auto schema =
      arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("label", arrow::utf8())});
  return *arrow::RecordBatchReader::Make(
      {arrow::RecordBatch::Make(schema, std::ssize(items), {*ids.Finish(), *labels.Finish()})},
      schema);
}

class DiffTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(lake_, Lake::Init(folder_ / "lake", context_)); }

  int64_t Append(std::string_view table, catalog::TableKind kind, const std::vector<Item>& items) {
    std::vector<TableAppend> appends(1);
    appends[0].name = *catalog::TableName::Parse(table);
    appends[0].kind = kind;
    appends[0].data = Items(items);
    return *lake_->Append(std::move(appends), {}, context_);
  }

  std::vector<TableDiff> DiffOf(int64_t before, int64_t after, int64_t max_listed = 100) {
    const DiffOptions options{.id_column = "id", .max_listed = max_listed};
    return *Diff(*lake_, before, after, options, context_);
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const OperationContext context_;
  std::shared_ptr<Lake> lake_;
};

TEST_F(DiffTest, TellsIdsAndLabelsOfBothKinds) {
  for (const auto kind : {catalog::TableKind::kLance, catalog::TableKind::kIceberg}) {
    const std::string name = "a." + std::string(catalog::TableKindName(kind));
    const int64_t first = Append(name, kind, {{"x", "cat"}, {"y", "dog"}, {"z", std::nullopt}});
    const int64_t second = Append(name, kind, {{"w", "cat"}, {"v", "cow"}});
    const auto forth = DiffOf(first, second);
    ASSERT_EQ(forth.size(), 1u);
    EXPECT_EQ(forth[0].name.ToString(), name);
    EXPECT_EQ(forth[0].rows_before, 3);
    EXPECT_EQ(forth[0].rows_after, 5);
    EXPECT_THAT(forth[0].added_ids, UnorderedElementsAre("w", "v"));
    EXPECT_THAT(forth[0].removed_ids, ElementsAre());
    EXPECT_EQ(forth[0].changed, 0);
    ASSERT_EQ(forth[0].labels.size(), 4u);
    EXPECT_FALSE(forth[0].labels[0].label.has_value());
    EXPECT_EQ(forth[0].labels[1].label, "cat");
    EXPECT_EQ(forth[0].labels[1].before, 1);
    EXPECT_EQ(forth[0].labels[1].after, 2);
    EXPECT_EQ(forth[0].labels[2].label, "cow");
    EXPECT_EQ(forth[0].labels[2].before, 0);
    const auto back = DiffOf(second, first);
    EXPECT_THAT(back[0].removed_ids, UnorderedElementsAre("w", "v"));
    EXPECT_EQ(back[0].added, 0);
  }
}

TEST_F(DiffTest, ContentThatDiffersUnderOneIdIsAChange) {
  // A restore and another append under the same ids.
  const auto kind = catalog::TableKind::kIceberg;
  ASSERT_EQ(Append("a.t", kind, {{"x", "cat"}}), 1);
  ASSERT_EQ(Append("a.t", kind, {{"y", "dog"}, {"z", "dog"}}), 2);
  ASSERT_OK(lake_->Restore(1, {}, context_));
  ASSERT_EQ(Append("a.t", kind, {{"z", "dog"}, {"y", "wolf"}}), 4);
  const auto diff = DiffOf(2, 4);
  ASSERT_EQ(diff.size(), 1u);
  EXPECT_THAT(diff[0].changed_ids, ElementsAre("y"));
  EXPECT_EQ(diff[0].added + diff[0].removed, 0);
}

TEST_F(DiffTest, TablesThatAreMadeOrTheSame) {
  const auto kind = catalog::TableKind::kLance;
  ASSERT_EQ(Append("a.same", kind, {{"x", "cat"}}), 1);
  ASSERT_EQ(Append("a.made", kind, {{"y", "dog"}}), 2);
  const auto diff = DiffOf(1, 2);
  ASSERT_EQ(diff.size(), 1u);
  EXPECT_EQ(diff[0].name.ToString(), "a.made");
  EXPECT_EQ(diff[0].rows_before, 0);
  EXPECT_THAT(diff[0].added_ids, ElementsAre("y"));
  EXPECT_TRUE(DiffOf(2, 2).empty());
}

TEST_F(DiffTest, ListsAsManyIdsAsWantedAndCountsAll) {
  const auto kind = catalog::TableKind::kLance;
  Append("a.t", kind, {{"x", "cat"}});
  std::vector<Item> items;
  for (int i = 0; i < 50; ++i) items.push_back({"id " + std::to_string(i), "dog"});
  Append("a.t", kind, items);
  const auto diff = DiffOf(1, 2, /*max_listed=*/3);
  EXPECT_EQ(diff[0].added, 50);
  EXPECT_EQ(diff[0].added_ids.size(), 3u);
  EXPECT_EQ(DiffOf(1, 2, 3)[0].added_ids, diff[0].added_ids);
}

TEST_F(DiffTest, WithoutTheIdColumnRowsAreCounted) {
  Append("a.t", catalog::TableKind::kLance, {{"x", "cat"}});
  Append("a.t", catalog::TableKind::kLance, {{"y", "cat"}});
  ASSERT_OK_AND_ASSIGN(const auto diff, Diff(*lake_, 1, 2, {}, context_));
  EXPECT_FALSE(diff[0].has_ids);
  EXPECT_EQ(diff[0].rows_after - diff[0].rows_before, 1);
  EXPECT_THAT(Diff(*lake_, 1, 9, {}, context_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Diff(*lake_, 1, 2, {.tables = {*catalog::TableName::Parse("no.table")}}, context_),
              FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace tusk::lake
