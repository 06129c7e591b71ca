#include "tusk/lance/table/conflicts.h"

#include <span>
#include <string>
#include <vector>

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

/// All kinds, in the order of the columns below.
constexpr Operation kAll[] = {Operation::kAppend,
                              Operation::kDelete,
                              Operation::kOverwrite,
                              Operation::kUpdate,
                              Operation::kMerge,
                              Operation::kProject,
                              Operation::kRewrite,
                              Operation::kReserveFragments,
                              Operation::kRestore,
                              Operation::kCreateIndex,
                              Operation::kDataReplacement,
                              Operation::kUpdateConfig,
                              Operation::kUpdateBases,
                              Operation::kClone,
                              Operation::kUpdateMemWalState,
                              Operation::kDataOverlay,
                              Operation::kUnknown};

Fragment WithId(uint64_t id) {
  Fragment fragment = OneFile(10, 0);
  fragment.id = id;
  return fragment;
}

IndexMetadata IndexOf(std::string name, uint64_t fragment) {
  IndexMetadata index;
  index.uuid = std::string(16, static_cast<char>(fragment));
  index.name = std::move(name);
  index.field_ids = {0};
  const auto id = static_cast<int64_t>(fragment);
  EXPECT_OK(index.fragments.emplace().Add(id, id + 1));
  return index;
}

/// An operation of this kind on field 0 of the fragment, which changes no nullability.
Transaction On(Operation kind, uint64_t fragment) {
  Transaction transaction = Of(kind);
  transaction.uuid = "their-uuid";
  Schema schema;
  schema.fields.push_back(Int64Field(0));
  switch (kind) {
    case Operation::kDelete:
      transaction.operation = DeleteRowsOp{.updated = {WithId(fragment)}};
      break;
    case Operation::kUpdate:
      transaction.operation = UpdateRows{.updated = {WithId(fragment)}, .added = {WithId(0)}};
      break;
    case Operation::kMerge:
      transaction.operation = MergeColumns{.schema = schema, .preserves_nullability = true};
      break;
    case Operation::kProject:
      transaction.operation = ProjectSchema{.schema = schema, .preserves_nullability = true};
      break;
    case Operation::kRewrite:
      transaction.operation = RewriteFragments{.groups = {{.before = {WithId(fragment)}}}};
      break;
    case Operation::kCreateIndex:
      transaction.operation =
          CreateIndices{.added = {IndexOf("i" + std::to_string(fragment), fragment)}};
      break;
    case Operation::kDataReplacement:
      transaction.operation =
          ReplaceData{.replacements = {{.fragment_id = fragment, .file = OneFile(10, 0).files[0]}}};
      break;
    case Operation::kUpdateConfig:
      transaction.operation =
          UpdateMetadata{.config = MapUpdate{.entries = {{.key = "a", .value = "1"}}}};
      break;
    case Operation::kUpdateBases:
      transaction.operation = AddBases{.bases = {{.path = "/p"}}};
      break;
    default:
      break;
  }
  return transaction;
}

char Letter(Verdict verdict) {
  return verdict == Verdict::kCompatible ? '.' : verdict == Verdict::kRetryable ? 'R' : 'X';
}

struct Row {
  Operation ours;
  const char* verdicts;  ///< over each of kAll: . compatible, R retryable, X incompatible
};

void ExpectVerdicts(std::span<const Row> rows, uint64_t ours, uint64_t theirs) {
  for (const Row& row : rows) {
    std::string verdicts;
    for (const Operation kind : kAll) {
      verdicts += Letter(JudgeConflict(On(row.ours, ours), On(kind, theirs), false));
    }
    EXPECT_EQ(verdicts, row.verdicts) << OperationName(row.ours);
  }
}

// The table of docs/format/lance_table.md, "Conflicts".
TEST(ConflictsTest, AreThoseOfTheSpecificationOnTheSameFragment) {
  constexpr Row kRows[] = {
      {Operation::kAppend, "..X.....X.....X.X"},
      {Operation::kDelete, ".RXRR.R.X.R...X.X"},
      {Operation::kOverwrite, "..R...........X.X"},
      {Operation::kUpdate, ".RXRR.R.X.R....RX"},
      {Operation::kMerge, "RRXRRXR.X.R...XRX"},
      {Operation::kProject, "..X.RR..X.....X.X"},
      {Operation::kRewrite, ".RXRR.R.XRR....RX"},
      {Operation::kReserveFragments, "..X.....X.......X"},
      {Operation::kRestore, "..............X.X"},
      {Operation::kCreateIndex, "..X...R.XRR...X.X"},
      {Operation::kDataReplacement, "..XRR.R.XRR...X.X"},
      {Operation::kUpdateConfig, "...........X....X"},
      {Operation::kUpdateBases, "............X...."},
      {Operation::kClone, "................."},
  };
  ExpectVerdicts(kRows, 1, 1);
}

TEST(ConflictsTest, AreFewerOnDifferentFragments) {
  constexpr Row kRows[] = {
      {Operation::kDelete, "..X.R...X.....X.X"},
      {Operation::kUpdate, "..X.R...X......RX"},
      {Operation::kRewrite, "..X.R...X......RX"},
      {Operation::kCreateIndex, "..X.....X.R...X.X"},
      {Operation::kDataReplacement, "..X.R...XR....X.X"},
  };
  ExpectVerdicts(kRows, 1, 2);
}

