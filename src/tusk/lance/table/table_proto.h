#pragma once

#include "tusk/base/result.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/table.pb.h"

namespace tusk::lance {

proto::DataFragment ToProto(const Fragment& fragment);
/// Corrupt, naming the fragment, if its counts or paths make no sense.
Result<Fragment> FromProto(proto::DataFragment fragment);

proto::DataFile ToProto(const DataFile& file);
/// Corrupt if its path leaves its folder or its fields and columns do not fit together.
Result<DataFile> FromProto(proto::DataFile file);

proto::BasePath ToProto(const BasePath& base);
BasePath FromProto(const proto::BasePath& base);

proto::IndexMetadata ToProto(const IndexMetadata& index);
/// Corrupt, naming the index, if its uuid has not 16 bytes or its bitmap is broken.
Result<IndexMetadata> FromProto(const proto::IndexMetadata& index);

}  // namespace tusk::lance
