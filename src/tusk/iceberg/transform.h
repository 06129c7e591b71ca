#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/partition_spec.h"

namespace tusk::iceberg {

/// The values of one partition's key, in the order of its spec's fields, in single-value
/// serialization; nothing for null.
using PartitionTuple = std::vector<std::optional<std::string>>;

/// The type of the partition values. InvalidArgument names a transform that cannot take values of
/// the type `source`, a stored type. Of void and unknown transforms it is `source` itself and text.
Result<std::shared_ptr<arrow::DataType>> ResultType(const Transform& transform,
                                                    const std::shared_ptr<arrow::DataType>& source);

/// The partition value of `row` of `source`, whose type the transform can take; not kUnknown.
std::optional<std::string> ApplyTransform(const Transform& transform, const arrow::Array& source,
                                          int64_t row);

/// The specification's hash for buckets (Appendix B): murmur3, x86, 32 bits, seed 0.
uint32_t BucketHash(std::string_view bytes);

/// The values of a column for which a partition value stands, in single-value serialization;
/// nothing for an end that is not known.
struct SourceRange {
  std::optional<std::string> least;
  std::optional<std::string> greatest;
};

/// The range of values of the type `source` whose partition value lies between `least` and
/// `greatest`, in the serialization of ResultType. Known for transforms that keep the order; of
/// times before 1970 wider by one unit, since old writers rounded towards zero there.
SourceRange SourceRangeOf(const Transform& transform,
                          const std::shared_ptr<arrow::DataType>& source,
                          const std::optional<std::string>& least,
                          const std::optional<std::string>& greatest);

/// The fields of a partition's key: names of the spec, types of the values, partition field ids and
/// what else is known of the type. `find_source` gives the column with an id, or null; of a column
/// that is nowhere any more, and of an unknown transform, the values are text.
Result<arrow::FieldVector> PartitionFields(
    const PartitionSpec& spec,
    const std::function<std::shared_ptr<arrow::Field>(int32_t)>& find_source);

/// The field with the id `id` at any depth of structs in `schema` and its type, or null.
std::shared_ptr<arrow::Field> FindFieldById(const arrow::Schema& schema, int32_t id);

}  // namespace tusk::iceberg
