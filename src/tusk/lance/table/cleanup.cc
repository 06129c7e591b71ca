#include "tusk/lance/cleanup.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/named_files.h"
#include "tusk/lance/table/refs.h"

namespace tusk::lance {
namespace {

using Clock = std::chrono::steady_clock;

/// A file that no version names may be a writer's that is still at work; so long no write takes.
constexpr int64_t kUnverifiedAgeMs = int64_t{7} * 24 * 60 * 60 * 1000;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Status CheckRules(const CleanupOptions& options) {
  if (options.older_than_ms && *options.older_than_ms < 0) {
    return InvalidArgument("cannot clean up what is older than ", *options.older_than_ms, " ms");
  }
  if (options.keep_last && *options.keep_last < 1) {
    return InvalidArgument("cannot clean up all but the newest ", *options.keep_last,
                           " versions: at least one stays");
  }
  if (options.deletes_per_second && *options.deletes_per_second < 1) {
    return InvalidArgument("cannot delete ", *options.deletes_per_second,
                           " files a second: it must be at least one");
  }
  if (options.versions && options.versions->empty()) {
    return InvalidArgument("cannot clean up an empty list of versions: leave it out for all");
  }
  return Status::OK();
}

/// What of a table stays, what goes, and what is known of the files in its folders.
struct Judgement {
  std::vector<ManifestLocation> going;  ///< versions, ascending
  NamedFiles kept;                      ///< by versions that stay, branches, detached versions
  NamedFiles verified;                  ///< by versions that go
};

/// Looks at the versions of one table and sorts them by the rules.
class Judge {
 public:
  Judge(const Dataset& dataset, const CleanupOptions& options, const OperationContext& context)
      : table_(dataset.state().location),
        root_(RootOf(dataset)),
        branch_(dataset.state().manifest.branch),
        latest_(dataset.version()),
        options_(options),
        context_(context) {}

  Result<Judgement> Run() {
    ARROW_ASSIGN_OR_RAISE(refs_, ReadRefs(root_, branch_, context_));
    ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(table_, context_));
    if (options_.keep_last) {
      const auto kept = static_cast<size_t>(*options_.keep_last);
      first_kept_ = locations.size() > kept ? locations[locations.size() - kept].version : 0;
    }
    ARROW_ASSIGN_OR_RAISE(const std::set<uint64_t> tagged, Sort(locations));
    if (!tagged.empty() && options_.error_if_tagged) {
      return InvalidArgument("cannot clean up ", table_.path, ": ", tagged.size(),
                             " of the versions that would go have a tag, the first is version ",
                             *tagged.begin(),
                             "; delete the tags, or ask for tagged versions to "
                             "be kept (error_if_tagged_old_versions=False)");
    }
    ARROW_RETURN_NOT_OK(KeepOfOthers());
    return std::move(judgement_);
  }

 private:
  enum class Verdict { kStays, kGoes, kGone };

  /// Looks at all versions, several at a time. The versions that would go had they no tag.
  Result<std::set<uint64_t>> Sort(const std::vector<ManifestLocation>& locations) {
    std::vector<Verdict> verdicts(locations.size());
    ARROW_RETURN_NOT_OK(context_.executor->ParallelFor(
        std::ssize(locations), [&](int64_t i) { return Sort(locations[i]).Value(&verdicts[i]); },
        context_.stop,
        /*while_waiting=*/nullptr));
    std::set<uint64_t> tagged;
    for (size_t i = 0; i < locations.size(); ++i) {
      if (verdicts[i] != Verdict::kGoes) continue;
      if (IsTagged(locations[i])) {
        tagged.insert(locations[i].version);
      } else {
        judgement_.going.push_back(locations[i]);
      }
    }
    return tagged;
  }

  /// Whether it goes, if it has no tag. Adds the files that it names to the kept or verified ones.
  Result<Verdict> Sort(const ManifestLocation& location) {
    std::string section;
    Manifest manifest;
    const auto read = [&]() -> Status {
      ARROW_ASSIGN_OR_RAISE(manifest, ReadManifest(table_, location.path, context_));
      return ReadIndexSection(table_, location.path, manifest, context_).Value(&section);
    };
    const Status status = read();
    // Another cleanup was first.
    const bool is_gone = GetErrorCode(status) == ErrorCode::kNotFound;
    if (is_gone && location.version < latest_) return Verdict::kGone;
    ARROW_RETURN_NOT_OK(status);
    const bool goes = Goes(location, manifest);
    const bool stays = !goes || IsTagged(location);
    const std::lock_guard lock(mutex_);
    const Status added = AddNamedFiles(location.path, manifest, section,
                                       stays ? &judgement_.kept : &judgement_.verified);
    if (!added.ok()) return WithContext(added, table_.path);
    return goes ? Verdict::kGoes : Verdict::kStays;
  }