TEST(ConflictsTest, LetRowChangesOfOneFragmentMeetWhenTheRowsAreKnown) {
  for (const Operation ours : {Operation::kDelete, Operation::kUpdate}) {
    for (const Operation theirs : {Operation::kDelete, Operation::kUpdate}) {
      EXPECT_EQ(JudgeConflict(On(ours, 1), On(theirs, 1), true), Verdict::kCompatible);
    }
  }
  // All rows of a fragment are concerned when it goes.
  const Transaction whole{.operation = DeleteRowsOp{.removed = {1}}};
  EXPECT_EQ(JudgeConflict(whole, On(Operation::kDelete, 1), true), Verdict::kRetryable);
}

TEST(ConflictsTest, KeepRowsWithoutAValueOutOfRequiredColumns) {
  Transaction merge = On(Operation::kMerge, 1);
  std::get<MergeColumns>(merge.operation).preserves_nullability = false;
  Transaction project = On(Operation::kProject, 1);
  std::get<ProjectSchema>(project.operation).preserves_nullability = false;
  for (const Transaction& change : {merge, project}) {
    for (const Operation writes :
         {Operation::kAppend, Operation::kUpdate, Operation::kDataReplacement}) {
      EXPECT_EQ(JudgeConflict(change, On(writes, 2), false), Verdict::kRetryable);
      EXPECT_EQ(JudgeConflict(On(writes, 2), change, false), Verdict::kRetryable);
    }
  }
  EXPECT_EQ(JudgeConflict(On(Operation::kDelete, 2), project, false), Verdict::kCompatible);
}

TEST(ConflictsTest, DoNotLetMetadataOfTheSchemaGetLost) {
  const Transaction update{.operation = UpdateMetadata{
                               .field_metadata = {{0, {.entries = {{.key = "k", .value = "v"}}}}}}};
  EXPECT_EQ(JudgeConflict(update, On(Operation::kMerge, 1), false), Verdict::kRetryable);
  EXPECT_EQ(JudgeConflict(On(Operation::kMerge, 1), update, false), Verdict::kRetryable);
  EXPECT_EQ(JudgeConflict(update, On(Operation::kRestore, 1), false), Verdict::kIncompatible);
  EXPECT_EQ(JudgeConflict(On(Operation::kRestore, 1), update, false), Verdict::kIncompatible);
  EXPECT_EQ(JudgeConflict(update, On(Operation::kOverwrite, 1), false), Verdict::kIncompatible);
  EXPECT_EQ(JudgeConflict(update, update, false), Verdict::kIncompatible);
}

TEST(ConflictsTest, DoNotBringAFieldBackThatAProjectionDropped) {
  Transaction update = On(Operation::kUpdate, 1);
  std::get<UpdateRows>(update.operation).fields_modified = {0};
  const Transaction project{.operation = ProjectSchema{.preserves_nullability = true}};
  EXPECT_EQ(JudgeConflict(update, project, false), Verdict::kRetryable);
  EXPECT_EQ(JudgeConflict(On(Operation::kDataReplacement, 1), project, false),
            Verdict::kIncompatible);
}

TEST(ConflictsTest, FindKeysThatTwoMergesInsert) {
  // KeyExistenceFilters of field 0 with the hashes 1 and 2, 2 and 3, and 4.
  using std::string_literals::operator""s;
  const auto with = [](std::string filter) {
    Transaction update = On(Operation::kUpdate, 1);
    std::get<UpdateRows>(update.operation).updated.clear();
    std::get<UpdateRows>(update.operation).inserted_rows = std::move(filter);
    return update;
  };
  const Transaction one_two = with("\x0a\x01\x00\x12\x04\x0a\x02\x01\x02"s);
  const Transaction two_three = with("\x0a\x01\x00\x12\x04\x0a\x02\x02\x03"s);
  const Transaction four = with("\x0a\x01\x00\x12\x03\x0a\x01\x04"s);
  EXPECT_EQ(JudgeConflict(one_two, two_three, true), Verdict::kRetryable);
  EXPECT_EQ(JudgeConflict(one_two, four, true), Verdict::kCompatible);
  EXPECT_EQ(JudgeConflict(one_two, with(""), true), Verdict::kRetryable);
  EXPECT_EQ(JudgeConflict(with(""), one_two, true), Verdict::kCompatible);
  EXPECT_EQ(JudgeConflict(one_two, On(Operation::kAppend, 1), true), Verdict::kRetryable);
}

TEST(ConflictsTest, NameTheOtherTransaction) {
  const Transaction ours{.read_version = 3,
                         .operation = OverwriteTable{.config_upserts = {{"a", "1"}, {"b", "2"}}}};
  const auto setting = [](std::vector<MapUpdate::Entry> entries) {
    return Transaction{.uuid = "their-uuid",
                       .operation = UpdateMetadata{.config = MapUpdate{.entries = entries}}};
  };
  EXPECT_OK(CheckConflict(ours, setting({{.key = "c"}}), 4, false));
  const Status status =
      CheckConflict(ours, setting({{.key = "c"}, {.key = "b", .value = "3"}}), 4, false);
  EXPECT_THAT(status, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(status.message(),
              testing::HasSubstr("version 4 (update_config, transaction their-uuid)"));
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
