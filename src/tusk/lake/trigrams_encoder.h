#pragma once

#include <memory>

#include "tusk/lake/encoder.h"

namespace tusk::lake {

/// docs/format/trigrams_encoder.md.
std::shared_ptr<Encoder> MakeTrigramsEncoder();

}  // namespace tusk::lake