  bool IsTagged(const ManifestLocation& location) const {
    return refs_.tagged.contains(location.version);
  }

  bool Goes(const ManifestLocation& location, const Manifest& manifest) const {
    if (location.version >= latest_ || refs_.branched.contains(location.version)) return false;
    if (options_.keep_last && location.version >= first_kept_) return false;
    if (options_.versions &&
        std::ranges::find(*options_.versions, location.version) == options_.versions->end()) {
      return false;
    }
    if (!options_.older_than_ms) return true;
    return manifest.timestamp_ns / 1'000'000 < now_ms_ - *options_.older_than_ms;
  }

  /// What detached versions and branches name stays. Files of this table may stand in a branch's
  /// manifest as the branch's own or as those of a base path: their names tell, whose ever.
  Status KeepOfOthers() {
    ARROW_ASSIGN_OR_RAISE(const auto versions,
                          table_.store->List(io::JoinPath(table_.path, "_versions"), context_));
    for (const io::ObjectInfo& info : versions) {
      const std::string path = info.path.substr(table_.path.size() + 1);
      const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
      if (!name.ends_with(".manifest") || ParseManifestName(name)) continue;
      ARROW_RETURN_NOT_OK(AddNamedFiles(table_, path, &judgement_.kept, context_));
    }
    if (!refs_.has_branches) return Status::OK();
    // A branch may begin at a version of this one, if this is a branch itself.
    const std::string own = io::JoinPath(table_.path, "_versions") + "/";
    ARROW_ASSIGN_OR_RAISE(const auto tree,
                          root_.store->List(io::JoinPath(root_.path, "tree"), context_));
    for (const io::ObjectInfo& info : tree) {
      if (!info.path.ends_with(".manifest") || info.path.starts_with(own)) continue;
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      const std::string path = info.path.substr(root_.path.size() + 1);
      ARROW_RETURN_NOT_OK(AddNamedFiles(root_, path, &judgement_.kept, context_, WhosePlace::kAny));
    }
    return Status::OK();
  }

  const io::StorePath& table_;
  const io::StorePath root_;
  const std::optional<std::string> branch_;
  const uint64_t latest_;
  const CleanupOptions& options_;
  const OperationContext& context_;
  const int64_t now_ms_ = NowMs();
  uint64_t first_kept_ = 0;
  TableRefs refs_;
  std::mutex mutex_;  ///< of the files in judgement_
  Judgement judgement_;
};

/// The kind of a file by the folder it lies in; nothing for files that are not the format's to
/// remove. Manifests of versions are not among them: they go by their version.
std::optional<TableFileKind> KindOf(std::string_view path) {
  struct Rule {
    std::string_view folder;
    std::string_view ending;
    TableFileKind kind;
  };
  static constexpr std::array<Rule, 8> kRules = {{
      {"data/", ".lance", TableFileKind::kData},
      {"data/", ".blob", TableFileKind::kData},
      {"_deletions/", ".arrow", TableFileKind::kDeletion},
      {"_deletions/", ".bin", TableFileKind::kDeletion},
      {"_transactions/", ".txn", TableFileKind::kTransaction},
      {"_indices/", "", TableFileKind::kIndex},
      {"_staged/", ".manifest", TableFileKind::kUnfinished},
      {"_versions/.tmp", "", TableFileKind::kUnfinished},
  }};
  for (const Rule& rule : kRules) {
    if (path.starts_with(rule.folder) && path.ends_with(rule.ending)) return rule.kind;
  }
  return std::nullopt;
}

/// False for what belongs to branches and to whatever else lies below the table's root.
bool IsInTableFolder(std::string_view path) {
  static constexpr std::array<std::string_view, 6> kFolders = {
      "data/", "_deletions/", "_transactions/", "_indices/", "_staged/", "_versions/"};
  return std::ranges::any_of(kFolders,
                             [&](std::string_view folder) { return path.starts_with(folder); });
}

/// Removes, or only writes down, what a judgement lets go.
class Sweep {
 public:
  Sweep(const Dataset& dataset, const CleanupOptions& options, const OperationContext& context)
      : table_(dataset.state().location),
        newest_(dataset.version()),
        options_(options),
        context_(context) {}

