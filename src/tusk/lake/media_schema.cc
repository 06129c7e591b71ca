#include "tusk/lake/media_schema.h"

#include <utility>
#include <vector>

#include <arrow/type.h>

namespace tusk::lake {

catalog::TableName MetadataTable(catalog::TableName name) {
  name.name += "_meta";
  return name;
}

std::string ModelOf(const IngestOptions& options) {
  return options.encoder == nullptr ? kNoModel : options.encoder->model();
}

bool TakesAnyFile(const IngestOptions& options) {
  return options.encoder == nullptr || options.encoder->input() == EncoderInput::kFiles;
}

std::shared_ptr<arrow::Schema> MediaSchema(const IngestOptions& options) {
  const std::string media = TakesAnyFile(options) ? "media" : "image";
  std::vector<std::shared_ptr<arrow::Field>> fields = {
      arrow::field("content_id", arrow::utf8(), /*nullable=*/false)};
  fields.push_back(options.media == MediaPlace::kInline
                       ? arrow::field(media, arrow::binary(), /*nullable=*/false)
                       : arrow::field(media + "_uri", arrow::utf8(), /*nullable=*/false));
  if (options.encoder != nullptr) {
    fields.push_back(arrow::field(
        "embedding", arrow::fixed_size_list(arrow::float32(), options.encoder->dimension()),
        /*nullable=*/false));
  }
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> MetadataSchema(const IngestOptions& options) {
  const auto required = [](const char* name, std::shared_ptr<arrow::DataType> type) {
    return arrow::field(name, std::move(type), /*nullable=*/false);
  };
  const bool may_lack_size = TakesAnyFile(options);
  return arrow::schema({required("content_id", arrow::utf8()),
                        required("source_path", arrow::utf8()),
                        arrow::field("label", arrow::utf8()), required("split", arrow::utf8()),
                        arrow::field("width", arrow::int32(), may_lack_size),
                        arrow::field("height", arrow::int32(), may_lack_size),
                        required("bytes", arrow::int64()), required("media_type", arrow::utf8()),
                        required("ingested_at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                        required("embedding_model", arrow::utf8())});
}

}  // namespace tusk::lake
