#include "tusk/testing/faulty_sqlite_vfs.h"

#include <atomic>
#include <csignal>
#include <functional>

#include <sqlite3.h>

namespace tusk {

struct FaultyVfs::State {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs own = {};
  std::atomic<int64_t> requests{0};
  std::atomic<int64_t> break_at{-1};
  std::atomic<VfsFault> fault{VfsFault::kRefuse};
  std::atomic<bool> and_all_after{false};
  std::atomic<bool> has_broken{false};

  /// Does `request`, or what the plan has for it; `error` is SQLite's code for its failure.
  int Do(int error, const std::function<int()>& request) {
    const int64_t n = requests++;
    const int64_t at = break_at;
    if (at < 0 || n < at || (n > at && !and_all_after)) return request();
    has_broken = true;
    if (fault == VfsFault::kKillBefore) raise(SIGKILL);
    if (fault == VfsFault::kRefuse) return error;
    const int result = request();
    if (fault == VfsFault::kKillAfter) raise(SIGKILL);
    return result == SQLITE_OK ? error : result;
  }
};

namespace {

/// SQLite allocates this with room for the real file behind it.
struct File {
  sqlite3_file base;
  FaultyVfs::State* state;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }
FaultyVfs::State* StateOf(sqlite3_vfs* vfs) {
  return static_cast<FaultyVfs::State*>(vfs->pAppData);
}

/// The first version of the interface: no shared memory and no memory maps, so SQLite takes every
/// step through the calls counted here.
const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = {};
  methods.iVersion = 1;
  methods.xClose = [](sqlite3_file* file) { return Real(file)->pMethods->xClose(Real(file)); };
  methods.xRead = [](sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    return Real(file)->pMethods->xRead(Real(file), out, size, offset);
  };
  methods.xWrite = [](sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    return Of(file)->state->Do(SQLITE_IOERR_WRITE, [=] {
      return Real(file)->pMethods->xWrite(Real(file), data, size, offset);
    });
  };
  methods.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
    return Of(file)->state->Do(SQLITE_IOERR_TRUNCATE,
                               [=] { return Real(file)->pMethods->xTruncate(Real(file), size); });
  };
  methods.xSync = [](sqlite3_file* file, int flags) {
    return Of(file)->state->Do(SQLITE_IOERR_FSYNC,
                               [=] { return Real(file)->pMethods->xSync(Real(file), flags); });
  };
  methods.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
    return Real(file)->pMethods->xFileSize(Real(file), size);
  };
  methods.xLock = [](sqlite3_file* file, int level) {
    return Real(file)->pMethods->xLock(Real(file), level);
  };
  methods.xUnlock = [](sqlite3_file* file, int level) {
    return Real(file)->pMethods->xUnlock(Real(file), level);
  };
  methods.xCheckReservedLock = [](sqlite3_file* file, int* held) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), held);
  };
  methods.xFileControl = [](sqlite3_file* file, int operation, void* argument) {
    return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
  };
  methods.xSectorSize = [](sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  };
  methods.xDeviceCharacteristics = [](sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  };
  return methods;
}();

int OpenFile(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultyVfs::State* state = StateOf(vfs);
  File* own = Of(file);
  own->state = state;
  const int code = state->real->xOpen(state->real, name, own->real(), flags, out_flags);
  // SQLite closes a file only if its methods are set.
  own->base.pMethods = own->real()->pMethods != nullptr ? &kMethods : nullptr;
  return code;
}

int DeleteFile(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  FaultyVfs::State* state = StateOf(vfs);
  return state->Do(SQLITE_IOERR_DELETE,
                   [=] { return state->real->xDelete(state->real, name, sync_folder); });
}

}  // namespace

FaultyVfs::FaultyVfs() : state_(std::make_unique<State>()) {
  state_->real = sqlite3_vfs_find(nullptr);
  // What is not replaced below goes to the real functions, which look at the real VFS's own data
  // only through fields that are copied here.
  state_->own = *state_->real;
  state_->own.zName = "tusk-faulty";
  state_->own.pNext = nullptr;
  state_->own.pAppData = state_.get();
  state_->own.szOsFile = static_cast<int>(sizeof(File)) + state_->real->szOsFile;
  state_->own.xOpen = OpenFile;
  state_->own.xDelete = DeleteFile;
  sqlite3_vfs_register(&state_->own, /*makeDflt=*/1);
}

FaultyVfs::~FaultyVfs() { sqlite3_vfs_unregister(&state_->own); }

void FaultyVfs::BreakRequest(int64_t n, VfsFault fault, bool and_all_after) {
  Reset();
  state_->fault = fault;
  state_->and_all_after = and_all_after;
  state_->break_at = n;
}

void FaultyVfs::Reset() {
  state_->break_at = -1;
  state_->requests = 0;
  state_->has_broken = false;
}

int64_t FaultyVfs::requests() const { return state_->requests; }
bool FaultyVfs::has_broken() const { return state_->has_broken; }

}  // namespace tusk
