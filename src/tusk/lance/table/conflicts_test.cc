#include "tusk/lance/table/conflicts.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

/// An empty operation of this kind.
template <size_t kIndex = 0>
Transaction Of(Operation operation) {
  using Variant = decltype(Transaction::operation);
  constexpr size_t kKnown = std::variant_size_v<Variant> - 1;
  Transaction transaction{.read_version = 3};
  if constexpr (kIndex < kKnown) {
    if (static_cast<size_t>(operation) != kIndex) return Of<kIndex + 1>(operation);
    transaction.operation.emplace<kIndex>();
  } else {
    transaction.operation = OtherOperation{.kind = operation};
  }
  return transaction;
}

Field Int64Field(int32_t id) {
  Field field;
  field.name = "x";
  field.id = id;
  field.logical_type = "int64";
  return field;
}

Fragment OneFile(int64_t rows, int32_t field_id) {
  Fragment fragment;
  fragment.physical_rows = rows;
  DataFile& file = fragment.files.emplace_back();
  file.path = "f.lance";
  file.field_ids = {field_id};
  file.column_indices = {0};
  return fragment;
}

constexpr Operation kAll[] = {Operation::kAppend,
                              Operation::kDelete,
                              Operation::kOverwrite,
                              Operation::kCreateIndex,
                              Operation::kRewrite,
                              Operation::kMerge,
                              Operation::kRestore,
                              Operation::kReserveFragments,
                              Operation::kUpdate,
                              Operation::kProject,
                              Operation::kUpdateConfig,
                              Operation::kDataReplacement,
                              Operation::kUpdateMemWalState,
                              Operation::kClone,
                              Operation::kUpdateBases,
                              Operation::kDataOverlay,
                              Operation::kUnknown};

TEST(ConflictsTest, RefuseAnAppendOverWhatReplacesTheTable) {
  for (const Operation theirs : kAll) {
    const bool refused = theirs == Operation::kOverwrite || theirs == Operation::kRestore ||
                         theirs == Operation::kUpdateMemWalState || theirs == Operation::kUnknown ||
                         // Without the promise that no column became required.
                         theirs == Operation::kMerge || theirs == Operation::kProject;
    const Status status = CheckConflict(Of(Operation::kAppend), Of(theirs), 4);
    EXPECT_EQ(!status.ok(), refused) << OperationName(theirs);
    if (refused) {
      EXPECT_THAT(status, FailsWith(ErrorCode::kCommitConflict));
    }
  }
}

TEST(ConflictsTest, LetAnAppendOverSchemaChangesThatKeepNullability) {
  Transaction theirs{.operation = MergeColumns{.preserves_nullability = true}};
  EXPECT_OK(CheckConflict(Of(Operation::kAppend), theirs, 4));
  theirs.operation = ProjectSchema{.preserves_nullability = true};
  EXPECT_OK(CheckConflict(Of(Operation::kAppend), theirs, 4));
}

TEST(ConflictsTest, LetADeleteOverWhatMovesNoRow) {
  const std::set<Operation> compatible = {Operation::kAppend,           Operation::kCreateIndex,
                                          Operation::kReserveFragments, Operation::kProject,
                                          Operation::kUpdateConfig,     Operation::kClone,
                                          Operation::kUpdateBases};
  for (const Operation theirs : kAll) {
    const Status status = CheckConflict(Of(Operation::kDelete), Of(theirs), 4);
    EXPECT_EQ(status.ok(), compatible.contains(theirs)) << OperationName(theirs);
  }
}

TEST(ConflictsTest, RefuseAnOverwriteOverAnother) {
  for (const Operation theirs : kAll) {
    const bool refused = theirs == Operation::kOverwrite ||
                         theirs == Operation::kUpdateMemWalState || theirs == Operation::kUnknown;
    EXPECT_EQ(!CheckConflict(Of(Operation::kOverwrite), Of(theirs), 4).ok(), refused)
        << OperationName(theirs);
  }
}

TEST(ConflictsTest, RefuseTwoWritersOfOneConfigKey) {
  const Transaction ours{.operation = OverwriteTable{.config_upserts = {{"a", "1"}, {"b", "2"}}}};
  const auto setting = [](std::vector<MapUpdate::Entry> entries) {
    return Transaction{.operation = UpdateMetadata{.config = MapUpdate{.entries = entries}}};
  };
  EXPECT_OK(CheckConflict(ours, setting({{.key = "c"}}), 4));
  const Transaction theirs = setting({{.key = "c"}, {.key = "b", .value = "3"}});
  const Status status = CheckConflict(ours, theirs, 4);
  EXPECT_THAT(status, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(status.message(), testing::HasSubstr("version 4 (update_config)"));
}

TEST(TransactionTest, ReadsBackWhatItWrites) {
  OverwriteTable overwrite{.config_upserts = {{"k", "v"}}};
  overwrite.schema.fields.push_back(Int64Field(7));
  overwrite.schema.metadata = {{"m", "n"}};
  overwrite.fragments.push_back(OneFile(12, 7));
  const Transaction transaction{.read_version = 3,
                                .uuid = "d6e14de2-1111-4222-8333-444455556666",
                                .properties = {{"__lance_commit_message", "hello"}},
                                .operation = overwrite};
  ASSERT_OK_AND_ASSIGN(const Transaction again,
                       ParseTransaction(SerializeTransaction(transaction)));
  EXPECT_EQ(again.read_version, 3);
  EXPECT_EQ(again.uuid, transaction.uuid);
  EXPECT_EQ(again.properties, transaction.properties);
  const auto* made = again.As<OverwriteTable>();
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->config_upserts, overwrite.config_upserts);
  ASSERT_EQ(made->schema.fields.size(), 1);
  EXPECT_EQ(made->schema.fields[0].id, 7);
  EXPECT_EQ(made->schema.metadata, overwrite.schema.metadata);
  ASSERT_EQ(made->fragments.size(), 1);
  EXPECT_EQ(made->fragments[0].physical_rows, 12);
  EXPECT_EQ(made->fragments[0].files[0].path, "f.lance");
  EXPECT_EQ(TransactionFileName(again), "3-d6e14de2-1111-4222-8333-444455556666.txn");
}

TEST(TransactionTest, TakesALaterOperationAsUnknown) {
  // read_version 3 and operation number 150, an empty message.
  ASSERT_OK_AND_ASSIGN(const Transaction transaction,
                       ParseTransaction(std::string_view("\x08\x03\xB2\x09\x00", 5)));
  EXPECT_EQ(transaction.read_version, 3);
  EXPECT_EQ(transaction.kind(), Operation::kUnknown);
}

}  // namespace
}  // namespace tusk::lance
