#pragma once

#include "tusk/base/result.h"

namespace tusk {

/// `error` with the note that the same call would fail again, so that whoever retries gives up.
Status AsFinal(const Status& error);

/// Whether it has that note.
bool IsFinal(const Status& error);

}  // namespace tusk
