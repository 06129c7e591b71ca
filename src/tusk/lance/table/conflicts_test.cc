#include "tusk/lance/table/conflicts.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

Transaction Of(Operation operation) {
  Transaction transaction;
  transaction.operation = operation;
  transaction.read_version = 3;
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
  for (const Operation operation : {Operation::kMerge, Operation::kProject}) {
    Transaction theirs = Of(operation);
    theirs.preserves_nullability = true;
    EXPECT_OK(CheckConflict(Of(Operation::kAppend), theirs, 4));
  }
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
  Transaction ours = Of(Operation::kOverwrite);
  ours.config_upserts = {{"a", "1"}, {"b", "2"}};
  Transaction theirs = Of(Operation::kUpdateConfig);
  theirs.config_keys = {"c"};
  EXPECT_OK(CheckConflict(ours, theirs, 4));
  theirs.config_keys = {"b", "c"};
  const Status status = CheckConflict(ours, theirs, 4);
  EXPECT_THAT(status, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(status.message(), testing::HasSubstr("version 4 (update_config)"));
}

TEST(TransactionTest, ReadsBackWhatItWrites) {
  Transaction transaction = Of(Operation::kOverwrite);
  transaction.uuid = "d6e14de2-1111-4222-8333-444455556666";
  transaction.properties = {{"__lance_commit_message", "hello"}};
  transaction.config_upserts = {{"k", "v"}};
  transaction.schema.fields.push_back(Int64Field(7));
  transaction.schema.metadata = {{"m", "n"}};
  transaction.fragments.push_back(OneFile(12, 7));
  ASSERT_OK_AND_ASSIGN(const Transaction again,
                       ParseTransaction(SerializeTransaction(transaction)));
  EXPECT_EQ(again.read_version, 3);
  EXPECT_EQ(again.uuid, transaction.uuid);
  EXPECT_EQ(again.properties, transaction.properties);
  EXPECT_EQ(again.operation, Operation::kOverwrite);
  EXPECT_EQ(again.config_upserts, transaction.config_upserts);
  ASSERT_EQ(again.schema.fields.size(), 1);
  EXPECT_EQ(again.schema.fields[0].id, 7);
  EXPECT_EQ(again.schema.metadata, transaction.schema.metadata);
  ASSERT_EQ(again.fragments.size(), 1);
  EXPECT_EQ(again.fragments[0].physical_rows, 12);
  EXPECT_EQ(again.fragments[0].files[0].path, "f.lance");
  EXPECT_EQ(TransactionFileName(again), "3-d6e14de2-1111-4222-8333-444455556666.txn");
}

TEST(TransactionTest, TakesALaterOperationAsUnknown) {
  // read_version 3 and operation number 150, an empty message.
  ASSERT_OK_AND_ASSIGN(const Transaction transaction,
                       ParseTransaction(std::string_view("\x08\x03\xB2\x09\x00", 5)));
  EXPECT_EQ(transaction.read_version, 3);
  EXPECT_EQ(transaction.operation, Operation::kUnknown);
}

}  // namespace
}  // namespace tusk::lance
