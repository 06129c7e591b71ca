#include "tusk/lake/embedding_model.h"

#include <algorithm>

#include <arrow/compute/expression.h>
#include <arrow/type.h>

#include "tusk/expr/filter.h"
#include "tusk/lake/media_schema.h"

namespace tusk::lake {
namespace {

constexpr const char* kModelColumn = "embedding_model";

/// Rows whose model is not `model`.
std::shared_ptr<const expr::Filter> OtherThan(const std::string& model) {
  namespace cp = arrow::compute;
  const auto column = cp::field_ref(kModelColumn);
  // As ranges, which the bounds of files can rule out.
  return expr::Filter::FromArrow(
      cp::or_(cp::less(column, cp::literal(model)), cp::greater(column, cp::literal(model))));
}

/// The metadata table beside `name`; null if there is none that names models.
Result<std::shared_ptr<const iceberg::Table>> OpenMetadata(const Lake& lake,
                                                           const catalog::TableName& name,
                                                           const OperationContext& context) {
  const catalog::TableName metadata_name = MetadataTable(name);
  ARROW_ASSIGN_OR_RAISE(const auto tables, lake.Tables(context));
  const auto entry = std::ranges::find(tables, metadata_name, &catalog::TableEntry::name);
  if (entry == tables.end() || entry->kind != catalog::TableKind::kIceberg) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto metadata, lake.OpenIceberg(metadata_name, context));
  if (metadata->schema()->GetFieldByName(kModelColumn) == nullptr) return nullptr;
  return metadata;
}

}  // namespace

Result<std::string> EmbeddingModel(const Lake& lake, const catalog::TableName& table,
                                   const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, lake.OpenLance(table, context));
  const auto said = dataset->config().find(kModelProperty);
  if (said == dataset->config().end()) {
    return NotFound("table '", table.ToString(), "' does not say which model made its vectors");
  }
  const std::string& model = said->second;
  if (model == kNoModel) {
    return InvalidArgument("table '", table.ToString(),
                           "' has no vectors: it was ingested without an encoder");
  }
  ARROW_ASSIGN_OR_RAISE(const auto metadata, OpenMetadata(lake, table, context));
  if (metadata == nullptr) return model;
  ARROW_ASSIGN_OR_RAISE(const int64_t others, metadata->CountRows(OtherThan(model), {}, context));
  if (others == 0) return model;
  return InvalidArgument("table '", table.ToString(), "' says that its vectors are of ", model,
                         ", but ", others, " rows of '", MetadataTable(table).ToString(),
                         "' say another model: their distances mean nothing");
}

}  // namespace tusk::lake
