#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/metadata.h"

namespace tusk::iceberg {

/// The branch that is the table's own state.
inline constexpr const char* kMainBranch = "main";

/// What a new table begins with.
struct NewTable {
  std::string uuid;
  std::string location;
  std::shared_ptr<arrow::Schema> schema;  ///< becomes schema 0
  PartitionSpec spec;                     ///< spec 0
  std::map<std::string, std::string> properties;
};

/// Makes the next metadata file (version 2) of a table. What is not changed stays as it was in the
/// document, unknown members included.
class MetadataEdit {
 public:
  /// A new table, empty.
  static Result<MetadataEdit> OfNewTable(const NewTable& table, int64_t timestamp_ms);
  /// `base_location` goes to the metadata log.
  static Result<MetadataEdit> Of(const TableMetadata& base, std::string_view base_location);
  MetadataEdit(MetadataEdit&&) noexcept;
  MetadataEdit& operator=(MetadataEdit&&) noexcept;
  ~MetadataEdit();

  /// Adds a snapshot as the head of `branch`, which comes into being if it is not there.
  Status AddSnapshot(const MetadataSnapshot& snapshot, const std::string& branch);
  /// Points a reference to a snapshot of the table, made or as it is but for that. Of main that is
  /// the table's current snapshot.
  Status SetRef(const SnapshotRef& ref, int64_t timestamp_ms);
  Status RemoveRef(const std::string& name);
  /// Adds the schema, or finds an equal one, and makes it the current one.
  Status SetSchema(const std::shared_ptr<arrow::Schema>& schema, int32_t last_column_id);
  /// Adds the spec, or finds one with equal fields, and makes it the default.
  Status SetSpec(const PartitionSpec& spec);
  /// Sets properties; removes those without a value.
  Status SetProperties(const std::map<std::string, std::optional<std::string>>& properties);

  /// The document, last changed at `timestamp_ms`.
  Result<std::string> Finish(int64_t timestamp_ms);

 private:
  struct State;
  explicit MetadataEdit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tusk::iceberg
