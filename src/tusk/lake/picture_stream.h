#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lake/content_ids.h"
#include "tusk/lake/ingest.h"
#include "tusk/lake/label_file.h"

namespace tusk::lake {

/// Turns files into rows for both tables, batch by batch, in parts that are committed one by one.
/// Holds the bytes, pixels and vectors of one batch, and the metadata of one part. Neither
/// thread-safe nor copied; readers share it.
class PictureStream {
 public:
  struct Source {
    std::shared_ptr<io::ObjectStore> store;
    std::vector<std::string> paths;      ///< in the order in which rows are wanted
    std::string folder = {};             ///< that they are in: labels name them relative to it
    ContentIds known = {};               ///< contents that are not added again
    const FileLabels* labels = nullptr;  ///< for LabelFrom::kFile; must outlive the stream
    int64_t ingested_at_us = 0;          ///< microseconds since the epoch, UTC
  };
  /// `context` must outlive the stream. InvalidArgument for options that make no sense.
  static Result<std::shared_ptr<PictureStream>> Make(Source source, IngestOptions options,
                                                     const OperationContext& context);

  /// Begins the next part: NextPictures gives rows again, up to the limits of a commit.
  void BeginPart();
  /// Goes back to where the part began, because others have committed meanwhile: `known` is what
  /// the table has now.
  void RewindPart(ContentIds known);
  /// Between parts: what the table has now.
  void SetKnown(ContentIds known) { source_.known = std::move(known); }
  /// Rows of MediaSchema for the next new files, at most batch_files; null after the last of the
  /// part. Files that cannot be read or decoded are skipped.
  Result<std::shared_ptr<arrow::RecordBatch>> NextPictures();
  /// Rows of MetadataSchema for files that NextPictures gave, in their order; null after
  /// the last. InvalidArgument while NextPictures has not come to its end.
  Result<std::shared_ptr<arrow::RecordBatch>> NextMetadata();
  /// True if there is a file to add in this part; reads on until that is known. False at the end.
  Result<bool> HasPictures();
  const IngestOptions& options() const { return options_; }
  /// What happened so far, without joint versions.
  const IngestReport& report() const { return report_; }

 private:
  /// A file on its way to a row.
  struct Picture;
  /// The rows of one batch under construction.
  struct Batch;

  PictureStream(Source source, IngestOptions options, const OperationContext& context);

  Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch();
  bool PartIsFull() const;
  Result<std::vector<Picture>> ReadWindow(int64_t max_files, int64_t max_bytes);
  Result<std::vector<Picture>> ChooseFiles(int64_t max_files, int64_t max_bytes);
  Status ReadFile(Picture* picture) const;
  Status KeepNew(std::vector<Picture>* window);
  Status DecodeSome(std::span<Picture> pictures);
  Status AddWindow(std::vector<Picture> window, Batch* batch);
  void AddToBatch(std::span<Picture> pictures, Batch* batch);
  Status Encode(Batch* batch);
  std::optional<std::string> LabelOf(const std::string& path);
  Result<std::shared_ptr<arrow::RecordBatch>> BuildPictures(const Batch& batch);
  Result<std::shared_ptr<arrow::RecordBatch>> BuildMetadata(const Batch& batch);
  void Skip(const std::string& path, const std::string& reason);
  void ReportProgress(int64_t done);

  Source source_;
  IngestOptions options_;
  const OperationContext& context_;
  size_t next_path_ = 0;
  /// The part under way, and what there was when it began.
  struct Part {
    size_t first_path = 0;
    int64_t rows = 0;
    int64_t bytes = 0;
    std::chrono::steady_clock::time_point begin;
    IngestReport before;
  };
  Part part_;
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
