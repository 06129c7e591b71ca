#pragma once

#include <cstdint>
#include <memory>

namespace tusk {

/// What happens to a request to the file system of SQLite.
enum class VfsFault {
  kRefuse,      ///< it fails and nothing is done
  kFailAfter,   ///< it is done, and then reported as failed
  kKillBefore,  ///< SIGKILL instead of it
  kKillAfter,   ///< SIGKILL as soon as it is done
};

/// Stands between SQLite and its files while it lives: connections opened meanwhile go through it.
/// Counts the requests that change files (write, truncate, sync, delete) and breaks the n-th, as
/// SQLite's own tests do. One at a time in a process.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  /// Breaks request number `n` from now on, counted from 0, and all after it if `and_all_after`.
  void BreakRequest(int64_t n, VfsFault fault, bool and_all_after = false);
  /// Forgets the fault and starts to count at 0 again.
  void Reset();
  int64_t requests() const;
  /// True once a request has been broken.
  bool has_broken() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tusk
