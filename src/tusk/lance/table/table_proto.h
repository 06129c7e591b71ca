#pragma once

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/table.pb.h"

namespace tusk::lance {

proto::DataFragment ToProto(const Fragment& fragment);
/// Corrupt, naming the fragment, if its counts or paths make no sense.
Result<Fragment> FromProto(const proto::DataFragment& fragment);

}  // namespace tusk::lance
