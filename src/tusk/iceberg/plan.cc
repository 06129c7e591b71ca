#include "tusk/iceberg/plan.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/iceberg/location.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// The reserved id of the column of a position delete file that names the data file.
constexpr int32_t kDeletedPathId = 2147483546;

bool IsParquet(std::string_view format) {
  return std::ranges::equal(format, std::string_view("parquet"), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

Status CheckParquet(const DataFile& file) {
  if (IsParquet(file.format)) return Status::OK();
  return Unsupported("file '", file.path, "' has the format ", file.format,
                     ", which is not supported yet: only Parquet is");
}

/// Finds the delete files that may name rows of a data file.
class DeleteIndex {
 public:
  void Add(std::shared_ptr<const DeleteFile> deletes) {
    const DataFile& file = deletes->file;
    const auto* least = file.lower_bounds.Find(kDeletedPathId);
    const auto* greatest = file.upper_bounds.Find(kDeletedPathId);
    if (file.referenced_data_file.has_value()) {
      by_path_[*file.referenced_data_file].push_back(std::move(deletes));
    } else if (least != nullptr && greatest != nullptr && *least == *greatest) {
      by_path_[*least].push_back(std::move(deletes));
    } else {
      by_spec_[deletes->spec_id].push_back(std::move(deletes));
    }
  }

  /// `sequence_number` is the data sequence number of `file`.
  std::vector<std::shared_ptr<const DeleteFile>> Find(const DataFile& file, int32_t spec_id,
                                                      int64_t sequence_number) const {
    std::vector<std::shared_ptr<const DeleteFile>> found;
    const auto add = [&](const auto& candidates) {
      for (const auto& deletes : candidates) {
        if (deletes->sequence_number >= sequence_number && MayName(*deletes, file)) {
          found.push_back(deletes);
        }
      }
    };
    if (const auto it = by_path_.find(file.path); it != by_path_.end()) add(it->second);
    if (const auto it = by_spec_.find(spec_id); it != by_spec_.end()) add(it->second);
    return found;
  }

 private:
  static bool MayName(const DeleteFile& deletes, const DataFile& file) {
    const auto* least = deletes.file.lower_bounds.Find(kDeletedPathId);
    const auto* greatest = deletes.file.upper_bounds.Find(kDeletedPathId);
    return (least == nullptr || *least <= file.path) &&
           (greatest == nullptr || *greatest >= file.path);
  }

  using Files = std::vector<std::shared_ptr<const DeleteFile>>;
  std::unordered_map<std::string, Files> by_path_;
  std::map<int32_t, Files> by_spec_;
};

int64_t SequenceNumber(const ManifestEntry& entry, const ManifestFile& manifest) {
  return entry.sequence_number.value_or(manifest.sequence_number);
}

Status AddDeletes(const Table::State& table, const ManifestFile& manifest, DeleteIndex* index,
                  const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        OpenManifest(table, manifest, {.columns = {{kDeletedPathId}}}, context));
  std::vector<ManifestEntry> entries;
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&entries));
    if (!more) return Status::OK();
    for (ManifestEntry& entry : entries) {
      if (entry.change == ManifestEntry::Change::kDeleted) continue;
      if (entry.file.content == FileContent::kEqualityDeletes) {
        return Unsupported("the table at '", table.folder, "' has the equality deletes '",
                           entry.file.path,
                           "', which are not supported yet: rewrite the data files of the table "
                           "with the engine that wrote them");
      }
      if (entry.file.content != FileContent::kPositionDeletes) {
        return Corrupt("manifest '", manifest.path, "' of delete files lists a data file");
      }
      ARROW_RETURN_NOT_OK(CheckParquet(entry.file));
      auto deletes = std::make_shared<DeleteFile>();
      ARROW_ASSIGN_OR_RAISE(deletes->path, FileInTable(entry.file.path, table.folder));
      deletes->sequence_number = SequenceNumber(entry, manifest);
      deletes->spec_id = manifest.partition_spec_id;
      deletes->file = std::move(entry.file);
      index->Add(std::move(deletes));
    }
  }
}

}  // namespace

