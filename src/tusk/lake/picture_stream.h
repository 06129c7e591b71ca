#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lake/content_ids.h"
#include "tusk/lake/ingest.h"

namespace tusk::lake {

/// The columns of the Lance table: content_id, image, embedding; none nullable.
std::shared_ptr<arrow::Schema> PictureSchema(int32_t dimension);

/// The columns of the Iceberg table, one row per picture; only label is nullable.
std::shared_ptr<arrow::Schema> PictureMetadataSchema();

/// Turns files into rows for both tables, batch by batch. Holds the bytes, pixels and vectors of
/// one batch, and the metadata of all. Neither thread-safe nor copied; readers share it.
class PictureStream {
 public:
  struct Source {
    std::shared_ptr<io::ObjectStore> store;
    std::vector<std::string> paths;  ///< in the order in which rows are wanted
    ContentIds known;                ///< contents that are not added again
    int64_t ingested_at_us = 0;      ///< microseconds since the epoch, UTC
  };
  /// `context` must outlive the stream. InvalidArgument for options that make no sense.
  static Result<std::shared_ptr<PictureStream>> Make(Source source, IngestOptions options,
                                                     const OperationContext& context);

  /// Rows of PictureSchema for the next new pictures, at most batch_files; null after the last.
  /// Files that cannot be read or decoded are skipped.
  Result<std::shared_ptr<arrow::RecordBatch>> NextPictures();
  /// Rows of PictureMetadataSchema for pictures that NextPictures gave, in their order; null after
  /// the last. InvalidArgument while NextPictures has not come to its end.
  Result<std::shared_ptr<arrow::RecordBatch>> NextMetadata();
  /// True if there is a picture to add at all; reads on until that is known.
  Result<bool> HasPictures();
  int32_t dimension() const { return options_.encoder->dimension(); }
  /// What happened so far, without a joint version.
  const IngestReport& report() const { return report_; }

 private:
  /// A file on its way to a row.
  struct Picture;
  /// The rows of one batch under construction.
  struct Batch;

  PictureStream(Source source, IngestOptions options, const OperationContext& context);

  Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch();
  Result<std::vector<Picture>> ReadWindow(int64_t max_files);
  Result<std::shared_ptr<arrow::Buffer>> ReadFile(const std::string& path);
  Status DecodeAll(std::vector<Picture>* pictures);
  Status AddToBatch(std::vector<Picture> pictures, Batch* batch);
  Status EncodePixels(Batch* batch);
  Result<std::shared_ptr<arrow::RecordBatch>> BuildPictures(const Batch& batch);
  Result<std::shared_ptr<arrow::RecordBatch>> BuildMetadata(const Batch& batch);
  void Skip(const std::string& path, const std::string& reason);
  void ReportProgress(int64_t done);

  Source source_;
  IngestOptions options_;
  const OperationContext& context_;
  size_t next_path_ = 0;
  std::shared_ptr<arrow::RecordBatch> read_ahead_;
  bool at_end_ = false;
  std::deque<std::shared_ptr<arrow::RecordBatch>> metadata_;
  std::unordered_map<ContentDigest, std::string, ContentDigestHash> broken_;  ///< with the reason
  IngestReport report_;
};

/// The two sides of `stream` as readers. The metadata must be read after the pictures.
std::shared_ptr<arrow::RecordBatchReader> ReadPictures(std::shared_ptr<PictureStream> stream);
std::shared_ptr<arrow::RecordBatchReader> ReadMetadata(std::shared_ptr<PictureStream> stream);

}  // namespace tusk::lake
