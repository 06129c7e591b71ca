#include "interrupt.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>
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
      for (std::stop_source& source : sources) source.request_stop();
    }
  }

  const pid_t process = getpid();
  sem_t interrupted;
  std::mutex mutex;
  std::vector<std::stop_source> sources;
};

// Touched by the main thread only, and by its signal handler while a scope lives.
Watcher* g_watcher = nullptr;
struct sigaction g_python_action;
int g_depth = 0;

void OnInterrupt(int signal) {
  const int saved = errno;
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
    : source_(std::move(source)), enabled_(enabled && OnMainThread()) {
  if (!enabled_) return;
  if (g_watcher == nullptr || g_watcher->process != getpid()) g_watcher = new Watcher();
  if (g_depth == 0 && !InstallHandler()) {
    enabled_ = false;
    return;
  }
  ++g_depth;
  const std::lock_guard lock(g_watcher->mutex);
  g_watcher->sources.push_back(source_);
}

InterruptScope::~InterruptScope() {
  if (!enabled_) return;
  if (--g_depth == 0) RestoreHandler();
  const std::lock_guard lock(g_watcher->mutex);
  auto& sources = g_watcher->sources;
  sources.erase(std::find(sources.begin(), sources.end(), source_));
}

}  // namespace tusk::python