  Result<TableCleanupReport> Run(const Judgement& judgement) {
    ARROW_ASSIGN_OR_RAISE(const auto files, table_.store->List(table_.path, context_));
    ARROW_ASSIGN_OR_RAISE(const auto unfinished,
                          table_.store->ListUnfinished(table_.path, context_));
    ARROW_RETURN_NOT_OK(RemoveVersions(judgement, files));
    NamedFiles kept = judgement.kept;
    ARROW_RETURN_NOT_OK(KeepNewVersions(judgement, &kept));
    for (const io::ObjectInfo& file : files) {
      const std::string path = file.path.substr(table_.path.size() + 1);
      const auto kind = KindOf(path);
      if (!kind || Names(kept, path)) continue;
      const bool is_verified = Names(judgement.verified, path);
      if (!is_verified && !IsOld(file)) continue;
      ARROW_RETURN_NOT_OK(Remove({path, *kind, !is_verified, file.size}));
    }
    for (const io::ObjectInfo& file : unfinished) {
      const std::string path = file.path.substr(table_.path.size() + 1);
      if (!IsInTableFolder(path) || !IsOld(file)) continue;
      ARROW_RETURN_NOT_OK(Remove({path, TableFileKind::kUnfinished, true, file.size}));
    }
    // Else the hint would be older than the last change, and tell readers nothing.
    if (!options_.dry_run && !judgement.going.empty()) {
      WriteVersionHint(table_, newest_, context_);
    }
    std::ranges::sort(report_.files, {}, &RemovableFile::path);
    return std::move(report_);
  }

 private:
  bool IsOld(const io::ObjectInfo& file) const {
    return options_.delete_unverified || file.modified_ms < now_ms_ - kUnverifiedAgeMs;
  }

  Status RemoveVersions(const Judgement& judgement, const std::vector<io::ObjectInfo>& files) {
    std::map<std::string_view, int64_t> sizes;
    for (const io::ObjectInfo& file : files) {
      sizes[std::string_view(file.path).substr(table_.path.size() + 1)] = file.size;
    }
    for (const ManifestLocation& version : judgement.going) {
      // While manifests are renamed a version has two names, and would come back under the other.
      const bool is_v2 = version.naming == ManifestNaming::kV2;
      const std::string other =
          ManifestPath(version.version, is_v2 ? ManifestNaming::kV1 : ManifestNaming::kV2);
      for (const std::string& path : {version.path, other}) {
        const auto size = sizes.find(path);
        if (size == sizes.end()) continue;
        ARROW_RETURN_NOT_OK(Remove({path, TableFileKind::kManifest, false, size->second}));
      }
    }
    return Status::OK();
  }

  /// A version that came while versions went, as one that was restored, may name their files.
  Status KeepNewVersions(const Judgement& judgement, NamedFiles* kept) {
    ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(table_, context_));
    if (!locations.empty()) newest_ = locations.back().version;
    for (const ManifestLocation& location : locations) {
      if (Names(*kept, location.path) || Names(judgement.verified, location.path)) continue;
      ARROW_RETURN_NOT_OK(AddNamedFiles(table_, location.path, kept, context_));
    }
    return Status::OK();
  }

  /// A file that cannot be removed stands in the way of no other.
  Status Remove(RemovableFile file) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    if (!options_.dry_run) {
      ARROW_RETURN_NOT_OK(WaitForTurn());
      const Status removed = table_.store->Delete(io::JoinPath(table_.path, file.path), context_);
      if (!removed.ok()) {
        ARROW_RETURN_NOT_OK(context_.CheckStop());
        if (report_.failed_deletes++ == 0) report_.first_failure = removed.message();
        return Status::OK();
      }
    }
    report_.files.push_back(std::move(file));
    return Status::OK();
  }

  Status WaitForTurn() {
    if (!options_.deletes_per_second) return Status::OK();
    constexpr auto kStep = std::chrono::milliseconds(20);
    while (Clock::now() < next_turn_) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      std::this_thread::sleep_for(std::min<Clock::duration>(next_turn_ - Clock::now(), kStep));
    }
    next_turn_ = Clock::now() +
                 std::chrono::nanoseconds(std::chrono::seconds(1)) / *options_.deletes_per_second;
    return Status::OK();
  }

  const io::StorePath& table_;
  uint64_t newest_;
  const CleanupOptions& options_;
  const OperationContext& context_;
  const int64_t now_ms_ = NowMs();
  Clock::time_point next_turn_ = Clock::now();
  TableCleanupReport report_;
};

}  // namespace

std::string_view TableFileKindName(TableFileKind kind) {
  static constexpr std::array<std::string_view, 6> kNames = {"manifest", "data",     "transaction",
                                                             "index",    "deletion", "unfinished"};
  return kNames[static_cast<size_t>(kind)];
}

Result<TableCleanupReport> CleanUp(const Dataset& dataset, const CleanupOptions& options,
                                   const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckRules(options));
  const Status writable = CheckWritable(dataset.state().manifest);
  if (!writable.ok()) return WithContext(writable, dataset.state().location.path);
  ARROW_ASSIGN_OR_RAISE(const Judgement judgement, Judge(dataset, options, context).Run());
  return Sweep(dataset, options, context).Run(judgement);
}

}  // namespace tusk::lance
