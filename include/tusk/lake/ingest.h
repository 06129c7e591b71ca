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
  kFolder
};  ///< kFolder: the name of the folder that holds the file

struct IngestOptions {
  catalog::TableName name;  ///< the Lance table; the Iceberg table has "_meta" after its name
  LabelFrom label_from = LabelFrom::kNothing;
  std::shared_ptr<Encoder> encoder;  ///< never null
  int64_t batch_files = 256;         ///< files in memory at once
  std::string message;               ///< of the joint commit; one is made if empty
  std::string author;
  std::map<std::string, std::string> properties = {};  ///< of the joint commit
};

/// A file that was left out, and why.
struct SkippedFile {
  std::string path;
  std::string reason;
};

struct IngestReport {
  std::optional<int64_t> joint_version;  ///< absent if there was nothing new
  int64_t files = 0;                     ///< looked at
  int64_t added = 0;
  int64_t duplicates = 0;  ///< content already in the table, or twice in this batch
  int64_t added_bytes = 0;
  std::vector<SkippedFile> skipped;  ///< ascending by path
};

/// The split of a content id: "train" (80 %), "val" (10 %) or "test" (10 %) by the formula of
/// docs/format/split.md. InvalidArgument if it is not 64 hex characters.
TUSK_EXPORT Result<std::string> SplitOf(std::string_view content_id);

/// Walks `folder` (files in path order, hidden ones and the lake's own left out), and adds every
/// picture that the table does not have yet to the Lance table (content_id, image, embedding) and
/// its metadata to the Iceberg table, in one joint commit. Unreadable files are listed in the
/// report, not an error. InvalidArgument if the table holds vectors of another encoder; NotFound
/// for the folder.
TUSK_EXPORT Result<IngestReport> Ingest(Lake* lake, std::string_view folder,
                                        const IngestOptions& options,
                                        const OperationContext& context);

}  // namespace tusk::lake
