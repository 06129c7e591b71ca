#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/export.h"
#include "tusk/lake/encoder.h"
#include "tusk/lake/lake.h"

namespace tusk::lake {

enum class LabelFrom {
  kNothing,
  kFolder,  ///< the name of the folder that holds the file
  kFile,    ///< a CSV or JSON Lines file that names paths and labels
};

/// Where the bytes of files are kept.
enum class MediaPlace {
  kInline,     ///< in the Lance table
  kReference,  ///< where they are; the Lance table has their path
};

struct IngestOptions {
  catalog::TableName name;  ///< the Lance table; the Iceberg table has "_meta" after its name
  LabelFrom label_from = LabelFrom::kNothing;
  /// For kFile: columns or members path (or file, file_name, filename, image) and label (or class,
  /// category); paths are relative to the folder that is ingested, or absolute.
  std::string label_file = {};
  std::shared_ptr<Encoder> encoder;  ///< null: no vectors, and files of every kind are taken
  MediaPlace media = MediaPlace::kInline;
  int64_t batch_files = 256;       ///< files in memory at once
  int64_t batch_bytes = 64 << 20;  ///< bytes of files in memory at once, and one file more
  /// A joint commit ends with the batch that reaches one of these, and the next begins: what is
  /// committed stays when the ingestion is interrupted.
  int64_t commit_rows = 100'000;
  int64_t commit_bytes = int64_t{4} << 30;
  double commit_seconds = 300;
  std::string message;  ///< of the joint commits; one is made if empty
  std::string author;
  std::map<std::string, std::string> properties = {};  ///< of the joint commit
};

/// A file that was left out, and why.
struct SkippedFile {
  std::string path;
  std::string reason;
};

/// Seconds that an ingestion spent on its parts; what is left is waiting and accounting.
struct IngestSeconds {
  double reading = 0;   ///< and hashing
  double decoding = 0;  ///< pictures to pixels
  double encoding = 0;  ///< vectors
  double writing = 0;   ///< tables, and the commits
  double total = 0;
};

struct IngestReport {
  std::optional<int64_t> joint_version;  ///< the last; absent if there was nothing new
  int64_t commits = 0;                   ///< joint versions made
  int64_t files = 0;                     ///< looked at
  int64_t added = 0;
  int64_t duplicates = 0;  ///< content already in the table, or twice in this batch
  int64_t added_bytes = 0;
  int64_t unlabelled = 0;  ///< added, with no label in the label file
  IngestSeconds seconds = {};
  std::vector<SkippedFile> skipped;  ///< ascending by path
};

/// The split of a content id: "train" (80 %), "val" (10 %) or "test" (10 %) by the formula of
/// docs/format/split.md. InvalidArgument if it is not 64 hex characters.
TUSK_EXPORT Result<std::string> SplitOf(std::string_view content_id);

/// Walks `folder` (files in path order, hidden ones and the lake's own left out), and adds every
/// file that the table does not have yet to the Lance table (content_id, the media, embedding) and
/// its metadata to the Iceberg table, in joint commits of the stated size. Each is whole: after a
/// stop or a crash the tables have the files of the commits so far on both sides, and the same call
/// adds the rest. Other ingestions into the table may run at the same time. Files that cannot be
/// read or that the encoder does not take are listed in the report, not an error. InvalidArgument
/// if the table holds vectors of another encoder or if no path of the label file is one of the
/// folder's; NotFound for the folder.
TUSK_EXPORT Result<IngestReport> Ingest(Lake* lake, std::string_view folder,
                                        const IngestOptions& options,
                                        const OperationContext& context);

}  // namespace tusk::lake
