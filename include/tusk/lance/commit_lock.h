#pragma once

#include <cstdint>
#include <functional>

#include "tusk/base/result.h"

namespace tusk::lance {

/// Runs `publish`, which puts the manifest of `version` under its final name, while a lock of the
/// user's is held, and gives its status, or CommitConflict if the lock could not be had because
/// another writer commits this version. Called on the calling thread.
using CommitLock = std::function<Status(uint64_t version, const std::function<Status()>& publish)>;

}  // namespace tusk::lance
