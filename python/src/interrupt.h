#pragma once

#include <stop_token>

namespace tusk::python {

/// True if Ctrl-C means KeyboardInterrupt to Python now: SIGINT has Python's default handler. With
/// the GIL.
bool CtrlCRaises();

/// While it lives on the process's main thread, SIGINT also triggers a stop source. Python's own
/// handler runs as well, so that KeyboardInterrupt is due when the operation has come back. Only
/// the main thread gets Python's signals; on others, and if not `enabled`, it does nothing.
/// Scopes nest. Needs no GIL.
class InterruptScope {
 public:
  InterruptScope(std::stop_source source, bool enabled);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  bool enabled_;
};

}  // namespace tusk::python
