#include "interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace nb = nanobind;

namespace tusk::python {
namespace {

/// What a signal wakes. One per process: a forked child makes its own. Never freed, because its
/// thread ends with the process.
struct Watcher {
  Watcher() {
    sem_init(&interrupted, 0, 0);
    std::thread([this] { Watch(); }).detach();
  }
  // std::stop_source::request_stop may not be called by a signal handler, so this thread does it.
  void Watch() {
    while (true) {
      if (sem_wait(&interrupted) != 0) continue;
      const std::lock_guard lock(mutex);
      // The signal is not for operations that began after it.
      const uint64_t end = stop_before;
      for (auto& [number, source] : sources) {
        if (number < end) source.request_stop();
      }
    }
  }

  const pid_t process = getpid();
  sem_t interrupted;
  std::atomic<uint64_t> next_number{0};  // of a scope
  std::atomic<uint64_t> stop_before{0};  // the scopes that the last signal is for
  std::mutex mutex;
  std::vector<std::pair<uint64_t, std::stop_source>> sources;
};

// Touched by the main thread only, and by its signal handler while a scope lives.
Watcher* g_watcher = nullptr;
struct sigaction g_python_action;
int g_depth = 0;

void OnInterrupt(int signal) {
  const int saved = errno;
  g_watcher->stop_before = g_watcher->next_number.load();
  sem_post(&g_watcher->interrupted);
  g_python_action.sa_handler(signal);
  errno = saved;
}

bool OnMainThread() { return syscall(SYS_gettid) == getpid(); }

bool IsPlainHandler(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler != SIG_DFL &&
         action.sa_handler != SIG_IGN;
}

/// Puts our handler before Python's. False if SIGINT has none to put it before.
bool InstallHandler() {
  if (sigaction(SIGINT, nullptr, &g_python_action) != 0 || !IsPlainHandler(g_python_action)) {
    return false;
  }
  struct sigaction ours = g_python_action;
  ours.sa_handler = OnInterrupt;
  return sigaction(SIGINT, &ours, nullptr) == 0;
}

void RestoreHandler() {
  struct sigaction current;
  // Somebody else may have set a handler meanwhile; it stays.
  if (sigaction(SIGINT, nullptr, &current) == 0 && current.sa_handler == OnInterrupt) {
    sigaction(SIGINT, &g_python_action, nullptr);
  }
}

}  // namespace

bool CtrlCRaises() {
  const nb::module_ signal = nb::module_::import_("signal");
  return signal.attr("getsignal")(SIGINT).is(signal.attr("default_int_handler"));
}

InterruptScope::InterruptScope(std::stop_source source, bool enabled)
    : enabled_(enabled && OnMainThread()) {
  if (!enabled_) return;
  if (g_watcher == nullptr || g_watcher->process != getpid()) g_watcher = new Watcher();
  if (g_depth == 0 && !InstallHandler()) {
    enabled_ = false;
    return;
  }
  ++g_depth;
  const std::lock_guard lock(g_watcher->mutex);
  g_watcher->sources.emplace_back(g_watcher->next_number++, std::move(source));
}

InterruptScope::~InterruptScope() {
  if (!enabled_) return;
  if (--g_depth == 0) RestoreHandler();
  const std::lock_guard lock(g_watcher->mutex);
  g_watcher->sources.pop_back();  // scopes nest
}

}  // namespace tusk::python
