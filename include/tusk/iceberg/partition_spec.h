#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::iceberg {

/// How a partition value follows from the value of a column (specification, "Partition
/// Transforms").
struct TUSK_EXPORT Transform {
  enum class Kind {
    kIdentity,
    kBucket,
    kTruncate,
    kYear,
    kMonth,
    kDay,
    kHour,
    kVoid,
    kUnknown,  ///< of a later writer; never written, and prunes nothing
  };

  Kind kind = Kind::kIdentity;
  int32_t parameter = 0;          ///< kBucket: the number of buckets; kTruncate: the width
  std::string unknown_name = {};  ///< kUnknown: as it was written

  /// Parses the specification's form: "identity", "bucket[16]", "truncate[4]", "year", "month",
  /// "day", "hour", "void". Another word is kUnknown. Corrupt for a width or number of buckets that
  /// is not positive.
  static Result<Transform> Parse(std::string_view text);
  std::string ToString() const;
  bool operator==(const Transform&) const = default;
};

/// One part of a partition's key.
struct PartitionField {
  int32_t source_id = 0;  ///< the field id of the column
  int32_t field_id = 0;   ///< 1000 and up, unique among all specs of a table
  std::string name;
  Transform transform;
  bool operator==(const PartitionField&) const = default;
};

/// How a table's files are put into partitions: each holds rows of one key. A table has one spec
/// for what is written now and keeps the earlier ones for the files that were written by them.
struct PartitionSpec {
  int32_t spec_id = 0;
  std::vector<PartitionField> fields = {};
  bool operator==(const PartitionSpec&) const = default;
};

/// A part of a partition's key as a person asks for it.
struct TUSK_EXPORT PartitionTerm {
  std::string column;  ///< its name; dots lead into structs
  Transform transform;
  std::string name;  ///< of the partition field; empty: made from the column and the transform

  /// Parses "column", "day(column)", "bucket[16](column)" or "bucket(16, column)", each followed by
  /// " as name" or not. InvalidArgument if it is neither, or the transform is unknown.
  static Result<PartitionTerm> Parse(std::string_view text);
};

}  // namespace tusk::iceberg
