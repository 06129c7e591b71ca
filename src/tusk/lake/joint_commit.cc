#include "tusk/lake/joint_commit.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "tusk/lake/publish.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

/// Each failed attempt means that another writer has won, so the lake makes progress all the time.
constexpr int kCommitAttempts = 100;

using Stages = std::vector<std::unique_ptr<TableStage>>;

/// Adds the tables to `names`.
Status CheckAppends(const std::vector<TableAppend>& appends, std::set<catalog::TableName>* names) {
  for (const TableAppend& append : appends) {
    // Names made by hand become folders too.
    ARROW_RETURN_NOT_OK(catalog::TableName::Parse(append.name.ToString()));
    if (append.data == nullptr) {
      return InvalidArgument("table '", append.name.ToString(), "' is given no rows");
    }
    if (append.expected_version && append.kind != catalog::TableKind::kLance) {
      return Unsupported("an expected version of Iceberg table '", append.name.ToString(),
                         "' is not supported yet");
    }
    if ((append.must_be_new || !append.partition_by.empty()) &&
        append.kind != catalog::TableKind::kIceberg) {
      return InvalidArgument("only Iceberg tables are partitioned, but '", append.name.ToString(),
                             "' is to be a Lance table");
    }
    if (!names->insert(append.name).second) {
      return InvalidArgument("table '", append.name.ToString(), "' is twice in a joint commit");
    }
  }
  return Status::OK();
}

/// Also after a stop: removing what was staged is part of stopping.
void AbortAll(const Stages& stages, const OperationContext& context) {
  OperationContext cleanup = context;
  cleanup.stop = {};
  for (const auto& stage : stages) stage->Abort(cleanup);
}

/// "appending to table 'media.digits'".
std::string Doing(std::string_view doing, const TableStage& stage) {
  return std::string(doing) + " table '" + stage.change().name.ToString() + "'";
}

Status StageAll(const Stages& stages, std::string_view doing, const OperationContext& context) {
  for (const auto& stage : stages) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(WithContext(stage->Stage(context), Doing(doing, *stage)));
  }
  return Status::OK();
}

/// Stages again what moved. Gives `refusal` back if nothing did: trying again would not help.
Status RestageAll(const Stages& stages, const Status& refusal, std::string_view doing,
                  const OperationContext& context) {
  bool any_moved = false;
  for (const auto& stage : stages) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const Result<bool> moved = stage->Restage(context);
    if (!moved.ok()) {
      return WithContext(moved.status(), Doing(doing, *stage) + " once more");
    }
    any_moved |= *moved;
  }
  return any_moved ? Status::OK() : refusal;
}

/// Lets racing writers fall out of step.
void Pause(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const int64_t most_ms = std::min(50, 2 << std::min(attempt, 5));
  std::this_thread::sleep_for(std::chrono::milliseconds(random() % most_ms));
}

bool IsLostRace(const Status& status) {
  const auto code = GetErrorCode(status);
  return code == ErrorCode::kCommitConflict || code == ErrorCode::kAlreadyExists;
}

/// True if the catalog's error says that nothing became true.
bool IsCertainFailure(const Status& status) {
  const auto code = GetErrorCode(status);
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kCancelled ||
         code == ErrorCode::kNotFound || IsLostRace(status);
}

Result<int64_t> CommitOrRestage(const Staging& staging, const Stages& stages,
                                catalog::JointCommit commit, std::string_view doing,
                                const OperationContext& context) {
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    commit.changes.clear();
    for (const auto& stage : stages) commit.changes.push_back(stage->change());
    const Status durable =
        WithContext(staging.Sync(context), "making durable what a joint commit needs");
    if (!durable.ok()) {
      AbortAll(stages, context);
      return durable;
    }
    Result<int64_t> number = staging.lake().catalog->Commit(commit, context);
    if (number.ok()) return number;
    if (!IsCertainFailure(number.status())) return number.status();  // staged files stay
    const Status status = IsLostRace(number.status())
                              ? RestageAll(stages, number.status(), doing, context)
                              : number.status();
    if (!status.ok()) {
      AbortAll(stages, context);
      return status;
    }
    Pause(attempt);
  }
  AbortAll(stages, context);
  return CommitConflict("other writers of the lake won ", kCommitAttempts,
                        " times in a row; try again when they pause");
}

}  // namespace

