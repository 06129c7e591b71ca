#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/lake/ingest.h"

// What the two tables of an ingestion look like.
namespace tusk::lake {

/// The property of both tables that names the encoder of their vectors.
inline constexpr const char* kModelProperty = "tusk.embedding_model";

/// The name of the metadata table beside the Lance table `name`.
catalog::TableName MetadataTable(catalog::TableName name);

/// What stands for the model in tables without vectors.
inline constexpr const char* kNoModel = "none";

/// The model of the encoder, or kNoModel.
std::string ModelOf(const IngestOptions& options);

/// True if files of every kind are taken, not pictures alone: without an encoder, or with one that
/// works on files.
bool TakesAnyFile(const IngestOptions& options);

/// The Lance table: content_id; the bytes (`image`, or `media` where any file is taken) or, by
/// reference, where they are (`image_uri`, `media_uri`); embedding unless there is no encoder. No
/// column is nullable.
std::shared_ptr<arrow::Schema> MediaSchema(const IngestOptions& options);

/// The Iceberg table, one row per file; label is nullable, and where any file is taken width and
/// height.
std::shared_ptr<arrow::Schema> MetadataSchema(const IngestOptions& options);

}  // namespace tusk::lake
