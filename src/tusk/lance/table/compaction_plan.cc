#include "tusk/lance/table/compaction_plan.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace tusk::lance {
namespace {

using Loads = std::span<const FragmentLoad>;

int64_t LiveRows(Loads loads) {
  return std::accumulate(
      loads.begin(), loads.end(), int64_t{0},
      [](int64_t sum, const FragmentLoad& load) { return sum + load.live_rows(); });
}

class Planner {
 public:
  explicit Planner(const CompactionOptions& options) : options_(options) {}

  std::vector<Loads> Run(Loads fragments) {
    size_t begin = 0;  // of a run of candidates that may go together
    for (size_t i = 0; i <= fragments.size(); ++i) {
      const bool goes_on = i < fragments.size() && IsCandidate(fragments[i]) &&
                           (i == begin || fragments[i].indices == fragments[begin].indices);
      if (goes_on) continue;
      AddRun(fragments.subspan(begin, i - begin));
      begin = i < fragments.size() && IsCandidate(fragments[i]) ? i : i + 1;
    }
    return std::move(tasks_);
  }

 private:
  /// Whether its deleted rows alone are a reason to rewrite it.
  bool HasManyDeleted(const FragmentLoad& load) const {
    return options_.materialize_deletions && load.physical_rows > 0 &&
           static_cast<double>(load.deleted_rows) / static_cast<double>(load.physical_rows) >
               options_.materialize_deletions_threshold;
  }

  bool IsCandidate(const FragmentLoad& load) const {
    return !load.is_excluded &&
           (load.physical_rows < options_.target_rows_per_fragment || HasManyDeleted(load));
  }

  void AddRun(Loads run) {
    if (run.empty() || (run.size() == 1 && !HasManyDeleted(run[0]))) return;
    if (run.size() > 1 && options_.keep_large) {
      const auto largest = std::ranges::max_element(run, {}, &FragmentLoad::live_rows);
      if (largest->live_rows() > LiveRows(run) - largest->live_rows()) {
        const auto at = static_cast<size_t>(largest - run.begin());
        AddRun(run.first(at));
        AddRun(run.subspan(at, 1));
        AddRun(run.subspan(at + 1));
        return;
      }
    }
    Split(run);
  }

  /// A task ends as soon as it has the target's rows, if as many are left for the next.
  void Split(Loads run) {
    int64_t left = LiveRows(run);
    int64_t rows = 0;
    size_t begin = 0;
    for (size_t i = 0; i < run.size(); ++i) {
      rows += run[i].live_rows();
      left -= run[i].live_rows();
      if (rows < options_.target_rows_per_fragment || left == 0 ||
          left < options_.target_rows_per_fragment) {
        continue;
      }
      tasks_.push_back(run.subspan(begin, i + 1 - begin));
      begin = i + 1;
      rows = 0;
    }
    tasks_.push_back(run.subspan(begin));
  }

  const CompactionOptions& options_;
  std::vector<Loads> tasks_;
};

bool IsWithin(const std::optional<int64_t>& limit, int64_t value) {
  return !limit || value <= *limit;
}

}  // namespace

std::vector<std::vector<uint64_t>> PlanTasks(const std::vector<FragmentLoad>& fragments,
                                             const CompactionOptions& options) {
  std::vector<std::vector<uint64_t>> tasks;
  int64_t num_fragments = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const Loads task : Planner(options).Run(fragments)) {
    num_fragments += std::ssize(task);
    rows += LiveRows(task);
    for (const FragmentLoad& load : task) bytes += load.bytes;
    if (!IsWithin(options.max_source_fragments, num_fragments) ||
        !IsWithin(options.max_source_rows, rows) || !IsWithin(options.max_source_bytes, bytes)) {
      break;
    }
    std::vector<uint64_t>& ids = tasks.emplace_back();
    for (const FragmentLoad& load : task) ids.push_back(load.id);
  }
  return tasks;
}

}  // namespace tusk::lance