Staging::Staging(const LakeParts& lake) : lake_(lake), parts_(lake) {
  auto* store = dynamic_cast<io::DeferringStore*>(lake.root.store.get());
  if (store == nullptr) return;
  deferring_ = store->Defer();
  parts_.root.store = deferring_;
}

Status Staging::Sync(const OperationContext& context) const {
  return deferring_ == nullptr ? Status::OK() : deferring_->Sync(context);
}

Result<std::optional<catalog::TableEntry>> LoadForAppend(const LakeParts& parts,
                                                         const catalog::TableChange& change,
                                                         const OperationContext& context) {
  const Result<catalog::TableEntry> entry = LoadPublished(parts, change.name, context);
  if (!entry.ok()) {
    if (GetErrorCode(entry.status()) == ErrorCode::kNotFound) {
      return std::optional<catalog::TableEntry>();
    }
    return entry.status();
  }
  if (entry->kind != change.kind) {
    return InvalidArgument("it is of kind ", catalog::TableKindName(entry->kind), ", not ",
                           catalog::TableKindName(change.kind));
  }
  return std::optional(*entry);
}

Result<int64_t> CommitJointly(const Staging& staging, const Stages& stages, const CommitInfo& info,
                              std::string_view doing, std::optional<int64_t> uses_version,
                              const OperationContext& context) {
  const Status staged = StageAll(stages, doing, context);
  if (!staged.ok()) {
    AbortAll(stages, context);
    return staged;
  }
  const catalog::JointCommit commit{.message = info.message,
                                    .author = info.author,
                                    .properties = info.properties,
                                    .changes = {},
                                    .uses_version = uses_version};
  ARROW_ASSIGN_OR_RAISE(const int64_t number,
                        CommitOrRestage(staging, stages, commit, doing, context));
  for (const auto& stage : stages) {
    if (stage->change().kind != catalog::TableKind::kLance) continue;
    // Not an error of the commit, which is true by now: the next one completes it.
    (void)PublishChange(staging.lake(), number, stage->change(), context);
  }
  return number;
}

Result<int64_t> ChangeJointly(const LakeParts& parts, const std::vector<LanceChange>& changes,
                              std::vector<TableAppend> appends, const CommitInfo& info,
                              const OperationContext& context) {
  std::set<catalog::TableName> names;
  ARROW_RETURN_NOT_OK(CheckAppends(appends, &names));
  const Staging staging(parts);
  Stages stages;
  for (const LanceChange& change : changes) {
    if (!names.insert(change.name).second) {
      return InvalidArgument("table '", change.name.ToString(), "' is twice in a joint commit");
    }
    ARROW_ASSIGN_OR_RAISE(auto stage, MakeLanceChangeStage(staging.parts(), change));
    stages.push_back(std::move(stage));
  }
  for (TableAppend& append : appends) {
    const bool is_lance = append.kind == catalog::TableKind::kLance;
    stages.push_back(is_lance ? MakeLanceStage(staging.parts(), std::move(append))
                              : MakeIcebergStage(staging.parts(), std::move(append)));
  }
  if (stages.empty()) return InvalidArgument("a joint commit without tables");
  const std::string_view doing = changes.empty() ? "appending to" : "committing to";
  return CommitJointly(staging, stages, info, doing, std::nullopt, context);
}

Result<int64_t> AppendJointly(const LakeParts& parts, std::vector<TableAppend> appends,
                              const CommitInfo& info, const OperationContext& context) {
  return ChangeJointly(parts, {}, std::move(appends), info, context);
}

}  // namespace tusk::lake
