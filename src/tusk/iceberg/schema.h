#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::iceberg {

/// Arrow field metadata key of an Iceberg field id; Parquet files carry it as their own field id.
inline constexpr std::string_view kFieldIdKey = "PARQUET:field_id";
/// Arrow field metadata key that names an Iceberg type which its Arrow type does not tell: "uuid".
inline constexpr std::string_view kIcebergTypeKey = "tusk:iceberg-type";

/// Arrow field metadata key of a field's documentation.
inline constexpr std::string_view kDocKey = "doc";

/// The id of `field`; nothing if it carries none.
std::optional<int32_t> FieldId(const arrow::Field& field);

/// `field` with the id `id` and no other metadata.
std::shared_ptr<arrow::Field> WithFieldId(const std::shared_ptr<arrow::Field>& field, int32_t id);

/// True if `field` stands for the Iceberg type uuid.
bool IsUuid(const arrow::Field& field);
/// `field`, of 16 bytes, standing for the Iceberg type uuid.
std::shared_ptr<arrow::Field> MarkUuid(const std::shared_ptr<arrow::Field>& field);

/// A schema of a table: Arrow fields of the stored types (docs/decisions/003-types.md), ids in
/// their metadata at every depth.
struct TableSchema {
  int32_t schema_id = 0;
  std::shared_ptr<arrow::Schema> fields;
};

/// Parses a schema in the JSON form of the specification (Appendix C). Corrupt if it breaks that
/// form; Unsupported names a type that version 2 does not have.
Result<TableSchema> ParseSchema(std::string_view json);

/// The JSON form of `schema`, whose fields must all carry ids.
Result<std::string> FormatSchema(const TableSchema& schema);

/// The largest field id at any depth; 0 without fields.
int32_t LargestFieldId(const arrow::Schema& schema);

}  // namespace tusk::iceberg
