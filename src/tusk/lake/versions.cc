#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "tusk/lake/joint_commit.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Stages for the tables of `then` that are another way now.
Result<std::vector<std::unique_ptr<TableStage>>> RestoreStages(
    const LakeParts& parts, const std::vector<catalog::TableEntry>& then,
    const std::vector<catalog::TableEntry>& now) {
  std::vector<std::unique_ptr<TableStage>> stages;
  for (const catalog::TableEntry& entry : then) {
    const auto current = std::ranges::find(now, entry.name, &catalog::TableEntry::name);
    if (current == now.end()) {
      return NotFound("cannot restore table '", entry.name.ToString(),
                      "': it was dropped by another client");
    }
    if (current->pointer.path == entry.pointer.path) continue;
    stages.push_back(entry.kind == catalog::TableKind::kLance
                         ? MakeLanceRestoreStage(parts, entry)
                         : MakeIcebergRestoreStage(parts, entry));
  }
  return stages;
}

}  // namespace

Result<std::vector<catalog::Tag>> Lake::Tags(const OperationContext& context) const {
  return state_->parts.catalog->Tags(context);
}

Status Lake::SetTag(const catalog::Tag& tag, bool move, const OperationContext& context) {
  return state_->parts.catalog->SetTag(tag, move, context);
}

Status Lake::DeleteTag(std::string_view name, const OperationContext& context) {
  return state_->parts.catalog->DeleteTag(name, context);
}

Result<int64_t> Lake::FindVersion(std::string_view text, const OperationContext& context) const {
  if (const auto number = ParseNumber(text)) {
    ARROW_RETURN_NOT_OK(state_->parts.catalog->ListTables(number, context));
    return *number;
  }
  ARROW_ASSIGN_OR_RAISE(const auto tags, Tags(context));
  const auto tag = std::ranges::find(tags, text, &catalog::Tag::name);
  if (tag != tags.end()) return tag->number;
  std::string names;
  for (const catalog::Tag& other : tags) names += (names.empty() ? "" : ", ") + other.name;
  return NotFound("no joint version or tag '", text, "'; the lake has ",
                  names.empty() ? "no tags" : "the tags " + names);
}

Result<catalog::Retention> Lake::Retention(const OperationContext& context) const {
  return state_->parts.catalog->LoadRetention(context);
}

Status Lake::SetRetention(const catalog::Retention& retention, const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "set its retention"));
  return state_->parts.catalog->SetRetention(retention, context);
}

Result<int64_t> Lake::FindVersionAt(int64_t timestamp_us, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const auto log, Log(std::nullopt, context));
  const auto entry = std::ranges::find_if(
      log, [&](const catalog::LogEntry& entry) { return entry.timestamp_us <= timestamp_us; });
  if (entry == log.end()) {
    return NotFound("the lake had no joint version at that time: its first is ",
                    log.empty() ? "still to come" : "later");
  }
  return entry->number;
}

Result<std::optional<int64_t>> Lake::Restore(int64_t number, const CommitInfo& info,
                                             const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "restore"));
  (void)Recover(context);
  const LakeParts& parts = state_->parts;
  ARROW_ASSIGN_OR_RAISE(const auto then, parts.catalog->ListTables(number, context));
  ARROW_ASSIGN_OR_RAISE(const auto now, parts.catalog->ListTables(std::nullopt, context));
  const Staging staging(parts);
  ARROW_ASSIGN_OR_RAISE(const auto stages, RestoreStages(staging.parts(), then, now));
  if (stages.empty()) return std::nullopt;
  CommitInfo described = info;
  if (described.message.empty())
    described.message = "restore joint version " + std::to_string(number);
  described.properties.emplace("tusk.operation", "restore");
  described.properties.emplace("tusk.restored", std::to_string(number));
  ARROW_ASSIGN_OR_RAISE(const int64_t restored,
                        CommitJointly(staging, stages, described, "restoring", number, context));
  return std::optional(restored);
}

}  // namespace tusk::lake