struct FilePlan::State {
  std::shared_ptr<const Table::State> table;
  FilePruner pruner;
  DeleteIndex deletes;
  std::vector<ManifestFile> manifests;  ///< of data files
  size_t next_manifest = 0;
  std::optional<ManifestReader> reader;
  std::vector<ManifestEntry> entries;  ///< some of the manifest
  size_t next_entry = 0;

  const ManifestFile& manifest() const { return manifests[next_manifest - 1]; }

  /// Decodes the next entries; false behind the last.
  Result<bool> NextEntries(const OperationContext& context) {
    next_entry = 0;
    while (true) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      if (reader.has_value()) {
        ARROW_ASSIGN_OR_RAISE(const bool more, reader->Next(&entries));
        if (more) return true;
      }
      reader.reset();
      if (next_manifest == manifests.size()) return false;
      ARROW_ASSIGN_OR_RAISE(reader, OpenManifest(*table, manifests[next_manifest],
                                                 {.columns = pruner.columns()}, context));
      ++next_manifest;
    }
  }

  Result<std::optional<FileTask>> Task(ManifestEntry* entry) {
    if (entry->change == ManifestEntry::Change::kDeleted) return std::nullopt;
    if (entry->file.content != FileContent::kData) {
      return Corrupt("manifest '", manifest().path, "' of data files lists a delete file");
    }
    if (!pruner.MayMatch(entry->file, manifest().partition_spec_id)) return std::nullopt;
    ARROW_RETURN_NOT_OK(CheckParquet(entry->file));
    FileTask task;
    ARROW_ASSIGN_OR_RAISE(task.path, FileInTable(entry->file.path, table->folder));
    task.spec_id = manifest().partition_spec_id;
    task.deletes = deletes.Find(entry->file, task.spec_id, SequenceNumber(*entry, manifest()));
    task.file = std::move(entry->file);
    return task;
  }
};

FilePlan::FilePlan(std::unique_ptr<State> state) : state_(std::move(state)) {}
FilePlan::FilePlan(FilePlan&&) noexcept = default;
FilePlan& FilePlan::operator=(FilePlan&&) noexcept = default;
FilePlan::~FilePlan() = default;

Result<FilePlan> FilePlan::Make(std::shared_ptr<const Table::State> table,
                                const MetadataSnapshot* snapshot, const expr::Filter::Bound* filter,
                                const std::shared_ptr<arrow::Schema>& schema,
                                const OperationContext& context) {
  auto state = std::make_unique<State>();
  state->table = std::move(table);
  if (filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(state->pruner, FilePruner::Make(filter->predicate(), *schema,
                                                          state->table->metadata.specs));
  }
  if (snapshot == nullptr) return FilePlan(std::move(state));
  ARROW_ASSIGN_OR_RAISE(auto manifests, ReadManifestList(*state->table, *snapshot, context));
  for (ManifestFile& manifest : manifests) {
    if (!MayHaveLiveFiles(manifest)) continue;
    if (!state->pruner.MayMatch(manifest)) continue;
    if (manifest.content == FileContent::kData) {
      state->manifests.push_back(std::move(manifest));
    } else {
      ARROW_RETURN_NOT_OK(AddDeletes(*state->table, manifest, &state->deletes, context));
    }
  }
  return FilePlan(std::move(state));
}

Result<std::optional<FileTask>> FilePlan::Next(const OperationContext& context) {
  while (true) {
    while (state_->next_entry < state_->entries.size()) {
      ManifestEntry& entry = state_->entries[state_->next_entry++];
      ARROW_ASSIGN_OR_RAISE(auto task, state_->Task(&entry));
      if (task.has_value()) return task;
    }
    ARROW_ASSIGN_OR_RAISE(const bool more, state_->NextEntries(context));
    if (!more) return std::nullopt;
  }
}

}  // namespace tusk::iceberg
