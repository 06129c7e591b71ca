#include "tusk/iceberg/metadata_change.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMetadataLogEntries = 100;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<Json> Document(const Table& table) {
  return ParseJson(table.state().metadata.document, "metadata", /*must_be_object=*/true);
}

/// The member `key` as an array that can be changed; made if it is absent.
Result<Json*> Array(Json* document, const char* key) {
  Json& member = (*document)[key];
  if (member.is_null()) member = Json::array();
  if (!member.is_array()) return Corrupt("JSON member '", key, "' is not an array");
  return &member;
}

/// True if an object of the array `key` has the number `value` as its `id_key`.
bool HasObject(const Json& document, const char* key, const char* id_key, int64_t value) {
  const Json* array = FindMember(document, key);
  if (array == nullptr || !array->is_array()) return false;
  return std::ranges::any_of(*array, [&](const Json& entry) {
    const Json* id = entry.is_object() ? FindMember(entry, id_key) : nullptr;
    return id != nullptr && id->is_number_integer() && id->get<int64_t>() == value;
  });
}

/// "metadata/00007-<uuid>.metadata.json" after one that is numbered 6.
std::string NextMetadataName(std::string_view location) {
  constexpr size_t kMostDigits = 12;
  location.remove_prefix(location.rfind('/') + 1);
  const std::string digits(location.substr(0, kMostDigits));
  long long number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || number < 0) number = 0;
  char text[32];
  std::snprintf(text, sizeof(text), "%05lld", number + 1);
  return "metadata/" + std::string(text) + "-" + RandomUuidString() + ".metadata.json";
}

/// Writes `document`, a change of `base` at `time_ms`, as the table's next metadata file.
Result<StagedMetadata> StageDocument(io::ObjectStore* store, const Table& base, Json document,
                                     int64_t time_ms, const OperationContext& context) {
  const Table::State& state = base.state();
  document["last-updated-ms"] = time_ms;
  ARROW_ASSIGN_OR_RAISE(Json * log, Array(&document, "metadata-log"));
  log->push_back({{"metadata-file", state.metadata_location},
                  {"timestamp-ms", state.metadata.last_updated_ms}});
  const int64_t excess = std::ssize(*log) - kMetadataLogEntries;
  if (excess > 0) log->erase(log->begin(), log->begin() + excess);
  ARROW_ASSIGN_OR_RAISE(const std::string text, FormatJson(document, "table metadata"));
  const std::string name = NextMetadataName(state.metadata_location);
  ARROW_RETURN_NOT_OK(store->PutIfAbsent(io::JoinPath(state.folder, name), text, context));
  std::string location = state.metadata.location;
  if (location.ends_with('/')) location.pop_back();
  return StagedMetadata{.metadata_location = io::JoinPath(location, name),
                        .previous_metadata_location = state.metadata_location,
                        .table_uuid = state.metadata.uuid,
                        .snapshot_id = std::nullopt};
}

/// The time of a change: clocks of writers differ, the history of one table does not run backwards.
int64_t TimeAfter(const Table& base) {
  return std::max(NowMs(), base.state().metadata.last_updated_ms + 1);
}

Status SetCurrentSnapshot(std::optional<int64_t> snapshot_id, int64_t time_ms, Json* document) {
  Json& refs = (*document)["refs"];
  if (refs.is_null()) refs = Json::object();
  if (!refs.is_object()) return Corrupt("JSON member 'refs' is not an object");
  if (!snapshot_id) {
    document->erase("current-snapshot-id");
    refs.erase("main");
    return Status::OK();
  }
  (*document)["current-snapshot-id"] = *snapshot_id;
  Json& main = refs["main"];
  if (!main.is_object()) main = {{"type", "branch"}};
  main["snapshot-id"] = *snapshot_id;
  ARROW_ASSIGN_OR_RAISE(Json * log, Array(document, "snapshot-log"));
  log->push_back({{"snapshot-id", *snapshot_id}, {"timestamp-ms", time_ms}});
  return Status::OK();
}

/// The snapshots that stay whatever is asked: the current one and those of branches and tags.
Result<std::set<int64_t>> PinnedSnapshots(const Json& document) {
  std::set<int64_t> pinned;
  ARROW_ASSIGN_OR_RAISE(const auto current, OptionalInteger(document, "current-snapshot-id"));
  if (current) pinned.insert(*current);
  const Json* refs = FindMember(document, "refs");
  if (refs == nullptr) return pinned;
  if (!refs->is_object()) return Corrupt("JSON member 'refs' is not an object");
  for (const auto& [name, ref] : refs->items()) {
    if (!ref.is_object()) return Corrupt("ref '", name, "' is not an object");
    ARROW_ASSIGN_OR_RAISE(const int64_t id, RequiredInteger(ref, "snapshot-id"));
    pinned.insert(id);
  }
  return pinned;
}

