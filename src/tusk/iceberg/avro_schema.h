#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::iceberg {

struct AvroType;

struct AvroField {
  std::string name;
  std::optional<int32_t> id;  ///< "field-id"
  std::shared_ptr<const AvroType> type;
};

/// A type as the writer of an Avro file declared it, with the ids that Iceberg adds.
struct AvroType {
  enum class Kind {
    kNull,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kBytes,
    kString,
    kFixed,
    kEnum,
    kRecord,
    kArray,
    kMap,
    kUnion,
  };

  Kind kind = Kind::kNull;
  std::string logical_type;                               ///< empty if none
  int64_t fixed_size = 0;                                 ///< kFixed
  std::vector<AvroField> fields;                          ///< kRecord
  std::shared_ptr<const AvroType> item;                   ///< kArray; the values of kMap
  std::vector<std::shared_ptr<const AvroType>> branches;  ///< kUnion
  int64_t least_bytes = 1;                                ///< of any value; 0 or 1
  int64_t empty_count = 0;  ///< parts of one value that take no bytes, at the most
  int64_t node_count = 1;   ///< types in this one, each named type counted wherever it is used
};

/// Parses an Avro schema. Corrupt if it breaks the Avro specification, refers to a type inside
/// itself (Iceberg has no recursive types), describes more than a few thousand types, has values
/// with more than a hundred parts that take no bytes, or an array whose items take none (its count
/// could not be checked against the file).
Result<std::shared_ptr<const AvroType>> ParseAvroSchema(std::string_view json);

}  // namespace tusk::iceberg
