#pragma once

#include "tusk/base/result.h"
#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/partition_spec.h"

namespace tusk::iceberg {

/// The fields of a spec from their JSON form, an array. Version 1 writers leave field ids out: they
/// count from 1000. Corrupt if it breaks the form.
Result<std::vector<PartitionField>> ParsePartitionFields(const nlohmann::json& fields);

/// The JSON form of the fields of a spec.
nlohmann::json FormatPartitionFields(const std::vector<PartitionField>& fields);

}  // namespace tusk::iceberg