/// Drops the objects of the array `key` whose "snapshot-id" is not in `kept`; gives how many.
Result<int64_t> DropOthers(const std::set<int64_t>& kept, const char* key, Json* document) {
  ARROW_ASSIGN_OR_RAISE(Json * array, Array(document, key));
  Json left = Json::array();
  for (Json& entry : *array) {
    if (!entry.is_object()) return Corrupt("an entry of '", key, "' is not an object");
    ARROW_ASSIGN_OR_RAISE(const int64_t id, RequiredInteger(entry, "snapshot-id"));
    if (kept.contains(id)) left.push_back(std::move(entry));
  }
  const auto dropped = std::ssize(*array) - std::ssize(left);
  *array = std::move(left);
  return dropped;
}

/// Drops the log of current snapshots up to the last one that is gone: what is left of it must not
/// claim a snapshot for a time at which another one, now gone, was current.
Status CutSnapshotLog(const std::set<int64_t>& kept, Json* document) {
  ARROW_ASSIGN_OR_RAISE(Json * log, Array(document, "snapshot-log"));
  Json left = Json::array();
  for (Json& entry : *log) {
    if (!entry.is_object()) return Corrupt("an entry of 'snapshot-log' is not an object");
    ARROW_ASSIGN_OR_RAISE(const int64_t id, RequiredInteger(entry, "snapshot-id"));
    if (kept.contains(id)) {
      left.push_back(std::move(entry));
    } else {
      left.clear();
    }
  }
  *log = std::move(left);
  return Status::OK();
}

struct Expired {
  Json document;
  int64_t snapshots = 0;
};

Result<Expired> Expire(const Table& base, std::set<int64_t> kept) {
  Expired expired;
  ARROW_ASSIGN_OR_RAISE(expired.document, Document(base));
  ARROW_ASSIGN_OR_RAISE(const auto pinned, PinnedSnapshots(expired.document));
  kept.insert(pinned.begin(), pinned.end());
  ARROW_ASSIGN_OR_RAISE(expired.snapshots, DropOthers(kept, "snapshots", &expired.document));
  for (const char* key : {"statistics", "partition-statistics"}) {
    if (!expired.document.contains(key)) continue;
    ARROW_RETURN_NOT_OK(DropOthers(kept, key, &expired.document));
  }
  ARROW_RETURN_NOT_OK(CutSnapshotLog(kept, &expired.document));
  return expired;
}

}  // namespace

Result<StagedMetadata> StageRestore(const std::shared_ptr<io::ObjectStore>& store,
                                    const std::shared_ptr<const Table>& base, const Table& then,
                                    const OperationContext& context) {
  const Table::State& state = base->state();
  if (base->uuid() != then.uuid()) {
    return CommitConflict("cannot restore the table at '", state.folder,
                          "': it was dropped and made again since");
  }
  ARROW_ASSIGN_OR_RAISE(Json document, Document(*base));
  ARROW_ASSIGN_OR_RAISE(const Json old, Document(then));
  const std::optional<int64_t> snapshot_id = then.current_snapshot_id();
  if (snapshot_id && !HasObject(document, "snapshots", "snapshot-id", *snapshot_id)) {
    return NotFound("cannot restore the table at '", state.folder, "': its snapshot ", *snapshot_id,
                    " has expired");
  }
  struct Choice {
    const char* key;
    const char* array;
    const char* id_key;
  };
  constexpr std::array<Choice, 3> kChoices = {{
      {"current-schema-id", "schemas", "schema-id"},
      {"default-spec-id", "partition-specs", "spec-id"},
      {"default-sort-order-id", "sort-orders", "order-id"},
  }};
  for (const Choice& choice : kChoices) {
    ARROW_ASSIGN_OR_RAISE(const auto id, OptionalInteger(old, choice.key));
    if (!id) continue;
    if (!HasObject(document, choice.array, choice.id_key, *id)) {
      return NotFound("cannot restore the table at '", state.folder, "': ", choice.key, " ", *id,
                      " is not in its metadata any more");
    }
    document[choice.key] = *id;
  }
  document["properties"] = old.value("properties", Json::object());
  const int64_t time_ms = TimeAfter(*base);
  ARROW_RETURN_NOT_OK(SetCurrentSnapshot(snapshot_id, time_ms, &document));
  return StageDocument(store.get(), *base, std::move(document), time_ms, context);
}

Result<StagedMetadata> StageExpire(const std::shared_ptr<io::ObjectStore>& store,
                                   const std::shared_ptr<const Table>& base,
                                   const std::set<int64_t>& kept, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(Expired expired, Expire(*base, kept));
  return StageDocument(store.get(), *base, std::move(expired.document), TimeAfter(*base), context);
}

Result<int64_t> CountExpired(const Table& base, const std::set<int64_t>& kept) {
  ARROW_ASSIGN_OR_RAISE(const Expired expired, Expire(base, kept));
  return expired.snapshots;
}

}  // namespace tusk::iceberg
